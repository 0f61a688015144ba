"""The signs that stand beside every colour: a table for Unicode terminals and one for plain ASCII (`--ascii`).

Every sign is one cell wide in every terminal: no emoji, nothing that needs a variation selector. The signs that our
sentences hold, and frames, are made plain in the last line that a terminal gets (`AsciiFilter`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color


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

_PLAIN: Final = {
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–—―−·─━═╌╍┄┅┈┉╴╶", "-"),
    **dict.fromkeys("│┃║╎╏┆┇┊┋╵╷", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬╭╮╯╰", "+"),
    **dict.fromkeys("▀▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▐▔▕░▒▓■", "#"),
    **dict.fromkeys("□\ufffd", "?"),
    **dict.fromkeys("›→▸▶►", ">"),
    **dict.fromkeys("‹←◂◀◄", "<"),
    **dict.fromkeys("•⚙", "*"),
    **dict.fromkeys("×✓✗✎", "x"),
    **dict.fromkeys("▾▼↓", "v"),
    **dict.fromkeys("▴▲↑", "^"),
    **dict.fromkeys("\u00a0\u202f", " "),
    "…": "~",
    "⟦": "[",
    "⟧": "]",
    "≤": "<",
    "≥": ">",
}
"""Punctuation, arrows and frames of one cell, and what stands for them."""

_SIGNS: Final = re.compile(f"[{re.escape(''.join(_PLAIN))}]")


def as_ascii(text: str) -> str:
    """Signs in ASCII, in as many cells; letters of any script, digits and marks stay: they are somebody's words.

    A dot between letters is one of them (Catalan `col·lega`).
    """
    if text.isascii():
        return text
    return _SIGNS.sub(lambda found: found[0] if _is_within_a_word(found) else _PLAIN[found[0]], text)


def _is_within_a_word(found: re.Match[str]) -> bool:
    around = found.string[max(0, found.start() - 1) : found.start()], found.string[found.end() : found.end() + 1]
    return found[0] == "·" and all(one.isalpha() for one in around)


class AsciiFilter(LineFilter):
    """Makes the signs of every line plain, whoever wrote them there."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, unless one holds such a sign."""
        if all(text.isascii() for text, _, _ in segments):
            return segments
        return [Segment(as_ascii(text), style, control) for text, style, control in segments]
