"""Keys come faster than screens go: what is pressed twice leaves one screen, and nothing breaks."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key, Resize
from textual.geometry import Size

from supportdesk.safetext import safe
from supportdesk.tui.screens.calendar import CalendarScreen
from supportdesk.tui.screens.canned import CannedScreen
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.drafts import DraftsScreen
from supportdesk.tui.screens.outbox import OutboxScreen
from supportdesk.tui.screens.parked import ParkedScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.virtual_list import VirtualList
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from textual.screen import Screen


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


async def test_a_screen_that_is_taken_down_hears_nobody_any_more(shop: Shop) -> None:
    """A key and a word of the list that wait in its queue while its widgets go, the innermost first."""
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "o")
        screen = await screen_of(pilot, OutboxScreen)
        await until(pilot, lambda: screen.is_ready, "its widgets")
        rows = screen.rows
        screen.dismiss()
        await screen.query_one("#about").remove()
        for waiting in (VirtualList.CursorMoved(rows, None), Key("j", "j"), Resize(Size(80, 24), Size(80, 24))):
            await screen._dispatch_message(waiting)
        assert rows.cursor_index == 0
        screen._make_room()
        await until(pilot, lambda: isinstance(app.screen, QueueScreen), "the list")


@pytest.mark.parametrize("turns", [0, 1, 2, 4])
async def test_a_screen_may_go_before_it_has_come(shop: Shop, turns: int) -> None:
    """`esc` right behind the key that opens something: it is taken down before it has all its widgets."""
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        entries = [PickerEntry("a", safe("A"))]
        for screen in (
            ChooseScreen("Which one?", entries, glyphs=app.glyphs),
            ChooseScreen("Which one?", entries, glyphs=app.glyphs, preview=lambda one: one.label),
            DialogScreen("Sure?", "", [("y", "yes")]),
            TextScreen("The text", "of it"),
            OutboxScreen(),
            DraftsScreen(),
            ParkedScreen(),
            CannedScreen(),
            CalendarScreen(),
        ):
            app.push_screen(screen)
            for _turn in range(turns):
                await asyncio.sleep(0)
            app.pop_screen()
            await until(pilot, partial(_is_gone, screen), f"{screen} to be gone")
        assert app.screen is queue


def _is_gone(screen: Screen[Any]) -> bool:
    return not screen.is_attached


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_the_console_may_end_before_a_screen_has_come(shop: Shop, turns: int) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        app.push_screen(ChooseScreen("Which one?", [PickerEntry("a", safe("A"))], glyphs=app.glyphs))
        for _turn in range(turns):
            await asyncio.sleep(0)
        app.exit(0)
    assert app.return_code == 0
