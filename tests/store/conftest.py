"""What the store's tests share: a store on each kind of database, and a small desk to put into it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from supportdesk.store import SqlStore, create_or_upgrade, open_store
from tests.store.desk import SmallDesk, fill

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.clock import FakeClock
    from tests.support.postgres import PostgresServer


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed SQLite database with the current schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "desk.db"
    create_or_upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def desk_url(store_url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database that has the schema already."""
    if store_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("empty_sqlite"), store_url.removeprefix("sqlite:///"))
        yield store_url
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")

    def make(url: str) -> None:
        create_or_upgrade(url)

    url = server.create_from("schema", make)
    yield url
    server.drop_database(url)


@pytest.fixture
def store(desk_url: str, clock: FakeClock) -> Iterator[SqlStore]:
    store = open_store(desk_url, clock)
    yield store
    store.close()


@pytest.fixture
def desk(store: SqlStore) -> SmallDesk:
    """Two agents, a mailbox, three customers and five tickets."""
    return fill(store)


@pytest.fixture
def other_url(request: pytest.FixtureRequest, store_url: str, tmp_path: Path) -> Callable[[], str]:
    """Makes an empty database of the other kind: Postgres for a SQLite test, SQLite for a Postgres one."""
    if not store_url.startswith("sqlite"):
        return lambda: f"sqlite:///{tmp_path / 'other.db'}"
    return lambda: str(request.getfixturevalue("postgres_server").create_database())
