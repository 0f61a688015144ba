"""What each triage action changes, as data: pure, one ticket at a time (domain.md sections 1 and 2).

The ticket is read inside the writing transaction, and so are the facts; `desk.bulk` gathers them and writes the plan.
A plan without events means that the ticket is as the action wants it already. The clocks follow in `desk.clocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from supportdesk.desk import following
from supportdesk.desk.calendar import Calendar
from supportdesk.desk.customers import Person
from supportdesk.desk.hours import business_days_after
from supportdesk.desk.model import Actor, Status, Ticket, TicketId
from supportdesk.desk.ports import Change, Delete, Insert, NewRef, Plan, PlannedEvent, Row, Update
from supportdesk.desk.results import AnswerNeeded
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _

LONGEST_SNOOZE = timedelta(days=366)
AWAKE: Mapping[str, Any] = {"snoozed_until": None, "snooze_mode": None, "snooze_reason": "", "snoozed_by": None}
SETTLED: tuple[Status, ...] = ("solved", "closed")
SPLIT_TICKET = NewRef("ticket")
SUGGESTS = ("suggested", "possible_duplicate")
"""The badges that name a ticket to join."""

UNCOUNTED = ("note",)
"""What a ticket's count leaves out: agents' notes. Machine mail and a third party's answers are counted."""

Params = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan needs beyond the ticket itself; rows are as they are stored."""

    calendar: Calendar | None = None
    on_hold_days: int = 3
    tags: frozenset[str] = frozenset()
    homes: Mapping[TicketId, int] = field(default_factory=dict)  # each ticket of the family, with its newest seq
    spam_dismissals: tuple[int, ...] = ()  # those that marking as spam made
    dismissals: tuple[Row, ...] = ()
    person: Person | None = None
    messages: tuple[Row, ...] = ()  # of the ticket itself, oldest first
    outbox: tuple[Row, ...] = ()  # undrafted replies of the ticket itself
    participants: tuple[Row, ...] = ()
    identities: Mapping[int, Row] = field(default_factory=dict)
    follow: Row | None = None  # the actor's own
    newest_event: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One action on one ticket: everything that its planner may look at."""

    ticket: Ticket
    actor: Actor
    now: datetime
    params: Params
    facts: Facts


def plan(action: str, ticket: Ticket, actor: Actor, now: datetime, params: Params, facts: Facts) -> Plan:
    """The changes of `action` on `ticket`. Raises AnswerNeeded when a person must decide, UsageError, NotFound."""
    return _PLANNERS[action](Case(ticket, actor, now, params, facts))


# ---- owner, tags, priority -------------------------------------------------------------------------------------------


def _assign(case: Case) -> Plan:
    return _change(
        case.ticket, "assign", {"assignee_id": case.params["assignee"]}, {"assignee_id": case.params["assignee"]}
    )


def _unassign(case: Case) -> Plan:
    return _change(case.ticket, "unassign", {"assignee_id": None})


def _take(case: Case) -> Plan:
    touched = {"status": "open"} if case.ticket.status == "new" else {}
    return _change(
        case.ticket, "take", {"assignee_id": case.actor.id, **touched}, {"assignee_id": case.actor.id, **touched}
    )


def _tag(case: Case) -> Plan:
    new = [tag for tag in case.params["tags"] if tag not in case.facts.tags]
    return _with_event(
        case.ticket, "tag", [Insert("ticket_tag", {"ticket_id": case.ticket.id, "tag": tag}) for tag in new]
    )


def _untag(case: Case) -> Plan:
    rows = [{"ticket_id": case.ticket.id, "tag": tag} for tag in case.params["tags"] if tag in case.facts.tags]
    return _with_event(case.ticket, "untag", [Delete("ticket_tag", row, row) for row in rows])


def _priority(case: Case) -> Plan:
    return _change(
        case.ticket, "priority", {"priority": case.params["priority"]}, {"priority": case.params["priority"]}
    )


