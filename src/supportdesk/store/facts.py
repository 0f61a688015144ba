"""What the database and its driver are, for `doctor`: read, judged nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supportdesk.store.address import NETWORK_FILE_SYSTEMS, Address, file_system, parse_url
from supportdesk.store.connect import Connection, close_connection, connect
from supportdesk.store.counts import miscounted_views
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, revision
from supportdesk.store.schema_extras import search_is_sound


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """One database as it was found. `file` is None on Postgres; `problems` are the words of its own integrity check."""

    kind: str  # sqlite | postgres
    shown: str  # without a password
    version: str
    driver: str
    file: Path | None
    file_system: str
    is_on_network: bool  # as the user has forced it
    revision: str
    known_revision: str
    problems: tuple[str, ...]
    read_whole: bool  # or a big file's pages were not looked at
    search_is_sound: bool
    miscounted_views: tuple[str, ...]  # views whose counters are wrong: `SqlStore.recount_views` mends them


QUICKLY_READ: Final = 256 * 1024 * 1024
"""A file up to this size is read whole in a moment."""


def read_facts(url: str, *, deep: bool = True) -> DatabaseFacts:
    """Open the database and ask it. Unless `deep`, a big file is not read from end to end. Raises StoreError."""
    address = parse_url(url)
    kind = file_system(address.path) if address.path is not None else ""
    deep = deep or address.path is None or (address.path.exists() and address.path.stat().st_size <= QUICKLY_READ)
    connection = connect(address)
    try:
        found = revision(connection)
        problems: tuple[str, ...] = ()
        if address.is_postgres:
            version = str(connection.execute("SHOW server_version")[0][0])
            connection.rollback()
        else:
            version = str(connection.execute("SELECT sqlite_version()")[0][0])
            rows = connection.execute("PRAGMA quick_check(5)") if deep else []
            problems = tuple(str(row[0]) for row in rows if row[0] != "ok")
        return DatabaseFacts(
            kind="postgres" if address.is_postgres else "sqlite",
            shown=address.shown,
            version=version,
            driver=connection.driver.__name__.partition(".")[0],
            file=address.path,
            file_system=kind,
            is_on_network=kind in NETWORK_FILE_SYSTEMS,
            revision=found,
            known_revision=HEAD,
            problems=problems,
            read_whole=deep,
            search_is_sound=not found or not deep or _search_is_sound(connection, address),
            miscounted_views=miscounted_views(connection) if found == HEAD else (),
        )
    finally:
        close_connection(connection, address)


def _search_is_sound(connection: Connection, address: Address) -> bool:
    """FTS5 checks itself by an INSERT: on SQLite that stands in the writers' queue."""
    if address.is_postgres:
        return search_is_sound(connection)
    with Turnstile(address.file).held():
        return search_is_sound(connection)
