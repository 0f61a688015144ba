"""What the outbox, the drafts and the parked mail have in common: one list, read again when something changes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.screens.base import READ, WRITE, DeskScreen
from supportdesk.tui.screens.list_keys import CursorKeys
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.columns import Column, ListRow
from supportdesk.tui.widgets.folded import FoldedText
from supportdesk.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from supportdesk.desk.results import Done
    from supportdesk.tui.feed import Changed


class RowsScreen(CursorKeys, DeskScreen[None]):
    """A list over the whole screen."""

    @abstractmethod
    def heading(self) -> str: ...

    @abstractmethod
    def columns(self) -> tuple[Column, ...]: ...

    @abstractmethod
    def read_rows(self) -> list[ListRow]:
        """Read what the list shows; runs in a lane."""

    @abstractmethod
    def empty_text(self) -> str: ...

    def about(self, row: int) -> SafeText:
        """What is told below the list of a row that is chosen: what the row itself has no room for."""
        return SafeText("\n".join(self.rows.without_room(row)))

    def compose_body(self) -> ComposeResult:
        yield StatusLine(id="title")
        yield VirtualList(self.columns(), glyphs=self.console.glyphs, id="rows")
        yield FoldedText(id="about")

    @property
    def rows(self) -> VirtualList:
        return self.query_one("#rows", VirtualList)

    @property
    def listed(self) -> VirtualList:
        return self.rows

    def on_mount(self) -> None:
        self.query_one("#title", StatusLine).show([StatusPart(safe(self.heading()), "strong")])
        self.rows.focus()
        with self.console.typed_ahead.following():
            self.reload()

    def reload(self) -> None:
        self.call(READ, self.read_rows, self.show_rows, replaces="rows", is_rows=True)

    def show_rows(self, rows: Sequence[ListRow]) -> None:
        self.rows.empty_text = () if rows else (safe(self.empty_text()), SafeText(""))
        self.rows.put_rows(rows)
        self.rows.replace_spine([row.id for row in rows])
        self._make_room()

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        if self.is_ready:
            self.call_after_refresh(self._make_room)

    def on_virtual_list_cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        message.stop()
        self._show_about()

    def _make_room(self) -> None:
        """Below the list there is room for what any of its rows has to tell: so the list stands still."""
        if not self.is_ready:  # it has been left since the resize
            return
        self.query_one("#about", FoldedText).make_room([self.about(row) for row in self.rows.spine])
        self._show_about()

    def _show_about(self) -> None:
        chosen = self.chosen()
        self.query_one("#about", FoldedText).show(EMPTY if chosen is None else self.about(chosen))

    def on_news(self, changed: Changed) -> None:
        self.reload()

    def on_screen_resume(self) -> None:
        if self.is_ready:
            self.reload()

    def chosen(self) -> int | None:
        """The id of the row under the cursor."""
        return self.rows.cursor_id

    def change(self, lane: str, work: Callable[[], Done]) -> None:
        """Do something to a row, tell it, and read the list again."""

        def done(result: Done) -> None:
            self.tell(result.notice)
            self.reload()

        self.call(lane, work, done)

    def do_undo(self) -> None:
        """Take the agent's last action back, wherever he did it."""
        session = self.session
        self.change(WRITE, lambda: session.desk.undo(session.actor))

    def on_virtual_list_opened(self, message: VirtualList.Opened) -> None:
        message.stop()
        self.act("open")

    def do_back(self) -> None:
        self.dismiss()
