"""The conversation of one ticket: messages, notes, mail on its way out, machine mail and events, as one list of lines.

An item is laid out when it is first seen at a width, and then kept; the view is anchored at (item, line), so the
length of the thread costs nothing. Quotes and signatures are folded, never deleted. What the items hold is verbatim
text: this is where it becomes safe. No database, no times: the screen brings strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from supportdesk.textfold import find_spans, fold_query
from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.widgets.cells import Piece, clip, line_of
from supportdesk.tui.widgets.thread_layout import (
    GAP,
    Badge,
    ItemKind,
    Line,
    Section,
    ThreadItem,
    lay_out,
    sections_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.style import Style
    from textual import events

    from supportdesk.textfold import Term

__all__ = ["Badge", "ItemKind", "Section", "ThreadItem", "ThreadView"]


class ThreadView(Widget, can_focus=True):
    """The items of a thread, oldest first, with a cursor on one of them."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "thread--heading",
        "thread--cursor",
        "thread--note",
        "thread--muted",
        "thread--badge",
        "thread--good",
        "thread--warning",
        "thread--error",
        "thread--strong",
        "thread--found",
    }
    DEFAULT_CSS = """
    ThreadView { width: 1fr; height: 1fr; background: $background; color: $foreground; }
    ThreadView > .thread--heading { text-style: bold; color: $primary; }
    ThreadView > .thread--cursor { text-style: bold reverse; }
    ThreadView > .thread--note { color: $accent; }
    ThreadView > .thread--muted { color: $secondary; }
    ThreadView > .thread--badge { text-style: underline; }
    ThreadView > .thread--good { color: $success; }
    ThreadView > .thread--warning { color: $warning; }
    ThreadView > .thread--error { color: $error; }
    ThreadView > .thread--strong { text-style: bold; }
    ThreadView > .thread--found { text-style: reverse; }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self.glyphs = glyphs
        self._items: tuple[ThreadItem, ...] = ()
        self._sections: dict[str, tuple[Section, ...]] = {}
        self._layouts: dict[tuple[str, int], tuple[Line, ...]] = {}
        self._opened: set[tuple[str, int]] = set()
        self._cursor = 0
        self._anchor = (0, 0)
        self._query = ""
        self._terms: list[Term] = []
        self._hits: list[tuple[int, int]] = []
        self._hit = -1

    @property
    def items(self) -> tuple[ThreadItem, ...]:
        return self._items

    @property
    def cursor_item(self) -> ThreadItem | None:
        return self._items[self._cursor] if self._items else None

    def show(self, items: Sequence[ThreadItem], *, at: str | None = None) -> None:
        """Show another thread from the top of the item `at`, or of the last message if None."""
        self._items = tuple(items)
        self._sections.clear()
        self._layouts.clear()
        self._opened.clear()
        self._terms, self._hits, self._hit = [], [], -1
        self._cursor = self._index_of(at) if at is not None else self._last_message()
        self._anchor = (self._cursor, 0)
        self._clamp()
        self.refresh()

    def replace_items(self, items: Sequence[ThreadItem]) -> None:
        """The same thread with something new or changed: what stands on screen stands still, opened folds stay open."""
        if tuple(items) == self._items:
            return
        cursor = self.cursor_item
        anchored = self._items[self._anchor[0]].id if self._items else None
        known = {item.id: item for item in self._items}
        for item in items:
            if known.get(item.id) != item:
                self._sections.pop(item.id, None)
                self._layouts = {key: lines for key, lines in self._layouts.items() if key[0] != item.id}
        self._items = tuple(items)
        self._cursor = self._index_of(cursor.id) if cursor is not None else self._last_message()
        self._anchor = (self._index_of(anchored), self._anchor[1]) if anchored is not None else (0, 0)
        self._clamp()
        self.refresh()

    def scroll_lines(self, step: int) -> None:
        """Move the view; the cursor goes to the first item whose heading is on screen if its own left it."""
        anchor = self._moved(self._anchor, step)
        if anchor == self._anchor:
            return
        self._anchor = anchor
        self._clamp()
        self._cursor_follows_view()
        self.refresh()

    def scroll_half_pages(self, halves: int) -> None:
        self.scroll_lines(max(1, self.size.height // 2) * halves)

    def move_cursor(self, step: int) -> None:
        """The next or previous item; a long one is scrolled through first, half a page at a time."""
        if not self._items:
            return
        if step > 0 and self._runs_off_bottom(self._cursor):
            self.scroll_lines(max(1, self.size.height // 2))
        elif step < 0 and self._anchor[0] == self._cursor and self._anchor[1] > 0:
            self.scroll_lines(-min(max(1, self.size.height // 2), self._anchor[1]))
        else:
            self.move_to(self._cursor + step)

    def move_to(self, index: int) -> None:
        """Put the cursor on an item and its heading on screen."""
        index = max(0, min(index, len(self._items) - 1))
        if not self._items or index == self._cursor:
            return
        before, self._cursor = self._cursor, index
        rows = {at: y for y, (at, line) in enumerate(self._visible()) if line == 0}
        if index in rows:
            stale = [rows[at] for at in (before, index) if at in rows]
            self.refresh(*(Region(0, y, self.size.width, 1) for y in stale))
        else:
            self._anchor = (index, 0)
            self._clamp()
            self.refresh()

    def move_to_start(self) -> None:
        self._anchor = (0, 0)
        self.refresh()
        self.move_to(0)

    def move_to_end(self) -> None:
        """The last line of the thread on the last line of the view."""
        self._anchor = (len(self._items), 0)
        self._clamp()
        self.refresh()
        self.move_to(len(self._items) - 1)

    def toggle_folds(self) -> bool:
        """Open all folds of the item under the cursor, or close them if all are open; False if it has none."""
        item = self.cursor_item
        if item is None:
            return False
        folds = {(item.id, at) for at, section in enumerate(self._sections_of(item)) if section.kind != "text"}
        if not folds:
            return False
        self._opened = self._opened - folds if folds <= self._opened else self._opened | folds
        self._forget_layout(item)
        return True

    def find(self, query: str) -> int:
        """Highlight `query` (folded, `"…"` for a phrase), open the folds that hold it, go to the first hit from the
        cursor on; the number of lines found. An empty query ends the search."""
        self._query = query
        self._terms = fold_query(query)
        self._hits, self._hit = [], -1
        if self._terms:
            self._open_folds_with_hits()
            self._hits = [
                (at, number)
                for at in range(len(self._items))
                for number, line in enumerate(self._lines(at))
                if line.searchable and find_spans(line.text, self._terms)
            ]
            if self._hits:
                self._hit = next((n for n, hit in enumerate(self._hits) if hit[0] >= self._cursor), 0)
                self._show_hit()
        self.refresh()
        return len(self._hits)

    def find_next(self, step: int = 1) -> tuple[int, int]:
        """Go to the next (or previous, -1) hit; (which, of how many), counted from 1."""
        if self._hits:
            self._hit = (self._hit + step) % len(self._hits)
            self._show_hit()
            self.refresh()
        return self._hit + 1, len(self._hits)

    def lines_from(self, item_id: str | None, width: int, most: int) -> int:
        """How many lines the thread takes from an item on (None: the last message), counted up to `most`."""
        first = self._index_of(item_id) if item_id is not None else self._last_message()
        count = 0
        for at in range(first, len(self._items)):
            count += len(self._lines(at, width))
            if count > most:
                return most
        return max(1, count)

    def render_line(self, y: int) -> Strip:
        """One line of the screen, from the layouts of the items in sight."""
        width = self.size.width
        plain = self.rich_style
        for row, (at, number) in enumerate(self._visible()):
            if row == y:
                return self._strip(at, number, width, plain)
        return Strip.blank(width, plain)

    def on_resize(self, event: events.Resize) -> None:
        if any(key[1] != event.size.width for key in self._layouts):
            self._layouts.clear()
            self._anchor = (self._anchor[0], 0)
            if self._terms:
                self.find(self._query)
        self._clamp()

    def on_mouse_scroll_down(self) -> None:
        self.scroll_lines(3)

    def on_mouse_scroll_up(self) -> None:
        self.scroll_lines(-3)

    def on_click(self, event: events.Click) -> None:
        for row, (at, number) in enumerate(self._visible()):
            if row == event.y:
                self.move_to(at)
                if self._lines(at)[number].role == "fold":
                    self.toggle_folds()
                return

    def _index_of(self, item_id: str) -> int:
        return next((at for at, item in enumerate(self._items) if item.id == item_id), max(0, len(self._items) - 1))

    def _last_message(self) -> int:
        kinds = (ItemKind.INCOMING, ItemKind.OUTGOING, ItemKind.OUTBOX, ItemKind.NOTE)
        return next(
            (at for at in range(len(self._items) - 1, -1, -1) if self._items[at].kind in kinds),
            max(0, len(self._items) - 1),
        )

    def _sections_of(self, item: ThreadItem) -> tuple[Section, ...]:
        sections = self._sections.get(item.id)
        if sections is None:
            sections = self._sections[item.id] = sections_of(item)
        return sections

    def _lines(self, at: int, width: int = 0) -> tuple[Line, ...]:
        item, width = self._items[at], width or self.size.width
        key = (item.id, width)
        lines = self._layouts.get(key)
        if lines is None:
            opened = frozenset(number for item_id, number in self._opened if item_id == item.id)
            lines = lay_out(item, self._sections_of(item), opened, width, self.glyphs)
            self._layouts[key] = lines
        return lines

    def _forget_layout(self, item: ThreadItem) -> None:
        self._layouts.pop((item.id, self.size.width), None)
        self._clamp()
        self.refresh()

    def _visible(self) -> Iterator[tuple[int, int]]:
        """(item, line) of each line of the screen, top to bottom."""
        at, number = self._anchor
        room = self.size.height
        while room > 0 and at < len(self._items):
            count = len(self._lines(at))
            for line in range(number, min(count, number + room)):
                yield at, line
            room -= max(0, count - number)
            at, number = at + 1, 0

    def _moved(self, position: tuple[int, int], step: int) -> tuple[int, int]:
        at, number = position
        number += step
        while number < 0 and at > 0:
            at -= 1
            number += len(self._lines(at))
        while at < len(self._items) - 1 and number >= len(self._lines(at)):
            number -= len(self._lines(at))
            at += 1
        return at, max(0, number)

    def _clamp(self) -> None:
        """Keep the view full: its last line is never above the bottom while there is something to show above."""
        if not self._items or not self.size.width:
            return
        at, number = self._anchor
        at = min(at, len(self._items))
        below, seek = -number, at
        while seek < len(self._items) and below < self.size.height:
            below += len(self._lines(seek))
            seek += 1
        if below >= self.size.height:
            self._anchor = (at, number)
            return
        last = len(self._items) - 1
        self._anchor = self._moved((last, len(self._lines(last))), -self.size.height) if last >= 0 else (0, 0)

    def _cursor_follows_view(self) -> None:
        visible = list(self._visible())
        in_sight = {at for at, _ in visible}
        if self._cursor in in_sight or not visible:
            return
        self._cursor = visible[0][0] if self._cursor < visible[0][0] else visible[-1][0]

    def _runs_off_bottom(self, at: int) -> bool:
        visible = list(self._visible())
        return bool(visible) and visible[-1][0] == at and visible[-1][1] < len(self._lines(at)) - 1

    def _open_folds_with_hits(self) -> None:
        for item in self._items:
            for number, section in enumerate(self._sections_of(item)):
                closed = section.kind != "text" and (item.id, number) not in self._opened
                if closed and find_spans(section.text, self._terms):
                    self._opened.add((item.id, number))
                    self._layouts.pop((item.id, self.size.width), None)

    def _show_hit(self) -> None:
        at, number = self._hits[self._hit]
        self._cursor = at
        if (at, number) not in set(self._visible()):
            self._anchor = self._moved((at, number), -(self.size.height // 3))
            self._clamp()

    def _strip(self, at: int, number: int, width: int, plain: Style) -> Strip:
        line = self._lines(at)[number]
        if line.role == "heading":
            return self._heading(at, line, width, plain)
        style = plain + self._style(line.tone) if line.tone else plain
        if line.role == "badges":
            told = [Piece(badge.text, self._told(badge, plain)) for badge in line.badges]
            parted = [piece for badge in told for piece in (Piece(GAP, plain), badge)][1:]
            return line_of([Piece(line.text, plain), *parted], width, plain)
        if self._terms and line.searchable:
            return line_of(self._highlighted(line.text, style), width, plain)
        return line_of([Piece(line.text, style)], width, plain)

    def _heading(self, at: int, line: Line, width: int, plain: Style) -> Strip:
        on_cursor = at == self._cursor
        style = plain + self._style("cursor" if on_cursor else line.tone or "heading")
        right = f"{GAP}{line.right}" if line.right else ""
        room = max(0, width - 1 - cell_len(right) - sum(cell_len(GAP + badge.text) for badge in line.badges))
        left = clip(line.text, room, self.glyphs.ellipsis)
        pieces = [Piece((self.glyphs.cursor if on_cursor else " ") + left, style)]
        for badge in line.badges:
            told = style + self._style("badge") if on_cursor else self._told(badge, style)
            pieces += [Piece(GAP, style), Piece(badge.text, told)]
        pieces.append(Piece(" " * (room - cell_len(left)), style))
        pieces.append(Piece(right, style if on_cursor else plain + self._style("muted")))
        return line_of(pieces, width, style)

    def _told(self, badge: Badge, plain: Style) -> Style:
        """What we say of a mail is underlined in every theme; nothing that a mail says is."""
        return plain + self._style(badge.tone or "muted") + self._style("badge")

    def _highlighted(self, text: str, style: Style) -> list[Piece]:
        found = style + self._style("found")
        pieces, at = [], 0
        for start, end in find_spans(text, self._terms):
            pieces += [Piece(text[at:start], style), Piece(text[start:end], found)]
            at = end
        return [*pieces, Piece(text[at:], style)]

    def _style(self, tone: str) -> Style:
        return self.get_component_rich_style(f"thread--{tone}", partial=True)
