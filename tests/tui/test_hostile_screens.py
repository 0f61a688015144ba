"""Every screen on a desk whose every text is hostile: nothing of it is obeyed, neither as an escape sequence nor as
markup (D01, D02, D03). A new screen without a way to it here fails."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from textual.app import App
from textual.events import Click, MouseDown, MouseUp
from textual.geometry import Offset
from textual.screen import Screen

import supportdesk.tui.screens
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.desk import Desk
from supportdesk.mail.model import Picture
from supportdesk.safetext import storable
from supportdesk.store import open_store
from supportdesk.tui.screens.picture import PictureScreen
from supportdesk.tui.screens.queue import QueueScreen
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish
from tests.tui.conftest import PROGRAM, Shop, until
from tests.tui.hostile import FORBIDDEN, PAYLOADS
from tests.tui.hostile_desk import spoil
from tests.tui.pty_session import PtySession
from tests.tui.test_console_bytes import OWN_SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from textual.pilot import Pilot

    from supportdesk.tui.app import Console

WAYS: dict[str, tuple[str, ...]] = {
    "QueueScreen": (),
    "TicketScreen": ("enter",),
    "TextScreen": ("enter", "E"),
    "ComposeScreen": ("r",),
    "NoteScreen": ("n",),
    "OutboxScreen": ("g", "o"),
    "DraftsScreen": ("g", "d"),
    "ParkedScreen": ("g", "p"),
    "NoticesScreen": ("g", "n"),
    "SavedViewsScreen": ("g", "V"),
    "TeamSettingsScreen": ("g", "comma"),
    "CalendarScreen": ("g", "c"),
    "CannedScreen": ("g", "t"),
    "CannedTextScreen": ("g", "t", "enter"),
    "CannedEditScreen": ("g", "t", "enter", "e"),
    "ChooseScreen": ("g", "v"),
    "DialogScreen": ("ctrl+q",),
}
"""The keys from the queue to each screen."""

BYTES = {"enter": b"\r", "comma": b",", "ctrl+q": b"\x11"}
PLACES = (b":", b"/", b"?", b"\x10", b"g", b"a", b"t", b"s")
"""Lines, help, palette, hint strip and pickers that open over the queue."""


def screens() -> set[str]:
    """The screens that can be in front: those that no other screen is made of."""
    for module in pkgutil.iter_modules(supportdesk.tui.screens.__path__):
        importlib.import_module(f"{supportdesk.tui.screens.__name__}.{module.name}")
    found: set[type[Screen[Any]]] = set()
    waiting: list[type[Screen[Any]]] = [Screen]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith(supportdesk.tui.screens.__name__) and not kind.__subclasses__():
                found.add(kind)
    return {kind.__name__ for kind in found}


def test_every_screen_has_its_way_here() -> None:
    assert screens() == {*WAYS, "PictureScreen"}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Path:
    """The file of a desk with one of everything, all of it hostile."""
    path = tmp_path_factory.mktemp("spoilt") / "desk.db"
    path.write_bytes(prepared.read_bytes())
    house = furnish(str(path), FakeClock(datetime.now(UTC) - timedelta(hours=3)))
    house.desk.import_canned(house.giulia, starter_set())
    spoil(house, str(path))
    house.store.close()
    return path


@pytest.fixture
def hostile(tmp_path: Path, spoilt: Path) -> Iterator[Shop]:
    path = tmp_path / "desk.db"
    path.write_bytes(spoilt.read_bytes())
    store = open_store(str(path))
    desk = Desk(store, store.clock)
    giulia, luca, anna = (agent.actor() for agent in desk.agents())
    yield Shop(House(desk, FakeClock(), str(path), giulia, luca, anna, desk.mailboxes()[0].id), str(path))
    store.close()


@pytest.mark.parametrize("name", WAYS)
async def test_no_cell_of_a_screen_is_markup_or_a_control(
    hostile: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    obeyed = watch(monkeypatch)
    app = hostile.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await queue_shown(pilot, app)
        for key in WAYS[name]:
            before = app.screen
            await pilot.press(key)
            if key != "g":
                await until(pilot, lambda before=before: app.screen is not before, f"what {key} opens")  # type: ignore[misc]
                await pilot.pause(0.3)
        assert type(app.screen).__name__ == name
        await pilot.pause(0.3)
        assert not look_at_cells(app)
        assert await click_every_cell(app, pilot, monkeypatch) >= 80 * 24
        assert app.return_code is None
        assert obeyed == []


async def test_the_name_of_a_picture_is_neither(hostile: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    obeyed = watch(monkeypatch)
    app = hostile.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await queue_shown(pilot, app)
        app.show_picture(" ".join(PAYLOADS), Picture(80, 44, bytes(range(240)) * 44))
        await until(pilot, lambda: isinstance(app.screen, PictureScreen), "the picture")
        await pilot.pause(0.3)
        assert not look_at_cells(app)
        assert await click_every_cell(app, pilot, monkeypatch) >= 80 * 24
        assert app.return_code is None
        assert obeyed == []


def watch(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the console does because of a click: it fills while the test goes on."""
    obeyed: list[object] = []
    monkeypatch.setattr(App, "run_action", lambda _self, action, *_rest: obeyed.append(action))
    monkeypatch.setattr(App, "open_url", lambda _self, url, **_rest: obeyed.append(url))
    return obeyed


