"""Times as the console writes them: short, in the zone of the `now` that is given, and never ticking by the second.

`Session.local_now` gives it in the zone of a shop; the zone of this machine is nobody's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.labels import MONTHS
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from datetime import datetime

MINUTE, HOUR, DAY = 60, 3600, 86_400
YEAR = 365 * DAY
FRESH = 2 * MINUTE


def span(seconds: float) -> str:
    """A length of time in at most five cells: `43m`, `2h10`, `14h`, `3d`, `2y`."""
    seconds = int(seconds)
    if seconds < HOUR:
        return _("{minutes}m").format(minutes=seconds // MINUTE)
    if seconds < 10 * HOUR and (minutes := seconds % HOUR // MINUTE):
        return _("{hours}h{minutes}").format(hours=seconds // HOUR, minutes=f"{minutes:02}")
    if seconds < 2 * DAY:
        return _("{hours}h").format(hours=seconds // HOUR)
    if seconds < 2 * YEAR:
        return _("{days}d").format(days=seconds // DAY)
    return _("{years}y").format(years=seconds // YEAR)


def age(since: datetime | None, now: datetime) -> str:
    """How long ago; nothing for less than two minutes, so that nothing counts seconds."""
    if since is None:
        return ""
    seconds = (now - since).total_seconds()
    return span(seconds) if seconds >= FRESH else _("now")


def due(at: datetime | None, now: datetime) -> str:
    """How long is left: `43m`; `-12m` when it is late."""
    if at is None:
        return ""
    seconds = (at - now).total_seconds()
    return span(seconds) if seconds >= 0 else f"-{span(-seconds)}"


def moment(at: datetime, now: datetime) -> str:
    """`18:02` today, `20 Nov 18:02` this year, else `20 Nov 2025`."""
    local = at.astimezone(now.tzinfo)
    if local.date() == now.date():
        return f"{local:%H:%M}"
    day = f"{local.day} {_(MONTHS[local.month - 1])}"
    return f"{day} {local:%H:%M}" if local.year == now.year else f"{day} {local.year}"


def day(at: datetime, now: datetime) -> str:
    """`18:02` today, else `20 Nov`: where there is little room."""
    local = at.astimezone(now.tzinfo)
    return f"{local:%H:%M}" if local.date() == now.date() else f"{local.day} {_(MONTHS[local.month - 1])}"


def date(at: datetime, now: datetime) -> str:
    """`20 Nov 2026`."""
    local = at.astimezone(now.tzinfo)
    return f"{local.day} {_(MONTHS[local.month - 1])} {local.year}"


def clock(at: datetime, now: datetime) -> str:
    """`18:02:15`, for what happens within the minute."""
    return f"{at.astimezone(now.tzinfo):%H:%M:%S}"
