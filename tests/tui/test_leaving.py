"""Keys come faster than screens go: what is pressed twice leaves one screen, and nothing breaks."""

from __future__ import annotations

from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until


async def test_a_screen_that_is_left_twice_takes_no_other_along(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        screen.dismiss()
        screen.dismiss()
        await until(pilot, lambda: app.screen is ticket, "the ticket")
        await pilot.press("E")
        text = await screen_of(pilot, TextScreen)
        text.dismiss()
        text.dismiss()
        await until(pilot, lambda: app.screen is ticket, "the ticket again")


async def test_a_screen_that_goes_takes_the_question_above_it_along(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        app.push_screen(DialogScreen("Sure?", "", [("y", "yes")]), lambda _key: None)
        await until(pilot, lambda: "Sure?" in shown(app), "the question")
        ticket.dismiss()
        await screen_of(pilot, QueueScreen)
