"""Where the console can go: a ticket, a draft, the list, what stands over it. Screens are imported when shown."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, TypeVar

from supportdesk.l10n.catalog import _
from supportdesk.tui.calls import READ, Calls
from supportdesk.tui.glyphs import ASCII, Glyphs
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.guard import SafeApp

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

    from supportdesk.desk.model import OutboxRow, SavedView, TicketId
    from supportdesk.mail.model import Picture
    from supportdesk.tui.screens.base import DeskScreen
    from supportdesk.tui.screens.queue import QueueScreen
    from supportdesk.tui.session import Session, TicketBundle


Answered = TypeVar("Answered")
Result = TypeVar("Result")


class Places(SafeApp[int]):
    """Part of the console: the ways from one screen to another."""

    session: Session | None
    calls: Calls
    glyphs: Glyphs

    @abstractmethod
    def tell_error(self, error: Exception) -> None:
        """Say what went wrong."""

    @abstractmethod
    def desk_screens(self) -> list[DeskScreen[object]]:
        """The screens that stand above each other, the list first."""

    @abstractmethod
    def show_at_once(self, screen: Screen[Answered], answered: Callable[[Answered | None], None] | None = None) -> None:
        """Put a screen in front; `answered` gets what it answers when it goes."""

    @abstractmethod
    def run_awaited(
        self,
        lane: str,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[Exception], None],
        *,
        replaces: str = "",
        is_rows: bool = False,
    ) -> None:
        """Do `work` in a lane's thread; the keys wait for it."""

    def open_ticket(
        self,
        ticket_id: TicketId,
        *,
        neighbours: Callable[[TicketId, int], TicketId | None] | None = None,
        finds: bool = False,
    ) -> None:
        """Show a ticket; `neighbours` gives the next and previous one, `finds` asks at once for words to find in it."""
        if isinstance(self.screen, TicketScreen):
            self.screen.show_ticket(ticket_id)
        else:
            self._open_ticket(ticket_id, neighbours, finds)

    def _open_ticket(
        self, ticket_id: TicketId, neighbours: Callable[[TicketId, int], TicketId | None] | None, finds: bool
    ) -> None:
        """Read the ticket first, so that it is painted once."""
        session = self.session
        if session is None:
            return

        def show(bundle: TicketBundle) -> None:
            self.show_at_once(TicketScreen(bundle, neighbours, finds=finds))

        if (known := session.tickets.get(ticket_id)) is not None:
            show(known)
        else:
            self.run_awaited(READ, lambda: session.load_ticket(ticket_id), show, self.tell_error, replaces="open")

    def open_draft(self, bundle: TicketBundle, row: OutboxRow) -> None:
        """Go on writing a reply or a note."""
        if row.kind == "note":
            from supportdesk.tui.screens.note import NoteScreen

            self.show_at_once(NoteScreen(bundle, row))
        else:
            from supportdesk.tui.screens.compose import ComposeScreen

            self.show_at_once(ComposeScreen(bundle, row))

    def in_queue(self, action: str) -> None:
        """Go back to the list and do there what is bound in it."""
        if (queue := self._back_in_queue()) is not None:
            queue.act(action)

    def search(self, text: str) -> None:
        """Look through all tickets, in the list."""
        if (queue := self._back_in_queue()) is not None:
            queue.do_search(text)

    def _back_in_queue(self) -> QueueScreen | None:
        from supportdesk.tui.screens.queue import QueueScreen

        while not isinstance(self.screen, QueueScreen) and len(self.screen_stack) > 1:
            self.pop_screen()
        return self.screen if isinstance(self.screen, QueueScreen) else None

    def show_view(self, view: SavedView) -> None:
        """Show a saved view, in the list."""
        from supportdesk.tui.screens.queue import QueueScreen

        for screen in self.desk_screens():
            if isinstance(screen, QueueScreen):
                screen.show_saved_view(view)

    def open_outbox(self) -> None:
        from supportdesk.tui.screens.outbox import OutboxScreen

        self.show_at_once(OutboxScreen())

    def open_drafts(self) -> None:
        from supportdesk.tui.screens.drafts import DraftsScreen

        self.show_at_once(DraftsScreen())

    def open_notices(self) -> None:
        from supportdesk.tui.screens.notices import NoticesScreen

        self.show_at_once(NoticesScreen())

    def open_parked(self) -> None:
        from supportdesk.tui.screens.parked import ParkedScreen

        self.show_at_once(ParkedScreen())

    def show_text(self, title: str, text: str, *, hanging: bool = False) -> None:
        from supportdesk.tui.screens.text import TextScreen

        self.show_at_once(TextScreen(title, text, hanging=hanging))

    def show_picture(self, title: str, picture: Picture) -> None:
        from supportdesk.tui.screens.picture import PictureScreen

        self.show_at_once(PictureScreen(title, picture, plain=self.glyphs is ASCII))

    def show_help(self, screen: DeskScreen[object]) -> None:
        from supportdesk.tui.help import help_text

        shown = help_text(screen.bound(), self.glyphs, screen.view_names())
        self.show_text(_("Keys of this place"), shown, hanging=True)

    def show_palette(self, screen: DeskScreen[object]) -> None:
        from supportdesk.tui.help import palette_entries

        def chosen(action: str | None) -> None:
            if action is not None:
                screen.act(action)

        entries = palette_entries(screen)
        question = ChooseScreen(_("What do you want to do?"), entries, glyphs=self.glyphs, large=True)
        screen.put_question(question, chosen)
