"""What time does to tickets: solved is closed, silence solves, holds end, deadlines are announced.

The worker calls `keep_house` about once a minute. Each step looks for candidates by plain reads and decides again
inside its own small transactions, as a rule: everything here can be undone by an agent, and nothing waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from supportdesk.desk import triage
from supportdesk.desk.bulk import read_facts, update_clocks
from supportdesk.desk.clocks import calendar_of, family_of, stored_calendar, targets_of
from supportdesk.desk.first_mail import finish_decisions
from supportdesk.desk.hours import business_days_after, next_opening
from supportdesk.desk.model import Actor, Ticket, TicketId
from supportdesk.desk.ports import Plan, PlannedEvent, Row, Transaction
from supportdesk.desk.reminders import last_public_message, pending_since, send_reminders
from supportdesk.desk.retarget import finish_retargeting
from supportdesk.desk.settings import DeskSettings, new_action_id, settings_in
from supportdesk.desk.turns import in_turns

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

RULE = Actor("rule", None, "housekeeping")
MOST_AT_ONCE = 1000  # of what is announced in one reading

Decide = Callable[[Transaction, Ticket, DeskSettings], Plan]


def keep_house(desk: Desk) -> Mapping[str, int]:
    """Do everything that is due; how many tickets each step changed."""
    finish_retargeting(desk)
    finish_decisions(desk)
    steps: tuple[tuple[str, Sequence[TicketId], Decide], ...] = (
        ("auto_close", _with_status(desk, "solved"), _close),
        ("auto_solve", _with_status(desk, "pending"), _solve_silent),
        ("hold_ended", _with_status(desk, "on_hold"), _end_hold),
    )
    done = {name: _run(desk, tickets, decide) for name, tickets, decide in steps}
    return {**done, "deadlines": announce_deadlines(desk), "reminders": send_reminders(desk)}


def announce_deadlines(desk: Desk) -> int:
    """Tell of every deadline that is near or over, once each, while the shop is open; how many were told."""
    told, now = 0, desk.clock.now()
    before: list[TicketId] = []
    while due := desk.read.to_announce(now=now, limit=MOST_AT_ONCE):
        done = sum(was_told for turn in in_turns(desk.store, due, _announce) for _ticket, was_told in turn)
        if not done and due == before:
            break
        told, before = told + done, due
    return told


def _run(desk: Desk, tickets: Sequence[TicketId], decide: Decide) -> int:
    action_id = new_action_id()

    def keep(tx: Transaction, ticket_id: TicketId) -> bool:
        plan = decide(tx, tx.ticket(ticket_id), settings_in(tx))
        if plan.events:
            tx.apply(plan, RULE, action_id)
            update_clocks(tx, [ticket_id], RULE, action_id)
        return bool(plan.events)

    return sum(changed for turn in in_turns(desk.store, tickets, keep) for _ticket, changed in turn)


# ---- candidates, by plain reads --------------------------------------------------------------------------------------


def _with_status(desk: Desk, status: str) -> list[TicketId]:
    """Tickets of that status whose time may have come: what settles it is decided inside the transaction."""
    now, settings = desk.clock.now(), desk.settings()
    rows = desk.read.rows("ticket", {"status": status, "merged_into": None})
    return [TicketId(row["id"]) for row in rows if _may_be_due(row, now, settings)]


def _may_be_due(row: Row, now: datetime, settings: DeskSettings) -> bool:
    if row["status"] == "on_hold":
        return isinstance(until := row["on_hold_until"], datetime) and until <= now
    since, days = (
        (row["solved_at"], settings.closed_after_days)
        if row["status"] == "solved"
        else (row["last_message_at"], settings.pending_auto_solve_days)
    )
    return row["waiting_since"] is None and isinstance(since, datetime) and since + timedelta(days=days) <= now


# ---- decisions, inside the transaction -------------------------------------------------------------------------------


def _close(tx: Transaction, ticket: Ticket, settings: DeskSettings) -> Plan:
    if ticket.status != "solved" or ticket.waiting_since is not None or ticket.solved_at is None:
        return Plan()
    if ticket.solved_at + timedelta(days=settings.closed_after_days) > tx.now:
        return Plan()
    return _change(tx, ticket, "auto_close", "closed")


def _solve_silent(tx: Transaction, ticket: Ticket, settings: DeskSettings) -> Plan:
    """Solved in silence: nobody waits, the last word was ours and arrived, and nothing is on its way."""
    if ticket.status != "pending" or ticket.waiting_since is not None:
        return Plan()
    homes = [member.id for member in family_of(tx, ticket.id)]
    last = last_public_message(tx, homes)
    if last is None or last["direction"] != "out":
        return Plan()
    outbox = [row for row in tx.rows("outbox", {"ticket_id": homes}) if row["kind"] != "acknowledgement"]
    if any(row["state"] not in ("sent", "draft") for row in outbox):
        return Plan()
    since = max(last["created_at"], pending_since(tx, ticket) or last["created_at"])
    calendar = calendar_of(tx, ticket.mailbox_id, ticket.market_id)
    due = business_days_after(calendar, since, settings.pending_auto_solve_days)
    if due is None or due > tx.now:
        return Plan()
    return _change(tx, ticket, "auto_solve", "solved", auto_solved=True)


def _end_hold(tx: Transaction, ticket: Ticket, _settings: DeskSettings) -> Plan:
    if ticket.status != "on_hold" or ticket.on_hold_until is None or ticket.on_hold_until > tx.now:
        return Plan()
    return _change(tx, ticket, "hold_ended", "open")


def _announce(tx: Transaction, ticket_id: TicketId) -> bool:
    """One event of each open target at 75 % and one at its breach; what is due in closed hours waits for the opening.

    A response is told of once for each time that a customer waits, the resolution once for good.
    """
    ticket = tx.ticket(ticket_id)
    coming: list[datetime] = []
    event: PlannedEvent | None = None
    opens = next_opening(stored_calendar(tx, ticket), tx.now)
    for one in targets_of(tx, ticket).announcements if ticket.status != "spam" else ():
        told = _told(tx, ticket, one.target)
        if "deadline_breached" in told:
            continue
        kind, at = "deadline_breached", one.breach_at
        if "deadline_warning" not in told and (at is None or at > tx.now):
            kind, at = "deadline_warning", one.warn_at
        if at is None or opens is None:
            continue
        if max(at, opens) > tx.now or event is not None:
            coming.append(max(at, opens))
            continue
        event = PlannedEvent(ticket.id, kind, {"target": one.target})
        if kind == "deadline_warning" and one.breach_at is not None:
            coming.append(one.breach_at)
    after = min(coming, default=None)
    if after != ticket.announce_at:
        tx.rewrite("ticket", {"id": ticket.id}, {"announce_at": after})
    if event is not None:
        tx.apply(Plan(events=(event,), undoable=False), RULE, new_action_id())
    return event is not None


def _told(tx: Transaction, ticket: Ticket, target: str) -> set[str]:
    """The announcements that were made of the target."""
    kinds = ["deadline_warning", "deadline_breached"]
    rows = tx.rows("event", {"ticket_id": ticket.id, "kind": kinds}, columns=("kind", "at", "data"))
    since = None if target == "resolution" else ticket.waiting_since
    return {
        row["kind"]
        for row in rows
        if (row["data"]["target"] == "resolution") == (target == "resolution") and (since is None or row["at"] >= since)
    }


# ---- helpers ---------------------------------------------------------------------------------------------------------


def _change(tx: Transaction, ticket: Ticket, kind: str, status: str, *, auto_solved: bool = False) -> Plan:
    fields = triage.status_fields(ticket, status, tx.now, read_facts(tx, kind, ticket))  # type: ignore[arg-type]
    if auto_solved:
        fields["auto_solved"] = True
    event = PlannedEvent(ticket.id, kind, {"status": status})
    return Plan(changes=triage.update_ticket(ticket, fields), events=(event,))
