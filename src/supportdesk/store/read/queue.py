"""The queue: a spine of ids in the order of a view, a window of hydrated rows, the counts of all views.

Each view is read in the order of one of its indexes (`store.views`); what has no deadline comes last, from a range of
its own, because an OR over both would sort the whole view. For the same reason what waits in the agent's own languages
is one range and what waits in others is the next.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final, cast

from supportdesk.desk.model import EVERYTHING, AgentId, Query, QueueRow, Sort, TicketId
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.store.connect import Connection
from supportdesk.store.read.narrow import base_of, grows, narrow, used_languages
from supportdesk.store.read.people import names_of_merged
from supportdesk.store.read.relevance import best_first, ranking_of
from supportdesk.store.statements import groups, marks
from supportdesk.store.values import DECODERS, to_time
from supportdesk.store.views import AWAKE, IN_HAND, LISTINGS, NEEDS_REPLY, SNOOZED, Listing

PRESENCE_SECONDS: Final = 30
EXCERPT_CHARACTERS: Final = 200
PIECE: Final = 5_000
"""Numbers of a long view that are fetched at once."""


def read_ids(
    connection: Connection,
    view: str,
    *,
    agent_id: AgentId | None,
    now: datetime,
    query: Query = EVERYTHING,
    limit: int,
    among: Sequence[TicketId] | None = None,
) -> list[TicketId]:
    """The first tickets of a view, all without a `limit`, or those of some that are in it. Raises UsageError."""
    found = read_spine(connection, view, agent_id=agent_id, now=now, query=query, limit=limit, among=among)
    return cast("list[TicketId]", found.tolist())


def read_spine(
    connection: Connection,
    view: str,
    *,
    agent_id: AgentId | None,
    now: datetime,
    query: Query = EVERYTHING,
    limit: int = 0,
    among: Sequence[TicketId] | None = None,
) -> array[int]:
    """The numbers of a view's tickets in its order, eight bytes each: never a million Python objects at once.

    A query that names a view or an order of its own is listed in those. Without a limit it wants a snapshot, which is
    what Postgres streams in. Raises UsageError for a view that there is not.
    """
    view = query.view or view
    if query.sort == "relevance" and among is None:
        return _spine_by_relevance(connection, view, agent_id, now, query, limit)
    asleep = view == "snoozed"
    listing = Listing((f"{SNOOZED} AND snoozed_until > ?",)) if asleep else _listing(view, query)
    params: list[Any] = [*((agent_id,) if listing.mine else ()), *((now,) if listing.awake or asleep else ())]
    whole = not limit and among is None
    more = narrow(connection, listing, query.condition, agent_id=agent_id, now=now, whole=whole)
    narrowed, params = f" AND {more.text}" if more.text else "", [*params, *more.params]
    if among is not None:
        spine = array("q")
        for some in groups(among):
            for sql in _memberships(listing, some, narrowed):
                spine.extend(row[0] for row in connection.execute(sql, [*params, *some]))
    elif query.sort:
        spine = _sorted_spine(connection, listing, params, narrowed, query.sort, limit)
    elif asleep:
        sql = f"SELECT id FROM ticket WHERE {listing.branches[0]}{narrowed} ORDER BY snoozed_until, id"
        spine = _column(connection, sql, params, limit)
    else:
        if listing is LISTINGS["needs_reply"] and (own := _languages_of(connection, agent_id)):
            listing, params = _own_languages_first(connection, listing, len(own)), [*own, *params]
        spine = _spine(connection, listing, params, narrowed, limit)
        if listing.mine:
            first = _spine(connection, _stopped(listing), params, narrowed, limit)
            spine = array("q", dict.fromkeys([*first, *spine]))
    return spine[:limit] if limit else spine


def _listing(view: str, query: Query) -> Listing:
    try:
        return base_of(view, query)
    except KeyError:
        raise UsageError(
            _("there is no view {view}").format(view=view), hint=", ".join([*LISTINGS, "snoozed"])
        ) from None


def _memberships(listing: Listing, ids: Sequence[int], narrowed: str) -> list[str]:
    """The statements that say which of these tickets a view holds, in no order."""
    awake = f" AND {AWAKE}" if listing.awake else ""
    return [
        f"SELECT id FROM ticket WHERE {branch}{awake}{narrowed} AND id IN ({marks(ids)})" for branch in listing.branches
    ]


def _statements(listing: Listing, narrowed: str) -> list[str]:
    """The statements that together list a view, each in the order of an index."""
    more = (f" AND {AWAKE}" if listing.awake else "") + narrowed
    if listing.due:
        return [
            f"SELECT id FROM ticket WHERE {branch}{more} AND due_at IS {ending}"
            for branch in listing.branches
            for ending in ("NOT NULL ORDER BY due_at, id", "NULL ORDER BY due_at, id")
        ]
    return [f"SELECT id FROM ticket WHERE {branch}{more} ORDER BY id DESC" for branch in listing.branches]


def _spine(connection: Connection, listing: Listing, params: Sequence[Any], narrowed: str, limit: int) -> array[int]:
    parts: list[array[int]] = []
    for sql in _statements(listing, narrowed):
        room = limit - sum(map(len, parts)) if limit and listing.due else limit
        if limit and room <= 0:
            break
        parts.append(_column(connection, sql, params, room))
    if len(parts) == 1:
        return parts[0]
    return array("q", chain(*parts) if listing.due else heapq.merge(*parts, reverse=True))


def _sorted_spine(
    connection: Connection, listing: Listing, params: Sequence[Any], narrowed: str, sort: Sort, limit: int
) -> array[int]:
    """A view in another order than its own; what has no deadline, or does not wait, comes last."""
    where = " OR ".join(listing.branches) if len(listing.branches) > 1 else listing.branches[0]
    more = (f" AND {AWAKE}" if listing.awake else "") + narrowed
    # A view of what is in hand is gathered and sorted; SQLite would rather read the whole table in the order of ids, or
    # the whole index of states, which has no deadlines.
    number, due = ("id", "") if grows(listing) else ("+id", ", due_at")
    spine = array("q")
    for ending in _ENDINGS[sort]:
        if limit and len(spine) >= limit:
            break
        sql = f"SELECT id FROM ticket WHERE ({where}){more} {ending.format(id=number, due=due)}"
        spine += _column(connection, sql, params, limit - len(spine) if limit else 0)
    return spine


def _spine_by_relevance(
    connection: Connection, view: str, agent_id: AgentId | None, now: datetime, query: Query, limit: int
) -> array[int]:
    """What is ranked, then the others in the order that they have without a `sort`."""
    found: dict[TicketId, None] = {}
    if query.condition is not None and (ranking := ranking_of(query.condition)) is not None:
        left = Query(ranking.rest)
        for tickets in best_first(connection, query.condition, ranking):
            members = set(read_spine(connection, view, agent_id=agent_id, now=now, query=left, among=tickets))
            found |= dict.fromkeys(ticket for ticket in tickets if ticket in members)
            if limit and len(found) >= limit:
                return array("q", islice(found, limit))
    usual = replace(query, sort="")
    others = read_spine(connection, view, agent_id=agent_id, now=now, query=usual, limit=limit)
    spine = array("q", found)
    spine.extend(ticket for ticket in others if ticket not in found)
    return spine[:limit] if limit else spine


_ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "due": ("AND due_at IS NOT NULL ORDER BY due_at, id", "AND due_at IS NULL ORDER BY {id} DESC"),
    "waiting": ("AND waiting_since IS NOT NULL ORDER BY waiting_since, id", "AND waiting_since IS NULL ORDER BY {id}"),
    "newest": ("ORDER BY {id} DESC{due}",),
    "oldest": ("ORDER BY {id}{due}",),
}


def _stopped(listing: Listing) -> Listing:
    """The part of a view whose reply was stopped: at the top of its owner's queue until he has opened it."""
    condition = """badges LIKE '%"reply_stopped"%'"""
    return replace(listing, branches=tuple(f"{branch} AND {condition}" for branch in listing.branches))


