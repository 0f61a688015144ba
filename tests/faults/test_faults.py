"""The machine fails under a desk at work: runs of CI's size; `./desk faults` has the long ones."""

from __future__ import annotations

import pytest

from tests.faults import clock, disk, lock, postgres, power, reader, strace, terminal


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20260301, 20260302, 20260303])
def test_a_failing_write_sync_or_truncation_loses_and_tears_nothing(seed: int) -> None:
    if reason := strace.missing():
        pytest.skip(reason)
    found = strace.run(100, seed)
    assert found["wrong"] == [], found
    assert found["struck"] >= 90, "the faults must hit"


@pytest.mark.slow
def test_a_power_failure_loses_nothing_that_was_acknowledged_and_tears_nothing() -> None:
    if reason := power.missing():
        pytest.skip(reason)
    found = power.run(100, 20260308)
    assert found["wrong"] == [], found
    assert found["writes_lost"] > 100 and found["writes_torn"] > 50, "something must have been lost"


@pytest.mark.slow
def test_a_disk_that_only_says_it_has_synced_would_be_seen() -> None:
    if reason := power.missing():
        pytest.skip(reason)
    assert power.run(10, 20260309, honest=False)["wrong"]


def test_a_full_disk_refuses_keeps_what_was_acknowledged_and_goes_on_when_there_is_space() -> None:
    found = disk.run(8, 20260304)
    assert found["wrong"] == [], found
    assert sum(found["refused"].values()) >= 8, "the disk must have been full"
    assert any("disk" in words for words in found["refused"])
    assert found["attached_when_there_was_space"], "some files must have been refused"


@pytest.mark.slow
def test_a_locked_database_is_waited_for() -> None:
    found = lock.run(6, 20260305)
    assert found["wrong"] == [], found


def test_a_forgotten_reader_stops_nobody_is_told_of_and_leaves_an_empty_log() -> None:
    """B06."""
    found = reader.run(2, 20260310, limit=64 * 1024)
    assert found["wrong"] == [], found
    assert found["told"], "the log must have grown beyond what is told of"
    assert found["writes"] >= 4


def test_no_jump_of_the_clock_takes_a_lease_from_a_living_worker_or_makes_a_storm() -> None:
    found = clock.run(400, 20260306)
    assert found["wrong"] == [], found
    assert found["jumps"] >= 100
    assert found["attempts"] > 1


@pytest.mark.slow
@pytest.mark.postgres
def test_immediate_restarts_of_postgres_lose_and_double_nothing() -> None:
    if reason := postgres.missing():
        pytest.skip(reason)
    found = postgres.run(15, 20260307, agents=4)
    assert found["wrong"] == [], found
    assert found["refused"], "the restarts must have been felt"
    assert found["replies"] > 0
    assert found["delivered_under_load"] > 0, "replies must have gone out while the server was restarted"
    assert found["leases"] > 1, "the workers must have taken turns"


def test_no_text_reaches_the_terminal_as_more_than_text_and_no_answer_of_it_is_a_key() -> None:
    """D02, D05, D07."""
    found = terminal.run(3_000, 20260308)
    assert found["wrong"] == [], found
    assert found["answers"] >= 60
