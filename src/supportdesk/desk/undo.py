"""Taking an action back: the inverse of what its log entry holds, on fields that nobody changed since.

What cannot be unmade is turned into its opposite instead: a dismissal is marked undone, the ticket of a split is merged
into its source. The clocks are recomputed, never restored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.desk import automatic, canned_set, customer_merge, forwarded, hours_editing, views
from supportdesk.desk.agents import check_actor
from supportdesk.desk.bulk import as_conflict, name_of, update_clocks
from supportdesk.desk.clocks import family_of, read_conversation, root_of
from supportdesk.desk.model import ActionId, Actor, EventRow, MessageId, OutboxId, Role, TicketId
from supportdesk.desk.ports import Change, Delete, Insert, Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.replies import cancel_send
from supportdesk.desk.results import Done
from supportdesk.desk.sender_verdicts import SENDER_EVENT
from supportdesk.desk.settings import SETTINGS_EVENT, new_action_id
from supportdesk.desk.triage import UNCOUNTED, update_ticket
from supportdesk.desk.turns import in_turns
from supportdesk.errors import Conflict, NotFound, StoreError, SupportdeskError
from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.retarget import Moved

NEVER_UNDONE = frozenset({"undo", "cancel_send", "note", "call", "started", "adopt_draft", "merged_here", "split_from"})
VIEW_EVENTS = frozenset({"view_added", "view_changed", "view_removed"})
# What is changed for everybody, and who may do that.
TEAM_EVENTS: Mapping[str, Role] = {
    hours_editing.EVENT: "admin",
    SETTINGS_EVENT: "admin",
    SENDER_EVENT: "agent",
    customer_merge.EVENT: "agent",
    **dict.fromkeys(canned_set.EVENTS, "lead"),
}
KEYS = {  # of the rows that have no id
    "ticket_tag": ("ticket_id", "tag"),
    "ticket_follow": ("ticket_id", "agent_id"),
    "canned_variant": ("canned_id", "tag"),
    "setting": ("key",),
}
LOOK_BACK = 5000  # events: a bulk action has one for each ticket
# A split concerns two tickets and is undone as a whole or not at all; other actions ticket by ticket.
AS_A_WHOLE = frozenset({"split"})

Logged = tuple[EventRow, Mapping[str, Any]]


def undo(desk: Desk, actor: Actor, action_id: ActionId | None = None) -> Done:
    """Undo an action, by default the actor's newest. Raises Conflict naming who changed the same since, NotFound."""
    action_id = action_id or newest_undoable(desk, actor)
    logged: list[Logged] = [(event, body) for event, body in desk.read.event_details(action_id)]
    if not logged:
        raise _nothing_to_undo(desk, action_id)
    replied = [event for event, _body in logged if event.kind == "reply_held"]
    if len(replied) > 1:
        return _take_all_back(desk, actor, action_id, replied)
    sent = replied[0] if replied else None
    if sent is not None:
        taken_back = _take_back(desk, actor, sent)
        if taken_back is not None:
            return taken_back
    new_id, tickets, conflicts = _write_inverse(desk, actor, action_id, logged)
    for event, _body in logged:
        if event.kind == hours_editing.EVENT and event.ticket_id is None:
            hours_editing.move_deadlines_again(desk, actor, event.data)
    if not tickets and len(conflicts) == 1:
        raise next(iter(conflicts.values()))
    return Done(new_id, tickets, _notice(tickets, sent is not None), conflicts, undoable=False)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an undo would do: the events of the action, the answer that `undo` would give, the deadlines that move."""

    action_id: ActionId
    events: tuple[EventRow, ...]
    done: Done
    moved: tuple[Moved, ...] = ()


def foresee(desk: Desk, actor: Actor, action_id: ActionId | None = None) -> Foreseen:
    """The dry run of `undo`: it is done and nothing stays. Raises what `undo` does."""
    action_id = action_id or newest_undoable(desk, actor)
    done = undo(desk.rehearsal(), actor, action_id)
    logged = desk.read.event_details(action_id)
    moved: tuple[Moved, ...] = ()
    for event, body in logged:
        if event.kind == hours_editing.EVENT and event.ticket_id is None:
            group = [(event, body)]

            def take_back(tx: Transaction, group: Sequence[Logged] = group, of: ActionId = action_id) -> None:
                _undo_group(tx, actor, of, group, new_action_id())

            moved += hours_editing.move_deadlines_again(desk.rehearsal(take_back), actor, event.data)
    return Foreseen(action_id, tuple(event for event, _body in logged), done, moved)


def newest_undoable(desk: Desk, actor: Actor) -> ActionId:
    """The actor's newest action that can be undone and was not."""
    rows = desk.read.rows("event", {"actor_kind": actor.kind, "actor_id": actor.id}, order="-seq", limit=LOOK_BACK)
    undone = {(row["data"] or {}).get("of") for row in rows if row["kind"] in ("undo", "cancel_send")}
    for row in rows:
        action_id = ActionId(row["action_id"])
        no_ticket = row["ticket_id"] is None and row["kind"] not in {*VIEW_EVENTS, *TEAM_EVENTS}
        if row["kind"] in NEVER_UNDONE or action_id in undone or no_ticket:
            continue
        undone.add(action_id)  # looked at once, whatever the number of its tickets
        if row["kind"] == "reply_held" and _still_here(desk, row["data"]["outbox_id"]):
            return action_id
        if any(body.get("undoable") for _event, body in desk.read.event_details(action_id)):
            return action_id
    raise Conflict(_("there is nothing of yours to undo"))


