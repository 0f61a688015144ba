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


class Members:
    """Which tickets a list holds: a byte for each number up to the newest, because a set of a million takes 100 MB."""

    def __init__(self, ids: Collection[int] = ()) -> None:
        self._flags = bytearray(max(ids, default=0) + 1)
        for ticket in ids:
            self._flags[ticket] = 1
        self._count = len(ids)

    def __contains__(self, ticket: object) -> bool:
        return isinstance(ticket, int) and 0 <= ticket < len(self._flags) and bool(self._flags[ticket])

    def __len__(self) -> int:
        return self._count

    def discard(self, ticket: int) -> None:
        if ticket in self:
            self._flags[ticket] = 0
            self._count -= 1


class WatchedOrder:
    """The tickets of the list as it is shown, and how the view differs from it by now."""

    def __init__(self) -> None:
        self.known = Members()
        self.came: set[TicketId] = set()
        self.left: set[TicketId] = set()
        self.changed: set[TicketId] = set()
        self._unlooked: set[TicketId] = set()
        self._read_at = self._read_took = 0.0

    @property
    def differs(self) -> bool:
        return bool(self.came or self.left or self.changed)

    def shown(self, members: Members) -> None:
        """The list shows these now."""
        self.known = members
        self.came, self.left, self.changed = set(), set(), set()

    def to_look_up(self, tickets: Iterable[TicketId]) -> tuple[TicketId, ...]:
        """These and what was asked for before and is not answered yet."""
        self._unlooked.update(tickets)
        return tuple(self._unlooked)

    def looked_up(self, asked: Collection[TicketId]) -> None:
        self._unlooked.difference_update(asked)

    def compare(self, asked: Collection[TicketId], members: Collection[TicketId]) -> None:
        """Of the tickets asked for, `members` are in the view."""
        here, wanted = set(members), set(asked)
        self.came = (self.came - wanted) | {ticket for ticket in here if ticket not in self.known}
        self.left = (self.left - wanted) | {ticket for ticket in wanted - here if ticket in self.known}

    def take_out(self, gone: Collection[TicketId]) -> None:
        """These have left the list too."""
        for ticket in gone:
            self.known.discard(ticket)
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
