"""Actions that are more than one change on one ticket: taking the next, merging, writing, undoing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from supportdesk.desk import automatic, guards, notes, replies, triage, undo
from supportdesk.desk.action_notice import notice
from supportdesk.desk.agents import check_actor
from supportdesk.desk.arguments import read_when
from supportdesk.desk.bulk import as_conflict, check_guard, current, read_facts, update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.customers import is_same_person
from supportdesk.desk.drafts import open_draft, save_draft, unwritten_reply
from supportdesk.desk.model import ActionId, OutboxId, Property, Query, RecipientRow, Ticket, TicketId
from supportdesk.desk.repeats import check_not_repeated
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, StoreError, SupportdeskError, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.mail.recipients import parse_recipients

if TYPE_CHECKING:
    from supportdesk.desk.actions import Call
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Plan, Transaction

CANDIDATES = 100  # free tickets that colleagues may take at the same moment
MOST_MERGED = 100


@again_if_busy
def take_next(call: Call) -> Done:
    """Assign the most urgent free ticket in the actor's languages, else in any.

    Two agents at the same moment get two tickets.
    """
    actor, desk = call.actor, call.desk
    if actor.id is None:
        raise UsageError(_("only an agent can take a ticket"))
    now = desk.clock.now()
    free = Query(Property("assignee", "none"))
    ids = desk.read.queue_ids("needs_reply", agent_id=actor.id, now=now, query=free, limit=CANDIDATES)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        action_id = new_action_id()
        for ticket_id in ids:
            ticket = tx.ticket(ticket_id)
            open_to_all = ticket.assignee_id is None and ticket.merged_into is None and not ticket.asleep(tx.now)
            if open_to_all and ticket.waiting_since is not None and ticket.status != "spam":
                plan = triage.plan("take", ticket, actor, tx.now, {}, read_facts(tx, "take", ticket))
                tx.apply(plan, actor, action_id)
                return Done(action_id, (ticket.id,), notice("take_next", [ticket.id]))
    raise NotFound(_("no free ticket waits for a reply"))


def merge(call: Call) -> Done:
    """Merge the tickets into `into`, or into what that was merged into."""
    return _merge(call, _into(call), different_customers=bool(call.params.get("different_customers")))


def merged_into(tx: Transaction, call: Call, ticket: Ticket) -> Plan:
    """What merging would change on one ticket of the call."""
    target = root_of(tx, _into(call))
    return _merge_plan(tx, ticket, target, different_customers=bool(call.params.get("different_customers")))


def _merge_plan(tx: Transaction, ticket: Ticket, target: Ticket, *, different_customers: bool) -> Plan:
    same = is_same_person(tx, ticket.customer_id, target.customer_id)
    return triage.merge(ticket, target, tx.now, same_customer=same, different_customers=different_customers)


def _into(call: Call) -> TicketId:
    try:
        return TicketId(int(str(call.params["into"]).lstrip("#")))
    except ValueError as error:
        raise UsageError(_("{value} is no ticket").format(value=call.params["into"])) from error


def accept_suggestion(call: Call) -> Done:
    """Merge the ticket into the one that it seems to belong to; whose customer it is has been looked at."""
    ticket = call.desk.read.ticket(call.tickets[0])
    into = guards.suggested(ticket)
    if into is None:
        raise Conflict(_("no ticket is suggested"))
    return _merge(call, into, different_customers=True)


@again_if_busy
def _merge(call: Call, into: TicketId, *, different_customers: bool) -> Done:
    tickets = [ticket_id for ticket_id in call.tickets if ticket_id != into]
    if not tickets:
        raise UsageError(_("#{ticket} cannot be merged into itself").format(ticket=into))
    if len(tickets) > MOST_MERGED:
        raise UsageError(_("at most {count} tickets are merged at once").format(count=MOST_MERGED))
    merged: list[Ticket] = []
    conflicts: dict[TicketId, Conflict] = {}
    with call.desk.store.transaction() as tx:
        check_actor(tx, call.actor)
        target, action_id = root_of(tx, into), new_action_id()
        facts = read_facts(tx, "merge", target)
        for ticket_id in tickets:
            try:
                with tx.savepoint():
                    ticket = current(tx, ticket_id, call.actor, call.expect)
                    check_guard(guards.not_merged(ticket, call.actor), ticket)
                    plan = _merge_plan(tx, ticket, target, different_customers=different_customers)
                    tx.apply(plan, call.actor, action_id)
                    merged.append(ticket)
            except StoreError:
                raise
            except SupportdeskError as error:
                if len(tickets) == 1:
                    raise
                conflicts[ticket_id] = as_conflict(error)
        if merged:
            tx.apply(triage.survivor(target, tuple(merged), tx.now, facts), call.actor, action_id)
            update_clocks(tx, [target.id], call.actor, action_id)
    ids = [ticket.id for ticket in merged]
    return Done(action_id, tuple(ids), notice("merge", ids, {"into": target.id}), conflicts, undoable=bool(ids))


@again_if_busy
def note(call: Call) -> Done:
    text = str(call.params["text"])
    with call.desk.store.transaction() as tx:
        check_actor(tx, call.actor)
        action_id, done, named = new_action_id(), [], []
        for ticket_id in call.tickets:
            ticket = root_of(tx, ticket_id)
            if ticket.id not in done:
                named += notes.write_note(tx, call.actor, ticket, text, action_id)
                done.append(ticket.id)
    return Done(action_id, tuple(done), notes.noted(done, named), undoable=False)


def call(call: Call) -> Done:
    params, seen = call.params, call.params.get("seen")
    return notes.log_call(
        call.desk,
        call.actor,
        call.tickets[0],
        str(params["text"]),
        after=params.get("after") or "",
        dismiss=params.get("dismiss") or "",
        seen_seq=None if seen is None else int(seen),
    )


def reply(call: Call) -> Done:
    """Write and send in one go, for the command line: the draft is kept where the sending stops."""
    desk, actor, params = call.desk, call.actor, call.params
    fields: dict[str, Any] = {}
    texts: list[str] = []
    if params.get("canned"):
        asked = dict(params.get("asked") or {})
        rendered = desk.render_canned(actor, _survivor(desk, call.tickets[0]), str(params["canned"]), asked)
        texts.append(rendered.text)
        fields["canned_key"] = str(params["canned"])
    texts.append(str(params.get("text") or ""))
    body = "\n\n".join(text.strip("\n") for text in texts if text.strip())
    if not body:
        raise UsageError(_("{action} needs {name}").format(action="reply", name="text"))
    at = _time_of(call)
    if params.get("to"):
        fields["to"] = parse_recipients(params["to"]) if isinstance(params["to"], str) else tuple(params["to"])
    anyway = bool(params.get("anyway"))
    if not anyway:
        _check_not_repeated(call, body, fields)
    draft = open_draft(desk, actor, call.tickets[0])  # not before: a text that fails leaves no draft behind
    if draft.body.strip() not in ("", body.strip()):
        raise Conflict(
            _("you are writing a reply to #{ticket} already").format(ticket=draft.ticket_id),
            what="draft",
            hint=_("Draft {id} is kept as it is: send, edit or discard it first.").format(id=draft.id),
        )
    fields["body"] = body
    seen = int(params["seen"]) if params.get("seen") is not None else draft.seen_seq
    draft = save_draft(desk, actor, draft.id, draft.version, fields)
    if not anyway:
        _check_warnings(call, draft.id)
    after = params.get("after")
    return desk.send(
        actor, draft.id,
        seen_seq=seen, after="pending" if after is None else after, anyway=anyway,
        ask_again=bool(params.get("ask_again")), at=at, once=not anyway,
    )  # fmt: skip


def _time_of(call: Call) -> datetime | None:
    """When it is to be sent, in the opening hours of its mailbox; None: now."""
    wanted = call.params.get("at")
    return wanted if wanted is None or isinstance(wanted, datetime) else read_when(call.desk, wanted, call.tickets)


def _survivor(desk: Desk, ticket_id: TicketId) -> TicketId:
    while (into := desk.read.ticket(ticket_id).merged_into) is not None:
        ticket_id = into
    return ticket_id


def undo_action(call: Call) -> Done:
    action = call.params.get("action")
    return undo.undo(call.desk, call.actor, ActionId(str(action)) if action else None)


def cancel_send(call: Call) -> Done:
    wanted = call.params.get("outbox")
    row = replies.cancel_send(call.desk, call.actor, OutboxId(int(wanted)) if wanted else None)
    if row.kind in automatic.KINDS:
        where = {"ticket_id": row.ticket_id, "kind": "automatic_cancelled"}
        cancelled = call.desk.read.rows("event", where, order="-seq", limit=1)[0]
        notice_text = _("The automatic mail to #{ticket} is not sent").format(ticket=row.ticket_id)
        return Done(ActionId(cancelled["action_id"]), (row.ticket_id,), notice_text, outbox_id=row.id, undoable=False)
    event = call.desk.read.rows("event", {"ticket_id": row.ticket_id, "kind": "cancel_send"}, order="-seq", limit=1)[0]
    sentence = _("The reply to #{ticket} is a draft again").format(ticket=row.ticket_id)
    return Done(ActionId(event["action_id"]), (row.ticket_id,), sentence, outbox_id=row.id, undoable=False)


def _check_not_repeated(call: Call, body: str, fields: Mapping[str, Any]) -> None:
    """Before anything is written: a command that is run again leaves no draft behind. Raises AlreadySent."""
    row = unwritten_reply(call.desk, call.actor, call.tickets[0], body, fields.get("canned_key", ""))
    if "to" in fields:
        others = tuple(one for one in row.recipients if one.role != "to")
        row = replace(row, recipients=(*others, *(RecipientRow("to", one.addr, one.name) for one in fields["to"])))
    check_not_repeated(call.desk.read, row, call.desk.clock.now())


def _check_warnings(call: Call, outbox_id: OutboxId) -> None:
    """What the review bar would ask a second key for stops a command; `anyway` is the second key."""
    warnings = call.desk.review(call.actor, outbox_id).warnings
    if warnings:
        hint = _("It is kept as draft {id}; send it anyway, or edit it.").format(id=outbox_id)
        raise AnswerNeeded("; ".join(warning.text for warning in warnings), param="anyway", hint=hint)
