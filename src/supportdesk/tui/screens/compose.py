"""Writing a reply: recipients, subject and text, saved as they are typed; the review; sending, and what can stop it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal, Vertical

from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.safetext import safe
from supportdesk.tui.addresses import could_be_address, last_piece, read_addresses
from supportdesk.tui.attaching import ask_for_file
from supportdesk.tui.canned_pick import CannedPick
from supportdesk.tui.compose_send import Sender, Sending
from supportdesk.tui.draft_keeper import fields_of
from supportdesk.tui.present_thread import attachment_line, recipients_line
from supportdesk.tui.quote_pick import pick_quote
from supportdesk.tui.screens.base import LOOK, READ, WRITE
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.screens.on_tickets import OnTickets
from supportdesk.tui.screens.writing import WritingScreen
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.composer import Composer
from supportdesk.tui.widgets.guard import as_written
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.prompt import Completion, CompletionLines, SafeInput, TextLine
from supportdesk.tui.widgets.recipients import RecipientInput
from supportdesk.tui.widgets.review_bar import ReviewBar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from textual.events import DescendantBlur, DescendantFocus
    from textual.widget import Widget
    from textual.widgets import Input

    from supportdesk.desk.model import OutboxRow
    from supportdesk.desk.results import Done
    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import TicketBundle

FIELD_SAVE_AFTER = 1.0
HEADINGS = {
    "reply": N_("Reply to #{ticket}"),
    "new": N_("New conversation #{ticket}"),
    "forward": N_("Forward of #{ticket} · the answers are for agents only"),
}
ROLES = ("to", "cc", "bcc")
HEADERS = (*ROLES, "subject")
SENDS = ("send", "send_and_solve", "send_and_snooze", "send_and_ask_again", "send_later")


class ComposeScreen(WritingScreen):
    """One reply or new conversation, from its draft to the outbox."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"edit"})

    def __init__(self, bundle: TicketBundle, row: OutboxRow) -> None:
        super().__init__(bundle, row)
        self._canned_key = row.canned_key
        self.seen_seq = bundle.ticket.seq
        self._first = fields_of(row)
        self._sender = Sender(self)
        self._canned = CannedPick(self)

    def compose_headers(self) -> Iterable[Widget]:
        row, lines = self._row, CompletionLines()
        with Vertical(classes="headers"):
            with Horizontal():
                yield TextLine(safe(_("To")), classes="label")
                yield RecipientInput(safe(recipients_line(row.recipients, "to")), lines, id="to")
            with Horizontal():
                yield TextLine(safe(_("Cc")), classes="label")
                yield RecipientInput(safe(recipients_line(row.recipients, "cc")), lines, id="cc")
                yield TextLine(safe(_("Bcc")), classes="label short")
                yield RecipientInput(safe(recipients_line(row.recipients, "bcc")), lines, id="bcc")
            with Horizontal():
                yield TextLine(safe(_("Subject")), classes="label")
                yield SafeInput(as_written(row.subject), id="subject")
        yield lines

    def compose_footer(self) -> Iterable[Widget]:
        yield StatusLine(separator="   ", id="files")
        yield ReviewBar(glyphs=self.console.glyphs)

    @property
    def context(self) -> str:
        return "review" if self._sender.is_open else self.CONTEXT

    def on_mount(self) -> None:
        self.console.presence.show(self.bundle.ticket.id, "replying")
        self._show_files()

    def first_field(self) -> Widget:
        addressed = any(one.role == "to" for one in self._row.recipients)
        return self.body if addressed else self.query_one("#to", SafeInput)

    def heading(self) -> str:
        language = self._row.language or "?"
        register = self.bundle.customer.register if self.bundle.customer is not None else ""
        what = _(HEADINGS[self._row.kind]).format(ticket=self.bundle.ticket.id)
        if self._row.kind == "forward":
            return what
        return " · ".join(part for part in (what, language, register) if part)

    # ---- saving

    def fields(self) -> dict[str, Any]:
        """What is on the screen, as it is stored."""
        return {
            "body": self.body.text,
            "subject": self.query_one("#subject", SafeInput).value.strip(),
            "seen_seq": self.seen_seq,
            "canned_key": self._canned_key,
            **{role: read_addresses(self.query_one(f"#{role}", SafeInput).value) for role in ROLES},
        }

    @property
    def is_addressed_anew(self) -> bool:
        fields = self.fields()
        forwarded = self._row.kind == "forward" and bool(fields["to"])  # the desk knows nobody to forward to
        return forwarded or any(fields[name] != self._first[name] for name in (*ROLES, "subject"))

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id in HEADERS and self._keeper is not None:
            self.set_timer(FIELD_SAVE_AFTER, self._save_if_different)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id in HEADERS:
            self.focus_next()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        if isinstance(event.widget, SafeInput) and event.widget.id in HEADERS:
            self._save_if_different()

    def _save_if_different(self) -> None:
        if self.keeper.differs(self.fields()):
            self.save()

    def on_recipient_input_wanted(self, message: RecipientInput.Wanted) -> None:
        """Offer whom the desk knows; a late answer for what was typed before is not shown."""
        message.stop()
        lines, line, begun, read = self.query_one(CompletionLines), message.line, message.begun, self.session.desk.read
        if not begun:
            lines.show(())
            return

        def found(known: list[tuple[str, str]]) -> None:
            if line.has_focus and last_piece(line.value) == begun:
                lines.show(
                    [
                        Completion(safe(f"{name} <{address}>" if name else address), safe(address), safe(name))
                        for name, address in known
                        if address != begun
                    ]
                )

        self.call(LOOK, lambda: read.addresses(begun), found, replaces="addresses")

    # ---- leaving, attaching, canned responses

    def _go(self) -> None:
        self.console.presence.leave()
        super()._go()

    def do_canned(self) -> None:
        self._canned.start()

    def on_composer_canned_requested(self, message: Composer.CannedRequested) -> None:
        message.stop()
        with self.console.typed_ahead.following():
            self._canned.start()

    def insert_canned(self, key: str, text: str, subject: str) -> None:
        """Put a rendered response where the cursor is."""
        self._canned_key = key
        self.body.insert_at_cursor(text)
        line = self.query_one("#subject", SafeInput)
        if subject and not line.value.strip():
            line.value = as_written(subject)
        self.body.focus()
        self.save()

    def do_quote(self) -> None:
        """Choose what of the conversation to quote."""
        pick_quote(self)

    def insert_quote(self, text: str) -> None:
        """Put a quotation on a line of its own, where the cursor is; the answer goes below it."""
        row, column = self.body.cursor_location
        begins_line = not self.body.document.get_line(row)[:column].strip()
        self.body.insert_at_cursor(text if begins_line else f"\n\n{text}")
        self.body.focus()
        self.save()

    def do_attach(self) -> None:
        """Attach a file of this machine, or of the agent's own."""
        ask_for_file(self, self._row, self._attach_file)

    def _attach_file(self, text: str) -> None:
        path = Path(text.strip()).expanduser()
        session, keeper = self.session, self.keeper

        def work() -> OutboxRow:
            from mimetypes import guess_type

            if not path.is_file():
                raise UsageError(_("{path} is no file").format(path=path))
            kind = guess_type(path.name)[0] or "application/octet-stream"
            row = session.desk.attach(session.actor, keeper.row.id, path.name, kind, path.read_bytes())
            keeper.follow(row)
            return row

        self.save(lambda: self.call(WRITE, work, self._attached))

    def on_news(self, changed: Changed) -> None:
        """Show what came to the draft from elsewhere, too: a file that was sent from the agent's own machine."""
        super().on_news(changed)
        session, row_id = self.session, self._row.id

        def found(row: OutboxRow) -> None:
            if row.attachments != self._row.attachments:
                self._attached(replace(self._row, attachments=row.attachments))

        def failed(error: Exception) -> None:
            if not isinstance(error, NotFound):  # a draft that is gone is told of when this one is saved
                self.tell_error(error)

        self.call(READ, lambda: session.desk.outbox_row(row_id), found, failed=failed, replaces="files")

    def _attached(self, row: OutboxRow) -> None:
        self._row = row
        self._show_files()

    def do_detach(self) -> None:
        """Take an attachment off again."""
        row, session, keeper = self._row, self.session, self.keeper
        if not row.attachments:
            self.tell(_("Nothing is attached."), severity="warning")
            return

        def chosen(found: str | None) -> None:
            if found is None:
                return

            def work() -> OutboxRow:
                after = session.desk.detach(session.actor, keeper.row.id, int(found))
                keeper.follow(after)
                return after

            self.save(lambda: self.call(WRITE, work, self._attached))

        entries = [PickerEntry(str(one.id), safe(one.name), safe(one.content_type)) for one in row.attachments]
        self.put_question(ChooseScreen(_("Take off which?"), entries, glyphs=self.console.glyphs), chosen)

    def _show_files(self) -> None:
        files = self.query_one("#files", StatusLine)
        mark = self.console.glyphs.attachment
        files.show([StatusPart(safe(f"{mark} {attachment_line(one)}"), "strong") for one in self._row.attachments])
        files.display = bool(self._row.attachments)

    # ---- the review and what follows it

    def do_review(self) -> None:
        """Look at the reply before it leaves."""
        if self._names_no_address():
            self.save()
            self.console.typed_ahead.drop()
        else:
            self._sender.open()

    def do_edit(self) -> None:
        """Back to the text."""
        self._sender.close()

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Whoever clicks into the text or a field wants to write there."""
        if self._sender.is_open and event.widget.id in (*HEADERS, "body"):
            self._sender.give_way()

    def first_to_mend(self) -> Widget:
        """Where the agent has to write after a review that found something wrong."""
        return self.body if read_addresses(self.query_one("#to", SafeInput).value) else self.query_one("#to", SafeInput)

    def _names_no_address(self) -> bool:
        """Whether something is no address at all among the recipients; then it is told, and its field is ready."""
        for role in ROLES:
            field = self.query_one(f"#{role}", SafeInput)
            wrong = [one.addr or one.name for one in read_addresses(field.value) if not could_be_address(one)]
            if wrong:
                self.tell(_("“{text}” is no address: name@domain is one.").format(text=wrong[0]), severity="error")
                field.focus()
                return True
        return False

    def do_down(self) -> None:
        """The next line of a long review."""
        self.query_one(ReviewBar).scroll_lines(1)

    def do_up(self) -> None:
        self.query_one(ReviewBar).scroll_lines(-1)

    def do_say_how_to_send(self) -> None:
        self._sender.say_how()

    def can(self, action: str) -> bool:
        if action in SENDS:
            # A third party who was sent a forward is not reminded: he is nobody's customer.
            forwarded = action == "send_and_ask_again" and self._row.kind == "forward"
            return self._sender.can_send and not forwarded
        return super().can(action)

    @property
    def _after(self) -> str:
        """A third party is to move next on a forward, and the customer still waits; else the customer is."""
        return "on_hold" if self._row.kind == "forward" else "pending"

    def do_send(self) -> None:
        self._sender.confirmed("y", lambda: self._sender.send(Sending(after=self._after)))

    def do_send_and_solve(self) -> None:
        self._sender.confirmed("e", lambda: self._sender.send(Sending(after="solved")))

    def do_send_and_snooze(self) -> None:
        def asleep(until: datetime) -> None:
            self._sender.send(Sending(after=self._after, snooze=until))

        self._sender.confirmed("s", lambda: self._sender.ask_time(_("Send, and sleep until:"), asleep))

    def do_send_and_ask_again(self) -> None:
        """Send; a customer who does not answer is reminded on the 4th and the 6th business day."""
        self._sender.confirmed("b", lambda: self._sender.send(Sending(ask_again=True)))

    def do_send_later(self) -> None:
        """Hold it until a time; the customer counts as answered, and it stops when he writes again before."""

        def later(at: datetime) -> None:
            self._sender.send(Sending(after=self._after, at=at))

        self._sender.confirmed("l", lambda: self._sender.ask_time(_("Send at:"), later))

    def sent(self, done: Done) -> None:
        """It is in the outbox; the ticket below is dealt with."""
        below = self.console.screen_stack[-2]
        self._go()
        if isinstance(below, OnTickets):
            below.after_action("send", done)
        self.console.tell_sent(done)

    def discard(self) -> None:
        """Give the reply up."""
        session, keeper = self.session, self.keeper

        def discarded(done: Done) -> None:
            self.tell(f"{done.notice}  ·  " + _("u undoes it"))
            self._go()

        self.call(WRITE, lambda: session.desk.discard_draft(session.actor, keeper.row.id), discarded)
