"""A message goes on to a third party while the customer waits; all that a customer wrote is one key away."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.prompt import SafeInput
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

FIRST = TicketId(1)


async def test_a_forward_asks_for_its_address_and_leaves_the_customer_waiting(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("f")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.query_one("#to", SafeInput).has_focus, "to whom")
        assert "Forward of #1" in shown(app)
        await pilot.press(*"corriere@example.com")
        screen.body.focus()
        await pilot.press(*"Dove si trova?", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("y")
        await until(pilot, lambda: house.desk.read.outbox(states=("held",)), "held")
        [row] = house.desk.read.outbox(states=("held",))
        assert (row.kind, [one.address for one in row.recipients]) == ("forward", ["corriere@example.com"])
        ticket = house.ticket(FIRST)
        assert ticket.status == "on_hold"
        assert ticket.waiting_since is not None


async def test_a_forward_that_was_only_opened_leaves_no_draft(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("f")
        await screen_of(pilot, ComposeScreen)
        await pilot.press("escape")
        await list_shown(pilot)
        assert shop.house.desk.drafts(shop.house.giulia) == []


async def test_an_address_that_was_typed_keeps_its_draft(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("f")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.query_one("#to", SafeInput).has_focus, "to whom")
        await pilot.press(*"corriere@example.com", "escape")
        await list_shown(pilot)
        [draft] = shop.house.desk.drafts(shop.house.giulia)
        assert [one.address for one in draft.recipients] == ["corriere@example.com"]


async def test_the_history_lists_every_ticket_of_the_customer_and_opens_one(shop: Shop) -> None:
    house = shop.house
    earlier = house.customer_writes("Prima domanda", sender="giulia@example.it", subject="Una tazza blu")
    house.desk.perform("solve", house.luca, [earlier], {"dismiss": "no_action"})
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        queue.tickets.move_to_id(FIRST)
        await pilot.press("h")
        await until(pilot, lambda: f"#{earlier} Una tazza blu" in shown(app), "the history")
        assert "solved" in shown(app)
        await pilot.press(*"tazza", "enter")
        await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: "Prima domanda" in shown(app), "the earlier ticket")
        assert notices(app) == ""


async def test_a_history_that_is_cut_says_so_and_leads_to_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supportdesk.store.read.thread.CUSTOMER_TICKETS", 3)
    for number in range(4):
        shop.house.customer_writes(f"Domanda {number}", sender="giulia@example.it", subject=f"Tazza {number}")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot, 8)
        queue.tickets.move_to_id(FIRST)
        await pilot.press("enter")
        await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: "4 other tickets" in shown(app), "all of them counted")
        await pilot.press("h")
        await until(pilot, lambda: "the newest 3 of 5 tickets" in shown(app), "the history")
        assert "2 older tickets: all with" in shown(app) and "customer:giulia@example.it" in shown(app)
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: len(queue.tickets.spine) == 5 and app.screen is queue, "all five")
        assert queue.listing.text == "customer:giulia@example.it"
