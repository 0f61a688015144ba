"""The full-text index, asked with folded terms: which messages hold them, and whose tickets those are.

Terms are quoted token by token and never read as a query language; the database's own operators cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from supportdesk.desk.model import TicketId, Words
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, marks
from supportdesk.textfold import SENDER, SUBJECT, TOKEN_LIMIT, Term, marked_term

FIELD_MARKS: Final = {"subject": SUBJECT, "from": SENDER}

KEPT_PREFIXES: Final = (2, 3)
"""The lengths of the prefixes that SQLite's index keeps (store.schema_extras)."""

FEW_CONTINUATIONS: Final = 64
"""Words that a prefix is replaced by, at some 10 µs each; where more of them are all rare, they would cost more."""


FEW_TEXTS: Final = 256
"""Texts that are read for a page of messages, at some 5 µs each, instead of the list of words."""


ABOVE_ALL: Final = 2**62
"""More than any message's id."""

NEAR: Final = 400
"""The newest messages that tell how frequent a word is on Postgres."""

WALK_COSTS: Final = 4
"""How much dearer it is there to look at a message on the way than to get one from the index."""


FREQUENT: Final = 20
"""So many hits among them: what any twentieth message holds is soon found in whatever is looked through."""


def match_of(connection: Connection, words: Words) -> str:
    """What the index is asked for; empty for no words."""
    terms = _terms(words)
    if connection.is_postgres:
        return " & ".join(f"({_postgres_term(term)})" for term in terms)
    return " AND ".join(_sqlite_term(connection, term) for term in terms)


def hits(connection: Connection) -> str:
    """The statement that lists the messages of a match, its one parameter."""
    if connection.is_postgres:
        return _INDEXED
    return "SELECT rowid FROM message_search WHERE message_search MATCH ?"


def newest_hits(connection: Connection, match: str, below: int, limit: int, above: int = 0) -> list[int]:
    """The messages of a match between two ids, newest first."""
    if connection.is_postgres:
        return [hit for hit in _newest_on_postgres(connection, match, below, limit) if hit > above]
    sql = f"{hits(connection)} AND rowid < ? AND rowid > ? ORDER BY rowid DESC LIMIT ?"
    return [row[0] for row in connection.execute(sql, (match, below, above, limit))]


def is_frequent(connection: Connection, match: str) -> bool:
    """Whether the newest messages hold these words often (Postgres)."""
    near = _newest_message(connection, ABOVE_ALL) - NEAR
    sql = "SELECT count(*) FROM message_text WHERE search @@ CAST(? AS tsquery) AND message_id > ?"
    return bool(connection.execute(sql, (match, near))[0][0] >= FREQUENT)


def _newest_message(connection: Connection, below: int) -> int:
    return int(connection.execute("SELECT max(message_id) FROM message_text WHERE message_id < ?", (below,))[0][0] or 0)


_WALKED: Final = """SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery)
    AND message_id >= ? AND message_id < ? ORDER BY message_id DESC LIMIT ?"""

# Planned for all hits, however few are wanted of them: by the index.
_INDEXED: Final = """WITH hit AS MATERIALIZED (SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery))
    SELECT message_id FROM hit"""


def _newest_on_postgres(connection: Connection, match: str, below: int, limit: int) -> list[int]:
    """The newest hits, from a walk along the newest messages where these words are frequent there, else from the index.

    GIN gives all messages of a word, in no order. The planner knows both ways too, but takes whatever a word may begin
    for frequent, and so reads every message there is for an order number.
    """
    newest = _newest_message(connection, below)
    found: list[int] = []
    until, span = newest + 1, NEAR
    while True:
        since = max(until - span, 1)
        found += [row[0] for row in connection.execute(_WALKED, (match, since, until, limit - len(found)))]
        if len(found) == limit or since == 1:
            return found
        walked = newest + 1 - since
        wanted = limit * walked // len(found) if found else newest
        if (wanted - walked) * WALK_COSTS > newest * len(found) // walked:
            sql = f"{_INDEXED} WHERE message_id < ? ORDER BY message_id DESC LIMIT ?"
            return [row[0] for row in connection.execute(sql, (match, below, limit))]
        until, span = since, max(wanted - walked, NEAR)


class NewestHits:
    """The messages that hold some words, newest first, a page at a time.

    What the last word may go on with is looked for in SQLite's list of words, which is read past all messages of the
    word itself: 5 ms for a word that half a million messages hold. The newest ones of such a word are quickly found
    without that: those that hold it whole, and those in between whose text holds a word that goes on.
    """

    def __init__(self, connection: Connection, words: Words) -> None:
        self._connection, self._words = connection, words
        self._match: str | None = None
        self._goes_on = None if connection.is_postgres else _goes_on(_terms(words))

    def page(self, below: int, limit: int) -> list[int]:
        """The next messages below an id; fewer than `limit` at the end."""
        whole: list[int] | None = None
        if (last := self._goes_on) is not None:
            whole = newest_hits(self._connection, last.whole, below, limit)
            if len(whole) == limit and (others := self._others_between(whole[-1], below, whole)) is not None:
                return sorted([*whole, *others], reverse=True)[:limit]
            self._goes_on = None
        if self._match is None:
            self._match = match_of(self._connection, self._words)
        if whole is not None and last is not None and self._match == last.whole:
            return whole
        return newest_hits(self._connection, self._match, below, limit) if self._match else []

    def _others_between(self, above: int, below: int, whole: Sequence[int]) -> list[int] | None:
        """The messages between those with the whole word whose word goes on; None for too many texts to be read."""
        assert self._goes_on is not None
        begun = newest_hits(self._connection, self._goes_on.similar, below, len(whole) + FEW_TEXTS + 1, above)
        similar = sorted(set(begun).difference(whole))
        if len(similar) > FEW_TEXTS:
            return None
        sql = f"SELECT message_id FROM message_text WHERE message_id IN ({marks(similar)}) AND {_HOLDS}"
        return [row[0] for row in self._connection.execute(sql, (*similar, self._goes_on.needle))] if similar else []


