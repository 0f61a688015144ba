"""The view counters counted anew: what `doctor` compares them with, and what mends them.

Tickets that look alike to every view are one group; one of each stands for all of them, so that the rule is
`desk.model.standing_views` here too.
"""

from __future__ import annotations

from collections import Counter

from supportdesk.desk.model import standing_views
from supportdesk.store.connect import Connection
from supportdesk.store.hydrate import ticket_from
from supportdesk.store.statements import groups, insert_rows, select_rows

Counts = dict[tuple[str, int], int]


def counted_views(connection: Connection) -> Counts:
    """How many tickets each view holds, by the tickets themselves; the key is the view and its agent (0: everybody)."""
    alike: dict[int, int] = dict(
        connection.execute(
            "SELECT min(id), count(*) FROM ticket"
            " GROUP BY status, kind, assignee_id, waiting_since IS NULL, merged_into IS NULL"
        )
    )
    counts: Counter[tuple[str, int]] = Counter()
    for some in groups(alike):
        for row in select_rows(connection, "ticket", {"id": some}):
            counts.update(dict.fromkeys(standing_views(ticket_from(row)), alike[row["id"]]))
    return dict(counts)


def stored_views(connection: Connection) -> Counts:
    """What the counters say, with the deltas that were not folded in yet; without those that are zero."""
    rows = connection.execute(
        "SELECT view, agent_id, sum(tickets) FROM (SELECT view, agent_id, tickets FROM view_count"
        " UNION ALL SELECT view, agent_id, delta FROM view_count_delta) AS counted GROUP BY view, agent_id"
    )
    return {(view, agent): int(tickets) for view, agent, tickets in rows if tickets}


def miscounted_views(connection: Connection) -> tuple[str, ...]:
    """The views whose counters are wrong."""
    with connection.snapshot():
        counted, stored = counted_views(connection), stored_views(connection)
    return tuple(sorted({view for view, _agent in dict(counted.items() ^ stored.items())}))


def replace_counts(connection: Connection) -> None:
    """Make the counters what the tickets say; inside a transaction that sees one moment of all three tables."""
    counted = counted_views(connection)
    connection.execute("DELETE FROM view_count_delta")
    connection.execute("DELETE FROM view_count")
    if counted:
        rows = [{"view": view, "agent_id": agent, "tickets": tickets} for (view, agent), tickets in counted.items()]
        insert_rows(connection, "view_count", rows)
