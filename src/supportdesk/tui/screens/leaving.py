"""How a screen goes: once. Keys come faster than screens go, and the second `esc` must not take what lies below."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.screen import Screen

Answer = TypeVar("Answer")


class LeavesOnce(Screen[Answer]):
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

    async def _dispatch_message(self, message: Message) -> None:
        """Hear neither keys nor widgets while all is taken down: what they speak of may be gone already."""
        if not (self._pruning and message.bubble):
            await super()._dispatch_message(message)