# ---- the inverse -----------------------------------------------------------------------------------------------------


def _write_inverse(
    desk: Desk, actor: Actor, action_id: ActionId, logged: Sequence[Logged]
) -> tuple[ActionId, tuple[TicketId, ...], dict[TicketId, Conflict]]:
    new_id = new_action_id()

    def take_back(tx: Transaction, group: Sequence[Logged]) -> Conflict | None:
        check_actor(tx, actor, _role_needed(tx, actor, group))
        try:
            with tx.savepoint():
                _undo_group(tx, actor, action_id, group, new_id)
                concerned = [*_tickets_of(group), *_survivors(group), *_homes(group), *_parted(tx, group)]
                update_clocks(tx, concerned, actor, new_id)
        except StoreError:
            raise
        except SupportdeskError as error:
            return as_conflict(error)
        return None

    done: list[TicketId] = []
    conflicts: dict[TicketId, Conflict] = {}
    for turn in in_turns(desk.store, _groups(logged), take_back):
        for group, conflict in turn:
            tickets = _tickets_of(group)
            if conflict is None:
                done += tickets
            elif not tickets:  # a saved view, opening hours
                raise conflict
            else:
                conflicts |= dict.fromkeys(tickets[:1], conflict)
    return new_id, tuple(dict.fromkeys(done)), conflicts


def _role_needed(tx: Transaction, actor: Actor, group: Sequence[Logged]) -> Role:
    """Taking back what somebody may not do would do it all the same: it needs the same role."""
    for event, body in group:
        if event.ticket_id is None and event.kind in TEAM_EVENTS:
            return TEAM_EVENTS[event.kind]
        if event.kind in VIEW_EVENTS and (event.actor_id != actor.id or views.are_shared(tx, body["changes"])):
            return "lead"
    return "agent"


def _tickets_of(group: Sequence[Logged]) -> list[TicketId]:
    return list(dict.fromkeys(TicketId(event.ticket_id) for event, _body in group if event.ticket_id is not None))


def _groups(logged: Sequence[Logged]) -> list[list[Logged]]:
    """What is undone together: all that the action did to one ticket. Events that changed nothing are left out."""
    changed = [item for item in logged if item[1].get("undoable")] or list(logged)
    if any(event.kind in AS_A_WHOLE for event, _body in changed):
        return [changed]
    groups: dict[TicketId | None, list[Logged]] = {}
    for item in changed:
        groups.setdefault(item[0].ticket_id, []).append(item)
    return list(groups.values())


