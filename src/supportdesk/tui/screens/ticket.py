"""One ticket: the conversation with its notes and unsent replies, the customer beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Horizontal

from supportdesk.desk.guards import suggested
from supportdesk.desk.labels import BADGE, word
from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import _
from supportdesk.safetext import EMPTY, safe
from supportdesk.tui.expected import Expected
from supportdesk.tui.keymap import shown_keys
from supportdesk.tui.present_thread import customer_lines, entry_key, presence_words, thread_items, ticket_title
from supportdesk.tui.screens.base import LOOK, READ
from supportdesk.tui.screens.on_tickets import OnTickets
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.side import SidePane
from supportdesk.tui.widgets.thread import ThreadView

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult

    from supportdesk.desk.model import MessageId, ThreadEntry
    from supportdesk.desk.results import Done
    from supportdesk.safetext import SafeText
    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import TicketBundle


FINISHES = frozenset(
    {"send", "solve", "snooze", "spam", "dismiss", "merge", "accept_suggestion", "move", "assign", "unassign"}
)
"""Actions after which a ticket is dealt with, as far as this agent goes."""

WITH_CUSTOMER = "-with-customer"
"""The class of a screen whose one pane is the customer's."""

OF_THE_QUEUE = frozenset({"filter", "go_mine", "go_unassigned", "go_all", "go_snoozed", "go_views"})
"""What the list below does: the same keys go back to it."""


