"""The queue: views above, the list, a preview of the ticket under the cursor below, the customer beside it.

The list stands still. What others change is counted ("3 new · 2 changed") and patched in place; the order changes when
the agent asks, when he does something himself, or when he rests at the top.
"""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING, Any, ClassVar

from supportdesk.desk.model import VIEWS, TicketId
from supportdesk.l10n.catalog import ngettext
from supportdesk.safetext import safe
from supportdesk.tui.expected import Expected
from supportdesk.tui.present_queue import TABS, empty_text, list_row, news, queue_columns
from supportdesk.tui.screens.base import LOOK, READ
from supportdesk.tui.screens.list_keys import ListKeys
from supportdesk.tui.screens.on_tickets import OnTickets
from supportdesk.tui.screens.views import Listing, Views
from supportdesk.tui.watched_order import Members, WatchedOrder
from supportdesk.tui.widgets.bars import Tab, ViewTabs
from supportdesk.tui.widgets.preview import Preview
from supportdesk.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from supportdesk.desk.model import QueueRow
    from supportdesk.desk.results import Done
    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import TicketBundle

FIRST_PAGE = 200
"""Tickets of the first answer; the rest of the spine follows in a second one."""

FIRST_ROWS = 60
PREVIEW_AFTER = 0.12
"""Seconds that the cursor rests before the preview follows it: a held key costs the list alone."""

RESTS_AFTER = 3.0
"""Seconds without a key after which a list whose cursor is at the top takes in what is new."""

KEPT_ROWS = 4_096
TIMELESS = frozenset({"with_customer", "notifications", "all_open", "solved", "spam", "all"})
"""Views that no clock changes: without an event they hold what they held."""

WHOLE_AFTER = 0.5
"""Seconds after which the first page is followed by the rest: it is painted first. While a filter is typed, that page
is enough."""


