"""Following a ticket and being named in a note: who is told what, until he has looked.

Nothing is sent and nothing is copied: what a follower has not been told yet is what others did to the ticket since he
last had it open. `@login` in a note tells that agent once, whether he follows or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import Actor, AgentId, TicketId
from supportdesk.desk.ports import Change, Insert, Plan, Transaction, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row

TABLE: Final = "ticket_follow"
MENTION: Final = "mention"
NEWS: Final = {
    "message": N_("the customer wrote"),
    "received": N_("the customer wrote"),
    "bounce": N_("a mail could not be delivered"),
    "note": N_("{who} wrote a note"),
    "call": N_("{who} logged a call"),
    "reply_held": N_("{who} sent a reply"),
    "reply_failed": N_("a reply was refused"),
    "reply_stopped": N_("a reply was stopped: something new had arrived"),
    "assign": N_("{who} gave it to somebody"),
    "unassign": N_("{who} put it back among the unassigned"),
    "take": N_("{who} took it"),
    "status": N_("{who} changed the status"),
    "solve": N_("{who} solved it"),
    "reopen": N_("{who} reopened it"),
    "spam": N_("{who} marked it as spam"),
    "not_spam": N_("{who} took it out of spam"),
    "merge": N_("{who} merged it"),
    "merged_here": N_("{who} merged other tickets into it"),
    "split": N_("{who} moved messages into a ticket of their own"),
    "hold_ended": N_("the time on hold is over"),
    "deadline_breached": N_("the deadline passed"),
}
"""The events that followers are told of; tags, snoozes and what follows from other events are seen when one looks."""

_MENTION = re.compile(r"(?<![\w@.])@([\w][\w.-]*)")


@dataclass(frozen=True, slots=True)
class Notice:
    """What an agent has not looked at yet on one ticket. `kind` is that of the newest event, or `mention`."""

    ticket_id: TicketId
    subject: str
    kind: str
    who: str  # the agent's name; "" for the customer and the desk itself
    at: datetime
    events: int  # how many; 0 for a mention


def notices(desk: Desk, agent_id: AgentId) -> list[Notice]:
    """What an agent is told, one notice a ticket, newest first; having been named comes before anything else."""
    names = {agent.id: agent.name for agent in desk.agents()}
    found: dict[TicketId, Notice] = {}
    for row in desk.read.followed_news(agent_id, tuple(NEWS)):
        ticket = TicketId(row["ticket_id"])
        if row["mentioned_by"] is not None:
            who = names.get(row["mentioned_by"], "")
            found[ticket] = Notice(ticket, row["subject"], MENTION, who, row["mentioned_at"], 0)
        else:
            who = names.get(row["actor_id"], "") if row["actor_kind"] == "agent" else ""
            found[ticket] = Notice(ticket, row["subject"], row["kind"], who, row["at"], row["events"])
    return sorted(found.values(), key=lambda one: (one.kind == MENTION, one.at), reverse=True)


def sentence(notice: Notice) -> str:
    """`Anna names you in a note`, `the customer wrote`, `Luca solved it · 3 events`."""
    who = notice.who or _("the desk")
    if notice.kind == MENTION:
        return _("{who} names you in a note").format(who=who)
    said = _(NEWS[notice.kind]).format(who=who)
    if notice.events < 2:
        return said
    return f"{said} · " + ngettext("{count} event", "{count} events", notice.events).format(count=notice.events)


@again_if_busy
def mark_told(desk: Desk, actor: Actor, tickets: Iterable[TicketId] = ()) -> int:
    """The agent has looked at these tickets, or at all; how many notices went."""
    if actor.id is None:
        return 0
    wanted = set(tickets)
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        rows = [row for row in tx.rows(TABLE, {"agent_id": actor.id}) if not wanted or row["ticket_id"] in wanted]
        changes = [change for row in rows for change in told(tx, row)]
        if changes:
            tx.apply(Plan(silent=tuple(changes), undoable=False), actor, new_action_id())
        return len(changes)


def told(tx: Transaction, row: Row) -> list[Change]:
    """What marks a stored row as looked at; nothing if it is so already."""
    if not row["following"] and row["mentioned_by"] is None:
        return []
    before = {name: row[name] for name in ("told_event", "mentioned_by", "mentioned_at")}
    after = {"told_event": newest_event(tx, row["ticket_id"]), "mentioned_by": None, "mentioned_at": None}
    return [] if before == after else [Update(TABLE, _key(row["ticket_id"], row["agent_id"]), before, after)]


def mention(tx: Transaction, actor: Actor, ticket_id: TicketId, text: str) -> tuple[tuple[Change, ...], list[str]]:
    """What tells the agents that a note names, and their names; nobody is told of his own note."""
    named = {login.rstrip(".-").casefold() for login in _MENTION.findall(text)}
    changes: list[Change] = []
    names: list[str] = []
    for agent in tx.rows("agent", order="id") if named else ():
        if agent["login"].casefold() not in named or agent["id"] == actor.id or agent["state"] == "disabled":
            continue
        key, by = _key(ticket_id, agent["id"]), {"mentioned_by": actor.id, "mentioned_at": tx.now}
        stored = tx.row(TABLE, key)
        if stored is None:
            told_event = newest_event(tx, ticket_id)
            changes.append(Insert(TABLE, {**key, "following": False, "told_event": told_event, **by}))
        else:
            before = {name: stored[name] for name in by}
            changes.append(Update(TABLE, key, before, by))
        names.append(agent["name"] or agent["login"])
    return tuple(changes), names


def follow_changes(actor: Actor, ticket_id: TicketId, stored: Row | None, newest: int) -> list[Change]:
    """What makes an agent a follower; nothing if he is."""
    key = _key(ticket_id, actor.id)
    if stored is None:
        row = {**key, "following": True, "told_event": newest, "mentioned_by": None, "mentioned_at": None}
        return [Insert(TABLE, row)]
    if stored["following"]:
        return []
    return [Update(TABLE, key, {"following": False}, {"following": True})]


def unfollow_changes(actor: Actor, ticket_id: TicketId, stored: Row | None) -> list[Change]:
    """What ends it."""
    if stored is None or not stored["following"]:
        return []
    return [Update(TABLE, _key(ticket_id, actor.id), {"following": True}, {"following": False})]


def newest_event(tx: Transaction, ticket_id: TicketId) -> int:
    found = tx.rows("event", {"ticket_id": ticket_id}, order="-seq", limit=1, columns=("seq",))
    return int(found[0]["seq"]) if found else 0


def _key(ticket_id: TicketId, agent_id: AgentId | None) -> dict[str, int | None]:
    return {"ticket_id": ticket_id, "agent_id": agent_id}
