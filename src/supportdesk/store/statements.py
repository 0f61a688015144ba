"""The plain statements on one table, built from the column map and run on a connection.

Names come from `store.columns` alone, values are always parameters. Text is cached: a statement is built once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from supportdesk.store.columns import TableColumns, table
from supportdesk.store.connect import Connection, Duplicate
from supportdesk.store.values import DECODERS, ENCODERS

Row = Mapping[str, Any]
Statement = tuple[str, list[Any]]

INDEXED_UNLESS_EMPTY = frozenset(
    {("message_mail", "message_id_norm"), ("message_mail", "thread_root"), ("outbox", "message_id_header")}
)
"""Columns whose index leaves out "": SQLite takes it only where the condition says so."""

NOT_EMPTY = -2

IN_LIMIT = 500
"""Values of one IN list; longer ones are asked for in groups."""


def select_rows(
    connection: Connection,
    name: str,
    where: Row | None = None,
    *,
    order: str = "",
    limit: int = 0,
    lock: bool = False,
    skip_locked: bool = False,
    columns: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Rows whose columns equal `where` (None means NULL, a list or tuple means IN). `lock` takes row locks on Postgres.

    With `skip_locked` it takes them too, but waits for nobody: rows that another transaction has locked are left out.
    `columns` are those that are read, all where none are named. Raises UsageError for an unknown table or column.
    """
    shape, params = _where(table(name), where or {})
    if shape is None:
        return []
    locks = ""
    if connection.is_postgres and (lock or skip_locked):
        locks = " FOR UPDATE SKIP LOCKED" if skip_locked else " FOR UPDATE"
    names = tuple(columns)
    sql = _select(name, names, shape, order, limit > 0, locks)
    if limit > 0:
        params.append(limit)
    return _decoded(name, names, connection.execute(sql, params))


