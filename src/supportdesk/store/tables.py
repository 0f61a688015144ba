"""The tables (data.md), as SQLModel classes. Reading and writing live in `store.read` and `store.write`.

Ids that a person or a signed token may hold are AUTOINCREMENT: never reused. Table models do not validate; the desk
does, and the CHECKs here are the last guard. The search index and the append-only triggers are in `store.extras`,
because Alembic's batch mode drops them and they must be made again from one place.
"""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, LargeBinary, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from supportdesk.desk import model
from supportdesk.store.types import Json, UtcTime, one_of

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of all tables: one metadata with one naming convention."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def identity() -> Any:
    return Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))


def reference(target: str, *, nullable: bool = True, index: bool = False, key: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(Integer, ForeignKey(target), nullable=nullable and not key, index=index, primary_key=key),
    )


def words(default: str = "") -> Any:
    return Field(default=default, sa_type=Text, sa_column_kwargs={"server_default": default})


def column(name: str) -> Any:
    """A text column whose name SQLModel keeps for itself as an attribute."""
    return Field(default="", sa_column=Column(name, Text, nullable=False, server_default=""))


def number(default: int = 0) -> Any:
    return Field(default=default, sa_column_kwargs={"server_default": text(str(default))})


def big(default: int | None = 0) -> Any:
    """Sizes and IMAP's unsigned 32-bit numbers, which do not fit Postgres' integer."""
    if default is None:
        return Field(default=None, sa_type=BigInteger)
    return Field(default=default, sa_type=BigInteger, sa_column_kwargs={"server_default": text(str(default))})


def flag(default: bool = False) -> Any:
    return Field(default=default, sa_column_kwargs={"server_default": text("true" if default else "false")})


def time(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_type=UtcTime, nullable=nullable)


def json(default: str = "{}") -> Any:
    return Field(default=None, sa_column=Column(Json, nullable=False, server_default=default))


AUTOINCREMENT = {"sqlite_autoincrement": True}


class Setting(Table, table=True):
    """What the team shares and is not a row of its own: shop name, undo window, policies, instance id."""

    key: str = Field(primary_key=True)
    value: Any = json("null")


class SigningKey(Table, table=True):
    __tablename__ = "signing_key"
    id: int | None = identity()
    secret: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = time(nullable=False)
    retired_at: datetime | None = time()


class Agent(Table, table=True):
    __table_args__ = (one_of("role", model.ROLES), one_of("state", model.AGENT_STATES), AUTOINCREMENT)
    id: int | None = identity()
    login: str = Field(unique=True, sa_type=Text)
    name: str = words()
    role: str = words("agent")
    languages: Any = json("[]")
    state: str = words("available")
    away_until: datetime | None = time()
    ssh_key: str = words()
    created_at: datetime = time(nullable=False)
    version: int = number(1)


class Team(Table, table=True):
    id: int | None = identity()
    name: str = Field(unique=True, sa_type=Text)


class TeamMember(Table, table=True):
    __tablename__ = "team_member"
    team_id: int = reference("team.id", key=True)
    agent_id: int = reference("agent.id", key=True)


class Calendar(Table, table=True):
    """Opening hours; `body` is `desk.hours.Calendar.to_json()`."""

    id: int | None = identity()
    name: str = Field(unique=True, sa_type=Text)
    body: Any = json()
    version: int = number(1)


class Market(Table, table=True):
    id: int | None = identity()
    code: str = Field(unique=True, sa_type=Text)
    countries: Any = json("[]")
    locale: str = words()
    register_: str = column("register")
    currency: str = words()
    zone: str = words("UTC")
    calendar_id: int | None = reference("calendar.id")


class Mailbox(Table, table=True):
    __table_args__ = (one_of("state", ("active", "paused")), AUTOINCREMENT)
    id: int | None = identity()
    address: str = Field(unique=True, sa_type=Text)
    name: str = words()
    shop_name: str = words()
    aliases: Any = json("[]")
    imap: Any = json("null")
    smtp: Any = json("null")
    state: str = words("active")
    languages: Any = json("[]")
    language: str = words()
    register_: str = column("register")
    zone: str = words("UTC")
    calendar_id: int | None = reference("calendar.id")
    market_id: int | None = reference("market.id")
    canned_set: str = words()
    order_pattern: str = words()
    signatures: Any = json()
    settings: Any = json()
    start_at: datetime | None = time()
    error: str = words()
    error_since: datetime | None = time()
    version: int = number(1)


