"""kill -9 of the worker while mail comes and goes: a run of CI's size; `./desk kill --runs 200` is the whole one."""

from __future__ import annotations

import pytest

from tests.e2e import kill
from tests.support.mail_servers import missing_for_mail_servers


@pytest.mark.slow
@pytest.mark.dovecot
@pytest.mark.postfix
def test_nothing_is_lost_or_doubled_when_the_worker_is_killed_at_random_moments() -> None:
    check(kills=30, seed=20260304, mails=60, replies=30)


@pytest.mark.slow
@pytest.mark.dovecot
@pytest.mark.postfix
def test_nor_is_it_on_postgres(postgres_url: str) -> None:
    check(kills=15, seed=20260305, mails=30, replies=15, database=postgres_url)


def check(kills: int, seed: int, mails: int, replies: int, database: str = "") -> None:
    reason = missing_for_mail_servers()
    if reason:
        pytest.skip(reason)
    tally = kill.run(kills, seed, mails=mails, replies=replies, database=database)
    print(tally.as_json())
    assert tally.clean, tally.as_json()
    assert (tally.kills, tally.replies, tally.sent + tally.in_doubt) == (kills, replies, replies)
    assert set(tally.killed_while) - {"nothing"}, "some kills must hit work"


def test_the_verdict_sees_what_is_wrong() -> None:
    tally = kill.Tally(seed=1, runs=1)
    assert tally.clean
    for name in ("lost_mails", "doubled_tickets", "lost_replies", "doubled_replies", "unlisted"):
        tally = kill.Tally(seed=1, runs=1)
        getattr(tally, name).append("x")
        assert not tally.clean
