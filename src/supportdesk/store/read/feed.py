"""The event log as a feed, and the wait for somebody else's commit that wakes its readers.

Committed order is not the order of `seq` on Postgres: the feed goes by (transaction, seq) and stays below the oldest
transaction that still runs, so that nothing which commits later can be skipped. On SQLite the two orders are one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

from supportdesk.desk.model import ActionId, EventRow, TicketId
from supportdesk.errors import StoreFailed
from supportdesk.l10n.catalog import _
from supportdesk.store.address import Address
from supportdesk.store.columns import table
from supportdesk.store.connect import LISTEN_CHANNEL, Connection, close_connection, connect
from supportdesk.store.hydrate import event_from
from supportdesk.store.statements import decode_rows, select_rows
from supportdesk.store.write.changes import from_detail

Row = Mapping[str, Any]

POLL_SECONDS: Final = 0.15
FINISHED: Final = "txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

_COLUMNS = ", ".join(f'"{column}"' for column in table("event").kinds)


def read_events(connection: Connection, *, after: int, ticket_id: TicketId | None, limit: int) -> list[EventRow]:
    if ticket_id is not None:
        sql, params = "ticket_id = ? AND seq > ? ORDER BY seq", [ticket_id, after]
    elif connection.is_postgres:
        sql = (
            f"(txid, seq) > (coalesce((SELECT txid FROM event WHERE seq = ?), 0), ?) AND {FINISHED} ORDER BY txid, seq"
        )
        params = [after, after]
    else:
        sql, params = "seq > ? ORDER BY seq", [after]
    rows = connection.execute(f"SELECT {_COLUMNS} FROM event WHERE {sql} LIMIT ?", [*params, limit])
    return [event_from(row) for row in decode_rows(table("event"), rows)]


def feed_position(connection: Connection) -> int:
    """The last event that the feed has reached; 0 for none."""
    if connection.is_postgres:
        found = connection.execute(f"SELECT seq FROM event WHERE {FINISHED} ORDER BY txid DESC, seq DESC LIMIT 1")
    else:
        found = connection.execute("SELECT coalesce(max(seq), 0) FROM event")
    return int(found[0][0]) if found else 0


def read_details(connection: Connection, action_id: ActionId) -> list[tuple[EventRow, Row]]:
    events = select_rows(connection, "event", {"action_id": action_id}, order="seq")
    details = {
        row["event_seq"]: row["body"]
        for row in select_rows(connection, "event_detail", {"event_seq": [event["seq"] for event in events]})
    }
    return [(event_from(event), from_detail(details.get(event["seq"], {}))) for event in events]


class Watcher:
    """Waits for commits on a connection of its own. One waiter at a time; `close` wakes it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None
        self._version = 0
        self._lost = False
        self._turn = threading.Lock()
        self._closing = threading.Event()

    def wait(self, timeout: float) -> bool:
        """True as soon as a commit came since the last call, False after `timeout` seconds or when closed.

        Raises StoreError when the connection is lost; the next call connects anew, and is True once it has: what was
        committed meanwhile nobody announced.
        """
        deadline = time.monotonic() + timeout
        with self._turn:
            if self._closing.is_set():
                return False
            if self._connection is None:
                self._open()
                if self._lost:
                    self._lost = False
                    return True
            while True:
                left = max(0.0, deadline - time.monotonic())
                if self._changed(min(left, 1.0)):
                    return True
                if left == 0 or self._closing.is_set():
                    return False
                if not self._address.is_postgres:
                    self._closing.wait(min(left, POLL_SECONDS))

    def close(self) -> None:
        self._closing.set()
        with self._turn:
            if self._connection is not None:
                close_connection(self._connection, self._address)
                self._connection = None

    def _open(self) -> None:
        self._connection = connect(self._address)
        if self._address.is_postgres:
            self._connection.execute(f"LISTEN {LISTEN_CHANNEL}")
        else:
            self._version = self._data_version()

    def _changed(self, seconds: float) -> bool:
        assert self._connection is not None
        if not self._address.is_postgres:
            before, self._version = self._version, self._data_version()
            return self._version != before
        driver = self._connection.driver
        try:
            return any(True for _ in self._connection.raw.notifies(timeout=seconds, stop_after=1))
        except driver.Error as error:
            self._connection.close()
            self._connection, self._lost = None, True
            raise StoreFailed(_("the connection to the database is lost: {reason}").format(reason=error)) from error

    def _data_version(self) -> int:
        assert self._connection is not None
        return int(self._connection.execute("PRAGMA data_version")[0][0])
