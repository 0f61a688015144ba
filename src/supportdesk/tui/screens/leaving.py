"""How a screen goes: once. Keys come faster than screens go, and the second `esc` must not take what lies below."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import Screen

from supportdesk.tui.widgets.removed import DeafWhenRemoved

Answer = TypeVar("Answer")


class LeavesOnce(DeafWhenRemoved, Screen[Answer]):
    """A screen that answers and goes once; a question that still stands above it goes with it."""

    _left = False

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Give the answer and go; nothing if that has happened already."""
        if self._left or self not in self.app.screen_stack:
            return AwaitComplete()
        self._left = True
        while self.app.screen is not self:
            self.app.pop_screen()
        return super().dismiss(result)
