"""The whole desk from one database into another, SQLite or Postgres, proved equal before anybody sees it.

The target is filled unseen: one transaction on Postgres, a file beside the real one for SQLite. Whatever ends the work
early, Ctrl-C too, leaves both as they were. Two desks must never send the same reply:

- a copy is treated like a restored backup: its undelivered replies are uncertain, its mailboxes paused; the desk it
  was made from goes on;
- a move keeps everything as it is and closes the old desk for every program, before the new one can be opened. Its
  worker must have stopped, and nobody writes into it meanwhile.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supportdesk.errors import Conflict, NotFound, OutcomeUnknown, StoreError, UsageError
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address, parse_url
from supportdesk.store.backup import (
    Done,
    beside,
    copy_into_live,
    filling,
    live,
    neutralise,
    parents_first,
    replacing_postgres,
    set_aside,
)
from supportdesk.store.connect import Connection, close_connection, connect, create_sqlite
from supportdesk.store.copy_rows import copy_tables, count_rows, hash_tables, own_tables
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, MOVED, refuse_newer_schema, refuse_other_schema, revision
from supportdesk.store.sql import SqlStore
from supportdesk.store.upgrade import create_or_upgrade

Progress = Callable[[str, int, int], None]
"""`progress("copied" | "compared", done, total)`, in rows."""

WORKER_LEASE: Final = "worker"
OF_PROCESSES: Final = ("lease", "presence")
"""Tables that speak of running programs: they begin anew."""

LEASE_SECONDS: Final = 30.0
WATCHED_SECONDS: Final = 35.0
"""A worker on another machine is taken for dead when its lease was not renewed while we watched."""


@dataclass(frozen=True, slots=True)
class TableCopy:
    """One table: its rows, and the hash that both databases agreed on ("" where nothing was copied)."""

    rows: int
    hash: str = ""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy did, or with `dry_run` would do; `complete` is False when it was stopped: then nothing was done."""

    source: str
    target: str
    revision: str
    tables: dict[str, TableCopy]
    dry_run: bool = False
    complete: bool = True
    moved: bool = False
    uncertain: int = 0
    paused: int = 0
    aside: Path | None = None


class Stopped(StoreError):
    """Somebody asked to stop."""


