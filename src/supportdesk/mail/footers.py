"""The legal notices below a mail (PARSE-13): paragraphs at its end that say nothing of what the person wants.

Recognised by what they say, not by how often they came: most customers write once, and reading a mail again has to
find the same. Only whole paragraphs are folded, only below something that a person wrote, and never a question.
"""

from __future__ import annotations

import re

from supportdesk.mail.legal_words import (
    BEFORE_PRINTING,
    CONFIDENTIAL,
    FIRST_PERSON,
    FIRST_PERSON_VERBS,
    MISDIRECTED,
    THIS_MESSAGE,
)
from supportdesk.mail.model import Fold

_LOOKED_AT = 10_000  # characters, from the end of what is not folded
_SHORTEST = 120
_LONGEST_HINT = 250
_PARAGRAPH = re.compile(r"(?:[^\n]*[^\s][^\n]*\n?)+")


def legal_notices(text: str, folds: tuple[Fold, ...]) -> tuple[Fold, ...]:
    """The folds and those of the notices, in order."""
    found: list[Fold] = []
    at = 0
    for fold in (*folds, Fold(len(text), len(text), "")):
        if fold.start > at:
            found += _notices_in(text, at, fold.start)
        at = fold.end
    if not found:
        return folds
    return tuple(sorted((*folds, *found), key=lambda fold: fold.start))


def _notices_in(text: str, start: int, end: int) -> list[Fold]:
    """The notices that end one stretch of text which is not folded; there is something else above them."""
    first = max(start, end - _LOOKED_AT)
    paragraphs = [(match.start(), match.end()) for match in _PARAGRAPH.finditer(text, first, end)]
    found: list[Fold] = []
    while len(paragraphs) > 1 or (paragraphs and first > 0):
        begin, stop = paragraphs.pop()
        if not _is_notice(text[begin:stop]):
            break
        found.append(Fold(begin, stop, "signature"))
    return found


def _is_notice(paragraph: str) -> bool:
    folded = " ".join(paragraph.casefold().split())
    if "?" in folded or len(folded) > _LOOKED_AT // 2:
        return False
    if len(folded) <= _LONGEST_HINT and any(words in folded for words in BEFORE_PRINTING):
        return True
    if len(folded) < _SHORTEST or any(words in folded for words in FIRST_PERSON_VERBS):
        return False
    if not FIRST_PERSON.isdisjoint(re.split(r"[\s.,;:!()]+", folded)):
        return False
    return all(any(word in folded for word in words) for words in (THIS_MESSAGE, CONFIDENTIAL, MISDIRECTED))
