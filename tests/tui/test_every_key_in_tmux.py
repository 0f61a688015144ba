"""Every key of every place in a real terminal: none of them ends the console, and the list comes back after each.

What each key does is seen in `test_every_key`; here it goes through tmux, a driver and a screen of both sizes. The
database and the size are crossed with those of the other walks. Without pytest it walks through all four:

    python -m tests.tui.test_every_key_in_tmux [PLACE…]
"""

# ruff: noqa: F401, F811 — fixtures are imported

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from supportdesk.tui.default_keys import DEFAULT_BINDINGS
from tests.support.postgres import running_postgres
from tests.support.terminal import Terminal
from tests.tui.conftest import PROGRAM, SOURCE
from tests.tui.walking import fill, filled, url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

pytestmark = pytest.mark.tmux

WAYS: Final = {
    "list": (), "ticket": ("Enter",), "compose": ("r",), "review": ("r", "C-s"), "note": ("n",),
    "outbox": ("g", "o"), "drafts": ("g", "d"), "parked": ("g", "p"), "notices": ("g", "n"), "views": ("g", "V"),
    "settings": ("g", ","), "canned": ("g", "t"), "canned_text": ("g", "t", "Enter"),
    "canned_edit": ("g", "t", "Enter", "e"), "calendar": ("g", "c"),
}  # fmt: skip
MAP: Final = ("list", "ticket", "compose", "review")
"""The places of terminal.md's table of keys."""

WAY_OUT: Final = "^q"
LISTED: Final = re.compile("^ 1 Needs reply", re.MULTILINE)
DIALOG: Final = "┌"
NAMES: Final = {
    "enter": "Enter", "esc": "Escape", "space": "Space", "up": "Up", "down": "Down", "left": "Left", "right": "Right",
    "pageup": "PPage", "pagedown": "NPage", "home": "Home", "end": "End", "tab": "Tab", "f1": "F1",
}  # fmt: skip


@pytest.mark.slow
def test_no_key_ends_the_console_and_each_leads_back_to_the_list(terminal: Terminal, url: str) -> None:
    pressed = walk(terminal, url, (80, 24) if url.startswith("sqlite") else (120, 40), MAP)
    assert pressed == sum(len(keys_of(place)) for place in MAP)


def keys_of(place: str) -> list[str]:
    """The keys of a place in their order; the way out comes last."""
    found = [binding.keys for binding in DEFAULT_BINDINGS if place in binding.contexts]
    return sorted(found, key=lambda keys: keys == WAY_OUT)


def walk(terminal: Terminal, url: str, size: tuple[int, int], places: Iterable[str]) -> int:
    """Press every key of the places; how many there were."""
    environment = {
        "SUPPORTDESK_DATABASE": url, "SUPPORTDESK_AGENT": "giulia", "SUPPORTDESK_TRANSLATOR": "cat",
        "PYTHONPATH": str(SOURCE), "VISUAL": "true", "HOME": tempfile.gettempdir(),
    }  # fmt: skip
    pressed = 0
    for place in places:
        terminal.start([sys.executable, "-c", PROGRAM], columns=size[0], lines=size[1], environment=environment)
        terminal.wait_for("▌", seconds=60)  # the first ticket, whichever is left
        for keys in keys_of(place):
            press_there(terminal, WAYS[place], keys)
            back_to_the_list(terminal, f"{keys} in {place}", may_end=keys == WAY_OUT)
            pressed += 1
    return pressed


def press_there(terminal: Terminal, way: Sequence[str], keys: str) -> None:
    """Go there, and press them one by one, each after the screen has answered."""
    for step in way:
        press(terminal, step)
    for key in keys.split(" "):
        press(terminal, f"C-{key[1]}" if len(key) == 2 and key[0] == "^" else NAMES.get(key, key))


def press(terminal: Terminal, key: str) -> None:
    """Press a key, and wait until the screen is another one, or long enough for a key that shows nothing."""
    before = terminal.screen()
    terminal.press(";" if key == ";" else key)
    end = time.monotonic() + (0.15 if key in ("g", "*", "y") else 1.0)
    while time.monotonic() < end and terminal.screen() == before:
        time.sleep(0.03)


def back_to_the_list(terminal: Terminal, after: str, *, may_end: bool) -> None:
    """Escape until the list stands there alone; a line, a dialog or a screen may be above it.

    With `may_end` the console may have ended: with something unsent it asks before.
    """
    end = time.monotonic() + 60
    for tries in range(200):
        terminal.press("Escape")
        time.sleep(0.06 if tries < 3 else 0.3)
        if may_end and terminal.exit_status() == 0:
            return
        assert terminal.exit_status() is None, f"the console ended after {after}:\n{terminal.screen()}"
        screen = terminal.screen()
        if tries and LISTED.search(screen) and DIALOG not in screen:
            return
        if time.monotonic() > end:
            break
    raise AssertionError(f"no way back after {after}:\n{terminal.screen()}")


def main(places: Sequence[str]) -> int:
    """All places, at both sizes, on both kinds of database."""
    chosen = places or tuple(WAYS)
    with tempfile.TemporaryDirectory(prefix="supportdesk-keys-") as directory, running_postgres() as server:
        for number, size in enumerate(((80, 24), (120, 40))):
            file = f"sqlite:///{Path(directory, f'{number}.db')}"
            fill(file)
            for url in (file, server.create_from("busy", fill)):
                terminal = Terminal(Path(tempfile.mkdtemp(dir=directory)))
                try:
                    pressed = walk(terminal, url, size, chosen)
                finally:
                    terminal.close()
                kind = url.partition(":")[0]
                print(f"{kind} {size[0]}x{size[1]}: {pressed} keys in {len(chosen)} places", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
