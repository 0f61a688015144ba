"""Where the desk is kept: SQLite by default, Postgres by URL, the same behaviour on both.

`open_store` is cheap and imports no SQLAlchemy; `create_or_upgrade` makes or migrates the schema; `store.backup` backs
up and restores. Nothing outside this package writes SQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.store.sql import SqlStore

if TYPE_CHECKING:
    from supportdesk.desk.ports import Clock

__all__ = ["SqlStore", "create_or_upgrade", "open_store"]


def open_store(url: str, clock: Clock | None = None) -> SqlStore:
    """The store at `sqlite:///path`, a path or `postgresql://…`; the first use raises StoreError if there is none."""
    return SqlStore(url, clock)


def create_or_upgrade(url: str) -> Path | None:
    """Make the database or bring its schema up to date; returns the backup that was taken before an upgrade."""
    from supportdesk.store import upgrade

    return upgrade.create_or_upgrade(url)
