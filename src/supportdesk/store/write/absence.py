"""What a transaction knows not to be in the database: asked for many values in one statement, instead of one by one.

A mail asks whether its content, its Message-ID, its thread, its sender and its action are known; nearly always the
answer is no. Here are those noes, for as long as they are true: a row that the transaction writes with such a value
ends what was known of it. Nothing is kept of values that are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from supportdesk.store.columns import table
from supportdesk.store.connect import Connection
from supportdesk.store.statements import INDEXED_UNLESS_EMPTY
from supportdesk.store.values import clean_text

Row = Mapping[str, Any]
Column = tuple[str, str]  # table, column

BESIDE: Final = {("customer_identity", "value_norm"): ("kind", "email")}
"""Columns that are indexed behind another one: they are asked for with this value of it, and known of it alone."""

MOST: Final = 256
"""Values of one column that are asked for at once; what is beyond is left to the single statements."""


class Absence:
    """The values that no row has, by table and column."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._absent: dict[str, dict[str, set[Any]]] = {}

    def ask(self, wanted: Mapping[Column, Iterable[str]]) -> None:
        """Find out which of these texts their columns do not hold, all of them in one statement."""
        asked = {column: _distinct(values) for column, values in wanted.items()}
        asked = {column: values for column, values in asked.items() if values}
        if not asked:
            return
        sql = " UNION ALL ".join(
            _question(at, *column, _padded_length(len(values))) for at, (column, values) in enumerate(asked.items())
        )
        params = [value for values in asked.values() for value in _padded(values)]
        found = set(self._connection.execute(sql, params))
        for at, ((name, column), values) in enumerate(asked.items()):
            known = self._absent.setdefault(name, {}).setdefault(column, set())
            known.update(value for value in values if (at, value) not in found)

    def holds(self, name: str, where: Row) -> bool:
        """Whether it is known that no row of the table is so; `where` as in `select_rows`."""
        columns = self._absent.get(name)
        if columns is None:
            return False
        for column, absent in columns.items():
            if column in where and _all_in(where[column], absent):
                other, value = BESIDE.get((name, column), ("", None))
                if not other or where.get(other) == value:
                    return True
        return False

    def forget(self, name: str, values: Row) -> None:
        """Rows with these values were written."""
        columns = self._absent.get(name)
        if columns is not None:
            for column, absent in columns.items():
                if isinstance(value := values.get(column), str):
                    absent.discard(clean_text(value))


def _all_in(value: Any, absent: set[Any]) -> bool:
    if isinstance(value, str):
        return value in absent
    return isinstance(value, list | tuple | set | frozenset) and bool(value) and absent.issuperset(value)


def _question(at: int, name: str, column: str, count: int) -> str:
    """Which of so many values a row has. Every row of the answer is the question's number and such a value."""
    table(name).check(column)
    indexed = f" AND \"{column}\" <> ''" if (name, column) in INDEXED_UNLESS_EMPTY else ""
    if (name, column) in BESIDE:
        other, value = BESIDE[name, column]
        indexed = f" AND \"{other}\" = '{value}'"
    values = ", ".join(["(?)"] * count)
    return (
        f"SELECT {at}, column1 FROM (VALUES {values}) AS asked_{at}"
        f' WHERE EXISTS (SELECT 1 FROM "{name}" WHERE "{column}" = column1{indexed})'
    )


def _distinct(values: Iterable[str]) -> list[str]:
    return [value for value in dict.fromkeys(map(clean_text, values)) if value][:MOST]


def _padded(values: list[str]) -> list[str]:
    return values + values[-1:] * (_padded_length(len(values)) - len(values))


def _padded_length(count: int) -> int:
    """The next power of two: a statement for each would leave no room for others among the prepared ones."""
    return 1 << (count - 1).bit_length()
