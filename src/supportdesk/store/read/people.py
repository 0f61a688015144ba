"""Merged customers as the one person that they are, for readers of many rows: there are few of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from supportdesk.desk.model import as_one
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, marks, select_rows

ANYBODY_MERGED: Final = "SELECT 1 FROM customer WHERE merged_into IS NOT NULL LIMIT 1"

_SAME: Final = """WITH RECURSIVE pointer (one, other) AS (
        SELECT id, merged_into FROM customer WHERE merged_into IS NOT NULL
        UNION ALL SELECT merged_into, id FROM customer WHERE merged_into IS NOT NULL),
    same (id) AS ({customers} UNION SELECT pointer.other FROM same JOIN pointer ON pointer.one = same.id)
    SELECT id FROM same"""

_FAMILY: Final = (
    "WITH RECURSIVE family(id) AS (SELECT CAST(? AS INTEGER) UNION SELECT {0}.id FROM {0}"
    " JOIN family ON {0}.merged_into = family.id) SELECT id FROM family"
)


def family(connection: Connection, table: str, row_id: int) -> list[int]:
    """The row and all that was merged into it, however often."""
    return [row[0] for row in connection.execute(_FAMILY.format(table), (row_id,))]


def anybody_merged(connection: Connection) -> bool:
    """Whether there is a merged customer at all."""
    return bool(connection.execute(ANYBODY_MERGED))


def with_the_same(customers: str) -> str:
    """A selection of customers, widened to all who are the same people."""
    return _SAME.format(customers=customers)


def read_person(connection: Connection, customer_id: int) -> list[dict[str, Any]]:
    """The rows of a customer's person, the survivor first; none if there is no such customer."""
    found = select_rows(connection, "customer", {"id": customer_id})
    while found and found[0]["merged_into"] is not None:
        found = select_rows(connection, "customer", {"id": found[0]["merged_into"]})
    if not found:
        return []
    merged = [member for member in family(connection, "customer", found[0]["id"]) if member != found[0]["id"]]
    return [*found, *select_rows(connection, "customer", {"id": merged}, order="id")]


def names_of_merged(connection: Connection, customers: Collection[int]) -> dict[int, str]:
    """What those of these customers are called who were merged, or into whom somebody was."""
    wanted: set[int] = set()
    for some in groups(sorted(customers)):
        rows = connection.execute(
            f"SELECT id FROM customer WHERE id IN ({marks(some)}) AND merged_into IS NOT NULL"
            f" UNION SELECT merged_into FROM customer WHERE merged_into IN ({marks(some)})",
            [*some, *some],
        )
        wanted.update(row[0] for row in rows)
    return {customer: as_one(read_person(connection, customer))["name"] for customer in wanted}
