"""Quit and help are always reachable: in dialogs and pickers too, and from them one comes back to where one was."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.safetext import safe
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.drafts import DraftsScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.widgets.picker import PickerEntry
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until


async def test_the_way_out_is_open_while_the_console_asks_about_a_draft(shop: Shop) -> None:
    house = shop.house
    house.draft(TicketId(1), house.luca, body="Buongiorno")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "d")
        await screen_of(pilot, DraftsScreen)
        await until(pilot, lambda: "Buongiorno" in shown(app), "the draft")
        await pilot.press("enter")
        await until(pilot, lambda: "Take over the draft" in shown(app), "the question")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code is not None, "it is left")


async def test_the_way_out_is_open_while_a_reply_is_stopped_and_the_reply_is_kept(shop: Shop) -> None:
    house = shop.house
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        await pilot.press(*"Arriva", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        house.customer_writes("Trovato!", sender="giulia@example.it", ticket=TicketId(1))
        await pilot.press("y")
        await until(pilot, lambda: "The reply was not sent" in shown(app), "what stops it")
        assert screen.body.text.startswith("Arriva")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: app.return_code is not None, "it is left")
    [draft] = house.desk.drafts(house.giulia)
    assert draft.body.startswith("Arriva")


async def test_leaving_is_asked_once(shop: Shop) -> None:
    shop.house.reply(TicketId(1))
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 3)
        await until(pilot, lambda: app.desk_status is not None, "what is unsent")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Leave?" in shown(app), "the question")
        before = len(app.screen_stack)
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert (len(app.screen_stack), app.return_code) == (before, None)
        await pilot.press("escape")
        await list_shown(pilot, 3)


@pytest.mark.parametrize(
    ("kind", "key", "words", "takes"),
    [
        ("dialog", "question_mark", "do it", "y"),
        ("dialog", "f1", "do it", "y"),
        ("picker", "f1", "take the entry", "enter"),
    ],
)
async def test_help_opens_from_a_question_and_leads_back_to_it(
    shop: Shop, kind: str, key: str, words: str, takes: str
) -> None:
    app = shop.console()
    answers: list[str | None] = []
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        if kind == "dialog":
            app.show_at_once(DialogScreen("Sure?", "", [("y", "do it")]), answers.append)
            await screen_of(pilot, DialogScreen)
        else:
            entries = [PickerEntry("y", safe("one")), PickerEntry("n", safe("two"))]
            app.show_at_once(ChooseScreen("Which?", entries, glyphs=app.glyphs), answers.append)
            await screen_of(pilot, ChooseScreen)
        question = app.screen
        await until(pilot, lambda: "help" in shown(app), "the hint")
        await pilot.press(key)
        await screen_of(pilot, TextScreen)
        await until(pilot, lambda: "Keys of this place" in shown(app), "the help")
        assert words in shown(app)
        assert "^q" in shown(app)
        await pilot.press("q")
        await until(pilot, lambda: app.screen is question, "the question again")
        await pilot.press(takes)
        await until(pilot, lambda: answers == ["y"], "the answer")


async def test_a_question_mark_is_text_in_a_picker(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        app.show_at_once(ChooseScreen("Which?", [PickerEntry("y", safe("really?"))], glyphs=app.glyphs))
        await screen_of(pilot, ChooseScreen)
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, ChooseScreen)
