"""The questions asked all day long are answered by an index on both databases: no table is read from end to end."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from supportdesk.desk.delivery import due_rows
from supportdesk.desk.desk import Desk
from supportdesk.desk.model import ActionId, AgentId, CustomerId, Mailbox, MailboxId, TicketId
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.query import Known, read_query
from supportdesk.store.columns import table as columns_of
from supportdesk.store.connect import Connection
from supportdesk.store.read import fulltext, narrow
from tests.store.desk import add_ticket, apply
from tests.support.plans import PAGES, EmptyDesk, PlanWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from supportdesk.desk.model import Query
    from supportdesk.store import SqlStore
    from supportdesk.store.read.reader import SqlReader
    from tests.store.desk import SmallDesk

    Question = Callable[[SqlReader, datetime], object]
    Execute = Callable[[Connection, str, Any], list[tuple[Any, ...]]]

BIG = ("ticket", "message", "message_text", "event", "outbox", "delivery", "message_mail", "attachment", "parked")

ME, TICKET = AgentId(1), TicketId(1)
VIEWS = (
    "needs_reply", "mine", "unassigned", "with_customer", "snoozed", "notifications", "all_open", "solved", "spam",
)  # fmt: skip
FREQUENT = ", narrowed by a frequent word"
IN_INDEX_ORDER = {"held", *VIEWS, *(f"{view}{FREQUENT}" for view in VIEWS)} - {
    f"{view}{narrowed}" for view in ("with_customer", "snoozed") for narrowed in ("", FREQUENT)
}


QUERIES = (
    "grazie", "tag:return", "tag:return,refund", "lang:it", "lang:de lang:fr", "assignee:me", "assignee:me lang:it",
    "from:rossi", "subject:reso", "customer:rossi", "order:5521", "after:1d", "after:9d before:1d", "#1", "1",
    "mailbox:1", "is:open", "is:unanswered", "is:overdue", "is:open tag:return", "is:unread is:open", "waiting:>4h",
    "waiting:>4h -tag:spam", "due:<2h", "is:snoozed in:snoozed", "has:draft", "has:note", "tag:return has:attachment",
    "lang:it has:note", "tag:return OR order:5521", "(tag:return OR grazie) -is:spam", "is:open sort:waiting",
    "is:open sort:newest", "in:needs_reply sort:oldest", "in:mine grazie", "in:solved grazie", "status:on_hold",
    "grazie sort:relevance", "(grazie OR reso) lang:it sort:relevance", "in:mine subject:reso sort:relevance",
)  # fmt: skip
"""What a filter, a saved view or the command line asks of the whole desk."""

INDEXED = (
    "lang:it", "assignee:me", "mailbox:1", "status:on_hold", "order:5521", "is:open", "is:unanswered tag:return",
    "is:open grazie", "waiting:>4h lang:it", "lang:it -tag:spam grazie", "grazie lang:it sort:relevance",
)  # fmt: skip
"""Those that have an index however many tickets they hold for; others walk the desk, newest first, to a full page."""


def asked(text: str, now: datetime) -> Query:
    mailbox = Mailbox(MailboxId(1), "a@b.test", "", "", (), None, None, "active")
    return read_query(text, Known(now=now, mailboxes=(mailbox,)), typing=False)


def list_view(view: str, text: str = "") -> Question:
    return lambda read, now: read.queue_ids(view, agent_id=ME, now=now, query=asked(text, now), limit=50)


def search(text: str) -> Question:
    return lambda read, now: read.search(asked(text, now), agent_id=ME, now=now)


QUESTIONS: dict[str, Question] = {
    **{view: list_view(view) for view in VIEWS},
    **{f"{view}{FREQUENT}": list_view(view, "grazie") for view in VIEWS},
    "used words": lambda read, _now: read.used_words(),
    "row": lambda read, _now: read.row("message", {"id": 1}),
    "rows": lambda read, now: read.queue_rows([TICKET], agent_id=ME, now=now),
    "counts": lambda read, now: read.counts(agent_id=ME, now=now),
    "thread": lambda read, now: read.thread(TICKET),
    "to announce": lambda read, now: read.to_announce(now=now, limit=100),
    "unanswered": lambda read, now: read.unanswered(now=now),
    "outbox": lambda read, now: read.outbox(states=["held", "deferred"]),
    "due": lambda read, now: due_rows(read, now, mailboxes=[1], limit=20),
    "held": lambda read, now: read.rows("outbox", {"state": "held", "mailbox_id": [1]}, order="not_before", limit=20),
    "drafts": lambda read, now: read.outbox(ticket_id=TICKET, agent_id=ME),
    "feed": lambda read, now: read.events(after=10),
    "timeline": lambda read, now: read.events(ticket_id=TICKET),
    "action": lambda read, now: read.event_details(ActionId("x")),
    "customer": lambda read, now: read.customer(CustomerId(1)),
    "ticket": lambda read, _now: read.ticket(TICKET),
    "tags": lambda read, _now: read.tags(TICKET),
    "presence": lambda read, now: read.presence(TICKET, now=now),
    "spine": lambda read, now: read.queue_spine("needs_reply", agent_id=ME, now=now),
    "followed": lambda read, _now: read.followed_news(ME, ["message"]),
    "addresses": lambda read, _now: read.addresses("ro"),
    "canned uses": lambda read, _now: read.canned_uses(),
    "feed position": lambda read, _now: read.feed_position(),
}


class Explained(NamedTuple):
    """A statement, the values it was sent with, and the lines of its plan."""

    sql: str
    params: tuple[Any, ...]
    plan: tuple[str, ...]


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch, look: Callable[[Execute, Connection, str, Any], None]) -> Iterator[None]:
    """`look` is called before every SELECT inside the block, with what carries out a statement unseen."""
    execute, stream = Connection.execute, Connection.stream

    def see(self: Connection, sql: str, params: Any) -> None:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            look(execute, self, sql, params)

    def seen_execute(self: Connection, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        see(self, sql, params)
        return execute(self, sql, params)

    def seen_stream(self: Connection, sql: str, params: Any = (), size: int = 1000) -> Any:
        see(self, sql, params)
        return stream(self, sql, params, size)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "execute", seen_execute)
        patch.setattr(Connection, "stream", seen_stream)
        yield


@contextmanager
def explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Explained]]:
    """All SELECTs that run inside the block, with their plans."""
    plans: list[Explained] = []

    def explain(execute: Execute, connection: Connection, sql: str, params: Any) -> None:
        prefix = "EXPLAIN " if connection.is_postgres else "EXPLAIN QUERY PLAN "
        plan = tuple(str(row[-1]) for row in execute(connection, prefix + sql, params))
        plans.append(Explained(sql, tuple(params), plan))

    with watched(monkeypatch, explain):
        yield plans


@pytest.fixture
def planned(store: SqlStore, desk: SmallDesk) -> SqlStore:
    """Postgres reads small tables from end to end whatever there is; here it may not."""
    for number in range(20):
        language = ("it", "it-CH", "de", "")[number % 4]
        add_ticket(store, "grazie", status=("solved", "pending", "open")[number % 3], kind="human", language=language)
    apply(store, Plan(silent=(Update("agent", {"id": ME}, {"languages": []}, {"languages": ["it"]}),)))
    if store.address.is_postgres:
        with store.connection() as connection:
            connection.execute("SET enable_seqscan = off")
    return store


@pytest.mark.parametrize("view", VIEWS)
def test_the_hits_that_narrow_a_view_are_gathered_once(
    planned: SqlStore, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(narrow, "FEW", 0)
    monkeypatch.setattr(fulltext, "FREQUENT", 1_000)
    with explained(monkeypatch) as plans:
        QUESTIONS[f"{view}{FREQUENT}"](planned.read, planned.clock.now())
    plans = [one for one in plans if one.sql.startswith("SELECT id FROM ticket WHERE")]
    once = "hashed SubPlan" if planned.address.is_postgres else "LIST SUBQUERY"
    assert plans
    for one in plans:
        assert any(once in line for line in one.plan), one


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_answered_by_an_index(planned: SqlStore, monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    if question.endswith(FREQUENT):
        monkeypatch.setattr(narrow, "FEW", 0)
    with explained(monkeypatch) as plans:
        QUESTIONS[question](planned.read, planned.clock.now())
    check(planned, plans, in_index_order=question in IN_INDEX_ORDER)


@pytest.mark.parametrize("few", [narrow.FEW, 0], ids=["rare", "frequent"])
def test_every_query_on_the_whole_desk_is_answered_by_an_index(
    planned: SqlStore, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(narrow, "FEW", few)
    for text in QUERIES if few else INDEXED:
        for ask in (list_view("all", text), search(text)):
            with explained(monkeypatch) as plans:
                ask(planned.read, planned.clock.now())
            check(planned, plans)


WITHOUT_A_PLAN = {"close", "wait_for_change", "audit"}
"""Methods of the reader that read nothing, and the audit, which proves something of every row of the ledger."""


def test_every_method_of_the_reader_has_its_question_here(planned: SqlStore) -> None:
    """A new one fails until it is asked above, where its plan is looked at."""
    asked_for: set[str] = set()

    class Noting:
        def __getattr__(self, name: str) -> Any:
            asked_for.add(name)
            return getattr(planned.read, name)

    for question in (*QUESTIONS.values(), list_view("all"), search("grazie")):
        question(Noting(), planned.clock.now())  # type: ignore[arg-type]
    methods = {name for name in dir(type(planned.read)) if not name.startswith("_")}
    assert methods - asked_for == WITHOUT_A_PLAN


def plain_reads() -> dict[str, tuple[str, dict[str, Any], str, int]]:
    """Every `rows("table", {…})` of the desk and its front ends: table, columns, order, limit."""
    found = {}
    source = Path(narrow.__file__).parents[2]
    for file in (one for room in ("desk", "cli", "tui") for one in sorted((source / room).rglob("*.py"))):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "rows"):
                continue
            table, where = (*call.args, None, None)[:2]
            if not isinstance(table, ast.Constant) or table.value not in BIG or not isinstance(where, ast.Dict):
                continue
            if not all(isinstance(key, ast.Constant) for key in where.keys):
                continue
            values: dict[str, Any] = {
                str(key.value): value.value if isinstance(value, ast.Constant) else ...
                for key, value in zip(where.keys, where.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            given = {one.arg: one.value for one in call.keywords}
            order = given.get("order")
            by = str(order.value) if isinstance(order, ast.Constant) else ""
            name = f"{table.value}({', '.join(values)}){' by ' + by if by else ''}"
            found[name] = (str(table.value), values, by, int("limit" in given))
    return found


def test_every_plain_read_of_a_big_table_has_its_index(planned: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {"int": 1, "text": "x", "time": None, "flag": False, "json": {}}
    asked_of = set()
    for table, values, order, limit in plain_reads().values():
        kinds = columns_of(table).kinds
        where = {column: samples[kinds[column]] if value is ... else value for column, value in values.items()}
        with explained(monkeypatch) as plans:
            planned.read.rows(table, where, order=order, limit=limit * 50)
        check(planned, plans)
        asked_of.add(table)
    assert asked_of >= {"ticket", "message", "event", "outbox", "delivery", "message_mail"}


READ_WHOLE: tuple[tuple[str, set[str]], ...] = (
    ("SELECT id FROM message WHERE channel = 'mail'", {"message"}),
    ("SELECT id FROM message WHERE channel = 'mail' LIMIT 1", {"message"}),
    ("SELECT at FROM event ORDER BY seq DESC LIMIT 1", set()),
    ("SELECT ticket_id FROM message WHERE kind = 'note'", set()),
    ("SELECT m.id FROM ticket AS t JOIN message AS m ON m.ticket_id = t.id WHERE t.id = 1", set()),
    ("SELECT m.id FROM agent AS a JOIN message AS m ON m.author_name = a.name", {"message"}),
    ("SELECT body FROM setting CROSS JOIN sla_snapshot", set()),
    ("UPDATE ticket SET subject = '' WHERE subject = 'x'", {"ticket"}),
    ("DELETE FROM ticket_tag WHERE ticket_id = 1", set()),
    ("SELECT count(*) FROM event WHERE at > '2026-01-01'", {"event"}),
    ("SELECT max(seq) FROM event", set()),
    ("SELECT count(*) FROM event", {"event"}),
    ("SELECT id FROM ticket WHERE subject = 'x' ORDER BY id", {"ticket"}),
    ("SELECT id FROM ticket WHERE subject = 'x' ORDER BY id LIMIT 20", {"ticket"}),
    ("SELECT id FROM ticket ORDER BY id DESC LIMIT 20", set()),
    ("SELECT count(*) FROM (SELECT id FROM ticket ORDER BY id LIMIT 20) AS page", set()),
    ("SELECT language, count(*) FROM ticket GROUP BY language", {"ticket"}),
    ("SELECT count(*) FROM ticket WHERE snoozed_until IS NOT NULL AND merged_into IS NULL", set()),
)
"""What the watch of tests.support.plans says of a statement."""


@pytest.mark.parametrize(("sql", "tables"), READ_WHOLE)
def test_a_table_that_is_read_from_end_to_end_is_seen(store: SqlStore, sql: str, tables: set[str]) -> None:
    with store.connection() as connection:
        assert EmptyDesk(connection).read_whole(sql) == tables


def test_what_the_product_asks_is_watched_and_what_a_test_asks_is_not(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    watch = PlanWatch(tmp_path)
    watch.begin(monkeypatch)
    with store.connection() as connection:
        connection.execute("SELECT 'a test' FROM event")
    assert watch.new == []
    Desk(store, store.clock).mailboxes()
    [sent] = [sent for sent in watch.new if "mailbox" in sent.sql]
    assert sent.owner.startswith("desk/") and sent.database in ("psycopg", "pysqlite3", "sqlite3")


def check(store: SqlStore, plans: list[Explained], *, in_index_order: bool = False) -> None:
    """No big table is read from end to end, and nothing that an index has in order is sorted."""
    assert plans
    with store.connection() as connection:
        desk = EmptyDesk(connection)
        for one in plans:
            assert one.sql in PAGES or not desk.read_whole(one.sql, one.params), one
            if in_index_order:
                assert not [line for line in one.plan if "TEMP B-TREE" in line or "Sort" in line], one
