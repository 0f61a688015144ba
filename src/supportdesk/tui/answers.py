"""What a terminal says by itself is no typing: its answers are taken out of the input before it is read for keys.

Textual reads a sequence that it does not know as the keys that its characters would be: the answer to a question about
the terminal, which a file shown with `cat` may have asked, would act on tickets. Pure but for the clock it is given.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.message import Message

ALT_KEY_AFTER: Final = 0.1
"""Seconds after which an introducer alone was a key with alt."""

BROKEN_OFF_AFTER: Final = 1.0
"""Seconds after which what has begun as an answer is not going to end."""

LONGEST: Final = 8_192

_STRING: Final = re.compile("\x1b[PX\\]^_][^\x07\x1b]*(?:\x07|\x1b\\\\)")  # DCS, SOS, OSC, PM, APC (ECMA-48 8.3)
_BEGUN: Final = re.compile("\x1b(?:[PX\\]^_][^\x07\x1b]*\x1b?|\\[[?>=][0-?]*[ -/]*)\\Z")
_CONTROL: Final = re.compile("\x1b\\[([?>=]?)([0-9:;]*)([ -/]*)([@-~])")


class AnswerFilter:
    """Takes the answers out of a stream of input, whatever pieces it comes in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held, self._since = "", 0.0

    def feed(self, data: str) -> str:
        """What of this piece, and of what was held before it, was typed."""
        data, self._held = self._held + data, ""
        typed = _CONTROL.sub(_kept, _STRING.sub("", data))
        begun = _BEGUN.search(typed)
        if begun is None:
            return typed
        self._held, self._since = begun[0][:LONGEST], self._clock()
        return typed[: begun.start()]

    def overdue(self) -> str:
        """What was held and is a key after all; a broken answer is dropped."""
        waited = self._clock() - self._since
        if len(self._held) == 2 and waited >= ALT_KEY_AFTER:
            typed, self._held = self._held, ""
            return typed
        if self._held and waited >= BROKEN_OFF_AFTER:
            self._held = ""
        return ""


class TypingParser(XTermParser):
    """Textual's parser, which gets to see only what was typed, pasted or done with the mouse."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._answers = AnswerFilter()

    def feed(self, data: str) -> Iterable[Message]:
        if not data:  # the end of the input
            return super().feed(data)
        typed = self._answers.feed(data)
        return super().feed(typed) if typed else ()

    def tick(self) -> Iterable[Message]:
        if typed := self._answers.overdue():
            yield from super().feed(typed)
        yield from super().tick()


def _kept(found: re.Match[str]) -> str:
    """A control sequence that is a key, the mouse, the focus, a paste or a mode that Textual asks for; else nothing."""
    private, numbers, between, final = found.groups()
    if found[0] in ANSI_SEQUENCES_KEYS:
        return found[0]
    if final == "t":
        return found[0] if numbers.startswith("48;") else ""
    if private or between:
        return found[0] if (private, between, final) == ("?", "$", "y") else ""
    return "" if final in "cnx" else found[0]
