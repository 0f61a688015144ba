"""The views of the queue and its filter: the number keys, the live query with its completion, saving it as a view."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.labels import VIEW, word
from supportdesk.desk.model import COUNTED_TO, VIEWS, TicketId
from supportdesk.desk.query import QueryError, ticket_number
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.present_queue import TABS, keyed_views
from supportdesk.tui.screens.base import LOOK, READ, WRITE
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.screens.on_tickets import OnTickets
from supportdesk.tui.session import saved_id
from supportdesk.tui.widgets.bars import Tab, ViewTabs
from supportdesk.tui.widgets.picker import PickerEntry
from supportdesk.tui.widgets.prompt import Completion, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from supportdesk.desk.model import SavedView
    from supportdesk.tui.feed import Changed

COUNTING_SHARE = 20
"""Saved views are counted at most during one part in so many of the time."""

VIEW_EVENTS = frozenset({"view_added", "view_changed", "view_removed", "undo"})


@dataclass(frozen=True, slots=True)
class Listing:
    """What the list shows: a standing or a saved view, narrowed by a query."""

    view: str = TABS[0]
    text: str = ""


class Views(OnTickets):
    """Part of the queue: which view it shows."""

    listing: Listing
    _before_filter: Listing
    _cursor_before: TicketId | None
    _view_counts: Mapping[str, int | None] = {}
    _counted_at = 0.0
    _counting_took = 0.0

    @abstractmethod
    def _show_listing(self, listing: Listing) -> None:
        """Show another list."""

    @abstractmethod
    def move_by(self, shown: TicketId, step: int) -> TicketId | None:
        """Move the cursor from the ticket that is shown above; the one that it is on then, None at an end."""

    @abstractmethod
    def _show_tabs(self) -> None:
        """Show the views and what is filtered, selected and new."""

    # ---- the line of views

    def view_name(self, view: str) -> str:
        """The name of a standing or a saved view."""
        saved = self.session.saved_view(view) if self.console.session is not None else None
        return saved.name if saved is not None else word(VIEW, view)

    def keyed_views(self) -> tuple[str, ...]:
        """The views of the number keys."""
        session = self.console.session
        return keyed_views([saved_id(view) for view in session.views] if session is not None else [])

    def view_names(self) -> tuple[str, ...]:
        return tuple(self.view_name(view) for view in self.keyed_views())

    def view_tabs(self) -> list[Tab]:
        """The views of the number keys, and the one that is shown."""
        keyed = self.keyed_views()
        tabs = [self._tab(view, str(number)) for number, view in enumerate(keyed, start=1)]
        if self.listing.view not in keyed:
            tabs.append(self._tab(self.listing.view, ""))
        return tabs

    def _tab(self, view: str, key: str) -> Tab:
        if view in VIEWS:
            return Tab(view, key, safe(word(VIEW, view)), self.console.counts.get(view))
        count, name = self._view_counts.get(view), self.view_name(view)
        if count is not None and count > COUNTED_TO:
            return Tab(view, key, safe(f"{name} {COUNTED_TO}+"))
        return Tab(view, key, safe(name), count)

    def count_views(self) -> None:
        """Count what the saved views hold, in a thread; not again before that is worth its time."""
        session, began = self.session, time.monotonic()
        if not session.views or began - self._counted_at < self._counting_took * COUNTING_SHARE:
            return
        self._counted_at = began

        def work() -> tuple[dict[str, int | None], float]:
            start = time.monotonic()
            counts = {saved_id(view): session.desk.count_view(view, session.agent.id) for view in session.views}
            return counts, time.monotonic() - start

        def done(found: tuple[dict[str, int | None], float]) -> None:
            self._view_counts, self._counting_took = found
            self._show_tabs()

        self.call(LOOK, work, done, replaces="view_counts")

    def views_changed(self, changed: Changed) -> None:
        """Somebody committed: the saved views may be others, and hold others."""
        if any(event.kind in VIEW_EVENTS and event.ticket_id is None for event in changed.events):
            self.reread_views()
        else:
            self.count_views()

    def reread_views(self) -> None:
        """Read the saved views again and show them."""
        session = self.session

        def done(_nothing: None) -> None:
            self._counted_at = 0.0
            if self.listing.view not in VIEWS and session.saved_view(self.listing.view) is None:
                self._show_listing(Listing())
            self._show_tabs()
            self.count_views()

        self.call(READ, session.reread_views, done)

    # ---- going to a view

    def act(self, action: str) -> None:
        if action.startswith("view_"):
            self._show_listing(Listing(self.keyed_views()[int(action.removeprefix("view_")) - 1]))
        else:
            super().act(action)

    def can(self, action: str) -> bool:
        return action.startswith("view_") or super().can(action)

    @property
    def is_open(self) -> bool:
        """Whether the desk is there already: a quick agent types before."""
        return self.console.session is not None

    def on_view_tabs_chosen(self, message: ViewTabs.Chosen) -> None:
        message.stop()
        if message.tab_id == "news":
            self.do_refresh()
        elif message.tab_id == ViewTabs.MORE:
            self.do_help()
        elif message.tab_id in VIEWS or self.session.saved_view(message.tab_id) is not None:
            self._show_listing(Listing(message.tab_id))

    @abstractmethod
    def do_refresh(self) -> None:
        """Show the order as it is now."""

    def do_go_mine(self) -> None:
        self._show_listing(Listing("mine"))

    def do_go_unassigned(self) -> None:
        self._show_listing(Listing("unassigned"))

    def do_go_all(self) -> None:
        self._show_listing(Listing("all"))

    def do_go_snoozed(self) -> None:
        self._show_listing(Listing("snoozed"))

    def do_go_views(self) -> None:
        """Choose among all views, standing and saved."""
        if not self.is_open:
            return
        saved = [
            PickerEntry(saved_id(view), safe(view.name), safe(view.query), search=view.query)
            for view in self.session.views
        ]
        keys = {view: str(key) for key, view in enumerate(self.keyed_views(), 1)}
        standing = [PickerEntry(view, safe(word(VIEW, view)), safe(keys.get(view, "")), search=view) for view in VIEWS]

        def chosen(view: str | None) -> None:
            if view is not None:
                self._show_listing(Listing(view))

        entries = [*saved, *standing]
        self.put_question(ChooseScreen(_("Which view?"), entries, glyphs=self.console.glyphs), chosen)

    def show_saved_view(self, view: SavedView) -> None:
        self._show_listing(Listing(saved_id(view)))

    def do_edit_views(self) -> None:
        """Rename, order, share and remove the saved views."""
        if not self.is_open:
            return
        from supportdesk.tui.screens.saved_views import SavedViewsScreen

        self.console.show_at_once(SavedViewsScreen())

    def do_save_view(self) -> None:
        """Save what the list shows as a view with a name."""
        if not self.is_open:
            return
        query = self._shown_query()

        def save(name: str) -> None:
            session = self.session

            def work() -> str:
                view = session.desk.add_view(session.actor, name, query)
                session.reread_views()
                return saved_id(view)

            def done(view: str) -> None:
                self.tell(_("Saved the view {name}: g v chooses, g V changes it").format(name=name.strip()))
                self._show_listing(Listing(view))

            if name.strip():
                self.call(WRITE, work, done)

        hint = safe(query)
        self.ask_line("name", _("Save as a view called:"), save, hint=lambda _text: hint)

    def _shown_query(self) -> str:
        """The list as a query of the whole desk."""
        saved = self.session.saved_view(self.listing.view)
        if saved is not None:
            return f"{saved.query} {self.listing.text}".strip()
        has_view = self.session.query(self.listing.text).view
        return self.listing.text if has_view else f"in:{self.listing.view} {self.listing.text}".strip()

    # ---- the filter

    def do_filter(self) -> None:
        """Narrow the view while typing; enter keeps the filter, esc takes it away."""
        self._ask_filter(self.listing.view, "/", _("g / searches all tickets"))

    def do_find(self) -> None:
        """Open the ticket under the cursor, and find words in it."""
        if (ticket := self.current_id()) is not None:
            self.console.open_ticket(ticket, neighbours=self.move_by, finds=True)

    def do_search(self, text: str = "") -> None:
        """Look through all tickets, closed ones too; esc comes back to the view."""
        if text:
            self.session.query(text)
            self._before_filter = Listing(self.listing.view)
            self._show_listing(Listing("all", text))
        else:
            self._ask_filter("all", _("Search all tickets:"), _("open and closed ones"))

    def _ask_filter(self, view: str, label: str, hint: str) -> None:
        if not self.is_open:
            return
        self._before_filter = Listing(self.listing.view)
        self._cursor_before = self.current_id()
        session = self.session

        def narrow(text: str) -> None:
            wrong = self._problem(text, True)
            known = text if wrong is None else text[: wrong.position].rpartition(" ")[0]
            if wrong is None or self._problem(known, True) is None:
                self._show_listing(Listing(view, known.strip()))

        def entered(text: str) -> None:
            narrow(text)
            if (number := ticket_number(text)) is not None:
                self._jump(TicketId(number), sure="#" in text)

        def cancelled() -> None:
            self._show_listing(self._before_filter)

        def hinted(text: str) -> SafeText:
            number = ticket_number(text)
            return safe(hint if number is None else _("enter opens #{ticket}").format(ticket=number))

        self.ask_line(
            "filter",
            label,
            entered,
            value=self.listing.text if view == self.listing.view else "",
            live=narrow,
            cancelled=cancelled,
            hint=hinted,
            complete=self._complete,
            problem=self._problem,  # type: ignore[arg-type]
        )
        self.call(LOOK, session.reread_words, lambda _nothing: None)

    def _complete(self, text: str) -> Sequence[Completion]:
        from supportdesk.desk.query_completion import complete_query

        return [
            Completion(safe(text[: found.start] + found.insert), safe(found.meaning), safe(found.shown))
            for found in complete_query(text, self.session.known())
        ]

    def _problem(self, text: str, entered: bool) -> Problem | None:
        """What is wrong with a query; what is only unfinished is told when it was entered."""
        try:
            self.session.query(text)
        except QueryError as error:
            if entered or not error.unfinished:
                return Problem(error.position, safe(error.said))
        return None

    def _jump(self, ticket: TicketId, *, sure: bool) -> None:
        """Open the ticket of that number, if there is one; `sure`: that it was no word to look for."""
        session = self.session

        def work() -> bool:
            return bool(session.desk.read.rows("ticket", {"id": ticket}, limit=1))

        def done(there: bool) -> None:
            if there:
                self.console.open_ticket(ticket)
            elif sure:
                self.tell(_("There is no ticket #{ticket}.").format(ticket=ticket), severity="warning")

        self.call(READ, work, done)
