"""An Italian agent reads Italian, and at 80 columns too."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import use_language
from supportdesk.tui.widgets.side import wrap_hanging
from tests.tui.conftest import Shop, list_shown, shown, until


@pytest.fixture(autouse=True)
def italian():
    use_language("it")
    yield
    use_language("en")


async def test_the_timeline_names_what_happened_and_the_values_in_italian(shop: Shop) -> None:
    house = shop.house
    house.desk.perform("status", house.luca, [TicketId(1)], {"status": "on_hold"})
    house.desk.perform("priority", house.luca, [TicketId(1)], {"priority": "urgent"})
    house.desk.undo(house.luca)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        queue.tickets.move_to_id(1)
        await pilot.press("E")
        await until(pilot, lambda: "Che cosa è successo a #1" in shown(app), "the timeline")
        screen = shown(app)
        assert "ha impostato lo stato: in sospeso" in screen
        assert "ha impostato la priorità: urgente" in screen
        assert "ha annullato: Imposta la priorità" in screen


async def test_an_empty_view_and_the_hints_are_italian(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        assert "invio apri" in shown(app)
        await pilot.press("9")
        await until(pilot, lambda: "Qui non c’è niente." in shown(app), "the sentence")


async def test_help_names_every_view_under_its_key(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "Tasti di questa schermata" in shown(app), "help")
        for _half_page in range(10):
            if "7                vista · Aperti" in shown(app):
                break
            before = shown(app)
            await pilot.press("ctrl+d")
            await until(pilot, lambda before=before: shown(app) != before, "the next half page")  # type: ignore[misc]
        assert "7                vista · Aperti" in shown(app)


def test_a_long_explanation_goes_on_under_itself() -> None:
    assert wrap_hanging("j    down, one at a time\nplain words that are long", 16) == [
        "j    down, one",
        "     at a time",
        "plain words that",
        "are long",
    ]
