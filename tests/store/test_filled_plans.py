"""On a desk of some thousand tickets, with the figures that Postgres keeps of it, no table is read for each ticket.

`test_plans` proves on a small desk that there is an index for every question; whether the planner takes it depends on
how much there is. Loops are counted here, not milliseconds.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from supportdesk.store.read import fulltext, narrow
from tests.bench.desks import NOW, BenchDesk, scratch_desk
from tests.bench.mail_words import LAST_NAMES, WORDS
from tests.store.test_plans import BIG, VIEWS, list_view, search, watched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.desk.model import TicketId
    from supportdesk.store.connect import Connection
    from tests.store.test_plans import Execute
    from tests.support.postgres import PostgresServer

TICKETS = 3_000
FREQUENT = WORDS["en"][0]
TEXTS = (FREQUENT, f"{FREQUENT} sort:relevance", f"{FREQUENT} OR {WORDS['en'][1]}", f"-{FREQUENT}")


@pytest.fixture(scope="module")
def filled(postgres_server: PostgresServer) -> Iterator[BenchDesk]:
    with scratch_desk(postgres_server.url("postgres")) as made:
        made.grow_to(TICKETS)
        yield made


@contextmanager
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """All SELECTs inside the block with their plans as they were carried out."""
    found: list[tuple[str, dict[str, Any]]] = []

    def explain(execute: Execute, connection: Connection, sql: str, params: Any) -> None:
        [(plan,)] = execute(connection, f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        found.append((sql, (json.loads(plan) if isinstance(plan, str) else plan)[0]))

    with watched(monkeypatch, explain):
        yield found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def looked_at(plan: dict[str, Any]) -> int:
    """How many messages' texts were read."""
    read = (node for node in nodes(plan) if node.get("Relation Name") == "message_text")
    return sum(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) for node in read)


@pytest.mark.parametrize("text", ["ord-0000007", "nobodywrotethis", LAST_NAMES[7]])
def test_a_rare_word_is_found_by_its_index(filled: BenchDesk, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What the planner would otherwise do here, and rightly, is to read so small a table from end to end."""
    with filled.store.connection() as connection:
        connection.execute("SET enable_seqscan = off")
    for ask in (search(text), list_view("all", text), list_view("needs_reply", text)):
        with measured(monkeypatch) as plans:
            found = cast("list[TicketId]", ask(filled.store.read, NOW))
        assert len(found) < TICKETS / 20
        texts = sum(looked_at(plan["Plan"]) for _sql, plan in plans)
        assert texts <= 2 * fulltext.NEAR + 10 * len(found), "every message was read"
    with filled.store.connection() as connection:
        connection.execute("SET enable_seqscan = on")


def test_a_page_of_a_view_with_a_frequent_word_looks_at_few_messages(
    filled: BenchDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrow, "FEW", 100)
    for ask in (list_view("all", FREQUENT), list_view("needs_reply", FREQUENT)):
        with measured(monkeypatch) as plans:
            found = cast("list[TicketId]", ask(filled.store.read, NOW))
        assert len(found) >= 10
        assert sum(looked_at(plan["Plan"]) for _sql, plan in plans) <= 3 * fulltext.NEAR, "all hits were gathered"


@pytest.mark.parametrize("few", [narrow.FEW, 0], ids=["rare", "frequent"])
@pytest.mark.parametrize("text", ["", *TEXTS])
def test_no_big_table_is_read_once_for_each_ticket(
    filled: BenchDesk, monkeypatch: pytest.MonkeyPatch, text: str, few: int
) -> None:
    monkeypatch.setattr(narrow, "FEW", few)
    questions = [*(list_view(view, text) for view in VIEWS), *([search(text)] if text else [])]
    with measured(monkeypatch) as plans:
        for ask in questions:
            ask(filled.store.read, NOW)
    assert len(plans) >= len(questions)
    for sql, plan in plans:
        for node in nodes(plan["Plan"]):
            is_whole = node["Node Type"] == "Seq Scan" and node.get("Relation Name") in BIG
            assert not (is_whole and node["Actual Loops"] > 2), (sql, node)
        assert "JIT" not in plan, "compiling takes longer than any question of a desk"
