"""The change feed of a console: a thread that sleeps until somebody commits, then says what happened where."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from textual.message import Message

from supportdesk.desk.customer_merge import EVENT
from supportdesk.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import App

    from supportdesk.desk.model import EventRow, TicketId
    from supportdesk.desk.ports import Reader

PATIENCE = 1.0
"""Seconds that one wait lasts at most, so that the thread notices the end of the console."""

LOOK_SECONDS = 5.0
"""Seconds after which the log is read unasked: on Postgres an event waits for every older transaction, and one that is
rolled back wakes nobody."""

PAGE = 500
PACE = 0.2
"""Seconds from one message to the next: a burst of commits comes as one."""


class Changed(Message):
    """Somebody committed. `events` are new lines of the log; none when only presence or health changed."""

    def __init__(self, events: Sequence[EventRow]) -> None:
        super().__init__()
        self.events = tuple(events)

    @property
    def tickets(self) -> frozenset[TicketId]:
        return frozenset(event.ticket_id for event in self.events if event.ticket_id is not None)

    @property
    def customers(self) -> bool:
        """Whether customers became one, or two again: then whatever ticket is theirs is shown with another side."""
        return any(EVENT in (event.kind, event.data.get("undone")) for event in self.events)


class Feed(threading.Thread):
    """Follows the event log from an event on, until `stop` is called.

    Only what the log holds counts. A wake-up is a reason to look, and so are the beginning (what was committed since
    the position was taken and before anybody listened), an error, and LOOK_SECONDS without a look.
    """

    def __init__(self, app: App[object], reader: Reader, after: int) -> None:
        """`after` is the `feed_position` from before whatever the screens show was read."""
        super().__init__(name="desk-feed", daemon=True)
        self._app = app
        self._reader = reader
        self._stopped = threading.Event()
        self._after = after
        self._woken = False
        self._look_at = 0.0

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except StoreError:
                # The database is out of reach: the calls of the screens say so; here it is enough to try again.
                self._look_at = 0.0
                self._stopped.wait(PATIENCE)

    def _follow(self) -> None:
        """Wait for a commit, at most PATIENCE; tell what is new."""
        due = time.monotonic() >= self._look_at
        self._woken |= self._reader.wait_for_change(0.0 if due else PATIENCE)
        if self._stopped.is_set() or not (self._woken or due):
            return
        events = self._read()
        self._look_at = time.monotonic() + LOOK_SECONDS
        if self._woken or events:
            self._woken = False
            self._app.post_message(Changed(events))
            self._stopped.wait(PACE)

    def _read(self) -> list[EventRow]:
        """Everything new; the position moves on when all of it is there."""
        events: list[EventRow] = []
        while page := self._reader.events(after=events[-1].seq if events else self._after, limit=PAGE):
            events += page
            if len(page) < PAGE:
                break
        if events:
            self._after = events[-1].seq
        return events
