"""Backups hold every commit, restores never leave half a desk, and nothing that was undelivered is sent again."""

from __future__ import annotations

import random
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent
from supportdesk.desk.query import read_query
from supportdesk.errors import StoreError
from supportdesk.store import SqlStore, create_or_upgrade, open_store
from supportdesk.store.backup import backup, restore, verify
from tests.store.desk import add_ticket, apply, fill, set_ticket

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.store.desk import SmallDesk


def contents(store: SqlStore) -> dict[str, list[object]]:
    """Every row of every table that a backup must bring back."""
    from supportdesk.store.columns import TABLES

    return {
        name: sorted((list(row.items()) for row in store.read.rows(name)), key=repr)
        for name in TABLES
        if name not in {"lease", "presence", "event"}
    }


def hold_reply(store: SqlStore, desk: SmallDesk, state: str) -> int:
    now = store.clock.now()
    values = {
        "ticket_id": desk.tickets[0], "agent_id": desk.anna.id, "mailbox_id": desk.mailbox, "state": state,
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    return apply(
        store, Plan((Insert("outbox", values, NewRef("o")),), (), (PlannedEvent(desk.tickets[0], "reply"),))
    ).ids["o"]


def test_a_backup_restores_into_an_empty_database_of_either_kind(
    store: SqlStore, desk: SmallDesk, tmp_path: Path, other_url: Callable[[], str]
) -> None:
    sha = store.blobs.put(b"raw mail " * 100_000)
    apply(store, Plan((Insert("signing_key", {"secret": b"\0\xff'", "created_at": store.clock.now()}),)))
    store.fold_view_counts()
    report = backup(store.address.url, tmp_path / "desk.backup")
    assert (tmp_path / "desk.backup").stat().st_mode & 0o777 == 0o600
    assert report.rows["ticket"] == 5
    for target in (f"sqlite:///{tmp_path / 'new' / 'desk.db'}", other_url()):
        restore(tmp_path / "desk.backup", target)
        restored = open_store(target, store.clock)
        assert contents(restored) == contents(store)
        assert restored.read.search(read_query("grosse"), agent_id=None, now=store.clock.now()) == [desk.tickets[4]]
        assert restored.blobs.get(sha) == b"raw mail " * 100_000
        assert restored.read.thread(desk.tickets[0]) == store.read.thread(desk.tickets[0])
        assert add_ticket(restored, "next") == max(desk.tickets) + 1
        assert restored.read.events(after=0)[-1].kind == "created"
        restored.close()
    assert [path.name for path in tmp_path.glob(".*.part*")] == []


def test_what_was_not_delivered_is_uncertain_after_a_restore_and_leases_end(
    store: SqlStore, desk: SmallDesk, tmp_path: Path
) -> None:
    states = {
        hold_reply(store, desk, state): state for state in ("held", "sending", "deferred", "sent", "failed", "draft")
    }
    store.acquire_lease("worker", "old", 60, {})
    backup(store.address.url, tmp_path / "desk.backup")
    add_ticket(store, "after the backup")
    report = restore(tmp_path / "desk.backup", store.address.url)
    assert report.uncertain == 3
    assert report.aside is not None
    assert verify(report.aside).rows["ticket"] == 6, "what was replaced is kept"
    store.close()
    fresh = open_store(store.address.url, store.clock)
    found = {row["id"]: row["state"] for row in fresh.read.rows("outbox")}
    assert found == {
        outbox: "uncertain" if state in {"held", "sending", "deferred"} else state for outbox, state in states.items()
    }
    assert len(fresh.read.rows("ticket")) == 5
    assert fresh.read.rows("lease") == []
    assert fresh.read.rows("event", order="-seq", limit=1)[0]["kind"] == "restored"
    fresh.close()


def test_a_backup_under_load_holds_every_commit_that_was_acknowledged_before_it(
    store: SqlStore, desk: SmallDesk, tmp_path: Path
) -> None:
    stop = threading.Event()
    acknowledged: list[int] = []

    def write() -> None:
        with_load = open_store(store.address.url)
        while not stop.is_set():
            acknowledged.append(add_ticket(with_load, "load"))
        with_load.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            seen = len(acknowledged)
            while len(acknowledged) <= seen:
                pass
            before = len(acknowledged)
            report = backup(store.address.url, tmp_path / f"{number}.backup")
            assert report.rows["ticket"] >= before + len(desk.tickets)
            assert verify(report.file).rows == report.rows
    finally:
        stop.set()
        writer.join()


def test_a_damaged_foreign_or_newer_file_is_refused_and_changes_nothing(
    store: SqlStore, desk: SmallDesk, tmp_path: Path
) -> None:
    good = tmp_path / "good.backup"
    backup(store.address.url, good)
    before = contents(store)
    data = good.read_bytes()
    import sqlite3

    foreign = tmp_path / "foreign"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE photos (id)")
    connection.close()
    newer = tmp_path / "newer"
    shutil.copy(good, newer)
    with sqlite3.connect(newer) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    connection.close()
    for name, content in {"text": b"hello", "empty": b"", "cut": data[: len(data) // 2]}.items():
        (tmp_path / name).write_bytes(content)
    for name in ("text", "empty", "cut", "foreign", "newer", "absent"):
        with pytest.raises(StoreError):
            restore(tmp_path / name, store.address.url)
    assert contents(store) == before


def test_bit_flips_are_refused_or_harmless_but_never_half_a_desk(empty_sqlite: Path, tmp_path: Path) -> None:
    source = tmp_path / "desk.db"
    shutil.copy(empty_sqlite, source)
    store = open_store(f"sqlite:///{source}")
    fill(store)
    rows = backup(store.address.url, tmp_path / "good").rows
    store.close()
    data = (tmp_path / "good").read_bytes()
    chance = random.Random(2)
    refused = 0
    for _ in range(60):
        flipped = bytearray(data)
        flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        (tmp_path / "flipped").write_bytes(flipped)
        try:
            assert verify(tmp_path / "flipped").rows == rows
        except StoreError:
            refused += 1
    assert refused


def test_a_sound_desk_that_cannot_be_kept_aside_is_not_replaced_and_stays_where_it_is(
    empty_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk while the old desk is backed up: consoles and the worker have its file open and write to it."""
    desk, file = tmp_path / "desk.db", tmp_path / "good"
    shutil.copy(empty_sqlite, desk)
    url = f"sqlite:///{desk}"
    backup(url, file)
    inode, files = desk.stat().st_ino, {one.name for one in tmp_path.iterdir()}

    def full(*_arguments: object, **_named: object) -> None:
        raise StoreError("the backup could not be written: database or disk is full")

    monkeypatch.setattr("supportdesk.store.backup.backup", full)
    with pytest.raises(StoreError, match="disk is full"):
        restore(file, url)
    assert desk.stat().st_ino == inode
    assert {one.name for one in tmp_path.iterdir()} == files


def test_a_damaged_desk_is_kept_aside_as_it_is(empty_sqlite: Path, tmp_path: Path) -> None:
    source = tmp_path / "desk.db"
    shutil.copy(empty_sqlite, source)
    url = f"sqlite:///{source}"
    backup(url, tmp_path / "good")
    source.write_bytes(b"SQLite format 3\0" + b"garbage" * 1000)
    report = restore(tmp_path / "good", url)
    assert report.aside is not None
    assert b"garbage" in report.aside.read_bytes()
    create_or_upgrade(url)
    store = open_store(url)
    assert store.read.rows("ticket") == []
    store.close()


# On Postgres the tables are made anew, and consoles reconnect.
@pytest.mark.parametrize("database", ["sqlite", "sqlite-stdlib"], indirect=True)
def test_a_console_that_has_the_desk_open_sees_the_restored_one(
    store: SqlStore, desk: SmallDesk, tmp_path: Path
) -> None:
    backup(store.address.url, tmp_path / "desk.backup")
    apply(store, set_ticket(desk.tickets[0], "x", {}, {"priority": "urgent"}))
    assert store.read.wait_for_change(0.0) is False
    restore(tmp_path / "desk.backup", store.address.url)
    assert store.read.wait_for_change(5.0)
    assert store.read.ticket(desk.tickets[0]).priority == "normal"
    apply(store, set_ticket(desk.tickets[0], "x", {}, {"priority": "low"}))