class QueueScreen(ListKeys, Views, OnTickets):
    """The screen a console begins with, and comes back to."""

    CONTEXT: ClassVar[str] = "list"

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing()
        self._rows: dict[TicketId, QueueRow] = {}
        self._expected = Expected()
        self._order = WatchedOrder()
        self._preview_timer: Timer | None = None
        self._listed = False
        self._rest_timer: Timer | None = None
        self._selected = 0
        self._before_filter = Listing()
        self._cursor_before: TicketId | None = None
        self._rest_of_spine: Timer | None = None
        self._is_whole = False
        self._when_whole: Callable[[], None] | None = None

    def compose_body(self) -> ComposeResult:
        glyphs = self.console.glyphs
        yield ViewTabs(glyphs=glyphs)
        tickets = VirtualList(queue_columns(), glyphs=glyphs, id="tickets")
        tickets.empty_text = ()
        yield tickets
        yield Preview(glyphs=glyphs)

    @property
    def tickets(self) -> VirtualList:
        return self.query_one("#tickets", VirtualList)

    @property
    def preview(self) -> Preview:
        return self.query_one(Preview)

    def on_mount(self) -> None:
        self.tickets.focus()
        self._show_tabs()

    def on_session(self) -> None:
        self._load(first=True)

    # ---- reading the list

    def _load(self, *, first: bool = False, keep_cursor: bool = True) -> None:
        """Read the listing: whole, or (`first`) its first page and then the rest. Late answers for another are dropped.

        What grows with the list is done in the thread: the event loop takes over an array and a table of members.
        """
        session, listing = self.session, self.listing

        def work() -> tuple[array[int], Members, dict[TicketId, QueueRow]]:
            with self._order.reading():
                ids = session.ids(listing.view, listing.text, limit=FIRST_PAGE) if first else None
                spine = array("q", ids) if ids is not None else session.spine(listing.view, listing.text)
            rows = session.desk.read.queue_rows((ids or [])[:FIRST_ROWS], agent_id=session.agent.id, now=session.now())
            return spine, Members(spine), rows

        def done(found: tuple[array[int], Members, dict[TicketId, QueueRow]]) -> None:
            if listing != self.listing:
                return
            spine, members, rows = found
            self._keep(rows)
            self.tickets.put_rows(self._present(rows.values()))
            self._show_order(spine, members, keep_cursor=keep_cursor)
            before = self._cursor_before
            if before is not None and before in members and listing == self._before_filter and not self.prompt.purpose:
                self.tickets.move_to_id(before)
                self._cursor_before = None
            if first:
                self.call_after_refresh(self._first_page_painted)
            self._is_whole = not first or len(spine) < FIRST_PAGE
            if not self._is_whole:
                self._await_rest()
            elif self._when_whole is not None:
                then, self._when_whole = self._when_whole, None
                then()

        self.call(READ, work, done, replaces="spine", is_rows=True)

    def _first_page_painted(self) -> None:
        self.count_views()
        self.console.list_shown()

    def _await_rest(self) -> None:
        self._stop_awaiting_rest()
        self._rest_of_spine = self.set_timer(WHOLE_AFTER, self._load_rest)

    def _stop_awaiting_rest(self) -> bool:
        """Whether the rest was still to be read."""
        awaited, self._rest_of_spine = self._rest_of_spine, None
        if awaited is not None:
            awaited.stop()
        return awaited is not None

    def _load_rest(self) -> None:
        """Read the whole spine; while a filter is typed, when it rests."""
        if self.prompt.purpose:
            self._await_rest()
        elif self._stop_awaiting_rest():
            self._load(keep_cursor=True)

    def _on_whole_list(self, act: Callable[[], None]) -> None:
        """Do what means the whole list: at once, or when its rest is there."""
        if self._is_whole:
            act()
        else:
            self._when_whole = act
            self._load_rest()

    def do_last(self) -> None:
        self._on_whole_list(super().do_last)

    def do_select_all(self) -> None:
        self._on_whole_list(super().do_select_all)

    def _show_order(self, spine: array[int], members: Members, *, keep_cursor: bool = True) -> None:
        self._order.shown(members)
        self._listed = True
        self.tickets.replace_spine(spine, keep_cursor=keep_cursor)
        if not spine:
            self.preview.clear()
        elif self.preview.ticket is None:
            self._schedule_preview()
        self._show_tabs()

    def _present(self, rows: Any) -> list[Any]:
        now_for, glyphs = self.session.local_now, self.console.glyphs
        view = self.listing.view if self.listing.view in VIEWS else "all"
        read = self.session.languages_read
        return [
            list_row(row, now_for(row.mailbox_id), glyphs, view, read, pending=pending)
            for row, pending in map(self._expected.row, rows)
        ]

    def on_virtual_list_window_needed(self, message: VirtualList.WindowNeeded) -> None:
        message.stop()
        self._hydrate([TicketId(row_id) for row_id in message.ids])

    def _hydrate(self, ids: Sequence[TicketId], *, mark: bool | None = None) -> None:
        """Read rows and show them; `mark` patches what is on screen and says whether it is marked as changed."""
        session = self.session

        def work() -> dict[TicketId, QueueRow]:
            return session.desk.read.queue_rows(ids, agent_id=session.agent.id, now=session.now())

        def done(rows: dict[TicketId, QueueRow]) -> None:
            self._keep(rows)
            shown = self._present(rows.values())
            if mark is None:
                self.tickets.put_rows(shown)
            else:
                self.tickets.patch_rows(shown, mark=mark)

        self.call(READ, work, done)

    # ---- what others do

    def on_news(self, changed: Changed) -> None:
        self.views_changed(changed)
        low, high = self.tickets.visible_range
        mine = {event.ticket_id for event in changed.events if event.actor_id == self.session.agent.id}
        touched = {ticket for ticket in changed.tickets if ticket in self._rows} - mine
        on_screen = [TicketId(row_id) for row_id in self.tickets.spine[low:high]]
        self._hydrate([ticket for ticket in on_screen if ticket not in touched], mark=False)
        if own := changed.tickets & mine:
            self._take_out(tuple(own))
        if touched:
            self._hydrate(tuple(touched), mark=True)
            self._order.changed |= touched
        if others := changed.tickets - mine:
            self._look_for_new(others)
        if self.preview.ticket in changed.tickets or changed.customers:
            self._show_preview()

    def _look_for_new(self, tickets: Collection[TicketId]) -> None:
        """See which of these are in the view now, without showing it: what it costs depends on them alone.

        In the lane of the list itself: an order that was read before these changed is shown before they are compared.
        """
        session, listing = self.session, self.listing
        asked = self._order.to_look_up(tickets)

        def work() -> list[TicketId]:
            return session.ids(listing.view, listing.text, among=asked)

        def done(members: list[TicketId]) -> None:
            self._order.looked_up(asked)
            if listing == self.listing:
                self._compare(asked, members)

        self.call(READ, work, done, replaces="news")

    def _compare(self, asked: Collection[TicketId], members: Collection[TicketId]) -> None:
        """What of these came into the view and what left it, against the list as it stands."""
        self._order.compare(asked, members)
        if self._order.differs:
            if not self._order.known or self._rests():
                self.do_refresh()
            elif self._rest_timer is None:
                self._rest_timer = self.set_timer(RESTS_AFTER, self._rested)
        self._show_tabs()

    def _look_at_order(self) -> None:
        """Compare the whole view with the list: sleepers wake without any event."""
        session, listing = self.session, self.listing
        if not self._is_whole or (listing.view in TIMELESS and not listing.text):
            return
        shown = self.tickets.spine

        def work() -> tuple[set[int], set[int]]:
            spine = session.spine(listing.view, listing.text)
            return (set(spine) - set(shown), set(shown) - set(spine)) if spine != shown else (set(), set())

        def done(found: tuple[set[int], set[int]]) -> None:
            came, left = found
            if listing == self.listing:
                self._compare([TicketId(ticket) for ticket in came | left], [TicketId(ticket) for ticket in came])

        self.call(LOOK, work, done, replaces="order")

    def _rests(self) -> bool:
        return (
            self.tickets.cursor_index == 0
            and not self._selected
            and not self.prompt.purpose
            and self.is_current
            and time.monotonic() - self.console.last_key > RESTS_AFTER
            and self._order.may_read_again()
        )

    def _rested(self) -> None:
        self._rest_timer = None
        if self._order.differs and self._rests():
            self.do_refresh()

    def do_refresh(self) -> None:
        """Show the order as it is now."""
        self.console.painted.forget()
        self.tickets.clear_change_marks()
        at_top = self.tickets.cursor_index == 0
        self._load(first=at_top, keep_cursor=not at_top or not self._order.came)

    def on_minute(self) -> None:
        """Ages have grown: only lines that read differently are painted."""
        self.count_views()
        self._hydrate_screen()
        self._look_at_order()

    def _hydrate_screen(self) -> None:
        low, high = self.tickets.visible_range
        self._hydrate([TicketId(row_id) for row_id in self.tickets.spine[low:high]], mark=False)

    def show_status(self) -> None:
        super().show_status()
        self._show_tabs()

    def on_screen_resume(self) -> None:
        if self.console.session is not None:
            self.console.presence.leave()
            self._hydrate_screen()

    def _show_tabs(self) -> None:
        """The views; beside them what is filtered, selected and new."""
        tabs = self.view_tabs()
        if self.listing.text:
            tabs.append(Tab("filter", "/", safe(self.listing.text), stays=True))
        if self._selected:
            text = ngettext("{count} selected", "{count} selected", self._selected).format(count=self._selected)
            tabs.append(Tab("selected", "x", safe(text), stays=True))
        if fresh := news(len(self._order.came), len(self._order.changed)):
            tabs.append(Tab("news", "^l", safe(fresh), stays=True))
        self.query_one(ViewTabs).show(tabs, self.listing.view)
        self._say_why_empty()

    def _say_why_empty(self) -> None:
        """What stands where no ticket is: it depends on the counts, which may come after the list."""
        if not self._listed or len(self.tickets.spine):
            return
        total = self.console.counts.get("all", 0)
        has_mailbox = bool(self.session.mailboxes)
        said = empty_text(self.listing.view, self.listing.text, has_mailbox=has_mailbox, total=total)
        if said != self.tickets.empty_text:
            self.tickets.empty_text = said
            self.tickets.refresh()

    # ---- the preview

    def on_virtual_list_cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        message.stop()
        self._schedule_preview()

    def _schedule_preview(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_AFTER, self._show_preview)

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self._schedule_preview()  # there may be room for it now

    def _show_preview(self) -> None:
        ticket_id = self.current_id()
        if ticket_id is None or not self.preview.display or self.console.session is None:
            return
        session = self.session
        if (known := session.tickets.get(ticket_id)) is not None:
            self._put_preview(known)
        else:
            self.call(READ, lambda: session.load_ticket(ticket_id), self._put_preview, replaces="preview")

    def _put_preview(self, bundle: TicketBundle) -> None:
        if bundle.ticket.id == self.current_id():
            self.preview.show(bundle, self.session.local_now(bundle.ticket.mailbox_id))

    # ---- the tickets that actions are for

    def targets(self) -> tuple[TicketId, ...]:
        selected = tuple(TicketId(row_id) for row_id in self.tickets.selected_ids)
        current = self.current_id()
        return selected or ((current,) if current is not None else ())

    def current_id(self) -> TicketId | None:
        row_id = self.tickets.cursor_id
        return TicketId(row_id) if row_id is not None else None

    def current_status(self) -> str:
        return self.current_value("status")

    def current_value(self, name: str) -> str:
        targets = self.targets()
        return str(getattr(self._rows.get(targets[0]), name, "")) if targets else ""

    def seen_versions(self, tickets: Sequence[TicketId]) -> Mapping[TicketId, int]:
        return {ticket: self._rows[ticket].version for ticket in tickets if ticket in self._rows}

    def show_expected(self, action: str, tickets: Sequence[TicketId], params: Mapping[str, Any]) -> None:
        self._expected.begin(action, tickets, params, self.session.agent, self.session.agents.values())
        self._show_known(tickets)

    def take_back_expected(self, tickets: Sequence[TicketId]) -> None:
        self._expected.end(tickets)
        self._show_known(tickets)
        self._hydrate(list(tickets), mark=False)

    def _show_known(self, tickets: Collection[TicketId]) -> None:
        known = [self._rows[ticket] for ticket in tickets if ticket in self._rows]
        self.tickets.patch_rows(self._present(known), mark=False)

    def after_action(self, action: str, done: Done) -> None:
        for ticket in done.tickets:
            self.session.tickets.pop(ticket, None)
        if self._selected:
            self.tickets.select_none()
        if left := self._expected.end().difference(done.tickets):
            self.take_back_expected(tuple(left))
        self._take_out(done.tickets)
        if action == "take_next" and done.tickets:
            self.open_ticket(done.tickets[0])

    def _take_out(self, tickets: Sequence[TicketId]) -> None:
        """The agent's own tickets leave the list at once if they no longer belong; nothing else moves."""
        session, listing = self.session, self.listing

        def work() -> tuple[list[TicketId], dict[TicketId, QueueRow]]:
            here = session.ids(listing.view, listing.text, among=tickets)
            return here, session.desk.read.queue_rows(tickets, agent_id=session.agent.id, now=session.now())

        def done(found: tuple[list[TicketId], dict[TicketId, QueueRow]]) -> None:
            here, rows = found
            self._keep(rows)
            self.console.refresh_status()
            if listing != self.listing:
                return
            self.tickets.patch_rows(self._present(rows.values()), mark=False)
            known = self._order.known
            gone = {ticket for ticket in tickets if ticket in known}.difference(here)
            if any(ticket not in known for ticket in here) or (gone and len(gone) == len(known)):
                self._load()
            elif gone:
                self._order.take_out(gone)
                self.tickets.take_out(gone)

        self.call(READ, work, done)

    def _keep(self, rows: Mapping[TicketId, QueueRow]) -> None:
        """Remember rows; of very many the oldest are forgotten."""
        for ticket in rows:
            self._rows.pop(ticket, None)
        self._rows |= rows
        while len(self._rows) > KEPT_ROWS:
            self._rows.pop(next(iter(self._rows)))

    # ---- opening

    def do_open(self) -> None:
        if (ticket := self.current_id()) is not None:
            self.open_ticket(ticket)

    def open_ticket(self, ticket: TicketId) -> None:
        self.console.open_ticket(ticket, neighbours=self.move_by)

    def on_virtual_list_opened(self, message: VirtualList.Opened) -> None:
        message.stop()
        self.open_ticket(TicketId(message.row_id))

    def move_by(self, shown: TicketId, step: int) -> TicketId | None:
        """Move the cursor for the ticket screen above; the ticket it stands on then, None at an end."""
        at = self.tickets.beside(shown, step)
        if at is None:
            return None
        self.tickets.move_to(at)
        return self.current_id()

    def do_back(self) -> None:
        """Undo one narrowing: the selection, the filter, another view."""
        if self._selected:
            self.tickets.select_none()
        elif self.listing.text:
            searched = self.listing.view == "all"  # comes back to the view that the search was begun in
            self._show_listing(Listing(self._before_filter.view if searched else self.listing.view))
        elif self.listing.view != TABS[0]:
            self._show_listing(Listing())

    # ---- selecting

    def on_virtual_list_selection_changed(self, message: VirtualList.SelectionChanged) -> None:
        message.stop()
        self._selected = message.count
        self._show_tabs()

    def _show_listing(self, listing: Listing) -> None:
        if listing == self.listing or self.console.session is None:
            return
        self.listing = listing
        self._is_whole, self._when_whole = False, None
        self._stop_awaiting_rest()
        self.tickets.select_none()
        self._show_tabs()
        self._load(first=True, keep_cursor=False)
