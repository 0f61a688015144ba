"""Writing a reply: recipients, subject and text, saved as they are typed; the review; sending, and what can stop it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.containers import Horizontal, Vertical

from supportdesk.desk.results import AnswerNeeded, Done, Review
from supportdesk.errors import ReplyStopped, SupportdeskError, UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.safetext import safe
from supportdesk.tui import ages
from supportdesk.tui.addresses import could_be_address, read_addresses
from supportdesk.tui.canned_pick import CannedPick
from supportdesk.tui.labels import REASON, word
from supportdesk.tui.present_thread import attachment_line, recipients_line
from supportdesk.tui.screens.base import READ, WRITE
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.screens.writing import WritingScreen
from supportdesk.tui.triage import describe_when, refuse_when, when_presets
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.composer import Composer
from supportdesk.tui.widgets.guard import as_written
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.prompt import SafeInput, TextLine
from supportdesk.tui.widgets.review_bar import ReviewBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from textual.events import DescendantBlur
    from textual.widget import Widget
    from textual.widgets import Input

    from supportdesk.desk.model import OutboxRow
    from supportdesk.tui.session import TicketBundle

FIELD_SAVE_AFTER = 1.0
HEADINGS = {
    "reply": N_("Reply to #{ticket}"),
    "new": N_("New conversation #{ticket}"),
    "forward": N_("Forward of #{ticket} · the answers are for agents only"),
}
HEADERS = ("to", "cc", "bcc", "subject")


@dataclass(frozen=True, slots=True)
class Sending:
    """A send that was asked for: what the ticket becomes, and what the agent has decided so far."""

    key: str
    after: str = "pending"
    snooze: datetime | None = None
    anyway: bool = False
    dismiss: str = ""
    seen_seq: int = 0
    ask_again: bool = False


class ComposeScreen(WritingScreen):
    """One reply or new conversation, from its draft to the outbox."""

    def __init__(self, bundle: TicketBundle, row: OutboxRow) -> None:
        super().__init__(bundle, row)
        self._canned_key = row.canned_key
        self._seen_seq = bundle.ticket.seq
        self._review: Review | None = None
        self._pressed = ""
        self._canned = CannedPick(self)

    def compose_headers(self) -> Iterable[Widget]:
        row = self._row
        with Vertical(classes="headers"):
            with Horizontal():
                yield TextLine(safe(_("To")), classes="label")
                yield SafeInput(safe(recipients_line(row.recipients, "to")), id="to")
            with Horizontal():
                yield TextLine(safe(_("Cc")), classes="label")
                yield SafeInput(safe(recipients_line(row.recipients, "cc")), id="cc")
                yield TextLine(safe(_("Bcc")), classes="label short")
                yield SafeInput(safe(recipients_line(row.recipients, "bcc")), id="bcc")
            with Horizontal():
                yield TextLine(safe(_("Subject")), classes="label")
                yield SafeInput(as_written(row.subject), id="subject")

    def compose_footer(self) -> Iterable[Widget]:
        yield StatusLine(separator="   ", id="files")
        yield ReviewBar(glyphs=self.console.glyphs)

    @property
    def context(self) -> str:
        return "review" if self._review is not None else self.CONTEXT

    def on_mount(self) -> None:
        self.console.show_presence(self.bundle.ticket.id, "replying")
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
            "seen_seq": self._seen_seq,
            "canned_key": self._canned_key,
            **{role: read_addresses(self.query_one(f"#{role}", SafeInput).value) for role in ("to", "cc", "bcc")},
        }

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

    # ---- leaving, attaching, canned responses

    def _go(self) -> None:
        self.console.show_presence(None, "")
        self.dismiss()

    def do_canned(self) -> None:
        self._canned.start()

    def on_composer_canned_requested(self, message: Composer.CannedRequested) -> None:
        message.stop()
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

    def do_attach(self) -> None:
        """Attach a file by its path."""
        if self.session.restricted:
            self.tell(_("Files of this machine cannot be attached here."), severity="warning")
            return
        self.ask_line("attach", _("Attach the file:"), self._attach_file, value="~/")

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
        self.console.push_screen(ChooseScreen(_("Take off which?"), entries, glyphs=self.console.glyphs), chosen)

    def _show_files(self) -> None:
        files = self.query_one("#files", StatusLine)
        mark = self.console.glyphs.attachment
        files.show([StatusPart(safe(f"{mark} {attachment_line(one)}"), "strong") for one in self._row.attachments])
        files.display = bool(self._row.attachments)

    # ---- the review

    def do_review(self) -> None:
        """Save, build the mail as a dry run, show what it says."""
        if self._names_no_address():
            self.save()
            return
        session, keeper = self.session, self.keeper
        self.save(lambda: self.call(READ, lambda: session.desk.review(session.actor, keeper.row.id), self._reviewed))

    def _reviewed(self, review: Review) -> None:
        self._review, self._pressed = review, ""
        bar = self.query_one(ReviewBar)
        bar.show(review)
        bar.display = True
        bar.focus()
        self.show_hints()

    def do_edit(self) -> None:
        """Back to the text."""
        wrong = self._review is not None and not self._review.sendable
        self._review, self._pressed = None, ""
        self.query_one(ReviewBar).display = False
        (self.first_to_mend() if wrong else self.body).focus()
        self.show_hints()

    def first_to_mend(self) -> Widget:
        """Where the agent has to write after a review that found something wrong."""
        return self.body if read_addresses(self.query_one("#to", SafeInput).value) else self.query_one("#to", SafeInput)

    def _names_no_address(self) -> bool:
        """Whether something is no address at all among the recipients; then it is told, and its field is ready."""
        for role in ("to", "cc", "bcc"):
            field = self.query_one(f"#{role}", SafeInput)
            wrong = [one.addr or one.name for one in read_addresses(field.value) if not could_be_address(one)]
            if wrong:
                self.tell(_("“{text}” is no address: name@domain is one.").format(text=wrong[0]), severity="error")
                field.focus()
                return True
        return False

    def do_say_how_to_send(self) -> None:
        """Enter sends nothing: it is pressed by habit."""
        assert self._review is not None
        self.query_one(ReviewBar).show(self._review, say_how=True)

    def can(self, action: str) -> bool:
        if action in ("send", "send_and_solve", "send_and_snooze", "send_and_ask_again"):
            # A third party who was sent a forward is not reminded: he is nobody's customer.
            forwarded = action == "send_and_ask_again" and self._row.kind == "forward"
            return self._review is not None and self._review.sendable and not forwarded
        return super().can(action)

    def do_send(self) -> None:
        # A third party is to move next; the customer still waits.
        after = "on_hold" if self._row.kind == "forward" else "pending"
        self._confirmed("y", lambda: self._send(Sending("y", after=after)))

    def do_send_and_solve(self) -> None:
        self._confirmed("e", lambda: self._send(Sending("e", after="solved")))

    def do_send_and_snooze(self) -> None:
        self._confirmed("s", self._ask_snooze)

    def do_send_and_ask_again(self) -> None:
        """Send; a customer who does not answer is reminded on the 4th and the 6th business day."""
        self._confirmed("b", lambda: self._send(Sending("b", ask_again=True)))

    def _confirmed(self, key: str, then: Callable[[], None]) -> None:
        """Warnings want the same key twice."""
        assert self._review is not None
        if self._review.warnings and self._pressed != key:
            self._pressed = key
            self.query_one(ReviewBar).show(self._review, ask_again=True)
        else:
            then()

    def _ask_snooze(self) -> None:
        session, ticket_id = self.session, self.bundle.ticket.id

        def read() -> Any:
            from supportdesk.desk.arguments import calendar_for

            return calendar_for(session.desk, (ticket_id,))

        def ask(calendar: Any) -> None:
            def chosen(text: str) -> None:
                from supportdesk.desk.phrases import read_snooze
                from supportdesk.l10n.catalog import current_language

                until = read_snooze(text, calendar, session.now(), current_language()).until
                self._send(Sending("s", snooze=until))

            self.ask_line(
                "when",
                _("Send, and sleep until:"),
                chosen,
                hint=lambda text: describe_when(text, calendar, session.now()),
                refusal=lambda text: refuse_when(text, calendar, session.now()),
                complete=lambda text: when_presets(text, calendar, session.now()),
            )

        self.call(READ, read, ask)

    # ---- sending

    def _send(self, sending: Sending) -> None:
        session, keeper = self.session, self.keeper
        seen = sending.seen_seq or self._seen_seq

        def work() -> Done:
            return session.desk.send(
                session.actor,
                keeper.row.id,
                seen_seq=seen,
                after=sending.after,
                anyway=sending.anyway,
                snooze=sending.snooze,
                dismiss=sending.dismiss,
                ask_again=sending.ask_again,
            )

        self.call(WRITE, work, self._sent, failed=lambda error: self._not_sent(sending, error))

    def _sent(self, done: Done) -> None:
        self.tell(done.notice)
        self._go()

    def _not_sent(self, sending: Sending, error: Exception) -> None:
        if isinstance(error, ReplyStopped):
            self._stopped(sending, error)
        elif isinstance(error, AnswerNeeded):
            self._ask_back(sending, error)
        elif isinstance(error, SupportdeskError):
            self.tell_error(error)
            self.do_edit()
        else:
            self.tell_error(error)

    def _stopped(self, sending: Sending, error: ReplyStopped) -> None:
        """Something arrived that the agent has not seen: show it, and let him decide."""
        now = self.session.local_now(self.bundle.ticket.mailbox_id)
        lines = [error.message, ""]
        for newcomer in error.newcomers:
            lines += [f"{ages.moment(newcomer.at, now)}  {newcomer.author}", f"  {newcomer.excerpt}", ""]
        keys = [("a", _("send anyway")), ("e", _("edit")), ("d", _("discard the reply"))]

        def pressed(key: str | None) -> None:
            # What was listed has been seen now, whatever is decided.
            self._seen_seq = max(self._seen_seq, error.seq)
            if key == "a":
                self._send(replace(sending, anyway=True, seen_seq=error.seq))
            elif key == "d":
                self._discard()
            else:
                self.do_edit()

        self.console.push_screen(DialogScreen(_("The reply was not sent"), "\n".join(lines), keys), pressed)

    def _discard(self) -> None:
        session, keeper = self.session, self.keeper

        def discarded(done: Done) -> None:
            self.tell(f"{done.notice}  ·  " + _("u undoes it"))
            self._go()

        self.call(WRITE, lambda: session.desk.discard_draft(session.actor, keeper.row.id), discarded)

    def _ask_back(self, sending: Sending, error: AnswerNeeded) -> None:
        """The desk needs a decision: a reason, or a plain yes."""
        if error.param == "dismiss":

            def chosen(reason: str | None) -> None:
                if reason is not None:
                    self._send(replace(sending, dismiss=reason))

            entries = [PickerEntry(reason, safe(word(REASON, reason))) for reason in REASON]
            self.console.push_screen(ChooseScreen(error.message, entries, glyphs=self.console.glyphs), chosen)
            return

        def pressed(key: str | None) -> None:
            if key == "y":
                self._send(replace(sending, anyway=True))

        keys = [("y", _("yes")), ("esc", _("no"))]
        self.console.push_screen(DialogScreen(_("Are you sure?"), error.message, keys), pressed)
