"""Plain lines on a pane: the customer beside a conversation, a long text to scroll through."""

from __future__ import annotations

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


class SidePane(Widget):
    """Lines with a tone each, behind a rule on the left; what does not fit is clipped."""

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
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        rule = Piece(f"{self._glyphs.bar} ", plain + self._style("rule"))
        if y >= len(self._lines):
            return line_of([rule], width, plain)
        line = self._lines[y]
        style = plain + self._style(line.tone) if line.tone else plain
        return line_of([rule, Piece(fit(line.text, width - 2, ellipsis=self._glyphs.ellipsis), style)], width, plain)

    def _style(self, tone: str) -> Style:
        return self.get_component_rich_style(f"side--{tone}", partial=True)


class TextPages(Widget, can_focus=True):
    """A long safe text, wrapped, to be scrolled through half a page at a time."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "TextPages { width: 1fr; height: 1fr; background: $background; color: $foreground; }"

    def __init__(self, text: SafeText, *, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._text = text
        self._wrapped: tuple[int, list[str]] = (-1, [])
        self._top = 0

    def show(self, text: SafeText) -> None:
        self._text, self._wrapped, self._top = text, (-1, []), 0
        self.refresh()

    def scroll_lines(self, step: int) -> None:
        """Move the view; the last line never rises above the bottom."""
        top = max(0, min(self._top + step, len(self._lines()) - self.size.height))
        if top != self._top:
            self._top = top
            self.refresh()

    def scroll_half_pages(self, halves: int) -> None:
        self.scroll_lines(max(1, self.size.height // 2) * halves)

    def move_to_start(self) -> None:
        self.scroll_lines(-len(self._lines()))

    def move_to_end(self) -> None:
        self.scroll_lines(len(self._lines()))

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
            self._wrapped = (width, wrap(self._text, width - 2))
        return self._wrapped[1]
