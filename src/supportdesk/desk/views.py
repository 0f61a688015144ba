"""Queries on a desk, and the saved views: a query with a name, one's own or everybody's.

Reading a query is `desk.query`; here is what its values may name on this desk. Each change of a view is an action that
can be undone.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import COUNTED_TO, VIEWS, ActionId, Actor, AgentId, Query, SavedView, TicketId
from supportdesk.desk.ports import Delete, Insert, NewRef, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.query import Known, read_query
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound, UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Change, Reader, Row

LONGEST_NAME: Final = 60


def query_on(desk: Desk, text: str, *, typing: bool = True) -> Query:
    """The query that `text` says on this desk. Raises QueryError."""
    return read_query(text, known_on(desk) if ":" in text else None, typing=typing)


def known_on(desk: Desk) -> Known:
    """Who and what a query may name. The tags and languages in use are for whoever completes one."""
    return Known(
        now=desk.clock.now(), zone=desk.zone_of(None), agents=tuple(desk.agents()), mailboxes=tuple(desk.mailboxes())
    )


def search(desk: Desk, text: str, agent_id: AgentId | None, limit: int) -> list[TicketId]:
    return desk.read.search(query_on(desk, text), agent_id=agent_id, now=desk.clock.now(), limit=limit)


def list_tickets(desk: Desk, query: Query, agent_id: AgentId | None, *, limit: int) -> list[TicketId]:
    return desk.read.queue_ids("all", agent_id=agent_id, now=desk.clock.now(), query=query, limit=limit)


# ---- saved views -----------------------------------------------------------------------------------------------------


def saved_views(reader: Reader, agent_id: AgentId | None) -> tuple[SavedView, ...]:
    """Everybody's and the agent's own, in the order of their keys."""
    rows = [row for row in reader.rows("saved_view") if row["agent_id"] in (None, agent_id)]
    return tuple(_view_of(row) for row in sorted(rows, key=lambda row: (row["position"], row["id"])))


def find_view(views: Sequence[SavedView], name: str) -> SavedView:
    """The view of that name or number. Raises NotFound."""
    wanted = name.casefold().strip()
    for view in views:
        if view.name.casefold() == wanted:
            return view
    for view in views:
        if str(view.id) == wanted:
            return view
    known = ", ".join((*VIEWS, *(view.name for view in views)))
    raise NotFound(_("there is no view {view}").format(view=name), hint=known)


def count_view(desk: Desk, view: SavedView, agent_id: AgentId | None) -> int | None:
    """How many tickets it holds, up to one more than COUNTED_TO; None when its query cannot be read any more."""
    try:
        query = query_on(desk, view.query, typing=False)
    except UsageError:
        return None
    return len(list_tickets(desk, replace(query, sort=""), agent_id, limit=COUNTED_TO + 1))


@again_if_busy
def add_view(desk: Desk, actor: Actor, name: str, query: str, *, shared: bool = False) -> SavedView:
    """Save a query under a name. Raises QueryError, Conflict for a name that is taken, NotAllowed."""
    query_on(desk, query, typing=False)
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "lead" if shared else "agent")
        rows = _rows_of(tx, actor)
        values = {
            "name": _checked_name(name, rows),
            "query": query.strip(),
            "agent_id": None if shared else actor.id,
            "position": max((row["position"] for row in rows), default=0) + 1,
        }
        ref = NewRef("view")
        applied = _write(tx, actor, "view_added", (Insert("saved_view", values, ref),))
        return _view_of({"id": applied[1][ref.name], **values})


@again_if_busy
def change_view(desk: Desk, actor: Actor, view_id: int, changes: Mapping[str, Any]) -> Done:
    """Set name, query, shared or position (1 is the first). Raises QueryError, Conflict, NotFound, NotAllowed."""
    if "query" in changes:
        query_on(desk, changes["query"], typing=False)
    with desk.store.transaction() as tx:
        rows = _rows_of(tx, actor)
        row = _row(tx, actor, rows, view_id)
        after: dict[str, Any] = {}
        if "name" in changes:
            after["name"] = _checked_name(changes["name"], [other for other in rows if other["id"] != view_id])
        if "query" in changes:
            after["query"] = changes["query"].strip()
        if "shared" in changes:
            check_actor(tx, actor, "lead")
            after["agent_id"] = None if changes["shared"] else actor.id
        written: list[Change] = [_update(row, after)] if after else []
        if "position" in changes:
            written += _moved(rows, row, int(changes["position"]))
        action_id, _ids = _write(tx, actor, "view_changed", tuple(written))
    return Done(action_id, (), _("Changed the view {name}").format(name=after.get("name", row["name"])))


@again_if_busy
def remove_view(desk: Desk, actor: Actor, view_id: int) -> Done:
    with desk.store.transaction() as tx:
        row = _row(tx, actor, _rows_of(tx, actor), view_id)
        action_id, _ids = _write(tx, actor, "view_removed", (Delete("saved_view", {"id": row["id"]}, dict(row)),))
    return Done(action_id, (), _("Removed the view {name}").format(name=row["name"]))


def are_shared(tx: Transaction, changes: Sequence[Change]) -> bool:
    """Whether these changes concern a view of everybody's; places alone do not, for one's own move among them all."""
    for change in changes:
        if isinstance(change, Insert):
            rows: tuple[Mapping[str, Any], ...] = (change.values,)
        elif isinstance(change, Delete):
            rows = (change.before,)
        elif set(change.after) == {"position"}:
            continue
        else:
            rows = (change.before, change.after, tx.row("saved_view", change.key) or {})
        if any("agent_id" in row and row["agent_id"] is None for row in rows):
            return True
    return False


def _write(tx: Transaction, actor: Actor, kind: str, changes: tuple[Change, ...]) -> tuple[ActionId, Mapping[str, int]]:
    action_id = new_action_id()
    return action_id, tx.apply(Plan(changes=changes, events=(PlannedEvent(None, kind),)), actor, action_id).ids


def _rows_of(tx: Transaction, actor: Actor) -> list[Row]:
    """The rows that the actor sees, in the order of their keys."""
    rows = [row for row in tx.rows("saved_view") if row["agent_id"] in (None, actor.id)]
    return sorted(rows, key=lambda row: (row["position"], row["id"]))


def _row(tx: Transaction, actor: Actor, rows: Sequence[Row], view_id: int) -> Row:
    row = next((row for row in rows if row["id"] == view_id), None)
    check_actor(tx, actor, "lead" if row is not None and row["agent_id"] is None else "agent")
    if row is None:
        raise NotFound(_("there is no view {view}").format(view=view_id))
    return row


def _moved(rows: Sequence[Row], row: Row, place: int) -> list[Change]:
    """All rows numbered anew with this one at its place."""
    others = [other for other in rows if other["id"] != row["id"]]
    at = max(0, min(place - 1, len(others)))
    ordered = [*others[:at], row, *others[at:]]
    return [
        _update(other, {"position": number})
        for number, other in enumerate(ordered, start=1)
        if other["position"] != number
    ]


def _update(row: Row, after: Mapping[str, Any]) -> Update:
    return Update("saved_view", {"id": row["id"]}, {name: row[name] for name in after}, after)


def _checked_name(name: str, rows: Sequence[Row]) -> str:
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not cleaned or len(cleaned) > LONGEST_NAME or any(unicodedata.category(one)[0] == "C" for one in cleaned):
        raise UsageError(_("{name} cannot be the name of a view").format(name=repr(name)))
    if cleaned.casefold().replace("-", "_") in VIEWS:
        raise Conflict(_("there is a view {name} already").format(name=cleaned))
    if any(row["name"].casefold() == cleaned.casefold() for row in rows):
        raise Conflict(_("there is a view {name} already").format(name=cleaned))
    return cleaned


def _view_of(row: Mapping[str, Any]) -> SavedView:
    return SavedView(row["id"], row["name"], row["query"], row["agent_id"], row["position"])
