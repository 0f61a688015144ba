"""An internal note: only agents see it, it never stops the customer's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.l10n.catalog import _
from supportdesk.tui.note_drafts import keep_note, read_note
from supportdesk.tui.screens.base import LOOK, WRITE
from supportdesk.tui.screens.writing import WritingScreen

if TYPE_CHECKING:
    from supportdesk.desk.results import Done
    from supportdesk.tui.session import TicketBundle
    from supportdesk.tui.widgets.composer import Composer


class NoteScreen(WritingScreen):
    """One note. What was begun is kept in a file until it is saved or emptied."""

    CONTEXT: ClassVar[str] = "note"

    def __init__(self, bundle: TicketBundle) -> None:
        super().__init__(bundle, "")

    def on_mount(self) -> None:
        session, ticket_id = self.session, self.bundle.ticket.id

        def show(text: str) -> None:
            if text and not self.body.text:
                self.body.load(text)
                self.tell(_("This is the note that you began earlier."))

        self.call(LOOK, lambda: read_note(session, ticket_id), show)

    def heading(self) -> str:
        return _("Note on #{ticket} · only agents see it").format(ticket=self.bundle.ticket.id)

    def on_composer_draft_changed(self, message: Composer.DraftChanged) -> None:
        message.stop()
        self._keep(message.text)

    def save_now(self) -> None:
        self._keep(self.body.flush())

    def _keep(self, text: str) -> None:
        session, ticket_id = self.session, self.bundle.ticket.id
        self.call(WRITE, lambda: keep_note(session, ticket_id, text), lambda _nothing: None)

    def do_save_note(self) -> None:
        """Put the note on the ticket."""
        session, ticket_id, text = self.session, self.bundle.ticket.id, self.body.flush()
        if not text.strip():
            self.tell(_("The note is empty."), severity="warning")
            return

        def work() -> Done:
            done = session.desk.add_note(session.actor, ticket_id, text)
            keep_note(session, ticket_id, "")
            return done

        def saved(done: Done) -> None:
            self.tell(done.notice)
            self.dismiss()

        self.call(WRITE, work, saved)

    def do_leave(self) -> None:
        """Back; the text is kept."""
        self.save_now()
        self.dismiss()
