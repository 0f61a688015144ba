"""Who may act: agents, their roles, and the check that every use case makes in its own transaction."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from supportdesk.desk.model import AGENT_STATES, ROLES, ActionId, Actor, Agent, AgentId, Role
from supportdesk.desk.ports import Insert, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader, Row

EDITABLE = frozenset({"name", "role", "languages", "state", "away_until", "ssh_key", "email"})
OWN = frozenset({"languages", "state", "away_until", "name"})  # what agents may set for themselves


def check_actor(tx: Transaction, actor: Actor, needs: Role = "agent") -> Role:
    """The actor's role as it is now. Raises NotAllowed for a disabled or unknown agent, and below `needs`.

    Rules, mail and the worker act for the desk itself and pass.
    """
    if actor.kind != "agent":
        return "admin"
    row = tx.row("agent", {"id": actor.id}) if actor.id is not None else None
    if row is None:
        raise NotAllowed(_("{name} is not an agent of this desk").format(name=actor.name))
    if row["state"] == "disabled":
        raise NotAllowed(_("{name} is disabled").format(name=row["name"] or row["login"]))
    role: Role = row["role"]
    if ROLES.index(role) < ROLES.index(needs):
        raise NotAllowed(
            _("{name} may not do that: it needs the role {role}").format(name=row["name"] or row["login"], role=needs)
        )
    return role


def agent_of(row: Row) -> Agent:
    return Agent(
        id=AgentId(row["id"]),
        login=row["login"],
        name=row["name"] or row["login"],
        role=row["role"],
        languages=tuple(row["languages"] or ()),
        state=row["state"],
        away_until=row["away_until"],
        ssh_key=row["ssh_key"],
        email=row["email"],
    )


def list_agents(reader: Reader) -> list[Agent]:
    return [agent_of(row) for row in reader.rows("agent", order="id")]


def find_agent(reader: Reader, login: str) -> Agent:
    rows = reader.rows("agent", {"login": login})
    if not rows:
        raise NotFound(_("there is no agent {login}").format(login=login), hint=_("add one: supportdesk agent add"))
    return agent_of(rows[0])


def is_available(row: Row, now: datetime) -> bool:
    """Whether a ticket may stay with this agent when the customer writes: not disabled, not away at `now`."""
    if row["state"] == "away":
        return row["away_until"] is not None and bool(row["away_until"] <= now)
    return bool(row["state"] == "available")


def languages_read(agents: Collection[Agent], now: datetime) -> frozenset[str]:
    """The languages that somebody who is there reads, as first subtags; empty where nobody names any."""
    back = (one for one in agents if one.state == "away" and one.away_until is not None and one.away_until <= now)
    there = (*(one for one in agents if one.state == "available"), *back)
    return frozenset(tag.partition("-")[0] for agent in there for tag in agent.languages)


def nobody_reads(language: str, read: Collection[str]) -> bool:
    """Whether a ticket's language is none of those that are read; unknown is not, nor is any where none is named."""
    return bool(language and read) and language.partition("-")[0] not in read


@again_if_busy
def add_agent(desk: Desk, actor: Actor, login: str, values: Mapping[str, Any]) -> Agent:
    """Add an agent. The first one of a desk needs nobody's permission and is an admin."""
    row = _checked(values)
    if not login.strip():
        raise UsageError(_("an agent needs a login"))
    with desk.store.transaction() as tx:
        if not tx.rows("agent", limit=1):
            row["role"] = "admin"
        else:
            check_actor(tx, actor, "admin")
        if tx.rows("agent", {"login": login}):
            raise Conflict(_("there is an agent {login} already").format(login=login))
        plan = Plan(
            silent=(Insert("agent", {"name": login, **row, "login": login, "created_at": tx.now}),),
            events=(PlannedEvent(None, "agent"),),
            undoable=False,
        )
        # Before there is an agent, no actor can have a row that the event could refer to.
        acting = actor if actor.id is None or tx.row("agent", {"id": actor.id}) else Actor("worker", None, actor.name)
        tx.apply(plan, acting, ActionId(str(uuid4())))
        return agent_of(tx.rows("agent", {"login": login})[0])


@again_if_busy
def set_agent(desk: Desk, actor: Actor, agent_id: AgentId, changes: Mapping[str, Any]) -> Agent:
    """Change an agent. Agents set their own languages, name and absence; the rest needs an admin."""
    row = _checked(changes)
    with desk.store.transaction() as tx:
        own = actor.kind == "agent" and actor.id == agent_id and set(row) <= OWN and row.get("state") != "disabled"
        check_actor(tx, actor, "agent" if own else "admin")
        stored = tx.row("agent", {"id": agent_id})
        if stored is None:
            raise NotFound(_("there is no agent {login}").format(login=agent_id))
        if stored["role"] == "admin" and (row.get("role", "admin") != "admin" or row.get("state") == "disabled"):
            _check_another_admin(tx, agent_id)
        if row.get("state") in ("available", "disabled"):
            row["away_until"] = None
        plan = Plan(
            silent=(Update("agent", {"id": agent_id}, {"version": stored["version"]}, row),),
            events=(PlannedEvent(None, "agent", {"agent_id": agent_id}),),
            undoable=False,
        )
        tx.apply(plan, actor, ActionId(str(uuid4())))
        return agent_of(tx.rows("agent", {"id": agent_id})[0])


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    for name in values:
        if name not in EDITABLE:
            raise UsageError(_("an agent has no {name}").format(name=name), hint=", ".join(sorted(EDITABLE)))
    row = dict(values)
    if row.get("role", "agent") not in ROLES:
        raise UsageError(_("{role} is no role").format(role=row["role"]), hint=", ".join(ROLES))
    if row.get("state", "available") not in AGENT_STATES:
        raise UsageError(_("{state} is no state of an agent").format(state=row["state"]), hint=", ".join(AGENT_STATES))
    if row.get("email") and not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", row["email"]):
        raise UsageError(_("{address} is no address").format(address=repr(row["email"])))
    if "languages" in row:
        row["languages"] = list(row["languages"])
    return row


def _check_another_admin(tx: Transaction, agent_id: AgentId) -> None:
    others = [
        row for row in tx.rows("agent", {"role": "admin"}) if row["id"] != agent_id and row["state"] != "disabled"
    ]
    if not others:
        raise Conflict(_("this is the only admin: make another one first"))
