"""A text that is as high as its lines: what a row means, or a value that is longer than the line it is typed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.safetext import EMPTY
from supportdesk.tui.widgets.bars import Bar
from supportdesk.tui.widgets.cells import line_of, wrap

if TYPE_CHECKING:
    from textual.strip import Strip

    from supportdesk.safetext import SafeText


class FoldedText(Bar):
    """Nothing to say takes no line; of what is longer than `most` lines the end is shown."""

    DEFAULT_CSS = "FoldedText { height: auto; }"

    def __init__(self, *, tone: str = "", most: int = 8, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._text = EMPTY
        self._tone, self._most = tone, most

    def show(self, text: SafeText) -> None:
        if text != self._text:
            self._text = text
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._lines(width))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._lines(width)
        return line_of([self._piece(f" {lines[y]}", self._tone)] if y < len(lines) else [], width, self.rich_style)

    def _lines(self, width: int) -> list[str]:
        return wrap(self._text, width - 2)[-self._most :] if self._text else []
