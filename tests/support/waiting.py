"""Two transactions at once: whether one of them waits for the other."""

from __future__ import annotations

from typing import Any


def somebody_waits(store: Any) -> bool:
    """Whether a transaction on this database cannot go on because of another one."""
    if not store.address.is_postgres:
        return bool(store._is_awaited())
    with store.connection() as connection:
        return bool(
            connection.execute(
                "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)"
                " WHERE NOT granted AND datname = current_database()"
            )
        )
