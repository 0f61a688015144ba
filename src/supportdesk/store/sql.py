"""The store on SQLite or Postgres: opens nothing before its first use, and one door for every write."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from supportdesk.desk.model import AgentId, TicketId
from supportdesk.desk.ports import Clock, SystemClock
from supportdesk.errors import OutcomeUnknown, StoreError, StoreFailed, TryAgain
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address, parse_url
from supportdesk.store.connect import BUSY_MILLISECONDS, POOL_LIMIT, Connection, Pool, close_connection, connect
from supportdesk.store.lock import Turnstile
from supportdesk.store.lost_commit import was_committed
from supportdesk.store.schema import HEAD, refuse_other_schema
from supportdesk.store.values import to_json_text
from supportdesk.store.write.remembered import Remembered

if TYPE_CHECKING:
    from supportdesk.store.blobs import SqlBlobs
    from supportdesk.store.ledger import SqlLedger
    from supportdesk.store.lost_commit import CommitMark
    from supportdesk.store.read.reader import SqlReader
    from supportdesk.store.write.transaction import WriteTransaction

Result = TypeVar("Result")

RETRIES = 8


class SqlStore:
    """desk.ports.Store on one database. Any thread may use it; `close()` ends it."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.address: Address = parse_url(url)
        self.clock: Clock = clock or SystemClock()
        self._pool = Pool(
            self._connect,
            lambda connection: close_connection(connection, self.address),
            limit=POOL_LIMIT if self.address.is_postgres else 0,
        )
        self._turnstile = None if self.address.is_postgres else Turnstile(self.address.file)
        self._remembered = Remembered()
        self._seen_leases: dict[str, tuple[tuple[Any, ...], float]] = {}

    @cached_property
    def read(self) -> SqlReader:
        from supportdesk.store.read.reader import SqlReader

        return SqlReader(self._pool, self.address)

    @cached_property
    def blobs(self) -> SqlBlobs:
        from supportdesk.store.blobs import SqlBlobs

        return SqlBlobs(self)

    @cached_property
    def ledger(self) -> SqlLedger:
        from supportdesk.store.ledger import SqlLedger

        return SqlLedger(self)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit, for the rooms of the store."""
        with self._pool.connection() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[WriteTransaction]:
        """One writing transaction. Raises TryAgain when nothing was written, OutcomeUnknown when that is not known."""
        from supportdesk.store.write.transaction import WriteTransaction

        with self._pool.connection() as connection, self._turn():
            try:
                self._begin(connection)
                tx = WriteTransaction(connection, self.clock.now(), self._is_awaited, self._remembered)
                yield tx
                tx.refuse_failed()
                mark = tx.finish()
            except BaseException:
                connection.rollback()
                raise
            self._commit(connection, mark)

    def run(self, block: Callable[[WriteTransaction], Result]) -> Result:
        """Run `block` in a transaction, again from the start while the database broke a deadlock or was busy."""
        for attempt in range(RETRIES):
            try:
                with self.transaction() as tx:
                    return block(tx)
            except TryAgain:
                if attempt == RETRIES - 1:
                    raise
                time.sleep(0.005 * 2**attempt)
        raise AssertionError("unreachable")

    def fold_view_counts(self) -> int:
        """Add the appended deltas of the view counts to their rows; how many there were."""
        with self.transaction() as tx:
            rows = tx.connection.execute("DELETE FROM view_count_delta RETURNING view, agent_id, delta")
            sums: dict[tuple[str, int], int] = {}
            for view, agent, delta in rows:
                sums[view, agent] = sums.get((view, agent), 0) + delta
            tx.connection.change_many(
                "INSERT INTO view_count (view, agent_id, tickets) VALUES (?, ?, ?)"
                " ON CONFLICT (view, agent_id) DO UPDATE SET tickets = view_count.tickets + excluded.tickets",
                [(view, agent, delta) for (view, agent), delta in sums.items()],
            )
            return len(rows)

    def recount_views(self, *, dry_run: bool = False) -> tuple[str, ...]:
        """Mend the view counters if they are wrong; which were. Raises TryAgain when deltas were folded meanwhile."""
        from supportdesk.store import counts

        with self._pool.connection() as connection:
            wrong = counts.miscounted_views(connection)
            if dry_run or not wrong:
                return wrong
            with self._turn():
                # One moment of all tables: deltas that come later are not in the count, and stay.
                connection.execute(
                    "BEGIN ISOLATION LEVEL REPEATABLE READ" if self.address.is_postgres else "BEGIN IMMEDIATE"
                )
                try:
                    counts.replace_counts(connection)
                except BaseException:
                    connection.rollback()
                    raise
                self._commit(connection)
        return wrong

    def mend_search(self, *, dry_run: bool = False) -> bool:
        """Make the search index anew from the texts if it differs from them; whether it did."""
        from supportdesk.store.schema_extras import rebuild_search, search_is_sound

        with self._pool.connection() as connection:
            if search_is_sound(connection):
                return False
            if dry_run:
                return True
            with self._turn():
                connection.execute("BEGIN IMMEDIATE")
                try:
                    rebuild_search(connection)
                except BaseException:
                    connection.rollback()
                    raise
                self._commit(connection)
        return True

    def gauges(self) -> dict[str, float | None]:
        """What `store.gauges` measures, now."""
        from supportdesk.store.gauges import read_gauges

        with self._pool.connection() as connection:
            return read_gauges(connection, self.address, self.clock.now())

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the database file and empty it (SQLite); False while a reader keeps it."""
        if self.address.is_postgres:
            return True
        with self._pool.connection() as connection, self._turn():
            connection.execute("PRAGMA busy_timeout = 0")  # or a forgotten reader would keep all writers waiting for us
            try:
                return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0)
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")

    def acquire_lease(self, name: str, owner: str, seconds: float, info: Mapping[str, Any]) -> int | None:
        """The epoch if the lease is ours now, else None.

        Wall clocks decide nothing: another's lease falls to us when it was released, when its process is known to be
        gone from this machine, or when this store object saw it unchanged for its whole length by the monotonic clock.
        """
        with self.transaction() as tx:
            found = tx.connection.execute(
                "SELECT owner, epoch, heartbeat_at, info FROM lease WHERE name = ?"
                + (" FOR UPDATE" if self.address.is_postgres else ""),
                (name,),
            )
            epoch = 0
            if found:
                holder, epoch, heartbeat, held = found[0]
                if holder not in {"", owner} and not self._lapsed(name, (holder, epoch, str(heartbeat), held), held):
                    return None
                if holder == owner:
                    epoch -= 1
            epoch += 1
            # The wall clock may show the same moment twice: what says that the holder lives is its own count.
            beat = {"seconds": seconds, "beat": self.clock.monotonic()}
            body = to_json_text({**info, **_whereabouts(), **beat})
            changed = tx.connection.change(
                "INSERT INTO lease (name, owner, epoch, until, heartbeat_at, info) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch,"
                " until = excluded.until, heartbeat_at = excluded.heartbeat_at, info = excluded.info"
                " WHERE lease.epoch < excluded.epoch OR lease.owner = excluded.owner",
                (name, owner, epoch, tx.now + timedelta(seconds=seconds), tx.now, body),
            )
            return epoch if changed else None

    def release_lease(self, name: str, owner: str) -> None:
        with self.transaction() as tx:
            tx.connection.change(
                "UPDATE lease SET owner = '', until = ? WHERE name = ? AND owner = ?", (tx.now, name, owner)
            )

    def set_presence(self, ticket_id: TicketId, agent_id: AgentId, console: str, mode: str) -> None:
        with self.transaction() as tx:
            tx.wrote = True
            if mode:
                tx.connection.change(
                    "INSERT INTO presence (ticket_id, agent_id, console, mode, at) VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (ticket_id, agent_id, console) DO UPDATE SET mode = excluded.mode, at = excluded.at",
                    (ticket_id, agent_id, console, mode, tx.now),
                )
            else:
                tx.connection.change(
                    "DELETE FROM presence WHERE ticket_id = ? AND agent_id = ? AND console = ?",
                    (ticket_id, agent_id, console),
                )

    def close(self) -> None:
        if "read" in self.__dict__:
            self.read.close()
        self._pool.close()

    def _connect(self) -> Connection:
        connection = connect(self.address)
        try:
            refuse_other_schema(connection, self.address.shown)
        except BaseException:
            close_connection(connection, self.address)
            raise
        return connection

    def _begin(self, connection: Connection) -> None:
        """BEGIN, in the schema that this program writes."""
        begin = "BEGIN" if self.address.is_postgres else "BEGIN IMMEDIATE"
        try:
            found = connection.run_in_a_row(begin, "SELECT version_num FROM alembic_version")
        except (TryAgain, StoreFailed):
            raise
        except StoreError:  # that table is gone
            connection.rollback()
            refuse_other_schema(connection, self.address.shown)
            raise
        if found != [(HEAD,)]:
            refuse_other_schema(connection, self.address.shown)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turnstile is None:
            yield
            return
        with self._turnstile.held():
            yield

    def _is_awaited(self) -> bool:
        return self._turnstile is not None and self._turnstile.is_awaited()

    def _commit(self, connection: Connection, mark: CommitMark | None = None) -> None:
        """COMMIT; where its answer was lost, the database is asked what became of it, by the transaction's mark."""
        try:
            connection.execute("COMMIT")
        except TryAgain:
            connection.rollback()
            raise
        except StoreError as error:
            if not connection.broken:
                connection.rollback()
            committed = was_committed(mark, self._connect) if mark is not None and connection.broken else None
            if committed:
                return
            if committed is not None:
                raise TryAgain(
                    _("the commit broke off and nothing was written: {reason}").format(reason=error.message)
                ) from error
            raise OutcomeUnknown(_("the commit broke off: {reason}").format(reason=error.message)) from error

    def _lapsed(self, name: str, state: tuple[Any, ...], held: str) -> bool:
        import json

        info = json.loads(held)
        if _is_gone(info):
            return True
        seen, since = self._seen_leases.get(name, (None, 0.0))
        now = self.clock.monotonic()
        if seen != state:
            self._seen_leases[name] = (state, now)
            return False
        return now - since >= float(info.get("seconds", 60))


def _whereabouts() -> dict[str, Any]:
    """This process, so that another one on the same machine can tell whether it is gone."""
    return {"machine": _machine(), "boot": _boot(), "pid": os.getpid(), "thread": threading.get_native_id()}


def _is_gone(info: Mapping[str, Any]) -> bool:
    if info.get("machine") != _machine() or "pid" not in info:
        return False
    if info.get("boot") != _boot():
        return True
    try:
        os.kill(int(info["pid"]), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """The host and, where there are containers, the space of process ids."""
    try:
        space = Path("/proc/self/ns/pid").readlink().name
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


if TYPE_CHECKING:
    from supportdesk.desk.ports import Store

    _as_port: Store = SqlStore("")
