"""From a key to a done action: ask for what the action needs, show it at once, perform it, and tell how it went.

One flow for every action of the desk's registry and every place that has tickets. What the desk asks back
(`AnswerNeeded`) is asked of the agent, and the action is performed again with the answer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from supportdesk.desk.actions import BY_ID, Param
from supportdesk.desk.labels import CHOICES, STATUS, word
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.errors import Conflict, SupportdeskError
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.calls import LOOK, WRITE
from supportdesk.tui.command_line import read_command
from supportdesk.tui.customer_pick import pick_customer
from supportdesk.tui.progress import told_progress
from supportdesk.tui.screens.choose import ChooseScreen, DialogScreen
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import ActionId, TicketId
    from supportdesk.tui.screens.on_tickets import OnTickets
    from supportdesk.tui.session import TicketBundle

UNASSIGN = "unassign"
BULK = 100
"""Tickets of one transaction; more of them take long enough to be told of, and to be stopped."""

TAGS_READ = 2_000


@dataclass(frozen=True, slots=True)
class Request:
    """An action on tickets as the agent saw them, with the arguments gathered so far."""

    action: str
    tickets: tuple[TicketId, ...]
    expect: Mapping[TicketId, int]
    params: Mapping[str, Any] = field(default_factory=dict)
    action_id: ActionId | None = None  # of an action that goes on with an answer

    def with_param(self, name: str, value: object) -> Request:
        return replace(self, params={**self.params, name: value})


class Triage:
    """The flow of one screen."""

    def __init__(self, screen: OnTickets) -> None:
        self._screen = screen
        self._wakes = ""  # what the last snooze phrase meant
        self._stops: threading.Event | None = None  # of a long action that is being written

    def start(
        self, action: str, params: Mapping[str, Any] | None = None, *, tickets: tuple[TicketId, ...] | None = None
    ) -> None:
        """Begin an action on the screen's tickets, or on those that were named."""
        spec = BY_ID[action]
        tickets = () if spec.scope == "none" else tickets if tickets is not None else self._screen.targets()
        if spec.scope != "none" and not tickets:
            self._screen.tell(_("There is no ticket here."), severity="warning")
            return
        if spec.scope == "one" and self.refuse_many(tickets, spec.localized_title()):
            return
        self._next(Request(action, tickets, self._screen.seen_versions(tickets), params or {}))

    def refuse_many(self, tickets: tuple[TicketId, ...], title: str) -> bool:
        """Whether there are more tickets than the one that such an action takes; then that is told."""
        if len(tickets) <= 1:
            return False
        self._screen.tell(_("{title} takes one ticket at a time.").format(title=title), severity="warning")
        return True

    def _next(self, request: Request) -> None:
        """Ask for the first argument that is missing, or perform."""
        for param in BY_ID[request.action].params:
            if param.kind == "message" and param.required and (here := self._screen.cursor_message()) is not None:
                request = request if param.name in request.params else request.with_param(param.name, int(here))
            if param.required and param.name not in request.params:
                self.ask(request, param, partial(self._answered, request, param.name))
                return
        self._perform(request)

    def _answered(self, request: Request, name: str, value: object) -> None:
        if name == "assignee" and value == UNASSIGN:
            self._perform(Request(UNASSIGN, request.tickets, request.expect))
        elif value not in (None, ""):
            self._next(request.with_param(name, value))

    # ---- asking

    def ask(
        self, request: Request, param: Param, then: Callable[[Any], None], needed: AnswerNeeded | None = None
    ) -> None:
        """Ask for one argument in the way that suits its kind; `needed`: what the desk asked back."""
        message = needed.message if needed is not None else ""
        title = message or _(param.help) or param.name
        if param.name == "after_deadline" and self._wakes:
            title = f"{self._wakes}: {title}"
        title = self._titled(request.tickets, title)
        match param.kind:
            case "choice":
                told = needed.options if needed is not None else {}
                entries = [PickerEntry(one, safe(told.get(one) or word(CHOICES, one))) for one in param.choices]
                self._choose(title, entries, then, self._screen.current_value(param.name))
            case "agent":
                self._choose(title, self._agents(), then)
            case "mailbox":
                entries = [
                    PickerEntry(str(mailbox.id), safe(mailbox.address), safe(mailbox.shop_name))
                    for mailbox in self._screen.session.mailboxes.values()
                ]
                self._choose(title, entries, lambda value: then(int(value)))
            case "flag":
                self._confirm(title, then)
            case "when":
                self._ask_when(request.tickets, title, then)
            case "tags":
                read_tags = partial(tags_in_use, self._screen.session.desk)
                self._screen.call(LOOK, read_tags, partial(self._ask_tags, title, then), awaited=True)
            case "language":
                self._screen.ask_line("language", title, then, complete=complete_language)
            case "ticket":
                self._screen.with_bundle(partial(self._ask_ticket, param.name, title, then))
            case "customer":
                pick_customer(self._screen, request.tickets[0], title, then)
            case "message" | "number" | "identity":
                self._screen.ask_line(param.name, title, lambda value: then(value.strip().lstrip("#")))
            case _:
                self._screen.ask_line(param.name, title, then)

    def _ask_ticket(self, name: str, title: str, then: Callable[[str], None], bundle: TicketBundle) -> None:
        """A number; the customer's other tickets are offered, for most merges are among them."""
        others = other_tickets(bundle)

        def complete(text: str) -> list[Completion]:
            typed = text.strip().lstrip("#")
            return [
                Completion(safe(number), safe(meaning))
                for number, meaning in others
                if number.startswith(typed) and number != typed
            ]

        self._screen.ask_line(name, title, lambda value: then(value.strip().lstrip("#")), complete=complete)

    def _titled(self, tickets: tuple[TicketId, ...], title: str) -> str:
        """What is asked, about which tickets."""
        named = tickets_named(tickets)
        return title if not tickets or f"{named} " in title or f"{named}:" in title else f"{named}: {title}"

    def _choose(
        self, title: str, entries: Sequence[PickerEntry], then: Callable[[str], None], current: str = ""
    ) -> None:
        def chosen(value: str | None) -> None:
            if value is not None:
                then(value)

        glyphs = self._screen.console.glyphs
        self._screen.put_question(ChooseScreen(title, entries, glyphs=glyphs, current=current), chosen)

    def _confirm(self, title: str, then: Callable[[bool], None]) -> None:
        def pressed(key: str | None) -> None:
            if key == "y":
                then(True)

        keys = [("y", _("yes")), ("esc", _("no"))]
        self._screen.put_question(DialogScreen(_("Are you sure?"), title, keys), pressed)

    def _ask_when(self, tickets: tuple[TicketId, ...], title: str, then: Callable[[Any], None]) -> None:
        """A phrase, with the time that it means shown while it is typed: from the same rules that will read it.

        What the title gives as examples stands there while nothing is typed.
        """
        screen = self._screen
        label, colon, examples = title.rpartition(": ")
        hint = safe(examples if colon and label else "")

        def read() -> object:
            from supportdesk.desk.arguments import calendar_for

            return calendar_for(screen.session.desk, tickets)

        def ask(calendar: Any) -> None:
            def answered(text: str) -> None:
                self._wakes = describe_when(text, calendar, screen.session.now())
                then(text)

            screen.ask_line(
                "when",
                f"{label}:" if hint else title,
                answered,
                hint=lambda text: describe_when(text, calendar, screen.session.now()) if text.strip() else hint,
                refusal=lambda text: refuse_when(text, calendar, screen.session.now()),
                complete=lambda text: when_presets(text, calendar, screen.session.now()),
            )

        screen.call(LOOK, read, ask, awaited=True)

    def _agents(self) -> list[PickerEntry]:
        session = self._screen.session
        known = [agent for agent in session.agents.values() if agent.state != "disabled"]
        known.sort(key=lambda agent: (agent.id != session.agent.id, agent.name.casefold()))
        entries = [
            PickerEntry(
                agent.login,
                safe(agent.name),
                safe(" · ".join([*agent.languages, *([_("away")] if agent.state == "away" else [])])),
                search=agent.login,
            )
            for agent in known
        ]
        return [*entries, PickerEntry(UNASSIGN, safe(_("nobody")), safe(_("back among the unassigned")))]

    def _ask_tags(self, title: str, then: Callable[[str], None], known: list[str]) -> None:
        def complete(text: str) -> list[Completion]:
            head, blank, tail = text.rpartition(" ")
            begun = tail.lstrip("#")
            return [Completion(safe(f"{head}{blank}{tag}")) for tag in known if tag.startswith(begun) and tag != tail]

        self._screen.ask_line("tags", title, then, complete=complete)

    # ---- performing

    def _perform(self, request: Request) -> None:
        screen = self._screen
        session = screen.session
        screen.show_expected(request.action, request.tickets, request.params)

        is_long = len(request.tickets) > BULK
        stops = self.stoppable() if is_long else threading.Event()
        title = BY_ID[request.action].localized_title()
        progress = told_progress(screen.console, title, stoppable=is_long)

        def work() -> Done:
            return session.desk.perform(
                request.action, session.actor, request.tickets, request.params, expect=request.expect or None,
                progress=progress, cancelled=stops.is_set, action_id=request.action_id,
            )  # fmt: skip

        screen.call(
            WRITE,
            work,
            lambda done: self._done(request, done),
            failed=lambda error: self._failed(request, error),
            awaited=False if is_long else None,
        )

    def stoppable(self) -> threading.Event:
        """A long action begins that esc stops: it looks at this."""
        self._stops = threading.Event()
        return self._stops

    def ended(self) -> None:
        """Nothing long is at work any more."""
        self._stops = None

    def stop(self) -> bool:
        """Stop a long action: what is done stays done, and one undo takes it back. False where none is at work."""
        if self._stops is None:
            return False
        self._stops.set()
        return True

    def _done(self, request: Request, done: Done) -> None:
        self.ended()
        screen = self._screen
        notice = done.notice
        if done.undoable and done.tickets:
            notice += "  ·  " + _("u undoes it")
        if done.conflicts:
            left = ngettext("{count} was left alone: {why}", "{count} were left alone: {why}", len(done.conflicts))
            first = next(iter(done.conflicts.values()))
            notice += "\n" + left.format(count=len(done.conflicts), why=first.message)
        screen.tell(notice, severity="warning" if done.conflicts else "information")
        screen.after_action(request.action, done)
        if done.needed:
            self._ask_for_the_others(request, done)

    def _ask_for_the_others(self, request: Request, done: Done) -> None:
        """What was left alone for want of a decision, the first that is wanted; with it the action goes on."""
        asked = next(iter(done.needed.values()))
        tickets = tuple(ticket for ticket, needed in done.needed.items() if needed.param == asked.param)
        param = next((param for param in BY_ID[request.action].params if param.name == asked.param), None)
        if param is not None:
            rest = replace(request, tickets=tickets, action_id=done.action_id)
            self.ask(rest, param, partial(self._again, rest, param.name), asked)

    def _failed(self, request: Request, error: Exception) -> None:
        self.ended()
        screen = self._screen
        screen.take_back_expected(request.tickets)
        if isinstance(error, AnswerNeeded):
            param = next((param for param in BY_ID[request.action].params if param.name == error.param), None)
            if param is not None:
                self.ask(request, param, partial(self._again, request, param.name), error)
                return
        if isinstance(error, Conflict):
            screen.tell(" · ".join(filter(None, (error.message, error.hint))), severity="warning")
        elif isinstance(error, SupportdeskError):
            screen.tell(" · ".join(filter(None, (error.message, error.hint))), severity="error")
        else:
            screen.tell_error(error)

    def _again(self, request: Request, name: str, value: object) -> None:
        if value not in (None, ""):
            self._perform(request.with_param(name, value))


