"""The list of tickets: an id spine in queue order and a window of hydrated rows, painted line by line.

There is one widget however long the list is. It never reads: what it lacks it asks for with `WindowNeeded`, and shows
the place meanwhile. It never re-sorts by itself: the spine is replaced only when somebody calls `replace_spine`.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from supportdesk.safetext import EMPTY, SafeText
from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.widgets.cells import Piece, fit, line_of
from supportdesk.tui.widgets.columns import grown, share_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style
    from textual import events

    from supportdesk.tui.widgets.columns import Column, ListRow

HEADER = 1
"""Lines above the rows: the names of the columns."""

GUTTER = 3
"""Cells before the first column: cursor, selection, change mark."""

KEPT_ROWS = 1_024
"""Hydrated rows that are kept; those furthest from the cursor are forgotten first."""

NEAR = 200
"""Rows before and behind the cursor among which a row is looked for first."""


class VirtualList(Widget, can_focus=True):
    """A list of any length with a cursor, selection marks and change marks."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "list--header",
        "list--cursor",
        "list--cursor-blurred",
        "list--selected",
        "list--muted",
        "list--good",
        "list--warning",
        "list--error",
        "list--strong",
    }
    DEFAULT_CSS = """
    VirtualList { width: 1fr; height: 1fr; background: $background; color: $foreground; }
    VirtualList > .list--header { color: $secondary; text-style: bold; }
    VirtualList > .list--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    VirtualList > .list--cursor-blurred { background: $panel; text-style: bold; }
    VirtualList > .list--selected { text-style: bold; }
    VirtualList > .list--muted { color: $secondary; }
    VirtualList > .list--good { color: $success; }
    VirtualList > .list--warning { color: $warning; }
    VirtualList > .list--error { color: $error; }
    VirtualList > .list--strong { text-style: bold; }
    """

    class WindowNeeded(Message):
        """Rows [first, end) of the spine are, or will soon be, on screen and not hydrated: send `put_rows`."""

        def __init__(self, first: int, end: int, ids: Sequence[int]) -> None:
            super().__init__()
            self.first = first
            self.end = end
            self.ids = ids

    class CursorMoved(Message):
        """The cursor stands on another ticket; `row_id` is None in an empty list."""

        def __init__(self, sender: VirtualList, row_id: int | None) -> None:
            super().__init__()
            self.list = sender
            self.row_id = row_id

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.CursorMoved) and message.list is self.list

    class Opened(Message):
        """A row was clicked again where the cursor already stood."""

        def __init__(self, row_id: int) -> None:
            super().__init__()
            self.row_id = row_id

    class SelectionChanged(Message):
        """Rows were marked or unmarked."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 — Textual's own word
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.glyphs = glyphs
        self.empty_text: tuple[SafeText, ...] = ()
        self._spine: array[int] = array("q")
        self._rows: dict[int, ListRow] = {}
        self._selected: dict[int, None] = {}
        self._changed: set[int] = set()
        self._cursor = 0
        self._top = 0
        self._gap = 0
        """Where the row that the cursor was put on has left the list: 1 before the cursor, -1 behind it."""
        self._range_start: int | None = None
        self._asked: tuple[int, int] | None = None
        self._fitted: tuple[int, tuple[tuple[Column, int], ...]] = (-1, ())

    @property
    def spine(self) -> Sequence[int]:
        return self._spine

    @property
    def cursor_index(self) -> int:
        return self._cursor

    @property
    def cursor_id(self) -> int | None:
        return self._spine[self._cursor] if self._spine else None

    @property
    def cursor_row(self) -> ListRow | None:
        """The hydrated row under the cursor, if it is there yet."""
        return self._rows.get(self._spine[self._cursor]) if self._spine else None

    def without_room(self, row_id: int) -> list[SafeText]:
        """What a row says in columns that cut it, or that are left out at this width."""
        row = self._rows.get(row_id)
        if row is None or not self.size.width:
            return []
        room = {column.key: cells for column, cells in self._columns_for(self.size.width)}
        cells = [(row.cells.get(column.key, EMPTY), room.get(column.key, 0)) for column in self.columns]
        return [text for text, width in cells if cell_len(text) > width]

    @property
    def selected_ids(self) -> tuple[int, ...]:
        """The marked tickets in the order of the list; those that left it stand last."""
        if not self._selected:
            return ()
        here = [row_id for row_id in self._spine if row_id in self._selected]
        known = set(here)
        return (*here, *(row_id for row_id in self._selected if row_id not in known))

    @property
    def visible_range(self) -> tuple[int, int]:
        """The half-open range of the spine that is on screen."""
        return self._top, min(self._top + self._body_height, len(self._spine))

    def replace_spine(self, ids: Iterable[int], *, keep_cursor: bool = True) -> None:
        """Show another order; an array is taken as it is, and nobody changes it afterwards.

        With `keep_cursor` the ticket under the cursor stays under it, on the same screen line; if it is gone, the next
        one takes its place.
        """
        spine = ids if isinstance(ids, array) else array("q", ids)
        if keep_cursor:
            self._replace(spine, self._place_in(spine))
        else:
            self._top = self._cursor  # the first row stands at the top
            self._replace(spine, 0)

    def _replace(self, spine: array[int], place: int) -> None:
        """Show another order with the cursor at that place, on the screen line where it is."""
        before = self.cursor_id
        self._top += place - self._cursor
        self._spine, self._cursor = spine, place
        self._asked = None
        self._range_start = None
        is_past_end = place >= len(spine)
        self._clamp()
        if len(self._rows) > KEPT_ROWS:
            self._forget_far_rows()
        self.refresh()
        self._ask()
        if self.cursor_id != before:
            self._gap = -1 if is_past_end else 1
            self.post_message(self.CursorMoved(self, self.cursor_id))

    def beside(self, row_id: int, step: int) -> int | None:
        """The index `step` rows from a row, even if that one has left the list; None past an end.

        From a row that is gone the next one is what stands in its place.
        """
        at = self._find(row_id, self._spine)
        if at is None:
            at = self._cursor - self._gap if self._gap * step > 0 else self._cursor
        index = at + step
        return index if 0 <= index < len(self._spine) else None

    def take_out(self, ids: Iterable[int]) -> None:
        """Let rows leave the list; nothing else moves."""
        left, place = self._spine[:], self._cursor
        for row_id in ids:
            if (at := self._find(row_id, left)) is not None:
                del left[at]
                place -= at < place
        self._replace(left, place)

    def put_rows(self, rows: Iterable[ListRow]) -> None:
        """Hydrate rows, or replace them where they are: only lines that look different are painted."""
        stale = [row.id for row in rows if self._store_row(row)]
        self._asked = None
        if len(self._rows) > KEPT_ROWS:
            self._forget_far_rows()
        self._refresh_ids(stale)
        self._ask()

    def patch_rows(self, rows: Iterable[ListRow], *, mark: bool = True) -> None:
        """Show changed rows in place, without moving anything; `mark` sets the change mark beside them."""
        stale = [row.id for row in rows if self._store_row(row)]
        if mark:
            self._changed.update(stale)
        self._refresh_ids(stale)

    def clear_change_marks(self) -> None:
        """The agent has seen what changed."""
        marked, self._changed = self._changed, set()
        self._refresh_ids(marked)

    def move_cursor(self, step: int) -> None:
        """Move by rows; at the edge the list scrolls half a page, because each scroll repaints everything."""
        self.move_to(self._cursor + step)

    def move_page(self, halves: int) -> None:
        """Move by half pages, cursor and view together."""
        step = max(1, self._body_height // 2) * halves
        self._top += step
        self.move_to(self._cursor + step)

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at `index`, or the nearest there is."""
        before, top = self._cursor, self._top
        self._cursor, self._gap = index, 0
        self._clamp()
        if self._range_start is not None and self._cursor != before:
            self._select_range()
        if self._top != top:
            self.refresh()
        else:
            self._refresh_lines(before, self._cursor)
        if self._cursor != before:
            self._ask()
            self.post_message(self.CursorMoved(self, self.cursor_id))

    def move_to_id(self, row_id: int) -> bool:
        """Put the cursor on that ticket; False if it is not in the list."""
        at = self._find(row_id, self._spine)
        if at is not None:
            self.move_to(at)
        return at is not None

    def toggle_selected(self) -> None:
        """Mark or unmark the row under the cursor."""
        row_id = self.cursor_id
        if row_id is None:
            return
        if row_id in self._selected:
            del self._selected[row_id]
        else:
            self._selected[row_id] = None
        self._refresh_lines(self._cursor)
        self._announce_selection()

    def toggle_range(self) -> None:
        """Start a range at the cursor that follows it, or end the one that is open and keep its marks."""
        if self._range_start is None and self._spine:
            self._range_start = self._cursor
            self._select_range()
        else:
            self._range_start = None

    def select(self, ids: Iterable[int]) -> None:
        """Mark exactly these."""
        self._selected = dict.fromkeys(ids)
        self._range_start = None
        self.refresh()
        self._announce_selection()

    def select_all(self) -> None:
        self.select(self._spine)

    def select_none(self) -> None:
        self.select(())

    def render_line(self, y: int) -> Strip:
        """One line of the screen, from what is hydrated."""
        width = self.size.width
        plain = self.rich_style
        if y == 0:
            return self._header(width, plain)
        index = self._top + y - HEADER
        if index < len(self._spine):
            return self._row_line(index, width, plain)
        if not self._spine and 0 <= (line := y - HEADER - 1) < len(self.empty_text):
            return line_of([Piece(" " * GUTTER + self.empty_text[line], plain)], width, plain)
        return Strip.blank(width, plain)

    def on_mount(self) -> None:
        self._ask()

    def on_resize(self) -> None:
        self._clamp()
        self._ask()

    def on_focus(self) -> None:
        self._refresh_lines(self._cursor)

    def on_blur(self) -> None:
        self._refresh_lines(self._cursor)

    def on_click(self, event: events.Click) -> None:
        index = self._top + event.y - HEADER
        if event.y < HEADER or index >= len(self._spine):
            return
        if index == self._cursor:
            self.post_message(self.Opened(self._spine[index]))
        else:
            self.move_to(index)

    def on_mouse_scroll_down(self) -> None:
        self.move_cursor(3)

    def on_mouse_scroll_up(self) -> None:
        self.move_cursor(-3)

    @property
    def _body_height(self) -> int:
        return max(1, self.size.height - HEADER)

    def _place_in(self, spine: array[int]) -> int:
        """Where the cursor belongs in another order: on its row, else where the first row stands that followed it."""
        if not self._spine:
            return 0
        at, old = self._cursor, self._spine
        if (place := self._find(old[at], spine)) is not None:
            return place
        first = max(0, at - NEAR)
        near = {row_id: index for index, row_id in enumerate(spine[first : at + NEAR], first)}
        after = (near[row_id] for row_id in old[at + 1 : at + NEAR] if row_id in near)
        before = (near[row_id] + 1 for row_id in reversed(old[first:at]) if row_id in near)
        return next(after, next(before, at))

    def _find(self, row_id: int, spine: array[int]) -> int | None:
        """Where a row stands: near the cursor as a rule, so that is looked at before a million others."""
        near = max(0, self._cursor - NEAR)
        for start, stop in ((near, self._cursor + NEAR), (0, len(spine))):
            try:
                return spine.index(row_id, start, stop)
            except ValueError:
                continue
        return None

    def _clamp(self) -> None:
        """Keep the cursor in the list and on screen; leaving the screen moves the view by half a page."""
        count, height = len(self._spine), self._body_height
        self._cursor = max(0, min(self._cursor, count - 1))
        half = max(1, height // 2)
        if self._cursor < self._top:
            self._top = self._cursor if self._top - self._cursor > half else self._top - half
            self._top = min(self._top, self._cursor)
        elif self._cursor >= self._top + height:
            beyond = self._cursor - (self._top + height - 1)
            self._top += max(half, beyond)
        self._top = max(0, min(self._top, count - height))

    def _ask(self) -> None:
        """Ask for what is not hydrated on screen and half a page around it, once."""
        if not self._spine or not self.is_mounted:
            return
        height = self._body_height
        start = max(0, self._top - height // 2)
        stop = min(len(self._spine), self._top + height + height // 2)
        missing = [index for index in range(start, stop) if self._spine[index] not in self._rows]
        if not missing:
            return
        first, last = missing[0], missing[-1] + 1
        if self._asked is not None and self._asked[0] <= first and last <= self._asked[1]:
            return
        self._asked = (first, last)
        self.post_message(self.WindowNeeded(first, last, self._spine[first:last]))

    def _store_row(self, row: ListRow) -> bool:
        if self._rows.get(row.id) == row:
            return False
        self._rows[row.id] = row
        if (columns := grown(self.columns, row)) != self.columns:
            self.columns, self._fitted = columns, (-1, ())
            self.refresh()
        return True

    def _forget_far_rows(self) -> None:
        reach = KEPT_ROWS // 4
        near = self._spine[max(0, self._cursor - reach) : self._cursor + reach]
        self._rows = {row_id: self._rows[row_id] for row_id in near if row_id in self._rows}

    def _select_range(self) -> None:
        start = self._range_start if self._range_start is not None else self._cursor
        low, high = sorted((start, self._cursor))
        self._selected.update(dict.fromkeys(self._spine[low : high + 1]))
        self._refresh_lines(*range(max(low, self._top), min(high + 1, self._top + self._body_height)))
        self._announce_selection()

    def _announce_selection(self) -> None:
        self.post_message(self.SelectionChanged(len(self._selected)))

    def _refresh_ids(self, ids: Iterable[int]) -> None:
        stale = set(ids)
        if stale:
            low, high = self.visible_range
            self._refresh_lines(*(index for index in range(low, high) if self._spine[index] in stale))

    def _refresh_lines(self, *indices: int) -> None:
        low, high = self.visible_range
        regions = [
            Region(0, index - self._top + HEADER, self.size.width, 1) for index in set(indices) if low <= index < high
        ]
        if regions:
            self.refresh(*regions)

    def _header(self, width: int, plain: Style) -> Strip:
        style = plain + self.get_component_rich_style("list--header", partial=True)
        columns = self._columns_for(width)
        titles = [fit(column.title, cells, align_right=column.align_right) for column, cells in columns]
        return line_of([Piece(" " * GUTTER + "  ".join(titles), style)], width, style)

    def _row_line(self, index: int, width: int, plain: Style) -> Strip:
        row_id = self._spine[index]
        row = self._rows.get(row_id)
        glyphs = self.glyphs
        on_cursor = index == self._cursor
        gutter = (
            (glyphs.cursor if on_cursor else " ")
            + (glyphs.selected if row_id in self._selected else " ")
            + (glyphs.changed if row_id in self._changed else " ")
        )
        if on_cursor:
            plain += self._style("cursor" if self.has_focus else "cursor-blurred")
        elif row_id in self._selected:
            plain += self._style("selected")
        if row is None:
            return line_of([Piece(gutter + glyphs.ellipsis, plain)], width, plain)
        if row.tone and not on_cursor:
            plain += self._style(row.tone)
        tones = row.tones or {}
        pieces = [Piece(gutter, plain)]
        for column, cells in self._columns_for(width):
            tone = tones.get(column.key) or column.tone
            # One style on the cursor's line: colours there would cost more bytes than they tell.
            style = plain if on_cursor or not tone else plain + self._style(tone)
            text = row.cells.get(column.key, EMPTY)
            pieces.append(Piece(fit(text, cells, align_right=column.align_right, ellipsis=glyphs.ellipsis), style))
            pieces.append(Piece("  ", plain))
        return line_of(pieces, width, plain)

    def _style(self, tone: str) -> Style:
        return self.get_component_rich_style(f"list--{tone}", partial=True)

    def _columns_for(self, width: int) -> tuple[tuple[Column, int], ...]:
        """The columns that fit into `width` cells, and the cells of each."""
        if self._fitted[0] != width:
            self._fitted = (width, share_width(self.columns, width - GUTTER))
        return self._fitted[1]
