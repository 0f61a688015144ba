"""The databases that every store test runs on: SQLite, the oldest supported SQLite, PostgreSQL.

`store_url` is a fresh, empty database; `database` is for a test that wants several, or copies of one prepared once.
"sqlite-stdlib" is the SQLite that Python brings along (3.40 on Debian 12): the store takes it where
SUPPORTDESK_SQLITE=stdlib is set, and child processes inherit the choice.
"""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

BACKENDS = ["sqlite", "sqlite-stdlib", "postgres"]


class Database(Protocol):
    """One kind of database."""

    @property
    def kind(self) -> str: ...

    def new(self) -> str:
        """The URL of a fresh, empty database."""
        ...

    def copy_of(self, key: str, fill: Callable[[str], object]) -> str:
        """The URL of a fresh copy of what `fill(url)` prepared once in this session; `fill` closes its connections."""
        ...


class SqliteDatabase:
    """SQLite files in the test's own directory."""

    def __init__(self, kind: str, directory: Path, templates: Path) -> None:
        self.kind = kind
        self._directory = directory
        self._templates = templates
        self._numbers = itertools.count(1)

    def new(self) -> str:
        number = next(self._numbers)
        return f"sqlite:///{self._directory / ('desk.db' if number == 1 else f'desk-{number}.db')}"

    def copy_of(self, key: str, fill: Callable[[str], object]) -> str:
        template = self._templates / f"{self.kind}-{key}.db"
        if not template.exists():
            unfinished = template.with_suffix(".unfinished")
            fill(f"sqlite:///{unfinished}")
            assert not unfinished.with_name(f"{unfinished.name}-wal").exists(), "fill() left a connection open"
            unfinished.rename(template)
        url = self.new()
        shutil.copyfile(template, url.removeprefix("sqlite:///"))
        return url


class PostgresDatabase:
    """Databases on this process's private server, dropped when the test ends."""

    kind = "postgres"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._made: list[str] = []

    def new(self) -> str:
        self._made.append(self._server.create_database())
        return self._made[-1]

    def copy_of(self, key: str, fill: Callable[[str], object]) -> str:
        self._made.append(self._server.create_from(key, fill))
        return self._made[-1]

    def drop_all(self) -> None:
        for url in self._made:
            self._server.drop_database(url)


@pytest.fixture(params=BACKENDS)
def database(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_templates: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A maker of databases: the test runs once on each kind."""
    if request.param == "postgres":
        made = PostgresDatabase(request.getfixturevalue("postgres_server"))
        yield made
        made.drop_all()
        return
    if request.param == "sqlite-stdlib":
        assert sqlite3.sqlite_version_info >= (3, 40), "older than the oldest SQLite that we support"
        monkeypatch.setenv("SUPPORTDESK_SQLITE", "stdlib")
    else:
        monkeypatch.delenv("SUPPORTDESK_SQLITE", raising=False)
    yield SqliteDatabase(request.param, tmp_path, sqlite_templates)


@pytest.fixture
def store_url(database: Database) -> str:
    """The URL of a fresh, empty database: the test runs once on each kind."""
    return database.new()


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this process keeps the prepared SQLite files."""
    return tmp_path_factory.mktemp("templates")
