"""What the command line prints: data on stdout, narration on stderr; JSON where it was asked for.

Text from outside passes `safe()` here; JSON is ASCII, so that nothing in it can reach a terminal as a control.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import Enum
from pathlib import Path
from typing import Any

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe

WIDEST_KEPT = 12  # cells up to here are never cut in a terminal
WIDEST_PLAIN = 60  # characters of one cell where nobody said how wide the reader is


@dataclass(frozen=True, slots=True)
class Output:
    """Where one command prints. `json` turns every answer into one JSON document."""

    json: bool = False

    def answer(self, value: Any, lines: Iterable[str] = ()) -> None:
        """The command's result: `value` as JSON, or the lines for a person."""
        if self.json:
            self.document(value)
        else:
            for line in lines:
                self.line(line)

    def table(self, value: Any, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """The command's result: `value` as JSON, or a table of cells."""
        if self.json:
            self.document(value)
            return
        cells = [[_cell(cell) for cell in row] for row in rows]
        if not cells:
            self.say(_("there is nothing to show"))
        elif sys.stdout.isatty():
            _rich_table(headings, cells)
        else:
            _plain_table(headings, cells)

    def document(self, value: Any) -> None:
        sys.stdout.write(json.dumps(as_json(value), ensure_ascii=True, indent=2) + "\n")

    def event(self, value: Any) -> None:
        """One line of JSON, at once."""
        sys.stdout.write(json.dumps(as_json(value), ensure_ascii=True) + "\n")
        sys.stdout.flush()

    def line(self, text: str = "") -> None:
        sys.stdout.write(safe(text) + "\n")

    def text(self, text: str) -> None:
        """Text of several lines, as far as a terminal may see it."""
        sys.stdout.write(safe(text, multiline=True) + "\n")

    def say(self, text: str) -> None:
        """Narration: what is being done, for the person who waits."""
        sys.stderr.write(safe(text) + "\n")
        sys.stderr.flush()


class Meter:
    """Progress on stderr: how much, how fast, how long still. Off a terminal only the end is told."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._start = self._shown = time.monotonic()
        self._last = ""

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_unused: object) -> None:
        if self._last:
            sys.stderr.write(
                ("\r" if sys.stderr.isatty() else "") + self._last + ("\x1b[K\n" if sys.stderr.isatty() else "\n")
            )

    def show(self, done: int, total: int, what: str = "") -> None:
        now = time.monotonic()
        rate = done / max(now - self._start, 0.001)
        left = span((total - done) / rate) if rate and total > done else ""
        text = f"{self._label} {what} {done}/{total}  {rate:.0f}/s  {left}"
        self._last = safe(" ".join(text.split()))
        if sys.stderr.isatty() and now - self._shown >= 0.2:
            self._shown = now
            sys.stderr.write(f"\r{self._last}\x1b[K")
            sys.stderr.flush()


class StageMeter:
    """One line of progress for each stage of a command; `labels` names the stages."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._stage = ""
        self._meter: Meter | None = None

    def __enter__(self) -> StageMeter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._meter is not None:
            self._meter.__exit__(*error)

    def show(self, stage: str, done: int, total: int, what: str = "") -> None:
        if self._meter is None or stage != self._stage:
            self.__exit__()
            self._stage, self._meter = stage, Meter(self._labels[stage])
        self._meter.show(done, total, what)


def as_json(value: Any) -> Any:
    """`value` as plain JSON values: dataclasses by field name, times in ISO 8601 with Z, spans in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_json(getattr(value, item.name)) for item in fields(value) if item.repr}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return as_json(value.value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, BaseException):
        return str(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    return [as_json(item) for item in value]


def time_in(at: datetime, zone: tzinfo) -> str:
    """A time for a person, who is told the zone: 2026-11-21 18:02 CET."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def span(seconds: float) -> str:
    """A length of time in its two largest units: 3d 4h, 2h 10m, 45s; negative where it is overdue."""
    sign, left = ("-" if seconds < 0 else ""), int(abs(seconds))
    parts = []
    day = _("{days}d").format(days="")
    for unit, length in ((day, 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if left >= length:
            parts.append(f"{left // length}{unit}")
            left %= length
    return sign + (" ".join(parts[:2]) or "0s")


def yes_no(value: object) -> str:
    return _("yes") if value else _("no")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, list | tuple):
        return safe(", ".join(str(item) for item in value))
    return safe(str(value))


def _plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns that line up, at least two spaces between them, no tab, no colour, the last one never cut."""
    cut = [
        [*(cell if len(cell) <= WIDEST_PLAIN else cell[: WIDEST_PLAIN - 1] + "…" for cell in row[:-1]), row[-1]]
        for row in rows
    ]
    widths = [max([len(head), *(len(row[at]) for row in cut)]) for at, head in enumerate(headings)]
    for row in (headings, *cut):
        padded = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(padded.rstrip() + "\n")


def _rich_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for at, heading in enumerate(headings):
        widest = max((len(row[at]) for row in rows), default=0)
        # A number or a state that is cut tells nothing: the long columns give way.
        keep = max(widest, 1) if widest <= WIDEST_KEPT else None
        table.add_column(Text(heading), overflow="ellipsis", no_wrap=True, min_width=keep)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
