"""What was said: messages with their mail headers, recipients, search text and attachments; the outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint
from sqlmodel import Field

from supportdesk.desk import model
from supportdesk.store.tables.base import (
    AUTOINCREMENT,
    Table,
    big,
    flag,
    identity,
    json,
    number,
    partial,
    reference,
    time,
    words,
)
from supportdesk.store.types import Json, one_of


class Message(Table, table=True):
    """One item of a conversation. `created_at` is its arrival in this desk, `received_at` the source's."""

    __table_args__ = (
        one_of("direction", model.DIRECTIONS),
        one_of("kind", model.MESSAGE_KINDS),
        one_of("author_kind", model.AUTHOR_KINDS),
        Index("ix_message_ticket", "ticket_id", "seq"),
        partial("ix_message_note", "ticket_id", where="kind = 'note'"),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    ticket_id: int = reference("ticket.id", nullable=False)
    seq: int = number()
    channel: str = words("mail")
    direction: str = words("in")
    kind: str = words("mail")
    author_kind: str = words("customer")
    agent_id: int | None = reference("agent.id")
    identity_id: int | None = reference("customer_identity.id", index=True)
    author_name: str = words()
    external_id: str = words()
    received_at: datetime = time(nullable=False)
    created_at: datetime = time(nullable=False)
    historic: bool = flag()
    subject: str = words()
    body: str = words()
    body_source: str = words("plain")
    folds: Any = json("[]")
    links: Any = json("[]")
    language: str = words()
    outbox_id: int | None = Field(default=None, index=True)  # no key: outbox already refers to message
    evidence: Any = json()  # verdict, threading key, rule: what `why` prints
    badges: Any = json("[]")


class MessageMail(Table, table=True):
    """The mail headers of a message that came or went by mail."""

    __tablename__ = "message_mail"
    __table_args__ = (
        partial("ix_message_mail_id", "message_id_norm", where="message_id_norm <> ''"),
        Index("ix_message_mail_fingerprint", "fingerprint"),
        partial("ix_message_mail_root", "thread_root", where="thread_root <> ''"),
    )  # fmt: skip
    message_id: int = reference("message.id", key=True)
    mailbox_id: int | None = reference("mailbox.id")
    raw_sha: str = words()
    message_id_norm: str = words()  # with brackets; never indexed when empty
    in_reply_to: str = words()
    references_: Any = Field(default=None, sa_column=Column("references", Json, nullable=False, server_default="[]"))
    thread_root: str = words()  # the oldest id that it refers to; "" when it begins a conversation
    fingerprint: str = words()
    from_name: str = words()
    from_address: str = words()
    reply_to: Any = json("[]")
    sender_check: str = words()  # pass | fail | unverified | "" by a trusted Authentication-Results


class MessageRecipient(Table, table=True):
    __tablename__ = "message_recipient"
    __table_args__ = (
        one_of("role", ("to", "cc", "bcc")),
        one_of("state", ("", "pending", "accepted", "deferred", "failed", "bounced")),
        Index("ix_message_recipient_message", "message_id"),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    message_id: int = reference("message.id", nullable=False)
    role: str = words("to")
    address: str = words()
    name: str = words()
    state: str = words()
    detail: str = words()


class MessageText(Table, table=True):
    """The folded text of a message (subject, body, names, addresses, attachment names) that feeds the search index."""

    __tablename__ = "message_text"
    message_id: int = reference("message.id", key=True)
    folded: str = words()


class Attachment(Table, table=True):
    """An attachment of a message (cut from raw by `part`) or of an outbox row (`blob_sha`)."""

    __table_args__ = (AUTOINCREMENT,)
    id: int | None = identity()
    message_id: int | None = reference("message.id", index=True)
    outbox_id: int | None = reference("outbox.id", index=True)
    part: str = words()
    name: str = words()
    content_type: str = words()
    size: int = big()
    inline: bool = flag()
    content_id: str = words()
    blob_sha: str = words()


class Outbox(Table, table=True):
    """A reply from draft to sent: one row, the only copy of the text."""

    __table_args__ = (
        one_of("state", model.OUTBOX_STATES),
        one_of("stage", model.STAGES),
        one_of("kind", model.OUTBOX_KINDS),
        Index("ix_outbox_ticket", "ticket_id"),
        partial(
            "uq_outbox_draft", "ticket_id", "agent_id", "kind",
            where="state = 'draft' AND discarded_at IS NULL", unique=True,
        ),
        partial("uq_outbox_acknowledgement", "ticket_id", where="kind = 'acknowledgement'", unique=True),
        Index("ix_outbox_state", "state", "not_before"),
        Index("ix_outbox_kind", "kind", "id"),
        Index("ix_outbox_sent_copy", "sent_copy", "mailbox_id", "id"),
        partial(
            "ix_outbox_canned", "canned_key", "canned_edited",
            where="canned_key <> '' AND agent_id IS NOT NULL AND state <> 'draft'",
        ),
        partial("ix_outbox_message_id", "message_id_header", where="message_id_header <> ''"),
        AUTOINCREMENT,
    )  # fmt: skip
    id: int | None = identity()
    ticket_id: int = reference("ticket.id", nullable=False)
    agent_id: int | None = reference("agent.id")
    mailbox_id: int = reference("mailbox.id", nullable=False)
    kind: str = words("reply")
    state: str = words("draft")
    stage: str = words()
    subject: str = words()
    body: str = words()
    in_reply_to: int | None = reference("message.id")
    seen_seq: int = number()
    seq: int = number()  # the ticket's seq that this reply took when it was held
    language: str = words()
    quote: bool = flag(True)
    canned_key: str = words()
    canned_sha: str = words()  # of the body with the response in it, before the agent went on
    canned_edited: bool = flag()
    after_status: str = words()
    ask_again: bool = flag()  # the customer is reminded while the ticket is pending after this reply
    message_id_header: str = words()
    built_sha: str = words()
    action_id: str = words()
    created_at: datetime = time(nullable=False)
    updated_at: datetime = time(nullable=False)
    held_at: datetime | None = time()
    not_before: datetime | None = time()
    next_try: datetime | None = time()
    first_try_at: datetime | None = time()
    sent_at: datetime | None = time()
    discarded_at: datetime | None = time()
    attempts: int = number()
    error: str = words()
    server_reply: str = words()
    lease_owner: str = words()
    lease_epoch: int = number()
    lease_until: datetime | None = time()
    sent_copy: str = words()  # "", pending, found, appended, failed: the copy in the Sent folder
    version: int = number(1)


class OutboxRecipient(Table, table=True):
    __tablename__ = "outbox_recipient"
    __table_args__ = (
        UniqueConstraint("outbox_id", "role", "address"),
        one_of("role", ("to", "cc", "bcc")),
        one_of("state", ("pending", "accepted", "deferred", "failed", "bounced")),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    outbox_id: int = reference("outbox.id", nullable=False)
    role: str = words("to")
    address: str = words()
    name: str = words()
    state: str = words("pending")
    detail: str = words()  # the server's words
