"""A conversation with everything that hangs on it, outbox rows, and the customer beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from supportdesk.desk.model import (
    AgentId,
    AttachmentRow,
    CustomerId,
    CustomerView,
    OutboxRow,
    RecipientRow,
    ThreadEntry,
    TicketId,
    as_one,
)  # fmt: skip
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _
from supportdesk.store.connect import Connection
from supportdesk.store.hydrate import attachment_from, outbox_from, recipient_from
from supportdesk.store.read.people import family, read_person
from supportdesk.store.statements import groups, marks, select_rows
from supportdesk.store.values import to_time

Row = Mapping[str, Any]
Value = TypeVar("Value")

UNSENT = ("held", "sending", "deferred", "uncertain", "failed", "bounced")
CUSTOMER_TICKETS = 50


def read_thread(connection: Connection, ticket_id: TicketId) -> list[ThreadEntry]:
    """Messages and unsent outbox rows of the ticket's family, oldest arrival first, imported history before them."""
    with connection.snapshot():
        tickets = family(connection, "ticket", ticket_id)
        messages = [row for some in groups(tickets) for row in select_rows(connection, "message", {"ticket_id": some})]
        ids = [row["id"] for row in messages]
        sent = [row["outbox_id"] for row in messages if row["outbox_id"] is not None]
        outboxes = [row for some in groups(tickets) for row in select_rows(connection, "outbox", {"ticket_id": some})]
        mails = _by(connection, "message_mail", "message_id", ids, lambda row: row)
        recipients = _by(connection, "message_recipient", "message_id", ids, recipient_from)
        attachments = _by(connection, "attachment", "message_id", ids, attachment_from)
        out_ids = [row["id"] for row in outboxes]
        out_recipients = _by(connection, "outbox_recipient", "outbox_id", out_ids, recipient_from)
        out_attachments = _by(connection, "attachment", "outbox_id", out_ids, attachment_from)
        identities = _names(connection, "customer_identity", "value", {row["identity_id"] for row in messages})
        agents = _names(connection, "agent", "name", {row["agent_id"] for row in (*messages, *outboxes)})
    by_outbox = {row["id"]: row for row in outboxes}
    entries = [
        (
            _arrival(row),
            _message_entry(
                row,
                (mails.get(row["id"]) or [{}])[0],
                by_outbox.get(row["outbox_id"]),
                recipients.get(row["id"]) or out_recipients.get(row["outbox_id"]) or (),
                attachments.get(row["id"]) or out_attachments.get(row["outbox_id"]) or (),
                identities,
                agents,
            ),
        )
        for row in messages
    ]
    entries += [
        (
            (True, row["held_at"] or row["updated_at"], row["seq"], row["id"]),
            _outbox_entry(row, out_recipients.get(row["id"], ()), out_attachments.get(row["id"], ()), agents),
        )
        for row in outboxes
        if row["state"] in UNSENT and row["id"] not in sent and row["discarded_at"] is None
    ]
    entries.sort(key=lambda entry: entry[0])
    return [entry for _, entry in entries]


def read_outbox(
    connection: Connection, *, states: Sequence[str], agent_id: AgentId | None, ticket_id: TicketId | None, limit: int
) -> list[OutboxRow]:
    """Outbox rows that were not discarded, oldest first; without `states` all that are not sent."""
    where: dict[str, Any] = {"discarded_at": None, "state": list(states) or ["draft", *UNSENT]}
    if agent_id is not None:
        where["agent_id"] = agent_id
    if ticket_id is not None:
        where["ticket_id"] = ticket_id
    with connection.snapshot():
        rows = select_rows(connection, "outbox", where, order="id", limit=limit)
        ids = [row["id"] for row in rows]
        recipients = _by(connection, "outbox_recipient", "outbox_id", ids, recipient_from)
        attachments = _by(connection, "attachment", "outbox_id", ids, attachment_from)
    return [
        outbox_from(row, tuple(recipients.get(row["id"], ())), tuple(attachments.get(row["id"], ()))) for row in rows
    ]


