"""A picture in cells: half blocks in two colours each, or signs of growing weight where there are no colours.

Plain characters with plain styles: no image protocol of any terminal is spoken, so a picture can ask it for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.color import Color
from rich.style import Style
from textual.widget import Widget

from supportdesk.tui.widgets.cells import Piece, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.strip import Strip

    from supportdesk.mail.model import Picture

HALF_BLOCK: Final = "▀"
RAMP: Final = " .:-=+*#%@"
"""From dark to bright on a dark background."""


class PictureView(Widget, can_focus=True):
    """A picture from the top left, never enlarged; it shrinks with the pane. One cell is one pixel wide, two high.

    `grey`: no colours, the signs of RAMP instead.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "PictureView { width: 1fr; height: 1fr; background: $background; color: $foreground; }"

    def __init__(self, picture: Picture, *, grey: bool = False) -> None:
        super().__init__()
        self._picture = picture
        self._grey = grey

    def render_line(self, y: int) -> Strip:
        plain = self.rich_style
        pieces = self._grey_pieces(y, plain) if self._grey else self._coloured_pieces(y, plain)
        return line_of(list(pieces), self.size.width, plain)

    def _coloured_pieces(self, y: int, plain: Style) -> Iterator[Piece]:
        for upper, lower in self._cells(y):
            back = Color.from_rgb(*lower) if lower else None
            yield Piece(HALF_BLOCK, plain + Style(color=Color.from_rgb(*upper), bgcolor=back))

    def _grey_pieces(self, y: int, plain: Style) -> Iterator[Piece]:
        ramp = RAMP if self.app.current_theme.dark else RAMP[::-1]
        for upper, lower in self._cells(y):
            brightness = (_brightness(upper) + _brightness(lower or upper)) / 2
            yield Piece(ramp[min(int(brightness / 256 * len(ramp)), len(ramp) - 1)], plain)

    def _cells(self, y: int) -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int] | None]]:
        """The upper and the lower pixel of each cell of one line; no lower one where the picture ends in between."""
        picture = self._picture
        pane = self.size
        shrink = max(1.0, picture.width / pane.width, picture.height / (pane.height * 2))
        columns, lines = (max(1, int(side / shrink)) for side in (picture.width, picture.height))
        upper, lower = int(y * 2 * shrink), int((y * 2 + 1) * shrink)
        if y * 2 >= lines:
            return
        for column in range(columns):
            x = int(column * shrink)
            yield picture.pixel(x, upper), picture.pixel(x, lower) if y * 2 + 1 < lines else None


def _brightness(pixel: tuple[int, int, int]) -> float:
    """How bright a colour looks, 0–255 (ITU-R BT.601)."""
    red, green, blue = pixel
    return 0.299 * red + 0.587 * green + 0.114 * blue