def _move(case: Case) -> Plan:
    return _change(case.ticket, "move", {"mailbox_id": case.params["mailbox"]}, {"mailbox_id": case.params["mailbox"]})


def _language(case: Case) -> Plan:
    """Detected for a message, decided for a customer: both are set now, by hand or by what an order says."""
    from_order, person = bool(case.params.get("from_order")), case.facts.person
    if from_order and "hand" in (case.ticket.language_source, person.row["language_source"] if person else ""):
        raise Conflict(_("the language of #{ticket} was set by hand").format(ticket=case.ticket.id))
    decided = {"language": case.params["language"], "language_source": "order" if from_order else "hand"}
    changes: list[Change] = list(update_ticket(case.ticket, decided))
    if person is not None:
        before = {name: person.stored[name] for name in decided}
        if before != decided:
            changes.append(Update("customer", {"id": person.id}, before, decided))
    return _with_event(case.ticket, "language", changes)


# ---- snooze ----------------------------------------------------------------------------------------------------------


def _snooze(case: Case) -> Plan:
    until: datetime = case.params["until"]
    if until <= case.now:
        raise UsageError(_("the time to wake it has passed already"))
    if until > case.now + LONGEST_SNOOZE:
        raise UsageError(_("a ticket sleeps at most one year"))
    if case.ticket.due_at is not None and until > case.ticket.due_at and not case.params.get("after_deadline"):
        raise AnswerNeeded(
            _("it would wake after its deadline, and the customer's clock goes on"), param="after_deadline"
        )
    mode = case.params.get("mode") or "until_reply"
    after = {
        "snoozed_until": until,
        "snooze_mode": mode,
        "snooze_reason": case.params.get("reason") or "",
        "snoozed_by": case.actor.id,
    }
    return _change(case.ticket, "snooze", after, {"mode": mode, "until": until.isoformat()})


def _wake(case: Case) -> Plan:
    return _change(case.ticket, "wake", AWAKE)


# ---- status ----------------------------------------------------------------------------------------------------------


def _solve(case: Case) -> Plan:
    return _to_status(case, "solve", "solved")


def _reopen(case: Case) -> Plan:
    return _to_status(case, "reopen", "open")


def _status(case: Case) -> Plan:
    return _to_status(case, "status", case.params["status"])


def _to_status(case: Case, action: str, status: Status) -> Plan:
    """Say who moves next. Closing the ticket of a customer who still waits needs a reason (`dismiss`)."""
    dismissals: list[Change] = []
    until: datetime | None = case.params.get("until") if status == "on_hold" else None
    if until is not None and until <= case.now:
        raise UsageError(_("the end of the hold has passed already"))
    if status in SETTLED and case.ticket.waiting_since is not None:
        if not case.params.get("dismiss"):
            raise AnswerNeeded(
                _("#{ticket}: the customer still waits for an answer").format(ticket=case.ticket.id),
                param="dismiss",
                hint=_("Say why no reply is needed."),
            )
        dismissals = dismiss(case.params["dismiss"], case.actor, case.now, case.facts)
    after = status_fields(case.ticket, status, case.now, case.facts, until=until)
    return _with_event(case.ticket, action, [*update_ticket(case.ticket, after), *dismissals], {"status": status})


def status_fields(
    ticket: Ticket, status: Status, now: datetime, facts: Facts, *, until: datetime | None = None
) -> dict[str, Any]:
    """The columns that go with a status; a ticket that nobody has to move does not sleep."""
    after: dict[str, Any] = {"status": status, "on_hold_until": None}
    if status in SETTLED:
        after |= {"solved_at": ticket.solved_at or now, "closed_at": now if status == "closed" else None, **AWAKE}
    else:
        after |= {"solved_at": None, "closed_at": None, "auto_solved": False}
        if ticket.snoozed_until is not None and ticket.snoozed_until <= now:
            after |= AWAKE  # it woke, and somebody has seen to it
    if status == "on_hold":
        after["on_hold_until"] = until or on_hold_until(now, facts)
    return after


