"""A private PostgreSQL for the tests: its own data directory, its own port, a fresh database for each test.

The server runs as an unprivileged user (PostgreSQL refuses root) with its default durability; it dies with the session.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.processes import as_user, free_port, user_exists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SUPERUSER = "supportdesk"


class PostgresServer:
    """A running server; every database it makes is dropped with its data directory."""

    def __init__(self, port: int, log: Path, control: list[str]) -> None:
        self.port = port
        self.log = log
        self._control = control
        self._numbers = itertools.count(1)
        self._templates: dict[str, str] = {}

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{quote(database)}"

    def create_database(self, template: str = "template0") -> str:
        """Make a fresh database and return its URL."""
        name = f"test_{next(self._numbers)}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def create_from(self, key: str, fill: Callable[[str], object]) -> str:
        """A fresh copy of a database that `fill(url)` prepared once in this session; returns the copy's URL.

        `fill` must close its connections: a template with a connection cannot be copied.
        """
        if key not in self._templates:
            url = self.create_database()
            fill(url)
            self._templates[key] = url.rpartition("/")[2]
        return self.create_database(self._templates[key])

    def drop_database(self, url: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{url.rpartition("/")[2]}" WITH (FORCE)')

    def restart_immediately(self) -> None:
        """As after a crash: every connection is lost, and the write-ahead log is replayed."""
        run([*self._control, "-m", "immediate", "restart"])

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement.encode())


def missing_for_postgres() -> str:
    """Why the server cannot run here, or an empty string."""
    if _server_programs() is None:
        return "PostgreSQL's server programs are not installed (Debian: postgresql)"
    if find_spec("psycopg") is None:
        return "the extra `postgres` is not installed"
    if os.geteuid() == 0 and not _unprivileged_user():
        return "root may not run PostgreSQL, and there is no unprivileged user here"
    return ""


@contextmanager
def running_postgres(*, connections: int = 100) -> Iterator[PostgresServer]:
    """A server in its own directory with room for so many connections, stopped and removed at the end."""
    programs, user = _server_programs(), _unprivileged_user()
    assert programs is not None
    directory = Path(tempfile.mkdtemp(prefix="supportdesk-postgres-"))
    data, log = directory / "data", directory / "server.log"
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, user)
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", SUPERUSER, "-A", "trust"]
        run(as_user(user, [*initdb, "-E", "UTF8", "--locale=C.UTF-8", "-N"]))
        port = free_port()
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory}"
            f" -c max_connections={connections}"
        )
        control = as_user(user, [str(programs / "pg_ctl"), "-D", str(data), "-w", "-t", "60"])
        start = ["-l", str(log), "-o", options]
        run([*control, *start, "start"])
        try:
            yield PostgresServer(port, log, [*control, *start])
        finally:
            run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL a test process; skips where its server programs or an unprivileged user are missing."""
    if reason := missing_for_postgres():
        pytest.skip(reason)
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a fresh, empty database."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url)


def run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, cwd="/")
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with {result.returncode}:\n{result.stdout}{result.stderr}")


def _unprivileged_user() -> str:
    return next((name for name in ("postgres", "nobody") if user_exists(name)), "")


def _server_programs() -> Path | None:
    """The directory of initdb and pg_ctl: the newest version that Debian keeps, else what is on the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found and shutil.which("pg_ctl") else None
