"""The same text to the same ticket once more: what a command that was killed and run again would send a second time.

The customer has not written since, so nothing asks for it. It is never sent by itself; a person may want it all the
same: the review asks for its second key, a command for `--anyway`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from supportdesk.desk.clocks import family_of, root_of
from supportdesk.desk.results import ReviewWarning
from supportdesk.errors import AlreadySent
from supportdesk.l10n.catalog import _, current_language

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import OutboxRow, TicketId
    from supportdesk.desk.ports import Looks, Row

REPEATED = "repeated"  # the code of the warning
REMEMBERED = timedelta(hours=24)
ON_THE_WAY = ("held", "sending", "deferred", "uncertain")
KINDS = ("reply", "new", "forward")


def repeat_warning(desk: Desk, row: OutboxRow) -> ReviewWarning | None:
    """What the review says of a draft whose text the same people were sent within a day, or are about to be sent."""
    from supportdesk.desk.arguments import calendar_for
    from supportdesk.desk.time_phrases import describe

    now = desk.clock.now()
    earlier = find_earlier(desk.read, row, now)
    if earlier is None:
        return None
    said = {
        "sent": _("The same text was sent already: {time}"),
        "uncertain": _("The same text was perhaps sent already: {time}"),
    }.get(earlier["state"], _("The same text is on its way already: {time}"))
    calendar = calendar_for(desk, (row.ticket_id,))
    return ReviewWarning(REPEATED, said.format(time=describe(_at(earlier), calendar, now, current_language())))


def check_not_repeated(desk: Desk, row: OutboxRow) -> None:
    """Raises AlreadySent."""
    if warning := repeat_warning(desk, row):
        raise AlreadySent(f"#{row.ticket_id}: {warning.text}", what=warning.text)


def find_earlier(source: Looks, row: OutboxRow, now: datetime) -> Row | None:
    """The newest mail with this text to one of these people that no customer's message has followed, if there is one.

    Of a merged ticket every part is looked at. What was refused, came back or was taken back has reached nobody.
    """
    text = _plain(row.body)
    if not text or row.kind not in KINDS:
        return None
    homes = [ticket.id for ticket in family_of(source, root_of(source, row.ticket_id).id)]
    asked = {"ticket_id": homes, "kind": list(KINDS), "state": ["sent", *ON_THE_WAY]}
    people = {one.address.casefold() for one in row.recipients}
    for earlier in sorted(source.rows("outbox", asked), key=_at, reverse=True):
        recent = earlier["state"] in ON_THE_WAY or _at(earlier) > now - REMEMBERED
        if not recent or earlier["id"] == row.id or _plain(earlier["body"]) != text:
            continue
        if row.kind == "forward" and earlier["in_reply_to"] != row.in_reply_to:
            continue  # the same words about another message
        reached = source.rows("outbox_recipient", {"outbox_id": earlier["id"]})
        if people & {one["address"].casefold() for one in reached} and not _answered(source, homes, earlier):
            return earlier
    return None


def _answered(source: Looks, homes: Sequence[TicketId], earlier: Row) -> bool:
    """Whether a customer has written since; another part of a merged ticket counts its own messages, so time tells."""
    came = source.rows("message", {"ticket_id": homes, "direction": "in", "kind": "mail"})
    return any(
        one["seq"] > earlier["seq"] if one["ticket_id"] == earlier["ticket_id"] else one["created_at"] > _at(earlier)
        for one in came
    )


def _at(row: Row) -> datetime:
    at: datetime = row["sent_at"] or row["held_at"] or row["created_at"]
    return at


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
