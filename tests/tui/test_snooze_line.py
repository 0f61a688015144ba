"""A snooze from the command line says what it understands while it is typed, in both languages; the past is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import use_language
from supportdesk.tui.screens.choose import DialogScreen
from tests.tui.conftest import Shop, list_shown, shown, until

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["en", "it"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    use_language(request.param)
    yield request.param
    use_language("en")


TYPED = {"en": "snooze tomorrow 9am", "it": "snooze domani 9"}
MEANT = {"en": "tomorrow, 9:00", "it": "domani, 09:00"}
GONE = {"en": "snooze last monday 9", "it": "snooze lunedì scorso 9"}
IS_GONE = {"en": "is in the past", "it": "è già passato"}
NOT_MEANT = {"en": "7 is no time", "it": "7 non è un’ora"}


async def test_the_time_is_shown_while_it_is_typed_and_taken(shop: Shop, language: str) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("colon", *TYPED[language])
        await until(pilot, lambda: MEANT[language] in shown(app).replace("\u202f", " "), "the time")
        await pilot.press("enter")
        asleep = lambda: shop.house.ticket(TicketId(1)).snoozed_until is not None  # noqa: E731
        await until(
            pilot, lambda: asleep() or isinstance(app.screen, DialogScreen), "asleep, or asked about the deadline"
        )
        if isinstance(app.screen, DialogScreen):
            await pilot.press("y")
        await until(pilot, asleep, "asleep")


EXAMPLES = {"en": "tomorrow 9am, mon 15:00, 3d", "it": "domani 9, lun 15:00, 3g"}


async def test_the_line_has_its_room_for_what_is_typed(shop: Shop, language: str) -> None:
    """The examples stand there until there is something to be understood."""
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("s")
        await until(pilot, lambda: EXAMPLES[language] in shown(app), "the examples")
        await pilot.press(*TYPED[language].removeprefix("snooze "))
        await until(pilot, lambda: MEANT[language] in shown(app).replace("\u202f", " "), "what it means")
        assert queue.prompt.purpose == "when" and EXAMPLES[language] not in shown(app)
        typed = shown(app).splitlines()[-2]
        assert typed.startswith(" #1: ") and TYPED[language].removeprefix("snooze ") in typed


async def test_a_number_that_is_no_time_is_refused_with_what_would_be_one(shop: Shop, language: str) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("colon", *"snooze 7 domani", "enter")
        await until(pilot, lambda: NOT_MEANT[language] in shown(app), "why not")
        assert "#7" in shown(app)
        assert queue.prompt.purpose == "command"
        await pilot.press(*["backspace"] * 8, *"2020-01-01", "enter")
        assert queue.prompt.purpose == "command"
        assert shop.house.ticket(TicketId(1)).snoozed_until is None


async def test_what_lies_behind_is_called_so_while_it_is_typed(shop: Shop, language: str) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("colon", *GONE[language])
        await until(pilot, lambda: IS_GONE[language] in shown(app), "that it is over")
        await pilot.press("enter")
        await until(pilot, lambda: queue.prompt.purpose == "command", "the line goes on")
        assert shop.house.ticket(TicketId(1)).snoozed_until is None
