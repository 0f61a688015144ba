"""Choose one of many: canned responses, agents, tags, links, commands. Type to narrow, enter to take.

The entries are given whole (some hundreds) and filtered here; at most `SHOWN` of them are ever listed, best first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from supportdesk.l10n.catalog import _
from supportdesk.safetext import EMPTY, SafeText
from supportdesk.textfold import fold
from supportdesk.tui.glyphs import UNICODE, Glyphs
from supportdesk.tui.widgets.cells import Piece, fit, line_of, wrap
from supportdesk.tui.widgets.prompt import SafeInput
from supportdesk.tui.widgets.removed import DeafWhenRemoved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

SHOWN = 200
PREVIEW_AFTER = 0.12
"""Seconds without a key after which the preview follows: a typed word costs its lines alone, on a slow line too."""
LINE_SCORE = 30
SCATTERED_SCORE = 1000


@dataclass(frozen=True, slots=True)
class PickerEntry:
    """An entry: `id` comes back when it is chosen; `search` is found as well as `label` and `detail`.

    What is found in the label stands before what is found in the detail, then come the lines of `search` one by one.
    Who types `word` exactly means this entry: it stands first.
    """

    id: str
    label: SafeText
    detail: SafeText = EMPTY
    search: str = ""
    word: str = ""


class PickerList(DeafWhenRemoved):
    """An input, the entries that match it, and a preview of the one under the cursor."""

    DEFAULT_CSS = """
    PickerList { height: 1fr; width: 1fr; layout: vertical; background: $surface; }
    PickerList > SafeInput { dock: top; }
    PickerList > Horizontal { height: 1fr; }
    PickerList EntryLines { width: 1fr; }
    PickerList PreviewPane { width: 1fr; padding: 0 1; }
    PickerList.-narrow PreviewPane { display: none; }
    """

    class Chosen(Message):
        """Enter was pressed on an entry."""

        def __init__(self, entry: PickerEntry) -> None:
            super().__init__()
            self.entry = entry

    class Cancelled(Message):
        """Escape was pressed."""

    def __init__(
        self,
        entries: Sequence[PickerEntry] = (),
        *,
        preview: Callable[[PickerEntry], SafeText] | None = None,
        glyphs: Glyphs = UNICODE,
        current: str = "",
        id: str | None = None,  # noqa: A002 — Textual's own word
    ) -> None:
        """`current`: the id of the entry that the cursor begins on."""
        super().__init__(id=id)
        self._entries = tuple(entries)
        self._begin_on = current
        self._haystacks = [lines_to_search(entry) for entry in self._entries]
        self._preview = preview
        self._preview_timer: Timer | None = None
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        yield SafeInput()
        with Horizontal():
            yield EntryLines(self._glyphs)
            if self._preview is not None:
                yield PreviewPane()

    def on_mount(self) -> None:
        self.screen.set_focus(self.query_one(SafeInput))  # now: the next key may be on its way already
        self._filter("")
        at = next((at for at, entry in enumerate(self._entries) if entry.id == self._begin_on), 0)
        if at:
            self.query_one(EntryLines).move(at)
            self._preview_soon()
        self.refresh_preview()

    def on_resize(self, event: events.Resize) -> None:
        self.set_class(event.size.width < 60, "-narrow")

    @property
    def highlighted(self) -> PickerEntry | None:
        return self.query_one(EntryLines).current

    def refresh_preview(self) -> None:
        """The preview of the entry under the cursor is another one now."""
        if self._preview is not None:
            entry = self.highlighted
            self.query_one(PreviewPane).show(self._preview(entry) if entry is not None else EMPTY)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if (entry := self.highlighted) is not None:
            self.post_message(self.Chosen(entry))

    def on_key(self, event: events.Key) -> None:
        lines = self.query_one(EntryLines)
        page = max(1, lines.size.height - 1)
        steps = {"down": 1, "ctrl+n": 1, "up": -1, "ctrl+p": -1, "pagedown": page, "pageup": -page}
        if event.key == "escape":
            self.post_message(self.Cancelled())
        elif event.key in steps:
            lines.move(steps[event.key])
            self._preview_soon()
        else:
            return
        event.stop()
        event.prevent_default()

    def _filter(self, query: str) -> None:
        wanted = fold(query).split()
        scored = [
            (score, at)
            for at, haystack in enumerate(self._haystacks)
            if (score := match_score(wanted, haystack)) is not None
        ]
        named = [(-1, at) for at, entry in enumerate(self._entries) if entry.word and [fold(entry.word)] == wanted]
        scored = sorted(named + [one for one in scored if (-1, one[1]) not in named])
        self.query_one(EntryLines).show([self._entries[at] for _, at in scored[:SHOWN]])
        self._preview_soon()

    def _preview_soon(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(PREVIEW_AFTER, self.refresh_preview)


def match_score(wanted: Sequence[str], haystack: str) -> int | None:
    """How well folded words match folded lines, lower is better; None if one is not in them, not even scattered.

    An earlier line is better than a later one; in a line, its start is better than a word's, that better than the rest.
    """
    total = 0
    for word in wanted:
        if (at := haystack.find(word)) >= 0:
            total += LINE_SCORE * haystack.count("\n", 0, at)
            total += 0 if at == 0 else 10 if haystack[at - 1] in " \n" else 20
        elif (spread := _spread(word, haystack)) is not None:
            total += SCATTERED_SCORE + spread
        else:
            return None
    return total


def lines_to_search(entry: PickerEntry) -> str:
    """The folded lines in which an entry is looked for, the weightiest first."""
    return "\n".join(fold(line) for line in (entry.label, entry.detail, *entry.search.split("\n")))


def _spread(word: str, haystack: str) -> int | None:
    """Letters that lie between those of `word` when they are found in order within the label."""
    label = haystack.partition("\n")[0]
    at, first = -1, -1
    for letter in word:
        at = label.find(letter, at + 1)
        if at < 0:
            return None
        first = at if first < 0 else first
    return at - first


class EntryLines(Widget):
    """The entries that match, one a line."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"entry--current", "entry--detail"}
    DEFAULT_CSS = """
    EntryLines { height: 1fr; background: $surface; color: $foreground; }
    EntryLines > .entry--current {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    EntryLines > .entry--detail { color: $secondary; }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._glyphs = glyphs
        self._entries: tuple[PickerEntry, ...] = ()
        self._current = 0
        self._first = 0

    @property
    def current(self) -> PickerEntry | None:
        return self._entries[self._current] if self._entries else None

    @property
    def entries(self) -> tuple[PickerEntry, ...]:
        return self._entries

    def show(self, entries: Sequence[PickerEntry]) -> None:
        if tuple(entries) != self._entries:
            self._entries, self._current, self._first = tuple(entries), 0, 0
            self.refresh()

    def move(self, step: int) -> None:
        self._current = max(0, min(self._current + step, len(self._entries) - 1))
        height = max(1, self.size.height)
        self._first = max(min(self._first, self._current), self._current - height + 1)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        at = self._first + y
        if not self._entries and y == 0:
            muted = plain + self.get_component_rich_style("entry--detail", partial=True)
            return line_of([Piece(" " + _("Nothing found."), muted)], width, plain)
        if at >= len(self._entries):
            return Strip.blank(width, plain)
        entry = self._entries[at]
        details = max((cell_len(entry.detail) for entry in self._entries), default=0)
        label_cells = max(min(20, width), width // 2, min(width, width - details - 3))
        shown = fit(entry.detail, max(width - label_cells - 2, 0))
        if at == self._current:
            style = plain + self.get_component_rich_style("entry--current", partial=True)
            text = f"{self._glyphs.cursor}{fit(entry.label, label_cells - 1)}  {shown}"
            return line_of([Piece(text, style)], width, style)
        detail = plain + self.get_component_rich_style("entry--detail", partial=True)
        return line_of([Piece(f" {fit(entry.label, label_cells - 1)}  ", plain), Piece(shown, detail)], width, plain)


class PreviewPane(Widget):
    """The text of the entry under the cursor, wrapped."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "PreviewPane { height: 1fr; background: $panel; color: $foreground; }"

    def __init__(self) -> None:
        super().__init__()
        self._text = EMPTY
        self._lines: tuple[int, list[str]] = (-1, [])

    def show(self, text: SafeText) -> None:
        if text != self._text:
            self._text = text
            self._lines = (-1, [])
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        if self._lines[0] != width:
            self._lines = (width, wrap(self._text, width))
        lines = self._lines[1]
        return line_of([Piece(lines[y], plain)] if y < len(lines) else [], width, plain)
