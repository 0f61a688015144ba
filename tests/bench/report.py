"""What a part of the benchmark found, as values, and how they are shown: a table, JSON, a page of the documents."""

from __future__ import annotations

import json
import os
import platform
import re
import sqlite3
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final


class BenchFailed(Exception):
    """A part could not be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing: ours, in the same run the peer's where there is one, and what we aim at.

    `ours` and `theirs` are medians or counts in `unit`; ours above `limit` breaks a promise. The aim is written for
    people, and judged as it is written: `≤ 100 ms` bounds ours (say it in the row's unit), `≥ 10×` ours/peer.
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
    def is_missed(self) -> bool:
        """Whether ours is beyond what the aim says, or the limit."""
        bound = _BOUND.search(self.aim)
        value = self.ratio if bound and bound["of_ratio"] else self.ours
        if bound is None or value is None:
            return self.is_broken
        number = float(bound["number"].replace(",", ""))
        return self.is_broken or (value > number if bound["sign"] == "≤" else value < number)

    @property
    def ratio(self) -> float | None:
        """Ours over theirs: above 1 is better for a rate, below 1 for a time or a size."""
        return self.ours / self.theirs if self.theirs else None

    def cells(self) -> tuple[str, ...]:
        theirs = "" if self.theirs is None else f"{self.peer}: {number(self.theirs)} {self.unit}"
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}×"
        aim = self.aim or ("" if self.limit is None else f"≤ {number(self.limit)}")
        verdict = " (broken)" if self.is_broken else " (missed)" if self.is_missed else ""
        return (self.measure, f"{number(self.ours)} {self.unit}", theirs, ratio, aim + verdict)


@dataclass(frozen=True, slots=True)
class Part:
    """All rows of one part, on which input they were measured, and remarks (a profile) below them.

    `why`: what is known of a measure that may miss its aim, and the next step; it is shown only where it does.
    """

    name: str
    input: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def misses(self) -> tuple[tuple[str, str], ...]:
        """The measures that miss their aim, and why: those of one cause together."""
        causes: dict[str, list[str]] = {}
        for row in self.rows:
            if row.is_missed:
                causes.setdefault(self.why.get(row.measure, UNKNOWN), []).append(row.measure)
        return tuple(("; ".join(dict.fromkeys(measures)), cause) for cause, measures in causes.items())


HEADINGS: Final = ("measure", "ours", "peer", "ours/peer", "aim")
UNKNOWN: Final = "not looked into yet; a quiet machine and a profile would tell."
WIDTH: Final = 116
_BOUND: Final = re.compile(r"(?P<sign>[≤≥]) (?P<number>[\d,]*\.?\d+)(?P<of_ratio>×?)")


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
    causes = [
        line for measures, cause in part.misses for line in _wrapped(f"missed: {measures}: {cause}", "  ", "    ")
    ]
    remarks = [f"  {line}" for line in part.remarks]
    return "\n".join([heading, *(line.rstrip() for line in body), *causes, *remarks])


def page(parts: Sequence[Part], command: str, server: str = "") -> str:
    """The parts as a document: docs/performance.md, and those beside it; `server` is the other database's version."""
    facts = machine()
    measured = (
        f"Measured with `{command}` on {facts['cores']} cores, {facts['system']}, Python {facts['python']},"
        f" SQLite {facts['sqlite']}{f', PostgreSQL {server}' if server else ''}."
    )
    lines = [
        "# Performance",
        "",
        "Written by the command below; do not edit. Each part ran against its peers in the same run, on the same",
        "input: ratios carry over to another machine, plain figures do not. Figures are medians. *ours/peer* is better",
        "above 1 for a rate (`/s`), below 1 for a time. Where an aim names a program that is not the peer of its row,",
        "that program was measured apart from this run, on two cores as well. What misses its aim is marked, and below",
        "the table stands why, with the next step. Nothing here fails a build: what must not change (bytes, query",
        "plans, statements a mail, what is loaded) is tested in `tests/`; times are not.",
        "",
        "Each claim again: `./desk bench PART --size N`, on PostgreSQL with `--database URL`; `ingest` and `mime`",
        "say where the time of a mail goes, `tests/desk/test_intake_cost.py` counts its statements, and `crowd` fails",
        "when one of many writers loses an update or is told an error. `mime`, `ingest` and `send` run on any other",
        "mails too (`--mails PATH`: .eml files, an mbox, a Maildir); `--mails-out DIR` writes the generated ones for",
        "another program, and the same digest says that it was the same mail.",
        "",
        *_promises(parts),
        *_wrapped(measured),
    ]
    for part in parts:
        lines += ["", f"## {part.name}", "", f"Input: {part.input}.", "", _markdown_row(HEADINGS)]
        lines += [_markdown_row(["---"] * len(HEADINGS)), *(_markdown_row(row.cells()) for row in part.rows)]
        if part.misses:
            lines += ["", "Missed:", ""]
            lines += [line for what, why in part.misses for line in _wrapped(f"*{what}*: {why}", "- ", "  ")]
        if part.remarks:
            lines += ["", "```", *part.remarks, "```"]
    return "\n".join(lines) + "\n"


def _promises(parts: Iterable[Part]) -> list[str]:
    """A paragraph that names each row with a limit; nothing where there is none."""
    promised = {part.name: [row.measure for row in part.rows if row.limit is not None] for part in parts}
    named = [f"of `{part}` {', '.join(f'*{measure}*' for measure in rows)}" for part, rows in promised.items() if rows]
    told = f"The command itself ends with 6 when a promise is broken: a row above its limit, {'; '.join(named)}."
    return [*_wrapped(told), ""] if named else []


def _wrapped(text: str, first: str = "", others: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=others, break_long_words=False, break_on_hyphens=False
    )


def document(parts: Iterable[Part], command: str) -> str:
    """The parts as one JSON document."""
    listed = [
        {**asdict(part), "rows": [{**asdict(row), "ratio": row.ratio, "missed": row.is_missed} for row in part.rows],
         "why": dict(part.misses)}
        for part in parts
    ]  # fmt: skip
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
