"""A worker that is stopped for longer than its lease and goes on, while another one has taken over (A11)."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.forks import ForkServer, running_fork_server
from tests.e2e.kill import Tally
from tests.e2e.kill_shop import Shop, open_shop, verdict_on, wait_for_the_queue
from tests.e2e.points import POINTS
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from tests.support.mail_servers import MailServers

LEASE_SECONDS = 3.0
# Where the first worker stops, and what its reply is in the end. Nobody is stopped here while it holds the database.
STOPS = {
    "after claim": "sent",
    "before build": "sent",
    "after authenticate": "sent",
    "before stage data_started": "sent",
    "after stage data_started": "sent",
    "before stage dot_sent": "sent",
    "after stage dot_sent": "uncertain",
    "before record": "",
    "before parse": "",
}


@pytest.fixture
def shop(mail_servers: MailServers, mail_user: str) -> Iterator[Shop]:
    with open_shop(mail_servers, user=mail_user) as opened:
        yield opened


@pytest.fixture
def workers(shop: Shop) -> Iterator[tuple[ForkServer, ForkServer]]:
    with ExitStack() as stack:
        log = stack.enter_context((shop.home / "worker.log").open("ab"))
        first, second = (
            stack.enter_context(running_fork_server(shop.settings, shop.environment, log)) for _each in range(2)
        )
        yield first, second


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "state"), STOPS.items(), ids=STOPS)
def test_a_stopped_worker_loses_its_lease_and_does_no_harm_when_it_goes_on(
    shop: Shop, workers: tuple[ForkServer, ForkServer], stop: str, state: str
) -> None:
    first, second = workers
    tally = Tally(seed=0, runs=1)
    if state:
        shop.customers_write(1)
        first.start()
        wait_until(lambda: bool(shop.desk.read.rows("ticket")), seconds=30, what="a ticket to answer")
        first.kill()
    stopped = first.start(stop, end=signal.SIGSTOP, lease_seconds=LEASE_SECONDS)
    wait_until(lambda: _works(shop, stopped) and _listens(shop), seconds=30, what="the first worker to have its ease")
    if state:
        tally.replies = shop.agents_answer(1)
        assert tally.replies == 1
    else:
        shop.customers_write(1)
    wait_until(lambda: _is_stopped(stopped), seconds=90, what=f"the first worker to stop {stop}")
    successor = second.start(lease_seconds=LEASE_SECONDS)
    wait_until(lambda: _works(shop, successor), seconds=90, what="the second worker to take over")
    shop.customers_write(1)
    wait_until(shop.is_quiet, seconds=60, what="the second worker to do everything")
    os.killpg(stopped, signal.SIGCONT)
    assert first.is_dead(30), "who has lost its lease stops by itself"
    assert os.waitstatus_to_exitcode(first.kill()) == 0
    shop.customers_write(1)
    wait_until(shop.is_quiet, seconds=60, what="the second worker to go on alone")
    wait_for_the_queue(shop.servers)
    second.kill()
    verdict_on(shop, tally)
    assert tally.clean, tally.as_json()
    states = Counter(row["state"] for row in shop.desk.read.rows("outbox"))
    assert states == (Counter({state: 1}) if state else Counter())


def test_the_places_are_known() -> None:
    assert set(STOPS) <= set(POINTS)


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _listens(shop: Shop) -> bool:
    """Whether its first passes are over, so that nothing else is written when it is stopped."""
    return all(row["last_pass_at"] for row in shop.desk.read.rows("folder")) and shop.desk.read.rows("folder") != []


def _works(shop: Shop, pid: int) -> bool:
    return any(row["info"].get("pid") == pid for row in shop.desk.read.rows("lease", {"name": "worker"}))
