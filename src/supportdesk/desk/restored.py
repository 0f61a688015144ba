"""After a restore: what was on its way out is in doubt, and its customers wait again until that is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.model import WORKER
from supportdesk.desk.ports import Plan, PlannedEvent
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.desk.verdicts import with_badges

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def flag_replies_in_doubt(desk: Desk) -> int:
    """Mark the tickets of all replies in doubt and bring their clocks up to date; how many replies there are."""
    rows = desk.read.rows("outbox", {"state": "uncertain"}, order="id")
    for row in rows:
        with desk.store.transaction() as tx:
            ticket, action_id = root_of(tx, row["ticket_id"]), new_action_id()
            event = PlannedEvent(ticket.id, "reply_uncertain", {"outbox_id": row["id"]})
            badges = update_ticket(ticket, {"badges": with_badges(ticket, add="uncertain")})
            tx.apply(Plan(silent=badges, events=(event,), undoable=False), WORKER, action_id)
            update_clocks(tx, [ticket.id], WORKER, action_id)
    return len(rows)
