"""*Ask again*: a customer who does not answer is reminded on the 4th and 6th business day of pending (domain.md 1).

The wish stands on the reply that was sent with it; everything else follows from the conversation, so there is nothing
to call back: whatever answers, moves or reopens the ticket ends the reminders. Then silence solves it, as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from supportdesk.desk import automatic
from supportdesk.desk.automatic_texts import (
    LAST_REMINDER,
    REMINDER,
    NoText,
    Reader,
    Text,
    find_response,
    find_variant,
    reader_of,
    write_text,
)
from supportdesk.desk.canned import CannedResponse, Variant
from supportdesk.desk.clocks import calendar_of, family_of
from supportdesk.desk.hours import business_days_after
from supportdesk.desk.model import Actor, Mailbox, Ticket, TicketId
from supportdesk.desk.settings import mailbox_of, new_action_id, settings_in
from supportdesk.desk.turns import in_turns
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row, Transaction

RULE: Final = Actor("rule", None, "reminders")
BUSINESS_DAYS: Final = (4, 6)
TEXTS: Final = (REMINDER, LAST_REMINDER)
AT_ONCE: Final = 400


@dataclass(frozen=True, slots=True)
class _Asked:
    """A reply that asks again, the message it became, and the reminders that followed it."""

    reply: Row
    message: Row
    reminders: tuple[Row, ...]
    since: datetime


def send_reminders(desk: Desk) -> int:
    """Hold every reminder that is due; how many."""
    return sum(held for turn in in_turns(desk.store, _candidates(desk), _remind) for _ticket, held in turn)


def check_can_ask_again(tx: Transaction, ticket: Ticket, row: Row, after: str) -> None:
    """Raises UsageError where a reply cannot ask again: the ticket has to be pending, in a language with reminders."""
    if after != "pending" or row["kind"] not in ("reply", "new"):
        raise UsageError(_("only a reply that leaves the ticket pending can ask again"))
    mailbox = tx.row("mailbox", {"id": row["mailbox_id"]})
    assert mailbox is not None
    for key in TEXTS:
        chosen = _variant(tx, key, mailbox_of(mailbox), ticket, row["language"])
        if isinstance(chosen, str):
            raise UsageError(
                _("no reminder is written in the customer's language"),
                hint=_("Send it without asking again, or choose a language: {command}").format(
                    command=f"supportdesk mailbox set {mailbox['address']} --automatic-language en"
                ),
            )


def why_not_now(tx: Transaction, ticket: Ticket, row: Row) -> str:
    """Why a reminder that waits in the outbox must not go out any more, "" when it may."""
    if ticket.merged_into is not None:
        return "merged"
    if ticket.status != "pending":
        return "status"
    if ticket.waiting_since is not None:
        return "customer_wrote"
    asked = _asked(tx, ticket, besides=row["id"])
    return "" if asked is not None and asked.message["id"] == row["in_reply_to"] else "conversation_went_on"


def pending_since(tx: Transaction, ticket: Ticket) -> datetime | None:
    """Since when the ticket has been pending, by its events; None when it is not."""
    for row in tx.rows("event", {"ticket_id": ticket.id}, order="-seq"):
        if status := (row["data"] or {}).get("status"):
            since: datetime = row["at"]
            return since if status == "pending" else None
    return None


def last_public_message(tx: Transaction, homes: Sequence[TicketId]) -> Row | None:
    """The newest thing that a person said to the other side; automatic mail is none."""
    rows = tx.rows("message", {"ticket_id": list(homes), "direction": ["in", "out"]})
    said = [row for row in rows if row["author_kind"] != "machine"]
    return max(said, key=lambda row: (row["created_at"], row["id"]), default=None)


# ---- what is due -----------------------------------------------------------------------------------------------------


def _candidates(desk: Desk) -> list[TicketId]:
    """Pending tickets that are old enough and have a reply that asks again; the transaction decides."""
    oldest = desk.clock.now() - timedelta(days=BUSINESS_DAYS[0])
    rows = desk.read.rows("ticket", {"status": "pending", "merged_into": None, "waiting_since": None})
    old = [row["id"] for row in rows if row["last_message_at"] is not None and row["last_message_at"] <= oldest]
    found: set[int] = set()
    for start in range(0, len(old), AT_ONCE):
        asking = desk.read.rows("outbox", {"ticket_id": old[start : start + AT_ONCE], "ask_again": True})
        found |= {row["ticket_id"] for row in asking}
    return [TicketId(ticket_id) for ticket_id in sorted(found)]


def _remind(tx: Transaction, ticket_id: TicketId) -> bool:
    ticket = tx.ticket(ticket_id)
    if ticket.status != "pending" or ticket.waiting_since is not None or ticket.merged_into is not None:
        return False
    asked = _asked(tx, ticket)
    if asked is None or not _is_due(tx, ticket, asked):
        return False
    mailbox_row = tx.row("mailbox", {"id": asked.reply["mailbox_id"]})
    assert mailbox_row is not None, "a mailbox is never deleted"
    mailbox, key = mailbox_of(mailbox_row), TEXTS[len(asked.reminders)]
    text = _text(tx, key, mailbox, ticket, asked.reply["language"])
    if text is None:
        return False
    to = [
        Address(one["name"], one["address"])
        for one in tx.rows("outbox_recipient", {"outbox_id": asked.reply["id"], "role": "to"}, order="id")
    ]
    automatic.hold(
        tx, RULE, new_action_id(), "bump", ticket, mailbox.id, text, to,
        subject=asked.reply["subject"], in_reply_to=asked.message["id"],
    )  # fmt: skip
    return True


def _asked(tx: Transaction, ticket: Ticket, *, besides: int = 0) -> _Asked | None:
    """The last word of the conversation, if it is a reply of ours that arrived and asks again."""
    homes = [member.id for member in family_of(tx, ticket.id)]
    message = last_public_message(tx, homes)
    if message is None or message["direction"] != "out" or message["outbox_id"] is None:
        return None
    rows = [row for row in tx.rows("outbox", {"ticket_id": homes}, order="id") if row["id"] != besides]
    reply = next((row for row in rows if row["id"] == message["outbox_id"]), None)
    if reply is None or not reply["ask_again"] or reply["state"] != "sent":
        return None
    if any(row["state"] not in ("sent", "draft") and row["kind"] != "acknowledgement" for row in rows):
        return None
    # A reminder that was cancelled counts as well: nobody is reminded after an undo.
    reminders = tuple(row for row in rows if row["kind"] == "bump" and row["in_reply_to"] == message["id"])
    since = max(message["created_at"], pending_since(tx, ticket) or message["created_at"])
    return _Asked(reply, message, reminders, since)


def _is_due(tx: Transaction, ticket: Ticket, asked: _Asked) -> bool:
    """On its business day, a day after the one before it, and not any more once silence solves the ticket."""
    if len(asked.reminders) >= len(BUSINESS_DAYS):
        return False
    calendar = calendar_of(tx, ticket.mailbox_id, ticket.market_id)
    due = business_days_after(calendar, asked.since, BUSINESS_DAYS[len(asked.reminders)])
    end = business_days_after(calendar, asked.since, settings_in(tx).pending_auto_solve_days)
    times = [due, *(business_days_after(calendar, row["held_at"], 1) for row in asked.reminders)]
    return all(at is not None and at <= tx.now for at in times) and (end is None or tx.now < end)


def _variant(
    tx: Transaction, key: str, mailbox: Mailbox, ticket: Ticket, language: str
) -> tuple[CannedResponse, Variant, Reader] | NoText:
    """The reminder in the language in which the customer was answered."""
    reader = reader_of(
        tx, mailbox,
        language=language or ticket.language, customer_id=ticket.customer_id, market_id=ticket.market_id,
    )  # fmt: skip
    response = find_response(tx, key)
    variant = find_variant(response, reader, str(mailbox.settings.get("automatic_language") or ""))
    return variant if isinstance(variant, str) else (response, variant, reader)


def _text(tx: Transaction, key: str, mailbox: Mailbox, ticket: Ticket, language: str) -> Text | None:
    chosen = _variant(tx, key, mailbox, ticket, language)
    if isinstance(chosen, str):
        return None
    response, variant, reader = chosen
    try:
        return write_text(response, variant, reader, mailbox, ticket_number=ticket.id, now=tx.now)
    except (MissingValue, UsageError):  # a fault in the shop's own text, which `canned lint` names
        return None
