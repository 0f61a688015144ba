"""kill -9 of the worker while mail comes and goes: 2,400 times in all; `./desk kill --runs 10000` is the long one."""

from __future__ import annotations

import pytest

from tests.e2e import acknowledged, kill
from tests.e2e.points import POINTS, unknown_points
from tests.support.mail_servers import missing_for_mail_servers

pytestmark = [pytest.mark.dovecot, pytest.mark.postfix]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20260304, 20260305])
def test_nothing_is_lost_or_doubled_when_the_worker_is_killed_anywhere(seed: int) -> None:
    check(kills=1000, seed=seed)


@pytest.mark.slow
def test_nor_is_it_on_postgres(postgres_url: str) -> None:
    check(kills=400, seed=20260306, database=postgres_url)


def check(kills: int, seed: int, database: str = "") -> None:
    reason = missing_for_mail_servers()
    if reason:
        pytest.skip(reason)
    tally = kill.run(kills, seed, database=database)
    print(tally.as_json())
    assert tally.clean, tally.as_json()
    assert tally.kills == kills
    assert tally.sent + tally.in_doubt + tally.stopped == tally.replies >= kills // 10
    # A short run tries each place two or three times, and there is not always something to do there.
    assert len(kill.unreached([tally])) <= (0 if kills >= 1000 else 4), tally.as_json()
    assert {"data_started", "dot_sent", "unread mail"} <= set(tally.killed_while), "some kills must hit work"


@pytest.mark.slow
def test_every_customer_is_acknowledged_once_however_often_the_fetcher_is_killed() -> None:
    """Must-have 1 of mail.md; `./desk kill --acknowledged` does it with 1,000 mails and 50 kills."""
    if reason := missing_for_mail_servers():
        pytest.skip(reason)
    found = acknowledged.run(mails=60, kills=12, seed=20261122)
    assert found.wrong == []
    assert found.amid_work, "some kills must leave mail that was taken over and not read"


def test_every_named_place_is_in_the_program() -> None:
    assert list(unknown_points()) == []
    assert len(POINTS) >= 40


def test_the_verdict_sees_what_is_wrong() -> None:
    tally = kill.Tally(seed=1, runs=1)
    assert tally.clean
    for name in ("lost_mails", "doubled_tickets", "lost_replies", "doubled_replies", "unlisted", "torn"):
        tally = kill.Tally(seed=1, runs=1)
        getattr(tally, name).append("x")
        assert not tally.clean


def test_tallies_of_several_desks_are_added_up() -> None:
    one, other = kill.Tally(seed=1, runs=3, kills=3), kill.Tally(seed=2, runs=2, kills=2)
    one.points["before claim"] += 1
    other.points["before claim"] += 1
    other.torn.append("x")
    one += other
    assert (one.seed, one.runs, one.kills, one.points["before claim"], one.torn) == (1, 5, 5, 2, ["x"])
