"""A store on which everything is done and nothing stays: the honest dry run of what has no plan to look at.

Each transaction runs as it would and is rolled back at its end, under the same roles, locks and limits of time. What a
use case writes in one of them is not there in the next: `prepare` does it again at the beginning of each.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from supportdesk.desk.ports import Blobs, Reader, Store, Transaction

T = TypeVar("T")


class Rehearsal:
    """The part of a store that a dry run needs; what writes past a transaction is not here, or only looks."""

    def __init__(self, store: Store, prepare: Callable[[Transaction], object] = lambda _tx: None) -> None:
        self._store = store
        self._prepare = prepare

    @property
    def read(self) -> Reader:
        return self._store.read

    @property
    def blobs(self) -> Blobs:
        return self._store.blobs

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with suppress(_NothingStays), self._store.transaction() as tx:
            self._prepare(tx)
            yield tx
            raise _NothingStays

    def run(self, block: Callable[[Transaction], T]) -> T:
        found: list[T] = []

        def rehearse(tx: Transaction) -> None:
            self._prepare(tx)
            found.append(block(tx))
            raise _NothingStays

        with suppress(_NothingStays):
            self._store.run(rehearse)
        return found[-1]

    def mend_search(self) -> bool:
        return self._store.mend_search(dry_run=True)

    def recount_views(self) -> tuple[str, ...]:
        return self._store.recount_views(dry_run=True)


class _NothingStays(BaseException):
    """Rolls the transaction back; nothing that is caught as an error."""
