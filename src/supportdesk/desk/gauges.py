"""The gauges of the desk, in fixed units, and its failures: what, since when, when it is tried again, what to do.

`supportdesk status --json` prints both; docs/postgres.md says what each gauge means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row
    from supportdesk.desk.results import DeskStatus, MailboxStatus

LEAST_FREE_BYTES: Final = 512 * 1024 * 1024
MOST_WAL_BYTES: Final = 256 * 1024 * 1024
MOST_SKEW_SECONDS: Final = 120.0
UNLOOKED: Final = timedelta(minutes=30)
UNSEEN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Gauges:
    """Ages in seconds, sizes in bytes, waits in milliseconds; None where there is nothing to measure."""

    oldest_unsent_seconds: float | None
    in_doubt: int
    failed: int
    parked: int
    unprocessed: int
    last_sync_seconds: Mapping[str, float | None]  # by mailbox
    worker_silent_seconds: float | None
    wal_bytes: float | None
    disk_free_bytes: float | None
    clock_skew_seconds: float | None
    lock_wait_p99_ms: float | None  # of the worker
    parse_p99_ms: float | None  # of the worker


@dataclass(frozen=True, slots=True)
class Trouble:
    """One failure for a person: `next_try` is None where nobody tries again by himself."""

    id: str
    what: str
    since: datetime | None
    next_try: datetime | None
    do: str


def read_gauges(desk: Desk, status: DeskStatus) -> Gauges:
    now, machine = desk.clock.now(), desk.store.gauges()
    return Gauges(
        oldest_unsent_seconds=_age(status.oldest_unsent, now),
        in_doubt=status.uncertain,
        failed=status.failed,
        parked=status.parked,
        unprocessed=status.unprocessed,
        last_sync_seconds={one.address: _age(one.last_pass_at, now) for one in status.mailboxes},
        worker_silent_seconds=_age(status.worker_seen_at, now),
        wal_bytes=machine["wal_bytes"],
        disk_free_bytes=machine["disk_free_bytes"],
        clock_skew_seconds=machine["clock_skew_seconds"],
        lock_wait_p99_ms=status.worker.get("lock_wait_p99_ms"),
        parse_p99_ms=status.worker.get("parse_p99_ms"),
    )


def read_troubles(desk: Desk, status: DeskStatus, gauges: Gauges) -> tuple[Trouble, ...]:
    """One for each cause, the most pressing first; none while all is well."""
    now = desk.clock.now()
    states = ["uncertain", "failed", "deferred"]
    rows = desk.read.rows("outbox", {"state": states}, order="id")
    return (
        *_of_the_worker(status), *_of_the_machine(status, gauges), *_of_mailboxes(status, now),
        *_of_replies(desk, rows), *_of_parked_mail(desk, now),
    )  # fmt: skip


def _of_the_worker(status: DeskStatus) -> Iterator[Trouble]:
    if not status.delivering:
        what = _("No process is fetching and delivering mail")
        yield Trouble("worker.absent", what, status.worker_seen_at, None, "supportdesk worker install")


def troubled_since(measured: Mapping[str, Any], before: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Since when each trouble of the machine lasts, by its id, in ISO 8601; `before` is what was said the last time.

    The worker asks at each heartbeat: of a full disk or a wrong clock nothing else keeps the beginning.
    """
    return {name: before.get(name, now.isoformat()) for name, _what, _do in _machine_troubles(measured)}


def _of_the_machine(status: DeskStatus, gauges: Gauges) -> Iterator[Trouble]:
    began = status.worker.get("since", {})
    for name, what, do in _machine_troubles(asdict(gauges)):
        yield Trouble(name, what, datetime.fromisoformat(began[name]) if name in began else None, None, do)


