"""What a mailbox's automatic mail would say, in each variant and at a chosen time: for the admin who switches it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from supportdesk.desk import sla
from supportdesk.desk.automatic_texts import (
    ACKNOWLEDGEMENT,
    LAST_REMINDER,
    REMINDER,
    Reader,
    find_response,
    write_text,
)
from supportdesk.desk.settings import find_hours
from supportdesk.errors import MissingValue, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Mailbox

TEXTS: Final = {"acknowledgement": ACKNOWLEDGEMENT, "reminder": REMINDER, "last-reminder": LAST_REMINDER}
SAMPLE_TICKET: Final = 4711


@dataclass(frozen=True, slots=True)
class Preview:
    """One variant as its customer would read it; `error` says why it cannot be sent."""

    key: str
    variant: str
    subject: str = ""
    body: str = ""
    error: str = ""


def preview(
    desk: Desk, mailbox: Mailbox, *, text: str = "acknowledgement", tag: str = "", at: datetime
) -> list[Preview]:
    """A mail that came to the mailbox at that time, answered in every variant, or only in `tag`.

    Customers who speak another language than the mailbox are shown whose clock it is, as when their own is not known.
    Raises UsageError, NotFound naming what there is.
    """
    if text not in TEXTS:
        raise UsageError(_("{value} is no choice for {name}").format(value=text, name="text"), hint=", ".join(TEXTS))
    response = find_response(desk.read, TEXTS[text])
    tags = [str(variant.tag) for variant in response.variants]
    if tag and tag not in tags:
        raise NotFound(_("{key} has no variant {tag}").format(key=response.key, tag=tag), hint=", ".join(tags))
    calendar = find_hours(desk.read, mailbox.id)
    span = sla.Policy.from_json(desk.settings().policy).first_response
    due_at = sla.promised(calendar, at, span) if span is not None else None
    ours = mailbox.language.partition("-")[0]
    found = []
    for variant in response.variants:
        if tag not in ("", str(variant.tag)):
            continue
        foreign = bool(ours) and variant.tag.language != ours
        reader = Reader(variant.tag.language, variant.tag.region, variant.tag.register, ZoneInfo(mailbox.zone), foreign)
        try:
            written = write_text(
                response, variant, reader, mailbox,
                ticket_number=SAMPLE_TICKET, now=at, due_at=due_at, calendar=calendar,
            )  # fmt: skip
        except (MissingValue, UsageError) as error:
            found.append(Preview(response.key, str(variant.tag), error=error.message))
        else:
            found.append(Preview(response.key, str(variant.tag), written.subject, written.body))
    return found
