"""Performs a triage action on any number of tickets: reads the facts, plans, writes, in turns under one action_id.

A turn is one transaction. Inside it each ticket has its own savepoint, so that a conflict on one leaves the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from supportdesk.desk import following, guards, triage
from supportdesk.desk.action_notice import in_words, notice
from supportdesk.desk.agents import check_actor
from supportdesk.desk.arguments import resolve
from supportdesk.desk.clocks import calendar_of, family_of, recompute
from supportdesk.desk.customers import person_of
from supportdesk.desk.model import ActionId, Actor, Ticket, TicketId
from supportdesk.desk.ports import Plan, Transaction
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.desk.settings import new_action_id, settings_in
from supportdesk.desk.turns import in_turns
from supportdesk.errors import Conflict, StoreError, SupportdeskError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.actions import Call

# The clocks of a ticket do not depend on its owner, its tags or its snooze.
MOVES_CLOCKS = frozenset(
    ("solve", "reopen", "status", "dismiss", "spam", "not_spam", "split", "move", "confirm_participant", "merge")
)

# These can put a ticket on hold, whose default end lies in business days.
MAY_HOLD = frozenset(("status", "send", "call"))


def run(call: Call, action: str) -> Done:
    """Perform `action` on each ticket of the call; the conflict of a single ticket is raised, of several listed."""
    from supportdesk.desk.actions import BY_ID

    guard = BY_ID[action].guard
    action_id, params = call.action_id or new_action_id(), resolve(call)

    def change(tx: Transaction, ticket_id: TicketId) -> bool | SupportdeskError:
        check_actor(tx, call.actor)
        try:
            with tx.savepoint():
                ticket = current(tx, ticket_id, call.actor, call.expect)
                check_guard(guard(ticket, call.actor), ticket)
                return write(tx, action, ticket, call.actor, params, action_id)
        except StoreError:
            raise
        except SupportdeskError as error:
            if len(call.tickets) == 1:
                raise
            return error

    done: list[TicketId] = []
    refused: dict[TicketId, SupportdeskError] = {}
    looked_at = 0
    # In one order for everybody: two bulk actions must not wait for each other's rows.
    for turn in in_turns(call.desk.store, sorted(call.tickets), change):
        done += [ticket_id for ticket_id, result in turn if result is True]
        refused |= {ticket_id: result for ticket_id, result in turn if isinstance(result, SupportdeskError)}
        looked_at += len(turn)
        if call.progress is not None:
            call.progress(looked_at, len(call.tickets))
        if call.cancelled is not None and call.cancelled():
            break
    conflicts = {ticket_id: as_conflict(error) for ticket_id, error in refused.items()}
    needed = {ticket_id: error for ticket_id, error in refused.items() if isinstance(error, AnswerNeeded)}
    said = notice(action, done, in_words(call.desk, tuple(done), params))
    return Done(action_id, tuple(done), said, conflicts, undoable=bool(done), needed=needed)


def foresee(call: Call, action: str) -> tuple[tuple[TicketId, ...], Mapping[TicketId, str]]:
    """Which tickets `action` would change, and why it would leave others alone; nothing is written."""
    from supportdesk.desk.actions import BY_ID
    from supportdesk.desk.compound import merged_into

    guard, params = BY_ID[action].guard, resolve(call)

    def look(tx: Transaction, ticket_id: TicketId) -> bool | str:
        check_actor(tx, call.actor)
        try:
            ticket = tx.ticket(ticket_id)
            if reason := guard(ticket, call.actor):
                return reason
            if action == "merge":
                return bool(merged_into(tx, call, ticket).events)
            if action not in triage.PLANNED:  # a note, which every ticket takes
                return True
            facts = read_facts(tx, action, ticket, call.actor)
            return bool(triage.plan(action, ticket, call.actor, tx.now, params, facts).events)
        except StoreError:
            raise
        except SupportdeskError as error:
            return error.message

    found = [item for turn in in_turns(call.desk.store, sorted(call.tickets), look) for item in turn]
    would = tuple(ticket_id for ticket_id, result in found if result is True)
    return would, {ticket_id: result for ticket_id, result in found if isinstance(result, str)}


def write(
    tx: Transaction, action: str, ticket: Ticket, actor: Actor, params: Mapping[str, Any], action_id: ActionId
) -> bool:
    """Plan and write one action on one ticket; False when there was nothing to change."""
    facts = read_facts(tx, action, ticket, actor)
    plan = triage.plan(action, ticket, actor, tx.now, params, facts)
    if not plan.events:
        return False
    applied = tx.apply(plan, actor, action_id)
    if action in MOVES_CLOCKS:
        homes = [ticket.id, *(TicketId(new) for name, new in applied.ids.items() if name == triage.SPLIT_TICKET.name)]
        update_clocks(tx, homes, actor, action_id)
    return True


def update_clocks(tx: Transaction, tickets: Sequence[TicketId], actor: Actor, action_id: ActionId) -> None:
    """Recompute the clocks of these tickets' families and write what differs."""
    for ticket_id in dict.fromkeys(tickets):
        plan = recompute(tx, ticket_id)
        if plan != Plan():
            tx.apply(plan, actor, action_id)


