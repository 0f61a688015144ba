"""The ticket and what hangs on it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from supportdesk.desk import model
from supportdesk.store.tables.base import (
    AUTOINCREMENT,
    Table,
    flag,
    identity,
    json,
    number,
    partial,
    reference,
    time,
    words,
)
from supportdesk.store.types import one_of
from supportdesk.store.views import IN_HAND, NEEDS_REPLY, NOTIFICATION, OPEN


class SlaSnapshot(Table, table=True):
    """The policy and calendar as they were when a ticket's target started; shared by equal content."""

    __tablename__ = "sla_snapshot"
    id: int | None = identity()
    digest: str = Field(unique=True, sa_type=Text)
    body: Any = json()


class Ticket(Table, table=True):
    __table_args__ = (
        one_of("status", model.STATUSES),
        one_of("priority", model.PRIORITIES),
        one_of("kind", ("human", "notification")),
        one_of("snooze_mode", model.SNOOZE_MODES),
        partial("ix_ticket_needs_reply", "due_at", "id", "snoozed_until", "assignee_id", "language", where=NEEDS_REPLY),
        partial("ix_ticket_mine", "assignee_id", "due_at", "id", "snoozed_until", where=IN_HAND),
        partial("ix_ticket_open", "due_at", "id", where=OPEN),
        partial("ix_ticket_notification", "id", where=NOTIFICATION),
        Index("ix_ticket_status", "status", "id", "merged_into"),
        Index("ix_ticket_customer", "customer_id", "id"),
        partial("ix_ticket_assignee", "assignee_id", "id", where="assignee_id IS NOT NULL"),
        Index("ix_ticket_language", "language", "id"),
        Index("ix_ticket_mailbox", "mailbox_id", "id"),
        Index("ix_ticket_created", "created_at"),
        partial("ix_ticket_announce", "announce_at", where="announce_at IS NOT NULL"),
        partial("ix_ticket_merged", "merged_into", where="merged_into IS NOT NULL"),
        # All that the counts ask of the tickets that sleep now: they read no ticket for it.
        partial(
            "ix_ticket_snoozed",
            "snoozed_until",
            "merged_into",
            "status",
            "kind",
            "waiting_since",
            "assignee_id",
            where="snoozed_until IS NOT NULL",
        ),
        partial("ix_ticket_order", "order_number", where="order_number <> ''"),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    subject: str = words()
    status: str = words("new")
    priority: str = words("normal")
    kind: str = words("human")
    mailbox_id: int | None = reference("mailbox.id")
    market_id: int | None = reference("market.id")
    customer_id: int | None = reference("customer.id")
    assignee_id: int | None = reference("agent.id")
    team_id: int | None = reference("team.id")
    language: str = words()
    language_source: str = words()
    created_at: datetime = time(nullable=False)
    updated_at: datetime = time(nullable=False)
    version: int = number(1)
    seq: int = number(0)
    waiting_since: datetime | None = time()
    last_message_at: datetime | None = time()
    first_response_at: datetime | None = time()
    solved_at: datetime | None = time()
    closed_at: datetime | None = time()
    due_at: datetime | None = time()  # what is due next: the queue's order
    first_due: datetime | None = time()
    next_due: datetime | None = time()
    resolution_due: datetime | None = time()
    announce_at: datetime | None = time()  # when agents are told of a deadline next; empty once all was told
    sla_id: int | None = reference("sla_snapshot.id")
    snoozed_until: datetime | None = time()
    snooze_mode: str | None = Field(default=None, sa_type=Text)
    snooze_reason: str = words()
    snoozed_by: int | None = reference("agent.id")
    on_hold_until: datetime | None = time()
    merged_into: int | None = reference("ticket.id")
    merged_at: datetime | None = time()
    follow_up_of: int | None = reference("ticket.id")
    split_from: int | None = reference("ticket.id")
    suggested_id: int | None = reference("ticket.id")
    reopened_count: int = number()
    auto_solved: bool = flag()
    order_number: str = words()
    message_count: int = number()
    has_attachment: bool = flag()
    badges: Any = json("[]")


class TicketTag(Table, table=True):
    __tablename__ = "ticket_tag"
    __table_args__ = (Index("ix_ticket_tag_tag", "tag", "ticket_id"),)
    ticket_id: int = reference("ticket.id", key=True)
    tag: str = Field(primary_key=True)


class TicketSeen(Table, table=True):
    """Up to which seq an agent has read a ticket: what is unread for him."""

    __tablename__ = "ticket_seen"
    ticket_id: int = reference("ticket.id", key=True)
    agent_id: int = reference("agent.id", key=True)
    seq: int = number()


class TicketFollow(Table, table=True):
    """Who follows a ticket or was named in a note on it, and up to which event he has been told."""

    __tablename__ = "ticket_follow"
    __table_args__ = (Index("ix_ticket_follow_agent", "agent_id", "ticket_id"),)
    ticket_id: int = reference("ticket.id", key=True)
    agent_id: int = reference("agent.id", key=True)
    following: bool = flag()
    told_event: int = number()
    mentioned_by: int | None = reference("agent.id")  # until he has looked
    mentioned_at: datetime | None = time()


class Participant(Table, table=True):
    __table_args__ = (
        UniqueConstraint("ticket_id", "identity_id"),
        one_of("role", model.PARTICIPANT_ROLES),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    ticket_id: int = reference("ticket.id", nullable=False)
    identity_id: int = reference("customer_identity.id", nullable=False, index=True)
    role: str = words("requester")


class Dismissal(Table, table=True):
    """No reply needed: covers the customer's messages of its home ticket up to `up_to_seq`."""

    __table_args__ = (one_of("reason", model.DISMISS_REASONS), Index("ix_dismissal_ticket", "ticket_id"), AUTOINCREMENT)
    id: int | None = identity()
    ticket_id: int = reference("ticket.id", nullable=False)
    up_to_seq: int = number()
    reason: str = words()
    agent_id: int | None = reference("agent.id")
    at: datetime = time(nullable=False)
    undone: bool = flag()
