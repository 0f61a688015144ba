"""A04: the power fails, and of what was not synced any part is on the disk: all, nothing, some writes, some sectors.

A clean run is recorded with strace: each write, truncation and sync of the database's files, and what was acknowledged
between them. Then the files are made again from a beginning of the record, opened, checked, and the work is done to its
end. The disk itself is honest: what a sync has confirmed is there, and a sector is old or new, never half.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from supportdesk.errors import SupportdeskError
from tests.faults import work
from tests.faults.strace import check_and_finish, missing, trace_a_clean_run, warm_up

__all__ = ["missing", "run"]

SECTOR: Final = 512
LONGEST_WRITE: Final = 1 << 20
SHARES: Final = (0.0, 0.1, 0.5, 0.9, 1.0)
"""How much of what was not synced is kept, in one power failure or another."""

_CALL = re.compile(r"^\d+\s+(pwrite64|write|ftruncate|fsync|fdatasync)\(\d+<([^>]*)>(?:, (.*))?\)\s+= (-?\d+)")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that the run did: `write` or `truncate` at an offset of a file, `sync` of it, or words it `said`."""

    call: str
    file: str
    at: int = 0
    data: bytes = b""


def run(runs: int, seed: int, *, honest: bool = True) -> dict[str, Any]:
    """So many power failures at random moments; what was wrong with what was found afterwards.

    A disk that is not `honest` confirms syncs that it does not make: no database survives that for long.
    """
    chance, started = random.Random(seed), time.monotonic()
    wrong, kept = list[str](), Counter[float]()
    lost = torn = 0
    with tempfile.TemporaryDirectory(prefix="supportdesk-power-") as directory:
        template = Path(directory) / "template.db"
        work.furnish(str(template))
        warm_up(Path(directory), template)
        steps = _record(Path(directory), template)
        if not honest:
            steps = [step for step in steps if step.call != "sync"]
        for number in range(runs):
            until, share = chance.randint(1, len(steps)), chance.choice(SHARES)
            kept[share] += 1
            home = Path(directory) / str(number)
            home.mkdir()
            gone, half = _make_files(home / "desk.db", template.read_bytes(), steps[:until], share, chance)
            lost, torn = lost + gone, torn + half
            said = _said(steps[:until])
            try:
                found = check_and_finish(home / "desk.db", said)
            except SupportdeskError as error:
                found = [error.message]
            wrong += [f"step {until}, {share:.0%} kept: {each}" for each in found]
            shutil.rmtree(home)
    return {
        "part": "power", "seed": seed, "runs": runs, "steps": dict(Counter(f"{s.call} {s.file}" for s in steps)),
        "kept": {f"{share:.0%}": count for share, count in sorted(kept.items())}, "writes_lost": lost,
        "writes_torn": torn, "wrong": wrong, "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def _record(home: Path, template: Path) -> list[Step]:
    calls = "trace=pwrite64,write,ftruncate,fsync,fdatasync"
    database = home / "clean.db"
    log = trace_a_clean_run(database, template, ["-xx", "-y", "-s", str(LONGEST_WRITE), "-e", calls])
    steps = [step for line in log.splitlines() if (step := _read_step(line, str(database))) is not None]
    assert {step.call for step in steps} == {"write", "truncate", "sync", "said"}, "the record must be whole"
    return steps


def _read_step(line: str, database: str) -> Step | None:
    """A line of strace, if it is about the database's files or the pipe to us."""
    match = _CALL.match(line)
    if match is None:
        return None
    call, path, rest, result = match[1], _unescaped(match[2]).decode(), match[3] or "", int(match[4])
    if call == "write":
        return Step("said", "", data=_unescaped(rest.split('"')[1])) if path.startswith("pipe:") else None
    if path not in (database, f"{database}-wal"):
        return None
    assert result >= 0, line
    file = "log" if path.endswith("-wal") else "database"
    if call == "pwrite64":
        data = _unescaped(rest.split('"')[1])
        assert len(data) == result, "strace must show the whole write"
        return Step("write", file, int(rest.rpartition(", ")[2]), data)
    return Step("truncate", file, int(rest)) if call == "ftruncate" else Step("sync", file)


def _unescaped(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if "\\x" in text else text.encode()


def _said(steps: Sequence[Step]) -> work.Said:
    said = work.Said()
    record = work.recorder(said)
    for step in steps:
        if step.call == "said":
            record(*json.loads(step.data))
    return said


def _make_files(
    database: Path, template: bytes, steps: Sequence[Step], share: float, chance: random.Random
) -> tuple[int, int]:
    """The two files as they may be now; how many writes are missing, and how many are there in part."""
    lost = torn = 0
    for name, path, before in (
        ("database", database, template), ("log", database.with_name(f"{database.name}-wal"), b"")
    ):  # fmt: skip
        content = bytearray(before)
        mine = [step for step in steps if step.file == name]
        synced = max((at for at, step in enumerate(mine) if step.call == "sync"), default=-1)
        for at, step in enumerate(mine):
            if step.call == "sync":
                continue
            if at < synced or chance.random() < share:
                _apply(content, step)
            elif step.call == "write" and chance.random() < 0.3:
                torn += 1
                for start in range(0, len(step.data), SECTOR):
                    if chance.random() < 0.5:
                        _apply(content, Step("write", name, step.at + start, step.data[start : start + SECTOR]))
            else:
                lost += 1
        path.write_bytes(content)
    return lost, torn


def _apply(content: bytearray, step: Step) -> None:
    if step.call == "truncate":
        del content[step.at :]
        content.extend(bytes(step.at - len(content)))
        return
    content.extend(bytes(max(0, step.at - len(content))))
    content[step.at : step.at + len(step.data)] = step.data
