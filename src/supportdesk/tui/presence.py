"""Who looks at what: this console tells the others which ticket it shows or answers."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from supportdesk.tui.calls import PRESENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.desk.model import TicketId
    from supportdesk.tui.app import Console

HEARTBEAT = 10.0
"""Seconds until the same is told again; the desk forgets whoever is silent for longer than a few of these."""


class Presence:
    """What this console last told; only a change, and the heartbeat, is told again."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: tuple[TicketId, str] | None = None

    def show(self, ticket_id: TicketId, mode: str) -> None:
        """This console looks at the ticket (`viewing`) or answers it (`replying`)."""
        self._change((ticket_id, mode))

    def leave(self) -> None:
        """This console looks at no ticket any more."""
        self._change(None)

    def repeat(self) -> None:
        """The heartbeat: still here."""
        if self._shown is not None:
            self._send(*self._shown)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """The heartbeat goes on in here although the event loop stands still, as it does for an editor."""
        over = Event()

        def beat() -> None:
            while not over.wait(HEARTBEAT):
                self.repeat()

        heart = Thread(target=beat, name="desk-heartbeat", daemon=True)
        heart.start()
        try:
            yield
        finally:
            over.set()
            heart.join()

    def _change(self, shown: tuple[TicketId, str] | None) -> None:
        if self._console.session is None:
            return
        before, self._shown = self._shown, shown
        if before is not None and (shown is None or before[0] != shown[0]):
            self._send(before[0], "")
        if shown is not None and shown != before:
            self._send(*shown)

    def _send(self, ticket_id: TicketId, mode: str) -> None:
        session = self._console.session
        assert session is not None
        self._console.calls.run(
            PRESENCE,
            lambda: session.desk.presence(session.actor, ticket_id, session.console, mode),
            lambda _nothing: None,
            self._console.tell_error,
        )
