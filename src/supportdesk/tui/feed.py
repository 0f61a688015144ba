"""The change feed of a console: a thread that sleeps until somebody commits, then says what happened where."""

from __future__ import annotations

import threading
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
    """Follows the event log from the newest event on until `stop` is called."""

    def __init__(self, app: App[object], reader: Reader) -> None:
        super().__init__(name="desk-feed", daemon=True)
        self._app = app
        self._reader = reader
        self._stopped = threading.Event()
        self._after = 0

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        self._after = self._reader.feed_position()
        while not self._stopped.is_set():
            try:
                if self._reader.wait_for_change(PATIENCE) and not self._stopped.is_set():
                    self._app.post_message(Changed(self._read()))
                    self._stopped.wait(PACE)
            except StoreError:
                # The database is out of reach: the calls of the screens say so; here it is enough to try again.
                self._stopped.wait(PATIENCE)

    def _read(self) -> list[EventRow]:
        events: list[EventRow] = []
        while page := self._reader.events(after=self._after, limit=PAGE):
            events += page
            self._after = page[-1].seq
            if len(page) < PAGE:
                break
        return events
