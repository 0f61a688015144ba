"""A desk of its own on each kind of database, for the parts that must come to the same on both."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from supportdesk.store import create_or_upgrade
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish
from tests.support.postgres import missing_for_postgres, running_postgres

SQLITE: Final = "sqlite"
POSTGRES: Final = "postgres"


def on_each_kind(work: Callable[[House], dict[str, Any]]) -> dict[str, Any]:
    """What `work` found on SQLite and on PostgreSQL, by kind; what was wrong on any is named in `wrong`."""
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="supportdesk-faults-"))
        urls = {SQLITE: f"sqlite:///{Path(directory, 'desk.db')}"}
        if reason := missing_for_postgres():
            found[POSTGRES] = {"skipped": reason, "wrong": []}
        else:
            urls[POSTGRES] = stack.enter_context(running_postgres()).create_database()
        for kind, url in urls.items():
            create_or_upgrade(url)
            house = furnish(url, FakeClock())
            try:
                found[kind] = work(house)
            finally:
                house.store.close()
    return {**found, "wrong": [f"{kind}: {line}" for kind, one in found.items() for line in one["wrong"]]}
