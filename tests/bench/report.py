"""What a part of the benchmark found, as values, and how they are shown: a table, JSON, a page of the documents."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final


class BenchFailed(Exception):
    """A part could not be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing: ours, in the same run the peer's where there is one, and what we aim at.

    `ours` and `theirs` are medians or counts in `unit`; ours above `limit` breaks a promise.
    """

    measure: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    aim: str = ""
    limit: float | None = None

    @property
    def is_broken(self) -> bool:
        return self.limit is not None and self.ours > self.limit

    @property
    def ratio(self) -> float | None:
        """Ours over theirs: above 1 is better for a rate, below 1 for a time or a size."""
        return self.ours / self.theirs if self.theirs else None

    def cells(self) -> tuple[str, ...]:
        theirs = "" if self.theirs is None else f"{self.peer}: {number(self.theirs)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}×"
        aim = self.aim or ("" if self.limit is None else f"≤ {number(self.limit)}")
        return (self.measure, f"{number(self.ours)} {self.unit}", theirs, ratio, aim + " (broken)" * self.is_broken)


@dataclass(frozen=True, slots=True)
class Part:
    """All rows of one part, on which input they were measured, and remarks (a profile) below them."""

    name: str
    input: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0


HEADINGS: Final = ("measure", "ours", "peer", "ours/peer", "aim")


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"


def table(part: Part) -> str:
    """The part as plain text for a terminal."""
    lines = [HEADINGS, *(row.cells() for row in part.rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADINGS))]
    body = ("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    heading = f"{part.name}: {part.input} ({part.seconds:.0f} s)"
    return "\n".join([heading, *(line.rstrip() for line in body), *(f"  {line}" for line in part.remarks)])


def page(parts: Iterable[Part], command: str) -> str:
    """The parts as a document: docs/performance.md, and those beside it."""
    facts = machine()
    lines = [
        "# Performance",
        "",
        "Written by the command below; do not edit. Each part ran against its peers in the same run, on the same",
        "input: ratios carry over to another machine, plain figures do not. Figures are medians. *ours/peer* is better",
        "above 1 for a rate (`/s`), below 1 for a time. Nothing here fails a build: what must not change (bytes, query",
        "plans, statements a mail, what is loaded) is tested in `tests/`; times are not. The command itself ends with",
        "6 when a promise of the console is broken: its bytes, and how soon a colleague's action is seen.",
        "",
        "Each claim again: `./desk bench PART --size N`, on PostgreSQL with `--database URL`; `ingest` and `mime`",
        "say where the time of a mail goes, `tests/desk/test_intake_cost.py` counts its statements, and `crowd` fails",
        "when one of many writers loses an update or is told an error. `mime`, `ingest` and `send` run on any other",
        "mails too (`--mails PATH`: .eml files, an mbox, a Maildir); `--mails-out DIR` writes the generated ones for",
        "another program, and the same digest says that it was the same mail.",
        "",
        f"Measured with `{command}` on {facts['cores']} cores, {facts['system']}, Python {facts['python']},",
        f"SQLite {facts['sqlite']}.",
    ]
    for part in parts:
        lines += ["", f"## {part.name}", "", f"Input: {part.input}.", "", _markdown_row(HEADINGS)]
        lines += [_markdown_row(["---"] * len(HEADINGS)), *(_markdown_row(row.cells()) for row in part.rows)]
        if part.remarks:
            lines += ["", "```", *part.remarks, "```"]
    return "\n".join(lines) + "\n"


def document(parts: Iterable[Part], command: str) -> str:
    """The parts as one JSON document."""
    listed = [{**asdict(part), "rows": [{**asdict(row), "ratio": row.ratio} for row in part.rows]} for part in parts]
    return json.dumps({"command": command, "machine": machine(), "parts": listed}, ensure_ascii=False, indent=1)


def machine() -> dict[str, Any]:
    from supportdesk.store.connect import sqlite_driver

    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": getattr(sqlite_driver(), "sqlite_version", sqlite3.sqlite_version),
    }


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
