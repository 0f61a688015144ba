"""Automatic mail in the outbox: how it is held, when it may go out, what cancels it. Never counted as an answer.

It stands in the same table as the replies, of nobody (`agent_id` is empty). Whether it is still wanted is asked again
each time before it goes out: a customer who has written, an agent who has answered, a ticket that has moved on and an
undone action all leave nothing behind that must be called back. What it says is `desk.automatic_texts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from supportdesk.desk.model import WORKER, ActionId, Actor, OutboxId, OutboxKind, Ticket, TicketId
from supportdesk.desk.outgoing import sign_reply
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.settings import ensure_identity, mailbox_of, new_action_id

if TYPE_CHECKING:
    from supportdesk.desk.automatic_texts import Text
    from supportdesk.mail.model import Address

KINDS: Final[tuple[OutboxKind, ...]] = ("acknowledgement", "bump")
EVENTS: Final = {"acknowledgement": "acknowledged", "bump": "reminded"}
NOT_YET_SENT: Final = ("held", "deferred")


def hold(
    tx: Transaction,
    actor: Actor,
    action_id: ActionId,
    kind: OutboxKind,
    ticket: Ticket,
    mailbox_id: int,
    text: Text,
    to: Sequence[Address],
    *,
    subject: str = "",
    in_reply_to: int | None,
) -> OutboxId:
    """Put an automatic mail into the outbox, due at once; its event is part of the action. The ticket's seq stays."""
    instance, keys = ensure_identity(tx, actor)
    mailbox = tx.row("mailbox", {"id": mailbox_id})
    assert mailbox is not None, "a ticket's mailbox is never deleted"
    ref = NewRef("automatic")
    row = {
        "ticket_id": ticket.id, "mailbox_id": mailbox_id, "kind": kind, "state": "held", "quote": False,
        "subject": subject or text.subject, "body": text.body, "language": text.language, "canned_key": text.key,
        "in_reply_to": in_reply_to, "seen_seq": ticket.seq, "action_id": action_id, "created_at": tx.now,
        "updated_at": tx.now, "held_at": tx.now, "not_before": tx.now,
    }  # fmt: skip
    people = [
        Insert("outbox_recipient", {"outbox_id": ref, "role": "to", "address": one.addr, "name": one.name})
        for one in to
    ]
    event = PlannedEvent(ticket.id, EVENTS[kind], {"outbox_id": ref, "variant": str(text.tag)})
    plan = Plan(silent=(Insert("outbox", row, ref), *people), events=(event,), undoable=False)
    outbox_id = tx.apply(plan, actor, action_id).ids[ref.name]
    signed = sign_reply(keys, instance, mailbox_of(mailbox), {"id": outbox_id})
    named = Update("outbox", {"id": outbox_id}, {}, {"message_id_header": signed})
    tx.apply(Plan(silent=(named,), undoable=False), actor, action_id)
    return OutboxId(outbox_id)


def is_wanted(tx: Transaction, row: Row) -> bool:
    """Whether an automatic mail that is due may still go out; one that nobody wants any more is cancelled here."""
    reason = _why_unwanted(tx, row)
    if reason:
        cancel(tx, WORKER, row, new_action_id(), reason=reason)
    return not reason


def cancel(tx: Transaction, actor: Actor, row: Row, action_id: ActionId, *, reason: str) -> None:
    """Take an automatic mail out of the outbox for good; the row stays, so that the caps go on counting it."""
    before = {"state": row["state"], "version": row["version"]}
    after = {"state": "draft", "discarded_at": tx.now, "not_before": None, "next_try": None}
    data = {"outbox_id": row["id"], "because": reason, "of": row["action_id"]}
    event = PlannedEvent(TicketId(row["ticket_id"]), "automatic_cancelled", data)
    gone = Update("outbox", {"id": row["id"]}, before, after)
    tx.apply(Plan(silent=(gone,), events=(event,), undoable=False), actor, action_id)


def cancel_of_action(
    tx: Transaction, actor: Actor, tickets: Sequence[TicketId], action_id: ActionId, new_id: ActionId
) -> list[OutboxId]:
    """Cancel what an action that is being undone has queued on its tickets; what has gone out already stays."""
    rows = tx.rows("outbox", {"ticket_id": list(tickets), "kind": list(KINDS)}, order="id") if tickets else []
    cancelled = []
    for row in rows:
        claimed = row["lease_until"] is not None and row["lease_until"] > tx.now
        if row["action_id"] == action_id and row["state"] in NOT_YET_SENT and not claimed:
            cancel(tx, actor, row, new_id, reason="undone")
            cancelled.append(OutboxId(row["id"]))
    return cancelled


def _why_unwanted(tx: Transaction, row: Row) -> str:
    """Why a mail that waits in the outbox must not go out any more, "" when it may."""
    ticket = tx.ticket(row["ticket_id"])
    if ticket.status == "spam":
        return "spam"
    if row["kind"] == "bump":
        from supportdesk.desk.reminders import why_not_now

        return why_not_now(tx, ticket, row)
    mailbox = tx.row("mailbox", {"id": row["mailbox_id"]})
    if mailbox is None or not (mailbox["settings"] or {}).get("acknowledge"):
        return "switched_off"
    if ticket.merged_into is not None:
        return "merged"
    if ticket.waiting_since is None:
        return "answered"
    return "too_late" if ticket.due_at is not None and ticket.due_at <= tx.now else ""
