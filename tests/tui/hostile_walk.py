"""Walks through every screen of the console on a hostile desk: what reaches the terminal, what each cell would do."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from textual.app import App
from textual.events import Click, MouseDown, MouseEvent, MouseUp
from textual.geometry import Offset
from textual.screen import Screen

import supportdesk.tui.screens
from supportdesk.safetext import storable
from supportdesk.tui.screens.queue import QueueScreen
from tests.tui.conftest import SOURCE, shown, until
from tests.tui.hostile import FORBIDDEN
from tests.tui.pty_session import PtySession
from tests.tui.test_console_bytes import OWN_SEQUENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import pytest
    from textual.pilot import Pilot

    from supportdesk.tui.app import Console

WAYS: Final[dict[str, tuple[str, ...]]] = {
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

WITHIN: Final[dict[str, tuple[str, ...]]] = {
    "QueueScreen": (
        ":",
        "/",
        "?",
        "\x10",
        "g",
        "a",
        "t",
        "s",
        "p",
        "S",
        "m",
        "L",
        "R",
        "h",
        "l",
        "@",
        "V",
        "N",
        "i",
        "u",
    ),
    "TicketScreen": (" ", "h", "l", "@", "R", "\x06", "f", "m", "?", "\x10", "G"),
    "ComposeScreen": ("\x12", "\x0f", "\x13", "\x10"),
    "OutboxScreen": ("G", "\r"),
    "ParkedScreen": ("G", "V"),
    "DraftsScreen": ("x",),
    "CannedScreen": ("m", "x"),
    "CannedTextScreen": ("\t", "+"),
}
"""Lines, pickers, questions, help, the palette, the hint strip and notices that open over a screen."""

BYTES: Final = {"enter": b"\r", "comma": b",", "ctrl+q": b"\x11", "escape": b"\x1b"}
PRESSES: Final = (MouseDown, MouseUp, Click)
QUIET: Final = 0.2
LONGER: Final = 3.0
"""Seconds of silence after which a key counts as done, and after which one that did nothing is pressed again."""

PRESSES_AGAIN: Final = 5
ESCAPES: Final = 12
FOREIGN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


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


# ---- in a pseudo-terminal --------------------------------------------------------------------------------------------


def bytes_of_all_screens(file: Path, *, within: bool = True, columns: int = 120, rows: int = 40) -> bytes:
    """What the terminal gets from each screen and, `within` it, from what opens over it. Raises for one not reached."""
    environment = {"SUPPORTDESK_DATABASE": str(file), "SUPPORTDESK_AGENT": "giulia", "PYTHONPATH": str(SOURCE)}
    noted = file.with_name("screen")
    program = [sys.executable, "-m", "tests.tui.seen_console", str(noted)]
    with PtySession(program, columns=columns, rows=rows, **environment) as running:
        walk = _Walk(running, noted)
        walk.output += running.read_until(b"Ospite") + running.read_until_quiet(1.0)
        for name in WAYS:
            walk.go(name)
            for key in WITHIN.get(name, ()) if within else ():
                walk.press(key)
                if walk.place() != name or walk.press("escape") != name:
                    walk.go(name)
    return walk.output


class _Walk:
    """A console that is walked through, and all that it has sent so far."""

    def __init__(self, running: PtySession, noted: Path) -> None:
        self._running, self._noted = running, noted
        self.output = b""

    def place(self) -> str:
        return self._noted.read_text()

    def press(self, key: str) -> str:
        """Press it, wait until the terminal rests; the screen that is in front then."""
        self._running.send(BYTES.get(key, key.encode()))
        self.output += self._running.read_until_quiet(QUIET)
        return self.place()

    def go(self, name: str) -> None:
        """Back to the queue and from there to the screen."""
        for _press in range(ESCAPES):
            if self.press("escape") == "QueueScreen":
                break
        self._wait_until(lambda: self.place() == "QueueScreen", "QueueScreen")
        for key in WAYS[name]:
            before = self.place()
            for _press in range(PRESSES_AGAIN):  # a row is opened as soon as it is there
                if self.press(key) != before or key == "g":
                    break
                self.output += self._running.read_until_quiet(LONGER)
                if self.place() != before:
                    break
        self._wait_until(lambda: self.place() == name, f"{name}, but {self.place()}")
        self.output += self._running.read_until_quiet(QUIET)

    def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        self.output += self._running.read_while(lambda: not condition(), what)


def foreign_bytes(output: bytes, payloads: Sequence[str]) -> list[str]:
    """What of the output came from data: payloads as they are, controls that no sequence of our own accounts for."""
    sent = [
        f"sent as it is: {payload!r}"
        for payload in map(storable, payloads)
        if FORBIDDEN.search(payload) and payload.encode(errors="replace") in output
    ]
    left = OWN_SEQUENCES.sub(b"", output).decode(errors="replace")
    return sent + [f"foreign: {left[max(0, at.start() - 20) : at.end() + 20]!r}" for at in FOREIGN.finditer(left)]


# ---- with the pilot --------------------------------------------------------------------------------------------------


async def look_everywhere(
    app: Console, name: str, monkeypatch: pytest.MonkeyPatch, *, presses: Sequence[type[MouseEvent]] = PRESSES
) -> tuple[list[str], str]:
    """Go to the screen, look at its cells and click each: what is wrong with it, and the text that it shows."""
    obeyed = watch(monkeypatch)
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
        wrong, text = look_at_cells(app), shown(app)
        assert await click_every_cell(app, pilot, monkeypatch, presses) >= 80 * 24
        if app.return_code is not None:
            wrong.append("it was left")
        return [f"{name}: {one}" for one in (*wrong, *(f"it did {one}" for one in obeyed))], text


def watch(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the console does because of a click: it fills while the test goes on."""
    obeyed: list[object] = []
    monkeypatch.setattr(App, "run_action", lambda _self, action, *_rest: obeyed.append(action))
    monkeypatch.setattr(App, "open_url", lambda _self, url, **_rest: obeyed.append(url))
    return obeyed


async def queue_shown(pilot: Pilot[int], app: Console) -> None:
    await until(pilot, lambda: isinstance(app.screen, QueueScreen) and len(app.screen.tickets.spine) > 50, "the list")
    await until(pilot, lambda: app.desk_status is not None, "the status")


async def click_every_cell(
    app: Console, pilot: Pilot[int], monkeypatch: pytest.MonkeyPatch, presses: Sequence[type[MouseEvent]] = PRESSES
) -> int:
    """Press and release the mouse on each cell; how many there were. What a click opens or leaves is not followed."""
    screen = app.screen
    for name in ("push_screen", "pop_screen", "show_at_once", "exit"):
        monkeypatch.setattr(app, name, lambda *_given, **_named: None)
    monkeypatch.setattr(screen, "dismiss", lambda *_given: None)
    clicked = 0
    for y in range(app.size.height):
        for x in range(app.size.width):
            for kind in presses:
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
