"""Who works here and who writes: agents, teams, markets, customers and their identities."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlmodel import Field

from supportdesk.desk import model
from supportdesk.store.tables.base import (
    AUTOINCREMENT,
    Table,
    column,
    identity,
    json,
    number,
    partial,
    reference,
    time,
    words,
)
from supportdesk.store.types import one_of


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
    email: str = words()  # what the agent forwards from
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


class Customer(Table, table=True):
    __table_args__ = (partial("ix_customer_merged", "merged_into", where="merged_into IS NOT NULL"), AUTOINCREMENT)
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
