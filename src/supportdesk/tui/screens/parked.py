"""Parked mail: what became neither a ticket nor a note, each with the reason; one key makes it a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.desk import parked
from supportdesk.desk.fetch_requests import ask_for_junk, list_junk
from supportdesk.desk.labels import PARKED, word
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.safetext import safe
from supportdesk.tui import ages, ticket_looks
from supportdesk.tui.screens.base import READ, WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.sender_verdict import ask_verdict
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.ports import Row


class ParkedScreen(RowsScreen):
    """Everything that is parked and not released, oldest first."""

    CONTEXT: ClassVar[str] = "parked"

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, Row] = {}
        self._in_junk = 0

    def heading(self) -> str:
        return _("Parked mail: no ticket was made of it")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("received", safe(_("received")), 12, tone="muted"),
            Column("reason", safe(_("why")), 14, flex=1),
            Column("sender", safe(_("from")), 18, flex=2),
            Column("subject", safe(_("subject")), 20, flex=4, drop=1),
        )

    def empty_text(self) -> str:
        return _("Nothing is parked.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        self._in_junk = sum(folder.count for folder in list_junk(session.desk.read))
        found = parked.list_parked(session.desk.read)
        self._known = {row["delivery_id"]: row for row in found}
        now = session.local_now()
        return [
            ListRow(
                row["delivery_id"],
                {
                    "received": safe(ages.moment(row["received_at"], now)),
                    "reason": safe(word(PARKED, row["reason"])),
                    "sender": safe(row["sender"]),
                    "subject": safe(row["subject"]),
                },
                {"subject": "strong"} if row["looked_at"] is None else None,
            )
            for row in found
        ]

    def show_rows(self, rows: Sequence[ListRow]) -> None:
        super().show_rows(rows)
        title = [StatusPart(safe(self.heading()), "strong")]
        if self._in_junk:
            words = ngettext("{count} mail lies in Junk", "{count} mails lie in Junk", self._in_junk)
            title.append(StatusPart(safe(words.format(count=self._in_junk)), "warning"))
        self.query_one("#title", StatusLine).show(title)

    def do_fetch_junk(self) -> None:
        """Mistaken for junk by its server: the worker takes all of it over, flagged, and acknowledges none of it."""
        session = self.session

        def done(count: int) -> None:
            words = ngettext(
                "{count} mail in Junk becomes a ticket as soon as the worker has fetched it.",
                "{count} mails in Junk become tickets as soon as the worker has fetched them.",
                count,
            )
            self.tell(words.format(count=count) if count else _("Nothing lies in Junk."))

        self.call(WRITE, lambda: ask_for_junk(session.desk, session.actor), done)

    def do_open(self) -> None:
        """Look at the mail as it came; it no longer counts as unseen."""
        chosen, session = self.chosen(), self.session
        if chosen is None:
            return
        delivery_id = chosen

        def work() -> str:
            rows = session.desk.read.rows("delivery", {"id": delivery_id})
            parked.look_at(session.desk, session.actor, [delivery_id])
            return ticket_looks.raw_text(session.desk, rows[0]["raw_sha"]) if rows and rows[0]["raw_sha"] else ""

        title = self._known[delivery_id]["subject"] if delivery_id in self._known else ""
        self.call(READ, work, lambda text: self.console.show_text(title, text))

    def do_raw(self) -> None:
        self.do_open()

    def do_sender(self) -> None:
        """Decide what mail of this sender becomes from now on; this one stays where it is."""
        row, session = self._known.get(self.chosen() or 0), self.session
        if row is None:
            return
        address = row["sender"].rpartition("<")[2].removesuffix(">")
        if not address:
            self.tell(_("This mail names no sender."), severity="warning")
            return

        def decide(verdict: str) -> None:
            stored = "" if verdict == "rules" else verdict
            self.change(WRITE, lambda: session.desk.set_sender_verdict(session.actor, address, stored))

        ask_verdict(self, address, decide)

    def do_release(self) -> None:
        """A person wrote this: the worker makes a ticket of it."""
        chosen, session = self.chosen(), self.session
        if chosen is None:
            return

        def done(_nothing: None) -> None:
            self.tell(_("Released: it becomes a ticket as soon as the worker has read it again."))
            self.reload()

        self.call(WRITE, lambda: parked.release(session.desk, session.actor, [chosen]), done)
