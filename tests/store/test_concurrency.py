"""Many processes write at once: nothing is lost, nobody starves, and a killed one leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.query import read_query
from supportdesk.errors import StoreError
from supportdesk.store.lock import Turnstile
from tests.store.agents import write_all_at_once, wrong_with
from tests.store.desk import action, add_ticket, apply, set_ticket
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk

AGENTS, WRITES, POSTGRES_WRITES = 64, 50, 25  # `./desk bench crowd`: 500
ROOT = Path(__file__).resolve().parents[2]

HOLDER = """
import sys, time
from tests.store.desk import action, set_ticket
from supportdesk.desk.model import MAIL
from supportdesk.store import open_store

store = open_store(sys.argv[1])
with store.transaction() as tx:
    tx.apply(set_ticket(int(sys.argv[2]), "never", {}, {"priority": "urgent"}), MAIL, action())
    tx.index_message(1, "mai visto")
    print("inside", flush=True)
    time.sleep(600)
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_no_write_of_sixty_four_agents_at_once_is_lost(store: SqlStore, desk: SmallDesk) -> None:
    """B03: each writes through the use case that the console calls; the notes of a ticket are numbered by it."""
    before, writes = [store.read.ticket(desk.tickets[0])], POSTGRES_WRITES if store.address.is_postgres else WRITES
    assert not write_all_at_once(store.address.url, AGENTS, writes=writes, tickets=desk.tickets[:1])
    assert not wrong_with(store, before, notes=AGENTS * writes, bulks=0)


def test_a_process_killed_inside_its_transaction_leaves_nothing_and_no_lock(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]
    holder = python(HOLDER, store.address.url, ticket)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "inside\n"
    holder.send_signal(signal.SIGKILL)
    holder.wait(10)
    holder.stdout.close()
    apply(store, set_ticket(desk.tickets[1], "next", {}, {"priority": "low"}))
    assert store.read.ticket(ticket).priority == "normal"
    assert "never" not in [event.kind for event in store.read.events()]
    assert store.read.search(read_query("mai visto"), agent_id=None, now=store.clock.now()) == []
    if not store.address.is_postgres:
        with store.connection() as connection:
            assert connection.execute("PRAGMA integrity_check") == [("ok",)]


def test_readers_go_on_while_a_writer_holds_the_lock(store: SqlStore, desk: SmallDesk) -> None:
    with store.transaction() as tx:
        tx.apply(set_ticket(desk.tickets[0], "slow", {}, {"priority": "urgent"}), desk.anna, action())
        assert store.read.ticket(desk.tickets[0]).priority == "normal"
        assert len(store.read.queue_ids("needs_reply", agent_id=None, now=store.clock.now())) == 5


def test_a_reader_that_keeps_its_snapshot_stops_nobody_and_the_log_shrinks_after_it(
    store: SqlStore, desk: SmallDesk
) -> None:
    """B06: what a forgotten reader costs is the length of the write-ahead log, and only as long as it reads."""
    ticket, before = desk.tickets[0], store.read.ticket(desk.tickets[0])
    with store.connection() as reader, reader.snapshot():
        version = reader.execute("SELECT version FROM ticket WHERE id = ?", (ticket,))
        for turn in range(60):
            priority = ("low", "normal")[turn % 2]
            apply(store, set_ticket(ticket, f"turn {turn}", {}, {"priority": priority}))
        assert reader.execute("SELECT version FROM ticket WHERE id = ?", (ticket,)) == version
        assert store.read.ticket(ticket).version == before.version + 60
        if not store.address.is_postgres:
            log = store.address.file.with_name(store.address.file.name + "-wal")
            assert not store.checkpoint(), "the reader still needs the log"
            kept = log.stat().st_size
            assert kept > 0
    if not store.address.is_postgres:
        assert store.checkpoint()
        assert log.stat().st_size == 0


def test_a_stuck_holder_is_an_error_in_time_and_its_place_is_given_back(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "desk.db", wait_seconds=0.05)
    with turnstile.held(), pytest.raises(StoreError, match="locked by another process"), turnstile.held():
        pass
    with turnstile.held(5):
        assert (tmp_path / "desk.db-lock").stat().st_mode & 0o777 == 0o660


def test_the_holder_sees_that_somebody_waits(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "desk.db")
    program = """
        import sys
        from pathlib import Path
        from supportdesk.store.lock import Turnstile
        print("x", flush=True)
        with Turnstile(Path(sys.argv[1])).held():
            pass
    """
    with turnstile.held():
        assert not turnstile.is_awaited()
        other = python(program, tmp_path / "desk.db")
        wait_until(turnstile.is_awaited, seconds=30, what="the other one stands in the queue")
    other.communicate(timeout=30)
    assert other.returncode == 0
    with turnstile.held():
        assert not turnstile.is_awaited()


def test_who_was_waiting_goes_before_a_writer_that_comes_back_at_once(tmp_path: Path) -> None:
    bulk = """
        import sys, time
        from pathlib import Path
        from supportdesk.store.lock import Turnstile
        turnstile = Turnstile(Path(sys.argv[1]))
        while not Path(sys.argv[2]).exists():
            with turnstile.held():
                time.sleep(0.005)
                print("x", flush=True)
    """
    stop = tmp_path / "stop"
    writer = python(bulk, tmp_path / "desk.db", stop)
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        turnstile = Turnstile(tmp_path / "desk.db")
        turns = 0
        until = time.monotonic() + 30
        while turns < 50 and time.monotonic() < until:
            with turnstile.held():
                turns += 1
    finally:
        stop.touch()
        rest = writer.communicate(timeout=30)[0]
    assert turns == 50
    assert len(rest.splitlines()) < 50 * 20, "the bulk writer did not take many turns for each of ours"


def test_a_waiter_wakes_when_somebody_else_commits(store: SqlStore, desk: SmallDesk) -> None:
    assert store.read.wait_for_change(0.0) is False
    code = """
        import sys
        from supportdesk.store import open_store
        from tests.store.desk import add_ticket
        store = open_store(sys.argv[1])
        add_ticket(store, "from another process")
        store.close()
    """
    other = python(code, store.address.url)
    wait_until(lambda: store.read.wait_for_change(1.0), seconds=30, what="a commit of another process")
    other.communicate(timeout=30)
    assert other.returncode == 0


def test_the_feed_shows_each_event_once_and_skips_none_that_commits_late(store: SqlStore, desk: SmallDesk) -> None:
    start = store.read.feed_position()
    assert start == store.read.events()[-1].seq
    if store.address.is_postgres:
        with store.transaction() as slow:
            slow.apply(set_ticket(desk.tickets[0], "slow", {}, {"priority": "low"}), desk.anna, action())
            add_ticket(store, "fast")
            assert [event.kind for event in store.read.events(after=start)] == [], "held back behind the older one"
    else:
        apply(store, set_ticket(desk.tickets[0], "slow", {}, {"priority": "low"}), desk.anna)
        add_ticket(store, "fast")
    first = store.read.events(after=start, limit=1)
    rest = store.read.events(after=first[-1].seq)
    assert sorted(event.kind for event in first + rest) == ["created", "slow"]
    assert store.read.events(after=rest[-1].seq) == []
    assert store.read.feed_position() == rest[-1].seq
