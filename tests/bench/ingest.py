"""Part `ingest`: mail from a mailbox to searchable, threaded tickets, with the raw mail kept.

The real path, but for the network: a source that hands out generated mail → `desk.fetch` → the ledger → contained
parsing → `desk.intake`. It runs in a process of its own, so that its memory is its own; the mail is made by another one
while the clock stands still.
"""

from __future__ import annotations

import cProfile
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from supportdesk.bootstrap import open_parser
from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.intake import Intake
from supportdesk.mail.child import MailParserPool
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState
from supportdesk.store import SqlStore
from supportdesk.store.connect import Connection
from supportdesk.store.write.transaction import WriteTransaction
from tests.bench import naive
from tests.bench.desks import open_bench_desk, scratch_desk
from tests.bench.given import GENERATED, Digest, described
from tests.bench.mails import MailMaker, MailPack
from tests.bench.measure import (
    MIB,
    Options,
    Stopwatch,
    cpu_of_ended_children,
    cpu_seconds,
    memory_mib,
    peak_memory_mib,
    percentile,
    proportional_memory_mib,
    say,
)
from tests.bench.profiling import profile_summary, profiled
from tests.bench.report import BenchFailed, Part, Row

SIZE: Final = 1000
PEER: Final = "stdlib parse + naive insert"
PACK: Final = 1000
MOST_PROFILED: Final = 2000  # profiling is slow, and the shares do not change with more mails
NEXT: Final = {
    "SQLite": "look up who is known for a whole batch at once, as it is done with who is not; hand fewer characters to"
    " the language's model, if its corpus bears it.",
    "PostgreSQL": "take the ids of a batch's rows beforehand, so that all writes of a mail are one round trip; look up"
    " who is known for a whole batch at once.",
}
_PROJECT: Final = Path(__file__).resolve().parents[2]


@dataclass
class Run:
    """What the measured process found out. Marks: (mails done, processor seconds, resident MiB) as the stages went on.

    The processor's time is that of the worker itself, without the parsing children.
    """

    mails: int = 0
    described: str = ""
    bytes: int = 0
    fetched: list[tuple[int, float, float]] = field(default_factory=list)
    processed: list[tuple[int, float, float]] = field(default_factory=list)
    seconds_fetching: float = 0.0
    seconds_reading: float = 0.0
    cpu_starting: float = 0.0
    cpu_parsing: float = 0.0
    transactions: list[float] = field(default_factory=list)
    calls: int = 0
    peak_mib: float = 0.0
    peak_child_mib: float = 0.0
    peak_together_mib: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    profile: list[str] = field(default_factory=list)


