"""An edited calendar moves the deadlines that are open, and says so on each ticket (domain.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.clocks import recompute
from supportdesk.desk.model import Actor, TicketId
from supportdesk.desk.ports import Plan, PlannedEvent
from supportdesk.desk.settings import new_action_id

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk

CHUNK = 50


def retarget(desk: Desk, actor: Actor, calendar_id: int) -> int:
    """Compute the open targets of the calendar's mailboxes again, by today's policy and calendar; how many moved."""
    mailboxes = [row["id"] for row in desk.read.rows("mailbox", {"calendar_id": calendar_id})]
    if not mailboxes:
        return 0
    rows = desk.read.rows(
        "ticket", {"mailbox_id": mailboxes, "merged_into": None, "status": ["new", "open", "pending", "on_hold"]}
    )
    tickets = [TicketId(row["id"]) for row in rows if row["due_at"] is not None]
    moved, action_id = 0, new_action_id()
    for start in range(0, len(tickets), CHUNK):
        with desk.store.transaction() as tx:
            for ticket_id in tickets[start : start + CHUNK]:
                plan = recompute(tx, ticket_id, refresh=True)
                if plan != Plan():
                    event = PlannedEvent(ticket_id, "calendar", {"calendar_id": calendar_id})
                    tx.apply(plan + Plan(events=(event,), undoable=False), actor, action_id)
                    moved += 1
    return moved
