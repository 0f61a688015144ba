"""What the headless run found: numbers, and what of them must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

OUTCOMES = ("message", "note", "parked", "duplicate", "echo", "gone")
_NAMES = {"message": "messages", "note": "notes", "duplicate": "duplicates", "echo": "echoes"}


@dataclass(slots=True)
class Report:
    """The numbers of one run; `problems` are sentences about what was seen to be wrong on the way."""

    delivered: int = 0
    delivered_over_smtp: int = 0
    ours_in_sent: int = 0
    fetched: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    tickets: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    replies: int = 0
    replies_by_language: dict[str, int] = field(default_factory=dict)
    replies_received: int = 0
    answers: int = 0
    answers_threaded: int = 0
    left_in_outbox: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def checks(self) -> Mapping[str, bool]:
        """What must hold, in words."""
        return {
            "every mail delivered was fetched": 0 < self.delivered == self.fetched,
            "every mail fetched has exactly one outcome": self.fetched == sum(self.outcomes.values()),
            "replies were sent": self.replies > 0,
            "every customer got his reply": self.replies == self.replies_received,
            "every answer joined its ticket": 0 < self.answers == self.answers_threaded,
            "nothing is left in the outbox": self.left_in_outbox == 0,
            "nothing went wrong on the way": not self.problems,
        }

    @property
    def holds(self) -> bool:
        return all(self.checks.values())

    def to_json(self) -> dict[str, Any]:
        return {"ok": self.holds, **asdict(self), "checks": dict(self.checks)}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        outcomes = " + ".join(
            f"{self.outcomes[name]} {_NAMES.get(name, name)}" for name in OUTCOMES if self.outcomes.get(name)
        )
        yield f"mails      {self.delivered} delivered = {self.fetched} fetched = {outcomes}"
        yield (
            f"           {self.delivered_over_smtp} of them over SMTP while the worker ran, "
            f"{self.ours_in_sent} answers of ours in Sent"
        )
        yield f"tickets    {self.tickets}: {_counted(self.languages)}"
        yield f"replies    {self.replies} sent = {self.replies_received} received: {_counted(self.replies_by_language)}"
        yield f"answers    {self.answers} from the customers = {self.answers_threaded} on their tickets"
        yield f"outbox     {self.left_in_outbox} left"
        yield f"seconds    {', '.join(f'{name} {spent:.1f}' for name, spent in self.seconds.items())}"
        for name, held in self.checks.items():
            yield f"{'ok    ' if held else 'FAILED'}     {name}"
        for problem in self.problems:
            yield f"           {problem}"


def _counted(numbers: Mapping[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {name or 'unknown'}" for name, count in ordered)
