"""The seconds in which the last reply can still be taken back, counted down on the status line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.calls import LOOK
from supportdesk.tui.widgets.bars import StatusPart

if TYPE_CHECKING:
    from datetime import datetime

    from textual.timer import Timer

    from supportdesk.desk.model import OutboxId, OutboxRow
    from supportdesk.tui.app import Console

LONGEST = 120.0
"""Seconds: what goes out later than that is no countdown; the outbox names its time."""


class UndoWindow:
    """Ticks once a second while a reply of this console waits for its undo window to end, and never else."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._outbox_id: OutboxId | None = None
        self._ends_at: datetime | None = None
        self._ticking: Timer | None = None

    def watch(self, outbox_id: OutboxId | None) -> None:
        """A reply was just held."""
        if outbox_id is not None:
            self._outbox_id = outbox_id
            self.look()

    def look(self) -> None:
        """See whether it still waits: a colleague, another window or the worker may have changed that."""
        session, outbox_id = self._console.session, self._outbox_id
        if session is not None and outbox_id is not None:
            self._console.calls.run(
                LOOK,
                lambda: session.desk.outbox_row(outbox_id),
                self._found,
                self._console.tell_error,
                replaces="undo window",
            )

    def part(self) -> StatusPart | None:
        """`U takes the reply back: 12 s`."""
        left = self._seconds_left()
        if not left:
            return None
        return StatusPart(safe(_("U takes the reply back: {seconds} s").format(seconds=left)), "warning")

    def _found(self, row: OutboxRow) -> None:
        if row.id != self._outbox_id:
            return
        self._ends_at = row.not_before if row.state == "held" else None
        if 0 < self._seconds_left() <= LONGEST:
            if self._ticking is None:
                self._ticking = self._console.set_interval(1.0, self._tick)
        else:
            self._end()
        self._show()

    def _tick(self) -> None:
        if not self._seconds_left():
            self._end()
        self._show()

    def _end(self) -> None:
        self._outbox_id = self._ends_at = None
        if self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _show(self) -> None:
        for screen in self._console.desk_screens():
            screen.show_status()

    def _seconds_left(self) -> int:
        session = self._console.session
        if session is None or self._ends_at is None:
            return 0
        return max(0, round((self._ends_at - session.now()).total_seconds()))
