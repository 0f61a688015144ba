"""The full-text index, asked with folded terms: which messages hold them, and whose tickets those are.

Terms are quoted token by token and never read as a query language; the database's own operators cannot be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from supportdesk.desk.model import TicketId, Words
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, marks
from supportdesk.textfold import SENDER, SUBJECT, Term, marked_term

_MARKS: Final = {"subject": SUBJECT, "from": SENDER}


def match_of(connection: Connection, words: Words) -> str:
    """What the index is asked for; empty for no words."""
    terms = [marked_term(term, _MARKS[words.field]) for term in words.terms] if words.field else words.terms
    if connection.is_postgres:
        return " & ".join(f"({_postgres_term(term)})" for term in terms)
    return " ".join(_sqlite_term(term) for term in terms)


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


def _sqlite_term(term: Term) -> str:
    phrase = " ".join(term.tokens).replace('"', '""')
    return f'"{phrase}"' + (" *" if term.prefix else "")


def _postgres_term(term: Term) -> str:
    quoted = ["'" + token.replace("\\", "\\\\").replace("'", "''") + "'" for token in term.tokens]
    return " <-> ".join(quoted) + (":*" if term.prefix else "")
