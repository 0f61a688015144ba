"""Connections: which driver, which pragmas, and one thin face over both DB-APIs.

Statements are written with `?`, in SQL that both databases read; times go in and come out aware. Drivers' exceptions
end here: what rises is a StoreError, `TryAgain` where nothing was written, `Duplicate` for a broken UNIQUE.
"""

from __future__ import annotations

import importlib
import os
import re
import select
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from types import ModuleType
from typing import Any, Final

from supportdesk.errors import StoreError, StoreFailed, TryAgain
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address, refuse_network_file_system
from supportdesk.store.lock import Turnstile, create_shared
from supportdesk.store.values import time_to_text

Params = Sequence[Any]

BUSY_MILLISECONDS: Final = 15_000
WAL_LIMIT_BYTES: Final = 64 * 1024 * 1024
APPLICATION_ID: Final = 0x53445344  # "SDSD" in the file's header

# name, statement's value, what the database must answer
PRAGMAS: Final = (
    ("busy_timeout", BUSY_MILLISECONDS, BUSY_MILLISECONDS),
    ("synchronous", "FULL", 2),
    ("foreign_keys", "ON", 1),
    ("secure_delete", "ON", 1),
    ("trusted_schema", "OFF", 0),
    ("cell_size_check", "ON", 1),
    ("mmap_size", 0, 0),
    ("journal_size_limit", WAL_LIMIT_BYTES, WAL_LIMIT_BYTES),
)

POOL_LIMIT: Final = 16
"""Connections of one program to Postgres: more threads than that wait for one another, not the other programs."""

POOL_WAIT_SECONDS: Final = 30.0

LISTEN_CHANNEL: Final = "supportdesk"


class Duplicate(StoreError):
    """A row with that unique key is there already."""


