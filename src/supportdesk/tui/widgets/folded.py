"""A text that is as high as its lines: what a row means, or a value that is longer than the line it is typed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.safetext import EMPTY
from supportdesk.tui.widgets.bars import Bar
from supportdesk.tui.widgets.cells import line_of, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.strip import Strip

    from supportdesk.safetext import SafeText


class FoldedText(Bar):
    """Nothing to say takes no line; of what is longer than `most` lines the end is shown.

    Where the text changes while something beside it should stand still, `make_room` holds the lines of the longest.
    """

    DEFAULT_CSS = "FoldedText { height: auto; }"

    def __init__(self, *, tone: str = "", most: int = 8, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._text = EMPTY
        self._others: frozenset[SafeText] = frozenset()
        self._room: dict[int, int] = {}  # width → lines of the longest of the others: they may be a thousand
        self._tone, self._most = tone, most

    def show(self, text: SafeText) -> None:
        if text != self._text:
            self._text = text
            self.refresh(layout=True)

    def make_room(self, texts: Iterable[SafeText]) -> None:
        """Be as high as the longest of these, whichever is shown."""
        others = frozenset(texts)
        if others != self._others:
            self._others = others
            self._room.clear()
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        if width not in self._room:
            self._room[width] = max((len(self._lines(text, width)) for text in self._others), default=0)
        return max(len(self._lines(self._text, width)), self._room[width])

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        lines = self._lines(self._text, width)
        return line_of([self._piece(f" {lines[y]}", self._tone)] if y < len(lines) else [], width, self.rich_style)

    def _lines(self, text: SafeText, width: int) -> list[str]:
        return wrap(text, width - 2)[-self._most :] if text else []
