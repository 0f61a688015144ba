"""Edited opening hours move the deadlines that are open, and say so on each ticket (domain.md section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.clocks import DUE, recompute
from supportdesk.desk.model import Actor, TicketId
from supportdesk.desk.ports import Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.settings import kept_calendar_id, new_action_id
from supportdesk.desk.turns import in_turns

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def retarget(desk: Desk, actor: Actor, *, mailbox: int | None = None, market: int | None = None) -> int:
    """Compute the open targets again that run on the hours of a mailbox or a market, by today's policy and calendar.

    Whoever shares those hours is concerned too. Returns how many deadlines moved.
    """
    tickets = _concerned(desk, mailbox, market)
    action_id = new_action_id()

    def compute_again(tx: Transaction, ticket_id: TicketId) -> bool:
        plan = recompute(tx, ticket_id, refresh=True)
        if plan == Plan():
            return False
        # A closure in December leaves alone what is due tomorrow, although it is stored with the new hours.
        moved = any(isinstance(change, Update) and change.after.keys() & set(DUE) for change in plan.silent)
        events = (PlannedEvent(ticket_id, "calendar"),) if moved else ()
        tx.apply(plan + Plan(events=events, undoable=False), actor, action_id)
        return moved

    return sum(moved for turn in in_turns(desk.store, tickets, compute_again) for _ticket, moved in turn)


def _concerned(desk: Desk, mailbox: int | None, market: int | None) -> list[TicketId]:
    """The tickets with an open target, or a customer who waits without one, whose hours are those of the two."""
    mailboxes = {row["id"]: row for row in desk.read.rows("mailbox")}
    markets = {row["id"]: row for row in desk.read.rows("market")}
    changed = mailboxes.get(mailbox) if mailbox is not None else markets.get(market)
    calendar_id: int | None = changed["calendar_id"] if changed is not None else None

    def is_concerned(ticket: Row) -> bool:
        box = mailboxes.get(ticket["mailbox_id"])
        if box is None or (ticket["due_at"] is None and ticket["waiting_since"] is None):
            return False
        its_market = markets.get(ticket["market_id"] if ticket["market_id"] is not None else box["market_id"])
        if calendar_id is not None:
            return kept_calendar_id(box, its_market) == calendar_id
        # Nobody keeps the hours any more that were taken back.
        return box["id"] == mailbox or (market is not None and its_market is not None and its_market["id"] == market)

    rows = desk.read.rows("ticket", {"merged_into": None, "status": ["new", "open", "pending", "on_hold"]})
    return [TicketId(row["id"]) for row in rows if is_concerned(row)]