def other_tickets(bundle: TicketBundle) -> list[tuple[str, str]]:
    """The numbers of the customer's other tickets, and what they are."""
    known = bundle.customer.tickets if bundle.customer else ()
    return [
        (str(number), f"{word(STATUS, status)} · {subject}")
        for number, subject, status, _created in known
        if number != bundle.ticket.id
    ]


def tags_in_use(desk: Desk) -> list[str]:
    """The tags in use, the newest tickets' first."""
    rows = desk.read.rows("ticket_tag", order="-ticket_id", limit=TAGS_READ)
    return list(dict.fromkeys(str(row["tag"]) for row in rows))


def tickets_named(tickets: tuple[TicketId, ...]) -> str:
    """`#7`, or `3 tickets`."""
    if len(tickets) == 1:
        return f"#{tickets[0]}"
    return ngettext("{count} ticket", "{count} tickets", len(tickets)).format(count=len(tickets))


def describe_when(text: str, calendar: Any, now: datetime) -> SafeText:
    """The time that a phrase means, or why it means none."""
    if not text.strip():
        return SafeText("")
    from supportdesk.desk.time_phrases import read_snooze
    from supportdesk.l10n.catalog import current_language

    try:
        return safe(read_snooze(text, calendar, now, current_language()).described)
    except SupportdeskError as error:
        return safe(error.message)


