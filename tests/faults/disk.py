"""A05: the disk fills up while mail is taken over and read, files are attached, replies held and lines logged, and has
space again later.

With root the desk stands on a small tmpfs that is filled; without, the process may not write beyond a size. Nothing
that was refused may be half there, reading must go on, and the work must go on by itself when there is space. The log,
on the same disk, may lose lines: it stops nobody, and has no torn line and nothing but its own lines afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supportdesk.cli import logs
from supportdesk.errors import StoreError
from tests.faults import work
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import OutboxRow

SIZE = 6 << 20
MOST_FREE = 220 * 1024  # what the work takes is more than that, with its log
BEGUN: Final = work.MAILS + 1  # the mail whose answer is a draft when the disk fills up
FILES: Final = {f"label-{number}.pdf": random.Random(number).randbytes(30_000) for number in range(3)}

log = logging.getLogger("supportdesk.faults")


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """Fill the disk so many times, each time with another little rest of space."""
    chance, started = random.Random(seed), time.monotonic()
    wrong, refused, kinds, backups, late = list[str](), Counter[str](), Counter[str](), 0, 0
    for _unused in range(runs):
        with ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="supportdesk-disk-")))
            small = is_mounted_small(home, stack)
            kind = "tmpfs" if small else "limit"
            kinds[kind] += 1
            database = home / "desk.db"
            work.furnish(str(database))
            desk, said = work.open_desk(str(database)), work.Said()
            stack.callback(desk.store.close)
            draft, attached = _begun_reply(desk), list[str]()
            say = _aloud(work.recorder(said))
            stack.enter_context(logging_to(home / "log"))
            rest = chance.randint(0, MOST_FREE)
            make_space = fill(home, rest) if small else limit(database, rest)
            worker = threading.Thread(target=work.work, args=(desk, say), kwargs={"patience": work.PATIENCE})
            agent = threading.Thread(target=_attach, args=(desk, draft, say, attached))
            for thread in (worker, agent):
                thread.start()
            with suppress(TimeoutError):  # a large rest may suffice
                wait_until(partial(_is_refused_or_done, said, worker), seconds=20, what="a refusal")
            full = worker.is_alive()
            wrong += [f"{kind}, {rest} left: {each}" for each in _while_full(desk, said, draft, attached)]
            late += len(FILES) - len(attached)
            if full and small:
                backups += 1
                wrong += _a_backup_is_whole_or_not_there(database, home / "backup.db")
            make_space()
            for thread in (worker, agent):
                thread.join(work.PATIENCE)
            refused.update(said.refused)
            found = [*work.wrong_with(desk, said), *_wrong_files(desk, draft, list(FILES)), *_wrong_log(home / "log")]
            wrong += [f"{kind}, {rest} left, then space: {each}" for each in found]
            if agent.is_alive() or attached != list(FILES):
                wrong.append(f"{kind}, {rest} left: only {attached} could be attached: {said.refused[-1:]}")
            if worker.is_alive() or len(said.read) != work.MAILS or len(said.held) != work.REPLIES:
                wrong.append(f"{kind}, {rest} left: the work did not go on: {said.refused[-1:]}")
            wrong += work.integrity(database)
    return {
        "part": "disk", "seed": seed, "runs": runs, "kinds": dict(kinds), "backups_on_a_full_disk": backups,
        "attached_when_there_was_space": late, "refused": dict(refused), "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def _is_refused_or_done(said: work.Said, worker: threading.Thread) -> bool:
    return len(said.refused) > 3 or not worker.is_alive()


def _while_full(desk: Desk, said: work.Said, draft: OutboxRow, attached: list[str]) -> list[str]:
    """Reading goes on, and no refused mail has left a trace."""
    kept = _wrong_files(desk, draft, attached[:])
    desk.read.counts(agent_id=None, now=desk.clock.now())
    desk.read.queue_ids("needs_reply", agent_id=None, now=desk.clock.now())
    stubs = [row for row in desk.read.rows("message") if row["kind"] == "stub"]
    acknowledged = {row["uid"] for row in desk.read.rows("delivery")} >= said.fetched
    return ["a phantom ticket"] * len(stubs) + kept + ([] if acknowledged else ["an acknowledged mail is not there"])


def _begun_reply(desk: Desk) -> OutboxRow:
    """A draft of an answer to a mail that came before the space was gone; the connections are there then, too."""
    work.take_over_and_read(desk, work.recorder(work.Said()), range(BEGUN, BEGUN + 1), patience=0)
    ticket = desk.read.queue_ids("all_open", agent_id=None, now=desk.clock.now())[0]
    return desk.open_draft(desk.agent_by_login("giulia").actor(), ticket)


def _attach(desk: Desk, draft: OutboxRow, say: work.Say, attached: list[str]) -> None:
    """Put the files to the draft, each until it is there; one whose commit's outcome was not known no second time."""
    actor = desk.agent_by_login("giulia").actor()

    def attach(name: str) -> None:
        if name not in {one.name for one in desk.outbox_row(draft.id).attachments}:
            desk.attach(actor, draft.id, name, "application/pdf", FILES[name])

    for name in FILES:
        work.insist(partial(attach, name), say, work.PATIENCE)
        attached.append(name)


