"""The saved views as a list: rename, change, order, share and remove them; every step can be undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from supportdesk.desk.model import COUNTED_TO
from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.screens.base import WRITE
from supportdesk.tui.screens.rows import RowsScreen
from supportdesk.tui.widgets.columns import Column, ListRow

if TYPE_CHECKING:
    from supportdesk.desk.model import SavedView
    from supportdesk.desk.results import Done


class SavedViewsScreen(RowsScreen):
    """In the order of their keys."""

    CONTEXT: ClassVar[str] = "views"

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[int, SavedView] = {}

    def heading(self) -> str:
        return _("Saved views")

    def columns(self) -> tuple[Column, ...]:
        return (
            Column("name", safe(_("name")), 16, flex=2),
            Column("tickets", safe(_("tickets")), 7, align_right=True, drop=2),
            Column("whose", safe(_("whose")), 11, drop=1, tone="muted"),
            Column("query", safe(_("query")), 24, flex=4),
        )

    def empty_text(self) -> str:
        return _("No view is saved yet: narrow the queue with / and save it with g +.")

    def read_rows(self) -> list[ListRow]:
        session = self.session
        session.reread_views()
        self._known = {view.id: view for view in session.views}
        return [
            ListRow(
                view.id,
                {
                    "name": safe(view.name),
                    "tickets": SafeText(_counted(session.desk.count_view(view, session.agent.id))),
                    "whose": safe(_("everybody's") if view.agent_id is None else _("yours")),
                    "query": safe(view.query),
                },
            )
            for view in session.views
        ]

    def do_open(self) -> None:
        """Show the view in the queue."""
        if (view := self._view()) is not None:
            self.dismiss()
            self.console.show_view(view)

    def do_rename_view(self) -> None:
        if (view := self._view()) is not None:
            self.ask_line("name", _("Name:"), lambda name: self._set(view, name=name), value=view.name)

    def do_edit_query(self) -> None:
        if (view := self._view()) is not None:
            self.ask_line("query", _("Query:"), lambda query: self._set(view, query=query), value=view.query)

    def do_share_view(self) -> None:
        if (view := self._view()) is not None:
            self._set(view, shared=view.agent_id is not None)

    def do_move_view_down(self) -> None:
        self._move(1)

    def do_move_view_up(self) -> None:
        self._move(-1)

    def do_remove_view(self) -> None:
        session = self.session
        if (view := self._view()) is not None:
            self.change(WRITE, lambda: session.desk.remove_view(session.actor, view.id))

    def do_undo(self) -> None:
        session = self.session
        self.change(WRITE, lambda: session.desk.undo(session.actor))

    def _move(self, step: int) -> None:
        if (view := self._view()) is not None:
            place = list(self._known).index(view.id) + 1
            if 1 <= place + step <= len(self._known):
                self._set(view, position=place + step)

    def _set(self, view: SavedView, **changes: Any) -> None:
        session = self.session

        def work() -> Done:
            return session.desk.change_view(session.actor, view.id, **changes)

        self.change(WRITE, work)

    def _view(self) -> SavedView | None:
        chosen = self.chosen()
        return self._known.get(chosen) if chosen is not None else None


def _counted(tickets: int | None) -> str:
    if tickets is None:
        return "?"
    return f"{COUNTED_TO}+" if tickets > COUNTED_TO else str(tickets)