def when_phrase(line: str) -> str:
    """The words of a command line that say a time: `domani 9` of `snooze #7 domani 9`; "" where none do."""
    try:
        command = read_command(line)
    except SupportdeskError:
        return ""
    spec = BY_ID.get(command.action) if command is not None else None
    if command is None or spec is None:
        return ""
    name = next((param.name for param in spec.params if param.kind == "when"), "")
    return str(command.params.get(name) or "")


def refuse_when(text: str, calendar: Any, now: datetime) -> SafeText:
    """Why a phrase means no time; nothing if it means one."""
    from supportdesk.desk.time_phrases import read_snooze
    from supportdesk.l10n.catalog import current_language

    try:
        read_snooze(text, calendar, now, current_language())
    except SupportdeskError as error:
        return safe(error.message)
    return SafeText("")


def when_presets(text: str, calendar: Any, now: datetime) -> list[Completion]:
    """The times that are usually meant, each once, while nothing is typed."""
    if text.strip():
        return []
    from supportdesk.desk.calendar import load_zone
    from supportdesk.desk.time_phrases import presets
    from supportdesk.l10n.catalog import current_language

    zone = load_zone(calendar.zone)
    by_time = {
        f"{preset.snooze.until.astimezone(zone):%Y-%m-%d %H:%M}": f"{_(preset.title)}: {preset.snooze.described}"
        for preset in presets(calendar, now, current_language())
    }
    return [Completion(SafeText(time), safe(meaning)) for time, meaning in by_time.items()]


LANGUAGES = ("it", "en", "de", "fr", "es", "pt", "nl", "pl", "sv", "da", "fi", "cs", "ro", "hu", "el", "ja", "zh")


def complete_language(text: str) -> list[Completion]:
    """Language tags with their names in the agent's language."""
    from supportdesk.l10n.catalog import current_language
    from supportdesk.l10n.format import language_name

    typed = text.strip().casefold()
    named = [(tag, language_name(tag, current_language())) for tag in LANGUAGES]
    found = [(tag, name) for tag, name in named if typed in tag or name.casefold().startswith(typed)]
    return [Completion(SafeText(tag), safe(name)) for tag, name in found]
