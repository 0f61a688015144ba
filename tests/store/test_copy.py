"""The desk goes from one database into the other and back, equal row by row, and no reply can leave from both."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.ports import Insert, NewRef, Plan
from supportdesk.desk.query import read_query
from supportdesk.errors import Conflict, StoreError, UsageError
from supportdesk.store import SqlStore, copy, create_or_upgrade, open_store
from supportdesk.store.address import parse_url
from supportdesk.store.backup import verify
from supportdesk.store.columns import TABLES
from supportdesk.store.connect import Connection, connect
from supportdesk.store.copy import copy_desk, reopen
from supportdesk.store.schema import revision
from tests.store.desk import add_ticket, apply
from tests.store.test_backup import contents, hold_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.store.desk import SmallDesk

MOVED_AWAY = "has moved"


@pytest.fixture
def full(store: SqlStore, desk: SmallDesk) -> SqlStore:
    """A desk with every kind of value: long and hostile texts, bytes, big raw mail, replies on their way, a hole."""
    store.blobs.put(bytes(range(256)) * 4096)
    apply(store, Plan((Insert("signing_key", {"secret": b"\0\xff'", "created_at": store.clock.now()}),)))
    add_ticket(store, "Größe ’; DROP TABLE ticket;-- \\N \\. \t\r\n \u202e 東京都 🎉")
    for state in ("held", "sending", "deferred", "sent", "draft"):
        hold_reply(store, desk, state)
    gone = new_customer(store)
    with store.transaction() as tx:
        tx.connection.execute("DELETE FROM customer WHERE id = ?", (gone,))
    store.acquire_lease("worker", "old", 60, {})
    store.release_lease("worker", "old")
    return store


@pytest.fixture
def opened(full: SqlStore) -> Iterator[Callable[[str], SqlStore]]:
    made: list[SqlStore] = []

    def open_at(url: str) -> SqlStore:
        made.append(open_store(url, full.clock))
        return made[-1]

    yield open_at
    for one in made:
        one.close()


def new_customer(store: SqlStore) -> int:
    values = {"name": "Nuovo", "created_at": store.clock.now()}
    return apply(store, Plan((Insert("customer", values, NewRef("customer")),))).ids["customer"]


def states(store: SqlStore) -> list[str]:
    return sorted(row["state"] for row in store.read.rows("outbox"))


def test_a_desk_moves_to_the_other_kind_and_back_and_every_row_is_the_same(
    full: SqlStore, desk: SmallDesk, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    before, seen = contents(full), []
    there = other_url()
    report = copy_desk(full.address.url, there, move=True, progress=lambda *step: seen.append(step))
    total = sum(table.rows for table in report.tables.values())
    assert set(report.tables) == set(TABLES) - {"lease", "presence"}
    assert report.moved
    assert seen[-1] == ("compared", total, total)
    assert ("copied", total, total) in seen
    moved = opened(there)
    assert contents(moved) == before
    with pytest.raises(StoreError, match=MOVED_AWAY):
        add_ticket(full, "into the closed desk")
    back = copy_desk(there, full.address.url, move=True, replace=True)
    assert {name: table.hash for name, table in back.tables.items()} == {
        name: table.hash for name, table in report.tables.items()
    }
    assert back.aside is not None
    assert verify(back.aside).rows["ticket"] == 6, "the closed desk was kept aside"
    assert contents(opened(full.address.url)) == before
    with pytest.raises(StoreError, match=MOVED_AWAY):
        add_ticket(moved, "into the closed desk")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_copy_on_postgres_has_its_planners_figures_at_once(
    full: SqlStore, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    there = other_url()
    report = copy_desk(full.address.url, there)
    with opened(there).connection() as connection:
        counted = dict(connection.execute("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"))
    assert {name: counted[name] for name in report.tables} == {
        name: table.rows for name, table in report.tables.items()
    }


def test_the_desk_goes_on_from_the_copy(
    full: SqlStore, desk: SmallDesk, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    epoch = full.acquire_lease("worker", "last", 60, {})
    full.release_lease("worker", "last")
    there = other_url()
    copy_desk(full.address.url, there, move=True)
    moved = opened(there)
    assert epoch is not None
    assert (moved.acquire_lease("worker", "new", 60, {}) or 0) > epoch, "claims of the old worker are seen as its own"
    assert add_ticket(moved, "next") == max(desk.tickets) + 2
    assert new_customer(moved) == 5, "the id of the customer who is gone is not given again"
    query = read_query("grosse")
    assert desk.tickets[4] in moved.read.search(query, agent_id=None, now=moved.clock.now())
    assert moved.read.events(after=moved.read.feed_position() - 1)
    assert states(moved) == ["deferred", "draft", "held", "sending", "sent"], "nothing has to be decided again"


def test_a_copy_sends_nothing_by_itself_and_the_old_desk_goes_on(
    full: SqlStore, desk: SmallDesk, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    full.acquire_lease("worker", "a worker", 60, {})
    there = other_url()
    report = copy_desk(full.address.url, there)
    copied = opened(there)
    assert (report.uncertain, report.paused) == (3, 1)
    assert states(copied) == ["draft", "sent", "uncertain", "uncertain", "uncertain"]
    assert [box["state"] for box in copied.read.rows("mailbox")] == ["paused"]
    assert copied.read.rows("lease") == []
    assert states(full) == ["deferred", "draft", "held", "sending", "sent"]
    assert add_ticket(full, "goes on")


def test_a_desk_whose_worker_works_is_not_moved(
    full: SqlStore, other_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    full.acquire_lease("worker", "a worker", 60, {})
    monkeypatch.setattr("supportdesk.store.copy.WATCHED_SECONDS", -1.0)
    with pytest.raises(Conflict, match="a worker works"):
        copy_desk(full.address.url, other_url(), move=True)
    assert add_ticket(full, "goes on")


def test_whoever_waits_to_write_during_a_move_is_told_that_it_has_moved(
    full: SqlStore, other_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def write() -> None:
        late = open_store(full.address.url)
        try:
            add_ticket(late, "late")
        except StoreError as error:
            said.append(error.message)
        finally:
            late.close()

    writer = Thread(target=write)
    fill = copy._Work.fill

    def slow(self: Any, new: Connection) -> Any:
        writer.start()
        return fill(self, new)

    monkeypatch.setattr(copy._Work, "fill", slow)
    report = copy_desk(full.address.url, other_url(), move=True)
    writer.join(60)
    assert MOVED_AWAY in said[0]
    assert report.tables["ticket"].rows == 6


@pytest.mark.parametrize("move", [False, True])
@pytest.mark.parametrize("after", [0, 12, 25])
def test_stopping_changes_nothing(
    full: SqlStore, other_url: Callable[[], str], tmp_path: Path, *, move: bool, after: int
) -> None:
    there, steps = other_url(), []
    report = copy_desk(
        full.address.url, there, move=move, progress=lambda *step: steps.append(step), stop=lambda: len(steps) > after
    )
    assert not report.complete
    assert is_empty(there)
    assert add_ticket(full, "goes on")
    assert [path.name for path in tmp_path.glob(".*.part*")] == []


def test_a_copy_that_differs_is_thrown_away(
    full: SqlStore, other_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "hash_tables", lambda _new, names, _count: dict.fromkeys(names, "0"))
    there = other_url()
    with pytest.raises(StoreError, match="differs from the original in"):
        copy_desk(full.address.url, there, move=True)
    assert is_empty(there)
    assert add_ticket(full, "goes on")


def test_a_dry_run_counts_and_writes_nothing(full: SqlStore, other_url: Callable[[], str]) -> None:
    there = other_url()
    report = copy_desk(full.address.url, there, move=True, dry_run=True)
    assert report.dry_run
    assert report.tables["ticket"].rows == 6
    assert is_empty(there)
    assert add_ticket(full, "goes on")


def test_a_desk_in_the_target_is_replaced_only_when_told_and_another_schema_never(
    full: SqlStore, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    there = other_url()
    create_or_upgrade(there)
    taken = opened(there)
    apply(taken, Plan((Insert("team", {"name": "old"}),)))
    with pytest.raises(Conflict, match="holds a desk already"):
        copy_desk(full.address.url, there)
    report = copy_desk(full.address.url, there, replace=True)
    assert report.aside is not None
    assert verify(report.aside).rows["team"] == 1
    files = [parse_url(url).file for url in (there, full.address.url) if not parse_url(url).is_postgres]
    assert report.aside.parent == files[0].parent, "beside the one desk that is a file"
    with fresh(there) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    with pytest.raises(StoreError, match="newer supportdesk"):
        copy_desk(full.address.url, there, replace=True)
    with pytest.raises(UsageError):
        copy_desk(full.address.url, full.address.url)


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_what_else_lives_in_a_postgres_database_stays(store: SqlStore, desk: SmallDesk, tmp_path: Path) -> None:
    source = f"sqlite:///{tmp_path / 'desk.db'}"
    create_or_upgrade(source)
    with store.connection() as connection:
        connection.execute("CREATE TABLE orders (id integer)")
    report = copy_desk(source, store.address.url, replace=True)
    assert report.aside is not None
    assert report.aside.parent == tmp_path, "beside the desk that is a file"
    with store.connection() as connection:
        assert connection.execute("SELECT count(*) FROM orders") == [(0,)]


def test_a_closed_desk_opens_again_with_its_replies_in_doubt(
    full: SqlStore, other_url: Callable[[], str], opened: Callable[[str], SqlStore]
) -> None:
    copy_desk(full.address.url, other_url(), move=True)
    assert reopen(full.address.url) == 3
    again = opened(full.address.url)
    assert states(again) == ["draft", "sent", "uncertain", "uncertain", "uncertain"]
    assert add_ticket(again, "goes on")
    with pytest.raises(Conflict, match="has not moved"):
        reopen(full.address.url)


def is_empty(url: str) -> bool:
    """Whether nothing of a desk is there, not even its tables."""
    path = parse_url(url).path
    if path is not None:
        return not path.exists()
    with fresh(url) as connection:
        return revision(connection) == ""


@contextmanager
def fresh(url: str) -> Iterator[Connection]:
    connection = connect(parse_url(url))
    try:
        yield connection
    finally:
        connection.close()
