"""The last look at every line before the terminal gets it (reliability.md R8, guard 2).

`safetext.safe` cleans text where it enters a widget; this filter stands behind all widgets, Textual's own included,
so that a place somebody forgot still cannot send an escape sequence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rich.segment import Segment
from textual.app import App
from textual.filter import LineFilter

from supportdesk.safetext import is_safe, safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.color import Color
    from textual.notifications import SeverityLevel

ReturnType = TypeVar("ReturnType")


class ControlFilter(LineFilter):
    """Drops what a terminal would obey; such characters have no width, so the line keeps its length."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, unless one holds a forbidden character."""
        if all(is_safe(text) for text, _, _ in segments):
            return segments
        return [Segment("".join(filter(is_safe, text)), style, control) for text, style, control in segments]


class SafeApp(App[ReturnType]):
    """An App that cannot pass a control character on, whose notices are never markup, and where nothing moves."""

    def __init__(self) -> None:
        super().__init__()
        self._control_filter = ControlFilter()
        self.animation_level = "none"

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, and the guard after them."""
        return [*super().get_line_filters(), self._control_filter]

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