def on_hold_until(now: datetime, facts: Facts) -> datetime:
    """Three business days by default; without an opening in sight, as many plain days."""
    opening = business_days_after(facts.calendar, now, facts.on_hold_days) if facts.calendar else None
    return opening or now + timedelta(days=facts.on_hold_days)


def _dismiss(case: Case) -> Plan:
    badges = [badge for badge in case.ticket.badges if badge != "thanks"]
    changes = [
        *dismiss(case.params["reason"], case.actor, case.now, case.facts),
        *update_ticket(case.ticket, {"badges": badges}),
    ]
    return _with_event(case.ticket, "dismiss", changes, {"reason": case.params["reason"]})


def dismiss(reason: str, actor: Actor, now: datetime, facts: Facts) -> list[Change]:
    """Cover everything that the family's customers wrote until now."""
    return [
        Insert(
            "dismissal",
            {
                "ticket_id": home,
                "up_to_seq": seq,
                "reason": reason,
                "agent_id": actor.id,
                "at": now,
                "undone": False,
            },
        )
        for home, seq in facts.homes.items()
    ]


def _spam(case: Case) -> Plan:
    # Also where an answer is on its way: if it comes back, nobody must wait for us in a place where nobody looks.
    dismissals = dismiss("spam", case.actor, case.now, case.facts)
    after = {"status": "spam", "on_hold_until": None, **AWAKE}
    return _with_event(case.ticket, "spam", [*update_ticket(case.ticket, after), *dismissals], {"status": "spam"})


def _not_spam(case: Case) -> Plan:
    waiting_again = [
        Update("dismissal", {"id": row}, {"undone": False}, {"undone": True}) for row in case.facts.spam_dismissals
    ]
    after = status_fields(case.ticket, "open", case.now, case.facts)
    return _with_event(
        case.ticket, "not_spam", [*update_ticket(case.ticket, after), *waiting_again], {"status": "open"}
    )


# ---- merge and split -------------------------------------------------------------------------------------------------


def merge(ticket: Ticket, target: Ticket, now: datetime, *, same_customer: bool, different_customers: bool) -> Plan:
    """Point `ticket` at `target`, which is the root of its own merge. Messages keep their home.

    A survivor that nobody had to move is open again when the customer of the merged ticket waits. Its seq grows: who is
    writing an answer there has not seen what has joined.
    """
    if ticket.id == target.id:
        raise UsageError(_("#{ticket} cannot be merged into itself").format(ticket=ticket.id))
    if target.status == "spam":
        raise UsageError(_("#{ticket} is spam: nothing is merged into it").format(ticket=target.id))
    known = None not in (ticket.customer_id, target.customer_id)
    if known and not same_customer and not different_customers:
        raise AnswerNeeded(
            _("#{ticket} and #{target} are of different customers").format(ticket=ticket.id, target=target.id),
            param="different_customers",
        )
    changes = update_ticket(ticket, {"merged_into": target.id, "merged_at": now})
    return _with_event(ticket, "merge", changes, {"into": target.id})


def survivor(target: Ticket, merged: tuple[Ticket, ...], now: datetime, facts: Facts) -> Plan:
    """What merging does to the survivor; what was merged into it is suggested no more."""
    waits = any(ticket.waiting_since is not None and ticket.status != "spam" for ticket in merged)
    reopened = waits and target.status in ("pending", "on_hold", *SETTLED)
    here = {ticket.id for ticket in merged}
    suggests = {f"{name}:{ticket_id}" for name in SUGGESTS for ticket_id in here}
    changes = update_ticket(
        target,
        {
            **(status_fields(target, "open", now, facts) if reopened else {}),
            "badges": [badge for badge in target.badges if badge not in suggests],
            "suggested_id": None if target.suggested_id in here else target.suggested_id,
        },
    )
    data = {"merged": [ticket.id for ticket in merged], **({"status": "open"} if reopened else {})}
    event = PlannedEvent(target.id, "merged_here", {**data, "seq": target.seq + 1})
    grown = Update("ticket", {"id": target.id}, {"seq": target.seq}, {"seq": target.seq + 1})
    return Plan(changes=tuple(changes), silent=(grown,), events=(event,))


