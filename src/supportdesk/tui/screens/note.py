"""An internal note: only agents see it, it never stops the customer's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.l10n.catalog import _
from supportdesk.tui.screens.base import WRITE
from supportdesk.tui.screens.writing import WritingScreen

if TYPE_CHECKING:
    from supportdesk.desk.results import Done


class NoteScreen(WritingScreen):
    """One note, a draft until it is put on the ticket."""

    CONTEXT: ClassVar[str] = "note"

    def on_mount(self) -> None:
        if self._row.body.strip():
            self.tell(_("This is the note that you began earlier."))

    def heading(self) -> str:
        return _("Note on #{ticket} · only agents see it").format(ticket=self.bundle.ticket.id)

    def do_save_note(self) -> None:
        """Put the note on the ticket; its draft goes with the same commit."""
        if not self.body.text.strip():
            self.tell(_("The note is empty."), severity="warning")
        else:
            self.save(self._put_on_ticket, otherwise=self.console.typed_ahead.drop)

    def _put_on_ticket(self) -> None:
        session, ticket_id, row, text = self.session, self.bundle.ticket.id, self._row, self.body.text

        def work() -> Done:
            return session.desk.add_note(session.actor, ticket_id, text, draft=row.id)

        def saved(done: Done) -> None:
            self.tell(done.notice)
            self._go()

        self.call(WRITE, work, saved)
