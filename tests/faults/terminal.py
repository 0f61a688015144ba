"""What a terminal must never get, and never be taken at its word for, at length: D02, D05 and D07 of reliability.md.

Strips: random hostile text through twenty widgets' lines and the last filter, no forbidden character left. Widths: the
cells that we count, that wcwidth counts and that a terminal's cursor moves are the same. Answers: whatever a terminal
says by itself, in whatever pieces, is no key. A run is five strips' worth of each: `--runs 100000` is the full size.
"""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pyte
from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.color import Color
from wcwidth import wcswidth, wcwidth

from supportdesk.safetext import SafeText, safe
from supportdesk.tui.answers import TypingParser
from supportdesk.tui.widgets.guard import ControlFilter
from tests.tui.hostile import FORBIDDEN, PAYLOADS
from tests.tui.replies import terminal_reply

LETTERS: Final = (
    "abc è ß ł 漢字 ｶﾞ 👩 ❤ 🇮 שלום شكرا ไทย नमस्ते 한국 ☎️ 1️⃣ Å ﬁ … – — ⟦ □ \u0301 \u200d \ufe0f \U0001f3fd".split()
)
COLUMNS: Final = 400
VIRAMA: Final = 9  # its canonical combining class
DISPUTED: Final = frozenset({"Mc", "Me", "Cn"})
TOLD: Final = 20


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    chance, started = random.Random(seed), time.monotonic()
    wrong: list[str] = []
    for _number in range(runs):
        text = hostile_text(chance)
        wrong += strips(text)
        wrong += widths(safe(text))
        if len(wrong) > TOLD:
            break
    answers = max(1, runs // 50)
    wrong += typed_by_answers(chance, answers)
    return {
        "part": "terminal", "seed": seed, "runs": runs, "strips": runs, "widths": runs, "answers": answers,
        "seconds": round(time.monotonic() - started, 1), "wrong": wrong[:TOLD],
    }  # fmt: skip


def hostile_text(chance: random.Random) -> str:
    """Payloads, letters of many scripts and any character there is, mixed."""
    pieces = []
    for _number in range(chance.randint(1, 8)):
        kind = chance.random()
        if kind < 0.4:
            pieces.append(chance.choice(PAYLOADS))
        elif kind < 0.8:
            pieces.append(chance.choice(LETTERS))
        else:
            pieces.append(chr(chance.choice((chance.randrange(0x3000), chance.randrange(0x110000)))))
    return "".join(pieces)


def strips(text: str) -> list[str]:
    """What stands behind every widget, given the text as a careless one would paint it, and as a careful one does."""
    wrong = []
    for given in (text, safe(text), safe(text, multiline=True)):
        for line in given.split("\n"):
            [segment] = ControlFilter().apply([Segment(line)], Color(0, 0, 0))
            if FORBIDDEN.search(segment.text.replace("\u200d", "").replace("\ufe0f", "")):
                wrong.append(f"strip: {text!r} became {segment.text!r}")
    return wrong


def widths(text: SafeText) -> list[str]:
    """Our count of cells against wcwidth's and a terminal's, on a line that is wide enough.

    Without what no two of them agree on: spacing and enclosing marks and viramas on letters of another script, as here,
    and characters that this Python's Unicode does not know yet. pyte stops at a zero-width one that combines nothing.
    """
    shown = "".join(one for one in text if not _is_disputed(one))[: COLUMNS // 2 - 1]
    [segment] = ControlFilter().apply([Segment(shown)], Color(0, 0, 0))
    counted = cell_len(segment.text)
    wrong = []
    if (theirs := wcswidth(segment.text)) != counted:
        wrong.append(f"width: wcwidth says {theirs}, we {counted}: {segment.text!r}")
    stops = any(wcwidth(one) == 0 and not unicodedata.combining(one) for one in segment.text)
    if not stops and (moved := cells_moved(segment.text)) != counted:
        wrong.append(f"width: the cursor moved {moved}, we count {counted}: {segment.text!r}")
    return wrong


def _is_disputed(character: str) -> bool:
    return unicodedata.category(character) in DISPUTED or unicodedata.combining(character) == VIRAMA


def cells_moved(text: str) -> int:
    screen = pyte.Screen(COLUMNS, 2)
    pyte.Stream(screen).feed(text)
    return int(screen.cursor.x)


def typed_by_answers(chance: random.Random, count: int) -> list[str]:
    """Each answer whole and cut into pieces, as a slow line brings it."""
    wrong = []
    for _number in range(count):
        answer = terminal_reply(chance).decode()
        for pieces in ([answer], list(_pieces(answer, chance))):
            parser = TypingParser()
            heard = [event for piece in pieces for event in parser.feed(piece)]
            if keys := [event.key for event in heard if isinstance(event, events.Key)]:
                wrong.append(f"answer: {pieces!r} typed {keys}")
    return wrong


def _pieces(text: str, chance: random.Random) -> Iterator[str]:
    """Two or three pieces, the introducer whole."""
    cuts = sorted({3, *(chance.randrange(3, len(text)) for _ in range(2)), len(text)})
    yield text[:3]
    for start, end in pairwise(cuts):
        yield text[start:end]
