"""A05: the disk fills up while mail is taken over and read and replies are held, and has space again later.

With root the desk stands on a small tmpfs that is filled; without, the process may not write beyond a size. Nothing
that was refused may be half there, reading must go on, and the work must go on by itself when there is space.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from supportdesk.errors import StoreError
from tests.faults import work
from tests.support.processes import wait_until

SIZE = 6 << 20
MOST_FREE = 220 * 1024  # what the work takes is more than that, with its log


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """Fill the disk so many times, each time with another little rest of space."""
    chance, started = random.Random(seed), time.monotonic()
    wrong, refused, kinds, backups = list[str](), Counter[str](), Counter[str](), 0
    for _unused in range(runs):
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="supportdesk-disk-")))
            small = _is_mounted_small(home, stack)
            kind = "tmpfs" if small else "limit"
            kinds[kind] += 1
            database = home / "desk.db"
            work.furnish(str(database))
            desk, said = work.open_desk(str(database)), work.Said()
            stack.callback(desk.store.close)
            desk.mailboxes()  # connections are there before the space is gone
            rest = chance.randint(0, MOST_FREE)
            make_space = _fill(home, rest) if small else _limit(database, rest)
            worker = threading.Thread(
                target=work.work, args=(desk, work.recorder(said)), kwargs={"patience": work.PATIENCE}
            )
            worker.start()
            with suppress(TimeoutError):  # a large rest may suffice
                wait_until(partial(_is_refused_or_done, said, worker), seconds=20, what="a refusal")
            full = worker.is_alive()
            wrong += [f"{kind}, {rest} left: {each}" for each in _while_full(desk, said)]
            if full and small:
                backups += 1
                wrong += _a_backup_is_whole_or_not_there(database, home / "backup.db")
            make_space()
            worker.join(work.PATIENCE)
            refused.update(said.refused)
            wrong += [f"{kind}, {rest} left, then space: {each}" for each in work.wrong_with(desk, said)]
            if worker.is_alive() or len(said.read) != work.MAILS or len(said.held) != work.REPLIES:
                wrong.append(f"{kind}, {rest} left: the work did not go on: {said.refused[-1:]}")
            wrong += work.integrity(database)
    return {
        "part": "disk", "seed": seed, "runs": runs, "kinds": dict(kinds), "backups_on_a_full_disk": backups,
        "refused": dict(refused), "wrong": wrong, "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def _is_refused_or_done(said: work.Said, worker: threading.Thread) -> bool:
    return len(said.refused) > 3 or not worker.is_alive()


def _while_full(desk: Any, said: work.Said) -> list[str]:
    """Reading goes on, and no refused mail has left a trace."""
    desk.read.counts(agent_id=None, now=desk.clock.now())
    desk.read.queue_ids("needs_reply", agent_id=None, now=desk.clock.now())
    stubs = [row for row in desk.read.rows("message") if row["kind"] == "stub"]
    acknowledged = {row["uid"] for row in desk.read.rows("delivery")} >= said.fetched
    return ["a phantom ticket"] * len(stubs) + ([] if acknowledged else ["an acknowledged mail is not there"])


def _a_backup_is_whole_or_not_there(database: Path, file: Path) -> list[str]:
    from supportdesk.store.backup import backup

    try:
        backup(str(database), file)
    except (StoreError, OSError):
        return ["a broken backup was left"] if file.exists() else []
    wrong = work.integrity(file)
    file.unlink()
    return wrong


def _is_mounted_small(home: Path, stack: ExitStack) -> bool:
    if os.geteuid() != 0:
        return False
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True).returncode:
        return False
    stack.callback(subprocess.run, ["umount", "-l", str(home)], capture_output=True)
    return True


def _fill(home: Path, rest: int) -> Callable[[], None]:
    """Leave so many bytes; what gives the space back."""
    filler = home / "filler"
    free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
    filler.write_bytes(b"\0" * max(0, free - rest))
    return filler.unlink


def _limit(database: Path, rest: int) -> Callable[[], None]:
    """No file of this process may grow beyond the database's size and so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(rest, 4096), hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
