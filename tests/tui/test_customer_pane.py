"""The customer of a ticket: beside the conversation where there is room, one key away where there is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

TEXT, ADDRESS = "dove è il mio ordine", "giulia@example.it"


async def opened(pilot: Pilot[int]) -> TicketScreen:
    await list_shown(pilot)
    await pilot.press("enter")
    screen = await screen_of(pilot, TicketScreen)
    await until(pilot, lambda: TEXT in shown(pilot.app), "the conversation")
    return screen


async def test_in_a_narrow_window_one_key_shows_the_customer_and_the_conversation_again(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        for back in ("w", "q", "escape", "enter"):
            assert "customer since" not in shown(app)
            await pilot.press("w")
            await until(pilot, lambda: "customer since" in shown(app) and ADDRESS in shown(app), "the customer")
            assert TEXT not in shown(app)
            await pilot.press(back)
            await until(pilot, lambda: TEXT in shown(app), f"the conversation after {back}")
        await pilot.press("w", "J")
        await until(pilot, lambda: "hans@example.de" in shown(app), "the next ticket's customer")
        await pilot.press("q", "q")
        await screen_of(pilot, QueueScreen)


async def test_a_customer_of_many_lines_is_scrolled(shop: Shop) -> None:
    with shop.house.store.transaction() as tx:
        note = "\n".join(f"nota {number}." for number in range(20))
        customer = tx.ticket(TicketId(1)).customer_id
        changes = (Update("customer", {"id": customer}, {"note": ""}, {"note": note}),)
        tx.apply(Plan(silent=changes, undoable=False), MAIL, new_action_id())
    app = shop.console()
    async with app.run_test(size=(60, 20)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        await screen_of(pilot, TicketScreen)
        await pilot.press("w")
        await until(pilot, lambda: ADDRESS in shown(app), "the customer")
        assert "nota 19." not in shown(app)
        await pilot.press("G")
        await until(pilot, lambda: "nota 19." in shown(app), "the end")
        await pilot.press("g", "g", "j", "k")
        await until(pilot, lambda: ADDRESS in shown(app), "the beginning")


async def test_finding_words_shows_the_conversation_again_also_in_a_wide_window(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        assert ADDRESS in shown(app)
        await pilot.press("w")
        await until(pilot, lambda: TEXT not in shown(app), "the customer")
        await pilot.press("ctrl+f", *"ordine")
        await until(pilot, lambda: TEXT in shown(app) and screen.prompt.purpose == "find", "the words")
