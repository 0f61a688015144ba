"""Watches the statements that the product sends in whatever test: none of them reads a big table from end to end.

Each statement is explained once in a test process, on an empty desk of the kind it was sent to; the test that sent it
first fails where no index answers it. So a new screen or verb is watched as soon as it has any test. What a test asks
by itself, past the desk's use cases, is its own business. `UNHURRIED` names whom no screen and no plain verb waits for.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from supportdesk.store import create_or_upgrade
from supportdesk.store.address import parse_url
from supportdesk.store.columns import TABLES
from supportdesk.store.connect import Connection, connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType, ModuleType

    from tests.support.postgres import PostgresServer

SMALL: Final = {
    "agent": "a handful of people",
    "calendar": "some sets of opening hours",
    "canned": "a shop writes some dozens of responses",
    "canned_variant": "those, in its languages",
    "folder": "the folders that are watched",
    "lease": "one row a worker",
    "mailbox": "the addresses of the shop",
    "market": "the countries it sells to",
    "presence": "who has a ticket open now",
    "saved_view": "some for each agent",
    "setting": "some dozens",
    "signing_key": "one, and those before it",
    "sla_snapshot": "one for each change of the promises",
    "team": "some groups of agents",
    "team_member": "who is in them",
    "view_count": "one row for a view and an agent",
    "view_count_delta": "what came since the worker folded it into view_count",
}
"""The tables that may be read from end to end, and why they stay small. Every other one may grow to millions."""

UNHURRIED: Final = {
    "bootstrap.py back_up": "`backup` carries every row of a desk on Postgres",
    "bootstrap.py copy_desk": "`db copy` carries every row, and tells how far it is",
    "bootstrap.py database_facts": "`doctor` counts the views anew",
    "bootstrap.py find_faults": "`doctor` looks for what has lost its other half",
    "bootstrap.py mend_fault": "`doctor --fix`",
    "bootstrap.py restore": "`restore` counts what it brings back",
    "desk/audit.py audit": "`mail audit` proves something of every delivery",
    "desk/importing.py Importer._process": "`mail import` proves at its beginning and its end that no mail was dropped",
    "desk/importing.py Importer.run": "the same",
    "desk/reindex.py Reindexer._recount": "`reindex` counts the views anew",
    "engine.py Engine.keep_house": "the worker sweeps up the pieces of blobs that a crash left, every hour",
    "worker.py Worker._keep_house": "the worker counts the views anew as it begins",
}
"""Who may read a big table from end to end, as `file function`, and what for: no screen waits for that."""

PAGES: Final = {
    "SELECT id FROM ticket WHERE merged_into IS NULL ORDER BY id DESC LIMIT ?": "of a view's tickets few are merged",
}
"""Walks that a LIMIT ends soon although there is a condition, and why it does."""

_SOURCE: Final = f"{Path(create_or_upgrade.__code__.co_filename).parents[1]}/"
_STORE: Final = f"{_SOURCE}store/"
_TESTS: Final = f"{Path(__file__).parents[1]}/"
_EXPLAINED: Final = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_ALIAS: Final = re.compile(r"(?:\bFROM|\bJOIN|,|\bUPDATE|\bINTO)\s+(\w+)\s+(?:AS\s+)?(\w+)", re.IGNORECASE)
_SQLITE_SCAN: Final = re.compile(
    r"SCAN (?P<table>\w+)(?: USING (?:COVERING )?INDEX (?P<index>\w+))?(?P<virtual> VIRTUAL)?"
    r"|SEARCH (?P<indexed>\w+) USING AUTOMATIC"  # an index that is made for this one question
)
_POSTGRES_NODE: Final = re.compile(
    r"(?P<indent> *)(?:->  )?(?P<kind>[A-Z][A-Za-z ]*?)(?: using (?P<index>\w+))?(?: on (?P<on>\w+)[^()]*)?  \(cost="
)
_BOUNDED_BY_LIMIT: Final = ("Append", "LockRows", "Merge Append", "Nested Loop Left Join", "Result", "Subquery Scan")
"""What asks for no more rows than a LIMIT above it does."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement as it went to a database, the values it was sent with, and its `owner`: "desk/look.py look_up"."""

    sql: str
    params: tuple[Any, ...]
    driver: ModuleType
    owner: str

    @property
    def database(self) -> str:
        return self.driver.__name__.partition(".")[0]


