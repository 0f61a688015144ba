"""A long text over the whole screen: the raw message, the timeline, an attachment, the keys of this place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.keymap import key_name
from supportdesk.tui.screens.leaving import LeavesOnce
from supportdesk.tui.widgets.bars import Hint, HintBar, StatusLine, StatusPart
from supportdesk.tui.widgets.side import TextPages

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class TextScreen(LeavesOnce[None]):
    """A title, the text, and the way back."""

    AUTO_FOCUS = ""
    BINDINGS = []

    def __init__(self, title: str, text: str, *, hanging: bool = False) -> None:
        super().__init__()
        self._title = safe(title)
        self._text: SafeText = safe(text, multiline=True)
        self._hanging = hanging

    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield TextPages(self._text, hanging=self._hanging)
        yield HintBar()

    def on_mount(self) -> None:
        self.query_one("#status", StatusLine).show([StatusPart(self._title, "strong")])
        self.query_one(HintBar).show(
            [
                Hint("j/k", safe(_("scroll")), 2),
                Hint("^d ^u", safe(_("half a page")), 3),
                Hint("q", safe(_("back")), 1),
            ]
        )
        self.query_one(TextPages).focus()

    def on_key(self, event: events.Key) -> None:
        pages = self.query_one(TextPages)
        match key_name(event.key, event.character):
            case "j" | "down":
                pages.scroll_lines(1)
            case "k" | "up":
                pages.scroll_lines(-1)
            case "^d" | "pagedown" | "space":
                pages.scroll_half_pages(1)
            case "^u" | "pageup":
                pages.scroll_half_pages(-1)
            case "g" | "home":
                pages.move_to_start()
            case "G" | "end":
                pages.move_to_end()
            case "q" | "esc" | "enter":
                self.dismiss()
            case _:
                return
        event.stop()
        event.prevent_default()
