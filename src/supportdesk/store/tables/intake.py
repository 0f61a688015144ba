"""Where mail comes from: mailboxes, folders, the ledger, raw bytes, parked mail, signing keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from supportdesk.desk import model
from supportdesk.store.tables.base import (
    AUTOINCREMENT,
    Table,
    big,
    column,
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


class SigningKey(Table, table=True):
    __tablename__ = "signing_key"
    id: int | None = identity()
    secret: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = time(nullable=False)
    retired_at: datetime | None = time()


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
    """One piece of a blob. No foreign key: the chunks of a large blob are there before its row."""

    __tablename__ = "blob_chunk"
    sha256: str = Field(primary_key=True)
    n: int = Field(primary_key=True)
    data: bytes = Field(sa_type=LargeBinary)


class Delivery(Table, table=True):
    """The ledger: one row for each UID that was ever seen. `outcome` is empty until the mail has been processed."""

    __table_args__ = (
        UniqueConstraint("folder_id", "uidvalidity", "uid"),
        one_of("outcome", ("", *model.OUTCOMES)),
        partial("ix_delivery_unprocessed", "imported", "internal_date", "id", where="outcome = ''"),
        partial("ix_delivery_parked", "id", where="outcome = 'parked'"),
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
    imported: bool = flag()  # from an archive on disk: nobody's new mail waits behind it
    outcome: str = words()
    reason: str = words()
    message_id: int | None = reference("message.id", index=True)
    processed_at: datetime | None = time()
    attempts: int = number()
    error: str = words()


class Parked(Table, table=True):
    """What the list of parked mail shows; the mail itself is in the blob of its delivery."""

    __table_args__ = (
        partial("ix_parked_unseen", "received_at", where="looked_at IS NULL AND released_at IS NULL"),
        partial("ix_parked_waiting", "delivery_id", where="released_at IS NULL"),
    )

    delivery_id: int = reference("delivery.id", key=True)
    reason: str = words()
    sender: str = words()
    subject: str = words()
    received_at: datetime = time(nullable=False)
    evidence: Any = json()
    looked_at: datetime | None = time()
    released_at: datetime | None = time()