def read_facts(tx: Transaction, action: str, ticket: Ticket, actor: Actor | None = None) -> triage.Facts:
    """Only what the action looks at: a bulk action must not read a conversation for each ticket."""
    facts: dict[str, Any] = {}
    if action in MAY_HOLD:
        facts["calendar"] = calendar_of(tx, ticket.mailbox_id, ticket.market_id)
        facts["on_hold_days"] = settings_in(tx).on_hold_days
    here = {"ticket_id": ticket.id}
    if action in ("tag", "untag"):
        facts["tags"] = frozenset(row["tag"] for row in tx.rows("ticket_tag", here))
    if action in ("solve", "status", "dismiss", "spam", "not_spam"):
        homes = {member.id: member.seq for member in family_of(tx, ticket.id)}
        spam = tx.rows("dismissal", {"ticket_id": list(homes), "reason": "spam", "undone": False})
        facts |= {"homes": homes, "spam_dismissals": tuple(row["id"] for row in spam)}
    if action in ("language", "confirm_participant") and ticket.customer_id is not None:
        facts["person"] = person_of(tx, ticket.customer_id)
    if action == "split":
        facts |= {
            "messages": tuple(tx.rows("message", here, order="seq")),
            "outbox": tuple(row for row in tx.rows("outbox", here) if row["state"] != "draft"),
            "dismissals": tuple(tx.rows("dismissal", {**here, "undone": False})),
        }
    if action == "sender":
        wrote = {"ticket_id": [member.id for member in family_of(tx, ticket.id)], "direction": "in"}
        messages = tx.rows("message", wrote, order="id", columns=("id", "identity_id"))
        known = [row["identity_id"] for row in messages if row["identity_id"] is not None]
        rows = tx.rows("customer_identity", {"id": known}) if known else []
        facts |= {"messages": tuple(messages), "identities": {row["id"]: row for row in rows}}
    if action in ("follow", "unfollow") and actor is not None:
        own = {**here, "agent_id": actor.id}
        facts |= {"follow": tx.row(following.TABLE, own), "newest_event": following.newest_event(tx, ticket.id)}
    if action in ("split", "confirm_participant"):
        participants = tuple(tx.rows("participant", here, order="id"))
        identities = (
            tx.rows("customer_identity", {"id": [row["identity_id"] for row in participants]}) if participants else []
        )
        facts |= {"participants": participants, "identities": {row["id"]: row for row in identities}}
    return triage.Facts(**facts)


def current(tx: Transaction, ticket_id: TicketId, actor: Actor, expect: Mapping[TicketId, int] | None = None) -> Ticket:
    """The ticket as it is now. Raises Conflict when somebody else wrote to it after the version that was expected.

    The actor's own earlier actions are no conflict: keys come faster than screens follow. A colleague's change below
    one's own goes untold: the log does not number versions, and the action is planned on the ticket as it is now.
    """
    ticket = tx.ticket(ticket_id)
    if expect is None or expect.get(ticket_id, ticket.version) == ticket.version:
        return ticket
    newest = tx.rows("event", {"ticket_id": ticket_id}, order="-seq", limit=1)
    if newest and newest[0]["actor_kind"] == actor.kind and newest[0]["actor_id"] == actor.id:
        return ticket
    who = name_of(tx, newest[0]["actor_kind"], newest[0]["actor_id"]) if newest else ""
    raise changed_by(ticket, who, newest[0]["kind"] if newest else "", newest[0]["at"] if newest else None)


def changed_by(ticket: Ticket, who: str, what: str, when: datetime | None) -> Conflict:
    message = (
        _("#{ticket} was changed by {who} in the meantime").format(ticket=ticket.id, who=who)
        if who
        else _("#{ticket} was changed in the meantime").format(ticket=ticket.id)
    )
    return Conflict(message, who=who, what=what, when=when)


def name_of(tx: Transaction, actor_kind: str, actor_id: int | None) -> str:
    row = tx.row("agent", {"id": actor_id}) if actor_id is not None else None
    return (row["name"] or row["login"]) if row else actor_kind


def check_guard(reason: str | None, ticket: Ticket) -> None:
    if reason is not None:
        raise Conflict(f"#{ticket.id}: {reason}", what=reason)


def check_not_spam(tx: Transaction, ticket: Ticket, actor: Actor) -> None:
    """Raises Conflict for a ticket that is spam, naming who said so: his colleague may be writing to the customer."""
    reason = guards.not_spam(ticket, actor)
    if reason is None:
        return
    said = tx.rows("event", {"ticket_id": ticket.id, "kind": "spam"}, order="-seq", limit=1)
    who = name_of(tx, said[0]["actor_kind"], said[0]["actor_id"]) if said else ""
    when = said[0]["at"] if said else None
    raise Conflict(f"#{ticket.id}: {reason}" + (f" ({who})" if who else ""), who=who, what=reason, when=when)


def as_conflict(error: SupportdeskError) -> Conflict:
    """Any refusal, as one of the conflicts that a bulk action lists."""
    return error if isinstance(error, Conflict) else Conflict(error.message, what=type(error).__name__, hint=error.hint)