def read_customer(connection: Connection, customer_id: CustomerId) -> CustomerView:
    """The person that the customer is, with the addresses and tickets of all that were merged. Raises NotFound."""
    with connection.snapshot():
        found = read_person(connection, customer_id)
        if not found:
            raise NotFound(_("there is no customer {customer}").format(customer=customer_id))
        same = [row["id"] for row in found]
        identities = select_rows(connection, "customer_identity", {"customer_id": same}, order="id")
        tickets = [
            row
            for customer in same
            for row in select_rows(
                connection,
                "ticket",
                {"customer_id": customer, "merged_into": None},
                order="-id",
                limit=CUSTOMER_TICKETS,
            )
        ]
        count = len(tickets)
        first = min((ticket["created_at"] for ticket in tickets), default=None)
        if count >= CUSTOMER_TICKETS:
            where = f"FROM ticket WHERE merged_into IS NULL AND customer_id IN ({marks(same)})"
            count = connection.execute(f"SELECT count(*) {where}", same)[0][0]
            first = to_time(connection.execute(f"SELECT min(created_at) {where}", same)[0][0])
    row = as_one(found)
    identities.sort(key=lambda identity: same.index(identity["customer_id"]))  # the survivor's first
    tickets.sort(key=lambda ticket: ticket["id"], reverse=True)
    return CustomerView(
        id=row["id"],
        name=row["name"],
        addresses=tuple(identity["value"] for identity in identities),
        language=row["language"],
        language_source=row["language_source"],
        region=row["region"],
        register=row["register"],
        zone=row["zone"],
        since=min(row["created_at"], first or row["created_at"]),
        tickets=tuple((item["id"], item["subject"], item["status"], item["created_at"]) for item in tickets)[
            :CUSTOMER_TICKETS
        ],
        note=row["note"],
        version=row["version"],
        ticket_count=count,
    )


def _arrival(row: Row) -> tuple[bool, datetime, int, int]:
    return (not row["historic"], row["received_at"] if row["historic"] else row["created_at"], row["seq"], row["id"])


def _message_entry(
    row: Row,
    mail: Row,
    outbox: Row | None,
    recipients: Sequence[RecipientRow],
    attachments: Sequence[AttachmentRow],
    identities: Mapping[int, str],
    agents: Mapping[int, str],
) -> ThreadEntry:
    sent = outbox or {}
    return ThreadEntry(
        id=row["id"],
        outbox_id=row["outbox_id"],
        ticket_id=row["ticket_id"],
        seq=row["seq"],
        kind=row["kind"],
        direction=row["direction"],
        channel=row["channel"],
        author_kind=row["author_kind"],
        author_name=row["author_name"] or agents.get(row["agent_id"], "") or mail.get("from_name", ""),
        author_address=mail.get("from_address", "") or identities.get(row["identity_id"], ""),
        at=row["received_at"],
        subject=row["subject"],
        text=row["body"],
        folds=tuple((start, end, kind) for start, end, kind in row["folds"]),
        links=tuple((at, label, url, host) for at, label, url, host in row["links"]),
        attachments=tuple(attachments),
        recipients=tuple(recipients),
        language=row["language"],
        state=sent.get("state", ""),
        error=sent.get("error", ""),
        not_before=sent.get("not_before"),
        next_try=sent.get("next_try"),
        agent_id=row["agent_id"],
        raw_sha=mail.get("raw_sha", "") or sent.get("built_sha", ""),
        sender_check=mail.get("sender_check", ""),
        evidence=row["evidence"],
        badges=tuple(row["badges"]),
        version=sent.get("version", 0),
    )


def _outbox_entry(
    row: Row, recipients: Sequence[RecipientRow], attachments: Sequence[AttachmentRow], agents: Mapping[int, str]
) -> ThreadEntry:
    return ThreadEntry(
        id=None,
        outbox_id=row["id"],
        ticket_id=row["ticket_id"],
        seq=row["seq"],
        kind="mail",
        direction="out",
        channel="mail",
        author_kind="machine" if row["agent_id"] is None else "agent",
        author_name=agents.get(row["agent_id"], ""),
        author_address="",
        at=row["held_at"] or row["updated_at"],
        subject=row["subject"],
        text=row["body"],
        attachments=tuple(attachments),
        recipients=tuple(recipients),
        language=row["language"],
        state=row["state"],
        error=row["error"],
        not_before=row["not_before"],
        next_try=row["next_try"],
        agent_id=row["agent_id"],
        raw_sha=row["built_sha"],
        version=row["version"],
    )


def _by(
    connection: Connection, table: str, column: str, ids: Sequence[int], make: Callable[[Row], Value]
) -> dict[int, list[Value]]:
    """The rows that hang on the ids, in order of their own id, grouped."""
    found: dict[int, list[Value]] = {}
    for some in groups(ids):
        rows = select_rows(connection, table, {column: some})
        rows.sort(key=lambda row: row.get("id", 0))
        for row in rows:
            found.setdefault(row[column], []).append(make(row))
    return found


def _names(connection: Connection, table: str, column: str, ids: set[int | None]) -> dict[int, str]:
    listed = sorted(item for item in ids if item is not None)
    return {
        row_id: name
        for some in groups(listed)
        for row_id, name in connection.execute(f"SELECT id, {column} FROM {table} WHERE id IN ({marks(some)})", some)
    }
