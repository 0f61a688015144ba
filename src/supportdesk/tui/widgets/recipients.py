"""A line of recipients: what is known that begins like the last one is offered below, and tab takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from supportdesk.tui.addresses import last_piece
from supportdesk.tui.widgets.prompt import CompletionLines, SafeInput

if TYPE_CHECKING:
    from textual import events
    from textual.widgets import Input

LEAST = 2
"""Characters from which on something is looked up."""


class RecipientInput(SafeInput):
    """To, Cc or Bcc. It asks for completions with `Wanted`; `lines` is where they are shown."""

    class Wanted(Message):
        """Somebody begins like this; "" ends the offer."""

        def __init__(self, sender: RecipientInput, begun: str) -> None:
            super().__init__()
            self.line = sender
            self.begun = begun

    def __init__(self, value: str, lines: CompletionLines, *, id: str) -> None:  # noqa: A002 — Textual's own word
        super().__init__(value, id=id)
        self._lines = lines
        self._taken = value

    def on_input_changed(self, event: Input.Changed) -> None:
        if not self.has_focus or event.value == self._taken:
            return
        begun = last_piece(event.value)
        self.post_message(self.Wanted(self, begun if len(begun) >= LEAST else ""))

    def on_blur(self) -> None:
        self.post_message(self.Wanted(self, ""))

    def on_key(self, event: events.Key) -> None:
        chosen = self._lines.chosen
        if chosen is None:
            return
        match event.key:
            case "tab" | "enter":
                self.value = self._taken = self.value.removesuffix(last_piece(self.value)) + chosen.value
                self.cursor_position = len(self.value)
                self.post_message(self.Wanted(self, ""))
            case "down" | "ctrl+n":
                self._lines.move(1)
            case "up" | "ctrl+p":
                self._lines.move(-1)
            case "escape":
                self._taken = self.value
                self.post_message(self.Wanted(self, ""))
            case _:
                return
        event.stop()
        event.prevent_default()
