"""Rows from one database into another of either kind, in the order of their keys' parents; and what proves them equal.

A table's hash does not depend on the order of its rows nor on the kind of database: the sum, modulo 2^128, of the
BLAKE2b hashes of its rows as Python values. `event.txid` belongs to one server and is not carried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from supportdesk.errors import StoreError
from supportdesk.l10n.catalog import _
from supportdesk.store.columns import TABLES
from supportdesk.store.connect import Connection
from supportdesk.store.schema_extras import rebuild_search
from supportdesk.store.upgrade import keep_used_ids
from supportdesk.store.values import time_to_text

Count = Callable[[int], None]
"""Told how many more rows are done; what it raises ends the work."""

BATCH: Final = 250
BATCH_OF_PIECES: Final = 8  # rows of up to 256 KiB
NOT_CARRIED: Final = "txid"


def copy_tables(source: Connection, target: Connection, names: Sequence[str], count: Count) -> dict[str, str]:
    """Write all rows of these tables into the empty ones of `target`, in this order; the hash of what was read.

    Inside a transaction of each; foreign keys of a SQLite target must be off. The ids ever given stay used, and the
    search index is made from the texts.
    """
    hashes = {}
    for name in names:
        columns = table_columns(source, name)
        hashes[name] = _copy_table(source, target, name, columns, count)
    carry_used_ids(source, target, names)
    if not target.is_postgres:
        rebuild_search(target)
    return hashes


def hash_tables(connection: Connection, names: Sequence[str], count: Count) -> dict[str, str]:
    """The hash of each of these tables as they stand in this database."""
    hashes = {}
    for name in names:
        total = 0
        for rows in _batches(connection, name, table_columns(connection, name)):
            total += sum(map(_row_hash, rows))
            count(len(rows))
        hashes[name] = _as_text(total)
    return hashes


def table_columns(connection: Connection, name: str) -> list[str]:
    """The columns of a table in this database; the generated ones of Postgres are not among them."""
    if connection.is_postgres:
        rows = connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND table_name = ? AND is_generated = 'NEVER' ORDER BY ordinal_position",
            (name,),
        )
        return [row[0] for row in rows]
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]


def count_rows(connection: Connection, names: Sequence[str] = ()) -> dict[str, int]:
    """The rows of each of these tables, or of each that a desk has here."""
    wanted = sorted(names or own_tables(connection))
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"')[0][0] for name in wanted}


def own_tables(connection: Connection) -> list[str]:
    """The tables of the desk in this database. A Postgres database may hold others beside them: they are not ours."""
    if connection.is_postgres:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        return [row[0] for row in rows if row[0] in TABLES]
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    others = ("alembic_version", "message_search", "sqlite_")
    return [row[0] for row in rows if not row[0].startswith(others)]


def carry_used_ids(source: Connection, target: Connection, names: Sequence[str]) -> None:
    """Ids that were ever given stay used, also those whose rows are gone."""
    given = _given_ids(source, names)
    if not target.is_postgres:
        keep_used_ids(target, list(given.items()))
        return
    for name in names:
        for column, sequence in sequences(target, name):
            highest = target.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{name}"')[0][0]
            last = max(highest, given.get(name, 0))
            target.execute("SELECT setval(CAST(? AS regclass), ?, ?)", (sequence, max(last, 1), last > 0))


def _copy_table(source: Connection, target: Connection, name: str, columns: Sequence[str], count: Count) -> str:
    total = 0
    named = ", ".join(f'"{column}"' for column in columns)
    try:
        if target.is_postgres:
            with target.raw.cursor().copy(f'COPY "{name}" ({named}) FROM STDIN') as copy:
                for rows in _batches(source, name, columns):
                    for row in rows:
                        total += _row_hash(row)
                        copy.write_row(row)
                    count(len(rows))
        else:
            insert = f'INSERT INTO "{name}" ({named}) VALUES ({", ".join("?" * len(columns))})'
            for rows in _batches(source, name, columns):
                total += sum(map(_row_hash, rows))
                target.raw.executemany(insert, rows)
                count(len(rows))
    except target.driver.Error as error:
        raise StoreError(
            _("{table} could not be copied: {reason}").format(table=name, reason=str(error).splitlines()[0])
        ) from error
    return _as_text(total)


def _batches(connection: Connection, name: str, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    listed = ", ".join("0" if column == NOT_CARRIED else f'"{column}"' for column in columns)
    size = BATCH_OF_PIECES if name == "blob_chunk" else BATCH
    batch: list[tuple[Any, ...]] = []
    for row in connection.stream(f'SELECT {listed} FROM "{name}"', size=size):
        batch.append(tuple(map(_plain, row)))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _plain(value: Any) -> Any:
    """The value as SQLite holds it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return time_to_text(value)
    if isinstance(value, bool):
        return int(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _row_hash(row: tuple[Any, ...]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest())


def _as_text(total: int) -> str:
    return f"{total % (1 << 128):032x}"


def _given_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The highest id that each table ever gave."""
    if not connection.is_postgres:
        return dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    given = {}
    for name in names:
        for _column, sequence in sequences(connection, name):
            last, called = connection.execute(f"SELECT last_value, is_called FROM {sequence}")[0]
            if called:
                given[name] = last
    return given


def sequences(connection: Connection, name: str) -> list[tuple[str, str]]:
    return [
        (column, sequence)
        for column, sequence in connection.execute(
            "SELECT column_name, pg_get_serial_sequence(quote_ident(?), column_name) FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'YES'",
            (name, name),
        )
    ]