def run(options: Options) -> Part:
    mails = options.mails.pack if options.mails else None
    size = options.mails.count if options.mails else options.sized(SIZE)
    profile: list[str] = []
    if options.profile:  # a run of its own: profiling would spoil the rates
        with scratch_desk(options.database) as made:
            profile = _measured(made.url, min(size, MOST_PROFILED), mails, options.profile).profile
    with scratch_desk(options.database) as made:
        found = _measured(made.url, size, mails)
        with made.store.connection() as connection:
            tickets = connection.execute("SELECT count(*) FROM ticket")[0][0]
            outcomes = dict(connection.execute("SELECT outcome, count(*) FROM delivery GROUP BY outcome"))
        on_disk = made.size_on_disk()
        kind = "PostgreSQL" if made.store.address.is_postgres else "SQLite"
    if sum(outcomes.values()) != size or outcomes.get("", 0):
        raise BenchFailed(f"of {size} mails these came to an outcome: {outcomes}")
    fetching, reading = found.seconds_fetching, found.seconds_reading
    cpu = [stage / size * 1000 for stage in (found.fetched[-1][1], found.processed[-1][1], found.cpu_parsing)]
    early, late = _rate(found, 0.1, 0.2), _rate(found, 0.9, 1.0)
    peer = naive.measured(size, mails)
    rows = (
        Row(
            "mailbox to tickets, one after the other",
            size / (fetching + reading),
            "mails/s",
            PEER,
            peer.mails / peer.seconds,
            "≥ 3,600/s (5× mbsync and notmuch)",
        ),
        Row("fetched into the ledger", size / fetching, "mails/s"),
        Row("parsed and taken in", size / reading, "mails/s"),
        Row("CPU a mail, all processes", sum(cpu), "ms", PEER, peer.cpu_seconds / peer.mails * 1000),
        Row("CPU a mail: fetched into the ledger", cpu[0], "ms"),
        Row("CPU a mail: taken in, in the worker", cpu[1], "ms"),
        Row("CPU a mail: parsed, its language told, folded, in the children", cpu[2], "ms"),
        Row("CPU to start the parsing children, once", found.cpu_starting * 1000, "ms"),
        Row("calls to the database a mail, taken in", found.calls / size, "calls"),
        Row("mails in a transaction", size / len(found.transactions), "mails"),
        Row("a transaction, p99", percentile(found.transactions, 0.99) * 1000, "ms", "", None, "≤ 20 ms"),
        Row("a transaction, the longest", max(found.transactions) * 1000, "ms"),
        Row("growth, by CPU: the last tenth of the mails", late, "mails/s", "the second tenth", early, "≥ 0.75×"),
        Row("peak memory of the worker", found.peak_mib, "MiB", "", None, "≤ 143 MiB (150 MB)"),
        Row("its memory at the end", found.processed[-1][2], "MiB", "at a tenth", _memory_at(found, 0.1)),
        Row("peak memory of a parsing child", found.peak_child_mib, "MiB", "", None, "≤ 244 MiB (256 MB)"),
        Row("peak memory of all together, shared once", found.peak_together_mib, "MiB", "", None, "≤ 143 MiB (150 MB)"),
        Row("database", on_disk / MIB, "MiB", "the mails", found.bytes / MIB),
        Row("tickets", tickets, "tickets"),
        *(Row(f"outcome: {name}", count, "mails") for name, count in sorted(outcomes.items())),
    )
    given = options.mails.described if options.mails else found.described
    why = _why(cpu, found, kind)
    return Part("ingest", f"{given}, into an empty {kind} desk", rows, tuple(profile), why)


def _why(cpu: Sequence[float], found: Run, kind: str) -> dict[str, str]:
    """From this run's own figures: who keeps the processors busy, and how much they could do at all."""
    cores, whole = len(os.sched_getaffinity(0)), sum(cpu)
    fetched, taken_in, read = (share / whole for share in cpu)
    called = "statements" if kind == "SQLite" else "round trips"
    why = {
        "mailbox to tickets, one after the other": (
            f"a mail costs {whole:.2f} ms of processor, so {cores} cores that never wait take in"
            f" {cores * 1000 / whole:,.0f}/s at most. {read:.0%} of it goes to the children (reading, language, folding"
            f" of words), {taken_in:.0%} to the worker with its {found.calls / found.mails:.0f} {called} a mail and"
            f" rules in Python, {fetched:.0%} to the fetch. Next: {NEXT[kind]}"
        )
    }
    why["a transaction, p99"] = (
        "a batch ends after 18 ms of the worker's own processor, or as soon as somebody waits to write; beside two"
        " parsing children on two processors that is up to 40 by the clock. Ended after 10 ms it came to 28, with a"
        " quarter fewer mails a second. Next: end a batch sooner only while consoles are open."
        if kind == "SQLite"
        else "a batch ends before the mail that would not be done within 18 ms, but one mail is"
        f" {found.calls / found.mails:.0f} answers of the server to wait for. Next: as above, fewer round trips."
    )
    why["growth, by CPU: the last tenth of the mails"] = (
        f"a tenth of this mailbox is {found.mails // 10:,} mails; of a few hundred, one checkpoint of the database and"
        " the longest mails decide. Next: a mailbox of 100,000 (docs/performance-100000.md)."
    )
    why["peak memory of all together, shared once"] = (
        "the aim is that of one process, and the worker alone keeps it; each parsing child has a model of languages of"
        " its own, made after it was begun. Next: load the model before the children are forked."
    )
    return why


