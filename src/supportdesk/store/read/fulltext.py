"""The full-text index, asked with folded terms: which messages hold them, and whose tickets those are.

Terms are quoted token by token and never read as a query language; the database's own operators cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from supportdesk.desk.model import TicketId, Words
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, marks
from supportdesk.textfold import SENDER, SUBJECT, TOKEN_LIMIT, Term, marked_term

_MARKS: Final = {"subject": SUBJECT, "from": SENDER}

KEPT_PREFIXES: Final = (2, 3)
"""The lengths of the prefixes that SQLite's index keeps (store.schema_extras)."""

FEW_CONTINUATIONS: Final = 64
"""Words that a prefix is replaced by, at some 10 µs each; where more of them are all rare, they would cost more."""


def match_of(connection: Connection, words: Words) -> str:
    """What the index is asked for; empty for no words."""
    terms = [marked_term(term, _MARKS[words.field]) for term in words.terms] if words.field else words.terms
    if connection.is_postgres:
        return " & ".join(f"({_postgres_term(term)})" for term in terms)
    return " AND ".join(_sqlite_term(connection, term) for term in terms)


def hits(connection: Connection) -> str:
    """The statement that lists the messages of a match, its one parameter."""
    if connection.is_postgres:
        return "SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery)"
    return "SELECT rowid FROM message_search WHERE message_search MATCH ?"


def newest_hits(connection: Connection, match: str, below: int, limit: int) -> list[int]:
    """The next messages of a match below an id, newest first."""
    column = "message_id" if connection.is_postgres else "rowid"
    sql = f"{hits(connection)} AND {column} < ? ORDER BY {column} DESC LIMIT ?"
    return [row[0] for row in connection.execute(sql, (match, below, limit))]


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
    return f"({' OR '.join(found)})"


def _phrase(tokens: Sequence[str]) -> str:
    phrase = " ".join(tokens).replace('"', '""')
    return f'"{phrase}"'


def _postgres_term(term: Term) -> str:
    quoted = ["'" + token.replace("\\", "\\\\").replace("'", "''") + "'" for token in term.tokens]
    return " <-> ".join(quoted) + (":*" if term.prefix else "")