async def queue_shown(pilot: Pilot[int], app: Console) -> None:
    await until(pilot, lambda: isinstance(app.screen, QueueScreen) and len(app.screen.tickets.spine) > 50, "the list")
    await until(pilot, lambda: app.desk_status is not None, "the status")


async def click_every_cell(app: Console, pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch) -> int:
    """Press and release the mouse on each cell; how many there were. What a click opens or leaves is not followed."""
    screen = app.screen
    for name in ("push_screen", "pop_screen", "show_at_once", "exit"):
        monkeypatch.setattr(app, name, lambda *_given, **_named: None)
    monkeypatch.setattr(screen, "dismiss", lambda *_given: None)
    clicked = 0
    for y in range(app.size.height):
        for x in range(app.size.width):
            for kind in (MouseDown, MouseUp, Click):
                app.mouse_position = Offset(x, y)
                screen._forward_event(kind(screen, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))
            clicked += 1
        await pilot.pause()
    return clicked


def look_at_cells(app: Console) -> list[str]:
    """What is wrong with the screen: forbidden characters, cells that would run an action or open a link."""
    wrong = []
    for y, strip in enumerate(app.screen._compositor.render_strips()):
        for segment in strip:
            if FORBIDDEN.search(segment.text.replace("\u200d", "").replace("\ufe0f", "")):
                wrong.append(f"{y}: {segment.text!r}")
            style = segment.style
            if style is not None and (style.link or any(key.startswith("@") for key in style.meta)):
                wrong.append(f"{y}: {segment.text!r} would do {style.link or style.meta}")
    return wrong


def test_no_byte_of_a_hostile_desk_reaches_the_terminal(hostile: Shop) -> None:
    output = b""
    with PtySession([sys.executable, "-c", PROGRAM], **hostile.environment()) as running:
        output += running.read_until(b"Ospite") + running.read_until_quiet(1.0)
        ways = [[BYTES.get(key, key.encode()) for key in keys] for keys in WAYS.values()]
        for keys in [*ways, *([key] for key in PLACES)]:
            for key in keys:
                running.send(key)
                output += running.read_until_quiet(0.4)
            for _level in keys:
                running.send(b"\x1b")
                output += running.read_until_quiet(0.3)
    for payload in map(storable, PAYLOADS):
        assert payload.isprintable() or payload.encode(errors="replace") not in output, repr(payload)
    left = OWN_SEQUENCES.sub(b"", output).decode(errors="replace")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left), repr(left[:300])
