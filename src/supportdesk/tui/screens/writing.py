"""What writing a reply and writing a note share: the conversation above, the text below, nothing lost in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.editor import edit_text
from supportdesk.tui.present_thread import presence_words, thread_item
from supportdesk.tui.screens.base import READ, DeskScreen
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.composer import Composer
from supportdesk.tui.widgets.thread import ThreadView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.widget import Widget

    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import TicketBundle
    from supportdesk.tui.widgets.thread_layout import ThreadItem


class WritingScreen(DeskScreen[None]):
    """A composer under the conversation that it belongs to."""

    CONTEXT: ClassVar[str] = "compose"

    def __init__(self, bundle: TicketBundle, text: str) -> None:
        super().__init__()
        self.add_class("writing")
        self.bundle = bundle
        self._text = text
        self._news = False
        self._dirty = False

    def compose_body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield StatusLine(separator=f" {glyphs.separator} ", id="title")
        context = ThreadView(glyphs=glyphs, id="context")
        context.can_focus = False
        yield context
        yield from self.compose_headers()
        yield Composer(id="body")
        yield from self.compose_footer()

    def compose_headers(self) -> Iterable[Widget]:
        return ()

    def compose_footer(self) -> Iterable[Widget]:
        return ()

    @property
    def body(self) -> Composer:
        return self.query_one("#body", Composer)

    def on_mount(self) -> None:
        self.query_one("#context", ThreadView).show(self._context_items())
        self.body.load(self._text)
        self.body.focus()
        self.show_title()

    # ---- what stands above the text

    def heading(self) -> str:
        """What is being written."""
        raise NotImplementedError

    def title_state(self) -> StatusPart | None:
        """Whether it is saved."""
        return None

    def on_text_area_changed(self) -> None:
        if self.body.is_dirty != self._dirty:
            self._dirty = self.body.is_dirty
            self.show_title()

    def show_title(self) -> None:
        right = []
        if who := presence_words(self.bundle.presence):
            right.append(StatusPart(safe(who), "warning"))
        if self._news:
            right.append(StatusPart(safe(_("something new arrived")), "error"))
        if (state := self.title_state()) is not None:
            right.append(state)
        self.query_one("#title", StatusLine).show([StatusPart(safe(self.heading()), "strong")], right)

    def on_news(self, changed: Changed) -> None:
        """Show what arrives while the agent writes; the text stays where it is."""
        ticket_id = self.bundle.ticket.id
        if ticket_id in changed.tickets or not changed.events:
            session = self.session
            self.call(READ, lambda: session.load_ticket(ticket_id), self._reloaded, replaces="context")

    def _reloaded(self, bundle: TicketBundle) -> None:
        mine = self.session.agent.id
        if any(entry.seq > self.bundle.ticket.seq and entry.agent_id != mine for entry in bundle.entries):
            self._news = True
        self.bundle = bundle
        self.query_one("#context", ThreadView).replace_items(self._context_items())
        self.show_title()

    def _context_items(self) -> list[ThreadItem]:
        """The conversation without the agent's own draft, which stands below."""
        shown = [
            entry
            for entry in self.bundle.entries
            if entry.id is not None or entry.state != "draft" or entry.agent_id != self.session.agent.id
        ]
        now = self.session.now()
        return [thread_item(entry, self.bundle, now) for entry in shown]

    # ---- keys

    def do_half_page_up(self) -> None:
        self.query_one("#context", ThreadView).scroll_half_pages(-1)

    def do_half_page_down(self) -> None:
        self.query_one("#context", ThreadView).scroll_half_pages(1)

    def do_editor(self) -> None:
        """Write in the agent's own editor; what was written before is saved first."""
        if self.session.restricted:
            self.tell(_("No editor can be started here."), severity="warning")
            return
        self.save_now()
        try:
            text = edit_text(self.app, self.body.text)
        except SupportdeskError as error:
            self.tell_error(error)
            return
        self.body.text = text
        self.body.move_cursor(self.body.document.end)
        self.body.focus()


def saved_part(saved: bool) -> StatusPart:
    return StatusPart(SafeText(_("saved")), "muted") if saved else StatusPart(SafeText(_("not saved yet")), "warning")
