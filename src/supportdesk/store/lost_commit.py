"""What became of a COMMIT whose answer was lost: Postgres is asked, so that the caller learns it instead of guessing.

A transaction notes its id just before the commit. Afterwards `pg_xact_status` tells whether that id committed. A server
that crashed may give the id of a transaction that it lost to another one: then only an event of ours that carries the
id is believed (reliability.md R5).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from supportdesk.errors import StoreError
from supportdesk.store.connect import LISTEN_CHANNEL, Connection
from supportdesk.store.statements import marks

SECONDS: Final = 30.0  # for a server that starts again
PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class CommitMark:
    """By what a transaction can be asked after: its id, the server's start, the actions whose events it wrote."""

    xid: str
    server_started: datetime
    actions: tuple[str, ...]


def mark_commit(connection: Connection, actions: Sequence[str], *, notify: bool) -> CommitMark | None:
    """The last statement before a commit on Postgres, which also wakes the listeners; None if nothing was written."""
    if notify:
        sql = f"SELECT pg_current_xact_id()::text, pg_postmaster_start_time(), pg_notify('{LISTEN_CHANNEL}', '')"
    else:
        sql = "SELECT pg_current_xact_id_if_assigned()::text, pg_postmaster_start_time()"
    xid, started = connection.execute(sql)[0][:2]
    return CommitMark(xid, started, tuple(dict.fromkeys(actions))) if xid is not None else None


def was_committed(mark: CommitMark, connect: Callable[[], Connection]) -> bool | None:
    """Whether that transaction is in the database; None if nobody could tell in time."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with closing(connect()) as connection:
                while (status := _status(connection, mark)) == "in progress" and time.monotonic() < deadline:
                    time.sleep(PAUSE)  # its server process has not yet noticed that we are gone
                return {"committed": True, "aborted": False}.get(status)
        except StoreError:
            if time.monotonic() >= deadline:
                return None
        time.sleep(PAUSE)


def _status(connection: Connection, mark: CommitMark) -> str:
    started, following = connection.execute(
        "SELECT pg_postmaster_start_time(), pg_snapshot_xmax(pg_current_snapshot())::text"
    )[0]
    # While the server runs on, an id past the snapshot is one that has not ended yet: only after a crash is it lost.
    if started != mark.server_started and int(mark.xid) >= int(following):
        return "aborted"  # the server crashed before anything of it reached the disk
    status = str(connection.execute("SELECT coalesce(pg_xact_status(?::xid8), '')", (mark.xid,))[0][0])
    if status != "committed" or started == mark.server_started:
        return status
    if not mark.actions:
        return ""
    found = connection.execute(
        f"SELECT 1 FROM event WHERE txid = ? AND action_id IN ({marks(mark.actions)}) LIMIT 1",
        (int(mark.xid), *mark.actions),
    )
    return "committed" if found else "aborted"
