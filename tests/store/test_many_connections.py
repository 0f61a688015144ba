"""B07: more programs than Postgres has connections: who comes too late is told so, and comes in when one leaves."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from supportdesk.errors import StoreError
from supportdesk.store import create_or_upgrade, open_store
from tests.store.desk import add_ticket, fill

if TYPE_CHECKING:
    from supportdesk.store import SqlStore

pytestmark = pytest.mark.postgres
THREADS = 200


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