class Connection:
    """One DB-API connection in autocommit; whoever wants a transaction says BEGIN."""

    def __init__(self, raw: Any, driver: ModuleType, *, is_postgres: bool) -> None:
        self.raw = raw
        self.driver = driver
        self.is_postgres = is_postgres

    def execute(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        try:
            if self.is_postgres:
                cursor = self.raw.execute(_percent(sql), params or None)
                return cursor.fetchall() if cursor.pgresult.nfields else []  # `description` makes an object a column
            return self.raw.execute(sql, _sqlite_params(params)).fetchall()  # type: ignore[no-any-return]
        except self.driver.Error as error:
            raise self._store_error(error) from error

    def change(self, sql: str, params: Params = ()) -> int:
        """Run one statement and return how many rows it changed."""
        try:
            if self.is_postgres:
                return int(self.raw.execute(_percent(sql), params or None).rowcount)
            return int(self.raw.execute(sql, _sqlite_params(params)).rowcount)
        except self.driver.Error as error:
            raise self._store_error(error) from error

    def change_many(self, sql: str, rows: Iterable[Params]) -> None:
        """Run one statement for each of the rows."""
        try:
            if self.is_postgres:
                with self.raw.cursor() as cursor:
                    cursor.executemany(_percent(sql), list(rows))
            else:
                self.raw.executemany(sql, map(_sqlite_params, rows))
        except self.driver.Error as error:
            raise self._store_error(error) from error

    def change_each(self, statements: Sequence[tuple[str, Params]]) -> list[int]:
        """Run statements of which none needs another one's answer; how many rows each changed.

        On Postgres they are sent together and answered together: one round trip, not one for each.
        """
        if not self.is_postgres or len(statements) < 2:
            return [self.change(sql, params) for sql, params in statements]
        try:
            with self.raw.pipeline():
                cursors = [self.raw.execute(_percent(sql), params or None) for sql, params in statements]
            return [int(cursor.rowcount) for cursor in cursors]
        except self.driver.Error as error:
            raise self._store_error(error) from error

    def run_in_a_row(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements without parameters, in one round trip to Postgres; the rows of the last one."""
        if not self.is_postgres:
            return [self.execute(sql) for sql in statements][-1]
        try:
            cursor = self.raw.execute("; ".join(statements), prepare=False)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.pgresult.nfields else []
        except self.driver.Error as error:
            raise self._store_error(error) from error

    def stream(self, sql: str, params: Params = (), size: int = 1000) -> Iterator[tuple[Any, ...]]:
        """The rows of one statement, in groups: never all in memory. Inside a transaction on Postgres."""
        try:
            if self.is_postgres:
                with self.raw.cursor(name="supportdesk_stream") as cursor:
                    cursor.itersize = size
                    cursor.execute(_percent(sql), params or None)
                    yield from cursor
                return
            cursor = self.raw.execute(sql, _sqlite_params(params))
            while rows := cursor.fetchmany(size):
                yield from rows
        except self.driver.Error as error:
            raise self._store_error(error) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads of one moment."""
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if self.is_postgres else "BEGIN")
        try:
            yield
        finally:
            self.rollback()

    def rollback(self) -> None:
        """Leave whatever transaction there is; on a lost connection there is none."""
        if self.is_postgres:
            if not self.raw.closed:
                try:
                    self.raw.rollback()
                except self.driver.Error as error:
                    raise self._store_error(error) from error
        elif self.raw.in_transaction:
            self.execute("ROLLBACK")

    @property
    def broken(self) -> bool:
        return bool(self.is_postgres and (self.raw.closed or self.raw.broken))

    @property
    def in_transaction(self) -> bool:
        return not self.broken if self.is_postgres else bool(self.raw.in_transaction)

    @property
    def failed(self) -> bool:
        """Whether Postgres refuses to go on in this transaction after an error."""
        if not self.is_postgres:
            return False
        status = self.raw.info.transaction_status
        return bool(status == status.INERROR)

    def was_hung_up(self) -> bool:
        """Whether the server has ended this idle connection: its farewell is there to be read. Costs no round trip."""
        if not self.is_postgres:
            return False
        if self.raw.closed:
            return True
        waiting = select.poll()
        waiting.register(self.raw.fileno(), select.POLLIN)
        return bool(waiting.poll(0))

    def close(self) -> None:
        self.raw.close()

    def _store_error(self, error: Exception) -> StoreError:
        return _store_error(error, self.driver, is_postgres=self.is_postgres)


class Pool:
    """Connections that wait to be used again. Any thread may borrow; one connection serves one borrower at a time.

    With a `limit` no more than so many threads borrow at once; who holds a connection already gets a second one anyway,
    or two could wait for each other.
    """

    def __init__(
        self, connect: Callable[[], Connection], close: Callable[[Connection], None], *, limit: int = 0
    ) -> None:
        self._connect = connect
        self._close = close
        self._limit = limit
        self._room = threading.Semaphore(limit)
        self._borrowed = threading.local()
        self._idle: list[Connection] = []
        self._inherited: list[Connection] = []
        self._guard = threading.Lock()
        self._closed = False
        self._process = os.getpid()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection that nobody else uses meanwhile. Raises StoreError where none can be had in time."""
        with self._place():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                if connection.broken:
                    connection.close()
                else:
                    connection.rollback()
                    self._give_back(connection)
                raise
            self._give_back(connection)

    def close(self) -> None:
        with self._guard:
            idle, self._idle, self._closed = self._idle, [], True
        for connection in idle:
            self._close(connection)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """A place among the threads that may borrow."""
        holds = getattr(self._borrowed, "process", 0) == os.getpid()
        if not self._limit or holds:
            yield
            return
        with self._guard:
            if self._process != os.getpid():  # whoever had a place in the parent is not here
                self._room = threading.Semaphore(self._limit)
            room = self._room
        if not room.acquire(timeout=POOL_WAIT_SECONDS):
            raise StoreError(_("all connections of this program to its database are in use"))
        self._borrowed.process = os.getpid()
        try:
            yield
        finally:
            self._borrowed.process = 0
            room.release()

    def _take(self) -> Connection:
        with self._guard:
            if self._closed:
                raise StoreError("the store is closed")
            if self._process != os.getpid():  # a forked child must not touch its parent's connections
                self._inherited += self._idle
                self._idle, self._process = [], os.getpid()
            while self._idle:
                connection = self._idle.pop()
                if not connection.was_hung_up():
                    return connection
                connection.close()
        return self._connect()

    def _give_back(self, connection: Connection) -> None:
        with self._guard:
            if not self._closed and not connection.broken:
                self._idle.append(connection)
                return
        self._close(connection)


def sqlite_driver() -> ModuleType:
    """pysqlite3, which brings a current SQLite; the standard library's where it is missing or asked for."""
    if os.environ.get("SUPPORTDESK_SQLITE") != "stdlib":
        try:
            return importlib.import_module("pysqlite3.dbapi2")
        except ImportError:
            pass
    import sqlite3

    return sqlite3


def connect(address: Address) -> Connection:
    """Open the database, which must be there. Raises StoreError."""
    return connect_postgres(address) if address.is_postgres else connect_sqlite(address)


def connect_sqlite(address: Address, *, foreign_keys: bool = True) -> Connection:
    """Open a SQLite file with the pragmas of R6, each of them asserted."""
    if not address.file.exists():
        raise StoreError(
            _("there is no desk at {database}").format(database=address.file), hint=_("`supportdesk init` makes one")
        )
    refuse_network_file_system(address)
    driver = sqlite_driver()
    try:
        raw = driver.connect(
            str(address.file), timeout=BUSY_MILLISECONDS / 1000, isolation_level=None, check_same_thread=False,
            cached_statements=512,
        )  # fmt: skip
    except driver.Error as error:
        raise StoreError(_("{file} cannot be opened: {reason}").format(file=address.file, reason=error)) from error
    connection = Connection(raw, driver, is_postgres=False)
    try:
        for name, value, answer in PRAGMAS:
            _set_pragma(connection, name, value, answer)
        if not foreign_keys:
            _set_pragma(connection, "foreign_keys", "OFF", 0)
        _use_wal(connection, address)
    except BaseException:
        connection.close()
        raise
    return connection


def create_sqlite(address: Address) -> None:
    """Make an empty database file that a group can share, if it is not there yet; and its directory, for us alone."""
    address.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_shared(address.file)
    connection = connect_sqlite(address)
    try:
        with Turnstile(address.file).held():
            if connection.execute("PRAGMA application_id")[0][0] == 0:
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    finally:
        close_connection(connection, address)


def connect_postgres(address: Address) -> Connection:
    """Open a Postgres database in autocommit, its session in UTC."""
    try:
        import psycopg
    except ImportError as error:
        raise StoreError(
            _("Postgres needs the extra `postgres`"), hint="pip install 'supportdesk[postgres]'"
        ) from error
    try:
        raw = psycopg.connect(
            address.dsn, autocommit=True, connect_timeout=10, application_name="supportdesk",
            options="-c timezone=UTC -c synchronous_commit=on -c lock_timeout=15s -c jit=off",
            keepalives_idle=30, keepalives_interval=10, keepalives_count=3,
        )  # fmt: skip
    except psycopg.Error as error:
        words = str(error).strip().splitlines()[0]
        if error.sqlstate == "53300" or "too many clients" in words or "connection slots" in words:
            raise StoreError(
                _("{database} has no connections left").format(database=address.shown),
                hint=_("end a program that is not needed, or raise max_connections on the server"),
            ) from error
        raise StoreError(
            _("{database} cannot be reached: {reason}").format(database=address.shown, reason=words)
        ) from error
    return Connection(raw, psycopg, is_postgres=True)


def close_connection(connection: Connection, address: Address) -> None:
    """Close; on SQLite under the lock, because the last one to close a file checkpoints and removes its WAL."""
    if address.is_postgres:
        connection.close()
        return
    with Turnstile(address.file).held():
        connection.close()


def _set_pragma(connection: Connection, name: str, value: int | str, answer: int) -> None:
    connection.execute(f"PRAGMA {name} = {value}")
    found = connection.execute(f"PRAGMA {name}")
    if found and found[0][0] != answer:
        raise StoreError(f"SQLite did not take {name} = {value}")


def _use_wal(connection: Connection, address: Address) -> None:
    if connection.execute("PRAGMA journal_mode")[0][0] == "wal":
        return
    with Turnstile(address.file).held():
        mode = connection.execute("PRAGMA journal_mode = WAL")[0][0]
    if mode != "wal":
        raise StoreError(
            _("{file} cannot use a write-ahead log here").format(file=address.file),
            hint=_("is the file system read-only?"),
        )


def _sqlite_params(params: Params) -> list[Any]:
    return [time_to_text(value) if isinstance(value, datetime) else value for value in params]


@lru_cache(maxsize=2000)
def _percent(sql: str) -> str:
    """`?` outside quotes as `%s`; psycopg looks for `%` only where there are parameters, so none may stand alone."""
    return "".join(
        piece if piece.startswith("'") else piece.replace("?", "%s") for piece in _QUOTED.split(sql.replace("%", "%%"))
    ) if "?" in sql else sql  # fmt: skip


_QUOTED = re.compile(r"('[^']*')")


def _store_error(error: Exception, driver: ModuleType, *, is_postgres: bool) -> StoreError:
    words = str(error).strip()
    first = words.splitlines()[0] if words else type(error).__name__
    if is_postgres:
        state = getattr(error, "sqlstate", None) or ""
        if state == "23505":
            return Duplicate(first)
        if state in {"40001", "40P01", "55P03"}:  # serialization failure, deadlock, lock timeout
            return TryAgain(_("the database asked to try again: {reason}").format(reason=first))
        if not state or state.startswith(("08", "57P")):
            return StoreFailed(_("the connection to the database is lost: {reason}").format(reason=first))
        if state.startswith(("53", "58")):  # insufficient resources, a full disk among them; errors of the system
            return StoreFailed(_("the database failed: {reason}").format(reason=first))
        return StoreError(_("the database refused: {reason}").format(reason=first))
    if isinstance(error, driver.IntegrityError) and "UNIQUE constraint failed" in words:
        return Duplicate(first)
    if isinstance(error, driver.OperationalError) and ("locked" in words or "busy" in words):
        return TryAgain(_("the database is busy: {reason}").format(reason=first))
    if "disk is full" in words:
        hint = _("work goes on by itself as soon as there is space")
        return StoreFailed(_("the disk that holds the database is full"), hint=hint)
    if "I/O error" in words or "out of memory" in words:
        return StoreFailed(_("the database failed: {reason}").format(reason=first))
    if "malformed" in words or "not a database" in words:
        return StoreError(
            _("the database is damaged: {reason}").format(reason=first),
            hint=_("`supportdesk restore` brings back a backup"),
        )
    return StoreError(_("the database refused: {reason}").format(reason=first))
