"""A month of opening hours as a grid: each day with its sign, its hours and why it is not like the others."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.message import Message
from textual.widget import Widget

from supportdesk.safetext import EMPTY, SafeText
from supportdesk.tui.widgets.cells import Piece, fit, line_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.style import Style
    from textual import events
    from textual.strip import Strip

DAYS_OF_A_WEEK = 7
LEAST_LINES, MOST_LINES = 2, 3


@dataclass(frozen=True, slots=True)
class GridDay:
    """What stands in a cell. `tone`: "" | muted | warning | good, always beside the sign."""

    sign: SafeText
    hours: SafeText
    reason: SafeText
    tone: str = ""


def weeks_of(month: date, first_weekday: int) -> list[list[date]]:
    """The weeks that the month touches, whole; `first_weekday` 0 is Monday."""
    first = month.replace(day=1)
    last = month.replace(day=monthrange(month.year, month.month)[1])
    begins = first - timedelta(days=(first.weekday() - first_weekday) % DAYS_OF_A_WEEK)
    count = -(-((last - begins).days + 1) // DAYS_OF_A_WEEK)
    return [[begins + timedelta(days=7 * week + day) for day in range(DAYS_OF_A_WEEK)] for week in range(count)]


class MonthGrid(Widget, can_focus=True):
    """One line of weekdays, then two or three lines for each week."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "month--chosen",
        "month--muted",
        "month--warning",
        "month--good",
        "month--strong",
    }
    DEFAULT_CSS = """
    MonthGrid { height: 1fr; width: 1fr; }
    MonthGrid > .month--chosen { text-style: bold reverse; }
    MonthGrid > .month--muted { color: $secondary; }
    MonthGrid > .month--warning { color: $warning; }
    MonthGrid > .month--good { color: $success; }
    MonthGrid > .month--strong { text-style: bold underline; }
    """

    class Chosen(Message):
        """A day was clicked."""

        def __init__(self, day: date) -> None:
            super().__init__()
            self.day = day

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._weekdays: tuple[SafeText, ...] = (EMPTY,) * DAYS_OF_A_WEEK
        self._weeks: list[list[date]] = []
        self._days: Mapping[date, GridDay] = {}
        self._month = self._chosen = self._today = date.min

    def show(
        self, weeks: list[list[date]], days: Mapping[date, GridDay], weekdays: Sequence[SafeText], *,
        month: date, chosen: date, today: date,
    ) -> None:  # fmt: skip
        """Show these weeks; days of another month than `month` stand back."""
        self._weeks, self._days, self._weekdays = weeks, days, tuple(weekdays)
        self._month, self._chosen, self._today = month, chosen, today
        self.refresh()

    @property
    def lines_of_a_week(self) -> int:
        room = (self.size.height - 1) // max(1, len(self._weeks))
        return max(LEAST_LINES, min(MOST_LINES, room))

    def render_line(self, y: int) -> Strip:
        width, plain = self.size.width, self.rich_style
        week, line = divmod(y - 1, self.lines_of_a_week)
        if y == 0:
            pieces = [
                Piece(fit(f" {name}", self._cell(width, at)), self._style("muted"))
                for at, name in enumerate(self._weekdays)
            ]
        elif 0 <= week < len(self._weeks):
            pieces = [self._piece(day, line, self._cell(width, at)) for at, day in enumerate(self._weeks[week])]
        else:
            pieces = []
        return line_of(pieces, width, plain)

    def on_click(self, event: events.Click) -> None:
        week = (event.y - 1) // self.lines_of_a_week
        if event.y > 0 and week < len(self._weeks):
            at = min(DAYS_OF_A_WEEK - 1, event.x * DAYS_OF_A_WEEK // max(1, self.size.width))
            self.post_message(self.Chosen(self._weeks[week][at]))

    def _cell(self, width: int, at: int) -> int:
        """The cells of a column: the rest of the division goes to the first ones."""
        return width // DAYS_OF_A_WEEK + (at < width % DAYS_OF_A_WEEK)

    def _piece(self, day: date, line: int, width: int) -> Piece:
        shown = self._days.get(day)
        if shown is None:
            return Piece(" " * width, self.rich_style)
        if line == 0:
            text = f" {day.day:>2} {shown.sign}"
        elif line == 1:
            special = shown.reason if self.lines_of_a_week == LEAST_LINES and shown.reason else shown.hours
            text = f" {special}"
        else:
            text = f" {shown.reason}"
        tone = "chosen" if day == self._chosen else "muted" if day.month != self._month.month else shown.tone
        if line == 0 and day == self._today and tone != "chosen":
            tone = "strong"
        return Piece(fit(text, width), self._style(tone))

    def _style(self, tone: str) -> Style:
        plain = self.rich_style
        return plain + self.get_component_rich_style(f"month--{tone}", partial=True) if tone else plain
