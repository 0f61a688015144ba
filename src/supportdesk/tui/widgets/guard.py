"""The last look at every line before the terminal gets it (reliability.md R8, guard 2).

`safetext.safe` cleans text where it enters a widget; this filter stands behind all widgets, Textual's own included,
so that a place somebody forgot still cannot send an escape sequence. What an agent writes is his own text: it is
stored and sent as he typed it (`as_written`), and only what the terminal shows of it is made safe, here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeVar

from rich.cells import set_cell_size, split_graphemes
from rich.segment import Segment
from textual.app import App
from textual.filter import LineFilter

from supportdesk.safetext import is_safe, safe, storable
from supportdesk.tui.glyphs import AsciiFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.color import Color
    from textual.notifications import SeverityLevel

ReturnType = TypeVar("ReturnType")


ASCII_CLASS: Final = "-ascii"
"""The class of a console that shows only ASCII of its own."""

UNSURE: Final = re.compile("[\u200c\u200d\ufe00-\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U000e0100-\U000e01ef]")
"""What joins and varies characters: terminals disagree about the width of the result."""

_SEQUENCE: Final = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)|\x1b[ -/]*[0-Zc-~]"
)
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_ENDS: Final = re.compile("\r\n?|\x85|\u2028|\u2029")


def as_written(text: str, *, multiline: bool = False) -> str:
    """What an agent typed or pasted, as it is kept: everything but escape sequences and controls (C0, C1).

    Joined emoji, flags and direction marks stay. Line ends of every kind become a newline, in a single line a space.
    """
    text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", _SEQUENCE.sub("", storable(text))))
    return text if multiline else text.replace("\n", " ").replace("\t", " ")


class ControlFilter(LineFilter):
    """Shows what a terminal would obey, or measure otherwise than we do, in a safe form of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, unless one holds such a character."""
        if all(_is_sure(text) for text, _, _ in segments):
            return segments
        return [Segment(_shown(text), style, control) for text, style, control in segments]


class SafeApp(App[ReturnType]):
    """An App that cannot pass a control character on, whose notices are never markup, and where nothing moves."""

    def __init__(self) -> None:
        super().__init__()
        self._control_filter = ControlFilter()
        self._ascii_filter = AsciiFilter()
        self.animation_level = "none"

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the guard after them; with `--ascii` what makes its signs and all others plain."""
        plain = (self._ascii_filter,) if self.has_class(ASCII_CLASS) else ()
        return [*super().get_line_filters(), self._control_filter, *plain]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """A toast of plain text, whatever the text holds."""
        super().notify(
            safe(message, multiline=True), title=safe(title), severity=severity, timeout=timeout, markup=False
        )


def _is_sure(text: str) -> bool:
    return (text.isascii() and text.isprintable()) or (is_safe(text) and UNSURE.search(text) is None)


def _shown(text: str) -> str:
    """Each character as it is, or its safe form in as many cells as the layout has counted for it."""
    if _is_sure(text):
        return text
    shown = []
    for start, end, width in split_graphemes(text)[0]:
        character = text[start:end]
        shown.append(character if _is_sure(character) else set_cell_size(safe(character), width))
    return "".join(shown)