def _wrong_files(desk: Desk, draft: OutboxRow, attached: list[str]) -> list[str]:
    """What is missing of the files that were acknowledged, what is there twice, and what has other bytes."""
    there = desk.outbox_row(draft.id).attachments
    names = [one.name for one in there]
    wrong = [
        f"{name} was attached and is there {names.count(name)} times" for name in attached if names.count(name) != 1
    ]
    return wrong + [f"{one.name} has other bytes" for one in there if desk.blobs.get(one.blob_sha) != FILES[one.name]]


@contextmanager
def logging_to(file: Path) -> Iterator[None]:
    """What this process logs goes there as JSON lines, like that of a worker whose stderr is that file."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    with file.open("w", buffering=1, encoding="utf-8") as stream, redirect_stderr(stream):
        root.handlers = []
        logs.set_up(verbose=False, as_json=True)
        try:
            yield
        finally:
            root.handlers, root.level = before, level


def _aloud(say: work.Say) -> work.Say:
    def record(kind: str, what: Any) -> None:
        log.info("%s of %s: %s", kind, work.SHOP, what)
        say(kind, what)

    return record


def _wrong_log(file: Path) -> list[str]:
    """Each line is one of the log's own, without an address; what was logged last, with space again, is there."""
    lines = file.read_text(encoding="utf-8").splitlines()
    told = []
    for line in lines:
        with suppress(ValueError):
            told.append(json.loads(line)["words"])
    wrong = [f"{len(lines) - len(told)} lines of the log are torn or not its own"] if len(told) < len(lines) else []
    wrong += ["an address is in the log"] if "@" in "".join(lines) else []
    return wrong if any(words.startswith("held of <addr:") for words in told) else [*wrong, "the log did not go on"]


def _a_backup_is_whole_or_not_there(database: Path, file: Path) -> list[str]:
    from supportdesk.store.backup import backup

    try:
        backup(str(database), file)
    except (StoreError, OSError):
        return ["a broken backup was left"] if file.exists() else []
    wrong = work.integrity(file)
    file.unlink()
    return wrong


def is_mounted_small(home: Path, stack: ExitStack, size: int = SIZE) -> bool:
    """Put a tmpfs of so many bytes on the directory, until the stack ends; False where that is not allowed."""
    if os.geteuid() != 0:
        return False
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(home)]
    if subprocess.run(mount, capture_output=True).returncode:
        return False
    stack.callback(subprocess.run, ["umount", "-l", str(home)], capture_output=True)
    return True


def fill(home: Path, rest: int) -> Callable[[], None]:
    """Leave so many bytes; what gives the space back."""
    filler = home / "filler"
    free = os.statvfs(home).f_bavail * os.statvfs(home).f_frsize
    filler.write_bytes(b"\0" * max(0, free - rest))
    return filler.unlink


def limit(database: Path, rest: int) -> Callable[[], None]:
    """No file of this process may grow beyond the database's size and so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(rest, 4096), hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