def _undo_group(tx: Transaction, actor: Actor, action_id: ActionId, group: Sequence[Logged], new_id: ActionId) -> None:
    ordered: list[tuple[int, Change]] = []
    own: list[Change] = []
    told: dict[TicketId | None, dict[str, Any]] = {}
    cancelled = automatic.cancel_of_action(tx, actor, _tickets_of(group), action_id, new_id)
    for event, body in group:
        if event.kind in automatic.EVENTS.values():
            if not cancelled:
                raise Conflict(_("the automatic mail has gone out already"), what=event.kind)
            told.setdefault(event.ticket_id, {"of": action_id, "undone": event.kind})
            continue
        if not body.get("undoable"):
            raise Conflict(_("{kind} cannot be undone").format(kind=event.kind), what=event.kind)
        _check_not_undone(tx, event, action_id)
        merged = event.kind == "merged_here"
        changes = [_badges_as_now(tx, one) if merged else one for one in body["changes"]]
        ordered += list(zip(body["order"], changes, strict=True))
        if event.kind == forwarded.EVENT:
            own += forwarded.as_agents_own(tx, event)
        data = told.setdefault(event.ticket_id, {"of": action_id, "undone": event.kind})
        data |= _restored_status(body["changes"])
    moved = {event.ticket_id for event, _body in group if event.kind in AS_A_WHOLE and event.ticket_id is not None}
    waited = _waiting_messages(tx, _tickets_of(group)) if moved else frozenset()
    ordered.sort(key=lambda item: item[0], reverse=True)
    inverses = (*(inverse for _at, change in ordered for inverse in _inverse(tx, change)), *own)
    events = tuple(PlannedEvent(ticket, "undo", data) for ticket, data in told.items())
    tx.apply(Plan(changes=inverses, events=events, undoable=False), actor, new_id)
    # What was said of the source meanwhile, an answer or "no reply needed", was never said of what was not there.
    if waited - _waiting_messages(tx, moved) and _anything_since(tx, group, moved):
        said = _("#{ticket} was answered or dismissed meanwhile: the customer would not be answered")
        raise Conflict(said.format(ticket=min(moved)), what="split", hint=_("Merge the tickets instead"))
    if counted := tuple(change for ticket in moved for change in _counted_again(tx, ticket)):
        tx.apply(Plan(silent=counted, undoable=False), actor, new_id)


def _waiting_messages(tx: Transaction, tickets: Iterable[TicketId]) -> frozenset[MessageId]:
    """The messages in these families that wait for an answer, where anybody is shown that they do."""
    roots = {root.id: root for root in (root_of(tx, ticket) for ticket in tickets)}
    families = [family_of(tx, root.id) for root in roots.values() if root.status != "spam"]
    return frozenset(message.id for family in families for message in read_conversation(tx, family).unanswered())


def _anything_since(tx: Transaction, group: Sequence[Logged], tickets: Iterable[TicketId]) -> bool:
    """Whether something happened to these families after the action that was not undone itself."""
    last = max(event.seq for event, _body in group)
    families = {member for ticket in tickets for member in (ticket, root_of(tx, ticket).id)}
    later = [row for ticket in families for row in tx.rows("event", {"ticket_id": ticket}) if row["seq"] > last]
    return any(row["kind"] != "undo" and not _is_undone(tx, row) for row in later)


def _is_undone(tx: Transaction, event: Row) -> bool:
    """Whether it was taken back where it happened; a merge is, on the tickets that were merged."""
    for ticket in event["data"].get("merged") or (event["ticket_id"],):
        undone = tx.rows("event", {"ticket_id": ticket, "kind": "undo"})
        if not any(row["data"].get("of") == event["action_id"] for row in undone):
            return False
    return True


def _counted_again(tx: Transaction, ticket_id: TicketId) -> tuple[Update, ...]:
    """A count follows from the messages; it is no decision that a later mail could contradict."""
    kinds = [row["kind"] for row in tx.rows("message", {"ticket_id": ticket_id}, columns=("kind",))]
    return update_ticket(tx.ticket(ticket_id), {"message_count": sum(kind not in UNCOUNTED for kind in kinds)})


def _inverse(tx: Transaction, change: Change) -> Iterator[Change]:
    if isinstance(change, Update):
        yield Update(change.table, change.key, change.after, change.before)
    elif isinstance(change, Delete):
        yield Insert(change.table, change.before)
    elif change.table == "dismissal":
        yield Update("dismissal", {"id": change.values["id"]}, {"undone": False}, {"undone": True})
    elif change.table == "ticket":
        # Ids are never reused, and mail may have gone there already: the empty ticket points back to its source.
        back = {"merged_into": change.values["split_from"], "merged_at": tx.now}
        yield Update("ticket", {"id": change.values["id"]}, {"merged_into": None}, back)
    elif change.table != "participant":
        yield Delete(change.table, _key_of(change.table, change.values), change.values)


def _badges_as_now(tx: Transaction, change: Change) -> Change:
    """The change as if nobody had touched the badges since: merges are undone in any order, each with its own badge."""
    if not isinstance(change, Update) or "badges" not in change.after:
        return change
    now = list(tx.ticket(TicketId(change.key["id"])).badges)
    before = [*now, *(badge for badge in change.before["badges"] if badge not in (*change.after["badges"], *now))]
    if now == change.after["badges"]:
        before = change.before["badges"]
    return Update(change.table, change.key, {**change.before, "badges": before}, {**change.after, "badges": now})


