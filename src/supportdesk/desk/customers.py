"""Who is one person: customers that were merged, read as the one that survives with what the others tell of him.

A merge is a pointer; each customer keeps its own row, addresses and tickets. How two are merged is `customer_merge`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from supportdesk.desk.model import as_one
from supportdesk.desk.ports import Row
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _


class Rows(Protocol):
    """What a reader and a transaction have in common."""

    def rows(self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Person:
    """A customer with all that were merged into him. `stored` is his own row, `row` what is known of him in all."""

    stored: Row
    row: Row
    members: tuple[int, ...]  # himself first

    @property
    def id(self) -> int:
        return int(self.stored["id"])


def person_of(source: Rows, customer_id: int) -> Person:
    """The person that a customer is, or was merged into. Raises NotFound."""
    return persons(source, [customer_id])[customer_id]


def persons(source: Rows, customers: Iterable[int | None]) -> dict[int, Person]:
    """The person that each of these customers is, in two statements where none was merged. Raises NotFound."""
    wanted = {customer for customer in customers if customer is not None}
    rows: dict[int, Row] = {}
    unknown = wanted
    while unknown:
        rows |= {row["id"]: row for row in source.rows("customer", {"id": sorted(unknown)})}
        if missing := unknown - rows.keys():
            raise NotFound(_("there is no customer {customer}").format(customer=min(missing)))
        unknown = {row["merged_into"] for row in rows.values()} - rows.keys() - {None}
    generation = [customer for customer, row in rows.items() if row["merged_into"] is None]
    top = {customer: customer for customer in generation}
    while generation:
        below = source.rows("customer", {"merged_into": generation}, order="id")
        rows |= {row["id"]: row for row in below}
        top |= {row["id"]: top[row["merged_into"]] for row in below}
        generation = [row["id"] for row in below]
    families: dict[int, list[Row]] = defaultdict(list)
    for customer, root in top.items():
        families[root].append(rows[customer])
    people: dict[int, Person] = {}
    for root, (survivor, *merged) in families.items():
        merged.sort(key=lambda row: int(row["id"]))
        people[root] = Person(survivor, as_one([survivor, *merged]), (root, *(row["id"] for row in merged)))
    return {customer: people[top[customer]] for customer in wanted}


def what_is_known(source: Rows, customer_id: int | None) -> Row:
    """The row of the person that a customer is; empty for nobody."""
    return person_of(source, customer_id).row if customer_id is not None else {}


def is_same_person(source: Rows, one: int | None, other: int | None) -> bool:
    """Whether two customers are one, by merges too; nobody is nobody else."""
    if one == other or one is None or other is None:
        return one == other
    return other in person_of(source, one).members
