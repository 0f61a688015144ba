"""`sort:relevance`: which tickets hold the words of a query best, the same on both databases.

The newest 2,000 messages that hold the words are scored with BM25, with themselves as the collection; a ticket is as
good as its best message. The databases' own rankings read every hit there is and agree with each other on nothing;
what is older than these hits is not ranked, and stands after them in the order that the list has otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from typing import Final

from supportdesk.desk.model import AllOf, AnyOf, Condition, Numbered, TicketId, Words
from supportdesk.store.connect import Connection
from supportdesk.store.read.fulltext import ABOVE_ALL, FIELD_MARKS, NewestHits, homes_of, roots_of
from supportdesk.store.statements import groups, marks
from supportdesk.textfold import SUBJECT, Term, marked_term

RANKED: Final = 2_000
"""Messages that are scored, at some 7 µs each."""

TEXTS_AT_ONCE: Final = 250
"""Texts that are in memory together: one has 200,000 characters at most."""

SATURATION: Final = 1.2
LENGTH: Final = 0.75
"""k1 and b of BM25, as they are usual."""

SUBJECT_WEIGHT: Final = 4
"""A word of the subject counts as so many more of the text: what a mail says it is about, it mostly is."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """What a condition is ranked by. A message that holds one of `candidates` is scored; its ticket meets the condition
    if it meets `rest`. The tickets of these `numbers` go before all others.
    """

    candidates: tuple[Words, ...] = ()
    numbers: tuple[int, ...] = ()
    rest: Condition | None = None


def ranking_of(condition: Condition | None) -> Ranking | None:
    """None for a condition that nothing can be ranked by, because it asks for no words."""
    match condition:
        case Words():
            return Ranking((condition,))
        case Numbered(number):
            return Ranking(numbers=(number,))
        case AnyOf(parts):
            found = [one for part in parts if (one := ranking_of(part)) is not None]
            if not found:
                return None
            return Ranking(
                tuple(chain.from_iterable(one.candidates for one in found)),
                tuple(chain.from_iterable(one.numbers for one in found)),
                condition if any(one.rest is not None for one in found) else None,
            )
        case AllOf(parts):
            in_order = sorted(parts, key=lambda part: not isinstance(part, Words) or part.field != "")
            for part in in_order:
                if (one := ranking_of(part)) is not None:
                    others = tuple(other for other in parts if other is not part or one.rest is not None)
                    return Ranking(one.candidates, one.numbers, AllOf(others) if others else None)
    return None


def best_first(connection: Connection, condition: Condition, ranking: Ranking) -> Iterator[list[TicketId]]:
    """The tickets of the scored messages in groups, the best first, the newer first where two are as good.

    A merged ticket counts as its survivor. A ticket comes once more for each of its messages in another group.
    """
    if ranking.numbers:
        yield roots_of(connection, ranking.numbers)
    hits = {hit for words in ranking.candidates for hit in NewestHits(connection, words).page(ABOVE_ALL, RANKED)}
    messages = sorted(hits, reverse=True)[:RANKED]
    for some in groups(_by_score(connection, messages, _asked_in(condition))):
        yield roots_of(connection, homes_of(connection, some))


def _asked_in(condition: Condition) -> list[_Asked]:
    """Every term that a condition wants, once."""
    wanted = dict.fromkeys((term, words.field) for words in _wanted(condition) for term in words.terms)
    return [_Asked(term, field) for term, field in wanted]


def _wanted(condition: Condition) -> Iterator[Words]:
    match condition:
        case Words():
            yield condition
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _wanted(part)


class _Asked:
    """A term as bytes between spaces: what SQLite gives as bytes need not become Python's text to be counted."""

    def __init__(self, term: Term, field: str) -> None:
        self._plain = _between_spaces(marked_term(term, FIELD_MARKS[field]) if field else term)
        self._subject = b"" if field else _between_spaces(marked_term(term, SUBJECT))

    def times(self, texts: Sequence[bytes]) -> list[int]:
        """How often each text holds it; what is said twice in a row is said once."""
        found = [text.count(self._plain) for text in texts]
        if not self._subject:
            return found
        subject = self._subject
        return [some + SUBJECT_WEIGHT * text.count(subject) for some, text in zip(found, texts, strict=True)]


def _between_spaces(term: Term) -> bytes:
    return f" {' '.join(term.tokens)}{'' if term.prefix else ' '}".encode()


def _by_score(connection: Connection, messages: Sequence[int], asked: Sequence[_Asked]) -> list[int]:
    """The messages by their BM25 score, the newest first of equal ones.

    S. Robertson, H. Zaragoza: The Probabilistic Relevance Framework: BM25 and Beyond (2009), 3.4; the weight of the
    subject as in their BM25F, 3.6. A text's length is its bytes. The 1 that is added inside the logarithm makes a word
    that all hits hold worth little, not less than nothing.
    """
    numbers: list[int] = []
    lengths: list[int] = []
    held: list[list[int]] = [[] for _each in asked]
    for some in groups(messages, TEXTS_AT_ONCE):
        found = _texts(connection, some)
        numbers += found
        lengths += map(len, found.values())
        for one, column in zip(asked, held, strict=True):
            column += one.times([*found.values()])
    count, mean = len(numbers), sum(lengths) / max(len(lengths), 1)
    damped = [SATURATION * (1 - LENGTH + LENGTH * length / mean) for length in lengths]
    scores = [0.0] * count
    for column in held:
        hits = count - column.count(0)
        worth = log(1 + (count - hits + 0.5) / (hits + 0.5)) * (SATURATION + 1)
        scores = [
            score + worth * times / (times + damp) for score, times, damp in zip(scores, column, damped, strict=True)
        ]
    return [number for _score, number in sorted(zip(scores, numbers, strict=True), reverse=True)]


def _texts(connection: Connection, messages: Sequence[int]) -> dict[int, bytes]:
    """The folded text of each message, between two spaces."""
    text = "' ' || folded || ' '" if connection.is_postgres else "CAST(' ' || folded || ' ' AS BLOB)"
    sql = f"SELECT message_id, {text} FROM message_text WHERE message_id IN ({marks(messages)})"
    return {
        number: found.encode() if isinstance(found, str) else found
        for number, found in connection.execute(sql, messages)
    }
