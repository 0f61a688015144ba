"""What a transaction has been told not to be there costs no statement, and is believed only while it is true."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.errors import AlreadyDone
from supportdesk.store.connect import Connection
from tests.store.desk import action

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from supportdesk.store.write.transaction import WriteTransaction
    from tests.store.desk import SmallDesk

ADDRESS = {"kind": "email", "value_norm": "new@example.test"}
PEOPLE = ("customer_identity", "value_norm")


class Undone(Exception):
    """What ends a transaction or a savepoint without a trace."""


@pytest.fixture
def selects(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every SELECT from now on."""
    run: list[str] = []
    real = Connection.execute

    def count(self: Connection, sql: str, params: Any = ()) -> Any:
        if sql.startswith("SELECT"):
            run.append(sql)
        return real(self, sql, params)

    monkeypatch.setattr(Connection, "execute", count)
    return run


def somebody_new(tx: WriteTransaction) -> None:
    customer = Insert("customer", {"name": "New", "created_at": tx.now}, NewRef("customer"))
    identity = Insert("customer_identity", {**ADDRESS, "value": "new@example.test", "customer_id": NewRef("customer")})
    tx.apply(Plan(silent=(customer, identity)), MAIL, action())


def test_what_is_not_there_is_asked_for_once_for_all(store: SqlStore, desk: SmallDesk, selects: list[str]) -> None:
    with store.transaction() as tx:
        selects.clear()
        tx.expect({PEOPLE: ["new@example.test", "c0@example.test", ""], ("event", "action_id"): ["a", "b"]})
        assert len(selects) == 1
        assert tx.rows("customer_identity", ADDRESS) == []
        assert tx.row("customer_identity", {**ADDRESS, "value_norm": ["new@example.test"]}) is None
        assert tx.rows("event", {"action_id": ["a", "b"]}) == []
        assert len(selects) == 1
        assert len(tx.rows("customer_identity", {**ADDRESS, "value_norm": "c0@example.test"})) == 1
        found = tx.rows("customer_identity", {**ADDRESS, "value_norm": ["new@example.test", "c0@example.test"]})
        assert [row["value_norm"] for row in found] == ["c0@example.test"]
        assert tx.rows("customer_identity", {**ADDRESS, "kind": "phone"}) == []
        assert len(selects) == 4, "what is there, or of another kind, is asked for"


def test_what_the_transaction_writes_itself_is_there(store: SqlStore, desk: SmallDesk) -> None:
    with store.transaction() as tx:
        tx.expect({PEOPLE: ["new@example.test", "newer@example.test"]})
        somebody_new(tx)
        (row,) = tx.rows("customer_identity", ADDRESS)
        renamed = Update("customer_identity", {"id": row["id"]}, {}, {"value_norm": "newer@example.test"})
        tx.apply(Plan(silent=(renamed,)), MAIL, action())
        assert tx.rows("customer_identity", {**ADDRESS, "value_norm": "newer@example.test"})


def test_what_a_savepoint_took_back_is_not_there(store: SqlStore, desk: SmallDesk) -> None:
    with store.transaction() as tx:
        tx.expect({PEOPLE: ["new@example.test"]})
        with suppress(Undone), tx.savepoint():
            somebody_new(tx)
            raise Undone
        assert tx.rows("customer_identity", ADDRESS) == []
        somebody_new(tx)
        assert tx.rows("customer_identity", ADDRESS)


def test_text_that_no_database_holds_is_not_missed(store: SqlStore, desk: SmallDesk) -> None:
    with store.transaction() as tx:
        tx.expect({PEOPLE: ["ne\0w@example.test", "new@example.test\ud800"]})
        somebody_new(tx)
        assert tx.rows("customer_identity", {**ADDRESS, "value_norm": "ne\0w@example.test"})


def test_an_action_is_still_written_once(store: SqlStore, desk: SmallDesk) -> None:
    once = action()
    plan = Plan(events=(PlannedEvent(desk.tickets[0], "note"),))
    with store.transaction() as tx:
        tx.expect({("event", "action_id"): [once]})
        tx.apply(plan, MAIL, once)
        with pytest.raises(AlreadyDone):
            tx.apply(plan, MAIL, once)
