"""How use cases share the database: long work in short turns, and again from the start where it was busy (R5)."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import ParamSpec, Protocol, TypeVar

from supportdesk.desk.ports import Transaction
from supportdesk.errors import TryAgain

P = ParamSpec("P")
Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_IN_A_TURN = 100
TURN_SECONDS = 0.015  # nothing new is begun after that: a transaction stays under 20 ms
PAUSES = (0.005, 0.02, 0.08, 0.3, 1.0)


class Runs(Protocol):
    """The part of a store that turns need."""

    def run(self, block: Callable[[Transaction], Result]) -> Result: ...


def in_turns(
    store: Runs, items: Sequence[Item], work: Callable[[Transaction, Item], Result]
) -> Iterator[list[tuple[Item, Result]]]:
    """Do `work` on each item, in transactions of at most 100 items and 20 ms; what each of them did, once it is in.

    A transaction that the database gave up is done again: `work` keeps nothing but what it returns.
    """
    done = 0

    def turn(tx: Transaction) -> list[tuple[Item, Result]]:
        results: list[tuple[Item, Result]] = []
        for item in items[done : done + MOST_IN_A_TURN]:
            if results and (tx.elapsed() >= TURN_SECONDS or tx.is_awaited()):
                break
            results.append((item, work(tx, item)))
        return results

    while done < len(items):
        results = store.run(turn)
        done += len(results)
        yield results


def again_if_busy(use_case: Callable[P, Result]) -> Callable[P, Result]:
    """Perform a use case of one transaction again while the database was busy or broke a deadlock.

    Nothing was written then (TryAgain), and what was read before the transaction is read anew.
    """

    @functools.wraps(use_case)
    def repeated(*args: P.args, **kwargs: P.kwargs) -> Result:
        for pause in PAUSES:
            try:
                return use_case(*args, **kwargs)
            except TryAgain:
                time.sleep(pause)
        return use_case(*args, **kwargs)

    return repeated
