"""What the team shares and does: settings, canned responses, saved views, the event log, presence, leases, counts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from supportdesk.desk import model
from supportdesk.store.tables.base import AUTOINCREMENT, Table, big, identity, json, number, reference, time, words
from supportdesk.store.types import one_of


class Setting(Table, table=True):
    """What the team shares and is not a row of its own: shop name, undo window, policies, instance id."""

    key: str = Field(primary_key=True)
    value: Any = json("null")


class Canned(Table, table=True):
    """One canned response; its texts are the variants."""

    __table_args__ = AUTOINCREMENT
    id: int | None = identity()
    key: str = Field(unique=True, sa_type=Text)
    meta: Any = json()  # titles by language, keywords, ask fields, what sending it does
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
    __table_args__ = (one_of("mode", ("viewing", "replying")),)
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


class ViewCount(Table, table=True):
    """How many tickets a standing view holds, without the deltas not folded in yet. `agent_id` 0: everybody's."""

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
