"""What the store measures of itself and of its machine, in fixed units; None where this kind of database has none."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import TYPE_CHECKING

from supportdesk.store.lock import WAITS

if TYPE_CHECKING:
    from supportdesk.store.address import Address
    from supportdesk.store.connect import Connection


def read_gauges(connection: Connection, address: Address, now: datetime) -> dict[str, float | None]:
    """`wal_bytes`, `disk_free_bytes`, `lock_wait_p99_ms` of this process, and `clock_skew_seconds`.

    The skew is how far this machine is behind (positive) the clock of Postgres, or behind the newest event of the log.
    """
    wal = free = None
    if address.path is not None:
        log = address.path.with_name(address.path.name + "-wal")
        wal = float(log.stat().st_size) if log.exists() else 0.0
        free = float(shutil.disk_usage(address.path.parent).free)
    return {
        "wal_bytes": wal,
        "disk_free_bytes": free,
        "clock_skew_seconds": round(_skew(connection, now), 3),
        "lock_wait_p99_ms": p99_ms(sorted(WAITS)),
    }


def p99_ms(seconds: list[float]) -> float | None:
    """The 99th percentile of ascending seconds, in milliseconds; None of none."""
    return round(seconds[int(len(seconds) * 0.99)] * 1000, 3) if seconds else None


def _skew(connection: Connection, now: datetime) -> float:
    from supportdesk.store.values import to_time

    if connection.is_postgres:
        there = to_time(connection.execute("SELECT clock_timestamp()")[0][0])
        return (there - now).total_seconds() if there is not None else 0.0
    newest = connection.execute("SELECT at FROM event ORDER BY seq DESC LIMIT 1")
    at = to_time(newest[0][0]) if newest else None
    return max(0.0, (at - now).total_seconds()) if at is not None else 0.0
