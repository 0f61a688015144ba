"""The databases that every store test runs on: SQLite, the oldest supported SQLite, PostgreSQL."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer

BACKENDS = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("sqlite-stdlib", id="sqlite-stdlib"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a fresh, empty database: the test runs once on each kind.

    "sqlite-stdlib" is the SQLite that Python brings along (3.40 on Debian 12): the store takes it where
    SUPPORTDESK_SQLITE=stdlib is set, and child processes inherit the choice.
    """
    backend: str = request.param
    if backend == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
        yield url
        server.drop_database(url)
        return
    if backend == "sqlite-stdlib":
        monkeypatch.setenv("SUPPORTDESK_SQLITE", "stdlib")
        assert sqlite3.sqlite_version_info >= (3, 40), "older than the oldest SQLite that we support"
    else:
        monkeypatch.delenv("SUPPORTDESK_SQLITE", raising=False)
    yield f"sqlite:///{tmp_path / 'desk.db'}"
