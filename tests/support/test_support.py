"""The shared fixtures keep their word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.clock import FakeClock
    from tests.support.postgres import PostgresServer


def test_the_clock_moves_only_when_told(clock: FakeClock) -> None:
    before = clock.now(), clock.monotonic()
    assert (clock.now(), clock.monotonic()) == before
    clock.sleep(90)
    assert clock.now() - before[0] == timedelta(seconds=90)
    assert clock.monotonic() - before[1] == 90


@pytest.mark.postgres
def test_a_prepared_database_is_copied_for_each_test(postgres_server: PostgresServer) -> None:
    import psycopg

    filled = []

    def fill(url: str) -> None:
        filled.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE greeting AS SELECT 'ciao' AS word")

    first, second = (postgres_server.create_from("greeting", fill) for _ in range(2))
    assert first != second
    assert len(filled) == 1
    for url in (first, second):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT word FROM greeting").fetchone() == ("ciao",)


def test_a_store_url_names_an_empty_database(store_url: str) -> None:
    assert store_url.startswith(("sqlite:///", "postgresql://"))
