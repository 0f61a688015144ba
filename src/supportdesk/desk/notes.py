"""What agents add to a conversation without mail: notes, logged calls, and how far they have read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from supportdesk.desk import following, triage
from supportdesk.desk.action_notice import notice
from supportdesk.desk.agents import check_actor
from supportdesk.desk.bulk import check_not_spam, read_facts, update_clocks
from supportdesk.desk.clocks import SEEN, family_of, root_of
from supportdesk.desk.customers import persons
from supportdesk.desk.drafts import MAILED_KINDS, own_draft, removal
from supportdesk.desk.model import ActionId, Actor, OutboxId, Ticket, TicketId
from supportdesk.desk.ports import Change, Insert, NewRef, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.textfold import fold

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

LONGEST_NOTE = 200_000


@again_if_busy
def add_note(desk: Desk, actor: Actor, ticket_id: TicketId, text: str, *, draft: OutboxId | None = None) -> Done:
    """A note that only agents see. It answers nobody; whoever is writing a reply sees it before sending.

    `draft` is the row that it was written in; it goes in the same transaction. Raises Conflict where it has gone.
    """
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        ticket, action_id = root_of(tx, ticket_id), new_action_id()
        if draft is not None:
            row = own_draft(tx, actor, draft)
            if row["kind"] != "note":
                raise UsageError(_("draft {id} is no note").format(id=draft))
            tx.apply(Plan(silent=removal(tx, row), undoable=False), actor, action_id)
        named = write_note(tx, actor, ticket, text, action_id)
        return Done(action_id, (ticket.id,), noted([ticket.id], named), undoable=False)


def noted(tickets: Sequence[TicketId], named: Sequence[str]) -> str:
    """What writing a note did: where it stands, and who is told of it."""
    told = _("told: {names}").format(names=", ".join(dict.fromkeys(named)))
    return f"{notice('note', tickets)} · {told}" if named else notice("note", tickets)


def write_note(tx: Transaction, actor: Actor, ticket: Ticket, text: str, action_id: ActionId) -> list[str]:
    """Put the note on the ticket and tell the agents whom it names; their names."""
    mentions, named = following.mention(tx, actor, ticket.id, text)
    values = {"direction": "internal", "kind": "note", "channel": "note"}
    plan, ref = _message(tx, actor, ticket, text, values)
    event = PlannedEvent(ticket.id, "note", {"message_id": ref})
    applied = tx.apply(plan + Plan(silent=mentions, events=(event,), undoable=False), actor, action_id)
    tx.index_message(applied.ids[ref.name], fold(text))
    return named


@again_if_busy
def log_call(
    desk: Desk,
    actor: Actor,
    ticket_id: TicketId,
    text: str,
    *,
    after: str = "",
    dismiss: str = "",
    seen_seq: int | None = None,
) -> Done:
    """An outgoing call that reached the customer: it answers what he wrote and the caller had seen.

    Without `seen_seq` that is how far the caller has read the ticket; all of it, if he never opened it here.
    """
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        ticket, action_id = root_of(tx, ticket_id), new_action_id()
        check_not_spam(tx, ticket, actor)
        seen = _has_read(tx, ticket, actor) if seen_seq is None else seen_seq
        values = {"direction": "out", "kind": "call", "channel": "call", "evidence": {SEEN: min(seen, ticket.seq)}}
        plan, ref = _message(tx, actor, ticket, text, values)
        plan += Plan(silent=_called(tx, ticket, ref))
        fields: dict[str, Any] = {"message_count": ticket.message_count + 1, "last_message_at": tx.now}
        if after:
            fields |= triage.status_fields(ticket, after, tx.now, read_facts(tx, "call", ticket))  # type: ignore[arg-type]
        data = {"message_id": ref, **({"status": after} if after else {})}
        plan += Plan(
            silent=triage.update_ticket(ticket, fields), events=(PlannedEvent(ticket.id, "call", data),), undoable=False
        )
        applied = tx.apply(plan, actor, action_id)
        tx.index_message(applied.ids[ref.name], fold(text))
        update_clocks(tx, [ticket.id], actor, action_id)
        if after in triage.SETTLED and tx.ticket(ticket.id).waiting_since is not None:
            if not dismiss:
                raise AnswerNeeded(
                    _("#{ticket}: the customer still waits for an answer").format(ticket=ticket.id), param="dismiss"
                )
            changes = triage.dismiss(dismiss, actor, tx.now, read_facts(tx, "dismiss", tx.ticket(ticket.id)))
            event = PlannedEvent(ticket.id, "dismiss", {"reason": dismiss})
            tx.apply(Plan(changes=tuple(changes), events=(event,)), actor, action_id)
            update_clocks(tx, [ticket.id], actor, action_id)
        return Done(action_id, (ticket.id,), notice("call", [ticket.id]), undoable=False)


@again_if_busy
def mark_seen(desk: Desk, actor: Actor, ticket_id: TicketId, seq: int) -> None:
    """Remember how far an agent has read. Whoever opens a ticket with a stopped reply has been told."""
    if actor.id is None:
        return
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        key = {"ticket_id": ticket_id, "agent_id": actor.id}
        stored = tx.row("ticket_seen", key)
        changes: list[Change] = []
        if stored is None:
            changes.append(Insert("ticket_seen", {**key, "seq": seq}))
        elif stored["seq"] < seq:
            changes.append(Update("ticket_seen", key, {"seq": stored["seq"]}, {"seq": seq}))
        ticket = tx.ticket(ticket_id)
        if "reply_stopped" in ticket.badges and actor.id in (ticket.assignee_id, *_writers(tx, ticket_id)):
            left = [badge for badge in ticket.badges if badge != "reply_stopped"]
            changes += triage.update_ticket(ticket, {"badges": left})
        if (followed := tx.row(following.TABLE, key)) is not None:
            changes += following.told(tx, followed)
        if changes:
            tx.apply(Plan(silent=tuple(changes), undoable=False), actor, new_action_id())


def _message(tx: Transaction, actor: Actor, ticket: Ticket, text: str, values: dict[str, Any]) -> tuple[Plan, NewRef]:
    if not text.strip():
        raise UsageError(_("the text is empty"))
    if len(text) > LONGEST_NOTE:
        raise UsageError(_("the text is longer than {count} characters").format(count=LONGEST_NOTE))
    ref = NewRef("message")
    message = Insert(
        "message",
        {
            "ticket_id": ticket.id,
            "seq": ticket.seq + 1,
            "author_kind": "agent" if actor.id is not None else "system",
            "agent_id": actor.id,
            "author_name": actor.name,
            "received_at": tx.now,
            "created_at": tx.now,
            "body": text.strip("\n"),
            **values,
        },
        ref,
    )
    grown = Update("ticket", {"id": ticket.id}, {"seq": ticket.seq}, {"seq": ticket.seq + 1})
    return Plan(silent=(message, grown)), ref


def _called(tx: Transaction, ticket: Ticket, ref: NewRef) -> tuple[Change, ...]:
    """Who was called: the customer, by all his addresses."""
    people = persons(tx, (member.customer_id for member in family_of(tx, ticket.id)))
    called = sorted({member for person in people.values() for member in person.members})
    rows = tx.rows("customer_identity", {"customer_id": called})
    return tuple(
        Insert("message_recipient", {"message_id": ref, "role": "to", "address": row["value"], "state": "accepted"})
        for row in rows
    )


def _has_read(tx: Transaction, ticket: Ticket, actor: Actor) -> int:
    row = tx.row("ticket_seen", {"ticket_id": ticket.id, "agent_id": actor.id}) if actor.id is not None else None
    return int(row["seq"]) if row is not None else ticket.seq


def _writers(tx: Transaction, ticket_id: TicketId) -> set[int | None]:
    mailed = {"ticket_id": ticket_id, "kind": list(MAILED_KINDS), "state": "draft", "discarded_at": None}
    drafts = tx.rows("outbox", mailed)
    return {row["agent_id"] for row in drafts}