def _languages_of(connection: Connection, agent_id: AgentId | None) -> list[str]:
    """The tags in use that the agent reads, and the unknown language, which may be any; empty for who names none."""
    decode = DECODERS["json"]
    assert decode is not None
    rows = connection.execute("SELECT languages FROM agent WHERE id = ?", (agent_id,)) if agent_id is not None else []
    read = {tag.partition("-")[0] for row in rows for tag in decode(row[0]) or ()}
    if not read:
        return []
    return ["", *(tag for tag in used_languages(connection) if tag.partition("-")[0] in read)]


def _own_languages_first(connection: Connection, listing: Listing, count: int) -> Listing:
    """A view in two ranges, each with `count` parameters before the others: these languages, then all others."""
    asked = "language" if connection.is_postgres else "+language"  # SQLite would search its index, and sort
    places = marks(range(count))
    parts = tuple(f"{branch} AND {asked} {word} ({places})" for branch in listing.branches for word in ("IN", "NOT IN"))
    return replace(listing, branches=parts)


def _column(connection: Connection, sql: str, params: Sequence[Any], limit: int) -> array[int]:
    if limit:
        return array("q", (row[0] for row in connection.execute(f"{sql} LIMIT ?", [*params, limit])))
    return array("q", (row[0] for row in connection.stream(sql, params, PIECE)))


