"""Blobs, the ledger, leases and the connection: what the worker stands on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.ports import Insert, LedgerItem, NewRef, Plan, Update
from supportdesk.errors import Conflict, NotFound, StoreError, UsageError
from supportdesk.store import blobs, open_store
from supportdesk.store.address import NETWORK_FILE_SYSTEMS, file_system, parse_url
from supportdesk.store.connect import PRAGMAS
from tests.store.desk import apply
from tests.support.processes import wait_until
from tests.support.waiting import somebody_waits

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk
    from tests.support.clock import FakeClock

ROOT = Path(__file__).resolve().parents[2]


# ---- blobs ----


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1, 5_000_000])
def test_bytes_come_back_as_they_were(store: SqlStore, size: int) -> None:
    data = os.urandom(size)
    sha = store.blobs.put(data)
    assert store.blobs.put(data) == sha
    assert store.blobs.get(sha) == data
    assert len(store.read.rows("blob")) == 1
    assert max((len(piece) for piece in store.blobs.stream(sha)), default=0) <= 256 * 1024


def test_an_unknown_or_damaged_blob_is_an_error(store: SqlStore) -> None:
    with pytest.raises(NotFound):
        store.blobs.get("0" * 64)
    sha = store.blobs.put(b"x" * 300_000)
    other = store.blobs.put(b"y" * 300_000)
    with store.transaction() as tx:
        frame = tx.connection.execute("SELECT data FROM blob_chunk WHERE sha256 = ? AND n = 1", (other,))[0][0]
        tx.connection.change("UPDATE blob_chunk SET data = ? WHERE sha256 = ? AND n = 1", (frame, sha))
    with pytest.raises(StoreError, match="damaged"):
        store.blobs.get(sha)
    with store.transaction() as tx:
        tx.connection.change("DELETE FROM blob_chunk WHERE sha256 = ? AND n = 0", (other,))
    with pytest.raises(StoreError, match="missing"):
        store.blobs.get(other)


def test_the_pieces_of_a_killed_put_are_used_again(store: SqlStore) -> None:
    data = os.urandom(3_000_000)
    sha = store.blobs.put(data)
    with store.transaction() as tx:
        tx.connection.change("DELETE FROM blob")
        tx.connection.change("DELETE FROM blob_chunk WHERE n > 5")
    assert store.blobs.put(data) == sha
    assert store.blobs.get(sha) == data


def test_the_pieces_of_a_killed_put_are_swept_away_and_no_others(store: SqlStore) -> None:
    kept, left = store.blobs.put(os.urandom(600_000)), store.blobs.put(os.urandom(600_000))
    with store.transaction() as tx:
        tx.connection.change("DELETE FROM blob WHERE sha256 = ?", (left,))
    assert store.blobs.sweep() == 1
    assert store.blobs.sweep() == 0
    assert len(store.blobs.get(kept)) == 600_000
    with store.connection() as connection:
        assert connection.execute("SELECT DISTINCT sha256 FROM blob_chunk") == [(kept,)]


def test_a_put_whose_pieces_were_swept_away_meanwhile_is_whole(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = os.urandom(3_000_000)
    put_small = blobs.put_small

    def after_a_sweep(connection, *rest):
        assert connection.execute("SELECT count(*) FROM blob_chunk")[0][0] > 0
        return put_small(connection, *rest)

    run = store.run

    def sweep_first(block):
        monkeypatch.setattr(store, "run", run)
        assert store.blobs.sweep() == 1
        return run(block)

    monkeypatch.setattr(blobs, "put_small", after_a_sweep)
    monkeypatch.setattr(store, "run", sweep_first)
    assert store.blobs.get(store.blobs.put(data)) == data


def test_a_sweep_takes_nothing_from_a_put_that_is_about_to_commit(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sees the pieces and no row yet: on Postgres a snapshot of before the commit would let it take them."""
    data, swept = os.urandom(3_000_000), threading.Event()
    put_small = blobs.put_small

    def sweep() -> None:
        try:
            store.blobs.sweep()
        finally:
            swept.set()

    sweeping = threading.Thread(target=sweep)

    def while_somebody_sweeps(*arguments):
        put_small(*arguments)
        sweeping.start()
        wait_until(lambda: swept.is_set() or somebody_waits(store), seconds=60, what="the sweep's move")

    monkeypatch.setattr(blobs, "put_small", while_somebody_sweeps)
    sha = store.blobs.put(data)
    sweeping.join(60)
    assert swept.is_set()
    assert store.blobs.get(sha) == data


# ---- the ledger ----


def mails(first: int, last: int) -> list[LedgerItem]:
    return [LedgerItem(uid, f"mail {uid}".encode() * 50, 300, None) for uid in range(first, last + 1)]


