"""Why the database takes nothing more: what refused a write, or that one waits; it stands over every screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from supportdesk.errors import OutcomeUnknown, StoreFailed
from supportdesk.l10n.catalog import _
from supportdesk.tui.calls import WRITE

if TYPE_CHECKING:
    from concurrent.futures import Future

    from supportdesk.tui.app import Console

LATE: Final = 3.0
"""Seconds that a write takes at most while nobody else holds the database; its transaction takes 20 ms."""


class Refusals:
    """What the calls of one console hear from the database; `words` is empty while it takes what it is given."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._moved_at = 0.0
        self.words = ""

    def begun(self, lane: str, call: Future[None]) -> None:
        """A call was handed over; where a write is not done for long, the agent is told, for his keys wait for it."""
        if lane == WRITE and self._console.is_running:
            self._console.set_timer(LATE, lambda: self._look_at(call))

    def moved(self) -> None:
        """A long write got on: the database answers. Any thread may say so."""
        self._moved_at = time.monotonic()

    def failed(self, error: Exception) -> None:
        """A call failed, whoever asked for it."""
        if isinstance(error, StoreFailed | OutcomeUnknown):
            self._say(error.message)

    def went_well(self, lane: str) -> None:
        """A call is done: what was written shows that the database takes it again."""
        if lane == WRITE and self.is_told:
            self._say("")

    def forget(self) -> None:
        """A minute has passed: who is refused again says it again."""
        self.words = ""

    @property
    def is_told(self) -> bool:
        status = self._console.desk_status
        return bool(self.words) or (status is not None and status.disk_full)

    def _look_at(self, call: Future[None]) -> None:
        if call.done() or self.words or not self._console.is_running:
            return
        if time.monotonic() - self._moved_at < LATE:
            self._console.set_timer(LATE, lambda: self._look_at(call))
        else:
            self._say(_("The database does not answer: what you write is saved as soon as it does"))

    def _say(self, words: str) -> None:
        self.words = words
        self._console.refresh_status()
