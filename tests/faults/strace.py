"""A03: the n-th write, sync or truncation of the database fails, or is the last thing the process does.

strace is attached to a forked process before its first statement and injects one fault into the calls on the
database's own files. Then the file is checked, the work is done to its end without faults, and checked again.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.faults import work
from tests.support.processes import wait_until

CALLS = ("pwrite64", "pread64", "fdatasync", "fsync", "ftruncate")
EFFECTS = ("error=EIO", "error=ENOSPC", "error=EDQUOT", "signal=SIGKILL")
LONGEST = 20.0


def missing() -> str:
    """Why this cannot run here, or an empty string."""
    return "" if shutil.which("strace") else "strace is not installed"


def run(runs: int, seed: int) -> dict[str, Any]:
    """So many faults at random calls; what happened and what was wrong."""
    chance, started = random.Random(seed), time.monotonic()
    effects: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    struck, wrong = 0, list[str]()
    with tempfile.TemporaryDirectory(prefix="supportdesk-strace-") as directory:
        template = Path(directory) / "template.db"
        work.furnish(str(template))
        warm_up(Path(directory), template)
        calls = _calls_of_a_clean_run(Path(directory), template)
        names = [name for name in CALLS if calls[name]]
        for number in range(runs):
            name = names[number % len(names)]
            effect = chance.choice(EFFECTS)
            when = chance.randint(1, calls[name])
            lasting = "+" if effect.startswith("error") and chance.random() < 0.2 else ""
            fault = f"{name}:{effect}:when={when}{lasting}"
            home = Path(directory) / str(number)
            home.mkdir()
            shutil.copy(template, home / "desk.db")
            said, status = _strike(home / "desk.db", fault)
            effects[f"{name} {effect}"] += 1
            refused.update(said.refused)
            struck += bool(said.refused) or os.WIFSIGNALED(status)
            wrong += [f"{fault}: {each}" for each in check_and_finish(home / "desk.db", said)]
            shutil.rmtree(home)
    return {
        "part": "strace", "seed": seed, "runs": runs, "struck": struck, "calls": dict(calls),
        "effects": dict(effects), "refused": dict(refused), "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def check_and_finish(database: Path, said: work.Said) -> list[str]:
    wrong = work.integrity(database)
    desk = work.open_desk(str(database))
    try:
        wrong += work.wrong_with(desk, said)
        again = work.Said()
        work.work(desk, work.recorder(again))
        wrong += [f"without faults: {each}" for each in work.wrong_with(desk, again)]
        if len(again.read) != work.MAILS or len(again.held) != work.REPLIES:
            wrong.append("the work could not be finished")
    finally:
        desk.store.close()
    return wrong + work.integrity(database)


def _strike(database: Path, fault: str) -> tuple[work.Said, int]:
    """Work in a forked process under strace; what it said before its end, and its status."""
    child, go, words = fork_worker(database)
    files = [str(database) + ending for ending in ("", "-wal", "-journal", "-shm")]
    paths = [part for file in files for part in ("-P", file)]
    call = fault.partition(":")[0]
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", *paths,
         "-e", f"trace={call}", "-e", f"inject={fault}", "-p", str(child)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_until(lambda: _is_traced(child) or tracer.poll() is not None, seconds=LONGEST, what="strace to attach")
        if tracer.poll() is not None:
            os.kill(child, signal.SIGKILL)
            assert tracer.stderr
            raise RuntimeError(f"strace could not attach: {tracer.stderr.read().decode(errors='replace')}")
        os.write(go, b"x")
        os.close(go)
        said = _hear(words)
        status = os.waitpid(child, 0)[1]
    finally:
        tracer.terminate()
        tracer.communicate()
    return said, status


def fork_worker(database: Path) -> tuple[int, int, int]:
    """A process that waits for a byte and then works; its id, the pipe to it, and the pipe with what it says."""
    go_read, go_write = os.pipe()
    words_read, words_write = os.pipe()
    child = os.fork()
    if child:
        os.close(go_read)
        os.close(words_write)
        return child, go_write, words_read
    try:
        os.close(go_write)
        os.close(words_read)
        os.read(go_read, 1)
        desk = work.open_desk(str(database))
        work.work(desk, partial(_say, words_write))
    except BaseException as error:  # noqa: BLE001 — a forked process must not go back into its parent's work
        _say(words_write, "ended", f"{type(error).__name__}: {error}")
    finally:
        os._exit(0)


def _say(words: int, kind: str, what: Any) -> None:
    os.write(words, json.dumps([kind, what]).encode() + b"\n")


def _hear(words: int) -> work.Said:
    said = work.Said()
    record = work.recorder(said)
    with os.fdopen(words, "rb") as lines:
        for line in lines:
            record(*json.loads(line))
    return said


def _is_traced(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    return "TracerPid:\t0" not in status


def warm_up(home: Path, template: Path) -> None:
    """Import everything in this process, so that the forked ones have it."""
    shutil.copy(template, home / "warm.db")
    desk = work.open_desk(str(home / "warm.db"))
    work.work(desk, lambda _kind, _what: None)
    desk.store.close()


def _calls_of_a_clean_run(home: Path, template: Path) -> Counter[str]:
    """How often each of the calls is made when nothing fails."""
    paths = [part for ending in ("", "-wal", "-journal", "-shm") for part in ("-P", f"{home / 'clean.db'}{ending}")]
    log = trace_a_clean_run(home / "clean.db", template, [*paths, "-e", f"trace={','.join(CALLS)}"])
    return Counter({name: log.count(f"{name}(") for name in CALLS})


def trace_a_clean_run(database: Path, template: Path, options: Sequence[str]) -> str:
    """What strace writes, with these options, of the whole work on a copy of the template."""
    log = database.with_suffix(".log")
    shutil.copy(template, database)
    child, go, words = fork_worker(database)
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(log), *options, "-p", str(child)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(lambda: _is_traced(child), seconds=LONGEST, what="strace to attach")
    os.write(go, b"x")
    os.close(go)
    said = _hear(words)
    os.waitpid(child, 0)
    tracer.wait(60)
    assert not said.refused, said.refused
    return log.read_text("ascii", "replace")