def test_fetched_mail_is_in_the_ledger_once_with_its_bytes(store: SqlStore, desk: SmallDesk) -> None:
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    assert store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"] == folder
    store.ledger.new_epoch(folder, 7)
    store.ledger.record_fetched(folder, 7, mails(1, 120), advance_to=120)
    store.ledger.record_fetched(folder, 7, mails(100, 130), advance_to=125)
    assert store.ledger.known_uids(folder, 7, 95, 1000) == set(range(95, 131))
    row = store.read.rows("folder", {"id": folder})[0]
    assert (row["last_uid"], row["uidvalidity"]) == (125, 7)
    waiting = store.ledger.unprocessed(1000)
    assert [item["uid"] for item in waiting] == list(range(1, 131))
    assert (waiting[0]["folder"], waiting[0]["role"], waiting[0]["mailbox_id"]) == ("INBOX", "inbox", desk.mailbox)
    assert store.blobs.get(waiting[4]["raw_sha"]) == b"mail 5" * 50
    assert store.ledger.unprocessed(10, mailbox_id=999) == []  # type: ignore[arg-type]


def test_a_big_mail_goes_in_before_its_row_and_one_without_bytes_gets_a_row_too(
    store: SqlStore, desk: SmallDesk
) -> None:
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    store.ledger.new_epoch(folder, 1)
    raw = os.urandom(2_000_000)
    items = [
        LedgerItem(1, raw, len(raw), store.clock.now()),
        LedgerItem(2, None, 10, None),
        LedgerItem(3, b"cut", 9, None, partial=True),
    ]
    store.ledger.record_fetched(folder, 1, items, advance_to=0)
    rows = {row["uid"]: row for row in store.read.rows("delivery")}
    assert store.blobs.get(rows[1]["raw_sha"]) == raw
    assert rows[1]["internal_date"] == store.clock.now()
    assert (rows[2]["raw_sha"], rows[3]["reason"]) == ("", "partial")
    assert store.read.rows("folder")[0]["last_uid"] == 0


def test_another_uidvalidity_stops_a_late_fetch_and_starts_the_cursor_anew(store: SqlStore, desk: SmallDesk) -> None:
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    store.ledger.new_epoch(folder, 1)
    store.ledger.record_fetched(folder, 1, mails(1, 3), advance_to=3)
    store.ledger.new_epoch(folder, 2)
    with pytest.raises(Conflict, match="UIDVALIDITY"):
        store.ledger.record_fetched(folder, 1, mails(4, 4), advance_to=4)
    assert store.read.rows("folder")[0]["last_uid"] == 0
    assert store.ledger.known_uids(folder, 1, 1, 9) == {1, 2, 3}
    store.ledger.new_epoch(folder, 2)
    store.ledger.record_fetched(folder, 2, mails(1, 1), advance_to=1)
    assert len(store.read.rows("delivery")) == 4


def test_the_audit_accounts_for_every_row(store: SqlStore, desk: SmallDesk, clock: FakeClock) -> None:
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    store.ledger.new_epoch(folder, 1)
    store.ledger.record_fetched(folder, 1, mails(1, 4), advance_to=4)
    store.ledger.record_gone(folder, 1, [4, 5], advance_to=5)
    [first, *_] = store.ledger.unprocessed(1)
    assert store.ledger.note_failure(first["id"], "parser died") == 1
    apply(store, Plan((Update("delivery", {"id": first["id"]}, {"outcome": ""}, {"outcome": "message"}),)))
    store.ledger.finish_pass(folder, missing=2, error="connection lost")
    since = clock.now()
    clock.advance(timedelta(minutes=1))
    store.ledger.finish_pass(folder, missing=2, error="connection lost")
    assert store.read.rows("folder")[0]["error_since"] == since
    [row] = store.read.audit()
    counted = {name: row[name] for name in ("rows", "message", "gone", "unprocessed", "parked", "missing", "last_uid")}
    assert counted == {"rows": 5, "message": 1, "gone": 1, "unprocessed": 3, "parked": 0, "missing": 2, "last_uid": 5}
    store.ledger.finish_pass(folder, missing=0)
    assert store.read.rows("folder")[0]["error"] == ""


# ---- leases ----


def test_a_lease_has_one_holder_and_its_epoch_grows_with_each_takeover(store: SqlStore, clock: FakeClock) -> None:
    other = open_store(store.address.url, clock)
    assert store.acquire_lease("worker", "a", 30, {"version": 1}) == 1
    assert other.acquire_lease("worker", "b", 30, {}) is None
    assert store.acquire_lease("worker", "a", 30, {}) == 1
    store.release_lease("worker", "a")
    assert other.acquire_lease("worker", "b", 30, {}) == 2
    assert store.acquire_lease("worker", "a", 30, {}) is None
    other.close()


def test_only_time_that_passed_while_watching_ends_a_lease(store: SqlStore, clock: FakeClock) -> None:
    other = open_store(store.address.url, clock)
    assert store.acquire_lease("worker", "a", 30, {}) == 1
    assert other.acquire_lease("worker", "b", 30, {}) is None
    clock.set_wall(clock.now() + timedelta(days=1))
    assert other.acquire_lease("worker", "b", 30, {}) is None, "a wall clock that jumps ends nothing"
    clock.advance(timedelta(seconds=20))
    assert store.acquire_lease("worker", "a", 30, {}) == 1
    clock.advance(timedelta(seconds=20))
    assert other.acquire_lease("worker", "b", 30, {}) is None, "it was renewed meanwhile"
    clock.set_wall(clock.now() - timedelta(days=2))
    clock.advance(timedelta(seconds=30))
    assert other.acquire_lease("worker", "b", 30, {}) == 2
    assert store.acquire_lease("worker", "a", 30, {}) is None
    other.close()


