"""What goes with a canned response besides its text: files on the draft, and what sending it does to the ticket.

A reply's status, tags, owner and snooze are written by the transaction that holds it, under the same action: one undo
takes back all of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.desk import bulk
from supportdesk.desk.canned import Then
from supportdesk.desk.canned_set import find_canned
from supportdesk.desk.clocks import calendar_of
from supportdesk.desk.hours import business_days_after
from supportdesk.desk.ports import Insert
from supportdesk.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import ActionId, Actor, OutboxId, Ticket
    from supportdesk.desk.ports import Row, Transaction

USUAL_STATUS = "pending"  # what a plain send makes of a ticket: there the response's own status stands in


@dataclass(frozen=True, slots=True)
class Taken:
    """A response that stands in a draft now: the columns that remember it, and the files that come with it."""

    columns: Mapping[str, Any]
    files: tuple[Insert, ...] = ()


def take(desk: Desk, outbox_id: OutboxId, fields: Mapping[str, Any]) -> Taken | None:
    """What a draft takes over when `fields` put another response into it; None when they do not.

    Read before the draft's own transaction: the response is not the draft's to lock.
    """
    from supportdesk.desk.canned_use import files_of

    key = str(fields.get("canned_key") or "")
    rows = desk.read.rows("outbox", {"id": outbox_id}, limit=1) if key else []
    if not rows or rows[0]["canned_key"] == key:
        return None
    try:
        files = files_of(desk, rows[0]["ticket_id"], key)
    except NotFound:
        return None
    there = {row["name"] for row in desk.read.rows("attachment", {"outbox_id": outbox_id})}
    added = tuple(
        Insert(
            "attachment",
            {
                "outbox_id": outbox_id,
                "name": file.name,
                "content_type": file.content_type,
                "size": file.size,
                "blob_sha": file.sha,
            },
        )
        for file in files
        if file.name not in there
    )
    return Taken({"canned_sha": body_sha(str(fields.get("body", rows[0]["body"])))}, added)


def body_sha(body: str) -> str:
    """What tells an edited reply from one that went out as it was inserted; blanks do not count."""
    return hashlib.sha256(" ".join(body.split()).encode()).hexdigest()[:32]


def is_as_inserted(row: Row) -> bool:
    """Whether the draft is the text of a response and nothing else."""
    return bool(row["canned_key"] and row["canned_sha"]) and body_sha(row["body"]) == row["canned_sha"]


def is_edited(row: Row) -> bool:
    return bool(row["canned_key"] and row["canned_sha"]) and not is_as_inserted(row)


def read_then(tx: Transaction, row: Row) -> Then:
    """What sending this draft does besides; nothing for a forward, nor for a response that is gone."""
    if not row["canned_key"] or row["kind"] not in ("reply", "new"):
        return Then()
    try:
        return find_canned(tx, row["canned_key"]).then
    except NotFound:
        return Then()


def status_after(then: Then, after: str) -> str:
    """The response's status where the agent asked for none but the usual one."""
    return then.status or after if after == USUAL_STATUS else after


def wake_at(tx: Transaction, ticket: Ticket, then: Then) -> datetime | None:
    """When the ticket wakes that sleeps for the response's business days."""
    if not then.snooze_days:
        return None
    found = business_days_after(calendar_of(tx, ticket.mailbox_id), tx.now, then.snooze_days)
    return found or tx.now + timedelta(days=then.snooze_days)


def follow(tx: Transaction, actor: Actor, ticket: Ticket, then: Then, action_id: ActionId) -> None:
    """Tag and assign, with an event each. An agent who was disabled meanwhile gets nothing."""
    if then.tags:
        bulk.write(tx, "tag", ticket, actor, {"tags": then.tags}, action_id)
    assignee = _assignee(tx, actor, then.assign)
    if assignee is not None and assignee != ticket.assignee_id:
        bulk.write(tx, "assign", tx.ticket(ticket.id), actor, {"assignee": assignee}, action_id)


def _assignee(tx: Transaction, actor: Actor, login: str) -> int | None:
    if login == "me":
        return actor.id
    rows = tx.rows("agent", {"login": login}, limit=1) if login else []
    return rows[0]["id"] if rows and rows[0]["state"] != "disabled" else None
