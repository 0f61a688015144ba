"""`r` on a selection: one canned response for all, each rendered in its language, looked at, sent after the count."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _, current_language, ngettext
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.calls import READ, WRITE
from supportdesk.tui.canned_pick import response_entry
from supportdesk.tui.canned_values import complete_value, understood, wrong_value
from supportdesk.tui.progress import told_progress
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from supportdesk.desk.canned import AskField, CannedResponse
    from supportdesk.desk.mass_reply import Sample
    from supportdesk.desk.model import TicketId
    from supportdesk.desk.results import Done
    from supportdesk.tui.screens.on_tickets import OnTickets


@dataclass(slots=True)
class _Mass:
    """What was decided so far."""

    tickets: tuple[TicketId, ...]
    response: CannedResponse
    currency: str  # of an amount that names none; "" where the tickets differ
    asked: dict[str, str] = field(default_factory=dict)


class MassReply:
    """The flow of one screen: which response, its values, a look at each mail, the count, one action."""

    def __init__(self, screen: OnTickets) -> None:
        self._screen = screen

    def start(self, tickets: tuple[TicketId, ...]) -> None:
        screen = self._screen
        desk = screen.session.desk

        def work() -> tuple[tuple[CannedResponse, ...], str]:
            rows = desk.read.rows("ticket", {"id": list(tickets)})
            sets = [desk.canned(mailbox_id) for mailbox_id in {row["mailbox_id"] for row in rows}]
            currencies = {desk.canned_currency(ticket) for ticket in tickets}
            offered = tuple(one for one in desk.canned() if all(one in known for known in sets))
            return offered, next(iter(currencies)) if len(currencies) == 1 else ""

        screen.call(READ, work, lambda found: self._offer(tickets, *found))

    def _offer(self, tickets: tuple[TicketId, ...], responses: tuple[CannedResponse, ...], currency: str) -> None:
        screen, ui = self._screen, current_language()
        known = {one.key: one for one in responses}
        if not known:
            screen.tell(_("This desk has no canned responses yet: supportdesk canned import"), severity="warning")
            return
        entries = [
            response_entry(one, " ".join(dict.fromkeys(variant.tag.locale for variant in one.variants)))
            for one in sorted(known.values(), key=lambda one: one.title(ui).casefold())
        ]

        def chosen(key: str | None) -> None:
            if key is not None:
                self._ask(_Mass(tickets, known[key], currency), list(known[key].ask))

        title = ngettext("One answer for {count} ticket", "One answer for {count} tickets", len(tickets))
        dialog = ChooseScreen(title.format(count=len(tickets)), entries, glyphs=screen.console.glyphs)
        screen.put_question(dialog, chosen)

    def _ask(self, mass: _Mass, fields: list[AskField]) -> None:
        """One value for all; left empty, each ticket has its own, where it tells one."""
        if not fields:
            self._look(mass)
            return
        asked = fields[0]

        def answered(value: str) -> None:
            mass.asked[asked.name] = value
            self._ask(mass, fields[1:])

        screen, today = self._screen, self._screen.session.local_now().date()

        def hint(text: str) -> SafeText:
            if not text.strip():
                return safe(_("the same for all; empty: what each ticket tells"))
            if asked.type == "money" and not mass.currency:
                return safe(_("in the currency of each ticket"))
            return understood(asked, today, mass.currency, text)

        def refusal(text: str) -> SafeText:
            each = asked.type == "money" and not mass.currency
            return EMPTY if each else wrong_value(asked, today, mass.currency, text)

        screen.ask_line(
            f"ask {asked.name}",
            f"{asked.label(current_language())}:",
            answered,
            hint=hint,
            refusal=refusal,
            complete=partial(complete_value, asked),
        )

    def _look(self, mass: _Mass) -> None:
        screen = self._screen
        session = screen.session
        progress = told_progress(screen.console, _("Reading"))

        def work() -> tuple[Sample, ...]:
            return session.desk.reply_samples(
                session.actor, mass.tickets, mass.response.key, mass.asked, progress=progress
            )

        screen.call(READ, work, lambda samples: self._show(mass, samples))

    def _show(self, mass: _Mass, samples: tuple[Sample, ...]) -> None:
        """Those that are left out first, with the reason, then what deserves a second look; enter goes on to the count.

        The count that is typed then is the second key for all of them.
        """
        screen = self._screen
        glyphs = screen.console.glyphs
        ordered = sorted(samples, key=lambda sample: (not sample.refused, not sample.warnings))
        texts = {
            str(sample.ticket_id): safe(_preview(sample, f"{number} / {len(ordered)}", glyphs.overdue), multiline=True)
            for number, sample in enumerate(ordered, start=1)
        }
        entries = [
            PickerEntry(
                str(sample.ticket_id),
                safe(f"#{sample.ticket_id} {sample.customer}"),
                safe(
                    _("left out") if sample.refused else f"{sample.language} {glyphs.overdue * bool(sample.warnings)}"
                ),
                search=sample.text,
            )
            for sample in ordered
        ]
        wanted = sum(not sample.refused for sample in samples)
        left = len(samples) - wanted
        title = ngettext("{count} reply to send", "{count} replies to send", wanted).format(count=wanted)
        if left:
            title += " · " + ngettext("{count} left out", "{count} left out", left).format(count=left)
        if warned := sum(bool(sample.warnings) for sample in samples):
            warning = ngettext("{count} with a warning", "{count} with warnings", warned)
            title += " · " + warning.format(count=warned)

        def looked(chosen: str | None) -> None:
            if chosen is not None and wanted:
                self._ask_count(mass, samples, wanted)

        dialog = ChooseScreen(
            title, entries, glyphs=glyphs, preview=lambda entry: texts[entry.id], large=True, takes=_("go on")
        )
        screen.console.clear_notifications()
        screen.put_question(dialog, looked)

    def _ask_count(self, mass: _Mass, samples: tuple[Sample, ...], wanted: int) -> None:
        screen = self._screen
        session = screen.session

        def refusal(text: str) -> SafeText:
            why = _("that is not {count}; esc goes back").format(count=wanted)
            return EMPTY if text.strip() == str(wanted) else safe(why)

        def typed(_text: str) -> None:
            stops = screen.triage.stoppable()
            progress = told_progress(screen.console, _("Sending"), stoppable=True)

            def work() -> Done:
                return session.desk.reply_to_all(
                    session.actor, samples, mass.response.key, mass.asked, progress=progress, cancelled=stops.is_set
                )

            def failed(error: Exception) -> None:
                screen.triage.ended()
                screen.tell_error(error)

            screen.call(WRITE, work, self._sent, failed=failed, awaited=False)  # it can be stopped

        label = _("Type {count} to send all:").format(count=wanted)
        screen.ask_line("count", label, typed, refusal=refusal)

    def _sent(self, done: Done) -> None:
        self._screen.triage.ended()
        notice = done.notice + ("  ·  " + _("u takes all of them back") if done.tickets else "")
        if done.conflicts:
            left = ngettext("{count} was left alone: {why}", "{count} were left alone: {why}", len(done.conflicts))
            first = next(iter(done.conflicts.values()))
            notice += "\n" + left.format(count=len(done.conflicts), why=first.message)
        self._screen.tell(notice, severity="warning" if done.conflicts else "information")
        self._screen.after_action("reply", done)


def _preview(sample: Sample, place: str, mark: str) -> str:
    """What one ticket gets, under what is odd about it."""
    odd = [f"{mark} {warning}" for warning in sample.warnings]
    return "\n".join([place, *odd, "", sample.text or sample.refused])
