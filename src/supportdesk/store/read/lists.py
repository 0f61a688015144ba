"""The lists that watch over the desk: unanswered customers, the ledger's audit, who is looking at a ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from supportdesk.desk.model import OUTCOMES, AgentId, TicketId
from supportdesk.store.connect import Connection
from supportdesk.store.read.people import names_of_merged
from supportdesk.store.read.queue import PRESENCE_SECONDS
from supportdesk.store.values import to_time
from supportdesk.store.views import NEEDS_REPLY

Row = Mapping[str, Any]

DEFERRED_TOO_LONG: Final = timedelta(hours=1)
PARKED_TOO_LONG: Final = timedelta(hours=24)

_TICKET = (
    "ticket.id, ticket.subject, ticket.status, ticket.language, ticket.due_at, ticket.snoozed_until,"
    " ticket.assignee_id, agent.name, customer.name, ticket.mailbox_id, ticket.customer_id"
)
_TICKET_JOINS = (
    " LEFT JOIN agent ON agent.id = ticket.assignee_id LEFT JOIN customer ON customer.id = ticket.customer_id"
)
_TICKET_NAMES = (
    "ticket_id", "subject", "status", "language", "due_at", "snoozed_until", "assignee_id", "assignee", "customer",
    "mailbox_id", "customer_id",
)  # fmt: skip


# Replies that did not simply go out, each with its ticket and all that it was merged into, up to the survivor.
_TROUBLE = (
    "WITH RECURSIVE trouble(outbox_id, ticket_id) AS (SELECT id, ticket_id FROM outbox"
    " WHERE state IN ('deferred', 'uncertain', 'failed', 'bounced') AND discarded_at IS NULL"
    " AND kind IN ('reply', 'new', 'forward') UNION SELECT trouble.outbox_id, ticket.merged_into FROM trouble"
    " JOIN ticket ON ticket.id = trouble.ticket_id WHERE ticket.merged_into IS NOT NULL)"
)
# A refused or bounced reply is told until somebody settles it: by a later reply, or by solving the ticket.
_UNSETTLED = (
    "outbox.state IN ('deferred', 'uncertain') OR (ticket.status NOT IN ('solved', 'closed', 'spam')"
    " AND NOT EXISTS (SELECT 1 FROM outbox AS later WHERE later.ticket_id = outbox.ticket_id AND later.id <> outbox.id"
    " AND later.seq > outbox.seq AND later.state IN ('held', 'sending', 'deferred', 'sent')))"
)


def read_unanswered(connection: Connection, *, now: datetime, older_than: datetime | None) -> list[Row]:
    """Rows with `kind` waiting | deferred | uncertain | failed | bounced | parked, `since`, and the ticket's columns.

    A ticket stands here once, as `waiting` if it is; outbox rows add `outbox_id` and `error`, parked mail has
    `delivery_id`, `reason` and `customer` (the sender) and no ticket.
    """
    with connection.snapshot():
        rows = _waiting(connection)
        waiting = {row["ticket_id"] for row in rows}
        rows += [row for row in _undelivered(connection, now) if row["ticket_id"] not in waiting]
        names = names_of_merged(connection, {row["customer_id"] for row in rows} - {None})
        for row in rows:
            row["customer"] = names.get(row.pop("customer_id"), row["customer"])
        rows += _unseen(connection, now)
    rows = [row for row in rows if older_than is None or row["since"] <= older_than]
    rows.sort(key=lambda row: row["since"])
    return list(rows)


def read_to_announce(connection: Connection, now: datetime, limit: int) -> list[TicketId]:
    """The tickets of whose deadlines agents are to be told, the longest due first."""
    rows = connection.execute(
        "SELECT id FROM ticket WHERE announce_at IS NOT NULL AND announce_at <= ? ORDER BY announce_at LIMIT ?",
        (now, limit),
    )
    return [TicketId(row[0]) for row in rows]


def _waiting(connection: Connection) -> list[dict[str, Any]]:
    condition = " AND ".join(f"ticket.{term}" for term in NEEDS_REPLY.split(" AND "))
    return [
        {"kind": "waiting", "since": to_time(since), **_ticket_columns(rest)}
        for since, *rest in connection.execute(
            f"SELECT ticket.waiting_since, {_TICKET} FROM ticket{_TICKET_JOINS} WHERE {condition}"
        )
    ]


def _undelivered(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    rows = []
    for outbox, state, error, first_try, held, updated, *rest in connection.execute(
        f"{_TROUBLE} SELECT outbox.id, outbox.state, outbox.error, outbox.first_try_at, outbox.held_at,"
        f" outbox.updated_at, {_TICKET} FROM trouble JOIN outbox ON outbox.id = trouble.outbox_id"
        f" JOIN ticket ON ticket.id = trouble.ticket_id AND ticket.merged_into IS NULL{_TICKET_JOINS}"
        f" WHERE {_UNSETTLED} ORDER BY outbox.id"
    ):
        since = to_time(first_try) or to_time(held) or to_time(updated)
        assert since is not None
        if state != "deferred" or since <= now - DEFERRED_TOO_LONG:
            rows.append({"kind": state, "since": since, "outbox_id": outbox, "error": error, **_ticket_columns(rest)})
    return rows


def _unseen(connection: Connection, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "kind": "parked", "since": to_time(at), "delivery_id": delivery, "reason": reason, "subject": subject,
            "customer": sender, "ticket_id": None,
        }
        for delivery, reason, sender, subject, at in connection.execute(
            "SELECT delivery_id, reason, sender, subject, received_at FROM parked"
            " WHERE looked_at IS NULL AND released_at IS NULL AND received_at <= ? ORDER BY received_at",
            (now - PARKED_TOO_LONG,),
        )
    ]  # fmt: skip


def _ticket_columns(values: list[Any]) -> dict[str, Any]:
    row = dict(zip(_TICKET_NAMES, values, strict=True))
    row["due_at"], row["snoozed_until"] = to_time(row["due_at"]), to_time(row["snoozed_until"])
    return row


_DISTINCT_TAGS: Final = """WITH RECURSIVE used (tag) AS (
        SELECT min(tag) FROM ticket_tag
        UNION ALL SELECT (SELECT min(tag) FROM ticket_tag WHERE ticket_tag.tag > used.tag) FROM used
            WHERE used.tag IS NOT NULL)
    SELECT tag FROM used WHERE tag IS NOT NULL LIMIT ?"""


def read_tags(connection: Connection, most: int = 500) -> list[str]:
    """The tags in use, by hops along their index."""
    return [row[0] for row in connection.execute(_DISTINCT_TAGS, (most,))]


_ADDRESSES = "SELECT c.name, i.value, c.id FROM customer_identity i JOIN customer c ON c.id = i.customer_id WHERE"
NAMES_READ = 10_000
"""Addresses, the newest, among which a word of a name is looked for: some milliseconds."""


def read_addresses(connection: Connection, begun: str, most: int) -> list[tuple[str, str]]:
    """(name, address) of whom an address or a word of a name begins so, the newest first.

    Names are looked through among the newest addresses; of the older ones an address is found by its beginning.
    """
    words = begun.casefold()
    literal = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    # The kind is no word for the index of addresses there: it would be read whole, and sorted.
    newest = connection.execute("SELECT coalesce(max(id), 0) FROM customer_identity")[0][0]
    rows = connection.execute(
        f"{_ADDRESSES} i.id > ? AND i.kind || '' = 'email'"
        " AND (i.value_norm LIKE ? ESCAPE '\\' OR lower(c.name) LIKE ? ESCAPE '\\'"
        " OR lower(c.name) LIKE ? ESCAPE '\\') ORDER BY i.id DESC LIMIT ?",
        (newest - NAMES_READ, f"{literal}%", f"{literal}%", f"% {literal}%", most),
    )
    low, high = _range_of(words)
    if low and len(rows) < most and newest > NAMES_READ:
        above = " AND i.value_norm < ?" if high else ""
        rows += connection.execute(
            f"{_ADDRESSES} i.kind = 'email' AND i.value_norm >= ?{above} AND i.id <= ?"
            " AND i.value_norm LIKE ? ESCAPE '\\' ORDER BY i.value_norm LIMIT ?",
            (low, *([high] if high else []), newest - NAMES_READ, f"{literal}%", most - len(rows)),
        )
    names = names_of_merged(connection, {customer for _name, _address, customer in rows})
    return [(names.get(customer, name), address) for name, address, customer in rows]


def _range_of(begun: str) -> tuple[str, str]:
    """Bounds that hold every word that begins so, in any collation; the upper one is "" where there is none.

    Only letters and digits are of the same order everywhere, and the last of them have none after them.
    """
    head = re.match("[a-z0-9]*", begun)
    low = head[0] if head else ""
    kept = low.rstrip("z9")
    return low, kept[:-1] + chr(ord(kept[-1]) + 1) if kept else ""


def read_canned_uses(connection: Connection) -> dict[str, tuple[int, int]]:
    """For each canned response how many replies went out with it, and how many of them were edited; by its index."""
    rows = connection.execute(
        "SELECT canned_key, count(*), sum(CASE WHEN canned_edited THEN 1 ELSE 0 END) FROM outbox"
        " WHERE canned_key <> '' AND agent_id IS NOT NULL AND state <> 'draft' GROUP BY canned_key"
    )
    return {key: (int(uses), int(edited)) for key, uses, edited in rows}


def read_presence(connection: Connection, ticket_id: TicketId, now: datetime) -> list[tuple[AgentId, str, str]]:
    """Who has the ticket open: agent, name, mode; replying before viewing for one agent with two consoles."""
    rows = connection.execute(
        "SELECT presence.agent_id, agent.name, presence.mode FROM presence JOIN agent ON agent.id = presence.agent_id"
        " WHERE presence.ticket_id = ? AND presence.at > ? ORDER BY agent.name, presence.mode DESC",
        (ticket_id, now - timedelta(seconds=PRESENCE_SECONDS)),
    )
    modes: dict[tuple[AgentId, str], str] = {}
    for agent, name, mode in rows:
        if modes.get((agent, name)) != "replying":
            modes[agent, name] = mode
    return [(agent, name, mode) for (agent, name), mode in modes.items()]


def read_audit(connection: Connection) -> list[Row]:
    """For each folder and UIDVALIDITY: mailbox, folder, `rows`, each outcome, `unprocessed`, `missing`, `last_uid`."""
    rows: dict[tuple[int, int], dict[str, Any]] = {}
    with connection.snapshot():
        folders = connection.execute(
            "SELECT folder.id, mailbox.id, mailbox.address, folder.name, folder.role, folder.uidvalidity,"
            " folder.last_uid, folder.last_pass_at, folder.missing, folder.error FROM folder"
            " JOIN mailbox ON mailbox.id = folder.mailbox_id ORDER BY mailbox.address, folder.name"
        )
        counted = connection.execute(
            "SELECT folder_id, uidvalidity, outcome, count(*) FROM delivery GROUP BY 1, 2, 3 ORDER BY 1, 2"
        )
    for folder, mailbox, address, name, role, current, last_uid, last_pass, missing, error in folders:
        epochs = {uidvalidity for owner, uidvalidity, _, _ in counted if owner == folder}
        for uidvalidity in sorted(epochs | ({current} if current is not None else set())):
            rows[folder, uidvalidity] = {
                "folder_id": folder, "mailbox_id": mailbox, "mailbox": address, "folder": name, "role": role,
                "uidvalidity": uidvalidity, "current": uidvalidity == current, "last_uid": last_uid,
                "last_pass_at": to_time(last_pass), "missing": missing if uidvalidity == current else 0,
                "error": error, "rows": 0, "unprocessed": 0, **dict.fromkeys(OUTCOMES, 0),
            }  # fmt: skip
    for folder, uidvalidity, outcome, count in counted:
        row = rows[folder, uidvalidity]
        row[outcome or "unprocessed"] += count
        row["rows"] += count
    return list(rows.values())
