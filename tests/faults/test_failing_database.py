"""A database that fails says nothing about the mail that was being written: it is kept and read later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk import intake
from supportdesk.errors import AlreadyDone, StoreFailed
from supportdesk.worker import Worker
from tests.faults import work

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    work.furnish(str(tmp_path / "desk.db"))
    opened = work.open_desk(str(tmp_path / "desk.db"))
    yield opened
    opened.store.close()


def ignore(_kind: str, _what: Any) -> None: ...


def failing_take_in(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: Any) -> bool:
        raise error

    monkeypatch.setattr(intake, "take_in", fail)


def test_a_failing_database_costs_a_mail_no_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as failing:
        failing_take_in(failing, StoreFailed("the disk that holds the database is full"))
        with pytest.raises(StoreFailed):
            work.take_over_and_read(desk, ignore, range(1, 3), patience=0)
    assert [(row["attempts"], row["outcome"]) for row in desk.read.rows("delivery")] == [(0, "")] * 2
    work.take_over_and_read(desk, ignore, range(1, 3), patience=0)
    assert [row["outcome"] for row in desk.read.rows("delivery")] == ["message"] * 2


def test_two_processes_that_meet_on_one_mail_cost_it_no_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing_take_in(monkeypatch, AlreadyDone("this action was already written"))
    reading = intake.Intake(desk, work.Reader(), detect=lambda _text: "it")
    folder = desk.store.ledger.folder(desk.mailboxes()[0].id, "INBOX", "inbox")["id"]
    desk.store.ledger.new_epoch(folder, work.UIDVALIDITY)
    raw = work.mail(1)
    item = intake_item(raw)
    desk.store.ledger.record_fetched(folder, work.UIDVALIDITY, [item], advance_to=1)
    assert reading.process() == 0
    assert [(row["attempts"], row["error"]) for row in desk.read.rows("delivery")] == [(0, "")]


def test_a_full_disk_is_called_by_its_name_and_the_transaction_is_over(desk: Desk) -> None:
    def fill_the_disk(tx: Any) -> None:
        tx.connection.execute("PRAGMA max_page_count = 1")
        with tx.savepoint():
            tx.connection.execute("CREATE TABLE large AS SELECT zeroblob(9000000)")

    with pytest.raises(StoreFailed, match="the disk that holds the database is full"):
        desk.store.run(fill_the_disk)
    assert desk.read.rows("ticket") == []


def test_a_worker_that_begins_on_a_full_disk_waits_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(name: str, *_arguments: Any) -> None:
        asked.append(name)
        if len(asked) > 1:
            worker.stop()
        raise StoreFailed("the disk that holds the database is full")

    monkeypatch.setattr(desk.store, "acquire_lease", refuse)
    monkeypatch.setattr("supportdesk.worker.ASK_AGAIN_SECONDS", 0.01)
    engine: Any = SimpleNamespace(store=desk.store, desk=desk, figures=dict)
    worker = Worker(engine)
    worker.run()
    assert len(asked) == 2


def intake_item(raw: bytes) -> Any:
    from supportdesk.desk.ports import LedgerItem

    return LedgerItem(1, raw, len(raw), work.RECEIVED)
