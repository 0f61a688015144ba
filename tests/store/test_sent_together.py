"""Statements that nobody waits for between: sent together they do and say what they do one by one."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, Plan, PlannedEvent, Update
from supportdesk.errors import Conflict, StoreError
from supportdesk.store.connect import Duplicate
from supportdesk.store.statements import insertion, updating
from tests.store.desk import action

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk

TAG = "ticket_tag"


def test_each_says_how_many_rows_it_changed(store: SqlStore, desk: SmallDesk) -> None:
    ticket = desk.tickets[0]
    with store.transaction() as tx:
        tagged = insertion(TAG, {"ticket_id": ticket, "tag": "return"})
        named = updating("customer", {"id": desk.customers[0]}, {}, {"note": "calls back"})
        missed = updating("customer", {"id": desk.customers[0]}, {"note": ""}, {"note": "late"})
        assert tx.connection.change_each([tagged, tagged, named, missed]) == [1, 0, 1, 0]
        assert tx.connection.change_each([]) == []
        assert [row["tag"] for row in tx.rows(TAG, {"ticket_id": ticket})] == ["return"]


def test_the_first_that_fails_is_what_is_told_and_a_savepoint_takes_all_back(store: SqlStore, desk: SmallDesk) -> None:
    tagged = insertion(TAG, {"ticket_id": desk.tickets[0], "tag": "return"})
    nowhere = insertion(TAG, {"ticket_id": 4711, "tag": "return"})
    with store.transaction() as tx:
        with pytest.raises(StoreError) as refused, tx.savepoint():
            tx.connection.change_each([tagged, nowhere, tagged])
        assert not isinstance(refused.value, Duplicate)
        assert tx.rows(TAG) == []
        assert tx.connection.change_each([tagged, tagged]) == [1, 0]


def test_a_taken_key_is_a_conflict_wherever_it_stands_in_the_plan(store: SqlStore, desk: SmallDesk) -> None:
    first, second = (f"c{number}@example.test" for number in range(2))
    with store.transaction() as tx:
        identity = {row["value_norm"]: row["id"] for row in tx.rows("customer_identity")}
        taken = Update("customer_identity", {"id": identity[first]}, {}, {"value_norm": second})
        tagged = Insert(TAG, {"ticket_id": desk.tickets[0], "tag": "return"})
        with pytest.raises(Conflict), tx.savepoint():
            tx.apply(Plan(silent=(tagged, taken)), MAIL, action())
        with pytest.raises(Conflict), tx.savepoint():
            tx.apply(Plan(silent=(tagged, tagged)), MAIL, action())
        assert tx.rows(TAG) == []


def test_what_waited_when_a_plan_failed_is_not_written_with_the_next_one(store: SqlStore, desk: SmallDesk) -> None:
    tagged = Insert(TAG, {"ticket_id": desk.tickets[0], "tag": "return"})
    unknown = Insert("message_text", {"message_id": 1, "folded": ""})
    with store.transaction() as tx:
        with suppress(ValueError):
            tx.apply(Plan(silent=(tagged, unknown)), MAIL, action())
        tx.apply(Plan(events=(PlannedEvent(desk.tickets[1], "note"),)), MAIL, action())
        assert tx.rows(TAG) == []
