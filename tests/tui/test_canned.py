"""The canned responses in the console: browsed, read in every variant for a customer, changed without losing a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_edit import with_text
from supportdesk.tui.screens.canned import CannedScreen
from supportdesk.tui.screens.canned_text import CannedEditScreen, CannedTextScreen
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.widgets.side import TextPages
from tests.tui.conftest import list_shown, notices, screen_of, until
from tests.tui.conftest import shown as screen_text

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from tests.tui.conftest import Shop


def stored(shop: Shop, key: str = "refund-issued"):
    return next(one for one in shop.house.desk.canned_entries() if one.response.key == key)


def titles(screen: CannedScreen) -> list[str]:
    return [entry.response.key for entry in screen._entries]


async def browsed(pilot: Pilot[int], words: str = "") -> CannedScreen:
    await list_shown(pilot)
    await pilot.press("g", "t")
    screen = await screen_of(pilot, CannedScreen)
    await until(pilot, lambda: len(screen.rows.spine) >= 20, "the responses")
    if words:
        await pilot.press("/", *("space" if one == " " else one for one in words), "enter")
        await until(pilot, lambda: 0 < len(screen.rows.spine) < 20, "the narrowed list")
    return screen


async def opened(pilot: Pilot[int]) -> CannedTextScreen:
    await browsed(pilot, "refund issued")
    await pilot.press("enter")
    screen = await screen_of(pilot, CannedTextScreen)
    await until(pilot, lambda: screen._texts, "the variants")
    return screen


def shown(screen: CannedTextScreen) -> str:
    return screen._texts[screen._tag]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_narrows_while_typing(shop: Shop, size: tuple[int, int]) -> None:
    async with shop.console().run_test(size=size) as pilot:
        screen = await browsed(pilot)
        await pilot.press("/", *"parcel")
        await until(pilot, lambda: "lost-parcel" in titles(screen) and len(titles(screen)) < 5, "the narrowed list")
        await pilot.press("escape")
        await until(pilot, lambda: len(titles(screen)) >= 20, "the whole list")


async def test_every_variant_is_read_with_the_customers_data(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        assert "Ciao Giulia," in shown(screen) and "5521" in shown(screen) and "‹" in shown(screen)
        seen = {screen._tag}
        while len(seen) < 9:
            await pilot.press("tab")
            await until(pilot, lambda: screen._tag not in seen, "the next variant")
            seen.add(screen._tag)
        assert {"de", "fr@formal", "es"} <= seen


async def test_an_edited_text_is_stored_and_undone(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        screen = await opened(pilot)
        before = stored(shop).response
        await pilot.press("e")
        edit = await screen_of(pilot, CannedEditScreen)
        assert "{{ ask.amount | money }}" in edit.body.text
        await pilot.press(*"PS::x", "ctrl+s")
        await screen_of(pilot, CannedTextScreen)
        await until(pilot, lambda: "PS::x" in shown(screen), "the new text")
        await pilot.press("u")
        await until(pilot, lambda: "PS::x" not in shown(screen), "the old text")
        assert stored(shop).response == before


async def test_a_colleague_who_was_faster_is_named_and_no_word_is_lost(shop: Shop) -> None:
    desk = shop.house.desk
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        edit = await screen_of(pilot, CannedEditScreen)
        found = stored(shop)
        desk.save_canned(shop.house.anna, with_text(found.response, "de", "Hallo"), found.version)
        await pilot.press(*"PS", "ctrl+s")
        dialog = await screen_of(pilot, DialogScreen)
        assert "Anna Blu" in str(dialog._title)
        await pilot.press("escape")
        await screen_of(pilot, CannedEditScreen)
        assert "PS" in edit.body.text
        await pilot.press("ctrl+s")
        await screen_of(pilot, DialogScreen)
        await pilot.press("s")
        await screen_of(pilot, CannedTextScreen)
        response = stored(shop).response
        assert [one.body for one in response.variants if str(one.tag) == "de"] == ["Hallo\n"]
        assert [one.body[-3:] for one in response.variants if str(one.tag) == "it"] == ["PS\n"]


async def begun(shop: Shop, text: str) -> None:
    """An edit that a console has kept, and left behind when it was killed."""
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        edit = await screen_of(pilot, CannedEditScreen)
        edit.body.insert_at_cursor(text)
        edit.body._announce()  # a second later, or because the focus leaves
        await until(pilot, lambda: kept(shop), "it is kept")


def kept(shop: Shop) -> list[str]:
    return [json.loads(path.read_text())["text"] for path in Path(shop.database).parent.glob("unsaved-*/*/*.json")]


async def test_an_unsaved_text_is_offered_again_and_saved(shop: Shop) -> None:
    await begun(shop, "PS")
    assert (stored(shop).version, len(kept(shop))) == (1, 1)
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await browsed(pilot, "refund issued")
        await until(pilot, lambda: "refund-issued it" in screen_text(pilot.app), "it is named in the list")
        await pilot.press("enter", "e")
        dialog = await screen_of(pilot, DialogScreen)
        assert "Refund issued · it" in str(dialog._title) and "changed" not in screen_text(pilot.app)
        await pilot.press("c")
        edit = await screen_of(pilot, CannedEditScreen)
        assert edit.body.text.endswith("PS") and "not saved yet" in screen_text(pilot.app)
        await pilot.press("ctrl+s")
        await screen_of(pilot, CannedTextScreen)
    assert [one.body[-3:] for one in stored(shop).response.variants if str(one.tag) == "it"] == ["PS\n"]
    assert kept(shop) == []


async def test_an_unsaved_text_that_is_given_up_is_gone(shop: Shop) -> None:
    await begun(shop, "PS")
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await screen_of(pilot, DialogScreen)
        await pilot.press("d")
        edit = await screen_of(pilot, CannedEditScreen)
        assert not edit.body.text.endswith("PS")
        assert kept(shop) == []


async def test_an_unsaved_text_is_no_colleagues(shop: Shop) -> None:
    await begun(shop, "PS")
    async with shop.console("anna").run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await screen_of(pilot, CannedEditScreen)


async def test_an_unsaved_text_warns_of_what_a_colleague_changed_meanwhile(shop: Shop) -> None:
    await begun(shop, "PS")
    found = stored(shop)
    shop.house.desk.save_canned(shop.house.anna, with_text(found.response, "it", "Ciao"), found.version)
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        await pilot.press("e")
        await screen_of(pilot, DialogScreen)
        assert "changed by somebody since you began" in screen_text(pilot.app)
        await pilot.press("c")
        await screen_of(pilot, CannedEditScreen)
        await pilot.press("ctrl+s")
        dialog = await screen_of(pilot, DialogScreen)
        assert "Anna Blu" in str(dialog._title)
        await pilot.press("s")
        await screen_of(pilot, CannedTextScreen)
    assert [one.body[-3:] for one in stored(shop).response.variants if str(one.tag) == "it"] == ["PS\n"]


async def test_a_head_that_cannot_be_read_is_offered_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def edit(_app: object, text: str) -> str:
        written.append(text)
        return (
            text.replace("Refund issued", "Refund sent") + "nonsense"
            if len(written) == 1
            else text[: -len("nonsense\n")]
        )

    monkeypatch.setattr("supportdesk.tui.screens.canned.edit_text", edit)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await browsed(pilot, "refund issued")
        await pilot.press("e")
        await until(pilot, lambda: "response.toml" in notices(app), "what is wrong")
        await pilot.press("e")
        await screen_of(pilot, DialogScreen)
        await pilot.press("c")
        await until(pilot, lambda: stored(shop).response.title("en") == "Refund sent", "it is saved")
        await until(pilot, lambda: not kept(shop), "nothing is kept")


async def test_who_may_not_save_a_response_is_not_let_write_one(shop: Shop) -> None:
    async with shop.console("luca").run_test(size=(80, 24)) as pilot:
        screen = await browsed(pilot, "refund issued")
        assert [screen.can(action) for action in ("edit_head", "new", "remove", "open")] == [False] * 3 + [True]
        await pilot.press("enter", "e")
        text = await screen_of(pilot, CannedTextScreen)
        assert not text.can("edit") and text.can("next_variant")


async def test_leaving_with_an_unsaved_text_asks(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await opened(pilot)
        before = stored(shop).version
        await pilot.press("e")
        edit = await screen_of(pilot, CannedEditScreen)
        await pilot.press("x")
        edit.body._announce()  # a second later, or because the focus leaves
        for way_out in ("escape", "ctrl+q"):
            await pilot.press(way_out)
            await screen_of(pilot, DialogScreen)
            await pilot.press("escape")
            await until(pilot, lambda: edit.body.has_focus, "the text again")
        await pilot.press("escape")
        await screen_of(pilot, DialogScreen)
        await pilot.press("l")  # later
        await screen_of(pilot, CannedTextScreen)
        assert len(kept(shop)) == 1
        await pilot.press("e")
        await screen_of(pilot, DialogScreen)
        await pilot.press("c")
        await screen_of(pilot, CannedEditScreen)
        await pilot.press("escape")
        await screen_of(pilot, DialogScreen)
        await pilot.press("d")
        await screen_of(pilot, CannedTextScreen)
        assert (stored(shop).version, kept(shop)) == (before, [])


async def test_the_matrix_marks_what_is_missing_and_what_is_old(shop: Shop) -> None:
    found = stored(shop)
    changed = with_text(with_text(found.response, "es", ""), "it", "Nuovo")
    shop.house.desk.save_canned(shop.house.giulia, changed, found.version)
    async with shop.console().run_test(size=(80, 24)) as pilot:
        await browsed(pilot)
        await pilot.press("m")
        screen = await screen_of(pilot, TextScreen)
        lines = str(screen.query_one(TextPages)._text).split("\n")
        assert all(len(line) <= 78 for line in lines)
        line = next(line for line in lines if line.startswith("Refund issued"))
        assert line.split()[2:] == ["old", "old", "old", "--", "old", "old", "old", "ok", "old"]


async def test_a_removed_response_comes_back(shop: Shop) -> None:
    async with shop.console().run_test(size=(80, 24)) as pilot:
        screen = await browsed(pilot, "refund issued")
        count = len(shop.house.desk.canned())
        await pilot.press("x")
        await screen_of(pilot, DialogScreen)
        await pilot.press("y")
        await until(pilot, lambda: len(shop.house.desk.canned()) == count - 1, "one less")
        await screen_of(pilot, CannedScreen)
        await pilot.press("u")
        await until(pilot, lambda: len(shop.house.desk.canned()) == count, "all of them again")
        assert screen.is_attached