def _machine_troubles(measured: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Id, what it is and what to do, of the gauges by name."""
    free, log, skew = measured["disk_free_bytes"], measured["wal_bytes"], measured["clock_skew_seconds"]
    if free is not None and free < LEAST_FREE_BYTES:
        what = _("only {size} MB are free on the disk of the database").format(size=int(free) >> 20)
        yield "disk.low", what, _("make room: what cannot be stored is not fetched")
    if log is not None and log > MOST_WAL_BYTES:
        what = _("the write-ahead log holds {size} MB").format(size=int(log) >> 20)
        yield "wal.large", what, _("some program reads without end: end it")
    if skew is not None and abs(skew) > MOST_SKEW_SECONDS:
        what = _("the clock of this machine is {seconds} s off").format(seconds=round(skew))
        yield "clock.skew", what, _("set the clock of this machine, or of the one that wrote it")


def _of_mailboxes(status: DeskStatus, now: datetime) -> Iterator[Trouble]:
    for box in status.mailboxes:
        if box.state == "paused":
            what = _("{address} is paused").format(address=box.address)
            yield Trouble("mailbox.paused", what, None, None, f"supportdesk mailbox resume {box.address}")
        elif box.error:
            since = box.error_since or box.last_pass_at
            yield Trouble(
                "mailbox.error", f"{box.address}: {box.error}", since, _next_try(status, box, now),
                f"supportdesk mailbox test {box.address}",
            )  # fmt: skip
        elif status.delivering and box.last_pass_at is not None and now - box.last_pass_at > UNLOOKED:
            what = _("{address} has not been looked at").format(address=box.address)
            yield Trouble("mailbox.stale", what, box.last_pass_at, None, f"supportdesk mailbox test {box.address}")


def _next_try(status: DeskStatus, box: MailboxStatus, now: datetime) -> datetime | None:
    """When the worker wakes up that waits after a failure; None where it is trying, or none is there."""
    said = status.worker.get("next_tries", {}).get(str(box.id)) if status.delivering else None
    at = datetime.fromisoformat(said) if said else None
    return at if at is not None and at > now else None


def _of_parked_mail(desk: Desk, now: datetime) -> Iterator[Trouble]:
    """Machine mail is parked every day; what nobody has looked at for a day may be somebody's (domain.md section 1)."""
    unseen = desk.read.rows("parked", {"looked_at": None, "released_at": None}, order="received_at")
    if old := [row for row in unseen if now - row["received_at"] >= UNSEEN]:
        what = _("parked mails that nobody has looked at for a day: {count}").format(count=len(old))
        yield Trouble("mail.parked", what, old[0]["received_at"], None, "supportdesk mail parked list")


def _of_replies(desk: Desk, rows: Sequence[Row]) -> Iterator[Trouble]:
    by_state: dict[str, list[Row]] = {}
    for row in rows:
        by_state.setdefault(row["state"], []).append(row)
    if doubtful := by_state.get("uncertain"):
        what = ngettext("{count} delivery is in doubt", "{count} deliveries are in doubt", len(doubtful))
        yield _told("outbox.uncertain", what, doubtful, "supportdesk outbox list")
    if refused := by_state.get("failed"):
        what = ngettext("{count} reply was refused", "{count} replies were refused", len(refused))
        yield _told("outbox.failed", what, refused, "supportdesk outbox list")
    waiting: dict[Any, list[Row]] = {}
    for row in by_state.get("deferred", ()):
        waiting.setdefault(row["mailbox_id"], []).append(row)
    for box, some in waiting.items():
        newest = max(some, key=lambda row: row["updated_at"])
        what = ngettext(
            "{address}: {count} reply will be tried again: {reason}",
            "{address}: {count} replies will be tried again: {reason}",
            len(some),
        ).replace("{address}", desk.mailbox(box).address)
        yield _told("outbox.deferred", what.replace("{reason}", newest["error"]), some, "supportdesk outbox list")


def _told(name: str, what: str, rows: Sequence[Row], do: str) -> Trouble:
    since = min(row["first_try_at"] or row["updated_at"] for row in rows)
    tries = [row["next_try"] for row in rows if row["next_try"] is not None]
    return Trouble(name, what.replace("{count}", str(len(rows))), since, min(tries, default=None), do)


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round((now - since).total_seconds(), 3)
