"""What can be done wherever tickets stand: in the list and in the conversation the same keys do the same."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from supportdesk.desk.actions import BY_ID
from supportdesk.desk.model import MailboxId, TicketId
from supportdesk.errors import NotFound, SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui import ticket_looks
from supportdesk.tui.command_prompt import CommandPrompt
from supportdesk.tui.mass_reply import MassReply
from supportdesk.tui.present_thread import size
from supportdesk.tui.screens.base import READ, WRITE, DeskScreen
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.sender_verdict import ask_verdict
from supportdesk.tui.triage import Triage
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from supportdesk.desk.model import MessageId, OutboxRow, ThreadEntry
    from supportdesk.desk.ports import Row
    from supportdesk.desk.results import Done
    from supportdesk.safetext import SafeText
    from supportdesk.tui.command_line import Command
    from supportdesk.tui.session import TicketBundle

SETTLED = ("solved", "closed")


class OnTickets(DeskScreen[None]):
    """A screen with tickets under its keys."""

    WRITES: ClassVar[frozenset[str]] = frozenset({"reply", "note", "forward", "new", "cancel_send"})

    def __init__(self) -> None:
        super().__init__()
        self.triage = Triage(self)

    # ---- which tickets

    @abstractmethod
    def targets(self) -> tuple[TicketId, ...]:
        """The tickets that the next action is for: the selection, else the one under the cursor."""

    @abstractmethod
    def current_id(self) -> TicketId | None:
        """The one ticket that is looked at."""

    @abstractmethod
    def seen_versions(self, tickets: Sequence[TicketId]) -> Mapping[TicketId, int]:
        """The versions that stand on the screen."""

    @abstractmethod
    def current_status(self) -> str:
        """The status of the ticket that is looked at, as the screen shows it."""

    def current_value(self, name: str) -> str:
        """The status or the priority of the ticket that is looked at, as the screen shows it."""
        return self.current_status() if name == "status" else ""

    def show_expected(self, action: str, tickets: Sequence[TicketId], params: Mapping[str, Any]) -> None:
        """Show what an action will probably do, before the store has answered."""

    def take_back_expected(self, tickets: Sequence[TicketId]) -> None:
        """The action was refused: show these as they are."""

    @abstractmethod
    def after_action(self, action: str, done: Done) -> None:
        """An action is written: show what became of its tickets."""

    def cursor_message(self) -> MessageId | None:
        """The message that stands under the cursor, where messages do."""
        return None

    def cursor_entry(self, bundle: TicketBundle) -> ThreadEntry | None:
        """The message that a look is for: the one under the cursor, else the last that came in."""
        incoming = [entry for entry in bundle.entries if entry.direction == "in"]
        return incoming[-1] if incoming else (bundle.entries[-1] if bundle.entries else None)

    def with_bundle(self, then: Callable[[TicketBundle], None], ticket_id: TicketId | None = None) -> None:
        """Read the ticket that is looked at, or the one that is named, unless it is known, and go on with it."""
        ticket_id = ticket_id or self.current_id()
        if ticket_id is None:
            self.tell(_("There is no ticket here."), severity="warning")
            return
        session = self.session
        if (known := session.tickets.get(ticket_id)) is not None:
            then(known)
        else:
            self.call(READ, lambda: session.load_ticket(ticket_id), then)

    def with_target(self, title: str, then: Callable[[TicketBundle], None]) -> None:
        """Go on with the one ticket that an action is for; more of them are refused with the action's title."""
        targets = self.targets()
        if not self.triage.refuse_many(targets, title):
            self.with_bundle(then, *targets)

    # ---- actions of the registry

    def can(self, action: str) -> bool:
        return super().can(action) or action in BY_ID

    def act(self, action: str) -> None:
        if action == "back" and self.triage.stop():
            return
        if super().can(action):
            super().act(action)
        elif action in BY_ID:
            self.triage.start(action)

    def do_solve(self) -> None:
        self.triage.start("reopen" if self.current_status() in SETTLED else "solve")

    def do_spam(self) -> None:
        self.triage.start("not_spam" if self.current_status() == "spam" else "spam")

    def do_follow(self) -> None:
        """Follow the tickets, or no more if all of them are followed."""
        session, tickets = self.session, self.targets()
        mine = {"agent_id": session.agent.id, "ticket_id": list(tickets), "following": True}

        def start(rows: list[Row]) -> None:
            self.triage.start("unfollow" if len(rows) == len(tickets) else "follow", tickets=tickets)

        if tickets:
            self.call(READ, lambda: session.desk.read.rows("ticket_follow", mine), start)

    def do_sender(self) -> None:
        """Decide about the sender of the message under the cursor, else of the last that came in."""
        from supportdesk.desk.sender_verdicts import sender_of

        here, session = self.targets(), self.session

        def start(bundle: TicketBundle) -> None:
            entry = self.cursor_entry(bundle)
            if entry is None or entry.direction != "in":
                entry = next((one for one in reversed(bundle.entries) if one.direction == "in"), None)
            message = entry.id if entry is not None else None
            if message is None:
                self.tell(_("Nobody has written here."), severity="warning")
                return
            decide = partial(self._decide_sender, here, message)
            self.call(
                READ, lambda: sender_of(session.desk.read, message), lambda found: ask_verdict(self, found, decide)
            )

        self.with_target(BY_ID["sender"].localized_title(), start)

    def _decide_sender(self, tickets: tuple[TicketId, ...], message: MessageId, verdict: str) -> None:
        self.triage.start("sender", {"verdict": verdict, "message": int(message)}, tickets=tickets)

    def do_same_customer(self) -> None:
        """Who joined from another address is the customer himself."""
        here = self.targets()

        def start(bundle: TicketBundle) -> None:
            if "external" in bundle.ticket.badges:
                self.triage.start("confirm_participant", {"same_customer": True}, tickets=here)
            else:
                self.tell(_("Nobody has joined here from another address."), severity="warning")

        self.with_target(BY_ID["confirm_participant"].localized_title(), start)

    def do_snooze(self) -> None:
        self.triage.start("snooze")

    def do_cancel_send(self) -> None:
        """Make the agent's last reply a draft again, and go on writing it."""
        session = self.session

        def work() -> tuple[OutboxRow, TicketBundle]:
            row = session.desk.cancel_send(session.actor)
            return row, session.load_ticket(row.ticket_id)

        def taken_back(found: tuple[OutboxRow, TicketBundle]) -> None:
            self.console.clear_notifications()
            self.console.open_draft(found[1], found[0])

        self.call(WRITE, work, taken_back)

    # ---- writing

    def do_reply(self) -> None:
        if len(targets := self.targets()) > 1:
            MassReply(self).start(targets)
            return
        self.with_bundle(lambda bundle: self._open_reply(bundle, self._answered_message(bundle)), *targets)

    def do_note(self) -> None:
        """Write what only agents see: on one ticket with room for it, on a selection one line for all."""

        def open_it(bundle: TicketBundle) -> None:
            session, ticket_id = self.session, bundle.ticket.id

            def work() -> OutboxRow:
                return session.desk.open_draft(session.actor, ticket_id, kind="note")

            self.call(WRITE, work, lambda row: self.console.open_draft(bundle, row))

        if len(targets := self.targets()) > 1:
            self.triage.start("note", tickets=targets)
        else:
            self.with_bundle(open_it, *targets)

    def do_forward(self) -> None:
        """Pass the message on to a third party, whose answers only agents see."""

        def open_it(bundle: TicketBundle) -> None:
            session, ticket_id, answered = self.session, bundle.ticket.id, self._answered_message(bundle)

            def work() -> OutboxRow:
                from supportdesk.desk.forward_files import carry_files

                desk = session.desk
                row = desk.open_draft(session.actor, ticket_id, kind="forward", in_reply_to=answered)
                return carry_files(desk, session.actor, row, partial(ticket_looks.attachment_bytes, desk))

            def opened(row: OutboxRow) -> None:
                self.console.open_draft(bundle, row)
                if row.attachments and not row.body.strip():
                    self.tell(_("What was attached goes along: ^y takes a file off."))

            self.call(WRITE, work, opened)

        self.with_target(_("Forward"), open_it)

    def do_new(self) -> None:
        """Write to a customer first: from which mailbox, to whom, about what."""
        mailboxes = list(self.session.mailboxes.values())
        if not mailboxes:
            self.tell(_("There is no mailbox to write from."), severity="warning")
        elif len(mailboxes) == 1:
            self._ask_recipient(mailboxes[0].id)
        else:
            entries = [PickerEntry(str(one.id), safe(one.address), safe(one.shop_name)) for one in mailboxes]
            self._choose(_("From which mailbox?"), entries, lambda found: self._ask_recipient(MailboxId(int(found))))

    def _choose(
        self,
        title: str,
        entries: Sequence[PickerEntry],
        then: Callable[[str], None],
        preview: Callable[[PickerEntry], SafeText] | None = None,
    ) -> None:
        def chosen(found: str | None) -> None:
            if found is not None:
                then(found)

        self.put_question(ChooseScreen(title, entries, glyphs=self.console.glyphs, preview=preview), chosen)

    def _ask_recipient(self, mailbox_id: MailboxId) -> None:
        from supportdesk.tui.addresses import read_addresses

        def got_subject(to: str, subject: str) -> None:
            addresses = read_addresses(to)
            if len(addresses) != 1:
                self.tell(_("One address belongs here."), severity="warning")
                return
            session = self.session

            def work() -> tuple[OutboxRow, TicketBundle]:
                row = session.desk.start_conversation(session.actor, mailbox_id, addresses[0], subject)
                return row, session.load_ticket(row.ticket_id)

            self.call(WRITE, work, lambda found: self.console.open_draft(found[1], found[0]))

        def got_address(to: str) -> None:
            if to.strip():
                self.ask_line("subject", _("Subject:"), lambda subject: got_subject(to, subject))

        self.ask_line("address", _("To:"), got_address)

    def _answered_message(self, bundle: TicketBundle) -> MessageId | None:
        return None

    def _open_reply(self, bundle: TicketBundle, answered: MessageId | None) -> None:
        session, ticket_id = self.session, bundle.ticket.id

        def work() -> OutboxRow:
            return session.desk.open_draft(session.actor, ticket_id, in_reply_to=answered)

        self.call(WRITE, work, lambda row: self.console.open_draft(bundle, row))

    # ---- looking

    def do_raw(self) -> None:
        def show(bundle: TicketBundle) -> None:
            entry, session = self.cursor_entry(bundle), self.session
            if entry is None or not entry.raw_sha:
                self.tell(_("This item has no raw message."), severity="warning")
                return
            shown = self._show_text(_("Raw message of #{ticket}"), bundle)
            self.call(READ, lambda: ticket_looks.raw_text(session.desk, entry.raw_sha), shown)

        self.with_bundle(show)

    def do_fetch_whole(self) -> None:
        """Let the worker fetch what is missing of a mail that was too large to be taken over at once."""

        def ask(bundle: TicketBundle) -> None:
            session, ticket_id = self.session, bundle.ticket.id

            def work() -> int:
                from supportdesk.desk.cut_mail import ask_for_whole

                return sum(mail.size for mail in ask_for_whole(session.desk, session.actor, ticket_id))

            def done(octets: int) -> None:
                self.tell(_("The worker fetches it: {size}.").format(size=size(octets)))

            self.call(WRITE, work, done)

        self.with_bundle(ask)

    def do_translate(self) -> None:
        """Show the message as the admin's command renders it."""
        from supportdesk.tui.translator import program_of, translated

        def show(bundle: TicketBundle) -> None:
            entry, command = self.cursor_entry(bundle), self.session.config.translator
            try:
                program = program_of(command)[0].rpartition("/")[2]
            except SupportdeskError as error:
                self.tell_error(error)
                return
            if entry is None or not entry.text:
                self.tell(_("There is no text here."), severity="warning")
                return
            text, title = entry.text, _("#{ticket} through {program}").replace("{program}", program)
            self.tell(_("Asking {program} …").format(program=program))
            show_text = self._show_text(title, bundle)

            def done(rendered: str) -> None:
                self.console.clear_notifications()
                show_text(rendered)

            self.call(READ, lambda: translated(command, text), done, replaces="translate", awaited=False)

        self.with_bundle(show)

    def do_timeline(self) -> None:
        def show(bundle: TicketBundle) -> None:
            desk, now = self.session.desk, self.session.local_now(bundle.ticket.mailbox_id)
            shown = self._show_text(_("What happened to #{ticket}"), bundle, hanging=True)
            self.call(READ, lambda: ticket_looks.timeline_text(desk, bundle.ticket.id, now), shown)

        self.with_bundle(show)

    def _show_text(self, title: str, bundle: TicketBundle, *, hanging: bool = False) -> Callable[[str], None]:
        return lambda text: self.console.show_text(title.format(ticket=bundle.ticket.id), text, hanging=hanging)

    def do_history(self) -> None:
        """Everything that this customer has written about, newest first; enter opens it, or searches for the rest."""

        def go(found: str) -> None:
            self.go_to_ticket(found) if found.isdigit() else self.console.search(found)

        def show(bundle: TicketBundle) -> None:
            customer, now = bundle.customer, self.session.local_now(bundle.ticket.mailbox_id)
            if customer is None:
                self.tell(_("This ticket has no customer."), severity="warning")
                return
            entries = ticket_looks.history_entries(customer, now)
            self._choose(ticket_looks.history_title(customer), entries, go)

        self.with_bundle(show)

    def do_links(self) -> None:
        def show(bundle: TicketBundle) -> None:
            entries = ticket_looks.link_entries(bundle)
            if not entries:
                self.tell(_("There is no link in this conversation."), severity="warning")
                return
            self._choose(
                _("Copy which link?"),
                entries,
                lambda url: self.copy(url, _("Copied the link")),
                lambda entry: ticket_looks.link_preview(bundle, entry.id),
            )

        self.with_bundle(show)

    def do_attachments(self) -> None:
        def show(bundle: TicketBundle) -> None:
            entries = ticket_looks.attachment_entries(bundle)
            if not entries:
                self.tell(_("There is no attachment in this conversation."), severity="warning")
                return
            self._choose(
                _("Which attachment?"), entries, lambda found: ticket_looks.open_attachment(self, bundle, found)
            )

        self.with_bundle(show)

    def do_copy_number(self) -> None:
        self.with_bundle(lambda bundle: self.copy(f"#{bundle.ticket.id}", _("Copied the number")))

    def do_copy_title(self) -> None:
        self.with_bundle(lambda bundle: self.copy(bundle.ticket.subject, _("Copied the title")))

    def do_copy_address(self) -> None:
        def copy(bundle: TicketBundle) -> None:
            entry = self.cursor_entry(bundle)
            address = entry.author_address if entry is not None else ""
            if not address and bundle.customer is not None:
                address = next(iter(bundle.customer.addresses), "")
            self.copy(address, _("Copied the address"))

        self.with_bundle(copy)

    def copy(self, text: str, notice: str) -> None:
        """Put our own safe form of a text on the terminal's clipboard (OSC 52)."""
        shown = safe(text)
        self.console.copy_to_clipboard(shown)
        self.tell(f"{notice}: {shown}")

    # ---- going elsewhere

    def do_go_outbox(self) -> None:
        self.console.open_outbox()

    def do_go_notices(self) -> None:
        self.console.open_notices()

    def do_go_parked(self) -> None:
        self.console.open_parked()

    def do_go_calendar(self) -> None:
        from supportdesk.tui.screens.calendar import CalendarScreen

        self.console.show_at_once(CalendarScreen())

    def do_go_settings(self) -> None:
        from supportdesk.tui.screens.team_settings import TeamSettingsScreen

        self.console.show_at_once(TeamSettingsScreen())

    def do_go_canned(self) -> None:
        """Browse the canned responses, as the customer under the cursor would get them."""
        from supportdesk.tui.screens.canned import CannedScreen

        targets = self.targets()
        self.console.show_at_once(CannedScreen(targets[0] if targets else None))

    def do_go_drafts(self) -> None:
        self.console.open_drafts()

    def do_search(self) -> None:
        self.console.search("")

    def go_to_ticket(self, number: str) -> None:
        """Open the ticket with that number; `NotFound` says there is none."""
        if not number.strip().lstrip("#").isdigit():
            raise NotFound(_("{text} is no ticket number").format(text=number))
        self.console.open_ticket(TicketId(int(number.strip().lstrip("#"))))

    # ---- the command line

    def do_command(self) -> None:
        """Ask for an action with its arguments."""
        CommandPrompt(self).ask()

    def run_command(self, command: Command) -> None:
        """Do what was typed: on the ticket that it names, else where the keys would do it."""
        if command.action == "open":
            self.go_to_ticket(command.rest)
        elif command.action == "search":
            self.console.search(command.rest)
        elif command.action in BY_ID and (command.params or command.ticket or not super().can(command.action)):
            named = (TicketId(command.ticket),) if command.ticket else None
            self.triage.start(command.action, command.params, tickets=named)
        else:
            self.act(command.action)
