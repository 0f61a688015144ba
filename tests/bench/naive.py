"""The peer of part `ingest`: what an afternoon's script does with the same mails.

The standard library reads each mail, one transaction puts its bytes, its head and its words for the full-text search
into SQLite, as durably as ours. No threading, no rules, no language, no customers, no quotes folded, nothing contained.
"""

from __future__ import annotations

import email.policy
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from supportdesk.store.connect import sqlite_driver
from tests.bench.mails import MailPack
from tests.bench.measure import Stopwatch
from tests.bench.mime import read_with_standard_library

MOST: Final = 2000  # mails that it is given: it does not get faster
_PROJECT: Final = Path(__file__).resolve().parents[2]
_TABLES: Final = (
    "CREATE TABLE mail (id INTEGER PRIMARY KEY, head TEXT, body TEXT, files TEXT, raw BLOB)",
    "CREATE VIRTUAL TABLE words USING fts5(body)",
)


@dataclass(frozen=True, slots=True)
class Naive:
    """How long it took: mails, seconds on the clock and of the processor."""

    mails: int
    seconds: float
    cpu_seconds: float


def measured(size: int, mails: MailPack | None) -> Naive:
    """Take in the first of the mails, or of the generator's, in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.bench.naive", str(min(size, MOST)), *([str(mails.file)] if mails else [])],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=_PROJECT, check=True,
    )  # fmt: skip
    return Naive(**json.loads(result.stdout))


def take_in(directory: Path, size: int, mails: str) -> Naive:
    pack = MailPack(Path(mails)) if mails else MailPack.make(directory / "pack", 0, size)
    raw_mails = list(islice(pack, size))
    database = sqlite_driver().connect(str(directory / "mail.db"), isolation_level=None)
    try:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", *_TABLES):
            database.execute(statement)
        clock = Stopwatch()
        for raw in raw_mails:
            head, body, files = read_with_standard_library(raw, email.policy.default)
            database.execute("BEGIN IMMEDIATE")
            values = ("\n".join(head), body, json.dumps(files), raw)
            at = database.execute("INSERT INTO mail (head, body, files, raw) VALUES (?, ?, ?, ?)", values).lastrowid
            database.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (at, body))
            database.execute("COMMIT")
        return Naive(size, clock.seconds(), clock.cpu_seconds())
    finally:
        database.close()


def main(size: int, mails: str = "") -> None:
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        sys.stdout.write(json.dumps(asdict(take_in(Path(directory), size, mails))))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
