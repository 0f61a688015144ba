"""An edited calendar moves the deadlines that are open, and says so on each ticket (domain.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.clocks import recompute
from supportdesk.desk.model import Actor, TicketId
from supportdesk.desk.ports import Plan, PlannedEvent, Transaction
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import in_turns

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def retarget(desk: Desk, actor: Actor, calendar_id: int) -> int:
    """Compute the open targets of the calendar's mailboxes again, by today's policy and calendar; how many moved."""
    mailboxes = [row["id"] for row in desk.read.rows("mailbox", {"calendar_id": calendar_id})]
    if not mailboxes:
        return 0
    rows = desk.read.rows(
        "ticket", {"mailbox_id": mailboxes, "merged_into": None, "status": ["new", "open", "pending", "on_hold"]}
    )
    # Who waits without a deadline had a calendar without openings: he may have one now.
    tickets = [TicketId(row["id"]) for row in rows if row["due_at"] is not None or row["waiting_since"] is not None]
    action_id = new_action_id()

    def compute_again(tx: Transaction, ticket_id: TicketId) -> bool:
        plan = recompute(tx, ticket_id, refresh=True)
        if plan == Plan():
            return False
        event = PlannedEvent(ticket_id, "calendar", {"calendar_id": calendar_id})
        tx.apply(plan + Plan(events=(event,), undoable=False), actor, action_id)
        return True

    return sum(moved for turn in in_turns(desk.store, tickets, compute_again) for _ticket, moved in turn)
