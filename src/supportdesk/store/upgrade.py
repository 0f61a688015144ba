"""Making and upgrading the schema: one migrator at a time, a verified backup first, all or nothing.

On SQLite foreign keys are off while Alembic rebuilds tables (with them on, its batch mode deletes every child row)
and are checked before the commit; ids that were ever given stay used. On Postgres everything is one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supportdesk.errors import StoreError
from supportdesk.store.address import Address, parse_url
from supportdesk.store.connect import Connection, close_connection, connect, connect_sqlite, create_sqlite
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, REVISIONS, refuse_newer_schema, revision
from supportdesk.store.schema_extras import make_extras

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

MIGRATIONS: Final = str(Path(__file__).parent / "migrations")
ADVISORY_LOCK: Final = 0x53445344
MIGRATOR_WAITS: Final = 600.0


def create_or_upgrade(
    url: str, *, to: str = HEAD, scripts: str = MIGRATIONS, backup_to: Path | None = None, safe: bool = True
) -> Path | None:
    """Bring the database to the schema `to`, making it if there is none. Returns the backup that was taken first.

    `scripts` is the directory of the migrations, `backup_to` where the backup goes (default: beside the database file,
    or for Postgres the current directory); without `safe` there is none. Raises StoreError for a newer schema, or when
    an invariant does not hold: then nothing has changed.
    """
    address = parse_url(url)
    if not address.is_postgres:
        create_sqlite(address)
    saved: Path | None = None
    connection = connect(address) if address.is_postgres else connect_sqlite(address, foreign_keys=False)
    try:
        if revision(connection) == to:
            return None
        with _alone(connection, address):
            found = revision(connection)
            if scripts == MIGRATIONS:
                refuse_newer_schema(found, address.shown)
            if found == to:
                return None
            if found and safe:
                saved = _back_up(address, found, backup_to)
            _migrate(connection, address, to, scripts)
    finally:
        close_connection(connection, address)
    return saved


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What `create_or_upgrade` would do: the schema that is there ("" for none), the steps, where the backup would go.

    Without steps the schema is up to date; without a schema there is nothing to back up.
    """

    found: str
    steps: tuple[str, ...]
    backup_in: Path | None


def foresee_upgrade(url: str) -> Upgrade:
    """Look at the schema; nothing is written. Raises StoreError for a newer one."""
    address = parse_url(url)
    connection = connect(address)
    try:
        found = revision(connection)
    finally:
        close_connection(connection, address)
    refuse_newer_schema(found, address.shown)
    steps = REVISIONS[REVISIONS.index(found) + 1 :] if found else REVISIONS
    return Upgrade(found, steps, _backup_base(address, None).parent if found and steps else None)


def migrate_open(connection: Connection, address: Address, to: str, scripts: str = MIGRATIONS) -> None:
    """Run the migrations inside the caller's transaction on a connection of its own."""
    from alembic import command

    engine = _engine(connection, address)
    with engine.connect() as bound:
        command.upgrade(_config(bound, scripts), to)
    make_extras(connection)


def _migrate(connection: Connection, address: Address, to: str, scripts: str) -> None:
    connection.execute("BEGIN" if address.is_postgres else "BEGIN IMMEDIATE")
    try:
        used, numbered = _used_ids(connection), _numbered_for_ever(connection)
        migrate_open(connection, address, to, scripts)
        keep_used_ids(connection, used)
        _refuse_damage(connection, numbered)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _refuse_damage(connection: Connection, numbered: set[str]) -> None:
    """What only SQLite lets a migration do: leave rows without parents, or give an id again that was given before."""
    if connection.is_postgres:
        return
    if lost := numbered - _numbered_for_ever(connection):
        raise StoreError(f"the migration drops AUTOINCREMENT from {', '.join(sorted(lost))}; nothing has changed")
    if orphans := connection.execute("PRAGMA foreign_key_check"):
        raise StoreError(f"the migration would leave {len(orphans)} rows without their parents; nothing has changed")


@contextmanager
def _alone(connection: Connection, address: Address) -> Iterator[None]:
    """One migrator at a time: on SQLite no other writer either, on Postgres an advisory lock."""
    if not address.is_postgres:
        with Turnstile(address.file).held(MIGRATOR_WAITS):
            yield
        return
    connection.execute("SET lock_timeout = '600s'")
    connection.execute("SELECT pg_advisory_lock(?)", (ADVISORY_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(?)", (ADVISORY_LOCK,))


def _back_up(address: Address, found: str, directory: Path | None) -> Path:
    from supportdesk.store.backup import backup

    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    base = _backup_base(address, directory)
    target = base.with_name(f"{base.name}.before-{found}-{stamp}.backup")
    backup(address.url, target, locked=True)
    return target


def _backup_base(address: Address, directory: Path | None) -> Path:
    if address.is_postgres:
        return (directory or Path.cwd()) / f"supportdesk-{address.dsn.rpartition('/')[2].partition('?')[0]}"
    return directory / address.file.name if directory else address.file


def _used_ids(connection: Connection) -> list[tuple[Any, ...]]:
    if connection.is_postgres or not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
        return []
    return connection.execute("SELECT name, seq FROM sqlite_sequence")


def _numbered_for_ever(connection: Connection) -> set[str]:
    """The tables whose ids are never given twice (SQLite)."""
    if connection.is_postgres:
        return set()
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
    return {row[0] for row in rows}


def keep_used_ids(connection: Connection, used: list[tuple[Any, ...]]) -> None:
    """A rebuilt table counts from its highest row; ids above it that were once given must stay used."""
    for name, seq in used:
        if connection.change("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (seq, name)) == 0:
            there = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (name,))
            if there and "AUTOINCREMENT" in there[0][0]:
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, seq))


def _config(bound: Any, scripts: str) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = bound
    return config


def _engine(connection: Connection, address: Address) -> Engine:
    """An SQLAlchemy engine over the one connection in its transaction, which it can neither commit nor close."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    raw = _Borrowed(connection.raw)
    if address.is_postgres:
        return create_engine(
            "postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool, use_native_hstore=False
        )
    return create_engine(
        "sqlite+pysqlite://",
        module=connection.driver,
        creator=lambda: raw,
        poolclass=StaticPool,
        skip_autocommit_rollback=True,
    )


class _Borrowed:
    """A DB-API connection whose commit, rollback and close belong to somebody else."""

    def __init__(self, raw: Any) -> None:
        object.__setattr__(self, "_raw", raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._raw, name, value)

    def commit(self) -> None:
        """Not ours to do."""

    def rollback(self) -> None:
        """Not ours to do."""

    def close(self) -> None:
        """Not ours to do."""
