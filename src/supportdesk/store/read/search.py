"""Search through all tickets: by words the newest message first, else in the order of the query."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from supportdesk.desk.model import EVERYTHING, AgentId, AllOf, AnyOf, Condition, Numbered, Query, TicketId, Words
from supportdesk.store.connect import Connection
from supportdesk.store.read.fulltext import ABOVE_ALL, NewestHits, homes_of, roots_of
from supportdesk.store.read.queue import read_ids

SMALLEST_PAGE: Final = 20
MESSAGES_A_TICKET: Final = 3
"""How many a ticket has that hold the same frequent word: a screen of tickets is then one page of messages."""
LARGEST_PAGE: Final = 5_000


def search_tickets(
    connection: Connection, query: Query, *, agent_id: AgentId | None, now: datetime, limit: int
) -> list[TicketId]:
    """Tickets with a message that holds all words, the newest message first; a merged one counts as its survivor.

    A number finds the ticket of that number before all others. Who looks for nothing finds nothing.
    """
    if query == EVERYTHING:
        return []
    found: dict[TicketId, None] = {}
    words, rest = _words_and_rest(query.condition)
    if isinstance(query.condition, AnyOf) and isinstance(number := query.condition.parts[0], Numbered):
        found = dict.fromkeys(roots_of(connection, [number.number]))
    if words is None or query.sort:
        more = read_ids(connection, "all", agent_id=agent_id, now=now, query=query, limit=limit)
        return list(dict.fromkeys([*found, *more]))[:limit]
    newest, below, page = NewestHits(connection, words), ABOVE_ALL, SMALLEST_PAGE + limit * MESSAGES_A_TICKET
    while len(found) < limit:
        page = min(page, LARGEST_PAGE)
        messages = newest.page(below, page)
        tickets = roots_of(connection, homes_of(connection, messages))
        if rest is not None or query.view:
            left = Query(rest, query.view)
            members = set(read_ids(connection, "all", agent_id=agent_id, now=now, query=left, limit=0, among=tickets))
            tickets = [ticket for ticket in tickets if ticket in members]
        found |= dict.fromkeys(tickets)
        if len(messages) < page:
            break
        below, page = messages[-1], page * 2
    return list(found)[:limit]


def _words_and_rest(condition: Condition | None) -> tuple[Words | None, Condition | None]:
    """The words that every ticket of a query must hold, and what it asks besides."""
    match condition:
        case Words():
            return condition, None
        case AnyOf((Numbered(), Words() as words)):
            return words, None
        case AllOf(parts):
            held = next((part for part in parts if isinstance(part, Words)), None)
            return held, AllOf(tuple(part for part in parts if part is not held))
    return None, condition
