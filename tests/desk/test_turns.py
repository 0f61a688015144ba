"""Long work in short turns, and use cases that the database gave up (reliability.md R5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.turns import MOST_IN_A_TURN, TURN_SECONDS, in_turns
from supportdesk.errors import TryAgain

if TYPE_CHECKING:
    from tests.support.desk import House


@dataclass
class Slow:
    """A store whose every item takes `cost` seconds; its first transaction fails as often as `failures` says."""

    cost: float
    failures: int = 0
    spent: float = field(default=0.0)

    awaited: bool = False

    def elapsed(self) -> float:
        return self.spent

    def is_awaited(self) -> bool:
        return self.awaited

    def run(self, block: Callable[[Any], Any]) -> Any:
        self.spent = 0.0
        result = block(self)
        if self.failures:
            self.failures -= 1
            return self.run(block)
        return result

    def work(self, tx: Any, item: int) -> int:
        self.spent += self.cost
        return item * 2


@pytest.mark.parametrize(("cost", "most"), [(TURN_SECONDS / 3, 3), (TURN_SECONDS * 9, 1), (0.0, MOST_IN_A_TURN)])
def test_a_turn_ends_in_time_and_every_item_gets_its_turn(cost: float, most: int) -> None:
    store = Slow(cost, failures=1)
    turns = list(in_turns(store, range(250), store.work))
    assert [pair for turn in turns for pair in turn] == [(item, item * 2) for item in range(250)]
    assert max(map(len, turns)) == most


def test_a_use_case_that_the_database_gave_up_is_done_again_and_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id, begun = house.customer_writes(), []
    transaction = house.store.transaction

    @contextmanager
    def gives_up_at_first() -> Iterator[Any]:
        with transaction() as tx:
            yield tx
            begun.append(tx)
            if len(begun) == 1:
                raise TryAgain("the database broke a deadlock")

    monkeypatch.setattr(house.store, "transaction", gives_up_at_first)
    house.desk.add_note(house.giulia, ticket_id, "Ha richiamato")
    house.desk.perform("tag", house.giulia, [ticket_id], {"tags": "reso"})
    assert len(begun) == 3
    notes = [entry.text for entry in house.desk.read.thread(ticket_id) if entry.kind == "note"]
    assert notes == ["Ha richiamato"]


def test_a_turn_ends_as_soon_as_somebody_else_wants_to_write() -> None:
    slow = Slow(cost=0.0, awaited=True)
    assert [len(turn) for turn in in_turns(slow, range(3), slow.work)] == [1, 1, 1]
