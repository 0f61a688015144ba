"""Part `copy`: a whole desk moves from SQLite to Postgres and back; what comes back has the same hashes and goes on.

The other database is made beside the first one: on the server that `--database` names, or on one of our own.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from supportdesk.desk.model import TicketId
from supportdesk.store.copy import CopyReport, copy_desk
from tests.bench.desks import described, filled_desk, open_bench_desk, scratch_database
from tests.bench.measure import Options, forget_peak_memory, memory_mib, peak_memory_mib, say
from tests.bench.report import BenchFailed, Part, Row
from tests.support.postgres import missing_for_postgres, running_postgres

SIZE: Final = 5000


def run(options: Options) -> Part:
    size = options.sized(SIZE)
    with (
        _server(options) as server,
        scratch_database(server) as on_server,
        tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory,
        filled_desk(replace(options, desk="", database=""), size) as made,
    ):
        given = f"{described(made)}; PostgreSQL, and back into another file"
        forget_peak_memory()
        before = memory_mib()
        there, seconds_there = _copied(made.url, on_server)
        again = f"sqlite:///{Path(directory, 'again.db')}"
        back, seconds_back = _copied(on_server, again)
        differing = [name for name, table in there.tables.items() if back.tables[name] != table]
        if differing:
            raise BenchFailed(f"the rows that came back are not those that went: {', '.join(differing)}")
        _goes_on(again)
        rows = sum(table.rows for table in there.tables.values())
    return Part("copy", given, (
        Row("SQLite → PostgreSQL, compared", rows / seconds_there, "rows/s"),
        Row("the same", seconds_there, "s"),
        Row("PostgreSQL → SQLite, compared", rows / seconds_back, "rows/s"),
        Row("the same", seconds_back, "s"),
        Row("rows with equal hashes, both ways", rows, "rows"),
        Row("tables whose rows differ", len(differing), "tables", "", None, "≤ 0"),
        Row("peak memory", peak_memory_mib(), "MiB", "before it began", before),
    ))  # fmt: skip


def _copied(source: str, target: str) -> tuple[CopyReport, float]:
    start = time.perf_counter()
    report = copy_desk(
        source, target, move=True, progress=lambda what, done, total: say(f"copy: {what} {done:,} of {total:,}")
    )
    if not report.complete:
        raise BenchFailed("the copy stopped")
    return report, time.perf_counter() - start


def _goes_on(url: str) -> None:
    """A note is written on the newest ticket of the copy, and is there; its id was given to nobody else."""
    made = open_bench_desk(url)
    try:
        newest = made.store.read.rows("ticket", {}, order="-id", limit=1)[0]["id"]
        highest = made.store.read.rows("message", {}, order="-id", limit=1)[0]["id"]
        made.desk.add_note(made.agents[0].actor(), TicketId(newest), "written on the copy")
        note = made.store.read.rows("message", {}, order="-id", limit=1)[0]
        if note["ticket_id"] != newest or note["id"] <= highest or made.store.recount_views():
            raise BenchFailed("the desk does not go on from the copy")
    finally:
        made.store.close()


@contextmanager
def _server(options: Options) -> Iterator[str]:
    if options.database:
        yield options.database
    elif reason := missing_for_postgres():
        raise BenchFailed(reason)
    else:
        with running_postgres() as server:
            yield server.url("postgres")