# ---- the window ------------------------------------------------------------------------------------------------------

_ROW = """SELECT ticket.id, ticket.version, ticket.status, ticket.priority, ticket.subject, customer.name,
    ticket.language, ticket.assignee_id, agent.name, ticket.mailbox_id, ticket.message_count, ticket.has_attachment,
    ticket.waiting_since, ticket.due_at, ticket.snoozed_until, ticket.updated_at, ticket.badges, ticket.seq,
    ticket.customer_id
    FROM ticket LEFT JOIN customer ON customer.id = ticket.customer_id LEFT JOIN agent ON agent.id = ticket.assignee_id
    WHERE ticket.id IN ({})"""


def read_rows(
    connection: Connection, ids: Sequence[TicketId], *, agent_id: AgentId | None, now: datetime
) -> dict[TicketId, QueueRow]:
    """The hydrated rows of some tickets; one query for each kind of data and 500 tickets."""
    found: dict[TicketId, QueueRow] = {}
    for some in groups(ids):
        found.update(_window(connection, some, agent_id, now))
    return {ticket: found[ticket] for ticket in ids if ticket in found}


def _window(
    connection: Connection, ids: Sequence[int], agent_id: AgentId | None, now: datetime
) -> dict[TicketId, QueueRow]:
    places = marks(ids)
    rows = connection.execute(_ROW.format(places), ids)
    tags = _collected(
        connection.execute(f"SELECT ticket_id, tag FROM ticket_tag WHERE ticket_id IN ({places}) ORDER BY tag", ids)
    )
    present = _collected(
        connection.execute(
            "SELECT presence.ticket_id, agent.name, presence.mode FROM presence"
            " JOIN agent ON agent.id = presence.agent_id"
            f" WHERE presence.ticket_id IN ({places}) AND presence.at > ? AND presence.agent_id <> ?"
            " ORDER BY agent.name",
            [*ids, now - timedelta(seconds=PRESENCE_SECONDS), agent_id or 0],
        )
    )
    seen: dict[int, int] = dict(
        connection.execute(
            f"SELECT ticket_id, seq FROM ticket_seen WHERE ticket_id IN ({places}) AND agent_id = ?",
            [*ids, agent_id or 0],
        )
    )
    customers = {row[18] for row in rows if row[18] is not None}
    addresses, merged = _addresses(connection, customers), names_of_merged(connection, customers)
    excerpts = dict(
        connection.execute(
            f"SELECT ticket_id, substr(body, 1, {EXCERPT_CHARACTERS}) FROM message WHERE id IN (SELECT max(id)"
            f" FROM message WHERE ticket_id IN ({places}) AND direction = 'in' GROUP BY ticket_id)",
            ids,
        )
    )
    decode = DECODERS["json"]
    assert decode is not None
    return {
        row[0]: QueueRow(
            id=row[0],
            version=row[1],
            status=row[2],
            priority=row[3],
            subject=row[4],
            customer_name=merged.get(row[18], row[5]) or "",
            customer_address=addresses.get(row[18], ""),
            language=row[6],
            assignee_id=row[7],
            assignee=row[8] or "",
            mailbox_id=row[9],
            message_count=row[10],
            has_attachment=bool(row[11]),
            waiting_since=to_time(row[12]),
            due_at=to_time(row[13]),
            snoozed_until=to_time(row[14]),
            updated_at=to_time(row[15]) or now,
            badges=tuple(decode(row[16])),
            tags=tuple(tag for (tag,) in tags.get(row[0], ())),
            presence=tuple((name, mode) for name, mode in present.get(row[0], ())),
            unread=agent_id is not None and row[17] > seen.get(row[0], 0),
            excerpt=excerpts.get(row[0], ""),
        )
        for row in rows
    }


