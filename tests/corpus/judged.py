"""The written judgements: where we and another reader differ, who is right and why (`judgements.toml`).

A judgement is about one pair of readings, so each name carries a digest of the pair: when one of the two changes, it is
judged again.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from tests.corpus.findings import Finding, at_least

Side = Literal["ours", "theirs", "both"]
FILE: Final = Path(__file__).with_name("judgements.toml")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`right`: whose reading serves the people at the desk; "both" is two spellings of the same."""

    right: Side
    reason: str


@dataclass
class Comparison:
    """One thing that another reader says as well, mail by mail."""

    peer: str
    what: str
    least: float
    total: int = 0
    differing: list[tuple[str, str, str, str]] = field(default_factory=list)  # name, digest, theirs, ours

    def add(self, name: str, theirs: Any, ours: Any) -> None:
        self.total += 1
        if theirs != ours:
            self.differing.append((name, _digest(theirs, ours), _short(theirs), _short(ours)))

    def findings(self) -> list[Finding]:
        """The share before and after the judgements."""
        known = judgements(self.peer, self.what)
        judged = {row[0]: known.get(f"{row[0]} {row[1]}") for row in self.differing}
        met = self.total - len(self.differing)
        accepted = sum(1 for one in judged.values() if one is not None and one.right != "theirs")
        details = [self._line(row, judged[row[0]]) for row in self.differing]
        bare = f"{met / self.total:.2%} as they are" if self.total else ""
        counted = at_least(f"{self.peer}: {self.what}", met + accepted, self.total, self.least, details)
        unjudged = [line for row, line in zip(self.differing, details, strict=True) if judged[row[0]] is None]
        return [
            Finding(counted.measure, f"{counted.found}, {bare}", counted.limit, counted.holds, counted.details),
            Finding(f"{self.peer}: {self.what}, not judged", f"{len(unjudged)}", "", True, tuple(unjudged)),
        ]

    def _line(self, row: tuple[str, str, str, str], judgement: Judgement | None) -> str:
        name, digest, theirs, ours = row
        verdict = f"{judgement.right}: {judgement.reason}" if judgement else "not judged"
        return f"{name} {digest} [{verdict}] they: {theirs} | we: {ours}"


def judgements(peer: str, what: str) -> dict[str, Judgement]:
    """By "name digest"."""
    found: dict[str, Judgement] = {}
    for entry in tomllib.loads(FILE.read_text("utf-8")).get("judgement", []):
        if (entry["peer"], entry["what"]) == (peer, what):
            judgement = Judgement(entry["right"], " ".join(entry["reason"].split()))
            found.update(dict.fromkeys(entry["of"], judgement))
    return found


def _digest(theirs: Any, ours: Any) -> str:
    return hashlib.sha256(repr((theirs, ours)).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 300 else f"{text[:297]}…"