def decode_rows(columns: TableColumns, raw: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    """Tuples of all columns of a table, in order, as rows."""
    return _decoded(columns.name, (), raw)


def _decoded(name: str, columns: tuple[str, ...], raw: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    names, decoders = _decoders(name, columns)
    rows = []
    for values in raw:
        decoded = list(values)
        for at, decode in decoders:
            if decoded[at] is not None:
                decoded[at] = decode(decoded[at])
        rows.append(dict(zip(names, decoded, strict=True)))
    return rows


def insert_row(connection: Connection, name: str, values: Row) -> int | None:
    """Insert one row; the id that the database gave it where it numbers them.

    Raises Duplicate where a unique key is taken; a Postgres transaction goes on after that.
    """
    columns = table(name)
    sql = _insert(name, tuple(values), ignore=True)
    params = _encoded(columns, values)
    if columns.identity:
        if found := connection.execute(sql, params):
            return int(found[0][0])
    elif connection.change(sql, params):
        return None
    raise Duplicate(f"such a {name} is there already")


def insert_and_read(connection: Connection, name: str, values: Row) -> dict[str, Any]:
    """Insert one row and return it whole, with what the database added. Raises Duplicate like `insert_row`."""
    sql = _insert(name, tuple(values), ignore=True, returning=False) + _returning(name)
    if found := _decoded(name, (), connection.execute(sql, _encoded(table(name), values))):
        return found[0]
    raise Duplicate(f"such a {name} is there already")


def insert_if_absent(connection: Connection, name: str, values: Row) -> bool:
    """Insert one row unless a unique key is taken; whether it was inserted."""
    return connection.change(*insertion(name, values)) == 1


def insertion(name: str, values: Row) -> Statement:
    """The statement that inserts one row, or changes nothing where a unique key is taken."""
    return _insert(name, tuple(values), ignore=True, returning=False), _encoded(table(name), values)


def insert_rows(connection: Connection, name: str, rows: Sequence[Row]) -> None:
    """Insert rows that name the same columns."""
    columns = table(name)
    sql = _insert(name, tuple(rows[0]), ignore=False, returning=False)
    connection.change_many(sql, [_encoded(columns, row) for row in rows])


def update_row(connection: Connection, name: str, key: Row, before: Row, after: Row, grow: Sequence[str] = ()) -> int:
    """Set `after` (and add one to the columns of `grow`) where key and `before` still hold; the number of rows."""
    return connection.change(*updating(name, key, before, after, grow))


def updating(name: str, key: Row, before: Row, after: Row, grow: Sequence[str] = ()) -> Statement:
    """The statement of `update_row`."""
    columns = table(name)
    shape, where = _where(columns, {**before, **key}, exact=True)
    assert shape is not None
    return _update(name, tuple(after), tuple(grow), shape), [*_encoded(columns, after), *where]


def update_and_read(
    connection: Connection, name: str, key: Row, before: Row, after: Row, grow: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """`update_row`, answered with the rows as they are now."""
    sql, params = updating(name, key, before, after, grow)
    return _decoded(name, (), connection.execute(sql + _returning(name), params))


def delete_row(connection: Connection, name: str, key: Row, before: Row) -> int:
    columns = table(name)
    shape, where = _where(columns, {**before, **key}, exact=True)
    assert shape is not None
    return connection.change(f'DELETE FROM "{columns.name}"{_condition(shape)}', where)


def groups(values: Iterable[Any], size: int = IN_LIMIT) -> Iterable[list[Any]]:
    """The values in lists of at most `size`."""
    listed = list(values)
    return (listed[at : at + size] for at in range(0, len(listed), size))


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?` for an IN list."""
    return ", ".join("?" * len(values))


def _encoded(columns: TableColumns, values: Row) -> list[Any]:
    encoders = _encoders(columns.name, tuple(values))
    return [encode(value) for encode, value in zip(encoders, values.values(), strict=True)]


@lru_cache(maxsize=1000)
def _encoders(name: str, columns: tuple[str, ...]) -> tuple[Callable[[Any], Any], ...]:
    return tuple(ENCODERS[table(name).check(column)] for column in columns)


@lru_cache(maxsize=1000)
def _decoders(name: str, columns: tuple[str, ...]) -> tuple[tuple[str, ...], list[tuple[int, Callable[[Any], Any]]]]:
    """The names of the columns that are read (all where none are given), and what makes values of those at a place."""
    kinds = table(name).kinds
    names = columns or tuple(kinds)
    return names, [(at, decode) for at, column in enumerate(names) if (decode := DECODERS[kinds[column]])]


@lru_cache(maxsize=100)
def _returning(name: str) -> str:
    return " RETURNING " + _listed(tuple(table(name).kinds))


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


Shape = tuple[tuple[str, int], ...]  # column, and how many values: -1 IS NULL, 0 equals, n IN (n values)


def _where(columns: TableColumns, where: Row, *, exact: bool = False) -> tuple[Shape | None, list[Any]]:
    """The shape of a condition and its parameters; no shape when an empty IN list makes it impossible."""
    shape: list[tuple[str, int]] = []
    params: list[Any] = []
    for name, value in where.items():
        kind = columns.check(name)
        encode = ENCODERS[kind]
        if value is None and kind != "json":
            shape.append((name, -1))
        elif isinstance(value, list | tuple | set | frozenset) and kind != "json" and not exact:
            if not value:
                return None, []
            params += [encode(item) for item in value]
            shape.append((name, len(value)))
        else:
            params.append(encode(value))
            shape.append((name, 0))
        if (columns.name, name) in INDEXED_UNLESS_EMPTY and "" not in ([value] if isinstance(value, str) else value):
            shape.append((name, NOT_EMPTY))
    return tuple(shape), params


def _condition(shape: Shape) -> str:
    if not shape:
        return ""
    return " WHERE " + " AND ".join(_term(name, count) for name, count in shape)


def _term(name: str, count: int) -> str:
    if count == NOT_EMPTY:
        return f"\"{name}\" <> ''"
    if count < 0:
        return f'"{name}" IS NULL'
    return f'"{name}" IN ({", ".join("?" * count)})' if count else f'"{name}" = ?'


@lru_cache(maxsize=1000)
def _select(name: str, names: tuple[str, ...], shape: Shape, order: str, limited: bool, locks: str) -> str:
    columns = table(name)
    for column in names:
        columns.check(column)
    sql = f'SELECT {_listed(names or columns.kinds)} FROM "{name}"{_condition(shape)}'
    if order:
        column = order.removeprefix("-")
        columns.check(column)
        sql += f' ORDER BY "{column}"' + (" DESC" if order[0] == "-" else "")
    return sql + (" LIMIT ?" if limited else "") + locks


@lru_cache(maxsize=1000)
def _insert(name: str, names: tuple[str, ...], ignore: bool, returning: bool = True) -> str:
    columns = table(name)
    if not names:
        sql = f'INSERT INTO "{name}" DEFAULT VALUES'
    else:
        sql = f'INSERT INTO "{name}" ({_listed(names)}) VALUES ({", ".join("?" * len(names))})'
    if ignore:
        sql += " ON CONFLICT DO NOTHING"
    return sql + (f' RETURNING "{columns.identity}"' if columns.identity and returning else "")


@lru_cache(maxsize=1000)
def _update(name: str, names: tuple[str, ...], grow: tuple[str, ...], shape: Shape) -> str:
    columns = table(name)
    for column in grow:
        columns.check(column)
    sets = [f'"{column}" = ?' for column in names] + [f'"{column}" = "{column}" + 1' for column in grow]
    return f'UPDATE "{name}" SET {", ".join(sets)}{_condition(shape)}'
