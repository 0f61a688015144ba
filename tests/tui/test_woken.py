"""A ticket that woke says so, and who let it sleep and why, where it is listed and where it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.tui.glyphs import UNICODE
from supportdesk.tui.present_queue import list_row
from supportdesk.tui.present_thread import ticket_title
from supportdesk.tui.session import TicketBundle

if TYPE_CHECKING:
    from tests.tui.conftest import Shop


def test_a_ticket_that_woke_says_who_let_it_sleep_and_why(shop: Shop) -> None:
    house = shop.house
    ticket_id = house.customer_writes()
    params = {"until": "tomorrow 9am", "mode": "regardless", "reason": "aspetto il corriere", "after_deadline": True}
    house.desk.perform("snooze", house.giulia, [ticket_id], params)

    def shown() -> tuple[str, str]:
        now, ticket = house.clock.now(), house.ticket(ticket_id)
        bundle = TicketBundle(ticket, (), None, (), (), "", None, snoozed_by="Giulia Verdi")
        row = house.desk.read.queue_rows([ticket_id], agent_id=house.giulia.id, now=now)[ticket_id]
        title = " | ".join(part.text for part in ticket_title(bundle, now)[1])
        return title, list_row(row, now, UNICODE, "needs_reply").cells["state"]

    title, state = shown()
    assert "sleeps until" in title and "woke" not in title + state
    house.pass_time(days=2)
    title, state = shown()
    assert "woke up: Giulia Verdi: aspetto il corriere" in title and state == "woke up"
    house.desk.perform("wake", house.giulia, [ticket_id])
    assert "woke" not in "".join(shown())
