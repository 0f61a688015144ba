"""The bell for what others do: off unless the agent asks for it, and never more than once a minute."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from supportdesk.safetext import safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from textual.app import App

PAUSE: Final = 60.0


class BellRinger:
    """`bell` sounds the terminal's own; `notify` has the terminal show a notice (OSC 9)."""

    def __init__(self, app: App[Any], how: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._how = how
        self._clock = clock
        self._rang: float | None = None

    def ring(self, text: str) -> None:
        """Ring once; `text` is our own and holds nothing of a customer's."""
        driver, now = self._app._driver, self._clock()
        if self._how == "off" or driver is None or (self._rang is not None and now - self._rang < PAUSE):
            return
        self._rang = now
        driver.write("\a" if self._how == "bell" else f"\x1b]9;supportdesk: {safe(text)}\a")
        driver.flush()
