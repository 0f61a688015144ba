"""How the desk is doing, in numbers and in sentences; and who has waited longer than was promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.customers import persons
from supportdesk.desk.fetch_requests import list_junk
from supportdesk.desk.hours import business_days_after
from supportdesk.desk.model import OUTBOX_STATES, MailboxId, TicketId
from supportdesk.desk.results import MOST_UNPROCESSED, DeskStatus, MailboxStatus
from supportdesk.desk.settings import find_hours
from supportdesk.l10n.catalog import _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row

WORKER_LEASE = "worker"
UNSENT = ("held", "sending", "deferred", "uncertain", "failed")
DAY = timedelta(hours=24)
NO_ROOM_BYTES = 512 * 1024
"""Less than a commit may need."""

Hours = dict[tuple[int | None, int | None], Calendar]
"""Opening hours by mailbox and market."""


def unanswered(desk: Desk, older: timedelta | None, *, calendar: bool) -> list[Row]:
    """Rows of the reader's `unanswered`; `older` keeps those beyond it, in open days of their mailbox, or plain hours.

    24 h in open days is the promise: the same clock time on the next open day. Longer spans count days of 24 h so.
    """
    now = desk.clock.now()
    if older is None or calendar or older < DAY:
        return desk.read.unanswered(now=now, older_than=None if older is None else now - older)
    calendars: Hours = {}
    return [row for row in desk.read.unanswered(now=now) if _is_over(desk, row, older, now, calendars)]


@dataclass(frozen=True, slots=True)
class DueTicket:
    """A ticket with a deadline, and which of its targets that is: first_response, next_response, resolution."""

    ticket_id: TicketId
    target: str
    due_at: datetime
    status: str
    mailbox_id: MailboxId | None
    owner: str
    customer: str
    subject: str


def due_tickets(desk: Desk, within: timedelta) -> list[DueTicket]:
    """The deadlines that are over, or will be within that time; the most pressing first."""
    latest = desk.clock.now() + within
    rows = desk.read.rows("ticket", {"merged_into": None, "status": ["new", "open", "pending", "on_hold"]})
    found = sorted((row for row in rows if row["due_at"] is not None and row["due_at"] <= latest), key=_pressing)
    agents = {agent.id: agent.name for agent in desk.agents()}
    people = persons(desk.read, (row["customer_id"] for row in found))
    names = {customer: person.row["name"] for customer, person in people.items()}
    return [
        DueTicket(
            ticket_id=row["id"], target=_target(row), due_at=row["due_at"], status=row["status"],
            mailbox_id=row["mailbox_id"], owner=agents.get(row["assignee_id"], ""),
            customer=names.get(row["customer_id"], ""), subject=row["subject"],
        )
        for row in found
    ]  # fmt: skip


def _pressing(row: Row) -> tuple[datetime, int]:
    return row["due_at"], row["id"]


def _target(row: Row) -> str:
    dues = {"first_response": row["first_due"], "next_response": row["next_due"], "resolution": row["resolution_due"]}
    return next(name for name, due_at in dues.items() if due_at == row["due_at"])


def desk_status(desk: Desk) -> DeskStatus:
    reader, now = desk.read, desk.clock.now()
    lease = next(iter(reader.rows("lease", {"name": WORKER_LEASE}, limit=1)), None)
    delivering = lease is not None and lease["until"] > now
    unsent = reader.rows("outbox", {"state": list(UNSENT)})
    states = Counter(row["state"] for row in unsent)
    counts = reader.counts(agent_id=None, now=now)
    status = DeskStatus(
        delivering=delivering,
        worker_seen_at=lease["heartbeat_at"] if lease else None,
        worker=dict(lease["info"] or {}) if lease else {},
        mailboxes=tuple(_mailboxes(desk)),
        outbox={state: states[state] for state in OUTBOX_STATES if states[state]},
        oldest_unsent=min((row["held_at"] for row in unsent if row["held_at"] is not None), default=None),
        parked=counts.get("parked", 0),
        junk=sum(folder.count for folder in list_junk(reader)),
        uncertain=states["uncertain"],
        failed=states["failed"],
        unprocessed=len(reader.rows("delivery", {"outcome": "", "imported": False}, limit=MOST_UNPROCESSED)),
        attention=(),
        disk_full=_is_disk_full(desk),
    )
    return replace(status, attention=(*_attention(status, now), *_delayed(desk, unsent)))


def _is_disk_full(desk: Desk) -> bool:
    free = desk.store.gauges()["disk_free_bytes"]
    return free is not None and free < NO_ROOM_BYTES


def _mailboxes(desk: Desk) -> Iterator[MailboxStatus]:
    folders: dict[int, list[Row]] = {}
    for folder in desk.read.rows("folder"):
        if folder["role"] != "junk":
            folders.setdefault(folder["mailbox_id"], []).append(folder)
    for row in desk.read.rows("mailbox", order="id"):
        own = [folder for folder in folders.get(row["id"], []) if _is_watched(row, folder)]
        passes = [folder["last_pass_at"] for folder in own]
        troubled = next((item for item in [row, *own] if item["error"]), None)
        yield MailboxStatus(
            id=MailboxId(row["id"]),
            address=row["address"],
            state=row["state"],
            last_pass_at=min(passes) if passes and all(passes) else None,
            error=troubled["error"] if troubled else "",
            error_since=troubled["error_since"] if troubled else None,
        )


def _is_watched(mailbox: Row, folder: Row) -> bool:
    """Whether the folder still is one that is fetched from: of one that was taken out of the settings nobody hears."""
    settings = mailbox["settings"] or {}
    if folder["role"] == "sent":
        return bool(settings.get("watch_sent", True))
    return folder["name"].casefold() == "inbox" or folder["name"] in (settings.get("folders") or [])


def _delayed(desk: Desk, unsent: Sequence[Row]) -> Iterator[str]:
    """For each mailbox how many replies its server keeps waiting, and its words."""
    for mailbox in desk.read.rows("mailbox", order="id"):
        waiting = [row for row in unsent if row["state"] == "deferred" and row["mailbox_id"] == mailbox["id"]]
        if waiting:
            newest = max(waiting, key=lambda row: row["updated_at"])
            yield ngettext(
                "{address}: {count} reply will be tried again: {reason}",
                "{address}: {count} replies will be tried again: {reason}",
                len(waiting),
            ).format(address=mailbox["address"], count=len(waiting), reason=newest["error"])


def disk_full_sentence() -> str:
    return _("The disk of the database is full: new mail waits on its server, and all goes on as soon as there is room")


def _attention(status: DeskStatus, now: datetime) -> Iterator[str]:
    """What somebody has to look at, the most pressing first."""
    if status.disk_full:
        yield disk_full_sentence()
    waiting = status.outbox.get("held", 0) + status.outbox.get("deferred", 0)
    if not status.delivering:
        sentence = ngettext(
            "No process is delivering, and {count} reply waits",
            "No process is delivering, and {count} replies wait",
            waiting,
        )
        yield sentence.format(count=waiting) if waiting else _("No process is fetching and delivering mail")
    if status.uncertain:
        yield ngettext(
            "{count} delivery is in doubt: send it again or mark it as sent",
            "{count} deliveries are in doubt: send them again or mark them as sent",
            status.uncertain,
        ).format(count=status.uncertain)
    if status.failed:
        yield ngettext("{count} reply was refused", "{count} replies were refused", status.failed).format(
            count=status.failed
        )
    for mailbox in status.mailboxes:
        if mailbox.state == "paused":
            yield _("{address} is paused").format(address=mailbox.address)
        elif mailbox.error and mailbox.last_pass_at is not None:
            minutes = int((now - mailbox.last_pass_at).total_seconds() // 60)
            yield ngettext(
                "{address}: last fetched {minutes} minute ago: {error}",
                "{address}: last fetched {minutes} minutes ago: {error}",
                minutes,
            ).format(address=mailbox.address, minutes=minutes, error=mailbox.error)
        elif mailbox.error:
            yield f"{mailbox.address}: {mailbox.error}"
        elif (
            mailbox.last_pass_at is not None
            and now - mailbox.last_pass_at > timedelta(minutes=30)
            and status.delivering
        ):
            minutes = int((now - mailbox.last_pass_at).total_seconds() // 60)
            yield _("{address} was last looked at {minutes} minutes ago").format(
                address=mailbox.address, minutes=minutes
            )
    if status.parked:
        yield ngettext("{count} mail is parked", "{count} mails are parked", status.parked).format(count=status.parked)


def _is_over(desk: Desk, row: Row, older: timedelta, now: datetime, calendars: Hours) -> bool:
    """Parked mail and whatever has no ticket counts plain hours: nobody was promised anything there."""
    if row["ticket_id"] is None:
        return bool(row["since"] <= now - older)
    ticket = desk.read.ticket(row["ticket_id"])
    kept = ticket.mailbox_id, ticket.market_id
    if kept not in calendars:
        calendars[kept] = find_hours(desk.read, *kept)
    days, rest = divmod(older, DAY)
    due = business_days_after(calendars[kept], row["since"], days)
    return due is None or due + rest <= now
