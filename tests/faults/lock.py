"""A06: another process holds the database for a while; writers wait, and go on by themselves when it lets go."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from supportdesk.store.lock import WAIT_SECONDS
from tests.faults import work

HOLD = """
import sys
from pathlib import Path
from supportdesk.store.connect import sqlite_driver
from supportdesk.store.lock import Turnstile
database, kind = Path(sys.argv[1]), sys.argv[2]
def hold():
    print("held", flush=True)
    sys.stdin.read()
if kind == "turnstile":
    with Turnstile(database).held():
        hold()
else:
    connection = sqlite_driver().connect(str(database), isolation_level=None)
    connection.execute("BEGIN" if kind == "reader" else "BEGIN IMMEDIATE")
    connection.execute("SELECT count(*) FROM ticket").fetchall()
    hold()
    connection.execute("ROLLBACK")
"""

MARGIN: Final = 5.0  # seconds around the turnstile's wait in which a refusal may still be under way


def missing() -> str:
    return ""


def run(runs: int, seed: int, *, seconds: float = 0.5) -> dict[str, Any]:
    """Hold the database so many times, half to one and a half of `seconds`, by its own lock or by SQLite's, while it
    works; then let it go, or be killed.

    Whoever is held off by the turnstile is refused once the turnstile's own wait has passed, and not before.
    """
    chance, started = random.Random(seed), time.monotonic()
    wrong, refused, held_for, longest_read = list[str](), list[str](), list[float](), 0.0
    for _unused in range(runs):
        kind, end = chance.choice(("turnstile", "sqlite")), chance.choice(("let go", "kill"))
        with tempfile.TemporaryDirectory(prefix="supportdesk-lock-") as directory:
            database = Path(directory) / "desk.db"
            work.furnish(str(database))
            desk, said = work.open_desk(str(database)), work.Said()
            patience = work.PATIENCE + 2 * seconds
            worker = threading.Thread(target=work.work, args=(desk, work.recorder(said)), kwargs={"patience": patience})
            with held(database, kind) as holder:
                worker.start()
                holds = seconds * chance.uniform(0.5, 1.5)
                held_for.append(round(holds, 1))
                until = time.monotonic() + holds
                while time.monotonic() < until:
                    before = time.monotonic()
                    desk.read.counts(agent_id=None, now=desk.clock.now())
                    longest_read = max(longest_read, time.monotonic() - before)
                    time.sleep(0.01)  # somebody looks at the list again and again; the holding time is the test
                if said.fetched:
                    wrong.append(f"{kind}: something was written past the lock")
                if end == "kill":
                    os.kill(holder.pid, signal.SIGKILL)
                late = len(said.refused)
            worker.join(patience)
            refused += said.refused
            if kind == "turnstile" and abs(holds - WAIT_SECONDS) > MARGIN and (late > 0) != (holds > WAIT_SECONDS):
                wrong.append(f"{kind}, held for {holds:.1f} s: {late} refusals")
            wrong += [f"{kind}, {end}: {each}" for each in work.wrong_with(desk, said)]
            if worker.is_alive() or len(said.read) != work.MAILS or len(said.held) != work.REPLIES:
                wrong.append(f"{kind}, {end}: the work did not go on")
            desk.store.close()
            wrong += work.integrity(database)
    return {
        "part": "lock", "seed": seed, "runs": runs, "held_seconds": held_for, "refused": len(refused),
        "longest_read_ms": round(longest_read * 1000), "wrong": wrong, "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


@contextmanager
def held(database: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the database meanwhile: `turnstile`, `sqlite`, or only a snapshot (`reader`)."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        if process.stdout.readline() != "held\n":
            raise RuntimeError("the database could not be held")
        yield process
        process.stdin.close()
        process.wait(30)
