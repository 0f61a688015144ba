"""Part `crowd`: many who write at once, and agents who write while the worker takes in mail at full speed.

B03 of reliability.md: 64 processes, each with its own connection, change the same few tickets through the desk's real
use case; a lost update would leave a counter behind the log. B02: 32 agents write once in two seconds each, while the
intake brings a full mailbox to tickets; what is measured is how long an agent waits. `--size` is the writes of each
process; eight times as many mails are taken in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from supportdesk.bootstrap import open_parser
from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import TicketId
from tests.bench.desks import BenchDesk, open_bench_desk, scratch_desk
from tests.bench.given import GENERATED
from tests.bench.ingest import NEXT, Calls, PackedSource, Transactions
from tests.bench.measure import Options, Stopwatch, median_ms, percentile, say
from tests.bench.report import BenchFailed, Part, Row

SIZE: Final = 500
WRITERS: Final = 64
CONTESTED: Final = 4  # tickets that all writers change
AGENTS: Final = 32
PAUSE: Final = 2.0  # seconds between two writes of an agent
MAILS_A_WRITE: Final = 8
_PROJECT: Final = Path(__file__).resolve().parents[2]


def run(options: Options) -> Part:
    size = options.sized(SIZE)
    with scratch_desk(options.database) as made:
        kind = "PostgreSQL" if made.store.address.is_postgres else "SQLite"
        made.grow_to(200)
        rows = [*_contested_writes(made, size), *_writes_beside_the_intake(made, size * MAILS_A_WRITE)]
        why = _why({row.measure: row.ours for row in rows}, kind)
    given = (
        f"{WRITERS} processes × {size:,} notes on {CONTESTED} tickets; {AGENTS} agents beside the intake of"
        f" {size * MAILS_A_WRITE:,} mails of {GENERATED}, {kind}"
    )
    return Part("crowd", given, tuple(rows), why=why)


def _why(found: dict[str, float], kind: str) -> dict[str, str]:
    """From this run's own figures: what the intake does for a mail, and whom an agent waits for."""
    cores, called = len(os.sched_getaffinity(0)), "statements" if kind == "SQLite" else "round trips"
    waits = (
        f"an agent waits for the transaction before its own, of {found['mails in a transaction of it']:.1f} mails, and"
        f" for one of {cores} cores, which the intake, its children and {AGENTS} agents share. Next: the same with more"
        " cores, then look at the longest transaction of the intake."
    )
    return {
        "mail taken in beside the agents": (
            f"{found['calls to the database a mail of it']:.0f} {called} a mail, in transactions of"
            f" {found['mails in a transaction of it']:.1f} mails, which end early as agents want to write; the parsing"
            f" children and {AGENTS} agents share the same {cores} cores. Next: {NEXT[kind]}"
        ),
        "an agent's write, p99": waits,
        "an agent's write, the longest": waits,
    }


# ---- B03: all on the same tickets ------------------------------------------------------------------------------------


def _contested_writes(made: BenchDesk, size: int) -> list[Row]:
    tickets = [TicketId(number) for number in range(1, CONTESTED + 1)]
    before = {ticket: made.store.read.ticket(ticket) for ticket in tickets}
    say(f"crowd: {WRITERS} processes write {size} times each")
    found = _in_processes("writers", made.url, size)
    written = sum(len(one["seconds"]) for one in found)
    errors = [error for one in found for error in one["errors"]]
    lost = 0
    for ticket in tickets:
        after, was = made.store.read.ticket(ticket), before[ticket]
        with made.store.connection() as connection:
            notes = connection.execute(
                "SELECT count(*), count(DISTINCT seq), max(seq) FROM message WHERE ticket_id = ? AND kind = 'note'",
                (ticket,),
            )[0]
            logged = connection.execute("SELECT count(*) FROM event WHERE ticket_id = ? AND kind = 'note'", (ticket,))[
                0
            ][0]
        if not (notes[0] == notes[1] == logged == after.version - was.version == after.seq - was.seq):
            raise BenchFailed(f"#{ticket}: {notes} notes, {logged} events, version {was.version} → {after.version}")
        if notes[2] != after.seq:
            raise BenchFailed(f"#{ticket}: the newest note is number {notes[2]}, the ticket says {after.seq}")
        lost -= logged
    lost += written
    if lost or errors or written != WRITERS * size:
        raise BenchFailed(f"{lost} writes lost, {len(errors)} errors: {errors[:3]}")
    waits = [seconds for one in found for seconds in one["seconds"]]
    return [
        Row(f"{WRITERS} processes at once: writes", written / max(one["whole"] for one in found), "writes/s"),
        Row("the same: lost", lost, "writes", "", None, "≤ 0"),
        Row("the same: errors", len(errors), "writes", "", None, "≤ 0"),
        Row("the same: one write, p99", percentile(waits, 0.99) * 1000, "ms"),
    ]


def _write_notes(made: BenchDesk, number: int, size: int) -> dict[str, Any]:
    actor = made.agents[number % len(made.agents)].actor()

    def write(turn: int) -> None:
        made.desk.add_note(actor, TicketId(1 + (number + turn) % CONTESTED), f"note {turn} of {number}")

    return _timed(write, range(size))


# ---- B02: agents beside the intake -----------------------------------------------------------------------------------


