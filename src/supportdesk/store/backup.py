"""Backup and restore. A backup is always one SQLite file with the whole desk in it, whatever the database it came from.

From SQLite it is made by the backup API inside one read transaction, from Postgres row by row from one snapshot into
the same schema: so a backup of one restores into the other. Every backup is verified before it gets its name. Never a
raw copy of a live file.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from supportdesk.errors import StoreError
from supportdesk.store.address import Address, parse_url
from supportdesk.store.connect import Connection, close_connection, connect, create_sqlite, sqlite_driver
from supportdesk.store.extras import rebuild_search, search_is_sound
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, refuse_newer_schema, revision
from supportdesk.store.upgrade import create_or_upgrade, keep_used_ids, migrate_open
from supportdesk.store.values import time_to_text

Progress = Callable[[int, int], None]

PAGES: Final = 2000
"""Pages that the backup API copies between two reports of progress."""

UNDELIVERED: Final = ("held", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class BackupReport:
    """A verified backup: its file, the schema in it, the rows of each table, its size."""

    file: Path
    revision: str
    rows: dict[str, int]
    size: int


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """A finished restore: what replaced what, and how many undelivered replies became uncertain."""

    revision: str
    rows: dict[str, int]
    uncertain: int
    aside: Path | None


def backup(url: str, file: Path, progress: Progress | None = None, *, locked: bool = False) -> BackupReport:
    """Write the whole desk to `file`, verified, mode 0600, under its name only when complete.

    `progress(done, total)` counts pages (SQLite) or rows (Postgres). Writers are not held up. `locked` tells that the
    caller holds the turnstile. Raises StoreError.
    """
    address = parse_url(url)
    if address.path is not None and file.resolve() == address.path.resolve():
        raise StoreError("a backup must not replace the database that it is made from")
    with _beside(file) as unfinished, _live(address, locked=locked) as source:
        found = revision(source)
        if not found:
            raise StoreError(f"{address.shown} is no desk yet: there is nothing to back up")
        refuse_newer_schema(found, address.shown)
        with source.snapshot():
            if address.is_postgres:
                counted = _copy_from_postgres(source, unfinished, found, progress)
            else:
                counted = count_rows(source)
                _copy_pages(source, unfinished, progress)
        report = _verified(unfinished)
        if report.rows != counted:
            raise StoreError("the backup does not hold the rows of the database; it was thrown away")
        _settle(unfinished, file)
    return BackupReport(file, report.revision, report.rows, file.stat().st_size)


def restore(file: Path, url: str) -> RestoreReport:
    """Replace the desk at `url` by a backup; what it replaces is kept aside as a backup of its own.

    What had not been delivered becomes `uncertain` and every lease ends, because the backup does not know what
    happened since. Raises StoreError for a damaged, foreign or newer file: then nothing has changed.
    """
    address = parse_url(url)
    verify(file)
    anchor = file if address.is_postgres else address.file
    if not address.is_postgres:
        address.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _beside(anchor) as prepared:
        with closing(_open_file(file)) as source:
            _copy_pages(source, prepared, None)
        create_or_upgrade(f"sqlite:///{prepared}", safe=False)
        uncertain = _neutralise(prepared)
        report = _verified(prepared)
        aside = _set_aside(address, anchor)
        if address.is_postgres:
            _copy_to_postgres(prepared, address)
        else:
            _copy_into_live(prepared, address)
    return RestoreReport(report.revision, report.rows, uncertain, aside)


def verify(file: Path) -> BackupReport:
    """Read a backup whole: its pages, its keys, its schema. Raises StoreError for one that must not be restored."""
    if not file.is_file():
        raise StoreError(f"there is no backup {file}")
    with file.open("rb") as opened:
        if opened.read(16) != b"SQLite format 3\0":
            raise StoreError(f"{file} is no backup of supportdesk")
    return _verified(file)


def count_rows(connection: Connection) -> dict[str, int]:
    """The rows of each of our tables."""
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"')[0][0] for name in sorted(_tables(connection))}


# ---- the file --------------------------------------------------------------------------------------------------------


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A fresh file next to `file`, only ours to read; removed, with what SQLite puts beside it, unless renamed."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise StoreError(f"{file.parent} cannot be written: {error.strerror}") from error
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
    finally:
        for ending in ("", "-wal", "-shm", "-journal", "-gate", "-lock"):
            unfinished.with_name(unfinished.name + ending).unlink(missing_ok=True)


def _settle(unfinished: Path, file: Path) -> None:
    """Give the file its name, durable."""
    unfinished.chmod(0o600)
    with unfinished.open("rb") as opened:
        os.fsync(opened.fileno())
    unfinished.replace(file)
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _live(address: Address, *, locked: bool = False) -> Iterator[Connection]:
    """A connection to the desk itself, closed under the turnstile unless the caller holds it."""
    connection = connect(address)
    try:
        yield connection
    finally:
        if locked:
            connection.close()
        else:
            close_connection(connection, address)


def _open_file(file: Path) -> Connection:
    """A backup as it lies there: read without the pragmas of a desk that others use."""
    driver = sqlite_driver()
    try:
        raw = driver.connect(str(file), isolation_level=None, timeout=15)
    except driver.Error as error:
        raise StoreError(f"{file} cannot be opened: {error}") from error
    connection = Connection(raw, driver, is_postgres=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _copy_pages(source: Connection, target: Path, progress: Progress | None) -> None:
    driver = source.driver
    try:
        with closing(driver.connect(str(target), isolation_level=None)) as raw:
            source.raw.backup(
                raw, pages=PAGES, sleep=0,
                progress=(lambda _, left, total: progress(total - left, total)) if progress else None,
            )  # fmt: skip
            raw.execute("PRAGMA journal_mode = DELETE").fetchall()
    except driver.Error as error:
        raise StoreError(f"the backup could not be written: {error}") from error


def _verified(file: Path) -> BackupReport:
    try:
        with closing(_open_file(file)) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            if problems != ["ok"]:
                raise StoreError(f"{file} is damaged: {problems[0]}")
            found = revision(connection)
            if not found:
                raise StoreError(f"{file} is no backup of supportdesk")
            refuse_newer_schema(found, str(file))
            if orphans := connection.execute("PRAGMA foreign_key_check"):
                raise StoreError(f"{file} is damaged: {len(orphans)} rows lack their parents")
            return BackupReport(file, found, count_rows(connection), file.stat().st_size)
    except UnicodeDecodeError as error:
        raise StoreError(f"{file} is damaged: {error}") from error


def _tables(connection: Connection) -> list[str]:
    if connection.is_postgres:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    else:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {str(row[0]) for row in rows}
    others = ("alembic_version", "message_search", "sqlite_")
    return [name for name in names if not name.startswith(others)]


def _columns(connection: Connection, name: str) -> list[str]:
    return [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')]


# ---- from and to Postgres --------------------------------------------------------------------------------------------


def _copy_from_postgres(source: Connection, target: Path, found: str, progress: Progress | None) -> dict[str, int]:
    create_or_upgrade(f"sqlite:///{target}", to=found, safe=False)
    counted = count_rows(source)
    total, done = sum(counted.values()), 0
    with closing(_open_file(target)) as container:
        container.execute("PRAGMA foreign_keys = OFF")
        container.execute("PRAGMA journal_mode = DELETE")
        container.execute("PRAGMA synchronous = OFF")
        container.execute("BEGIN IMMEDIATE")
        for name in counted:
            columns = _columns(container, name)
            listed = ", ".join("0" if column == "txid" else f'"{column}"' for column in columns)
            insert = f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})'
            for row in source.stream(f'SELECT {listed} FROM "{name}"'):
                container.raw.execute(insert, [_plain(value) for value in row])
                done += 1
                if progress and done % 1000 == 0:
                    progress(done, total)
        keep_used_ids(container, _given_ids(source, counted))
        rebuild_search(container)
        container.execute("COMMIT")
    if progress:
        progress(total, total)
    return counted


def _copy_to_postgres(prepared: Path, address: Address) -> None:
    """Everything in one transaction: the old tables go, the schema comes, the rows follow their parents."""
    from supportdesk.store.tables import Table

    with _live(address) as target, closing(_open_file(prepared)) as source:
        target.execute("BEGIN")
        for name in [*_tables(target), "alembic_version"]:
            target.execute(f'DROP TABLE IF EXISTS "{name}" CASCADE')
        migrate_open(target, address, HEAD)
        for name in [table.name for table in Table.metadata.sorted_tables]:
            columns = _columns(source, name)
            listed = ", ".join("0" if column == "txid" else f'"{column}"' for column in columns)
            named = ", ".join(f'"{column}"' for column in columns)
            with target.raw.cursor().copy(f'COPY "{name}" ({named}) FROM STDIN') as copy:
                for row in source.stream(f'SELECT {listed} FROM "{name}"'):
                    copy.write_row(row)
        _set_given_ids(target, source)
        target.execute("COMMIT")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return time_to_text(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _given_ids(source: Connection, names: dict[str, int]) -> list[tuple[str, int]]:
    """The highest id that each table of Postgres ever gave."""
    given = []
    for name in names:
        for column, sequence in _sequences(source, name):
            last, called = source.execute(f"SELECT last_value, is_called FROM {sequence}")[0]
            if called and column:
                given.append((name, last))
    return given


def _set_given_ids(target: Connection, source: Connection) -> None:
    used = dict(source.execute("SELECT name, seq FROM sqlite_sequence"))
    for name in _tables(target):
        for column, sequence in _sequences(target, name):
            highest = target.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{name}"')[0][0]
            last = max(highest, used.get(name, 0))
            target.execute("SELECT setval(CAST(? AS regclass), ?, ?)", (sequence, max(last, 1), last > 0))


def _sequences(connection: Connection, name: str) -> list[tuple[str, str]]:
    return [
        (column, sequence)
        for column, sequence in connection.execute(
            "SELECT column_name, pg_get_serial_sequence(quote_ident(?), column_name) FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND table_name = ? AND is_identity = 'YES'",
            (name, name),
        )
    ]


# ---- restore ---------------------------------------------------------------------------------------------------------


def _neutralise(prepared: Path) -> int:
    """Undelivered replies become uncertain, leases and presence end, and the log says that this was restored."""
    now = time_to_text(datetime.now(UTC))
    with closing(_open_file(prepared)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        states = ", ".join(f"'{state}'" for state in UNDELIVERED)
        uncertain = connection.change(
            "UPDATE outbox SET state = 'uncertain', error = 'restored from a backup', lease_owner = '',"
            f" lease_until = NULL, version = version + 1, updated_at = ? WHERE state IN ({states})",
            (now,),
        )
        connection.execute("DELETE FROM lease")
        connection.execute("DELETE FROM presence")
        connection.execute(
            "INSERT INTO event (action_id, actor_kind, kind, at, data) VALUES (?, 'worker', 'restored', ?, ?)",
            (str(uuid.uuid4()), now, f'{{"uncertain":{uncertain}}}'),
        )
        if not search_is_sound(connection):
            rebuild_search(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    return uncertain


def _set_aside(address: Address, anchor: Path) -> Path | None:
    """Keep what is about to be replaced: as a verified backup, or, when it is damaged, the files as they are."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = anchor.with_name(f"{anchor.name}.replaced-{stamp}")
    if address.is_postgres:
        with _live(address) as connection:
            if not revision(connection):
                return None
        backup(address.url, aside)
        return aside
    if not address.file.exists() or address.file.stat().st_size == 0:
        return None
    try:
        with _live(address) as connection:
            if not revision(connection):
                return None
        backup(address.url, aside)
    except StoreError:
        with Turnstile(address.file).held():
            for ending in ("-wal", "-shm", ""):
                part = address.file.with_name(address.file.name + ending)
                if part.exists():
                    part.rename(aside.with_name(aside.name + ending))
    return aside


def _copy_into_live(prepared: Path, address: Address) -> None:
    """Write the prepared desk into the live file in one transaction; consoles that have it open see the new content."""
    create_sqlite(address)
    with _live(address) as target, Turnstile(address.file).held(), closing(_open_file(prepared)) as source:
        try:
            source.raw.backup(target.raw, pages=-1)
        except target.driver.Error as error:
            raise StoreError(f"the backup could not be written into {address.shown}: {error}") from error
