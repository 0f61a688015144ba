"""The questions asked all day long are answered by an index on both databases: no table is read from end to end."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.delivery import due_rows
from supportdesk.desk.model import ActionId, AgentId, CustomerId, TicketId
from supportdesk.store.connect import Connection
from tests.store.desk import add_ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from supportdesk.store import SqlStore
    from supportdesk.store.read.reader import SqlReader
    from tests.store.desk import SmallDesk

    Question = Callable[[SqlReader, datetime], object]

BIG = ("ticket", "message", "message_text", "event", "outbox", "delivery", "message_mail", "attachment", "parked")

ME, TICKET = AgentId(1), TicketId(1)
VIEWS = (
    "needs_reply", "mine", "unassigned", "with_customer", "snoozed", "notifications", "all_open", "solved", "spam",
)  # fmt: skip
IN_INDEX_ORDER = {"held", *VIEWS, *(f"{view}, narrowed" for view in VIEWS)} - {
    f"{view}{narrowed}" for view in ("with_customer", "snoozed") for narrowed in ("", ", narrowed")
}


def list_view(view: str, text: str = "") -> Question:
    return lambda read, now: read.queue_ids(view, agent_id=ME, now=now, text=text, limit=50)


QUESTIONS: dict[str, Question] = {
    **{view: list_view(view) for view in VIEWS},
    **{f"{view}, narrowed": list_view(view, "grazie") for view in VIEWS},
    "rows": lambda read, now: read.queue_rows([TICKET], agent_id=ME, now=now),
    "counts": lambda read, now: read.counts(agent_id=ME, now=now),
    "thread": lambda read, now: read.thread(TICKET),
    "unanswered": lambda read, now: read.unanswered(now=now),
    "outbox": lambda read, now: read.outbox(states=["held", "deferred"]),
    "due": lambda read, now: due_rows(read, now, mailboxes=[1], limit=20),
    "held": lambda read, now: read.rows("outbox", {"state": "held", "mailbox_id": [1]}, order="not_before", limit=20),
    "drafts": lambda read, now: read.outbox(ticket_id=TICKET, agent_id=ME),
    "feed": lambda read, now: read.events(after=10),
    "timeline": lambda read, now: read.events(ticket_id=TICKET),
    "action": lambda read, now: read.event_details(ActionId("x")),
    "search": lambda read, now: read.search("grazie"),
    "customer": lambda read, now: read.customer(CustomerId(1)),
}


@contextmanager
def explained(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The plans of all SELECTs that run inside the block."""
    plans: list[str] = []
    execute = Connection.execute

    def explain(self: Connection, sql: str, params: Any = ()) -> list[tuple[Any, ...]]:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            prefix = "EXPLAIN " if self.is_postgres else "EXPLAIN QUERY PLAN "
            plan = "\n".join(str(row[-1]) for row in execute(self, prefix + sql, params))
            plans.append(f"{sql}\n{plan}")
        return execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "execute", explain)
        yield plans


@pytest.fixture
def planned(store: SqlStore, desk: SmallDesk) -> SqlStore:
    """Postgres reads small tables from end to end whatever there is; here it may not."""
    for number in range(20):
        add_ticket(store, "grazie", status=("solved", "pending", "open")[number % 3], kind="human")
    if store.address.is_postgres:
        with store.connection() as connection:
            connection.execute("SET enable_seqscan = off")
    return store


@pytest.mark.parametrize("view", VIEWS)
def test_the_hits_that_narrow_a_view_are_gathered_once(
    planned: SqlStore, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    with explained(monkeypatch) as plans:
        QUESTIONS[f"{view}, narrowed"](planned.read, planned.clock.now())
    once = "hashed SubPlan" if planned.address.is_postgres else "\nLIST SUBQUERY"
    assert plans
    for plan in plans:
        assert once in plan, plan


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_answered_by_an_index(planned: SqlStore, monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    with explained(monkeypatch) as plans:
        QUESTIONS[question](planned.read, planned.clock.now())
    assert plans
    for plan in plans:
        for line in plan.splitlines()[1:]:
            scanned = re.search(r"Seq Scan on (\w+)|^SCAN (\w+)(?! USING (COVERING )?INDEX ix_\w+| VIRTUAL)", line)
            table = scanned and (scanned[1] or scanned[2])
            assert table not in BIG, plan
            if question in IN_INDEX_ORDER:
                assert "TEMP B-TREE" not in line, plan
                assert "Sort" not in line, plan
