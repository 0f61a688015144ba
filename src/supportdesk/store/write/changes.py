"""The changes of an action as plain JSON for the event detail, and back: what undo and the timeline read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from supportdesk.desk.ports import Change, Delete, Insert, Update
from supportdesk.store.columns import table
from supportdesk.store.values import from_plain, to_plain

Numbered = Sequence[tuple[int, Change]]

BOOKKEEPING = frozenset({"version", "updated_at"})
"""Columns that the store itself keeps: they never go back, so undo must not see them."""


def to_detail(numbered: Numbered, *, undoable: bool) -> dict[str, Any]:
    return {"undoable": undoable, "changes": [{"n": at, **_to_plain(change)} for at, change in numbered]}


def from_detail(body: Mapping[str, Any]) -> dict[str, Any]:
    """The detail with its changes as Insert, Update and Delete; `order` holds each one's place in the whole action."""
    listed = body.get("changes", [])
    return {
        **body,
        "changes": tuple(_from_plain(item) for item in listed),
        "order": tuple(item["n"] for item in listed),
    }


def shares_of(done: Numbered, tickets: Sequence[int | None]) -> list[list[tuple[int, Change]]]:
    """Which event's detail keeps which changes: that of their own ticket, else the first one's."""
    shares: list[list[tuple[int, Change]]] = [[] for _ in tickets]
    first = {ticket: at for at, ticket in reversed(list(enumerate(tickets)))}
    for at, change in done:
        shares[first.get(_home(change), 0)].append((at, change))
    return shares


def _to_plain(change: Change) -> dict[str, Any]:
    if isinstance(change, Insert):
        return {"insert": change.table, "values": _row(change.table, change.values)}
    if isinstance(change, Delete):
        return {
            "delete": change.table, "key": _row(change.table, change.key), "before": _row(change.table, change.before)
        }  # fmt: skip
    return {
        "update": change.table,
        "key": _row(change.table, change.key),
        "before": _row(change.table, change.before),
        "after": _row(change.table, change.after),
    }


def _from_plain(item: Mapping[str, Any]) -> Change:
    if "insert" in item:
        return Insert(item["insert"], _values(item["insert"], item["values"]))
    if "delete" in item:
        return Delete(item["delete"], _values(item["delete"], item["key"]), _values(item["delete"], item["before"]))
    name = item["update"]
    return Update(name, _values(name, item["key"]), _values(name, item["before"]), _values(name, item["after"]))


def _row(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    kinds = table(name).kinds
    return {column: to_plain(kinds[column], value) for column, value in values.items() if column not in BOOKKEEPING}


def _values(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    kinds = table(name).kinds
    return {column: from_plain(kinds[column], value) for column, value in values.items()}


def _home(change: Change) -> int | None:
    """The ticket that a written change belongs to."""
    found: int | None
    if isinstance(change, Insert):
        found = change.values.get("id" if change.table == "ticket" else "ticket_id")
    elif change.table == "ticket":
        found = change.key.get("id")
    else:
        found = change.key.get("ticket_id", change.before.get("ticket_id"))
    return found
