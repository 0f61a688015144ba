"""B06: a program that forgot its transaction reads one moment of the desk for minutes, while agents go on working.

SQLite cannot empty its write-ahead log before such a reader ends: its length is what he costs, and a log that is never
longer than 256 MiB, as reliability.md wants it, cannot be had under a reader who stays. So he is told of from there on.
That nobody else feels him, that he is told of, and that the log is empty once he is gone, is judged here; what the
agents feel only in a long run, for the times of a short one say nothing.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from supportdesk.desk import gauges
from supportdesk.desk.gauges import read_gauges, read_troubles
from supportdesk.errors import SupportdeskError
from supportdesk.store.gauges import p99_ms
from tests.faults import work
from tests.faults.lock import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.desk.desk import Desk

AGENTS: Final = 8
WRITES_A_SECOND: Final = 16  # B02: 32 agents, a write in two seconds each
MIB: Final = 2**20
LONG: Final = 300  # seconds of reading from which on the agents' times are judged, and the log must have grown
MOST_TIMES, MOST_MORE_MS = 3, 50.0
"""The agents' 99th percentile beside a reader: so many times the one without him, and so much more."""


@dataclass
class Felt:
    """What the agents felt: seconds of each write and each look at the list."""

    writes: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def working(desk: Desk, felt: Felt, seed: int) -> Iterator[None]:
    """Agents who look at their list and write a note, all of them together so often a second."""
    over = threading.Event()
    actor = desk.agent_by_login("giulia").actor()

    def work_on(number: int) -> None:
        chance = random.Random(seed * AGENTS + number)
        while not over.wait(chance.uniform(0.5, 1.5) * AGENTS / WRITES_A_SECOND):
            try:
                before = time.monotonic()
                desk.read.counts(agent_id=actor.id, now=desk.clock.now())
                shown = desk.read.queue_ids("all_open", agent_id=actor.id, now=desk.clock.now(), limit=50)
                felt.looks.append(time.monotonic() - before)
                before = time.monotonic()
                desk.add_note(actor, chance.choice(shown), "Ho chiamato il cliente. " * chance.randrange(1, 40))
                felt.writes.append(time.monotonic() - before)
            except SupportdeskError as error:
                felt.errors.append(f"{type(error).__name__}: {error}")

    agents = [threading.Thread(target=work_on, args=(number,)) for number in range(AGENTS)]
    for agent in agents:
        agent.start()
    try:
        yield
    finally:
        over.set()
        for agent in agents:
            agent.join()


def missing() -> str:
    return ""


def run(runs: int, seed: int, *, limit: int = gauges.MOST_WAL_BYTES) -> dict[str, Any]:
    """Read one moment for so many seconds; `limit` is the length of the log that is told of."""
    started, wrong, peak, told = time.monotonic(), list[str](), 0.0, False
    with tempfile.TemporaryDirectory(prefix="supportdesk-reader-") as directory:
        database = Path(directory) / "desk.db"
        work.furnish(str(database))
        desk = work.open_desk(str(database))
        work.work(desk, work.recorder(work.Said()))
        alone, beside = Felt(), Felt()
        with working(desk, alone, seed):
            time.sleep(min(10.0, runs / 4))  # what the agents feel without a reader is measured meanwhile
        with mock.patch.object(gauges, "MOST_WAL_BYTES", limit), held(database, "reader"):
            with working(desk, beside, seed + 1):
                until = time.monotonic() + runs
                while time.monotonic() < until:
                    status = desk.status()
                    measured = read_gauges(desk, status)
                    peak = max(peak, measured.wal_bytes or 0.0)
                    is_told = any(one.id == "wal.large" for one in read_troubles(desk, status, measured))
                    if is_told != ((measured.wal_bytes or 0.0) > limit):
                        wrong.append(f"a log of {measured.wal_bytes} bytes is told of: {is_told}")
                    told = told or is_told
                    time.sleep(min(1.0, runs / 20))  # as often as a person would look
            if desk.store.checkpoint():
                wrong.append("the reader kept nothing")
        if not desk.store.checkpoint() or read_gauges(desk, desk.status()).wal_bytes:
            wrong.append("the log is not empty after the reader has gone")
        written = len(alone.writes) + len(beside.writes)
        notes = sum(row["kind"] == "note" for row in desk.read.rows("message"))
        if notes != written:
            wrong.append(f"{written} notes were acknowledged, {notes} are there")
        wrong += [*alone.errors, *beside.errors]
        if runs >= LONG:
            wrong += [*_felt("write", alone.writes, beside.writes), *_felt("look", alone.looks, beside.looks)]
            if not told:
                wrong.append(f"the log never grew beyond {limit >> 20} MiB")
        desk.store.close()
        wrong += work.integrity(database)
    return {
        "part": "reader", "seed": seed, "seconds_read": runs, "writes": written,
        "write_p99_ms": p99_ms(sorted(beside.writes)), "write_p99_ms_alone": p99_ms(sorted(alone.writes)),
        "look_p99_ms": p99_ms(sorted(beside.looks)), "look_p99_ms_alone": p99_ms(sorted(alone.looks)),
        "log_peak_mib": round(peak / MIB, 1), "told": told,
        "wrong": wrong, "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def _felt(what: str, alone: list[float], beside: list[float]) -> list[str]:
    """Whether the agents felt the reader."""
    without, with_him = p99_ms(sorted(alone)) or 0.0, p99_ms(sorted(beside)) or 0.0
    if with_him <= MOST_TIMES * without + MOST_MORE_MS:
        return []
    return [f"{what}: p99 {with_him:.0f} ms beside the reader, {without:.0f} ms without him"]