class PackedSource:
    """A mailbox (ports.MailSource) of a given pack, or of the generator's mails, made a thousand at a time."""

    def __init__(
        self,
        directory: Path,
        size: int,
        aside: Callable[[], AbstractContextManager[None]],
        given: MailPack | None = None,
    ) -> None:
        self._directory = directory
        self._size = size
        self._aside = aside
        self._given = given
        self.bytes = 0
        self.digest = Digest()

    def folders(self) -> list[FolderInfo]:
        return [FolderInfo("INBOX", "inbox")]

    def select(self, folder: str) -> FolderState:
        return FolderState(1, self._size + 1, self._size)

    def uids_from(self, uid: int) -> list[int]:
        return list(range(max(1, uid), self._size + 1))

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        return {uid: MailMaker.sent_at(uid - 1) for uid in uids}

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        """Mail `uid - 1` of the packs; the whole mailbox in order is what a first pass asks for."""
        if not uids:
            return
        if list(uids) != list(range(1, self._size + 1)):
            raise BenchFailed("the fetch did not ask for the whole mailbox in order")
        for uid, raw in enumerate(islice(self._mails(), self._size), 1):
            self.bytes += len(raw)
            yield FetchedMail(uid, raw, len(raw), MailMaker.sent_at(uid - 1))

    def _mails(self) -> Iterator[bytes]:
        if self._given is not None:
            with self._aside():
                self.digest.add(self._given)
            yield from self._given
            return
        for start in range(0, self._size, PACK):
            with self._aside():
                pack = MailPack.make(self._directory / f"pack-{start}", start, min(PACK, self._size - start))
                self.digest.add(pack)
            yield from pack
            pack.delete()

    def identities(self, uids: Sequence[int]) -> dict[int, tuple[str, int, datetime | None]]:
        return {}

    def idle(self, seconds: float, stop: Callable[[], bool]) -> bool:
        return False

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        return []

    def append(self, folder: str, data: bytes, at: datetime) -> None: ...
    def mark(self, uids: Sequence[int], policy: str, target: str = "") -> None: ...
    def close(self) -> None: ...


def ingest(url: str, size: int, mails: str, profile: int) -> Run:
    """Fetch and take in so many mails, of the pack `mails` if named, on the desk at `url`; in a process of its own.

    `profile`: lines of each list of its profile, 0 for none.
    """
    found = Run(mails=size)
    made = open_bench_desk(url)
    profiler = cProfile.Profile() if profile else None
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        clock = Stopwatch()

        @contextmanager
        def aside() -> Iterator[None]:
            """What happens inside is not what is measured."""
            with clock.paused():
                if profiler is not None:
                    profiler.disable()
                yield
                if profiler is not None:
                    profiler.enable()

        source = PackedSource(Path(directory), size, aside, MailPack(Path(mails)) if mails else None)

        def note_fetched(progress: Any) -> None:
            found.fetched.append((progress.done, clock.cpu_seconds(), memory_mib()))

        with profiled(profiler):
            Fetcher(made.store.ledger, made.mailbox, progress=note_fetched).run_pass(source)
        found.bytes, found.seconds_fetching = source.bytes, clock.seconds()
        found.described = described(size, GENERATED, source.digest)
    ended = cpu_of_ended_children()
    with open_parser() as parser:
        warm_up(parser)
        found.cpu_starting = cpu_of_ended_children() - ended + sum(cpu_seconds(pid) for pid in _descendants())
        intake = Intake(made.desk, parser)
        transactions, calls = Transactions(made.store), Calls()
        clock, done = Stopwatch(), 0
        while done < size:
            with profiled(profiler):
                some = intake.process()
            if not some:
                raise BenchFailed(f"only {done} of {size} mails came to an outcome")
            done += some
            found.processed.append((done, clock.cpu_seconds(), memory_mib()))
            with clock.paused():
                children = _descendants()
                found.peak_child_mib = max([found.peak_child_mib, *(peak_memory_mib(pid) for pid in children)])
                together = proportional_memory_mib([os.getpid(), *children])
                found.peak_together_mib = max(found.peak_together_mib, together)
            say(f"ingest: {done:,} of {size:,}")
        found.seconds_reading, found.transactions, found.calls = clock.seconds(), transactions.seconds, calls.count
    found.cpu_parsing = cpu_of_ended_children() - ended - found.cpu_starting
    made.store.fold_view_counts()
    made.store.checkpoint()
    made.store.close()
    say("")
    found.peak_mib = peak_memory_mib()
    if profiler is not None:
        found.profile = profile_summary(profiler, profile)
    return found


