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
from typing import Final

from supportdesk.desk.model import RESTORED
from supportdesk.errors import StoreError, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address, parse_url
from supportdesk.store.connect import Connection, close_connection, connect, create_sqlite, sqlite_driver
from supportdesk.store.copy_rows import copy_tables, count_rows, own_tables
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, MOVED, refuse_newer_schema, revision
from supportdesk.store.schema_extras import rebuild_search, search_is_sound
from supportdesk.store.upgrade import create_or_upgrade, migrate_open

Progress = Callable[[int, int], None]

PAGES: Final = 2000
"""Pages that the backup API copies between two reports of progress."""

_SQLITE_FILE: Final = b"SQLite format 3\0"

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
    caller holds the turnstile. Raises StoreError, UsageError for a place where no backup can be.
    """
    address = parse_url(url)
    if address.path is not None and file.resolve() == address.path.resolve():
        raise UsageError(_("a backup must not replace the database that it is made from"))
    if file.is_dir():
        raise UsageError(_("{file} is a directory").format(file=file), hint=str(file / "desk.backup"))
    with beside(file) as unfinished, live(address, locked=locked) as source:
        found = revision(source)
        if not found:
            raise StoreError(_("{database} is no desk yet: there is nothing to back up").format(database=address.shown))
        found = found.removeprefix(MOVED)  # a desk that has moved away is still worth keeping
        refuse_newer_schema(found, address.shown)
        with source.snapshot():
            if address.is_postgres:
                counted = _copy_from_postgres(source, unfinished, found, progress)
            else:
                counted = count_rows(source)
                _copy_pages(source, unfinished, progress)
                with closing(_open_file(unfinished)) as copy:
                    copy.execute("UPDATE alembic_version SET version_num = ? WHERE version_num <> ?", (found, found))
        report = _verified(unfinished)
        if report.rows != counted:
            raise StoreError(_("the backup does not hold the rows of the database; it was thrown away"))
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
    with beside(anchor) as prepared:
        with closing(_open_file(file)) as source:
            _copy_pages(source, prepared, None)
        create_or_upgrade(f"sqlite:///{prepared}", safe=False)
        uncertain = _neutralise(prepared)
        report = _verified(prepared)
        aside = set_aside(address, anchor)
        if address.is_postgres:
            _copy_to_postgres(prepared, address)
        else:
            copy_into_live(prepared, address)
    return RestoreReport(report.revision, report.rows, uncertain, aside)


def verify(file: Path) -> BackupReport:
    """Read a backup whole: its pages, its keys, its schema. Raises StoreError for one that must not be restored."""
    if not file.is_file():
        raise StoreError(_("there is no backup {file}").format(file=file))
    with file.open("rb") as opened:
        if opened.read(16) != _SQLITE_FILE:
            raise StoreError(_("{file} is no backup of supportdesk").format(file=file))
    return _verified(file)


def replaces_no_backup(file: Path) -> bool:
    """Whether something else is there than a backup of ours, a damaged one perhaps: `backup` would write over it."""
    if not file.is_file() or not file.stat().st_size:
        return False
    if Turnstile(file).lock.exists():
        return True  # a desk that is worked on
    with file.open("rb") as opened:
        if opened.read(16) != _SQLITE_FILE:
            return True
    try:
        with closing(_open_file(file)) as found:
            return not revision(found)
    except StoreError:
        return False


# ---- the file --------------------------------------------------------------------------------------------------------


@contextmanager
def beside(file: Path) -> Iterator[Path]:
    """A fresh file next to `file`, only ours to read; removed, with what SQLite puts beside it, unless renamed."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".part", dir=file.parent)
    except OSError as error:
        raise StoreError(
            _("{file} cannot be written: {reason}").format(file=file.parent, reason=error.strerror)
        ) from error
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
def live(address: Address, *, locked: bool = False) -> Iterator[Connection]:
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
        raise StoreError(_("{file} cannot be opened: {reason}").format(file=file, reason=error)) from error
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
        raise StoreError(_("the backup could not be written: {reason}").format(reason=error)) from error


def _verified(file: Path) -> BackupReport:
    try:
        with closing(_open_file(file)) as connection:
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
            if problems != ["ok"]:
                raise StoreError(_("{file} is damaged: {reason}").format(file=file, reason=problems[0]))
            found = revision(connection)
            if not found:
                raise StoreError(_("{file} is no backup of supportdesk").format(file=file))
            refuse_newer_schema(found, str(file))
            if orphans := connection.execute("PRAGMA foreign_key_check"):
                raise StoreError(
                    _("{file} is damaged: {count} rows lack their parents").format(file=file, count=len(orphans))
                )
            return BackupReport(file, found, count_rows(connection), file.stat().st_size)
    except UnicodeDecodeError as error:
        raise StoreError(_("{file} is damaged: {reason}").format(file=file, reason=error)) from error


