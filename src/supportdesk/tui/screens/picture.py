"""An attached picture over the whole screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.keymap import key_name
from supportdesk.tui.screens.leaving import LeavesOnce
from supportdesk.tui.themes import MONOCHROME
from supportdesk.tui.widgets.bars import Hint, HintBar, StatusLine, StatusPart
from supportdesk.tui.widgets.picture import PictureView

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from supportdesk.mail.model import Picture


class PictureScreen(LeavesOnce[None]):
    """A title, the picture, and the way back. `plain`: only ASCII (`--ascii`)."""

    AUTO_FOCUS = ""
    BINDINGS = []

    def __init__(self, title: str, picture: Picture, *, plain: bool) -> None:
        super().__init__()
        self._title = safe(title)
        self._picture = picture
        self._plain = plain

    def compose(self) -> ComposeResult:
        yield StatusLine(id="status")
        yield PictureView(self._picture, grey=self._plain or self.app.theme == MONOCHROME)
        yield HintBar()

    def on_mount(self) -> None:
        self.query_one("#status", StatusLine).show([StatusPart(self._title, "strong")])
        self.query_one(HintBar).show([Hint("q", safe(_("back")), 1)])
        self.query_one(PictureView).focus()

    def on_key(self, event: events.Key) -> None:
        if key_name(event.key, event.character) in ("q", "esc", "enter"):
            self.dismiss()
            event.stop()
            event.prevent_default()
