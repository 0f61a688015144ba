"""Plain reads through the DB-API (desk.ports.Reader)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supportdesk.desk.model import Ticket, TicketId
from supportdesk.errors import NotFound
from supportdesk.store.address import Address
from supportdesk.store.connect import Pool
from supportdesk.store.hydrate import ticket_from
from supportdesk.store.statements import select_rows

Row = Mapping[str, Any]


class SqlReader:
    """The reads of one store; every method may be called from any thread."""

    def __init__(self, pool: Pool, address: Address) -> None:
        self._pool = pool
        self._address = address

    def rows(self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0) -> list[Row]:
        with self._pool.connection() as connection:
            return list(select_rows(connection, table, where, order=order, limit=limit))

    def ticket(self, ticket_id: TicketId) -> Ticket:
        with self._pool.connection() as connection:
            found = select_rows(connection, "ticket", {"id": ticket_id})
        if not found:
            raise NotFound(f"there is no ticket {ticket_id}")
        return ticket_from(found[0])

    def close(self) -> None:
        """Nothing yet."""
