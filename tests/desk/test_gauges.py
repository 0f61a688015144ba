"""Every gauge is there in its unit, and every failure says what, since when, when it is tried again, what to do."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from supportdesk.__main__ import main
from supportdesk.desk import parked
from supportdesk.desk.fetch import note_health
from supportdesk.desk.gauges import Gauges, Trouble, read_gauges, read_troubles, troubled_since
from supportdesk.desk.intake import Intake
from tests.desk.test_parked import ABSENCE, QUESTION, fetch
from tests.faults.work import Reader

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.support.desk import House

STATUS = {
    "attention", "delivering", "disk_full", "failed", "gauges", "junk", "mailboxes", "oldest_unsent", "outbox",
    "parked", "troubles", "uncertain", "unprocessed", "worker", "worker_seen_at",
}  # fmt: skip
GAUGES = {
    "clock_skew_seconds", "disk_free_bytes", "failed", "in_doubt", "last_sync_seconds", "lock_wait_p99_ms",
    "oldest_unsent_seconds", "parked", "parse_p99_ms", "unprocessed", "wal_bytes", "worker_silent_seconds",
}  # fmt: skip


def gauges(house: House) -> Gauges:
    return read_gauges(house.desk, house.desk.status())


def troubles(house: House) -> dict[str, Trouble]:
    status = house.desk.status()
    return {one.id: one for one in read_troubles(house.desk, status, read_gauges(house.desk, status))}


def a_worker(house: House, **info: object) -> None:
    house.store.acquire_lease("worker", "w", 30, {"lock_wait_p99_ms": 3.5, "parse_p99_ms": 12.0, **info})


def take_in(house: House, mail: str, uid: int) -> None:
    fetch(house, mail, first=uid)
    Intake(house.desk, Reader(), lambda _text: "it").process_all()


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


def test_i03_what_waits_for_a_person_or_for_the_worker_is_counted(house: House) -> None:
    take_in(house, ABSENCE, 1)
    fetch(house, QUESTION, first=2)
    house.deliver(house.reply(house.customer_writes()).id, "failed")
    found = gauges(house)
    assert (found.parked, found.failed, found.unprocessed, found.in_doubt) == (1, 1, 1, 0)


def test_i03_the_status_as_json_has_every_key_whatever_the_database(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"SUPPORTDESK_DATABASE": house.url, "SUPPORTDESK_AGENT": "giulia", "XDG_CONFIG_HOME": str(tmp_path)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert main(["status", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == STATUS
    assert set(printed["gauges"]) == GAUGES
    keys = {"id", "what", "since", "next_try", "do"}
    assert [(one["id"], set(one)) for one in printed["troubles"]] == [("worker.absent", keys)]


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


def test_the_next_try_of_a_mailbox_is_the_one_that_its_worker_tells(house: House) -> None:
    at = house.clock.now() + timedelta(minutes=15)
    a_worker(house, next_tries={str(house.mailbox_id): at.isoformat()})
    note_health(house.store, house.mailbox_id, "login refused")
    assert troubles(house)["mailbox.error"].next_try == at
    a_worker(house)
    assert troubles(house)["mailbox.error"].next_try is None


def test_parked_mail_is_told_of_when_nobody_has_looked_at_it_for_a_day(house: House) -> None:
    received = house.clock.now()
    take_in(house, ABSENCE, 1)
    house.pass_time(hours=23)
    assert "mail.parked" not in troubles(house)
    house.pass_time(hours=1)
    found = troubles(house)["mail.parked"]
    assert (found.since, found.next_try, found.do) == (received, None, "supportdesk mail parked list")
    assert found.what == "parked mails that nobody has looked at for a day: 1"
    parked.look_at(house.desk, house.luca, [row["delivery_id"] for row in parked.list_parked(house.desk.read)])
    assert "mail.parked" not in troubles(house)


def test_i02_a_trouble_of_the_machine_lasts_since_the_worker_saw_it_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = {**house.store.gauges(), "disk_free_bytes": 1e6, "clock_skew_seconds": -500.0}
    monkeypatch.setattr(type(house.store), "gauges", lambda _store: measured)
    began = house.desk.clock.now()
    since = troubled_since(measured, {}, began)
    assert set(since) == {"disk.low", "clock.skew"}
    house.pass_time(seconds=600)
    since = troubled_since(measured, since, house.desk.clock.now())
    a_worker(house, since=since)
    assert {name: one.since for name, one in troubles(house).items()} == {"disk.low": began, "clock.skew": began}
    assert troubled_since({**measured, "disk_free_bytes": 1e12}, since, house.desk.clock.now()) == {
        "clock.skew": began.isoformat()
    }


def test_i02_a_trouble_that_no_worker_saw_has_no_beginning(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = {**house.store.gauges(), "disk_free_bytes": 1e6}
    monkeypatch.setattr(type(house.store), "gauges", lambda _store: measured)
    assert troubles(house)["disk.low"].since is None
