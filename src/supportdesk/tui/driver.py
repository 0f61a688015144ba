"""The terminal as the console writes to it: one that may be gone at any moment.

Textual writes from a thread with a short queue. When the terminal is taken away, as a dropped SSH session does, that
thread ends with the first error and the queue fills: the console then waits for ever for room in it, and never ends.
And as it reads from it: what the terminal answers by itself is no typing (`answers`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

from supportdesk.tui.answers import TypingParser

if TYPE_CHECKING:
    from io import TextIOWrapper

    from textual.app import App


class ForgivingTerminal:
    """A file that takes what is written to it also after its terminal has gone, and drops it."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with suppress(OSError):  # nobody is left to read it
            self._file.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


class ConsoleDriver(LinuxDriver):
    """Textual's driver, which a terminal that is gone cannot hold up, and to which answers are no keys."""

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file = cast("TextIOWrapper", ForgivingTerminal(cast("TextIOWrapper", self._file)))

    def run_input_thread(self) -> None:
        """Read the keys with our own parser: Textual's thread takes the one that its module names."""
        linux_driver.XTermParser = TypingParser  # type: ignore[attr-defined]
        super().run_input_thread()