def _split(case: Case) -> Plan:
    """Move messages into a new ticket with a pointer back; replies among them move with their outbox rows."""
    ids = [row["id"] for row in case.facts.messages]
    for name in ("first", "last"):
        if case.params.get(name) is not None and case.params[name] not in ids:
            raise NotFound(
                _("#{ticket} has no message {message}").format(ticket=case.ticket.id, message=case.params[name])
            )
    first = ids.index(case.params["first"])
    last = ids.index(case.params["last"]) if case.params.get("last") is not None else len(ids) - 1
    moved = case.facts.messages[first : last + 1]
    if not moved:
        raise UsageError(_("the last message to move comes before the first"))
    if len(moved) == len(ids):
        raise UsageError(_("a split leaves at least one message behind"))
    public = [row for row in moved if row["direction"] in ("in", "out")]
    counted = [row for row in moved if row["kind"] not in UNCOUNTED]
    new = {
        "subject": case.params.get("subject") or moved[0]["subject"] or case.ticket.subject,
        "status": "open",
        "priority": case.ticket.priority,
        "kind": case.ticket.kind,
        "mailbox_id": case.ticket.mailbox_id,
        "market_id": case.ticket.market_id,
        "customer_id": case.ticket.customer_id,
        "assignee_id": case.ticket.assignee_id,
        "language": case.ticket.language,
        "language_source": case.ticket.language_source,
        "created_at": case.now,
        "updated_at": case.now,
        "seq": case.ticket.seq,
        "split_from": case.ticket.id,
        "message_count": len(counted),
        "last_message_at": max((row["created_at"] for row in public), default=None),
    }
    changes: list[Change] = [Insert("ticket", new, SPLIT_TICKET)]
    changes += [_move_row("message", row["id"], case.ticket.id) for row in moved]
    sent = {row["outbox_id"] for row in moved if row["outbox_id"] is not None}
    changes += [_move_row("outbox", row["id"], case.ticket.id) for row in case.facts.outbox if row["id"] in sent]
    changes += [
        Insert("participant", {"ticket_id": SPLIT_TICKET, "identity_id": row["identity_id"], "role": row["role"]})
        for row in case.facts.participants
    ]
    kept = ("up_to_seq", "reason", "agent_id", "at", "undone")
    changes += [
        Insert("dismissal", {"ticket_id": SPLIT_TICKET, **{name: row[name] for name in kept}})
        for row in case.facts.dismissals
    ]
    fewer = update_ticket(case.ticket, {"message_count": max(0, case.ticket.message_count - len(counted))})
    made = PlannedEvent(SPLIT_TICKET, "split_from", {"from": case.ticket.id})
    plan = _with_event(case.ticket, "split", changes, {"messages": [row["id"] for row in moved]})
    return plan + Plan(silent=fewer, events=(made,))


def _move_row(table: str, row_id: int, home: TicketId) -> Update:
    return Update(table, {"id": row_id}, {"ticket_id": home}, {"ticket_id": SPLIT_TICKET})


# ---- following -------------------------------------------------------------------------------------------------------


def _follow(case: Case) -> Plan:
    changes = following.follow_changes(case.actor, case.ticket.id, case.facts.follow, case.facts.newest_event)
    return _with_event(case.ticket, "follow", changes)


def _unfollow(case: Case) -> Plan:
    return _with_event(
        case.ticket, "unfollow", following.unfollow_changes(case.actor, case.ticket.id, case.facts.follow)
    )


# ---- participants and suggestions ------------------------------------------------------------------------------------


