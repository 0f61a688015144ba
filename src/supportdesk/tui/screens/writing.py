"""What writing a reply and writing a note share: the conversation above, the text below, nothing lost in between.

Both are drafts: rows of the outbox that are saved as they are typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.draft_keeper import DraftKeeper, Saved
from supportdesk.tui.editor import edit_text
from supportdesk.tui.editor_files import EditorFiles
from supportdesk.tui.present_thread import entry_key, presence_words, thread_item
from supportdesk.tui.screens.base import READ, WRITE, DeskScreen
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.composer import SAVE_AT_LATEST, Composer
from supportdesk.tui.widgets.thread import ThreadView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from supportdesk.desk.model import OutboxRow, ThreadEntry
    from supportdesk.tui.editor_files import EditorFile
    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import TicketBundle
    from supportdesk.tui.widgets.thread_layout import ThreadItem


FRAME_LINES = 6
"""Lines of a writing screen that are neither conversation nor text: status, title, headers, hints."""

SHORT = 32


class WritingScreen(DeskScreen[None]):
    """A composer under the conversation that it belongs to."""

    CONTEXT: ClassVar[str] = "compose"

    def __init__(self, bundle: TicketBundle, row: OutboxRow) -> None:
        super().__init__()
        self.add_class("writing")
        self.bundle = bundle
        self._row = row
        self._keeper: DraftKeeper | None = None
        self._news = False
        self._dirty = False
        self._saving = 0
        self._refused = False  # the newest save failed: it is tried again
        self._edited: EditorFile | None = None  # where the text of an editor is until it is saved

    def compose_body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield StatusLine(separator=f" {glyphs.separator} ", id="title")
        context = ThreadView(glyphs=glyphs, id="context")
        context.can_focus = False
        yield context
        yield from self.compose_headers()
        yield Composer(offers_canned=self.CONTEXT == "compose", id="body")
        yield from self.compose_footer()

    def compose_headers(self) -> Iterable[Widget]:
        return ()

    def compose_footer(self) -> Iterable[Widget]:
        return ()

    @property
    def keeper(self) -> DraftKeeper:
        if self._keeper is None:
            self._keeper = DraftKeeper(self.session, self._row)
        return self._keeper

    @property
    def body(self) -> Composer:
        return self.query_one("#body", Composer)

    def on_mount(self) -> None:
        self.conversation.show(self._context_items(), at=self._answered_item())
        self._fit_context()
        self.body.load(self._row.body)
        self.first_field().focus()
        self.show_title()
        self._look_for_edited()

    def on_resize(self, event: events.Resize) -> None:
        if self.query("#context"):  # while all is taken down or built up it is not there
            self._fit_context()

    @property
    def conversation(self) -> ThreadView:
        """What stands above the text."""
        return self.query_one("#context", ThreadView)

    def _fit_context(self) -> None:
        """The conversation takes the lines it needs and at most its share; the rest is for the text."""
        columns, lines = self.size
        share = (lines - FRAME_LINES) // 2 if lines < SHORT else (lines - FRAME_LINES) * 2 // 5
        most = max(1, share)
        self.conversation.styles.height = self.conversation.lines_from(self._answered_item(), columns, most)

    def first_field(self) -> Widget:
        """Where the writing begins."""
        return self.body

    # ---- what stands above the text

    def heading(self) -> str:
        """What is being written."""
        raise NotImplementedError

    def title_state(self) -> StatusPart:
        """Whether it is saved."""
        if self.is_unsaved:
            return StatusPart(SafeText(_("not saved yet")), "warning")
        return StatusPart(SafeText(_("saved")), "muted")

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
        right.append(self.title_state())
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
        self.conversation.replace_items(self._context_items())
        self._fit_context()
        self.show_title()

    def answered_entry(self) -> ThreadEntry | None:
        """What is answered, else the customer's newest message: it is what the writer has to see."""
        came_in = [entry for entry in self.bundle.entries if entry.direction == "in"]
        answered = [entry for entry in came_in if entry.id == self._row.in_reply_to]
        return next(iter(answered or came_in[-1:]), None)

    def _answered_item(self) -> str | None:
        entry = self.answered_entry()
        return entry_key(entry) if entry is not None else None

    def _context_items(self) -> list[ThreadItem]:
        now = self.session.local_now(self.bundle.ticket.mailbox_id)
        return [thread_item(entry, self.bundle, now) for entry in self.bundle.entries]

    # ---- saving

    def fields(self) -> dict[str, Any]:
        """What is on the screen, as it is stored."""
        return {"body": self.body.text}

    def save(
        self,
        then: Callable[[], None] | None = None,
        *,
        otherwise: Callable[[], None] | None = None,
        again: bool = False,
    ) -> None:
        """Write the draft if it differs from what is stored, then go on.

        `otherwise`: it could not be written, or another window wrote in it too and its text has to be looked at.
        `again`: a failure was told before.
        """
        self.body.flush()
        self._dirty = False
        fields, keeper, edited = self.fields(), self.keeper, self._edited
        self._saving += 1

        def work() -> Saved:
            saved = keeper.save(fields)
            if edited is not None:
                edited.forget()
            return saved

        def done(saved: Saved) -> None:
            self._saving -= 1
            self._refused = False
            self._row = saved.row
            if self._edited is edited:
                self._edited = None
            if saved.foreign:
                self.body.text = f"{self.body.text.rstrip()}\n\n{saved.foreign}"
                self.tell(
                    _("The draft was changed in another window; its text stands below yours."), severity="warning"
                )
            self.show_title()
            if (follows := otherwise if saved.foreign else then) is not None:
                follows()

        def failed(error: Exception) -> None:
            self._saving -= 1
            self._refused = True
            self.set_timer(SAVE_AT_LATEST, self._save_again)
            self.show_title()
            if not again:  # said once; the line above the text goes on saying it
                self.tell_error(error)
            if otherwise is not None:
                otherwise()

        self.call(WRITE, work, done, failed=failed)

    @property
    def is_addressed_anew(self) -> bool:
        """Whether somebody wrote into its recipients or its subject."""
        return False

    def save_now(self) -> None:
        self.save()

    @property
    def is_stored(self) -> bool:
        """Whether the text stands in the database as it stands here, also while nothing is delivered any more."""
        return not self.keeper.differs({"body": self.body.text})

    @property
    def is_unsaved(self) -> bool:
        return bool(self._saving or self._refused or self.body.is_dirty)

    def _save_again(self) -> None:
        if self._refused and not self._saving:
            self.save(again=True)

    def on_composer_draft_changed(self, message: Composer.DraftChanged) -> None:
        message.stop()
        self.save()

    # ---- keys

    def do_leave(self) -> None:
        """Back; the draft is kept. One that nobody wrote anything into is given up."""
        session, row = self.session, self._row
        if not self.body.text.strip() and not row.attachments and row.kind != "new" and not self.is_addressed_anew:
            self.call(WRITE, lambda: session.desk.discard_draft(session.actor, row.id), lambda _done: self._go())
        else:
            self.save(self._go, otherwise=self.console.typed_ahead.drop)

    def _go(self) -> None:
        self.dismiss()

    def do_half_page_up(self) -> None:
        self.conversation.scroll_half_pages(-1)

    def do_half_page_down(self) -> None:
        self.conversation.scroll_half_pages(1)

    def do_editor(self) -> None:
        """Write in the agent's own editor; what was written before is saved first."""
        if self.session.restricted:
            self.tell(_("No editor can be started here."), severity="warning")
            return
        self.save(self._edit, otherwise=self._edit)

    def _edit(self) -> None:
        try:
            file = self._edited or EditorFiles(self.session).hold(self.keeper.row.id)
            if file is not self._edited and self._found_edited(file):
                return
            try:
                with self.console.presence.beating():
                    text = edit_text(self.app, self.body.text, file)
            except SupportdeskError:
                if file is not self._edited:
                    file.forget()
                raise
        except SupportdeskError as error:
            self.tell_error(error)
            return
        self._take_edited(file, text)

    def _look_for_edited(self) -> None:
        files, draft = EditorFiles(self.session), self._row.id
        try:
            file = files.find(draft)
            if file is not None:
                self._found_edited(file)
            elif files.can_recover(draft):
                self.tell(_("Your editor kept text of this draft that was not saved: open it, and it offers that."))
        except SupportdeskError as error:
            self.tell_error(error)

    def _found_edited(self, file: EditorFile) -> bool:
        """Go on with what a console left behind that ended before it could save what its editor wrote, if there is."""
        left = file.left()
        if left is None:
            return False
        begun, made = left
        here = self.body.text
        self._take_edited(file, made if here.strip() in ("", begun.strip()) else f"{here.rstrip()}\n\n{made}")
        self.tell(_("What you wrote in your editor is back: the console had ended before it was saved."))
        return True

    def _take_edited(self, file: EditorFile, text: str) -> None:
        self._edited = file
        self.body.text = text
        self.body.move_cursor(self.body.document.end)
        self.body.focus()
        self.save()
