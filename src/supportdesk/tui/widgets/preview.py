"""The ticket under the cursor, below the list: its title, the conversation, the customer beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical

from supportdesk.safetext import SafeText
from supportdesk.tui.present_thread import customer_lines, thread_items, ticket_title
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.removed import DeafWhenRemoved
from supportdesk.tui.widgets.side import SidePane
from supportdesk.tui.widgets.thread import ThreadView

if TYPE_CHECKING:
    from datetime import datetime

    from textual.app import ComposeResult

    from supportdesk.desk.model import TicketId
    from supportdesk.tui.glyphs import Glyphs
    from supportdesk.tui.session import TicketBundle


class Preview(DeafWhenRemoved, Vertical):
    """`ticket` is the one that is shown."""

    def __init__(self, *, glyphs: Glyphs) -> None:
        super().__init__(id="preview")
        self._glyphs = glyphs
        self.ticket: TicketId | None = None

    def compose(self) -> ComposeResult:
        yield StatusLine(separator=f" {self._glyphs.separator} ", keeps_right=True, id="title")
        with Horizontal():
            thread = ThreadView(glyphs=self._glyphs, id="thread")
            thread.can_focus = False
            yield thread
            yield SidePane(glyphs=self._glyphs, id="customer")

    def show(self, bundle: TicketBundle, now: datetime) -> None:
        """Show a ticket; one that is shown already keeps its place."""
        self.query_one("#title", StatusLine).show(*ticket_title(bundle, now))
        thread = self.query_one("#thread", ThreadView)
        if self.ticket == bundle.ticket.id:
            thread.replace_items(thread_items(bundle, now))
        else:
            thread.show(thread_items(bundle, now))
        self.query_one("#customer", SidePane).show(customer_lines(bundle, now))
        self.ticket = bundle.ticket.id

    def clear(self) -> None:
        self.ticket = None
        self.query_one("#title", StatusLine).show([StatusPart(SafeText(""))])
        self.query_one("#thread", ThreadView).show(())
        self.query_one("#customer", SidePane).show(())
