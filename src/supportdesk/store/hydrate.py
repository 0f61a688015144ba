"""Rows of the database as values of the desk: JSON lists become tuples, nothing else is interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supportdesk.desk.model import ActionId, AttachmentRow, EventRow, OutboxRow, RecipientRow, Ticket, from_row

Row = Mapping[str, Any]


def ticket_from(row: Row) -> Ticket:
    return from_row(Ticket, {**row, "badges": tuple(row["badges"])})


def recipient_from(row: Row) -> RecipientRow:
    return from_row(RecipientRow, row)


def attachment_from(row: Row) -> AttachmentRow:
    return from_row(AttachmentRow, row)


def event_from(row: Row) -> EventRow:
    return from_row(EventRow, {**row, "action_id": ActionId(row["action_id"])})


def outbox_from(row: Row, recipients: tuple[RecipientRow, ...], attachments: tuple[AttachmentRow, ...]) -> OutboxRow:
    return from_row(OutboxRow, {**row, "recipients": recipients, "attachments": attachments})
