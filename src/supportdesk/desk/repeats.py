"""The same text to the same people once more: what a command that was killed and run again would send a second time.

The customer has not written since, so nothing asks for it. It is never sent by itself; a person may want it all the
same: the review asks for its second key, a command for `--anyway`. A reply is compared with what its ticket was sent, a
first mail also with the other conversations that were begun with the same people under the same subject.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from supportdesk.desk.clocks import family_of, root_of
from supportdesk.desk.results import ReviewWarning
from supportdesk.desk.settings import find_hours
from supportdesk.errors import AlreadySent
from supportdesk.l10n.catalog import _, current_language

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from supportdesk.desk.model import OutboxRow, TicketId
    from supportdesk.desk.ports import Looks, Reader, Row, Transaction

REPEATED = "repeated"  # the code of the warning
REMEMBERED = timedelta(hours=24)
ON_THE_WAY = ("held", "sending", "deferred", "uncertain")
KINDS = ("reply", "new", "forward")
BEGINNING = "beginning"  # what one transaction at a time does: begin or send a first mail that must not be the second


def repeat_warning(source: Reader | Transaction, row: OutboxRow, now: datetime) -> ReviewWarning | None:
    """What the review says of a draft whose text the same people were sent within a day, or are about to be sent."""
    from supportdesk.desk.time_phrases import describe

    earlier = find_earlier(source, row, now)
    if earlier is None:
        return None
    said = {
        "sent": _("The same text was sent already: {time}"),
        "uncertain": _("The same text was perhaps sent already: {time}"),
    }.get(earlier["state"], _("The same text is on its way already: {time}"))
    [ticket] = source.rows("ticket", {"id": earlier["ticket_id"]})  # another one than the row's is not ours to lock
    calendar = find_hours(source, ticket["mailbox_id"], ticket["market_id"])
    text = said.format(time=describe(_at(earlier), calendar, now, current_language()))
    return ReviewWarning(REPEATED, f"{text} (#{ticket['id']})" if _is_elsewhere(row, earlier) else text)


def check_not_repeated(source: Reader | Transaction, row: OutboxRow, now: datetime) -> None:
    """Raises AlreadySent. Inside the transaction that sends, nobody else can send the same meanwhile."""
    if warning := repeat_warning(source, row, now):
        raise AlreadySent(f"#{row.ticket_id}: {warning.text}", what=warning.text)


def find_earlier(source: Looks, row: OutboxRow, now: datetime) -> Row | None:
    """The newest mail with this text to one of these people that no customer's message has followed, if there is one.

    Of a merged ticket every part is looked at. What was refused, came back or was taken back has reached nobody.
    """
    text = plain(row.body)
    if not text or row.kind not in KINDS:
        return None
    homes = [ticket.id for ticket in family_of(source, root_of(source, row.ticket_id).id)]
    people = [one.address for one in row.recipients]
    states = ["sent", *ON_THE_WAY]
    found = list(source.rows("outbox", {"ticket_id": homes, "kind": list(KINDS), "state": states}))
    if row.kind == "new":
        found += (one for one in begun_with(source, people, row.subject) if one["state"] in states)
    for earlier in sorted(found, key=_at, reverse=True):
        if not _is_recent(earlier, now) or earlier["id"] == row.id or plain(earlier["body"]) != text:
            continue
        if row.kind == "forward" and earlier["in_reply_to"] != row.in_reply_to:
            continue  # the same words about another message
        reached = source.rows("outbox_recipient", {"outbox_id": earlier["id"]})
        known = homes if earlier["ticket_id"] in homes else [earlier["ticket_id"]]
        if _norms(people) & _norms(one["address"] for one in reached) and not _answered(source, known, earlier):
            return earlier
    return None


def begun_with(source: Looks, addresses: Sequence[str], subject: str) -> list[Row]:
    """The first mails of every conversation that was begun with one of these people under this subject."""
    where = {"kind": "email", "value_norm": sorted(_norms(addresses))}
    known = source.rows("customer_identity", where) if addresses else []
    customers = sorted({one["customer_id"] for one in known})
    tickets = [one["id"] for one in source.rows("ticket", {"customer_id": customers})] if customers else []
    rows = source.rows("outbox", {"ticket_id": tickets, "kind": "new"}) if tickets else []
    return [row for row in rows if row["subject"].strip() == subject.strip()]


def is_begun(source: Looks, row: Row, address: str, now: datetime) -> bool:
    """Whether this first mail, a draft perhaps, is of these days, for that person alone, and was not answered since."""
    if row["state"] not in ("draft", "sent", *ON_THE_WAY):
        return False  # it has reached nobody
    reached = source.rows("outbox_recipient", {"outbox_id": row["id"]})
    alone = _norms(one["address"] for one in reached) == _norms([address])
    return alone and _is_recent(row, now) and not _answered(source, [row["ticket_id"]], row)


def plain(text: str) -> str:
    """A text as two of them are compared: blanks at the ends of lines and around it do not count."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def _is_elsewhere(row: OutboxRow, earlier: Row) -> bool:
    return row.kind == "new" and bool(earlier["ticket_id"] != row.ticket_id)


def _is_recent(row: Row, now: datetime) -> bool:
    return row["state"] in ON_THE_WAY or _at(row) > now - REMEMBERED


def _norms(addresses: Iterable[str]) -> set[str]:
    return {address.strip().casefold() for address in addresses}


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
