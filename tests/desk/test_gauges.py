"""Every gauge is there in its unit, and every failure says what, since when, when it is tried again, what to do."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from supportdesk.desk.fetch import note_health
from supportdesk.desk.gauges import Gauges, Trouble, read_gauges, read_troubles

if TYPE_CHECKING:
    from tests.support.desk import House


def gauges(house: House) -> Gauges:
    return read_gauges(house.desk, house.desk.status())


def troubles(house: House) -> dict[str, Trouble]:
    status = house.desk.status()
    return {one.id: one for one in read_troubles(house.desk, status, read_gauges(house.desk, status))}


def a_worker(house: House) -> None:
    house.store.acquire_lease("worker", "w", 30, {"lock_wait_p99_ms": 3.5, "parse_p99_ms": 12.0})


def test_i03_every_gauge_is_there_in_its_unit(house: House) -> None:
    a_worker(house)
    house.store.ledger.finish_pass(house.store.ledger.folder(house.mailbox_id, "INBOX", "inbox")["id"], missing=0)
    house.deliver(house.reply(house.customer_writes()).id, "uncertain")
    house.pass_time(seconds=20)
    found = asdict(gauges(house))
    assert found["oldest_unsent_seconds"] == 20.0
    assert found["in_doubt"] == 1
    assert found["last_sync_seconds"] == {"aiuto@bottega.example": 20.0}
    assert found["worker_silent_seconds"] == 20.0
    assert (found["lock_wait_p99_ms"], found["parse_p99_ms"]) == (3.5, 12.0)
    if house.url.startswith("sqlite"):
        assert found["disk_free_bytes"] > 0
        assert found["wal_bytes"] > 0
        assert found["clock_skew_seconds"] == 0.0


def test_i01_a_worker_that_was_killed_is_missed_within_thirty_seconds(house: House) -> None:
    a_worker(house)
    seen = house.clock.now()
    house.pass_time(seconds=29)
    assert "worker.absent" not in troubles(house)
    house.pass_time(seconds=1)
    assert troubles(house)["worker.absent"].since == seen


def test_i02_each_failure_is_told_once_with_what_to_do(house: House) -> None:
    a_worker(house)
    at = house.clock.now()
    note_health(house.store, house.mailbox_id, "login refused")
    house.deliver(house.reply(house.customer_writes()).id, "deferred")
    house.deliver(house.reply(house.customer_writes()).id, "failed")
    found = troubles(house)
    assert {"mailbox.error", "outbox.deferred", "outbox.failed"} <= set(found)
    assert (found["mailbox.error"].since, "login refused" in found["mailbox.error"].what) == (at, True)
    assert all(one.what and one.do for one in found.values())
    assert "1 reply was refused" in found["outbox.failed"].what
