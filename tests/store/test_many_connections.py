"""B07: more programs than Postgres has connections: who comes too late is told so, and comes in when one leaves.

And as many as it has, all at work on the same tickets: nothing is lost, and no two wait for each other.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from supportdesk.errors import StoreError
from supportdesk.store import create_or_upgrade, open_store
from tests.store.agents import write_all_at_once, wrong_with
from tests.store.desk import add_ticket, fill
from tests.support.postgres import missing_for_postgres, running_postgres

if TYPE_CHECKING:
    from supportdesk.store import SqlStore

pytestmark = pytest.mark.postgres
THREADS = CONNECTIONS = 200
AGENTS, WRITES, BULKS = 64, 2, 1


def test_who_finds_every_connection_taken_is_told_what_to_do_and_comes_in_later(postgres_url: str) -> None:
    create_or_upgrade(postgres_url)
    store = open_store(postgres_url)
    with ExitStack() as crowd:
        with suppress(psycopg.OperationalError):  # there is no other end of it
            while True:
                crowd.enter_context(closing(psycopg.connect(postgres_url)))
        with pytest.raises(StoreError, match="no connections left") as refused:
            store.read.rows("agent")
        assert "max_connections" in refused.value.hint
    fill(store)
    assert len(store.read.rows("agent")) == 2
    store.close()


def test_sixty_four_agents_among_two_hundred_connections_lose_nothing_and_meet_in_no_deadlock() -> None:
    """Each agent is a process; they write notes, and change the same tickets at once in whatever order they name."""
    if reason := missing_for_postgres():
        pytest.skip(reason)
    with running_postgres(connections=CONNECTIONS + 20) as server, ExitStack() as crowd:
        url = server.create_database()
        create_or_upgrade(url)
        store = open_store(url)
        crowd.callback(store.close)
        tickets = fill(store).tickets
        before = [store.read.ticket(ticket) for ticket in tickets]
        for _unused in range(CONNECTIONS - AGENTS):
            crowd.enter_context(closing(psycopg.connect(url)))
        assert not write_all_at_once(url, AGENTS, writes=WRITES, bulks=BULKS, tickets=tickets)
        assert not wrong_with(store, before, notes=AGENTS * WRITES, bulks=AGENTS * BULKS)
        with store.connection() as connection:
            happened = connection.execute(
                "SELECT deadlocks, sessions FROM pg_stat_database WHERE datname = current_database()"
            )[0]
        assert happened[0] == 0
        assert happened[1] >= CONNECTIONS, "so many must have been there"


def test_two_hundred_threads_of_one_program_write_through_its_pool(postgres_url: str) -> None:
    create_or_upgrade(postgres_url)
    store = open_store(postgres_url)
    before = len(fill(store).tickets)
    failed = _all_at_once(store)
    assert not failed
    assert len(store.read.rows("ticket")) == before + THREADS
    store.close()


def _all_at_once(store: SqlStore) -> list[str]:
    failed: list[str] = []
    gate = threading.Barrier(THREADS)

    def write(number: int) -> None:
        gate.wait(60)
        try:
            add_ticket(store, f"ticket {number}")
        except StoreError as error:
            failed.append(error.message)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failed