def warm_up(parser: MailParserPool) -> None:
    """Begin every child: a worker keeps its own for days, and no peer's start counts either."""
    with ThreadPoolExecutor(parser.size) as threads:
        for _mail in threads.map(parser.parse, [b"Subject: warm\r\n\r\nup\r\n"] * parser.size):
            pass


class Transactions:
    """How long each transaction of a store holds what it writes, from now on: until others get their turn."""

    def __init__(self, store: SqlStore) -> None:
        self.seconds: list[float] = []
        plain = store.transaction

        @contextmanager
        def timed() -> Iterator[WriteTransaction]:
            start = time.perf_counter()
            try:
                with plain() as tx:
                    start = time.perf_counter()
                    yield tx
            finally:
                self.seconds.append(time.perf_counter() - start)

        store.transaction = timed  # type: ignore[method-assign]


class Calls:
    """How often this process turns to its databases from now on: statements on SQLite, round trips on PostgreSQL."""

    def __init__(self) -> None:
        self.count = 0
        for name in ("execute", "change", "change_many", "change_each", "run_in_a_row"):
            setattr(Connection, name, self._counted(getattr(Connection, name)))

    def _counted(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The method; where it leaves its work to others of them, those count."""

        def counted(*given: Any) -> Any:
            before = self.count
            answer = plain(*given)
            self.count += self.count == before
            return answer

        return counted


def _measured(url: str, size: int, mails: MailPack | None, profile: int = 0) -> Run:
    pack = str(mails.file) if mails else ""
    result = subprocess.run(
        [sys.executable, "-m", "tests.bench.ingest", url, str(size), pack, str(profile)],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=_PROJECT,
    )  # fmt: skip
    if result.returncode:
        raise BenchFailed(f"the ingesting process ended with {result.returncode}")
    return Run(**json.loads(result.stdout.splitlines()[-1]))


def _rate(found: Run, start: float, end: float) -> float:
    """Mails a processor second, both stages together, between two shares of all mails."""
    seconds = 0.0
    for marks in (found.fetched, found.processed):
        seconds += _at(marks, end * found.mails, 1) - _at(marks, start * found.mails, 1)
    return (end - start) * found.mails / seconds if seconds else 0.0


def _memory_at(found: Run, share: float) -> float:
    return _at(found.processed, share * found.mails, 2)


def _at(marks: Sequence[Sequence[float]], mails: float, column: int) -> float:
    """What a mark's column said when so many mails were done, between two marks in proportion."""
    before: Sequence[float] = (0, 0.0, marks[0][2])
    for mark in marks:
        if mark[0] >= mails:
            share = (mails - before[0]) / (mark[0] - before[0])
            return before[column] + share * (mark[column] - before[column])
        before = mark
    return before[column]


def _descendants(pid: int | str = "self") -> list[int]:
    """The parsing children and their forks."""
    task = Path(f"/proc/{pid}/task")
    listed = [file.read_text().split() for file in task.glob("*/children")] if task.exists() else []
    children = [int(child) for pids in listed for child in pids]
    return children + [below for child in children for below in _descendants(child)]


def main(arguments: Sequence[str]) -> int:
    url, size, mails, profile = arguments
    sys.stdout.write(json.dumps(asdict(ingest(url, int(size), mails, int(profile)))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