class Folder(Table, table=True):
    """An IMAP mailbox. `last_uid` covers a contiguous prefix of the ledger in the current UIDVALIDITY."""

    __table_args__ = (UniqueConstraint("mailbox_id", "name"), one_of("role", ("inbox", "sent", "junk", "other")))
    id: int | None = identity()
    mailbox_id: int = reference("mailbox.id", nullable=False)
    name: str = words()
    role: str = words("inbox")
    uidvalidity: int | None = big(None)
    last_uid: int = big()
    last_pass_at: datetime | None = time()
    missing: int = number(0)
    error: str = words()
    error_since: datetime | None = time()


class Blob(Table, table=True):
    """The key of some stored bytes; they are in zstd chunks of at most 256 KiB."""

    sha256: str = Field(primary_key=True)
    size: int = big()
    chunks: int = number()
    created_at: datetime = time(nullable=False)


class BlobChunk(Table, table=True):
    __tablename__ = "blob_chunk"
    sha256: str = Field(foreign_key="blob.sha256", primary_key=True)
    n: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class Delivery(Table, table=True):
    """The ledger: one row for each UID that was ever seen. `outcome` is empty until the mail has been processed."""

    __table_args__ = (
        UniqueConstraint("folder_id", "uidvalidity", "uid"),
        one_of("outcome", ("", *model.OUTCOMES)),
        Index("ix_delivery_unprocessed", "id", sqlite_where=text("outcome = ''"), postgresql_where=text("outcome = ''")),
        Index("ix_delivery_parked", "id", sqlite_where=text("outcome = 'parked'"), postgresql_where=text("outcome = 'parked'")),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    folder_id: int = reference("folder.id", nullable=False)
    uidvalidity: int = big()
    uid: int = big()
    raw_sha: str = words()
    size: int = big()
    internal_date: datetime | None = time()
    fetched_at: datetime = time(nullable=False)
    historic: bool = flag()  # older than the chosen start: never answered automatically
    outcome: str = words()
    reason: str = words()
    message_id: int | None = reference("message.id", index=True)
    processed_at: datetime | None = time()
    attempts: int = number()
    error: str = words()


class Parked(Table, table=True):
    """What the list of parked mail shows; the mail itself is in the blob of its delivery."""

    delivery_id: int = reference("delivery.id", key=True)
    reason: str = words()
    sender: str = words()
    subject: str = words()
    received_at: datetime = time(nullable=False)
    evidence: Any = json()
    looked_at: datetime | None = time()
    released_at: datetime | None = time()


class Customer(Table, table=True):
    __table_args__ = AUTOINCREMENT
    id: int | None = identity()
    name: str = words()
    language: str = words()
    language_source: str = words()  # hand | order | confirmed | header | detected | mailbox
    region: str = words()
    register_: str = column("register")
    zone: str = words()
    market_id: int | None = reference("market.id")
    merged_into: int | None = reference("customer.id")
    note: str = words()
    created_at: datetime = time(nullable=False)
    version: int = number(1)


class CustomerIdentity(Table, table=True):
    __tablename__ = "customer_identity"
    __table_args__ = (
        UniqueConstraint("kind", "value_norm"),
        one_of("kind", ("email", "phone", "handle")),
        one_of("verdict", ("", "ticket", "notification", "park", "block")),
        AUTOINCREMENT,
    )
    id: int | None = identity()
    customer_id: int = reference("customer.id", nullable=False, index=True)
    kind: str = words("email")
    value: str = words()
    value_norm: str = words()
    bounced_at: datetime | None = time()  # a hard bounce of this address
    bounce: str = words()
    verdict: str = words()  # what `mail sender` set by hand


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
        Index(
            "ix_ticket_needs_reply", "due_at", "id",
            sqlite_where=text("waiting_since IS NOT NULL AND merged_into IS NULL AND status <> 'spam'"),
            postgresql_where=text("waiting_since IS NOT NULL AND merged_into IS NULL AND status <> 'spam'"),
        ),
        Index("ix_ticket_status", "status", "due_at", "id"),
        Index("ix_ticket_assignee", "assignee_id", "status", "due_at", "id"),
        Index("ix_ticket_customer", "customer_id", "id"),
        Index("ix_ticket_merged", "merged_into", sqlite_where=text("merged_into IS NOT NULL"), postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_ticket_snoozed", "snoozed_until", sqlite_where=text("snoozed_until IS NOT NULL"), postgresql_where=text("snoozed_until IS NOT NULL")),
        Index("ix_ticket_order", "order_number", sqlite_where=text("order_number <> ''"), postgresql_where=text("order_number <> ''")),
        AUTOINCREMENT,
    )  # fmt: skip
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


class Participant(Table, table=True):
    __table_args__ = (UniqueConstraint("ticket_id", "identity_id"), one_of("role", model.PARTICIPANT_ROLES), AUTOINCREMENT)
    id: int | None = identity()
    ticket_id: int = reference("ticket.id", nullable=False)
    identity_id: int = reference("customer_identity.id", nullable=False, index=True)
    role: str = words("requester")


class Message(Table, table=True):
    """One item of a conversation, of any channel. `created_at` is its arrival in this desk, `received_at` the source's."""

    __table_args__ = (
        one_of("direction", model.DIRECTIONS),
        one_of("kind", model.MESSAGE_KINDS),
        one_of("author_kind", model.AUTHOR_KINDS),
        Index("ix_message_ticket", "ticket_id", "seq"),
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
        Index("ix_message_mail_id", "message_id_norm", sqlite_where=text("message_id_norm <> ''"), postgresql_where=text("message_id_norm <> ''")),
        Index("ix_message_mail_fingerprint", "fingerprint"),
    )  # fmt: skip
    message_id: int = reference("message.id", key=True)
    mailbox_id: int | None = reference("mailbox.id")
    raw_sha: str = words()
    message_id_norm: str = words()  # with brackets; never indexed when empty
    in_reply_to: str = words()
    references_: Any = Field(default=None, sa_column=Column("references", Json, nullable=False, server_default="[]"))
    fingerprint: str = words()
    from_name: str = words()
    from_address: str = words()
    reply_to: Any = json("[]")
    sender_check: str = words()  # pass | fail | "" by a trusted Authentication-Results


class MessageRecipient(Table, table=True):
    __tablename__ = "message_recipient"
    __table_args__ = (Index("ix_message_recipient_message", "message_id"), AUTOINCREMENT)
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
        Index(
            "uq_outbox_draft", "ticket_id", "agent_id", "kind", unique=True,
            sqlite_where=text("state = 'draft' AND discarded_at IS NULL"), postgresql_where=text("state = 'draft' AND discarded_at IS NULL"),
        ),
        Index(
            "ix_outbox_live", "state", "not_before",
            sqlite_where=text("state NOT IN ('sent', 'draft')"), postgresql_where=text("state NOT IN ('sent', 'draft')"),
        ),
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
    after_status: str = words()
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


class Event(Table, table=True):
    """The log of what was done: ids and enums only, append-only. Old values are in the erasable detail."""

    __table_args__ = (
        UniqueConstraint("action_id", "ticket_id", "kind"),
        one_of("actor_kind", model.ACTOR_KINDS),
        Index("ix_event_ticket", "ticket_id", "seq"),
        Index("ix_event_actor", "actor_id", "seq"),
        AUTOINCREMENT,
    )
    seq: int | None = identity()
    action_id: str = words()
    ticket_id: int | None = reference("ticket.id")
    actor_kind: str = words("agent")
    actor_id: int | None = reference("agent.id")
    kind: str = words()
    at: datetime = time(nullable=False)
    data: Any = json()
    txid: int = big()  # Postgres: readers stay below pg_snapshot_xmin


class EventDetail(Table, table=True):
    __tablename__ = "event_detail"
    event_seq: int = reference("event.seq", key=True)
    body: Any = json()


class Presence(Table, table=True):
    ticket_id: int = reference("ticket.id", key=True)
    agent_id: int = reference("agent.id", key=True)
    console: str = Field(primary_key=True)
    mode: str = words("viewing")
    at: datetime = time(nullable=False)


class Lease(Table, table=True):
    """Who holds a role that only one process may have: the worker. `epoch` fences a stopped holder."""

    name: str = Field(primary_key=True)
    owner: str = words()
    epoch: int = number()
    until: datetime = time(nullable=False)
    heartbeat_at: datetime = time(nullable=False)
    info: Any = json()


class Canned(Table, table=True):
    """One canned response; its texts are the variants."""

    __table_args__ = AUTOINCREMENT
    id: int | None = identity()
    key: str = Field(unique=True, sa_type=Text)
    meta: Any = json()  # titles by language, keywords, ask fields, actions
    uses: int = number()
    version: int = number(1)


class CannedVariant(Table, table=True):
    __tablename__ = "canned_variant"
    canned_id: int = reference("canned.id", key=True)
    tag: str = Field(primary_key=True)
    meta: Any = json()
    body: str = words()


class SavedView(Table, table=True):
    __tablename__ = "saved_view"
    __table_args__ = AUTOINCREMENT
    id: int | None = identity()
    name: str = words()
    query: str = words()
    agent_id: int | None = reference("agent.id")
    position: int = number()


class ViewCount(Table, table=True):
    """How many tickets a standing view holds, without the deltas that are not folded in yet. `agent_id` 0: everybody's."""

    __tablename__ = "view_count"
    view: str = Field(primary_key=True)
    agent_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    tickets: int = number()


class ViewCountDelta(Table, table=True):
    __tablename__ = "view_count_delta"
    __table_args__ = AUTOINCREMENT
    id: int | None = identity()
    view: str = words()
    agent_id: int = number()
    delta: int = number()