def _addresses(connection: Connection, customers: set[int]) -> dict[int | None, str]:
    """The first address of each customer."""
    found: dict[int | None, str] = {}
    for some in groups(sorted(customers)):
        for customer, value in connection.execute(
            f"SELECT customer_id, value FROM customer_identity WHERE customer_id IN ({marks(some)}) ORDER BY id", some
        ):
            found.setdefault(customer, value)
    return found


def _collected(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    for key, *rest in rows:
        found.setdefault(key, []).append(tuple(rest))
    return found


# ---- the counts ------------------------------------------------------------------------------------------------------


_SLEEPERS = f"""SELECT count(*), count(*) FILTER (WHERE {NEEDS_REPLY}),
    count(*) FILTER (WHERE {NEEDS_REPLY} AND assignee_id IS NULL),
    count(*) FILTER (WHERE assignee_id = ? AND {IN_HAND})
    FROM ticket WHERE {SNOOZED} AND snoozed_until > ?"""


def read_counts(connection: Connection, *, agent_id: AgentId | None, now: datetime) -> dict[str, int]:
    """How many tickets each view holds, from the counters; the sleepers are counted now."""
    me = agent_id or 0
    counts = dict.fromkeys([*LISTINGS, "snoozed"], 0)
    with connection.snapshot():
        for view, tickets in connection.execute(
            "SELECT view, sum(tickets) FROM (SELECT view, tickets FROM view_count WHERE agent_id IN (0, ?)"
            " UNION ALL SELECT view, delta FROM view_count_delta WHERE agent_id IN (0, ?)) AS counted GROUP BY view",
            (me, me),
        ):
            counts[view] = int(tickets)
        [(counts["snoozed"], waiting, nobodys, mine)] = connection.execute(_SLEEPERS, (agent_id, now))
        counts["needs_reply"] -= waiting
        counts["unassigned"] -= nobodys
        counts["mine"] -= mine
        counts |= _delivery_counts(connection, agent_id)
    return counts


def _delivery_counts(connection: Connection, agent_id: AgentId | None) -> dict[str, int]:
    states: dict[str, int] = dict(
        connection.execute(
            "SELECT state, count(*) FROM outbox WHERE state IN ('held', 'sending', 'deferred', 'uncertain', 'failed')"
            " AND discarded_at IS NULL GROUP BY state"
        )
    )
    mine, params = ("", []) if agent_id is None else (" AND agent_id = ?", [agent_id])
    drafts = connection.execute(
        f"SELECT count(*) FROM outbox WHERE state = 'draft' AND discarded_at IS NULL{mine}", params
    )
    parked = connection.execute("SELECT count(*) FROM parked WHERE released_at IS NULL")
    return {
        "outbox": sum(states.get(state, 0) for state in ("held", "sending", "deferred")),
        "uncertain": states.get("uncertain", 0),
        "failed": states.get("failed", 0),
        "drafts": drafts[0][0],
        "parked": parked[0][0],
    }
