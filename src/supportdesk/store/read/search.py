"""Full-text search: newest message first, words in any order, the last one as a prefix.

What was typed is folded by `textfold`, quoted token by token and never read as a query language; the database's own
operators cannot be reached from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from supportdesk.desk.model import TicketId
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, marks
from supportdesk.textfold import Term, fold_query

PAGE: Final = 200
NEWEST_FIRST: Final = 2**62

_NUMBER = re.compile(r"\s*#?(\d{1,9})\s*")


def search_tickets(connection: Connection, text: str, limit: int) -> list[TicketId]:
    """Tickets with a message that holds all words, the newest message first; a merged one counts as its survivor.

    A number finds the ticket of that number before all others.
    """
    found: dict[TicketId, None] = {}
    if number := _NUMBER.fullmatch(text):
        for root in _roots(connection, [int(number[1])]):
            found[root] = None
    match = _match(connection, fold_query(text))
    below = NEWEST_FIRST
    while match and len(found) < limit:
        messages = _page(connection, match, below)
        for root in _roots(connection, _homes(connection, messages)):
            found.setdefault(root)
        if len(messages) < PAGE:
            break
        below = messages[-1]
    return list(found)[:limit]


def holds_text(connection: Connection, text: str) -> tuple[str, list[Any]]:
    """The condition, with its parameters, that `search_tickets` would find a ticket in the end.

    The hits are gathered once, by their ids alone; each ticket that is looked at asks whether one of its messages, or
    of those of a ticket that was merged into it, is among them. `IS TRUE` keeps Postgres from making a join of it.
    """
    found: list[str] = []
    params: list[Any] = []
    if match := _match(connection, fold_query(text)):
        hits = (
            "SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery)"
            if connection.is_postgres
            else "SELECT rowid FROM message_search WHERE message_search MATCH ?"
        )
        found.append(_HOLDS_A_HIT.format(hits=hits))
        params.append(match)
    if number := _NUMBER.fullmatch(text):
        found.append("ticket.id = ?")
        params.append(next(iter(_roots(connection, [int(number[1])])), 0))
    return f"({' OR '.join(found) or '1 = 0'})", params


_HOLDS_A_HIT: Final = """EXISTS (
    WITH RECURSIVE family (id) AS (
        SELECT ticket.id UNION ALL SELECT merged.id FROM family JOIN ticket AS merged ON merged.merged_into = family.id)
    SELECT 1 FROM family JOIN message ON message.ticket_id = family.id WHERE (message.id IN ({hits})) IS TRUE)"""


def _match(connection: Connection, terms: Sequence[Term]) -> str:
    if connection.is_postgres:
        return " & ".join(f"({_postgres_term(term)})" for term in terms)
    return " ".join(_sqlite_term(term) for term in terms)


def _sqlite_term(term: Term) -> str:
    phrase = " ".join(term.tokens).replace('"', '""')
    return f'"{phrase}"' + (" *" if term.prefix else "")


def _postgres_term(term: Term) -> str:
    quoted = ["'" + token.replace("\\", "\\\\").replace("'", "''") + "'" for token in term.tokens]
    return " <-> ".join(quoted) + (":*" if term.prefix else "")


def _page(connection: Connection, match: str, below: int) -> list[int]:
    if connection.is_postgres:
        sql = (
            "SELECT message_id FROM message_text WHERE search @@ CAST(? AS tsquery) AND message_id < ?"
            " ORDER BY message_id DESC LIMIT ?"
        )
    else:
        sql = "SELECT rowid FROM message_search WHERE message_search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    return [row[0] for row in connection.execute(sql, (match, below, PAGE))]


def _homes(connection: Connection, messages: Sequence[int]) -> list[int]:
    """The ticket of each message, in the order of the messages."""
    homes: dict[int, int] = {}
    for some in groups(messages):
        homes.update(connection.execute(f"SELECT id, ticket_id FROM message WHERE id IN ({marks(some)})", some))
    return [homes[message] for message in messages if message in homes]


def _roots(connection: Connection, tickets: Iterable[int]) -> list[TicketId]:
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
