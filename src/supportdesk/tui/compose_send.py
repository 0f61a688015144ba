"""From `^s` to the outbox: the review with its second key, when and how it is sent, and what can stop it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from supportdesk.desk.labels import REASON, word
from supportdesk.desk.results import AnswerNeeded, Done, Review
from supportdesk.errors import ReplyStopped, SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui import ages
from supportdesk.tui.calls import READ, WRITE
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.triage import describe_when, refuse_when, when_presets
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.review_bar import ReviewBar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from supportdesk.tui.screens.compose import ComposeScreen


@dataclass(frozen=True, slots=True)
class Sending:
    """A send that was asked for: what the ticket becomes, and what the agent has decided so far."""

    after: str = "pending"
    snooze: datetime | None = None
    at: datetime | None = None
    anyway: bool = False
    dismiss: str = ""
    seen_seq: int = 0
    ask_again: bool = False


class Sender:
    """The review of one composer. While it is open, letters are keys and never text."""

    def __init__(self, screen: ComposeScreen) -> None:
        self._screen = screen
        self._review: Review | None = None
        self._pressed = ""
        self._sending = False
        self.is_open = False

    @property
    def can_send(self) -> bool:
        return self._review is not None and self._review.sendable and not self._sending

    # ---- the review

    def open(self) -> None:
        """At once, with what it says to follow: save, build the mail as a dry run, show what is odd about it."""
        screen = self._screen
        session, keeper = screen.session, screen.keeper
        self.is_open, self._review, self._pressed = True, None, ""
        bar = self._bar
        bar.show_reading()
        bar.display = True
        bar.focus()
        screen.show_hints()
        screen.save(
            lambda: screen.call(
                READ, lambda: session.desk.review(session.actor, keeper.row.id), self._reviewed, failed=self._failed
            ),
            otherwise=self._give_up,
        )

    def _reviewed(self, review: Review) -> None:
        if not self.is_open:
            return
        self._review = review
        self._bar.show(review)
        self._screen.show_hints()

    def _failed(self, error: Exception) -> None:
        self._screen.tell_error(error)
        self._give_up()

    def _give_up(self) -> None:
        self.close()
        self._screen.console.typed_ahead.drop()

    def close(self) -> None:
        """Back to the text, or to what has to be mended."""
        screen = self._screen
        wrong = self._review is not None and not self._review.sendable
        self._shut()
        (screen.first_to_mend() if wrong else screen.body).focus()

    def give_way(self) -> None:
        """The agent went back to the text by himself."""
        if not self._sending:
            self._shut()

    def _shut(self) -> None:
        self.is_open, self._review, self._pressed, self._sending = False, None, "", False
        self._bar.display = False
        self._screen.show_hints()

    @property
    def _bar(self) -> ReviewBar:
        return self._screen.query_one(ReviewBar)

    def say_how(self) -> None:
        """Enter sends nothing: it is pressed by habit."""
        if self._review is not None:
            self._bar.show(self._review, say_how=True)

    def confirmed(self, key: str, then: Callable[[], None]) -> None:
        """Warnings want the same key twice."""
        assert self._review is not None
        if self._review.warnings and self._pressed != key:
            self._pressed = key
            self._bar.show(self._review, ask_again=True)
        else:
            then()

    def ask_time(self, label: str, then: Callable[[datetime], None]) -> None:
        """A time in the shop's hours, as a phrase; what it means is shown while it is typed."""
        screen = self._screen
        session, ticket_id = screen.session, screen.bundle.ticket.id

        def read() -> Any:
            from supportdesk.desk.arguments import calendar_for

            return calendar_for(session.desk, (ticket_id,))

        def ask(calendar: Any) -> None:
            def chosen(text: str) -> None:
                from supportdesk.desk.time_phrases import read_snooze
                from supportdesk.l10n.catalog import current_language

                then(read_snooze(text, calendar, session.now(), current_language()).until)

            screen.ask_line(
                "when",
                label,
                chosen,
                hint=lambda text: describe_when(text, calendar, session.now()),
                refusal=lambda text: refuse_when(text, calendar, session.now()),
                complete=lambda text: when_presets(text, calendar, session.now()),
            )

        screen.call(READ, read, ask)

    # ---- sending

    def send(self, sending: Sending) -> None:
        screen = self._screen
        session, keeper = screen.session, screen.keeper
        seen = sending.seen_seq or screen.seen_seq
        self._sending = True

        def work() -> Done:
            return session.desk.send(
                session.actor,
                keeper.row.id,
                seen_seq=seen,
                after=sending.after,
                anyway=sending.anyway,
                snooze=sending.snooze,
                at=sending.at,
                dismiss=sending.dismiss,
                ask_again=sending.ask_again,
            )

        screen.call(WRITE, work, screen.sent, failed=lambda error: self._not_sent(sending, error))

    def _not_sent(self, sending: Sending, error: Exception) -> None:
        self._sending = False
        if isinstance(error, ReplyStopped):
            self._stopped(sending, error)
        elif isinstance(error, AnswerNeeded):
            self._ask_back(sending, error)
        elif isinstance(error, SupportdeskError):
            self._failed(error)
        else:
            self._screen.tell_error(error)

    def _stopped(self, sending: Sending, error: ReplyStopped) -> None:
        """Something arrived that the agent has not seen: show it, and let him decide."""
        screen = self._screen
        now = screen.session.local_now(screen.bundle.ticket.mailbox_id)
        lines = [error.message, ""]
        for newcomer in error.newcomers:
            lines += [f"{ages.moment(newcomer.at, now)}  {newcomer.author}", f"  {newcomer.excerpt}", ""]
        keys = [("a", _("send anyway")), ("e", _("edit")), ("d", _("discard the reply"))]

        def pressed(key: str | None) -> None:
            # What was listed has been seen now, whatever is decided.
            screen.seen_seq = max(screen.seen_seq, error.seq)
            if key == "a":
                self.send(replace(sending, anyway=True, seen_seq=error.seq))
            elif key == "d":
                screen.discard()
            else:
                self.close()

        screen.put_question(DialogScreen(_("The reply was not sent"), "\n".join(lines), keys), pressed)

    def _ask_back(self, sending: Sending, error: AnswerNeeded) -> None:
        """The desk needs a decision: a reason, or a plain yes."""
        glyphs = self._screen.console.glyphs
        if error.param == "dismiss":

            def chosen(reason: str | None) -> None:
                if reason is not None:
                    self.send(replace(sending, dismiss=reason))

            entries = [PickerEntry(reason, safe(word(REASON, reason))) for reason in REASON]
            self._screen.put_question(ChooseScreen(error.message, entries, glyphs=glyphs), chosen)
            return

        def pressed(key: str | None) -> None:
            if key == "y":
                self.send(replace(sending, anyway=True))

        keys = [("y", _("yes")), ("esc", _("no"))]
        self._screen.put_question(DialogScreen(_("Are you sure?"), error.message, keys), pressed)
