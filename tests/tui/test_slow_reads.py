"""Keys on a desk that answers late: they act in order, once, on the row that a patient agent would have hit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.errors import StoreFailed
from supportdesk.tui.calls import READ, Calls
from supportdesk.tui.screens.calendar import CalendarScreen
from supportdesk.tui.screens.canned_text import CannedEditScreen, CannedTextScreen
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.outbox import OutboxScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.screens.views import Listing
from supportdesk.tui.screens.writing import WritingScreen
from supportdesk.tui.widgets.picker import PickerList
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until
from tests.tui.test_typed_ahead import type_at_once
from tests.tui.walking import console, filled, names_of, open_house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from supportdesk.tui.app import Console
    from tests.support.desk import House

__all__ = ["filled"]

JOURNEYS = [
    "g a j j enter j",  # a view, its third ticket, the next message there
    "g t j enter e",  # the list that a key right behind went past
    "g t / r e f u n d enter enter tab",
    *(f"g {list_of} j enter" for list_of in "odp"),
    "g c l l j",
    "g v u n a s s enter j enter",
    "/ l a n g : f r enter enter",
    "enter esc j enter g o j enter",  # between a screen that goes and what lies below it
    "@ down enter",
    "g / b u s t a enter esc j enter",
]


class Slow:
    """Holds the reads of every console up while it is shut, and can let them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = threading.Event()
        self._open.set()
        self.breaks = False
        work_of = Calls._work

        def slow(calls: Calls, work: Any, *rest: Any) -> None:
            def late() -> object:
                assert self._open.wait(60)
                if self.breaks:
                    raise StoreFailed("the disk is gone")
                return work()

            is_read = threading.current_thread().name.startswith(f"desk-{READ}")
            work_of(calls, late if is_read else work, *rest)

        monkeypatch.setattr(Calls, "_work", slow)

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    gate = Slow(monkeypatch)
    yield gate
    gate.open()


@pytest.fixture
def house(tmp_path: Path, filled: Path) -> Iterator[House]:
    """A desk with three rows in every list."""
    path = tmp_path / "desk.db"
    path.write_bytes(filled.read_bytes())
    found = open_house(f"sqlite:///{path}")
    yield found
    found.store.close()


def forget_tickets(app: Console) -> None:
    assert app.session is not None
    app.session.tickets.clear()


def is_idle(app: Console) -> bool:
    return not app.typed_ahead._waiting and not app.typed_ahead._is_busy


def names(journey: str) -> list[str]:
    return [" " if key == "space" else names_of(key)[0] for key in journey.split(" ")]


def outcome(app: Console) -> tuple[object, ...]:
    """Where the agent is, and what stands under his cursor."""
    screen = app.screen
    if not screen.is_mounted:
        return ("on its way",)
    match screen:
        case QueueScreen():
            found: tuple[object, ...] = (screen.listing, screen.current_id(), screen.prompt.purpose)
        case TicketScreen():
            item = screen.thread_view.cursor_item
            found = (screen.current_id(), item.id if item is not None else None)
        case RowsScreen():
            found = (screen.chosen(), screen.prompt.purpose, screen.prompt.value)
        case CalendarScreen():
            found = (screen._day,)
        case CannedTextScreen() | CannedEditScreen():
            found = (screen._entry and screen._entry.response.key, screen._tag)
        case WritingScreen():
            found = (screen.bundle.ticket.id, screen.body.text)
        case ChooseScreen():
            entry = screen.query_one(PickerList).highlighted
            found = (screen._title, entry.id if entry is not None else None)
        case TextScreen():
            found = (screen._title,)
        case _:
            found = ()
    return (type(screen).__name__, *found)


async def back_at_the_start(pilot: Pilot[int], app: Console) -> None:
    while len(app.screen_stack) > 1:
        app.pop_screen()
    queue = app.screen
    assert isinstance(queue, QueueScreen)
    queue.prompt.close()
    queue._show_listing(Listing())
    await until(pilot, lambda: is_idle(app) and len(queue.tickets.spine) > 20, "the list")
    queue.tickets.move_to(0)
    await until(pilot, lambda: queue.tickets.cursor_row is not None, "its first row")