class EmptyDesk:
    """A desk without a row, on which statements are explained and none is run."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        if connection.is_postgres:
            # It reads small tables from end to end whatever there is; here it may not.
            connection.execute("SET enable_seqscan = off")
            sql = "SELECT indexname, tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()"
        else:
            sql = "SELECT name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE type = 'index'"
        indexes = connection.execute(sql)
        self._tables: dict[str, str] = {name: table for name, table, _definition in indexes}
        self._bounded = {name for name, _table, definition in indexes if " WHERE " in definition.upper()}

    def plan(self, sql: str, params: tuple[Any, ...]) -> list[str]:
        prefix = "EXPLAIN " if self._connection.is_postgres else "EXPLAIN QUERY PLAN "
        return [str(row[-1]) for row in self._connection.execute(prefix + sql, params)]

    def read_whole(self, sql: str, params: tuple[Any, ...] = ()) -> set[str]:
        """The tables, but for the small ones, that no index keeps a statement from reading from end to end.

        A walk that a LIMIT ends at once is none, nor one along an index that has a condition of its own. Postgres takes
        a table without rows for a few pages, which may as well be read whole: only what has no other way counts.
        """
        if not self._connection.is_postgres:
            return _big(self._walked_on_sqlite(sql, self.plan(sql, params)))
        found = _big(self._walked_on_postgres(self.plan(sql, params)))
        for without in (("indexscan", "indexonlyscan"), ("bitmapscan",)):
            if found:
                for way in without:
                    self._connection.execute(f"SET enable_{way} = off")
                found &= _big(self._walked_on_postgres(self.plan(sql, params)))
                for way in without:
                    self._connection.execute(f"RESET enable_{way}")
        return found

    def _walked_on_sqlite(self, sql: str, plan: list[str]) -> Iterator[str]:
        names = {alias: table for table, alias in _ALIAS.findall(sql)}
        is_page = "LIMIT" in sql and "WHERE" not in sql
        for line in plan:
            scan = _SQLITE_SCAN.match(line)
            if scan and (scan["indexed"] or not (scan["index"] in self._bounded or scan["virtual"] or is_page)):
                name = str(scan["table"] or scan["indexed"])
                yield names.get(name, name)

    def _walked_on_postgres(self, plan: list[str]) -> Iterator[str]:
        """An index without an `Index Cond` is read from end to end too, if not by as many rows as a LIMIT lets pass."""
        above: list[tuple[int, bool]] = []  # the indent of each, and whether a LIMIT bounds it
        for number, line in enumerate(plan):
            node = _POSTGRES_NODE.match(line)
            if node is None:
                continue
            indent, kind = len(node["indent"]), node["kind"]
            above = [one for one in above if one[0] < indent]
            is_page = bool(above) and above[-1][1]
            above.append((indent, kind == "Limit" or (is_page and kind in _BOUNDED_BY_LIMIT)))
            if kind.endswith("Seq Scan"):
                yield node["on"]
            elif "Index" in kind:
                index = node["index"] or node["on"]
                told = takewhile(lambda one: not _POSTGRES_NODE.match(one), plan[number + 1 :])
                conditions = [one.strip().partition(":")[0] for one in told]
                is_bounded = index in self._bounded or (is_page and "Filter" not in conditions)
                if "Index Cond" not in conditions and not is_bounded:
                    yield self._tables.get(index, index)


def _big(tables: Iterable[str]) -> set[str]:
    return (set(tables) & TABLES.keys()) - SMALL.keys()


class PlanWatch:
    """Notes each statement of the product that is new in this process."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: set[tuple[str, str]] = set()
        self._server_url = ""
        self.new: list[Sent] = []

    def begin(self, patch: pytest.MonkeyPatch) -> None:
        for name in ("execute", "change", "change_many", "stream"):
            patch.setattr(Connection, name, _noting(self, getattr(Connection, name)))

    def note(self, connection: Connection, sql: str, params: Sequence[Any]) -> None:
        """Called by the noting methods, two frames below whoever uses the connection."""
        key = (connection.driver.__name__, sql)
        if key in self._known or not _EXPLAINED.match(sql):
            return
        owner = _owner(sys._getframe(2))
        if owner:
            self._known.add(key)
            self.new.append(Sent(sql, tuple(params), connection.driver, owner))

    def complaints(self, server: PostgresServer | None) -> list[str]:
        """What is wrong with the plans of the new statements; they are not new after that.

        Those of Postgres stay unknown until a server is there on which they can be explained.
        """
        new, self.new = self.new, []
        if server is not None and not self._server_url:
            self._server_url = server.create_from("schema", create_or_upgrade)
        found = []
        for driver in {sent.driver for sent in new}:
            of_it = [sent for sent in new if sent.driver is driver]
            if driver.__name__ == "psycopg" and not self._server_url:
                self._known -= {(driver.__name__, sent.sql) for sent in of_it}
                continue
            with self._empty_desk(driver) as desk:
                for sent in of_it:
                    whole = desk.read_whole(sent.sql, sent.params)
                    if whole and sent.owner not in UNHURRIED and sent.sql not in PAGES:
                        head = f"{sent.owner} reads the whole of {', '.join(sorted(whole))} ({sent.database}):"
                        found.append("\n  ".join([head, sent.sql, *desk.plan(sent.sql, sent.params)]))
        return found

    @contextmanager
    def _empty_desk(self, driver: ModuleType) -> Iterator[EmptyDesk]:
        if driver.__name__ == "psycopg":
            connection = connect(parse_url(self._server_url))
        else:
            file = self._directory / f"{driver.__name__}.db"
            if not file.exists():
                create_or_upgrade(str(file))
            connection = Connection(driver.connect(str(file)), driver, is_postgres=False)
        try:
            yield EmptyDesk(connection)
        finally:
            connection.close()


