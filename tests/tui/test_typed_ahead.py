"""Keys come faster than screens: what is typed ahead waits for what it was meant for, and is never text by accident."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.errors import StoreFailed
from supportdesk.tui import typed_ahead
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.widgets.prompt import SafeInput
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot

    from supportdesk.tui.app import Console

FIRST = TicketId(1)


class Gate:
    """Holds a use case of the desk up until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        from supportdesk.desk.desk import Desk

        self._open = threading.Event()
        kept = getattr(Desk, name)

        def slow(desk: Desk, *args: object, **options: object) -> object:
            assert self._open.wait(20)
            return kept(desk, *args, **options)

        monkeypatch.setattr(Desk, name, slow)

    def open(self) -> None:
        self._open.set()


def held(shop: Shop) -> list[str]:
    return [row.body for row in shop.house.desk.read.outbox(states=("held",), ticket_id=FIRST)]


async def composer(pilot: Pilot[int]) -> ComposeScreen:
    await list_shown(pilot)
    await pilot.press("r")
    screen = await screen_of(pilot, ComposeScreen)
    await until(pilot, lambda: screen.is_ready and screen.body.has_focus, "the composer")
    return screen


def type_at_once(app: Console, *keys: str) -> None:
    """All in one go, as a terminal delivers what was typed during a pause of the line."""
    from textual import events

    for key in keys:
        app.post_message(events.Key(key, key if len(key) == 1 else None))


@pytest.mark.parametrize("slow", [True, False])
async def test_a_y_typed_right_after_the_review_key_sends_and_is_never_text(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    gate = Gate(monkeypatch, "review")
    if not slow:
        gate.open()
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        type_at_once(app, *"ciao", "ctrl+s", "y")
        if slow:
            await until(pilot, lambda: "Looking at the mail" in shown(app), "the review bar, at once")
            assert (screen.context, screen.body.text) == ("review", "ciao")
            gate.open()
        await until(pilot, lambda: held(shop), "sent")
        assert held(shop) == ["ciao"]


async def test_escape_and_text_typed_ahead_go_back_to_the_text_in_their_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, "review")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        type_at_once(app, *"ciao", "ctrl+s", "escape", *"yes")
        await until(pilot, lambda: "Looking at the mail" in shown(app), "the review bar")
        gate.open()
        await until(pilot, lambda: screen.body.text == "ciaoyes", "the text goes on")
        assert held(shop) == []


async def test_what_is_typed_after_a_review_that_fails_is_meant_for_nothing_else(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        to = screen.query_one("#to", SafeInput)
        to.value = "pippo"
        type_at_once(app, *"ciao", "ctrl+s", "y")
        await until(pilot, lambda: to.has_focus, "the field to mend")
        await pilot.pause(0.05)
        assert (to.value, screen.body.text) == ("pippo", "ciao")


async def test_the_first_words_typed_after_r_are_the_reply_and_no_actions_of_the_list(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, "open_draft")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        type_at_once(app, "r", *"esima")
        gate.open()
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.is_ready and screen.body.text == "esima", "the text")
        assert shop.house.ticket(FIRST).status == "new"


async def test_keys_typed_after_leaving_are_for_the_list(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch, "save_draft")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await composer(pilot)
        type_at_once(app, *"ciao", "escape", "j", "j")
        gate.open()
        queue = await list_shown(pilot)
        await until(pilot, lambda: queue.tickets.cursor_index == 2, "two lines down")
        assert [row.body for row in shop.house.desk.read.outbox(states=("draft",))] == ["ciao"]


async def test_what_is_typed_after_enter_is_no_part_of_the_filter(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("/")
        await until(pilot, lambda: queue.prompt.purpose == "filter", "the filter line")
        type_at_once(app, *"lang:fr", "enter", *"*a")
        await until(pilot, lambda: len(queue.targets()) == 1 and "1 selected" in shown(app), "the one is selected")
        assert queue.listing.text.endswith("fr")


async def test_escape_takes_no_word_that_waits_in_a_text(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = Gate(monkeypatch, "attach")
    (tmp_path / "foto.txt").write_text("foto")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        with app.typed_ahead.following():
            screen._attach_file(str(tmp_path / "foto.txt"))
        type_at_once(app, *"Ecco.", "escape")
        await until(pilot, lambda: len(app.typed_ahead._waiting) == len("Ecco.") + 1, "the words wait")
        gate.open()
        await list_shown(pilot)
        [draft] = shop.house.desk.read.outbox(states=("draft",))
        assert (draft.body, [one.name for one in draft.attachments]) == ("Ecco.", ["foto.txt"])


async def test_words_wait_for_their_text_whatever_else_goes_wrong(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(monkeypatch, "open_draft")
    monkeypatch.setattr(typed_ahead, "GIVEN_UP_AFTER", 0.1)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        type_at_once(app, "r", *"es")
        await until(pilot, lambda: "What you type is kept for your text" in notices(app), "the desk hangs")
        app.tell_error(StoreFailed("the disk is full"))  # of something behind
        await until(pilot, lambda: "the disk is full" in notices(app), "the error")
        type_at_once(app, *"ima")
        await until(pilot, lambda: "What you type is kept for your text" in notices(app), "it hangs on")
        monkeypatch.setattr(typed_ahead, "GIVEN_UP_AFTER", 20.0)
        gate.open()
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: screen.is_ready and screen.body.text == "esima", "every word")
        assert shop.house.ticket(FIRST).status == "new"


async def test_words_whose_text_cannot_be_opened_are_named_and_do_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supportdesk.desk.desk import Desk

    opened = threading.Event()

    def refused(*_args: object, **_options: object) -> object:
        assert opened.wait(20)
        raise StoreFailed("the disk is full")

    monkeypatch.setattr(Desk, "open_draft", refused)
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        type_at_once(app, "r", *"esima [/b]", "enter")
        await until(pilot, lambda: len(app.typed_ahead._waiting) == 11, "the words wait")
        opened.set()
        await until(pilot, lambda: "the disk is full" in notices(app), "the error")
        assert "what you typed for it is dropped: esima [/b] enter" in notices(app)
        assert shop.house.ticket(FIRST).status == "new"


async def test_keys_that_nothing_answers_are_named_when_they_are_dropped(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, "review")
    monkeypatch.setattr(typed_ahead, "GIVEN_UP_AFTER", 0.1)
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        type_at_once(app, *"ciao", "ctrl+s", "y")
        await until(pilot, lambda: "what you typed is dropped: y" in notices(app), "what was dropped")
        gate.open()
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        assert (held(shop), screen.body.text) == ([], "ciao")


async def test_words_go_on_in_a_text_behind_what_hangs(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gate = Gate(monkeypatch, "attach")
    monkeypatch.setattr(typed_ahead, "GIVEN_UP_AFTER", 0.1)
    (tmp_path / "foto.txt").write_text("foto")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        screen._attach_file(str(tmp_path / "foto.txt"))
        with app.typed_ahead.following():
            screen._attach_file(str(tmp_path / "foto.txt"))
        app.tell_error(StoreFailed("the disk is full"))
        type_at_once(app, *"ciao")
        await until(pilot, lambda: screen.body.text == "ciao", "the words")
        gate.open()