async def test_who_types_ahead_gets_where_a_patient_agent_gets(house: House, slow: Slow) -> None:
    app = console(house.url)
    async with app.run_test(size=(80, 24)) as pilot:
        await screen_of(pilot, QueueScreen)
        for journey in JOURNEYS:
            await back_at_the_start(pilot, app)
            start = outcome(app)
            for key in names(journey):
                type_at_once(app, key)
                await pilot.pause()
                await until(pilot, lambda: is_idle(app), f"{journey}: what {key} has begun")
            patient = outcome(app)
            assert patient != start, f"{journey} leads nowhere"
            await back_at_the_start(pilot, app)

            forget_tickets(app)
            slow.shut()
            type_at_once(app, *names(journey))
            await until(pilot, lambda: app.typed_ahead._waiting, f"{journey}: keys wait")
            assert outcome(app) != patient, journey
            slow.open()
            await until(pilot, lambda: is_idle(app), f"{journey}: all that was typed")
            await pilot.pause()  # a key that only moves is passed on and not waited for
            assert outcome(app) == patient, journey


async def test_a_key_twice_is_for_two_tickets_however_late_the_first_one_leaves_the_list(
    house: House, slow: Slow
) -> None:
    app = console(house.url)
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await screen_of(pilot, QueueScreen)
        await back_at_the_start(pilot, app)
        await pilot.press("g", "u")
        await until(pilot, lambda: is_idle(app) and queue.listing.view == "unassigned", "the unassigned")
        first, second, third = (TicketId(ticket) for ticket in queue.tickets.spine[:3])
        slow.shut()
        type_at_once(app, "i", "i", "enter")
        await until(pilot, lambda: house.ticket(first).assignee_id, "the first is taken")
        assert house.ticket(second).assignee_id is None
        slow.open()
        screen = await screen_of(pilot, TicketScreen)
        assert house.ticket(second).assignee_id == house.giulia.id
        assert screen.current_id() == third


async def test_what_was_typed_for_the_rows_of_an_empty_list_is_for_nothing(empty_shop: Shop, slow: Slow) -> None:
    app = empty_shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 0)
        await until(pilot, lambda: is_idle(app), "the list")
        slow.shut()
        type_at_once(app, "g", "o", "j", "enter", "U")
        screen = await screen_of(pilot, OutboxScreen)
        slow.open()
        await until(pilot, lambda: is_idle(app) and "Everything is sent." in shown(app), "the sentence")
        assert app.screen is screen


async def test_escape_empties_what_waits_for_rows_and_leaves_at_once(house: House, slow: Slow) -> None:
    app = console(house.url)
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await screen_of(pilot, QueueScreen)
        await back_at_the_start(pilot, app)
        slow.shut()
        type_at_once(app, "g", "o")
        screen = await screen_of(pilot, OutboxScreen)
        await until(pilot, lambda: screen.is_ready and not app.typed_ahead._followed, "its widgets")
        type_at_once(app, "enter", "escape")
        await until(pilot, lambda: app.screen is queue, "back, with nothing read")
        slow.open()
        await until(pilot, lambda: is_idle(app), "the end of the reads")
        assert app.screen is queue


async def test_escape_takes_no_word_that_waits_for_its_draft(shop: Shop, slow: Slow) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await until(pilot, lambda: is_idle(app), "the list")
        forget_tickets(app)
        slow.shut()
        type_at_once(app, "r")
        await until(pilot, lambda: not is_idle(app) and not app.typed_ahead._followed, "the draft is on its way")
        type_at_once(app, *"ciao", "escape")
        slow.open()
        await until(pilot, lambda: is_idle(app) and app.screen is queue, "written and left")
        assert [row.body for row in shop.house.desk.read.outbox(states=("draft",))] == ["ciao"]


async def test_what_waits_for_a_list_that_cannot_be_read_is_dropped_with_the_reason(shop: Shop, slow: Slow) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await until(pilot, lambda: is_idle(app), "the list")
        slow.shut()
        slow.breaks = True
        type_at_once(app, "g", "o", "j", "enter", "c")
        screen = await screen_of(pilot, OutboxScreen)
        slow.open()
        await until(pilot, lambda: is_idle(app) and "the disk is gone" in notices(app), "the reason")
        assert app.screen is screen
        slow.breaks = False
        await pilot.press("escape")
        await screen_of(pilot, QueueScreen)


async def test_the_first_keys_wait_for_the_desk_to_be_open(shop: Shop, slow: Slow) -> None:
    slow.shut()
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        type_at_once(app, "j", "r", *"Si")
        await until(pilot, lambda: app.typed_ahead._waiting, "keys wait")
        slow.open()
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.is_ready and screen.body.text == "Si", "the text")
        assert screen.bundle.ticket.id == TicketId(2)
