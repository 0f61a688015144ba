"""A Postgres that restarts is told once and then forgotten: readers, writers and listeners go on by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.errors import StoreError, StoreFailed
from supportdesk.store import SqlStore, create_or_upgrade, open_store
from tests.store.desk import add_ticket
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def on_postgres(postgres_server: PostgresServer) -> Iterator[SqlStore]:
    url = postgres_server.create_database()
    create_or_upgrade(url)
    store = open_store(url)
    yield store
    store.close()
    postgres_server.drop_database(url)


def end_sessions(store: SqlStore) -> None:
    """The server ends every other session of this database, as at a restart."""
    other = open_store(store.address.url)
    with other.connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    other.close()


def test_a_listener_says_that_it_lost_its_connection_and_then_that_something_may_have_come(
    on_postgres: SqlStore,
) -> None:
    assert on_postgres.read.wait_for_change(0.0) is False
    end_sessions(on_postgres)
    with pytest.raises(StoreFailed, match="connection to the database is lost"):
        on_postgres.read.wait_for_change(5.0)
    elsewhere = open_store(on_postgres.address.url)
    add_ticket(elsewhere, "while nobody listened")
    assert on_postgres.read.wait_for_change(5.0), "what came meanwhile is not waited for"
    assert on_postgres.read.wait_for_change(0.0) is False
    add_ticket(elsewhere, "after that")
    assert on_postgres.read.wait_for_change(5.0)
    elsewhere.close()


def test_idle_connections_that_the_server_has_ended_are_replaced_before_anybody_uses_them(
    on_postgres: SqlStore,
) -> None:
    ticket = add_ticket(on_postgres, "before")
    end_sessions(on_postgres)
    assert on_postgres.read.ticket(ticket).subject == "before"
    end_sessions(on_postgres)
    assert add_ticket(on_postgres, "after") > ticket


def test_after_an_immediate_restart_everything_goes_on(on_postgres: SqlStore, postgres_server: PostgresServer) -> None:
    ticket = add_ticket(on_postgres, "before")
    assert on_postgres.read.wait_for_change(0.0) is False
    postgres_server.restart_immediately()
    assert on_postgres.read.ticket(ticket).subject == "before"
    assert add_ticket(on_postgres, "after") > ticket
    with pytest.raises(StoreError):
        on_postgres.read.wait_for_change(5.0)

    def listens() -> bool:
        add_ticket(on_postgres, "heard")
        return on_postgres.read.wait_for_change(1.0)

    wait_until(listens, seconds=30, what="news after the restart")