def test_a_holder_that_renews_at_the_same_wall_time_again_and_again_keeps_its_lease(
    store: SqlStore, clock: FakeClock
) -> None:
    assert store.acquire_lease("worker", "one", 30, {}) == 1
    other = open_store(store.address.url, clock)
    try:
        for _turn in range(5):
            assert other.acquire_lease("worker", "two", 30, {}) is None
            moment = clock.now()
            clock.advance(timedelta(seconds=20))
            clock.set_wall(moment)
            assert store.acquire_lease("worker", "one", 30, {}) == 1
    finally:
        other.close()


def test_the_lease_of_a_process_that_died_here_is_free_at_once(store: SqlStore) -> None:
    code = """
import sys
from supportdesk.store import open_store
print(open_store(sys.argv[1]).acquire_lease('worker', 'dead', 3600, {}))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, store.address.url], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "1\n"
    assert store.acquire_lease("worker", "alive", 30, {}) == 2


# ---- the connection ----


def test_every_pragma_holds_on_a_borrowed_connection(store: SqlStore) -> None:
    if store.address.is_postgres:
        with store.connection() as connection:
            assert connection.execute("SHOW timezone") == [("UTC",)]
            assert connection.execute("SHOW synchronous_commit") == [("on",)]
        return
    with store.connection() as connection:
        assert connection.execute("PRAGMA journal_mode") == [("wal",)]
        for name, _, answer in PRAGMAS:
            found = connection.execute(f"PRAGMA {name}")
            assert found in ([(answer,)], []), name
        expected = (3, 40) if os.environ.get("SUPPORTDESK_SQLITE") == "stdlib" else (3, 51)
        version = connection.execute("SELECT sqlite_version()")[0][0]
        assert tuple(map(int, version.split(".")[:2])) >= expected
    assert store.checkpoint()


def test_a_shared_database_is_group_writable_whatever_the_umask(tmp_path: Path) -> None:
    from supportdesk.store import create_or_upgrade

    old = os.umask(0o077)
    try:
        create_or_upgrade(f"sqlite:///{tmp_path / 'desk.db'}")
        store = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
        store.release_lease("x", "y")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("desk.db*")}
        store.close()
    finally:
        os.umask(old)
    assert set(modes) == {"desk.db", "desk.db-wal", "desk.db-shm", "desk.db-gate", "desk.db-lock"}
    assert set(modes.values()) == {0o660}


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "", "sqlite://relative"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_url(url)


def test_a_network_file_system_is_refused_unless_forced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert file_system(tmp_path / "desk.db") not in NETWORK_FILE_SYSTEMS
    (tmp_path / "desk.db").touch()
    monkeypatch.setattr("supportdesk.store.address.file_system", lambda path: "nfs4")
    store = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
    with pytest.raises(StoreError, match="network file system"):
        store.read.rows("ticket")
    forced = open_store(f"sqlite:///{tmp_path / 'desk.db'}?network=force")
    with pytest.raises(StoreError, match="no desk yet"):
        forced.read.rows("ticket")
    forced.close()


def test_reading_writing_and_searching_import_no_sqlalchemy(store: SqlStore, desk: SmallDesk) -> None:
    code = """
import sys
from datetime import datetime, UTC
from supportdesk.desk.query import read_query
from supportdesk.store import open_store
store = open_store(sys.argv[1])
read, now = store.read, datetime.now(UTC)
read.queue_rows(read.queue_ids("needs_reply", agent_id=1, now=now), agent_id=1, now=now)
read.counts(agent_id=1, now=now); read.thread(1); read.customer(1)
read.search(read_query("pacco tag:x"), agent_id=1, now=now)
store.set_presence(1, 1, "console", "viewing")
store.close()
print([name for name in ("sqlalchemy", "sqlmodel", "pydantic", "alembic", "zstandard") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, store.address.url], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stdout == "[]\n", done.stderr


def test_two_drafts_of_one_agent_for_one_ticket_and_kind_are_a_conflict(store: SqlStore, desk: SmallDesk) -> None:
    now = store.clock.now()
    values = {
        "ticket_id": desk.tickets[0],
        "agent_id": desk.anna.id,
        "mailbox_id": desk.mailbox,
        "created_at": now,
        "updated_at": now,
    }
    first = apply(store, Plan((Insert("outbox", values, NewRef("o")),))).ids["o"]
    with pytest.raises(Conflict):
        apply(store, Plan((Insert("outbox", values),)))
    apply(
        store,
        Plan((Update("outbox", {"id": first}, {"state": "draft", "version": 1}, {"body": "x", "discarded_at": now}),)),
    )
    apply(store, Plan((Insert("outbox", values),)))
    assert store.read.rows("outbox", {"id": first})[0]["version"] == 2


def test_a_closed_store_says_so(store: SqlStore) -> None:
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.read.rows("ticket")
