"""The signs that stand beside every colour: a table for Unicode terminals and one for plain ASCII (`--ascii`).

Every sign is one cell wide in every terminal: no emoji, nothing that needs a variation selector.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One sign for each thing that the console marks."""

    cursor: str
    selected: str
    changed: str
    overdue: str
    attachment: str
    closed_fold: str
    open_fold: str
    note: str
    incoming: str
    outgoing: str
    machine: str
    event: str
    waiting: str
    sent: str
    failed: str
    uncertain: str
    bar: str
    rule: str
    separator: str
    missing: str
    ellipsis: str


UNICODE = Glyphs(
    cursor="▌",
    selected="✓",
    changed="•",
    overdue="!",
    attachment="+",
    closed_fold="▸",
    open_fold="▾",
    note="✎",
    incoming="←",
    outgoing="→",
    machine="⚙",
    event="·",
    waiting="…",
    sent="✓",
    failed="✗",
    uncertain="?",
    bar="│",
    rule="─",
    separator="·",
    missing="—",
    ellipsis="…",
)

ASCII = Glyphs(
    cursor=">",
    selected="x",
    changed="*",
    overdue="!",
    attachment="+",
    closed_fold=">",
    open_fold="v",
    note="#",
    incoming="<",
    outgoing=">",
    machine="@",
    event="-",
    waiting=".",
    sent="=",
    failed="X",
    uncertain="?",
    bar="|",
    rule="-",
    separator="-",
    missing="-",
    ellipsis="~",
)