def _key_of(table: str, values: Row) -> Row:
    return {name: values[name] for name in KEYS.get(table, ("id",))}


def _restored_status(changes: Sequence[Change]) -> dict[str, str]:
    for change in changes:
        if isinstance(change, Update) and change.table == "ticket" and "status" in change.before:
            return {"status": change.before["status"]}
    return {}


def _survivors(logged: Sequence[Logged]) -> list[TicketId]:
    """Tickets that something was merged into: their customer may not wait there any more."""
    return [TicketId(event.data["into"]) for event, _body in logged if event.kind == "merge"]


def _parted(tx: Transaction, logged: Sequence[Logged]) -> list[TicketId]:
    """Conversations with two customers who were one: an answer to one of them is none to the other any more."""
    merges = (event.data for event, _body in logged if event.kind == customer_merge.EVENT)
    return [ticket for data in merges for ticket in customer_merge.conversations_parted(tx, data)]


def _homes(logged: Sequence[Logged]) -> list[TicketId]:
    """Tickets whose rows the action wrote: a dismissal of a family, which a merge's undo has taken apart since."""
    named = (change.values.get("ticket_id") for _event, body in logged for change in body["changes"]
             if isinstance(change, Insert))  # fmt: skip
    return [TicketId(ticket) for ticket in named if ticket is not None]


def _check_not_undone(tx: Transaction, event: EventRow, action_id: ActionId) -> None:
    for row in tx.rows("event", {"ticket_id": event.ticket_id, "kind": "undo"}, order="-seq"):
        if row["data"].get("of") == action_id:
            who = name_of(tx, row["actor_kind"], row["actor_id"])
            raise Conflict(_("{who} has undone it already").format(who=who), who=who, what="undo", when=row["at"])


# ---- sending ---------------------------------------------------------------------------------------------------------


def _take_back(desk: Desk, actor: Actor, sent: EventRow) -> Done | None:
    """Inside the window both the reply and the status come back; None when the reply is gone already."""
    outbox_id = OutboxId(sent.data["outbox_id"])
    assert sent.ticket_id is not None
    try:
        row = cancel_send(desk, actor, outbox_id)
    except Conflict:
        if not any(body["changes"] for _event, body in desk.read.event_details(sent.action_id)):
            raise
        return None
    notice = _("The reply to #{ticket} is a draft again").format(ticket=row.ticket_id)
    newest = desk.read.rows("event", {"ticket_id": row.ticket_id, "kind": "cancel_send"}, order="-seq", limit=1)
    action_id = ActionId(newest[0]["action_id"]) if newest else sent.action_id  # there is none yet in a dry run
    return Done(action_id, (row.ticket_id,), notice, outbox_id=outbox_id, undoable=False)


def _take_all_back(desk: Desk, actor: Actor, action_id: ActionId, replied: Sequence[EventRow]) -> Done:
    """Every reply of the action that is still here, with its status; those that have left are named."""
    done: list[TicketId] = []
    conflicts: dict[TicketId, Conflict] = {}
    for event in replied:
        assert event.ticket_id is not None
        try:
            cancel_send(desk, actor, OutboxId(event.data["outbox_id"]))
            done.append(event.ticket_id)
        except Conflict as conflict:
            conflicts[event.ticket_id] = conflict
    if not done:
        raise next(iter(conflicts.values()))
    told = ngettext("{count} reply is a draft again", "{count} replies are drafts again", len(done))
    return Done(action_id, tuple(done), told.format(count=len(done)), conflicts, undoable=False)


def _still_here(desk: Desk, outbox_id: int) -> bool:
    return bool(desk.read.rows("outbox", {"id": outbox_id, "state": ["held", "deferred"]}, limit=1))


def _nothing_to_undo(desk: Desk, action_id: ActionId) -> SupportdeskError:
    events = desk.read.rows("event", {"action_id": action_id}, limit=1)
    if not events:
        hint = _("each action says its id; `supportdesk why TICKET --json` lists those of a ticket")
        return NotFound(_("there is no action {action}").format(action=action_id), hint=hint)
    return Conflict(_("{kind} cannot be undone").format(kind=events[0]["kind"]), what=events[0]["kind"])


def _notice(tickets: Sequence[TicketId], sent: bool) -> str:
    if sent:
        return _("The reply has gone out; only the status of #{ticket} was undone").format(ticket=tickets[0])
    if not tickets:
        return _("Undone")
    count = len(tickets)
    return ngettext("Undone on #{ticket}", "Undone on {count} tickets", count).format(ticket=tickets[0], count=count)