@pytest.fixture(scope="session", autouse=True)
def plan_watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlanWatch]:
    watch = PlanWatch(tmp_path_factory.mktemp("plans"))
    with pytest.MonkeyPatch.context() as patch:
        watch.begin(patch)
        yield watch


@pytest.fixture(autouse=True)
def _no_big_table_is_read_whole(plan_watch: PlanWatch, request: pytest.FixtureRequest) -> Iterator[None]:
    kind = getattr(getattr(request.node, "callspec", None), "params", {}).get("database")
    on_postgres = kind == "postgres" or "postgres_server" in request.fixturenames
    server = request.getfixturevalue("postgres_server") if on_postgres else None
    yield
    if plan_watch.new:
        complaints = plan_watch.complaints(server)
        assert not complaints, "\n\n".join(complaints)


def _noting(watch: PlanWatch, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def noted(self: Connection, sql: str, params: Any = (), *more: Any, **named: Any) -> Any:
        if method.__name__ != "change_many":
            watch.note(self, sql, params)
        elif params := list(params):
            watch.note(self, sql, params[0])
        return method(self, sql, params, *more, **named)

    return noted


def _owner(frame: FrameType | None) -> str:
    """Whose statement it is: what asked the store for it, if that is of the product and no test."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(_TESTS):
            return ""
        if file.startswith(_SOURCE) and not file.startswith(_STORE):
            return f"{file[len(_SOURCE) :]} {frame.f_code.co_qualname.partition('.<locals>')[0]}"
        frame = frame.f_back
    return ""