def copy_desk(
    source_url: str,
    target_url: str,
    *,
    move: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> CopyReport:
    """Copy or move the desk. Raises StoreError, Conflict (a worker still works, the target is in use): nothing is done.

    `replace` allows a target that holds a desk, which is kept aside as a backup. `stop` is asked between two batches.
    """
    source, target = parse_url(source_url), parse_url(target_url)
    if _is_same(source, target):
        raise UsageError(_("the source and the target are the same database"))
    holds = _refuse_target(target, replace=replace)
    with _worker_held_off(source_url, wanted=move and not dry_run), _opened(source, move=move and not dry_run) as old:
        refuse_other_schema(old, source.shown)
        names = [name for name in parents_first() if name not in OF_PROCESSES]
        counted = count_rows(old, names)
        if dry_run:
            tables = {name: TableCopy(rows) for name, rows in counted.items()}
            return CopyReport(source.shown, target.shown, HEAD, tables, dry_run=True)
        work = _Work(old, source, names, counted, move, progress, stop)
        try:
            aside = set_aside(target, _anchor(source, target)) if holds else None
            hashes, uncertain, paused = _fill_postgres(work, target) if target.is_postgres else _fill_file(work, target)
        except Stopped:
            return CopyReport(source.shown, target.shown, HEAD, {}, complete=False)
    tables = {name: TableCopy(counted[name], hashes[name]) for name in names}
    return CopyReport(
        source.shown, target.shown, HEAD, tables, moved=move, uncertain=uncertain, paused=paused, aside=aside
    )


def reopen(url: str) -> int:
    """Open a desk again that had moved away: like a restored backup, because the other one may have sent its replies.

    Returns how many undelivered replies became uncertain. Raises Conflict where it had not moved.
    """
    address = parse_url(url)
    with live(address) as connection, _turn(address):
        found = revision(connection)
        if not found.startswith(MOVED):
            raise Conflict(_("{database} has not moved: it is open").format(database=address.shown))
        refuse_newer_schema(found.removeprefix(MOVED), address.shown)
        connection.execute("BEGIN" if address.is_postgres else "BEGIN IMMEDIATE")
        try:
            connection.execute("UPDATE alembic_version SET version_num = ?", (found.removeprefix(MOVED),))
            uncertain = neutralise(connection, "the desk had moved and was opened again")
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
    return uncertain


# ---- the source ------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(source: Address, *, move: bool) -> Iterator[Connection]:
    """One moment of the old desk; for a move nobody else can write into it until this ends."""
    if not source.is_postgres and not source.file.exists():
        raise NotFound(_("there is no desk at {database}").format(database=source.file))
    connection = connect(source)
    try:
        if not move:
            with connection.snapshot():
                yield connection
            return
        with _turn(source):
            try:
                if source.is_postgres:
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                    # Every writing transaction reads this table first: who is in one ends it, nobody begins another.
                    connection.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
                else:
                    connection.execute("BEGIN IMMEDIATE")
                yield connection
            finally:
                if not connection.broken:
                    connection.rollback()
    finally:
        close_connection(connection, source)


@contextmanager
def _worker_held_off(url: str, *, wanted: bool) -> Iterator[None]:
    """Hold the worker's lease on the old desk, so that nothing is on its way out. Raises Conflict while one works."""
    if not wanted:
        yield
        return
    store = SqlStore(url)
    owner = f"{socket.gethostname()}:{os.getpid()}:db-copy"
    try:
        deadline = store.clock.monotonic() + WATCHED_SECONDS
        seen = _heartbeat(store)
        while store.acquire_lease(WORKER_LEASE, owner, LEASE_SECONDS, {"copying": True}) is None:
            if _heartbeat(store) != seen or store.clock.monotonic() > deadline:
                raise Conflict(
                    _("a worker works on {database}").format(database=store.address.shown),
                    what="worker",
                    hint=_("stop it first (systemctl --user stop supportdesk-worker), and start it on the new desk"),
                )
            store.clock.sleep(1.0)
        try:
            yield
        except BaseException:
            store.release_lease(WORKER_LEASE, owner)
            raise
        if _may_release(store):
            store.release_lease(WORKER_LEASE, owner)
    finally:
        store.close()


def _may_release(store: SqlStore) -> bool:
    """Not of a desk that has just been closed."""
    connection = connect(store.address)
    try:
        return revision(connection) == HEAD
    finally:
        close_connection(connection, store.address)


def _heartbeat(store: SqlStore) -> object:
    return [(row["owner"], row["heartbeat_at"]) for row in store.read.rows("lease", {"name": WORKER_LEASE})]


# ---- the target ------------------------------------------------------------------------------------------------------


class _Work:
    """One copy under way: what is read, what is told, and the last step on the old desk."""

    def __init__(
        self,
        old: Connection,
        source: Address,
        names: list[str],
        counted: dict[str, int],
        move: bool,
        progress: Progress | None,
        stop: Callable[[], bool],
    ) -> None:
        self.old, self.source, self.names, self.move = old, source, names, move
        self.closed = False
        self._total, self._progress, self._stop = sum(counted.values()), progress, stop

    def fill(self, new: Connection) -> tuple[dict[str, str], int, int]:
        """Copy and compare, then make the new desk one that sends nothing twice."""
        read = copy_tables(self.old, new, self.names, self._counter("copied"))
        written = hash_tables(new, self.names, self._counter("compared"))
        if wrong := [name for name in self.names if read[name] != written[name]]:
            raise StoreError(
                _("the copy differs from the original in {tables}; nothing was changed").format(tables=", ".join(wrong))
            )
        if new.is_postgres:  # or the first minutes of the new desk are planned as if it were empty
            new.execute(f"ANALYZE {', '.join(self.names)}")
        if self.move:
            for name, epoch in self.old.execute("SELECT name, epoch FROM lease"):
                sql = "INSERT INTO lease (name, owner, epoch, until, heartbeat_at, info) VALUES (?, '', ?, ?, ?, '{}')"
                at = self.old.execute("SELECT heartbeat_at FROM lease WHERE name = ?", (name,))[0][0]
                new.execute(sql, (name, epoch, at, at))
            return written, 0, 0
        uncertain = neutralise(new, "copied from another database")
        paused = new.change("UPDATE mailbox SET state = 'paused', version = version + 1 WHERE state = 'active'")
        return written, uncertain, paused

    def close_old(self) -> None:
        """The last step before the new desk can be opened: from here on no program uses the old one."""
        if self._stop():
            raise Stopped("stopped")
        if self.move:
            self.old.execute("UPDATE alembic_version SET version_num = ?", (MOVED + HEAD,))
            self.old.execute("COMMIT")
            self.closed = True

    def give_back(self) -> None:
        """The new desk did not come to be: the old one is the desk again."""
        if self.closed:
            self.old.execute("UPDATE alembic_version SET version_num = ?", (HEAD,))

    def _counter(self, stage: str) -> Callable[[int], None]:
        done = Done(self._total, lambda at, total: self._progress(stage, at, total) if self._progress else None)

        def count(more: int) -> None:
            done.count(more)
            if self._stop():
                raise Stopped("stopped")

        return count


def _fill_postgres(work: _Work, target: Address) -> tuple[dict[str, str], int, int]:
    with replacing_postgres(target) as new:
        filled = work.fill(new)
        work.close_old()
        try:
            new.execute("COMMIT")
        except StoreError as error:
            if new.broken and work.closed:  # both open would be worse than both closed
                raise OutcomeUnknown(
                    _("{database} broke off at the last step: {reason}").format(
                        database=target.shown, reason=error.message
                    ),
                    hint=_("if it holds the desk, all is well; else `supportdesk db reopen` brings the old one back"),
                ) from error
            work.give_back()
            raise
    return filled


def _fill_file(work: _Work, target: Address) -> tuple[dict[str, str], int, int]:
    target.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with beside(target.file) as prepared:
        create_or_upgrade(f"sqlite:///{prepared}", safe=False)
        with filling(prepared) as new:
            filled = work.fill(new)
            if new.execute("PRAGMA foreign_key_check"):
                raise StoreError(_("the copy would leave rows without their parents; nothing was changed"))
        work.close_old()
        try:
            copy_into_live(prepared, target)
        except BaseException:
            work.give_back()
            raise
    return filled


def _refuse_target(target: Address, *, replace: bool) -> bool:
    """Whether there is a desk that is to be replaced. Raises StoreError or Conflict for one that must not be."""
    if not target.is_postgres:
        if not target.file.exists() or target.file.stat().st_size == 0:
            return False
        create_sqlite(target)
    with live(target) as connection:
        found = revision(connection).removeprefix(MOVED)
        if not found:
            return False
        if found != HEAD:
            refuse_other_schema(connection, target.shown)
        rows = sum(count_rows(connection, own_tables(connection)).values())
    if rows and not replace:
        raise Conflict(
            _("{database} holds a desk already ({rows} rows)").format(database=target.shown, rows=rows), what="target",
            hint=_("--replace puts this one in its place; what is there now is kept aside"),
        )  # fmt: skip
    return bool(rows)


def _anchor(source: Address, target: Address) -> Path:
    """Beside which file the replaced desk is kept: its own, else the other desk's; between two servers, right here."""
    if not target.is_postgres:
        return target.file
    folder = Path.cwd() if source.is_postgres else source.file.parent
    return folder / f"supportdesk-{target.dsn.rpartition('/')[2].partition('?')[0]}"


@contextmanager
def _turn(address: Address) -> Iterator[None]:
    if address.is_postgres:
        yield
        return
    with Turnstile(address.file).held():
        yield


def _is_same(one: Address, other: Address) -> bool:
    if one.is_postgres or other.is_postgres:
        return one.is_postgres and other.is_postgres and one.dsn == other.dsn
    return one.file.resolve() == other.file.resolve()
