"""What was found, as values: one row a measure, with the limit it has to keep and the differences behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

HEADINGS: Final = ("measure", "found", "limit", "")
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Finding:
    """One measure. `limit` is "" for what is only told; `details` are lines that say what is behind the figure.

    One that `is_timed` is a limit of the command and of no test: `tests/mail/test_complexity.py` tells linear work.
    """

    measure: str
    found: str
    limit: str = ""
    holds: bool = True
    details: tuple[str, ...] = ()
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The findings of one question, and on which mails."""

    name: str
    given: str
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.findings)


def none_of(measure: str, found: Sequence[str]) -> Finding:
    """What must not occur at all."""
    return Finding(measure, f"{len(found):,}", "0", not found, tuple(found))


def at_least(measure: str, met: int, of: int, least: float, details: Iterable[str] = ()) -> Finding:
    """A share that must not be smaller than `least`; nothing to compare is a broken limit too."""
    share = met / of if of else 0.0
    return Finding(measure, f"{share:.2%} ({met:,} of {of:,})", f"≥ {least:.0%}", share >= least, tuple(details))


def table(group: Group, *, verbose: bool = False) -> str:
    """The group for a terminal; the details of what holds only when asked for."""
    rows = [HEADINGS, *((one.measure, one.found, one.limit, _mark(one)) for one in group.findings)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = [f"{group.name}: {group.given}"]
    for row, finding in zip(rows, (None, *group.findings), strict=True):
        lines.append("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if finding is not None and finding.details and (verbose or not finding.holds):
            shown = finding.details if verbose else finding.details[:_SHOWN]
            lines += [f"      {line}" for line in shown]
            lines += (
                [f"      … and {len(finding.details) - len(shown)} more"] if len(shown) < len(finding.details) else []
            )
    return "\n".join(lines)


def _mark(finding: Finding) -> str:
    return "" if not finding.limit else "holds" if finding.holds else "BROKEN"
