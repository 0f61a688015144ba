"""kill -9 of the worker at random moments and at named places, against real Dovecot and Postfix.

`./desk kill --runs 10000 --seed 7`: while customers write and agents answer, the worker is killed again and again, with
its children; then it may finish. What must hold at the end is in `kill_shop.verdict_on`: nothing lost, nothing doubled,
nothing torn, and what is in doubt is listed. The seed and the counts are printed as JSON; the exit code is 1 if
anything is wrong. Half of the lives end at a random moment, half at one of the places of `points`; most are forked (see
`forks`), some are the real program started anew.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import queue
import random
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, fields

from supportdesk.cli.output import Meter
from tests.e2e import acknowledged
from tests.e2e.forks import ForkServer, running_fork_server
from tests.e2e.kill_shop import Shop, open_shop, verdict_on, wait_for_the_queue
from tests.e2e.points import POINTS
from tests.support.mail_servers import running_mail_servers
from tests.support.processes import wait_until

LONGEST_LIFE = 0.2  # seconds; most of what a worker does at its start is done by then
POINT_SECONDS = 1.5  # a place that is not reached by then is not reached: there was nothing to do there
A_MAIL, A_REPLY = 0.4, 0.15  # how often something comes into a life that ends at random
FIRST_MAILS = 10  # so that there is always somebody to answer
NEWLY_STARTED_EVERY = 200
# Places that one life comes to more than once.
OFTEN = frozenset(name for name in POINTS if name.endswith(("processed commit", "rows and event", "outbox commit")))
DRAIN_SECONDS = 600.0  # on a machine that does other things as well


@dataclass
class Tally:
    """What was asked for, what happened, and what is wrong with it."""

    seed: int
    runs: int
    mails: int = 0
    replies: int = 0
    kills: int = 0
    at_random: int = 0
    newly_started: int = 0
    points: Counter[str] = field(default_factory=Counter)  # places at which a worker died
    not_reached: Counter[str] = field(default_factory=Counter)
    killed_while: Counter[str] = field(default_factory=Counter)
    tickets: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    copies: int = 0
    in_doubt: int = 0
    in_doubt_but_arrived: int = 0
    stopped: int = 0
    lost_mails: list[str] = field(default_factory=list)
    doubled_tickets: list[str] = field(default_factory=list)
    lost_replies: list[str] = field(default_factory=list)
    doubled_replies: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        wrong = (
            self.lost_mails, self.doubled_tickets, self.lost_replies, self.doubled_replies, self.unlisted, self.torn
        )  # fmt: skip
        return not any(wrong)

    def __iadd__(self, other: Tally) -> Tally:
        for each in fields(self):
            if each.name not in ("seed", "seconds"):
                setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def as_json(self) -> str:
        body = {name: dict(value) if isinstance(value, Counter) else value for name, value in self.__dict__.items()}
        return json.dumps({**body, "ok": self.clean}, indent=2)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="desk kill", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=2400, help="how often the worker is killed")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments (default: a new one)")
    parser.add_argument("--jobs", type=int, default=0, help="desks at a time, each with its own servers (default: 2)")
    parser.add_argument("--database", default="", help="a Postgres URL instead of a file; one desk then")
    parser.add_argument(
        "--acknowledged", action="store_true",
        help="1,000 customers write while the fetcher is killed 50 times: one ticket and one acknowledgement each",
    )  # fmt: skip
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))  # so that the servers are stopped
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    if given.acknowledged:
        found = acknowledged.run(1000, 50, seed)
        print(found.as_json())
        return 1 if found.wrong else 0
    jobs = given.jobs or min(2, os.cpu_count() or 1)
    tally = run(given.runs, seed, database=given.database) if given.database else run_all(given.runs, seed, jobs)
    print(tally.as_json())
    return 0 if tally.clean else 1


def run_all(runs: int, seed: int, jobs: int) -> Tally:
    """The same on several desks at once, with neighbouring seeds; what they found together."""
    started, total = time.monotonic(), Tally(seed, 0)
    shares = [runs // jobs + (number < runs % jobs) for number in range(jobs)]
    with (
        multiprocessing.Manager() as manager,
        ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool,
        Meter("kills") as meter,
    ):
        counter = manager.Queue()
        desks = [pool.submit(run, *one, told=counter) for one in zip(shares, range(seed, seed + jobs), strict=True)]
        killed = 0
        while not all(desk.done() for desk in desks) or not counter.empty():
            with suppress(queue.Empty):
                killed += counter.get(timeout=0.5)
                meter.show(killed, runs)
        for desk in desks:
            total += desk.result()
    total.seconds = round(time.monotonic() - started, 1)
    return total


def run(runs: int, seed: int, *, database: str = "", told: queue.Queue[int] | None = None) -> Tally:
    """Kill the worker `runs` times while mails come in and replies go out; then let it finish, and count.

    Whoever wants to know how far it is gives a queue, which is told of every kill.
    """
    chance, tally, started = random.Random(seed), Tally(seed, runs), time.monotonic()
    with running_mail_servers() as servers, open_shop(servers, database) as shop:
        with (
            (shop.home / "worker.log").open("ab") as log,
            running_fork_server(shop.settings, shop.environment, log) as forks,
        ):
            shop.customers_write(FIRST_MAILS)
            places = shuffled_points(chance, runs)
            for number in range(runs):
                if number % NEWLY_STARTED_EVERY == NEWLY_STARTED_EVERY - 1:
                    _kill_the_program(shop, chance, tally)
                elif number % 2:
                    _kill_at(places.pop(), shop, forks, chance, tally)
                else:
                    _kill_at_random(shop, forks, chance, tally)
                tally.kills += 1
                if told is not None:
                    told.put(1)
                tally.killed_while.update(shop.what_was_under_way())
        finish(shop, tally)
        verdict_on(shop, tally)
    tally.seconds = round(time.monotonic() - started, 1)
    return tally


def shuffled_points(chance: random.Random, count: int) -> list[str]:
    """At least so many names of places; each comes once before any comes again."""
    names: list[str] = []
    while len(names) < count:
        names += chance.sample(list(POINTS), len(POINTS))
    return names


def _kill_at_random(shop: Shop, forks: ForkServer, chance: random.Random, tally: Tally) -> None:
    if chance.random() < A_REPLY:
        tally.replies += shop.agents_answer(1)
    forks.start()
    end = time.monotonic() + chance.uniform(0, LONGEST_LIFE)
    if chance.random() < A_MAIL:
        shop.customers_write(1)
    forks.is_dead(max(0.0, end - time.monotonic()))
    _note_death(forks.kill(), tally)
    tally.at_random += 1


def _kill_at(name: str, shop: Shop, forks: ForkServer, chance: random.Random, tally: Tally) -> None:
    """Bring the work without which the worker does not come to that place; then let it die there."""
    work = POINTS[name].work
    if work == "in":
        shop.customers_write(1)
    elif work == "out":
        tally.replies += shop.agents_answer(1)
    forks.start(name, nth=chance.choice((1, 2)) if name in OFTEN else 1)
    (tally.points if forks.is_dead(POINT_SECONDS) else tally.not_reached)[name] += 1
    _note_death(forks.kill(), tally)


def _note_death(status: int, tally: Tally) -> None:
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        tally.torn.append(f"a worker ended by itself, with status {status}")


def _kill_the_program(shop: Shop, chance: random.Random, tally: Tally) -> None:
    with shop.worker() as worker:
        wait_until(lambda: shop.is_worked_for_by(worker), seconds=60, what="the worker to take its lease")
        shop.customers_write(1)
        tally.replies += shop.agents_answer(1)
        time.sleep(chance.uniform(0, 3 * LONGEST_LIFE))  # killed at a random moment: that is the test
    tally.newly_started += 1


def finish(shop: Shop, tally: Tally) -> None:
    """Let the program live until everything has its end, and stop it as systemd would."""
    with shop.worker() as worker:
        wait_until(lambda: shop.is_worked_for_by(worker), seconds=60, what="the worker to take its lease")
        wait_until(
            lambda: shop.is_quiet() or worker.poll() is not None, seconds=DRAIN_SECONDS, what="the worker to catch up"
        )
        tally.replies += shop.agents_answer(1)
        wait_until(shop.is_quiet, seconds=DRAIN_SECONDS, what="the outbox to empty itself")
        worker.send_signal(signal.SIGTERM)
        if worker.wait(timeout=30) != 0:
            tally.unlisted.append(f"the worker ended with {worker.returncode}")
    wait_for_the_queue(shop.servers)


def unreached(tallies: Sequence[Tally]) -> set[str]:
    """Places at which no worker died."""
    return set(POINTS) - {name for tally in tallies for name in tally.points}


if __name__ == "__main__":
    sys.exit(main())
