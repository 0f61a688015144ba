"""The `:` line of a screen: what it offers, what it says while one types, what was typed before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.calls import LOOK, WRITE
from supportdesk.tui.command_completion import Known, complete_command
from supportdesk.tui.command_history import keep_command, read_history
from supportdesk.tui.command_line import read_command, refuse_command
from supportdesk.tui.triage import describe_when, other_tickets, refuse_when, tags_in_use, tickets_named, when_phrase

if TYPE_CHECKING:
    from supportdesk.desk.calendar import Calendar
    from supportdesk.tui.screens.on_tickets import OnTickets


class CommandPrompt:
    """Asks for one command of a screen, and has it done there."""

    def __init__(self, screen: OnTickets) -> None:
        self._screen = screen
        self._known = Known(screen.session)

    def ask(self) -> None:
        """Open the line; a time among what is typed is shown as it is understood."""
        screen, session, known = self._screen, self._screen.session, self._known
        tickets, history = screen.targets(), screen.console.commands
        hint = safe(_("acts on {tickets}; #7 before the rest names another").format(tickets=tickets_named(tickets)))

        def read() -> tuple[Calendar, list[str], list[str], list[tuple[str, str]]]:
            from supportdesk.desk.arguments import calendar_for

            earlier = [] if history.is_read else read_history(session)
            here = session.tickets.get(tickets[0]) or session.load_ticket(tickets[0]) if tickets else None
            others = other_tickets(here) if here is not None else []
            return calendar_for(session.desk, tickets), earlier, tags_in_use(session.desk), others

        def done(found: tuple[Calendar, list[str], list[str], list[tuple[str, str]]]) -> None:
            known.calendar, earlier, known.tags, known.tickets = found
            history.put_before(earlier)
            if screen.prompt.purpose == "command":
                screen.show_hints()

        screen.call(LOOK, read, done)

        def meant(text: str) -> SafeText:
            phrase = when_phrase(text)
            return describe_when(phrase, known.calendar, session.now()) if phrase and known.calendar else hint

        def refused(text: str) -> SafeText:
            phrase = when_phrase(text)
            wrong = refuse_when(phrase, known.calendar, session.now()) if phrase and known.calendar else EMPTY
            return refuse_command(text) or wrong

        screen.ask_line(
            "command",
            ":",
            self._run,
            complete=partial(complete_command, known=known),
            hint=meant,
            refusal=refused,
            history=history.lines,
        )

    def _run(self, line: str) -> None:
        command = read_command(line)
        if command is None:
            return
        screen, session = self._screen, self._screen.session
        screen.console.commands.add(line)
        screen.console.calls.run(WRITE, partial(keep_command, session, line), lambda _none: None, screen.tell_error)
        screen.run_command(command)
