"""What a prefix key goes on with, over the last lines of the screen: all of it, however narrow the window is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from supportdesk.tui.widgets.bars import Bar, Hint
from supportdesk.tui.widgets.cells import Piece, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip


class KeyStrip(Bar):
    """Keys in columns, read downwards; nothing below it moves when it comes and goes."""

    DEFAULT_CSS = """
    KeyStrip { layer: strip; dock: bottom; height: auto; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._hints: tuple[Hint, ...] = ()

    def show(self, hints: Sequence[Hint]) -> None:
        """Show these, or nothing at all."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.display = bool(hints)
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(in_columns(self._hints, width - 2))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        rows = in_columns(self._hints, width - 2)
        pieces: list[Piece] = [self._piece(" ", "")]
        for hint, cells in rows[y] if y < len(rows) else ():
            padding = " " * (cells - _cells(hint))
            pieces += [self._piece(hint.keys, "key"), self._piece(f" {hint.label}{padding}  ", "")]
        return line_of(pieces, width, self.rich_style)


def in_columns(hints: Sequence[Hint], width: int) -> list[list[tuple[Hint, int]]]:
    """The hints in as few lines as they fit in, each with the cells of its column; too narrow: one a line."""
    for lines in range(1, len(hints)):
        columns = [hints[at : at + lines] for at in range(0, len(hints), lines)]
        cells = [max(map(_cells, column)) for column in columns]
        if sum(cells) + 2 * (len(cells) - 1) <= width:
            return [
                [(column[y], wide) for column, wide in zip(columns, cells, strict=True) if y < len(column)]
                for y in range(lines)
            ]
    return [[(hint, _cells(hint))] for hint in hints]


def _cells(hint: Hint) -> int:
    return cell_len(hint.keys) + 1 + cell_len(hint.label)
