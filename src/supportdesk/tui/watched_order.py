"""What became different in a list that stands still: pure, told by whoever looks at the desk."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from supportdesk.desk.model import TicketId

REST_SHARE = 20
"""A list that rests reads its whole order again at most during one part in so many of the time."""


class WatchedOrder:
    """The tickets of the list as it is shown, and how the view differs from it by now."""

    def __init__(self) -> None:
        self.known: frozenset[TicketId] = frozenset()
        self.came: set[TicketId] = set()
        self.left: set[TicketId] = set()
        self.changed: set[TicketId] = set()
        self._unlooked: set[TicketId] = set()
        self._read_at = self._read_took = 0.0

    @property
    def differs(self) -> bool:
        return bool(self.came or self.left or self.changed)

    def shown(self, ids: Iterable[TicketId]) -> None:
        """The list shows these now."""
        self.known = frozenset(ids)
        self.came, self.left, self.changed = set(), set(), set()

    def to_look_up(self, tickets: Iterable[TicketId]) -> tuple[TicketId, ...]:
        """These and what was asked for before and is not answered yet."""
        self._unlooked.update(tickets)
        return tuple(self._unlooked)

    def looked_up(self, asked: Collection[TicketId]) -> None:
        self._unlooked.difference_update(asked)

    def compare(self, asked: Collection[TicketId], members: Collection[TicketId]) -> None:
        """Of the tickets asked for, `members` are in the view."""
        here = set(members)
        self.came = (self.came - set(asked)) | (here - self.known)
        self.left = (self.left - set(asked)) | ((self.known & set(asked)) - here)

    def take_out(self, gone: Collection[TicketId]) -> None:
        """These have left the list too."""
        self.known = self.known.difference(gone)
        self.left.difference_update(gone)
        self.changed.difference_update(gone)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Measures what reading the whole order costs."""
        self._read_at = time.monotonic()
        yield
        self._read_took = time.monotonic() - self._read_at

    def may_read_again(self) -> bool:
        """Whether the last reading is long enough ago, for what it cost."""
        return time.monotonic() - self._read_at > self._read_took * REST_SHARE