# ---- from and to Postgres --------------------------------------------------------------------------------------------


def _copy_from_postgres(source: Connection, target: Path, found: str, progress: Progress | None) -> dict[str, int]:
    create_or_upgrade(f"sqlite:///{target}", to=found, safe=False)
    with filling(target) as container:
        names = sorted(own_tables(container))
        counted = count_rows(source, names)
        done = Done(sum(counted.values()), progress)
        copy_tables(source, container, names, done.count)
    return counted


@contextmanager
def filling(file: Path) -> Iterator[Connection]:
    """A transaction on a database file that nobody else knows yet, to put whole tables into: committed at the end."""
    with closing(_open_file(file)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def replacing_postgres(address: Address) -> Iterator[Connection]:
    """A transaction in which the tables of the old desk are gone and empty ones are there: its user commits."""
    with live(address) as connection:
        connection.execute("BEGIN")
        for name in [*own_tables(connection), "alembic_version"]:
            connection.execute(f'DROP TABLE IF EXISTS "{name}" CASCADE')
        migrate_open(connection, address, HEAD)
        yield connection


def parents_first() -> list[str]:
    """The tables in the order in which they can be filled."""
    from supportdesk.store.tables import Table

    return [table.name for table in Table.metadata.sorted_tables]


def _copy_to_postgres(prepared: Path, address: Address) -> None:
    """Everything in one transaction: the old tables go, the schema comes, the rows follow their parents."""
    with replacing_postgres(address) as target, closing(_open_file(prepared)) as source:
        copy_tables(source, target, parents_first(), lambda _rows: None)
        target.execute("COMMIT")


class Done:
    """Counts what is done, of how much, for whoever watches."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total, self._done, self._progress = total, 0, progress

    def count(self, more: int) -> None:
        self._done += more
        if self._progress is not None:
            self._progress(self._done, self._total)


# ---- restore ---------------------------------------------------------------------------------------------------------


def neutralise(connection: Connection, why: str) -> int:
    """Undelivered replies become uncertain, leases and presence end, the log says so; how many replies those are.

    Inside the caller's transaction. `why` is told on each of them: what happened to it since is not known here.
    """
    now = datetime.now(UTC)
    states = ", ".join(f"'{state}'" for state in UNDELIVERED)
    uncertain = connection.change(
        f"UPDATE outbox SET state = 'uncertain', error = ?, lease_owner = '{RESTORED}',"
        f" lease_until = NULL, version = version + 1, updated_at = ? WHERE state IN ({states})",
        (why, now),
    )
    connection.execute("DELETE FROM lease")
    connection.execute("DELETE FROM presence")
    connection.execute(
        "INSERT INTO event (action_id, actor_kind, kind, at, data) VALUES (?, 'worker', 'restored', ?, ?)",
        (str(uuid.uuid4()), now, f'{{"uncertain":{uncertain}}}'),
    )
    return uncertain


def _neutralise(prepared: Path) -> int:
    with closing(_open_file(prepared)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        uncertain = neutralise(connection, "restored from a backup")
        if not search_is_sound(connection):
            rebuild_search(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    return uncertain


def set_aside(address: Address, anchor: Path) -> Path | None:
    """Keep what is about to be replaced: as a verified backup, or, when it is damaged, the files as they are."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = anchor.with_name(f"{anchor.name}.replaced-{stamp}")
    if address.is_postgres:
        with live(address) as connection:
            if not revision(connection):
                return None
        backup(address.url, aside)
        return aside
    if not address.file.exists() or address.file.stat().st_size == 0:
        return None
    try:
        with live(address) as connection:
            if not revision(connection):
                return None
        backup(address.url, aside)
    except StoreError:
        if not _is_damaged(address):
            raise  # a full disk, say: a desk in use must not be moved away under its users
        with Turnstile(address.file).held():
            for ending in ("-wal", "-shm", ""):
                part = address.file.with_name(address.file.name + ending)
                if part.exists():
                    part.rename(aside.with_name(aside.name + ending))
    return aside


def _is_damaged(address: Address) -> bool:
    """Whether the desk itself, and not what is around it, keeps it from being backed up."""
    try:
        with live(address) as connection:
            return connection.execute("PRAGMA quick_check(1)") != [("ok",)]
    except StoreError:
        return True


def copy_into_live(prepared: Path, address: Address) -> None:
    """Write the prepared desk into the live file in one transaction; consoles that have it open see the new content."""
    create_sqlite(address)
    with live(address) as target, Turnstile(address.file).held(), closing(_open_file(prepared)) as source:
        try:
            source.raw.backup(target.raw, pages=-1)
        except target.driver.Error as error:
            raise StoreError(
                _("the backup could not be written into {database}: {reason}").format(
                    database=address.shown, reason=error
                )
            ) from error
