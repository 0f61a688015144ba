"""Every key of the lists beside the queue, of the calendar and of whatever is written: pressed, and its effect seen."""

# ruff: noqa: F401, F811 — fixtures are imported

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.tui.screens.calendar import CalendarScreen
from supportdesk.tui.screens.canned import CannedScreen
from supportdesk.tui.screens.canned_text import CannedEditScreen, CannedTextScreen
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.drafts import DraftsScreen
from supportdesk.tui.screens.note import NoteScreen
from supportdesk.tui.screens.notices import NoticesScreen
from supportdesk.tui.screens.outbox import OutboxScreen
from supportdesk.tui.screens.parked import ParkedScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.saved_views import SavedViewsScreen
from supportdesk.tui.screens.team_settings import TeamSettingsScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.side import TextPages
from tests.tui.conftest import screen_of
from tests.tui.walking import PIA, Walk, at_the_list, filled, house, keys_of, url

if TYPE_CHECKING:
    import pytest

    from supportdesk.tui.screens.base import DeskScreen
    from supportdesk.tui.screens.rows import RowsScreen
    from tests.support.desk import House


async def test_every_key_of_the_lists_beside_the_queue(
    url: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with at_the_list(url, house) as (walk, queue):

        def edit(_app: object, text: str) -> str:
            walk.edited.append(text)
            return text

        monkeypatch.setattr("supportdesk.tui.screens.canned.edit_text", edit)
        for way, kind, visit in (
            ("g o", OutboxScreen, the_outbox), ("g d", DraftsScreen, the_drafts), ("g p", ParkedScreen, the_parked),
            ("g n", NoticesScreen, the_notices), ("g V", SavedViewsScreen, the_views),
            ("g ,", TeamSettingsScreen, the_settings), ("g t", CannedScreen, the_canned),
        ):  # fmt: skip
            walk.pressed = set()
            screen: Any = await walk.opens(way, kind)
            walk.pressed = set()
            await move(walk, screen)
            await visit(walk, screen, way)
            screen = await screen_of(walk.pilot, kind)
            await everywhere(walk, screen)
            await walk("q", lambda: walk.app.screen is queue)
            walk.pressed.discard(way)
            await walk.pilot.press(*way.split(" ") if way != "g ," else ("g", "comma"))
            await screen_of(walk.pilot, kind)
            await walk("esc", lambda: walk.app.screen is queue)
            assert walk.pressed == keys_of(kind.CONTEXT), kind.CONTEXT


async def test_every_key_of_the_calendar(url: str, house: House) -> None:
    async with at_the_list(url, house) as (walk, queue):
        screen = await walk.opens("g c", CalendarScreen)
        walk.pressed = set()
        await walk.until(lambda: screen._keeper is not None, "the hours")
        await move_by_days(walk, screen)
        await plan(walk, screen)
        await everywhere(walk, screen)
        await walk("q", lambda: walk.app.screen is queue)
        await walk.pilot.press("g", "c")
        await screen_of(walk.pilot, CalendarScreen)
        await walk("esc", lambda: walk.app.screen is queue)
    assert walk.pressed == keys_of("calendar")


async def test_every_key_of_a_canned_response(
    url: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("supportdesk.tui.screens.canned_text.edit_text", lambda _app, text: f"{text} fuori")
    async with at_the_list(url, house) as (walk, _queue):
        listed = await walk.opens("g t", CannedScreen)
        await walk.until(lambda: listed.chosen() is not None, "the responses")
        screen = await walk.opens("enter", CannedTextScreen)
        await walk.until(lambda: screen._entry is not None, "its text")
        walk.pressed = set()
        edit = await read_a_response(walk, screen)
        await everywhere(walk, screen)
        await walk("q", lambda: walk.app.screen is listed)
        await walk.pilot.press("enter")
        await screen_of(walk.pilot, CannedTextScreen)
        await walk("esc", lambda: walk.app.screen is listed)
    assert walk.pressed == keys_of("canned_text")
    assert edit == keys_of("canned_edit")


async def test_every_key_of_what_is_written(
    url: str,
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    monkeypatch.setattr("supportdesk.tui.screens.writing.edit_text", lambda _app, text, _file: f"{text} fuori")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "label.pdf").write_bytes(b"%PDF-1.4")
    async with at_the_list(url, house) as (walk, queue):
        await write_a_note(walk, queue)
        assert walk.pressed == keys_of("note")
        walk.pressed = set()
        await write_a_reply(walk, queue)
        assert walk.pressed == keys_of("compose")
        walk.pressed = set()
        await review(walk, queue)
        assert walk.pressed == keys_of("review")


# ---- what all of them have -------------------------------------------------------------------------------------------


async def everywhere(walk: Walk, screen: DeskScreen[Any], *, help_key: str = "?") -> None:
    await walk.opens(help_key, TextScreen, "q")
    await walk.opens("^p", ChooseScreen, "escape")
    await walk.opens("^q", DialogScreen, "escape")


async def move(walk: Walk, screen: RowsScreen) -> None:
    rows = screen.rows
    await walk.until(lambda: len(rows.spine) >= 3 and rows.cursor_row is not None, "three rows")
    last = len(rows.spine) - 1
    for keys, place in (
        ("j", 1), ("down", 2), ("k", 1), ("up", 0), ("G", last), ("g g", 0), ("end", last), ("home", 0),
    ):  # fmt: skip
        await walk(keys, lambda place=place: rows.cursor_index == place)  # type: ignore[misc]
    for down, up in (("^d", "^u"), ("pagedown", "pageup")):
        await walk(down, lambda: rows.cursor_index > 0)
        await walk(up, lambda: rows.cursor_index == 0)


async def taken_back(walk: Walk, screen: RowsScreen) -> None:
    """What giulia has done elsewhere is taken back from here."""
    desk = walk.house.desk
    desk.perform("tag", walk.house.giulia, [PIA], {"tags": "provvisorio"})
    await walk("u", lambda: desk.read.tags(PIA) == ())


async def until_rows(walk: Walk, screen: RowsScreen, count: int) -> None:
    await walk.until(lambda: len(screen.rows.spine) == count, f"{count} rows")


# ---- list by list ----------------------------------------------------------------------------------------------------


async def the_outbox(walk: Walk, screen: OutboxScreen, _way: str) -> None:
    read = walk.house.desk.read

    def on(state: str) -> None:
        assert screen.rows.move_to_id(next(row.id for row in screen._known.values() if row.state == state))

    for keys in ("enter", "o"):
        await walk.opens(keys, TicketScreen, "q")
    on("uncertain")
    await walk("m", lambda: not read.outbox(states=("uncertain",)))
    await walk.until(lambda: len(screen.rows.spine) == 2, "two rows")
    on("failed")
    await walk("r", lambda: not read.outbox(states=("failed",)))
    await walk.until(lambda: len(read.outbox(states=("deferred",))) == 2, "it is tried again")
    await walk.opens("U", ComposeScreen)
    assert len(read.outbox(states=("deferred",))) == 1
    await walk.go_back(screen, "escape")
    await taken_back(walk, screen)


async def the_drafts(walk: Walk, screen: DraftsScreen, _way: str) -> None:
    for keys in ("enter", "o"):
        await walk.opens(keys, ComposeScreen, "escape")
    count = len(screen.rows.spine)
    await walk("x", lambda: len(screen.rows.spine) == count - 1)
    await walk("u", lambda: len(screen.rows.spine) == count)


async def the_parked(walk: Walk, screen: ParkedScreen, _way: str) -> None:
    for keys in ("enter", "o", "R"):
        await walk.opens(keys, TextScreen, "q")
    await walk.says("f", "Nothing lies in Junk.")
    await walk.opens("V", ChooseScreen)
    await walk.then(*"block", "enter", until=lambda: blocked(walk.house))
    await walk.then("u", until=lambda: not blocked(walk.house))
    await walk("r", lambda: len(screen.rows.spine) == 2)
    await taken_back(walk, screen)


def blocked(house: House) -> list[str]:
    return [row["value_norm"] for row in house.desk.read.rows("customer_identity", {"verdict": "block"})]


async def the_notices(walk: Walk, screen: NoticesScreen, _way: str) -> None:
    await walk("x", lambda: len(screen.rows.spine) == 2)
    for keys in ("enter", "o"):
        await walk.until(lambda: screen.chosen() is not None, "a notice")
        left = len(screen.rows.spine) - 1
        await walk.opens(keys, TicketScreen, "q")
        await until_rows(walk, screen, left)
    await taken_back(walk, screen)


async def the_views(walk: Walk, screen: SavedViewsScreen, way: str) -> None:
    desk, giulia, app = walk.house.desk, walk.house.giulia, walk.app

    def names() -> list[str]:
        return [view.name for view in desk.saved_views(giulia.id)]

    await walk.asks("r", "name")
    await walk.then("ctrl+u", *"Resi", "enter", until=lambda: names()[0] == "Resi")
    await walk.asks("e", "query")
    await walk.then("ctrl+u", *"lang:de", "enter", until=lambda: desk.saved_views(giulia.id)[0].query == "lang:de")
    await walk.until(lambda: "lang:de" in walk.shown, "the new query")
    await walk("J", lambda: names()[1] == "Resi")
    await walk.until(lambda: screen.rows.cursor_index == 1, "the cursor on it")
    await walk("K", lambda: names()[0] == "Resi")
    await walk.until(lambda: screen.rows.cursor_index == 0, "the cursor on it")
    await walk("s", lambda: any(view.agent_id is None for view in desk.saved_views(giulia.id)))
    await walk("x", lambda: len(names()) == 2)
    await walk("u", lambda: len(names()) == 3)
    for keys in ("enter", "o"):
        await walk.until(lambda: app.screen.is_ready and app.screen.chosen() is not None, "a view")  # type: ignore[attr-defined]
        await walk(keys, lambda: isinstance(app.screen, QueueScreen) and app.screen.listing.view.startswith("saved:"))
        await walk.pilot.press("1", *way.split(" "))
        await screen_of(walk.pilot, SavedViewsScreen)


async def the_settings(walk: Walk, screen: TeamSettingsScreen, _way: str) -> None:
    for keys in ("enter", "o"):
        await walk.asks(keys, "setting")
        await walk.then("escape", until=lambda: not screen.prompt.purpose)
    await taken_back(walk, screen)


async def the_canned(walk: Walk, screen: CannedScreen, _way: str) -> None:
    for keys in ("enter", "o"):
        await walk.opens(keys, CannedTextScreen, "q")
    await walk.opens("m", TextScreen, "q")
    await walk.asks("/", "filter")
    count = len(screen.rows.spine)
    await walk.then(*"refund", until=lambda: 0 < len(screen.rows.spine) < count)
    await walk.then("escape", until=lambda: len(screen.rows.spine) == count)
    await walk.asks("c", "key")
    await walk.then(*"prova-nuova", "enter", until=lambda: len(screen.rows.spine) == count + 1)
    await walk("u", lambda: len(screen.rows.spine) == count)
    await walk.opens("x", DialogScreen)
    await walk.then("y", until=lambda: len(screen.rows.spine) == count - 1)
    await walk.then("u", until=lambda: len(screen.rows.spine) == count)
    await walk("e", lambda: walk.edited)


# ---- the calendar ----------------------------------------------------------------------------------------------------


async def move_by_days(walk: Walk, screen: CalendarScreen) -> None:
    today = screen._day

    def is_day(days: int) -> Any:
        return lambda: screen._day == today + timedelta(days=days)

    for keys, days in (
        ("l", 1), ("right", 2), ("h", 1), ("left", 0), ("j", 7), ("down", 14), ("k", 7), ("up", 0),
    ):  # fmt: skip
        await walk(keys, is_day(days))
    for later, earlier in (("pagedown", "pageup"), ("^d", "^u")):
        month = screen._day.month
        await walk(later, lambda month=month: screen._day.month != month)  # type: ignore[misc]
        await walk(earlier, lambda month=month: screen._day.month == month)  # type: ignore[misc]
    await walk.pilot.press("l", "l")
    await walk("t", is_day(0))


async def plan(walk: Walk, screen: CalendarScreen) -> None:
    def planned() -> int:
        return len(screen._keeper.hours.exceptions) if screen._keeper is not None else -1

    async def answer(*keys: str) -> None:
        await walk.pilot.press(*keys)
        for _language in range(4):
            await walk.until(lambda: screen.prompt.purpose.startswith("notice") or planned(), "the notice or the plan")
            if planned():
                break
            before = screen.prompt.purpose
            await walk.pilot.press("enter")
            await walk.until(lambda before=before: screen.prompt.purpose != before, "the next question")  # type: ignore[misc]

    await walk.asks("c", "days")
    await answer("enter")
    assert planned() == 1
    await walk("x", lambda: planned() == 0)
    await walk("u", lambda: planned() == 1)
    await walk.then("u", until=lambda: planned() == 0)
    await walk.asks("o", "days")
    await walk.then("enter", until=lambda: screen.prompt.purpose == "hours")
    await walk.then("escape", until=lambda: not screen.prompt.purpose)
    for keys, purpose in (("w", "week"), ("p", "holidays"), ("z", "zone")):
        await walk.asks(keys, purpose)
        await walk.then("escape", until=lambda: not screen.prompt.purpose)
    await walk.opens("m", ChooseScreen, "escape")


# ---- a canned response -----------------------------------------------------------------------------------------------


async def read_a_response(walk: Walk, screen: CannedTextScreen) -> set[str]:
    """The keys of the response; returns those of its editor, which is on the way."""
    pages = screen.query_one(TextPages)
    tags = list(screen._texts)
    first = screen._tag
    await walk("l", lambda: screen._tag != first)
    await walk("h", lambda: screen._tag == first)
    await walk("tab", lambda: screen._tag != first)
    await walk.then("h", until=lambda: screen._tag == first)
    long = "Riga\n" * 120
    pages.show(long)  # type: ignore[arg-type]
    for down, up in (("j", "k"), ("down", "up"), ("^d", "^u")):
        await walk(down, lambda: pages._top > 0)
        await walk(up, lambda: pages._top == 0)
    await walk.asks("+", "tag")
    await walk.then("escape", until=lambda: not screen.prompt.purpose)
    edit = await walk.opens("e", CannedEditScreen)
    here, walk.pressed = walk.pressed, set()
    await walk("^g", lambda: edit.body.text.endswith(" fuori"))
    await everywhere(walk, edit, help_key="f1")
    await walk("^s", lambda: walk.app.screen is screen)
    there = walk.pressed
    walk.pressed = here
    stored = screen._entry.version if screen._entry is not None else 0
    await walk.until(lambda: " fuori" in screen._texts[first], "the new text")
    await walk("u", lambda: " fuori" not in screen._texts[first])
    assert tags == list(screen._texts)
    assert stored
    await walk.pilot.press("e")
    await screen_of(walk.pilot, CannedEditScreen)
    await walk.pilot.press("escape")
    await walk.until(lambda: walk.app.screen is screen, "back")
    return there | {"esc"}


# ---- writing ---------------------------------------------------------------------------------------------------------


async def scroll_the_conversation(walk: Walk, screen: Any) -> None:
    for keys in ("pageup", "pagedown"):
        before = walk.shown
        await walk(keys, lambda before=before: walk.shown != before, "the conversation moves")  # type: ignore[misc]


async def write_a_note(walk: Walk, queue: QueueScreen) -> None:
    house = walk.house
    note = await walk.opens("n", NoteScreen)
    walk.pressed = set()
    await walk.until(lambda: note.body.has_focus, "the text")
    await walk.then(*"Sentito", until=lambda: note.body.text == "Sentito")
    await walk("^g", lambda: note.body.text == "Sentito fuori")
    await scroll_the_conversation(walk, note)
    await everywhere(walk, note, help_key="f1")
    await walk("esc", lambda: walk.app.screen is queue)
    await walk.pilot.press("n")
    note = await screen_of(walk.pilot, NoteScreen)
    await walk.until(lambda: note.is_ready and note.body.text == "Sentito fuori", "the note that was begun")
    await walk("^s", lambda: house.desk.read.thread(PIA)[-1].text == "Sentito fuori")
    await walk.until(lambda: walk.app.screen is queue, "the list")


async def write_a_reply(walk: Walk, queue: QueueScreen) -> None:
    desk, giulia = walk.house.desk, walk.house.giulia

    def files() -> int:
        [row] = [row for row in desk.drafts(giulia) if row.ticket_id == PIA]
        return len(row.attachments)

    compose = await the_composer(walk)
    walk.pressed = set()
    await walk.then(*"Arriva", until=lambda: compose.body.text == "Arriva")
    await walk("^g", lambda: compose.body.text == "Arriva fuori")
    await scroll_the_conversation(walk, compose)
    await walk.opens("^r", ChooseScreen, "escape")
    await walk.opens("^o", ChooseScreen, "escape")
    await walk.asks("^t", "attach")
    await walk.then(*"label.pdf", "enter", until=files)
    await walk.opens("^y", ChooseScreen)
    await walk.then("enter", until=lambda: not files())
    await walk("^s", lambda: compose.context == "review")
    await walk.then("escape", until=lambda: compose.context == "compose")
    await everywhere(walk, compose, help_key="f1")
    await walk("esc", lambda: walk.app.screen is queue)
    [row] = [row for row in desk.drafts(giulia) if row.ticket_id == PIA]
    desk.discard_draft(giulia, row.id)


async def the_composer(walk: Walk) -> ComposeScreen:
    await walk.pilot.press("r")
    compose = await screen_of(walk.pilot, ComposeScreen)
    await walk.until(lambda: compose.is_ready and compose.body.has_focus, "the composer")
    return compose


async def review(walk: Walk, queue: QueueScreen) -> None:
    """Each way of sending, each on a ticket of its own."""
    italian = iter(range(35, 45))
    read = walk.house.desk.read

    async def in_review() -> ComposeScreen:
        await walk.until(lambda: walk.app.screen is queue, "the list")
        assert queue.tickets.move_to_id(next(italian))
        compose = await the_composer(walk)
        await walk.then(*"Arriva domani mattina.", "ctrl+s", until=lambda: compose._sender.can_send)
        return compose

    def held() -> int:
        return len(read.outbox(states=("held",)))

    compose = await in_review()
    bar = compose.query_one("ReviewBar")
    await walk("enter", lambda: "y sends it" in walk.shown)
    await walk.opens("^p", ChooseScreen, "escape")
    await walk.opens("^q", DialogScreen, "escape")
    await walk.opens("f1", TextScreen, "q")
    bar._said = [("muted", f"Zeile {number}") for number in range(40)]  # type: ignore[attr-defined]
    bar.refresh(layout=True)
    for down, up in (("j", "k"), ("down", "up")):
        await walk.until(walk.shows("Zeile 0"), "the start of a long review")
        await walk(down, lambda: "Zeile 0" not in walk.shown)
        await walk(up, walk.shows("Zeile 0"))
    await walk("esc", lambda: compose.context == "compose")
    await walk.then("ctrl+s", until=lambda: compose._sender.can_send)
    for keys, answer in (("y", ""), ("e", ""), ("b", ""), ("s", "2h"), ("l", "2h")):
        before = held()
        if answer:
            await walk.asks(keys, "when")
            await walk.then(*answer, "enter", until=lambda before=before: held() > before)  # type: ignore[misc]
        else:
            await walk(keys, lambda before=before: held() > before)  # type: ignore[misc]
        if keys != "l":
            await in_review()
