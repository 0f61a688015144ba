"""Where a reply is written: Textual's text area without blinking, animation and the controls of what is pasted.

It keeps no draft itself. It says when one must be saved (`DraftChanged`): one second after the last key, at the latest
one and a half after the first unsaved one, and when the focus leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message
from textual.widgets import TextArea

from supportdesk.tui.widgets.guard import as_written

if TYPE_CHECKING:
    from textual import events
    from textual.timer import Timer

SAVE_AFTER = 1.0
"""Seconds without a key until the draft is saved."""

SAVE_AT_LATEST = 1.5
"""Seconds from the first unsaved key, however busy the keys: in the database after two, with half a second to write."""

CANNED_TRIGGER = "::"


class Composer(TextArea):
    """A plain text area with soft wrap that loses no word."""

    DEFAULT_CSS = """
    Composer { height: 1fr; border: none; padding: 0 1; background: $surface; }
    Composer:focus { border: none; }
    """

    class DraftChanged(Message):
        """Save this text now."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CannedRequested(Message):
        """`::` was typed (and taken out again): the agent wants a canned response here."""

    def __init__(
        self,
        text: str = "",
        *,
        save_after: float = SAVE_AFTER,
        save_at_latest: float = SAVE_AT_LATEST,
        offers_canned: bool = True,
        id: str | None = None,  # noqa: A002 — Textual's own word
    ) -> None:
        super().__init__(text, soft_wrap=True, tab_behavior="focus", show_line_numbers=False, id=id)
        self.cursor_blink = False
        self._save_after = save_after
        self._save_at_latest = save_at_latest
        self._offers_canned = offers_canned
        self._saved = self.text
        self._pause: Timer | None = None
        self._latest: Timer | None = None

    @property
    def is_dirty(self) -> bool:
        """Whether there is text that no `DraftChanged` has carried yet."""
        return self.text != self._saved

    def load(self, text: str) -> None:
        """Show a draft that is already saved; the cursor goes to its end."""
        self._stop_timers()
        self._saved = text
        self.load_text(text)
        self._saved = self.text
        self.move_cursor(self.document.end)

    def insert_at_cursor(self, text: str) -> None:
        """Put a canned response where the cursor is, as one undo step."""
        self.insert(text, maintain_selection_offset=False)

    def flush(self) -> str:
        """Take what is unsaved as saved, without a message, and return the text: for the caller that saves at once."""
        self._stop_timers()
        self._saved = self.text
        return self.text

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        if event.text_area is not self or not self.is_dirty:
            return
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(self._save_after, self._announce)
        if self._latest is None:
            self._latest = self.set_timer(self._save_at_latest, self._announce)
        self._look_for_trigger()

    def on_blur(self) -> None:
        self._announce()

    def on_unmount(self) -> None:
        self._stop_timers()

    def on_key(self, event: events.Key) -> None:
        """A line feed is what a terminal sends of a pasted line's end where it marks no paste."""
        if event.key == "ctrl+j":
            event.stop()
            event.prevent_default()
            self.insert("\n")

    def on_paste(self, event: events.Paste) -> None:
        event.text = as_written(event.text, multiline=True)  # Textual calls the base class's handler after this one

    def _announce(self) -> None:
        self._stop_timers()
        if self.is_dirty:
            self._saved = self.text
            self.post_message(self.DraftChanged(self._saved))

    def _stop_timers(self) -> None:
        for timer in (self._pause, self._latest):
            if timer is not None:
                timer.stop()
        self._pause = self._latest = None

    def _look_for_trigger(self) -> None:
        row, column = self.cursor_location
        line = self.document.get_line(row)
        start = column - len(CANNED_TRIGGER)
        begun = self._offers_canned and start >= 0
        opens = begun and line[start:column] == CANNED_TRIGGER and (start == 0 or line[start - 1].isspace())
        if opens:
            self.delete((row, start), (row, column))
            self.post_message(self.CannedRequested())