class TicketScreen(OnTickets):
    """The conversation of one ticket; `neighbours` moves the list below and gives the ticket there.

    With `finds` it opens with the line that asks for words to find.
    """

    CONTEXT: ClassVar[str] = "ticket"

    def __init__(
        self,
        bundle: TicketBundle,
        neighbours: Callable[[TicketId, int], TicketId | None] | None = None,
        *,
        finds: bool = False,
    ) -> None:
        super().__init__()
        self._finds = finds
        self._ticket_id = bundle.ticket.id
        self._neighbours = neighbours
        self._bundle: TicketBundle | None = None
        self._first = bundle
        self._expected = Expected()
        self._seen: tuple[TicketId, int, int] | None = None

    def compose_body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        separator = f" {glyphs.separator} "
        yield StatusLine(separator=separator, keeps_right=True, id="title")
        yield StatusLine(separator=separator, id="banner")
        with Horizontal():
            yield ThreadView(glyphs=glyphs, id="thread")
            yield SidePane(glyphs=glyphs, id="customer")

    @property
    def thread_view(self) -> ThreadView:
        return self.query_one("#thread", ThreadView)

    @property
    def side(self) -> SidePane:
        return self.query_one("#customer", SidePane)

    def on_mount(self) -> None:
        self.query_one("#banner").display = False
        self.thread_view.focus()
        self.console.presence.show(self._ticket_id, "viewing")
        self._put(self._first)
        if self._finds:
            self.app.call_later(self.do_find)  # after the focus of above, which waits in the same queue

    # ---- showing

    def show_ticket(self, ticket_id: TicketId) -> None:
        """Show another ticket: at once if it is known, else as soon as it is read."""
        self._ticket_id = ticket_id
        self.console.presence.show(ticket_id, "viewing")
        self.with_bundle(self._put)

    def _put(self, bundle: TicketBundle) -> None:
        if bundle.ticket.id != self._ticket_id:
            return
        same = self._bundle is not None and self._bundle.ticket.id == bundle.ticket.id
        self._bundle = bundle
        now = self.session.local_now(bundle.ticket.mailbox_id)
        items = thread_items(bundle, now)
        with self.app.batch_update():
            if same:
                self.thread_view.replace_items(items)
            else:
                self.thread_view.show(items)
            self._show_title()
            self.side.show(customer_lines(bundle, now))
            self._show_banner(bundle)
        self._mark_seen(bundle)
        if not same:
            self.side.move_to_start()
            self._prefetch()

    def _show_title(self) -> None:
        if self._bundle is None:
            return
        bundle, pending = self._expected.bundle(self._bundle)
        now = self.session.local_now(bundle.ticket.mailbox_id)
        self.query_one("#title", StatusLine).show(*ticket_title(bundle, now, pending=pending))

    def _show_banner(self, bundle: TicketBundle) -> None:
        """Who else is here, and what is odd about the ticket."""
        parts = []
        if who := presence_words(bundle.presence):
            parts.append(StatusPart(safe(who), "warning"))
        parts += [StatusPart(safe(word(BADGE, badge)), "warning") for badge in bundle.ticket.badges]
        if bundle.ticket.suggested_id is not None and not any(b.startswith("suggested") for b in bundle.ticket.badges):
            parts.append(
                StatusPart(safe(_("may belong to #{ticket}").format(ticket=bundle.ticket.suggested_id)), "warning")
            )
        parts += [StatusPart(safe(hint), "muted") for hint in self._ways_out(bundle)]
        banner = self.query_one("#banner", StatusLine)
        banner.show(parts)
        banner.display = bool(parts)

    def _ways_out(self, bundle: TicketBundle) -> list[str]:
        """The keys for what the banner asks: to join a ticket or not, whether somebody is the same customer."""
        asked = [("accept_suggestion", _("{key} joins it")), ("reject_suggestion", _("{key} does not"))]
        hints = asked if suggested(bundle.ticket) is not None else []
        if "external" in bundle.ticket.badges:
            hints = [*hints, ("same_customer", _("{key} the same customer"))]
        keys = {action: self.console.keymap.keys_for(self.CONTEXT, action) for action, _hint in hints}
        return [hint.format(key=shown_keys(keys[action][0])) for action, hint in hints if keys[action]]

    def _mark_seen(self, bundle: TicketBundle) -> None:
        session, ticket = self.session, bundle.ticket
        now = (ticket.id, ticket.seq, ticket.version)
        if self._seen == now:
            return
        self._seen = now
        self.call(
            LOOK,
            lambda: session.desk.mark_seen(session.actor, ticket.id, ticket.seq),
            lambda _nothing: self.console.refresh_notices(),
            replaces="seen",
        )

    def _reload(self) -> None:
        session, ticket_id = self.session, self._ticket_id
        self.call(READ, lambda: session.load_ticket(ticket_id), self._put, replaces="ticket")

    def _prefetch(self) -> None:
        """Read the next and the previous ticket of the list, so that J and K show them at once."""
        from supportdesk.tui.screens.queue import QueueScreen

        session = self.session
        below = [screen for screen in self.app.screen_stack if isinstance(screen, QueueScreen)]
        if self._neighbours is None or not below:
            return
        tickets = below[-1].tickets
        near = (tickets.beside(self._ticket_id, step) for step in (1, -1))
        for ticket_id in (TicketId(tickets.spine[at]) for at in near if at is not None):
            if ticket_id not in session.tickets:
                self.call(LOOK, partial(session.load_ticket, ticket_id), lambda _bundle: None)

    def on_news(self, changed: Changed) -> None:
        # Presence leaves no event, so a commit without one may still be somebody who came to this ticket.
        if self._ticket_id in changed.tickets or changed.customers or not changed.events:
            self._reload()

    def on_minute(self) -> None:
        self._reload()

    def on_screen_resume(self) -> None:
        if self._bundle is not None:
            self.console.presence.show(self._ticket_id, "viewing")
            self._reload()

    # ---- the ticket that actions are for

    def targets(self) -> tuple[TicketId, ...]:
        return (self._ticket_id,)

    def current_id(self) -> TicketId | None:
        return self._ticket_id

    def current_status(self) -> str:
        return self._bundle.ticket.status if self._bundle is not None else ""

    def current_value(self, name: str) -> str:
        return str(getattr(self._bundle.ticket, name, "")) if self._bundle is not None else ""

    def seen_versions(self, tickets: Sequence[TicketId]) -> Mapping[TicketId, int]:
        return {self._ticket_id: self._bundle.ticket.version} if self._bundle is not None else {}

    def after_action(self, action: str, done: Done) -> None:
        self._expected.end()
        self.session.tickets.pop(self._ticket_id, None)
        if action == "take_next" and done.tickets:
            self.show_ticket(done.tickets[0])
        elif action in FINISHES and done.tickets:
            self.go_on()
        else:
            self._reload()

    def go_on(self) -> None:
        """The ticket is dealt with: stay, go to the next one or back to the list, as the agent has set it."""
        wish = self.console.config.after_action
        found = None
        if wish == "next" and self._neighbours is not None:
            found = self._neighbours(self._ticket_id, 1) or self._neighbours(self._ticket_id, -1)
        if found is not None and found != self._ticket_id:
            self.show_ticket(found)
        elif wish == "stay":
            self._reload()
        else:
            self.do_back()

    def show_expected(self, action: str, tickets: Sequence[TicketId], params: Mapping[str, Any]) -> None:
        self._expected.begin(action, tickets, params, self.session.agent, self.session.agents.values())
        self._show_title()

    def take_back_expected(self, tickets: Sequence[TicketId]) -> None:
        self._expected.end(tickets)
        self._show_title()
        self._reload()

    def cursor_entry(self, bundle: TicketBundle) -> ThreadEntry | None:
        item = self.thread_view.cursor_item
        found = [entry for entry in bundle.entries if item is not None and entry_key(entry) == item.id]
        return found[0] if found else super().cursor_entry(bundle)

    def cursor_message(self) -> MessageId | None:
        entry = self.cursor_entry(self._bundle) if self._bundle is not None else None
        return entry.id if entry is not None else None

    def _answered_message(self, bundle: TicketBundle) -> MessageId | None:
        """A reply is to the message under the cursor if that came in; else to the newest."""
        entry = self.cursor_entry(bundle)
        return entry.id if entry is not None and entry.direction == "in" and entry.kind == "mail" else None

    # ---- moving

    def can(self, action: str) -> bool:
        return action in OF_THE_QUEUE or action.startswith("view_") or super().can(action)

    def act(self, action: str) -> None:
        if action in OF_THE_QUEUE or action.startswith("view_"):
            self.console.presence.leave()
            self.console.in_queue(action)
        else:
            super().act(action)

    def do_refresh(self) -> None:
        self.console.painted.forget()
        self._reload()

    def do_down(self) -> None:
        self._step(1)

    def do_up(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        if self.has_class(WITH_CUSTOMER):
            self.side.scroll_lines(step)
        else:
            self.thread_view.move_cursor(step)

    @property
    def _in_front(self) -> ThreadView | SidePane:
        return self.side if self.has_class(WITH_CUSTOMER) else self.thread_view

    def do_half_page_down(self) -> None:
        self._in_front.scroll_half_pages(1)

    def do_half_page_up(self) -> None:
        self._in_front.scroll_half_pages(-1)

    def do_first(self) -> None:
        self._in_front.move_to_start()

    def do_last(self) -> None:
        self._in_front.move_to_end()

    def do_fold(self) -> None:
        if not self._leave_customer():
            self.thread_view.toggle_folds()

    def do_open(self) -> None:
        self.do_fold()

    def do_customer(self) -> None:
        """Show all of the customer instead of the conversation, and back again."""
        if not self._leave_customer():
            self.add_class(WITH_CUSTOMER)

    def _leave_customer(self) -> bool:
        """Show the conversation again; False where it is shown."""
        was_shown = self.has_class(WITH_CUSTOMER)
        if was_shown:
            self.remove_class(WITH_CUSTOMER)
            self.thread_view.focus()
        return was_shown

    def do_next_ticket(self) -> None:
        self._move_by(1)

    def do_previous_ticket(self) -> None:
        self._move_by(-1)

    def _move_by(self, step: int) -> None:
        found = self._neighbours(self._ticket_id, step) if self._neighbours is not None else None
        if found is None:
            self.tell(_("There is no other ticket in that direction."))
        else:
            self.show_ticket(found)

    def do_back(self) -> None:
        if not self._leave_customer():
            self.console.presence.leave()
            self.dismiss()

    # ---- finding

    def do_find(self) -> None:
        """Find words in the conversation: enter and the arrows go from one to the next."""

        def done() -> None:
            self.thread_view.find("")

        self._leave_customer()
        self.ask_line("find", _("Find:"), lambda _text: done(), live=self._find, step=self._find_step, cancelled=done)

    def _find(self, text: str) -> None:
        self.thread_view.find(text)
        self.prompt.say(self._find_step(text, 0))

    def _find_step(self, text: str, step: int) -> SafeText:
        at, count = self.thread_view.find_next(step)
        if not text:
            return EMPTY
        if not count:
            return safe(_("not in this conversation"))
        place = _("{number} of {count} · {key} goes on").format(number=at, count=count, key=shown_keys("enter"))
        return safe(place)
