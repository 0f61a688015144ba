"""What followers have not looked at yet: plain SQL, the same on both databases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from supportdesk.desk.model import AgentId
from supportdesk.store.connect import Connection
from supportdesk.store.statements import marks
from supportdesk.store.values import to_time

MOST: Final = 500
_NEWS: Final = """SELECT f.ticket_id, ticket.subject, f.mentioned_by, f.mentioned_at, event.kind, event.actor_kind,
    event.actor_id, event.at, found.events
    FROM ticket_follow f JOIN ticket ON ticket.id = f.ticket_id
    LEFT JOIN (SELECT e.ticket_id, max(e.seq) AS newest, count(*) AS events FROM ticket_follow w
        JOIN event e ON e.ticket_id = w.ticket_id AND e.seq > w.told_event
        WHERE w.agent_id = ? AND w.following AND (e.actor_id IS NULL OR e.actor_id <> ? OR e.actor_kind <> 'agent')
            AND e.kind IN ({}) GROUP BY e.ticket_id) found ON found.ticket_id = f.ticket_id
    LEFT JOIN event ON event.seq = found.newest
    WHERE f.agent_id = ? AND (f.mentioned_by IS NOT NULL OR found.newest IS NOT NULL)
    ORDER BY f.ticket_id LIMIT ?"""


def read_followed_news(connection: Connection, agent_id: AgentId, kinds: Sequence[str]) -> list[Mapping[str, Any]]:
    """For each ticket that an agent follows or was named on: the newest event of others that he was not told of."""
    params = [agent_id, agent_id, *kinds, agent_id, MOST]
    return [
        {
            "ticket_id": ticket, "subject": subject, "mentioned_by": by, "mentioned_at": to_time(mentioned),
            "kind": kind, "actor_kind": actor_kind, "actor_id": actor, "at": to_time(at), "events": events or 0,
        }
        for ticket, subject, by, mentioned, kind, actor_kind, actor, at, events in connection.execute(
            _NEWS.format(marks(kinds)), params
        )
    ]  # fmt: skip
