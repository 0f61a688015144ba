"""What this agent is told and has not looked at: notes that name him, news on the tickets that he follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.desk.following import MENTION, sentence
from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui import ages
from supportdesk.tui.screens.base import WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.tui.feed import Changed


class NoticesScreen(RowsScreen):
    """One line a ticket; opening the ticket takes it away."""

    CONTEXT: ClassVar[str] = "notices"

    def heading(self) -> str:
        return _("Notices: opening the ticket takes one away")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("at", safe(_("when")), 12, tone="muted"),
            Column("number", SafeText("#"), 6, align_right=True, grows=True),
            Column("what", safe(_("what happened")), 24, flex=3),
            Column("subject", safe(_("subject")), 20, flex=4, drop=1),
        )

    def empty_text(self) -> str:
        return _("Nothing is new. W follows a ticket; a note with @login tells its agent.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        now = session.local_now()
        return [
            ListRow(
                notice.ticket_id,
                {
                    "at": safe(ages.moment(notice.at, now)),
                    "number": safe(str(notice.ticket_id)),
                    "what": safe(sentence(notice)),
                    "subject": safe(notice.subject),
                },
                {"what": "strong"} if notice.kind == MENTION else None,
            )
            for notice in session.desk.notices(session.agent.id)
        ]

    def on_news(self, changed: Changed) -> None:
        self.reload()

    def do_open(self) -> None:
        chosen = self.chosen()
        if chosen is not None:
            self.console.open_ticket(TicketId(chosen))

    def do_mark_told(self) -> None:
        """The notice goes though the ticket was not opened."""
        chosen, session = self.chosen(), self.session
        if chosen is None:
            return

        def done(_count: int) -> None:
            self.console.refresh_notices()
            self.reload()

        self.call(WRITE, lambda: session.desk.mark_told(session.actor, [TicketId(chosen)]), done)
