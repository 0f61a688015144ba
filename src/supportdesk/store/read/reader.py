"""The reads of a store (desk.ports.Reader): plain DB-API, no SQLAlchemy; each method borrows a connection."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from supportdesk.desk.model import (
    EVERYTHING,
    ActionId,
    AgentId,
    CustomerId,
    CustomerView,
    EventRow,
    OutboxRow,
    Query,
    QueueRow,
    ThreadEntry,
    Ticket,
    TicketId,
)  # fmt: skip
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address
from supportdesk.store.connect import Pool
from supportdesk.store.hydrate import ticket_from
from supportdesk.store.read import feed, following, lists, narrow, queue, search, thread
from supportdesk.store.statements import select_rows

Row = Mapping[str, Any]


class SqlReader:
    """The reads of one store; every method may be called from any thread."""

    def __init__(self, pool: Pool, address: Address) -> None:
        self._pool = pool
        self._watcher = feed.Watcher(address)

    def row(self, table: str, key: Row) -> Row | None:
        return next(iter(self.rows(table, key, limit=1)), None)

    def rows(self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0) -> list[Row]:
        with self._pool.connection() as connection:
            return list(select_rows(connection, table, where, order=order, limit=limit))

    def queue_ids(
        self,
        view: str,
        *,
        agent_id: AgentId | None,
        now: datetime,
        query: Query = EVERYTHING,
        limit: int = 0,
        among: Sequence[TicketId] | None = None,
    ) -> list[TicketId]:
        with self._pool.connection() as connection, nullcontext() if limit or among else connection.snapshot():
            return queue.read_ids(connection, view, agent_id=agent_id, now=now, query=query, limit=limit, among=among)

    def queue_spine(
        self, view: str, *, agent_id: AgentId | None, now: datetime, query: Query = EVERYTHING
    ) -> array[int]:
        with self._pool.connection() as connection, connection.snapshot():
            return queue.read_spine(connection, view, agent_id=agent_id, now=now, query=query)

    def queue_rows(
        self, ids: Sequence[TicketId], *, agent_id: AgentId | None, now: datetime
    ) -> dict[TicketId, QueueRow]:
        with self._pool.connection() as connection:
            return queue.read_rows(connection, ids, agent_id=agent_id, now=now)

    def counts(self, *, agent_id: AgentId | None, now: datetime) -> dict[str, int]:
        with self._pool.connection() as connection:
            return queue.read_counts(connection, agent_id=agent_id, now=now)

    def ticket(self, ticket_id: TicketId) -> Ticket:
        with self._pool.connection() as connection:
            found = select_rows(connection, "ticket", {"id": ticket_id})
        if not found:
            raise NotFound(_("there is no ticket {ticket}").format(ticket=ticket_id))
        return ticket_from(found[0])

    def tags(self, ticket_id: TicketId) -> tuple[str, ...]:
        return tuple(row["tag"] for row in self.rows("ticket_tag", {"ticket_id": ticket_id}, order="tag"))

    def thread(self, ticket_id: TicketId) -> list[ThreadEntry]:
        with self._pool.connection() as connection:
            return thread.read_thread(connection, ticket_id)

    def customer(self, customer_id: CustomerId) -> CustomerView:
        with self._pool.connection() as connection:
            return thread.read_customer(connection, customer_id)

    def outbox(
        self,
        *,
        states: Sequence[str] = (),
        agent_id: AgentId | None = None,
        ticket_id: TicketId | None = None,
        limit: int = 0,
    ) -> list[OutboxRow]:
        with self._pool.connection() as connection:
            return thread.read_outbox(connection, states=states, agent_id=agent_id, ticket_id=ticket_id, limit=limit)

    def search(self, query: Query, *, agent_id: AgentId | None, now: datetime, limit: int = 50) -> list[TicketId]:
        with self._pool.connection() as connection:
            return search.search_tickets(connection, query, agent_id=agent_id, now=now, limit=limit)

    def addresses(self, begun: str, *, limit: int = 8) -> list[tuple[str, str]]:
        with self._pool.connection() as connection:
            return lists.read_addresses(connection, begun, limit)

    def used_words(self) -> tuple[list[str], list[str]]:
        with self._pool.connection() as connection:
            return lists.read_tags(connection), narrow.used_languages(connection)

    def canned_uses(self) -> dict[str, tuple[int, int]]:
        with self._pool.connection() as connection:
            return lists.read_canned_uses(connection)

    def to_announce(self, *, now: datetime, limit: int) -> list[TicketId]:
        with self._pool.connection() as connection:
            return lists.read_to_announce(connection, now, limit)

    def unanswered(self, *, now: datetime, older_than: datetime | None = None) -> list[Row]:
        with self._pool.connection() as connection:
            return lists.read_unanswered(connection, now=now, older_than=older_than)

    def events(self, *, after: int = 0, ticket_id: TicketId | None = None, limit: int = 500) -> list[EventRow]:
        with self._pool.connection() as connection:
            return feed.read_events(connection, after=after, ticket_id=ticket_id, limit=limit)

    def feed_position(self) -> int:
        with self._pool.connection() as connection:
            return feed.feed_position(connection)

    def event_details(self, action_id: ActionId) -> list[tuple[EventRow, Row]]:
        with self._pool.connection() as connection:
            return feed.read_details(connection, action_id)

    def presence(self, ticket_id: TicketId, *, now: datetime) -> list[tuple[AgentId, str, str]]:
        with self._pool.connection() as connection:
            return lists.read_presence(connection, ticket_id, now)

    def followed_news(self, agent_id: AgentId, kinds: Sequence[str]) -> list[Row]:
        with self._pool.connection() as connection:
            return following.read_followed_news(connection, agent_id, kinds)

    def audit(self) -> list[Row]:
        with self._pool.connection() as connection:
            return lists.read_audit(connection)

    def wait_for_change(self, timeout: float) -> bool:
        return self._watcher.wait(timeout)

    def close(self) -> None:
        """Stop waiting for changes."""
        self._watcher.close()