_HOLDS: Final = "instr(' ' || folded, ?) > 0"


def homes_of(connection: Connection, messages: Sequence[int]) -> list[int]:
    """The ticket of each message, in the order of the messages."""
    homes: dict[int, int] = {}
    for some in groups(messages):
        homes.update(connection.execute(f"SELECT id, ticket_id FROM message WHERE id IN ({marks(some)})", some))
    return [homes[message] for message in messages if message in homes]


def roots_of(connection: Connection, tickets: Iterable[int]) -> list[TicketId]:
    """Each ticket, or the one that it was merged into in the end; without those that do not exist."""
    wanted = list(dict.fromkeys(tickets))
    parents: dict[int, int | None] = {}
    unknown = wanted
    while unknown:
        for some in groups(unknown):
            parents.update(connection.execute(f"SELECT id, merged_into FROM ticket WHERE id IN ({marks(some)})", some))
        unknown = list({parent for parent in parents.values() if parent is not None and parent not in parents})
    roots = []
    for ticket in wanted:
        if ticket not in parents:
            continue
        while (parent := parents[ticket]) is not None:
            ticket = parent
        roots.append(TicketId(ticket))
    return roots


def _terms(words: Words) -> Sequence[Term]:
    return [marked_term(term, FIELD_MARKS[words.field]) for term in words.terms] if words.field else words.terms


@dataclass(frozen=True, slots=True)
class _GoesOn:
    """Matches of one term's whole last word and of words with the same first letters; what a text holds that goes on.

    Every message that holds the word, whole or going on, is one of `similar`.
    """

    whole: str
    similar: str
    needle: str


def _goes_on(terms: Sequence[Term]) -> _GoesOn | None:
    """How SQLite is asked where one term alone may go on, beyond the prefixes that the index keeps."""
    open_ended = [term for term in terms if term.prefix]
    if len(open_ended) != 1 or len(open_ended[0].tokens[-1]) <= max(KEPT_PREFIXES):
        return None
    tokens, kept = open_ended[0].tokens, max(KEPT_PREFIXES)
    begun = f"{_phrase([*tokens[:-1], tokens[-1][:kept]])} *"
    return _GoesOn(
        whole=" AND ".join(_phrase(term.tokens) for term in terms),
        similar=" AND ".join(begun if term.prefix else _phrase(term.tokens) for term in terms),
        needle=f" {' '.join(tokens)}",
    )


# Each step finds the next word of the index, or the next two letters that begin one, and reads nothing of its messages.
_CONTINUATIONS: Final = """WITH RECURSIVE found (word) AS (
        SELECT (SELECT term FROM message_search_word WHERE term >= ? AND term < ? LIMIT 1)
        UNION ALL SELECT (SELECT term FROM message_search_word
                WHERE term >= substr(found.word, 1, ?) || char(?) AND term < ? LIMIT 1)
            FROM found WHERE found.word IS NOT NULL)
    SELECT substr(word, 1, ?) FROM found WHERE word IS NOT NULL LIMIT ?"""
_BEFORE_LETTERS, _AFTER_LETTERS = 1, 0x10FFFF


def _sqlite_term(connection: Connection, term: Term) -> str:
    """A prefix as all that it may be the beginning of, where that is little.

    Of a prefix the index merges all messages before it gives the first one, however few are wanted, but for those of
    two or three letters, which it keeps; the messages of a word it gives one by one.
    """
    *before, last = term.tokens
    if not term.prefix:
        return _phrase(term.tokens)
    if len(last) in KEPT_PREFIXES:
        return _phrase(term.tokens) + " *"
    is_letter = len(last) < KEPT_PREFIXES[0]
    length, past = (KEPT_PREFIXES[0], _AFTER_LETTERS) if is_letter else (TOKEN_LIMIT, _BEFORE_LETTERS)
    begin, end = last + chr(_BEFORE_LETTERS) * is_letter, last + chr(_AFTER_LETTERS)
    rows = connection.execute(_CONTINUATIONS, (begin, end, length, past, end, length, FEW_CONTINUATIONS + 1))
    if len(rows) > FEW_CONTINUATIONS:
        return _phrase(term.tokens) + " *"
    found = [_phrase([*before, row[0]]) + " *" * is_letter for row in rows]
    if is_letter or not found:
        found.insert(0, _phrase(term.tokens))
    return found[0] if len(found) == 1 else f"({' OR '.join(found)})"


def _phrase(tokens: Sequence[str]) -> str:
    phrase = " ".join(tokens).replace('"', '""')
    return f'"{phrase}"'


def _postgres_term(term: Term) -> str:
    quoted = ["'" + token.replace("\\", "\\\\").replace("'", "''") + "'" for token in term.tokens]
    return " <-> ".join(quoted) + (":*" if term.prefix else "")