def _writes_beside_the_intake(made: BenchDesk, mails: int) -> list[Row]:
    agent = made.agents[0].actor()
    alone = median_ms(lambda: made.desk.add_note(agent, TicketId(1), "nobody else writes"), 20)
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        clock = Stopwatch()
        source = PackedSource(Path(directory), mails, clock.paused)
        Fetcher(made.store.ledger, made.mailbox).run_pass(source)
        say(f"crowd: {AGENTS} agents beside the intake of {mails:,} mails")
        found = _in_processes("beside", made.url, mails, directory)
    intake, *agents = found
    errors = [error for one in found for error in one["errors"]]
    waits = [seconds for one in agents for seconds in one["seconds"]]
    with made.store.connection() as connection:
        left = connection.execute("SELECT count(*) FROM delivery WHERE outcome = ''")[0][0]
        logged = connection.execute("SELECT count(*) FROM event WHERE kind = 'note' AND ticket_id > ?", (CONTESTED,))
    lost = len(waits) - logged[0][0]
    if left or lost or errors:
        raise BenchFailed(f"{left} mails left, {lost} writes lost, {len(errors)} errors: {errors[:3]}")
    return [
        Row("mail taken in beside the agents", mails / intake["whole"], "mails/s", "", None, "≥ 100/s"),
        Row("mails in a transaction of it", mails / intake["transactions"], "mails"),
        Row("calls to the database a mail of it", intake["calls"] / mails, "calls"),
        Row("agents' writes meanwhile", len(waits), "writes"),
        Row("an agent's write, p50", percentile(waits, 0.5) * 1000, "ms", "alone", alone),
        Row("an agent's write, p99", percentile(waits, 0.99) * 1000, "ms", limit=100),
        Row("an agent's write, the longest", max(waits) * 1000, "ms", limit=500),
        Row("errors and lost writes", len(errors) + lost, "writes", "", None, "≤ 0"),
    ]


def _take_mail_in(made: BenchDesk, mails: int, done: Path) -> dict[str, Any]:
    transactions, calls = Transactions(made.store), Calls()

    def work(_turn: int) -> None:
        taken = 0
        with open_parser() as parser:
            intake = Intake(made.desk, parser)
            while taken < mails and (some := intake.process()):
                taken += some

    try:
        found = _timed(work, range(1))
        return {**found, "transactions": max(1, len(transactions.seconds)), "calls": calls.count}
    finally:
        done.touch()


def _write_now_and_then(made: BenchDesk, number: int, done: Path) -> dict[str, Any]:
    """One write in two seconds until the intake is through; two at least, so that something was measured."""
    actor = made.agents[number % len(made.agents)].actor()
    time.sleep(PAUSE * number / AGENTS)

    def turns() -> Any:
        turn = 0
        while turn < 2 or not done.exists():
            yield turn
            turn += 1
            if not done.exists():
                time.sleep(PAUSE)

    def write(turn: int) -> None:
        ticket = TicketId(CONTESTED + 1 + (number * 7 + turn) % 100)
        made.desk.add_note(actor, ticket, f"note {turn} of agent {number}")

    return _timed(write, turns())


# ---- processes -------------------------------------------------------------------------------------------------------


def _timed(write: Callable[[int], None], turns: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"seconds": [], "errors": [], "whole": 0.0}
    began = time.perf_counter()
    for turn in turns:
        start = time.perf_counter()
        try:
            write(turn)
        except Exception as error:  # noqa: BLE001 - whatever a writer is told is what is counted
            found["errors"].append(repr(error))
            continue
        found["seconds"].append(time.perf_counter() - start)
    found["whole"] = time.perf_counter() - began
    return found


def _in_processes(mode: str, url: str, size: int, directory: str = "") -> list[dict[str, Any]]:
    """Run the crowd in a process without threads, which forks it; what each of them found, in order."""
    result = subprocess.run(
        [sys.executable, "-m", "tests.bench.crowd", mode, url, str(size), directory],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=_PROJECT,
    )  # fmt: skip
    if result.returncode:
        raise BenchFailed(f"the crowd ended with {result.returncode}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def _fork_all(works: Sequence[Callable[[BenchDesk], dict[str, Any]]], url: str) -> list[dict[str, Any]]:
    """Each work in a fork with a connection of its own, begun when all of them stand ready."""
    open_bench_desk(url).store.close()  # what is imported before the fork is imported once
    gate, opens = os.pipe()
    children: list[tuple[int, int]] = []
    for work in works:
        answers, answer = os.pipe()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.close(opens)
                made = open_bench_desk(url)
                os.read(gate, 1)
                os.write(answer, json.dumps(work(made)).encode())
                made.store.close()
                status = 0
            finally:
                os._exit(status)
        os.close(answer)
        children.append((child, answers))
    os.close(gate)
    os.close(opens)
    found = []
    for _child, answers in children:
        with os.fdopen(answers, "rb") as pipe:
            found.append(pipe.read())
    failed = [child for child, _ in children if os.waitpid(child, 0)[1]]
    if failed:
        raise BenchFailed(f"{len(failed)} processes of the crowd died")
    return [json.loads(one) for one in found]


def main(arguments: Sequence[str]) -> int:
    mode, url, size, directory = arguments[0], arguments[1], int(arguments[2]), arguments[3]
    works: list[Callable[[BenchDesk], dict[str, Any]]]
    if mode == "writers":
        works = [lambda made, number=number: _write_notes(made, number, size) for number in range(WRITERS)]  # type: ignore[misc]
    else:
        done = Path(directory, "done")
        works = [lambda made: _take_mail_in(made, size, done)]
        works += [lambda made, number=number: _write_now_and_then(made, number, done) for number in range(AGENTS)]  # type: ignore[misc]
    for one in _fork_all(works, url):
        sys.stdout.write(json.dumps(one) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
