"""What an action will do shows before a slow store has answered: the true value, or that it is under way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.desk import Desk
from supportdesk.desk.model import TicketId
from supportdesk.errors import Conflict
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

FIRST, SECOND = TicketId(1), TicketId(2)


class SlowWrites:
    """Holds every action of a desk up while it is shut, and can refuse it then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = threading.Event()
        self.refuses = False
        perform = Desk.perform

        def late(desk: Desk, *args: Any, **options: Any) -> Any:
            assert self._open.wait(60)
            if self.refuses:
                raise Conflict("Luca was quicker")
            return perform(desk, *args, **options)

        monkeypatch.setattr(Desk, "perform", late)

    def answer(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self._open.set()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowWrites]:
    slow = SlowWrites(monkeypatch)
    yield slow
    slow.answer()


def line_of(pilot: Pilot[int], words: str) -> str:
    return next((line for line in shown(pilot.app).split("\n") if words in line), "")


KNOWN = [
    ("i", (), "Giulia"),
    ("a", (*"luca", "enter"), "Luca"),
    ("e", (), "solved"),
    ("exclamation_mark", (), "spam"),
    ("p", (*"urgent", "enter"), "urgent"),
]
OPEN = [
    ("s", (*"tomorrow 9am", "enter"), "Snooze …"),
    ("t", (*"reso", "enter"), "Tag …"),
    ("m", ("2", "enter"), "Merge …"),
]


@pytest.mark.parametrize(("key", "answers", "words"), [*KNOWN, *OPEN])
async def test_the_list_shows_what_is_known_and_no_wrong_status(
    shop: Shop, store: SlowWrites, key: str, answers: tuple[str, ...], words: str
) -> None:
    before = shop.house.ticket(FIRST)
    async with shop.console().run_test(size=(160, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press(key)
        if answers:
            await pilot.press(*answers)
        await until(pilot, lambda: words in line_of(pilot, "Giulia Rossi").partition("Rossi")[2], words)
        assert words == "solved" or "solved" not in line_of(pilot, "Giulia Rossi")
        assert shop.house.ticket(FIRST) == before
        store.answer(refuses=True)
        await until(pilot, lambda: "Luca was quicker" in notices(pilot.app), "the refusal")  # type: ignore[arg-type]
        await until(pilot, lambda: words not in line_of(pilot, "Giulia Rossi").partition("Rossi")[2], "as it was")


@pytest.mark.parametrize(("key", "answers", "words"), [KNOWN[1], OPEN[0]])
async def test_the_title_of_a_ticket_shows_it_too(
    shop: Shop, store: SlowWrites, key: str, answers: tuple[str, ...], words: str
) -> None:
    async with shop.console().run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: "nobody's" in line_of(pilot, "#1 "), "the title")
        await pilot.press(key, *answers)
        await until(pilot, lambda: words in line_of(pilot, "#1 "), words)
        assert "new" in line_of(pilot, "#1 ") and "solved" not in line_of(pilot, "#1 ")
        store.answer(refuses=True)
        await until(pilot, lambda: words not in line_of(pilot, "#1 "), "as it was")


async def test_what_was_left_alone_among_many_is_shown_as_it_is(shop: Shop, store: SlowWrites) -> None:
    async with shop.console().run_test(size=(160, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("*", "a", "s", *"tomorrow 9am", "enter")
        await until(pilot, lambda: shown(pilot.app).count("Snooze …") == 4, "all under way")
        shop.house.customer_writes("Ancora", sender="hans@example.de", ticket=SECOND)
        store.answer()
        await until(pilot, lambda: "Snooze …" not in shown(pilot.app), "none is left")
        assert "1 was left alone" in notices(pilot.app)  # type: ignore[arg-type]
