"""What a widget does while it is being removed: nothing that needs its own widgets, for they may not be there."""

from __future__ import annotations

from textual.events import Mount
from textual.message import Message
from textual.widget import Widget


class DeafWhenRemoved(Widget):
    """A widget made of others that hears neither keys nor them while it is taken down, nor that it stands.

    A console that ends gives a new widget none of its own either.
    """

    async def _dispatch_message(self, message: Message) -> None:
        stands_without = isinstance(message, Mount) and (self._pruning or self.app._exit)
        if not stands_without and not (self._pruning and message.bubble):
            await super()._dispatch_message(message)
