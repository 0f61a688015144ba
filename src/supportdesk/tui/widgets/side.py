"""Plain lines on a pane: the customer beside a conversation, a long text to scroll through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from textual.strip import Strip
from textual.widget import Widget

from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.widgets.cells import Piece, fit, line_of, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from supportdesk.safetext import SafeText
    from supportdesk.tui.present_thread import SideLine


class ScrolledLines(Widget):
    """Lines of which those from `_top` on are shown."""

    _top = 0

    @property
    def line_count(self) -> int:
        """How many there are at this width."""
        raise NotImplementedError

    def scroll_lines(self, step: int) -> None:
        """Move the view; the last line never rises above the bottom."""
        top = max(0, min(self._top + step, self.line_count - self.size.height))
        if top != self._top:
            self._top = top
            self.refresh()

    def scroll_half_pages(self, halves: int) -> None:
        self.scroll_lines(max(1, self.size.height // 2) * halves)

    def move_to_start(self) -> None:
        self.scroll_lines(-self.line_count)

    def move_to_end(self) -> None:
        self.scroll_lines(self.line_count)


class SidePane(ScrolledLines):
    """Lines with a tone each, behind a rule on the left; what is too wide is clipped."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"side--rule", "side--muted", "side--strong", "side--warning"}
    DEFAULT_CSS = """
    SidePane { width: 36; height: 1fr; background: $background; color: $foreground; }
    SidePane > .side--rule { color: $panel; }
    SidePane > .side--muted { color: $secondary; }
    SidePane > .side--strong { text-style: bold; }
    SidePane > .side--warning { color: $warning; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._glyphs = glyphs
        self._lines: tuple[SideLine, ...] = ()

    def show(self, lines: Sequence[SideLine]) -> None:
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self.scroll_lines(0)
            self.refresh()

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        rule = Piece(f"{self._glyphs.bar} ", plain + self._style("rule"))
        if self._top + y >= len(self._lines):
            return line_of([rule], width, plain)
        line = self._lines[self._top + y]
        style = plain + self._style(line.tone) if line.tone else plain
        return line_of([rule, Piece(fit(line.text, width - 2, ellipsis=self._glyphs.ellipsis), style)], width, plain)

    def _style(self, tone: str) -> Style:
        return self.get_component_rich_style(f"side--{tone}", partial=True)


class TextPages(ScrolledLines, can_focus=True):
    """A long safe text, wrapped, to be scrolled through half a page at a time.

    `hanging`: what a line goes on with stands under its second column (`j   down`), else under its beginning.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "TextPages { width: 1fr; height: 1fr; background: $background; color: $foreground; }"

    def __init__(self, text: SafeText, *, hanging: bool = False, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._text = text
        self._hanging = hanging
        self._wrapped: tuple[int, list[str]] = (-1, [])

    def show(self, text: SafeText) -> None:
        self._text, self._wrapped, self._top = text, (-1, []), 0
        self.refresh()

    @property
    def line_count(self) -> int:
        return len(self._lines())

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        lines = self._lines()
        at = self._top + y
        return line_of([Piece(f" {lines[at]}", plain)] if at < len(lines) else [], width, plain)

    def _lines(self) -> list[str]:
        width = self.size.width
        if self._wrapped[0] != width:
            fold = wrap_hanging if self._hanging else wrap
            self._wrapped = (width, fold(self._text, width - 2))
        return self._wrapped[1]


FIRST_COLUMN = re.compile(r"\s*(?:\S+ )*\S+ {2,}|\s*")


def wrap_hanging(text: str, cells: int) -> list[str]:
    """As `wrap`, with the second and later lines of each paragraph under its second column."""
    lines: list[str] = []
    for line in text.split("\n"):
        first, *rest = wrap(line, cells)
        lines.append(first)
        if rest:
            found = FIRST_COLUMN.match(line)
            hang = found.end() if found is not None and found.end() < cells // 2 else 0
            lines += [" " * hang + part for part in wrap(line[len(first) :].lstrip(), cells - hang)]
    return lines
