"""A07: `pg_ctl restart -m immediate` again and again while two workers take mail over and agents answer it.

Each of them says what was acknowledged. An outcome that was not known is asked for again, never repeated blindly; at
the end everything is there once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.faults import work
from tests.support.postgres import PostgresServer, missing_for_postgres, running_postgres

WORKERS, AGENTS = 2, 8
MAILS_A_RESTART = 3
LIFE = (0.1, 1.0)  # of what the last restart took: on a busy machine whoever works is slow as well
PATIENCE = 600.0  # seconds, for work that meets one restart after the other


def missing() -> str:
    return missing_for_postgres()


def run(runs: int, seed: int, *, workers: int = WORKERS, agents: int = AGENTS) -> dict[str, Any]:
    """Restart the server so many times under that load, on a server of our own."""
    with running_postgres() as server:
        return run_on(server, runs, seed, workers=workers, agents=agents)


def run_on(server: PostgresServer, runs: int, seed: int, *, workers: int, agents: int) -> dict[str, Any]:
    chance, started = random.Random(seed), time.monotonic()
    url, total = server.create_database(), runs * MAILS_A_RESTART
    work.furnish(url)
    spawn = multiprocessing.get_context("spawn")
    heard, stop = spawn.Queue(), spawn.Event()
    said: dict[str, work.Said] = {}
    listener = threading.Thread(target=_listen, args=(heard, said))
    listener.start()
    people = [
        spawn.Process(target=work_as_worker, args=(url, number, workers, total, heard, stop))
        for number in range(workers)
    ] + [spawn.Process(target=work_as_agent, args=(url, number, agents, heard, stop)) for number in range(agents)]
    for person in people:
        person.start()
    took = 0.25
    for _unused in range(runs):
        time.sleep(took * chance.uniform(*LIFE))  # the server lives for a random while: that is the test
        before = time.monotonic()
        server.restart_immediately()
        took = time.monotonic() - before
    stop.set()
    wrong = list[str]()
    for person in people:
        person.join(PATIENCE)
        if person.exitcode != 0:
            wrong.append(f"{person.name} ended with {person.exitcode}")
            person.kill()
    heard.put(None)
    listener.join(30)
    everything, refused = work.Said(), Counter[str]()
    for one in said.values():
        everything.fetched |= one.fetched
        everything.read |= one.read
        everything.held |= one.held
        refused.update(words.partition(":")[0] for words in one.refused)
    desk = work.open_desk(url)
    wrong += work.wrong_with(desk, everything, range(1, total + 1))
    if len(everything.read) != total:
        wrong.append(f"{total - len(everything.read)} mails were never read")
    desk.store.close()
    server.drop_database(url)
    return {
        "part": "postgres", "seed": seed, "runs": runs, "workers": workers, "agents": agents, "mails": total,
        "replies": len(everything.held), "refused": dict(refused), "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def work_as_worker(url: str, number: int, workers: int, total: int, heard: Any, stop: Any) -> None:
    """Take over and read the mails; all workers read all of them, each begins somewhere else."""
    desk = work.open_desk(url)
    say = _sayer(heard, f"worker {number}")
    groups = [range(first, min(first + work.BATCH, total + 1)) for first in range(1, total + 1, work.BATCH)]
    share = len(groups) * number // workers
    for group in groups[share:] + groups[:share]:
        work.take_over_and_read(desk, say, group, patience=PATIENCE)
        if not stop.is_set():
            time.sleep(0.02)  # so that the work lasts as long as the restarts
    desk.store.close()


def work_as_agent(url: str, number: int, agents: int, heard: Any, stop: Any) -> None:
    """Answer every so-many-th ticket that waits, until it is over."""
    desk = work.open_desk(url)
    say = _sayer(heard, f"agent {number}")
    done: set[int] = set()
    while not stop.is_set():
        mine = work.insist(lambda: _waiting(desk), say, PATIENCE)
        for ticket in [ticket for ticket in mine if ticket % agents == number and ticket not in done][:3]:
            work.insist(lambda ticket=ticket: work.hold_reply(desk, ticket, say), say, PATIENCE)  # type: ignore[misc]
            done.add(ticket)
        time.sleep(0.05)  # an agent reads between two answers
    desk.store.close()


def _waiting(desk: Any) -> list[int]:
    return list(desk.read.queue_ids("needs_reply", agent_id=None, now=desk.clock.now()))


def _sayer(heard: Any, who: str) -> work.Say:
    return lambda kind, what: heard.put((who, kind, what))


def _listen(heard: Any, said: dict[str, work.Said]) -> None:
    for who, kind, what in _words(heard):
        work.recorder(said.setdefault(who, work.Said()))(kind, what)


def _words(heard: Any) -> Iterator[tuple[str, str, Any]]:
    with contextlib.suppress(EOFError):
        while (word := heard.get()) is not None:
            yield word
