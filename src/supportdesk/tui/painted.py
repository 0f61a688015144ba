"""What the terminal shows now, line by line: so that a repaint sends only the lines that look different.

Textual sends the whole screen whenever its layout changed, several times while a screen is set up. On a slow line that
is what an agent waits for. Spans that Textual sends by itself pass through, and their lines count as unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.control import Control
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console


class Painted:
    """The lines that were sent, as they were sent."""

    def __init__(self) -> None:
        self._lines: dict[int, str] = {}

    def forget(self, lines: Iterable[int] | None = None) -> None:
        """These lines, or all, may show something else now."""
        if lines is None:
            self._lines.clear()
        else:
            for y in lines:
                self._lines.pop(y, None)

    def changed(self, y: int, line: str) -> bool:
        """Whether the line must be sent; from now on it counts as shown."""
        if self._lines.get(y) == line:
            return False
        self._lines[y] = line
        return True

    def sparing(self, update: object, width: int) -> object:
        """The same update, sent with as little as it takes."""
        if isinstance(update, LayoutUpdate):
            return _ChangedLines(update, self, width)
        if isinstance(update, ChopsUpdate):
            return _Spans(update, self)
        return update


class _ChangedLines(CompositorUpdate):
    """A repaint of whole lines; those that look as before are left out. Compared when it is really sent."""

    def __init__(self, update: LayoutUpdate, painted: Painted, width: int) -> None:
        self._update = update
        self._painted = painted
        self._width = width

    def render_segments(self, console: Console) -> str:
        region = self._update.region
        whole = region.x == 0 and region.width == self._width
        sent: list[str] = []
        for y, strips in enumerate(self._update.strips, region.y):
            line = "".join(strip.render(console) for strip in strips)
            if not whole:
                self._painted.forget((y,))
            if not whole or self._painted.changed(y, line):
                sent += (Control.move_to(region.x, y).segment.text, line)
        return "".join(sent)


class _Spans(CompositorUpdate):
    """Pieces of lines, as Textual sends them."""

    def __init__(self, update: ChopsUpdate, painted: Painted) -> None:
        self._update = update
        self._painted = painted

    def render_segments(self, console: Console) -> str:
        self._painted.forget(y for y, _start, _end in self._update.spans)
        return self._update.render_segments(console)