def _confirm_participant(case: Case) -> Plan:
    """Somebody who joined from another address may see the conversation; maybe it is the same customer."""
    joined = [row for row in case.facts.participants if row["role"] in ("external", "proposed")]
    wanted = case.params.get("identity")
    found = [row for row in joined if wanted in (None, row["identity_id"])]
    if not found:
        raise NotFound(_("#{ticket} has no participant who waits for a confirmation").format(ticket=case.ticket.id))
    row = max(found, key=lambda one: (one["role"] == "external", one["id"]))  # one in Cc has not written yet
    same = bool(case.params.get("same_customer"))
    role = "requester" if same else "cc"
    changes: list[Change] = [Update("participant", {"id": row["id"]}, {"role": row["role"]}, {"role": role})]
    identity = case.facts.identities.get(row["identity_id"])
    person = case.facts.person
    if same and identity is not None and person is not None and identity["customer_id"] not in person.members:
        changes.append(
            Update(
                "customer_identity",
                {"id": identity["id"]},
                {"customer_id": identity["customer_id"]},
                {"customer_id": case.ticket.customer_id},
            )
        )
    if not any(one["role"] == "external" for one in joined if one is not row):
        left = [badge for badge in case.ticket.badges if badge != "external"]
        changes += update_ticket(case.ticket, {"badges": left})
    return _with_event(case.ticket, "confirm_participant", changes, {"identity": row["identity_id"], "same": same})


def _sender(case: Case) -> Plan:
    """What mail of the one who wrote a message of the conversation becomes from now on."""
    wanted, identities = case.params.get("message"), case.facts.identities
    wrote = [row for row in case.facts.messages if wanted in (None, row["id"]) and row["identity_id"] in identities]
    if not wrote:
        raise NotFound(_("#{ticket} has no sender to decide about").format(ticket=case.ticket.id))
    identity, verdict = identities[wrote[-1]["identity_id"]], case.params["verdict"]
    stored = "" if verdict == "rules" else verdict
    if identity["verdict"] == stored:
        return Plan()
    change = Update("customer_identity", {"id": identity["id"]}, {"verdict": identity["verdict"]}, {"verdict": stored})
    return _with_event(case.ticket, "sender", (change,), {"identity": identity["id"], "verdict": verdict})


def _reject_suggestion(case: Case) -> Plan:
    badges = [badge for badge in case.ticket.badges if badge.partition(":")[0] not in SUGGESTS]
    return _change(case.ticket, "reject_suggestion", {"suggested_id": None, "badges": badges})


# ---- helpers ---------------------------------------------------------------------------------------------------------


def update_ticket(ticket: Ticket, after: Mapping[str, Any]) -> tuple[Update, ...]:
    """One compare-and-swap of the columns that really change; none if there are none."""
    before = {name: _stored(getattr(ticket, name)) for name in after}
    changed = {name: _stored(value) for name, value in after.items() if before[name] != _stored(value)}
    if not changed:
        return ()
    return (Update("ticket", {"id": ticket.id}, {name: before[name] for name in changed}, changed),)


def _stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _change(ticket: Ticket, action: str, after: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> Plan:
    return _with_event(ticket, action, update_ticket(ticket, after), data)


def _with_event(
    ticket: Ticket, action: str, changes: tuple[Change, ...] | list[Change], data: Mapping[str, Any] | None = None
) -> Plan:
    if not changes:
        return Plan()
    return Plan(changes=tuple(changes), events=(PlannedEvent(ticket.id, action, dict(data or {})),))


_PLANNERS: Mapping[str, Callable[[Case], Plan]] = {
    "assign": _assign,
    "unassign": _unassign,
    "take": _take,
    "tag": _tag,
    "untag": _untag,
    "priority": _priority,
    "move": _move,
    "language": _language,
    "snooze": _snooze,
    "wake": _wake,
    "solve": _solve,
    "reopen": _reopen,
    "status": _status,
    "dismiss": _dismiss,
    "spam": _spam,
    "not_spam": _not_spam,
    "split": _split,
    "follow": _follow,
    "unfollow": _unfollow,
    "confirm_participant": _confirm_participant,
    "sender": _sender,
    "reject_suggestion": _reject_suggestion,
}
PLANNED = frozenset(_PLANNERS)
