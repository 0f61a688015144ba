"""The one-line widgets around the list: the views, the status, the key hints. Each paints one strip of safe text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.message import Message
from textual.widget import Widget

from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.widgets.cells import Piece, fit, line_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from supportdesk.safetext import SafeText


LEAST_TITLE = 16
"""Cells that a shortened title keeps."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A view: the key that opens it, its name and how many tickets are in it (None: not counted yet).

    `stays`: it is on the line at any width.
    """

    id: str
    key: str
    label: SafeText
    count: int | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and what it does here; lower `priority` stays longer when the line is short."""

    keys: str
    label: SafeText
    priority: int = 5


@dataclass(frozen=True, slots=True)
class StatusPart:
    """A piece of the status line; `tone`: muted, good, warning, error, strong."""

    text: SafeText
    tone: str = ""


class Bar(Widget):
    """A line of one screen row that repaints only when what it says has changed."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "bar--active",
        "bar--key",
        "bar--muted",
        "bar--good",
        "bar--warning",
        "bar--error",
        "bar--strong",
    }
    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; background: $panel; color: $foreground; }
    Bar > .bar--active { text-style: bold reverse; }
    Bar > .bar--key { text-style: bold; color: $primary; }
    Bar > .bar--muted { color: $secondary; }
    Bar > .bar--good { color: $success; }
    Bar > .bar--warning { color: $warning; }
    Bar > .bar--error { color: $error; text-style: bold; }
    Bar > .bar--strong { text-style: bold; }
    """

    def pieces(self, width: int) -> list[Piece]:
        """What stands on the line, in at most `width` cells."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return line_of(self.pieces(width), width, self.rich_style)

    def _piece(self, text: str, tone: str) -> Piece:
        plain = self.rich_style
        return Piece(text, plain + self.get_component_rich_style(f"bar--{tone}", partial=True) if tone else plain)


class ViewTabs(Bar):
    """`1 Needs reply 42   2 Mine 7   … 3-9 ?`: as many views as fit whole, the active one always, then the keys of
    the others, which the help of this place names."""

    MORE: ClassVar[str] = "more"
    """The id of the place that stands for the views without room."""

    class Chosen(Message):
        """A view was clicked."""

        def __init__(self, tab_id: str) -> None:
            super().__init__()
            self.tab_id = tab_id

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._glyphs = glyphs
        self._tabs: tuple[Tab, ...] = ()
        self._active = ""

    def show(self, tabs: Sequence[Tab], active: str) -> None:
        """Show these views, `active` by its id."""
        if (tuple(tabs), active) != (self._tabs, self._active):
            self._tabs, self._active = tuple(tabs), active
            self.refresh()

    def labels(self, width: int) -> list[tuple[str, str]]:
        """(id, text) of each place on the line at this width."""
        staying = [tab for tab in self._tabs if tab.stays]
        views = [tab for tab in self._tabs if not tab.stays]
        places: list[tuple[str, str]] = []
        for room in range(len(views), -1, -1):
            kept = [tab for at, tab in enumerate(views) if at < room or tab.id == self._active]
            left_out = [tab.key for tab in views if tab not in kept]
            places = [(tab.id, self._text(tab)) for tab in kept]
            if left_out:
                places.append((self.MORE, f"{self._glyphs.ellipsis} {key_ranges(left_out)} ?"))
            places += [(tab.id, self._text(tab)) for tab in staying]
            if sum(cell_len(text) + 2 for _, text in places) <= width:
                break
        return places

    def pieces(self, width: int) -> list[Piece]:
        pieces: list[Piece] = []
        for tab_id, text in self.labels(width):
            tone = "active" if tab_id == self._active else "muted" if tab_id == self.MORE else ""
            pieces += [self._piece(" ", ""), self._piece(text, tone), self._piece(" ", "")]
        return pieces

    def on_click(self, event: events.Click) -> None:
        at = 0
        for tab_id, text in self.labels(self.size.width):
            at += cell_len(text) + 2
            if event.x < at:
                self.post_message(self.Chosen(tab_id))
                return

    def _text(self, tab: Tab) -> str:
        return " ".join(part for part in (tab.key, tab.label, "" if tab.count is None else str(tab.count)) if part)


class StatusLine(Bar):
    """What is true now on the left, who and where on the right; the right gives way first, then the last parts.

    `keeps_right`: the left is shortened instead; of the right only what stands between its first and its last two
    parts gives way.
    """

    def __init__(
        self,
        *,
        separator: str = " · ",
        keeps_right: bool = False,
        id: str | None = None,  # noqa: A002 — Textual's own word
    ) -> None:
        super().__init__(id=id)
        self._separator = separator
        self._keeps_right = keeps_right
        self._left: tuple[StatusPart, ...] = ()
        self._right: tuple[StatusPart, ...] = ()

    def show(self, left: Sequence[StatusPart], right: Sequence[StatusPart] = ()) -> None:
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def pieces(self, width: int) -> list[Piece]:
        if self._keeps_right:
            return self._pieces_before_right(width)
        parts = list(self._left)
        left = self._joined(parts)
        right = self._joined(self._right)
        used = sum(cell_len(piece.text) for piece in left)
        while len(parts) > 1 and used > width - 2:
            parts.pop()
            left = self._joined(parts)
            used = sum(cell_len(piece.text) for piece in left)
        tail = sum(cell_len(piece.text) for piece in right)
        if used + 2 + tail > width - 2:
            right, tail = [], 0
        gap = max(0, width - 2 - used - tail)
        return [self._piece(" ", ""), *left, self._piece(" " * gap, ""), *right]

    def _pieces_before_right(self, width: int) -> list[Piece]:
        kept = list(self._right)
        right = self._joined(kept)
        while len(kept) > 3 and cells_of(right) > width - 4 - LEAST_TITLE:
            kept.pop(1)
            right = self._joined(kept)
        room = max(0, width - 4 - cells_of(right))
        text = self._separator.join(part.text for part in self._left)
        tone = self._left[0].tone if self._left else ""
        return [self._piece(" ", ""), self._piece(fit(text, room), tone), self._piece("  ", ""), *right]

    def _joined(self, parts: Sequence[StatusPart]) -> list[Piece]:
        pieces: list[Piece] = []
        for part in parts:
            if pieces:
                pieces.append(self._piece(self._separator, "muted"))
            pieces.append(self._piece(part.text, part.tone))
        return pieces


def cells_of(pieces: Sequence[Piece]) -> int:
    return sum(cell_len(piece.text) for piece in pieces)


class HintBar(Bar):
    """As many key hints as fit, chosen by priority, in their given order, never cut inside a word."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._hints: tuple[Hint, ...] = ()

    def show(self, hints: Sequence[Hint]) -> None:
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh()

    def pieces(self, width: int) -> list[Piece]:
        pieces: list[Piece] = [self._piece(" ", "")]
        for hint in hints_that_fit(self._hints, width - 2):
            if len(pieces) > 1:
                pieces.append(self._piece("  ", ""))
            pieces += [self._piece(hint.keys, "key"), self._piece(f" {hint.label}", "")]
        return pieces


def hints_that_fit(hints: Sequence[Hint], width: int) -> list[Hint]:
    """The hints with the best priorities that fit side by side in `width` cells, in their order."""
    kept: set[int] = set()
    room = width
    for at in sorted(range(len(hints)), key=lambda at: (hints[at].priority, at)):
        cells = cell_len(hints[at].keys) + 1 + cell_len(hints[at].label) + (2 if kept else 0)
        if cells <= room:
            kept.add(at)
            room -= cells
    return [hints[at] for at in sorted(kept)]


def key_ranges(keys: Sequence[str]) -> str:
    """Number keys that are left out: `4-6, 8-9`."""
    ranges: list[list[str]] = []
    for key in keys:
        if ranges and key.isdigit() and int(ranges[-1][-1]) + 1 == int(key):
            ranges[-1] = [ranges[-1][0], key]
        else:
            ranges.append([key])
    return ", ".join("-".join(bounds) for bounds in ranges)
