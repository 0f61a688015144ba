"""Small questions over the screen: choose one of many, or yes and no."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.containers import Vertical
from textual.screen import ModalScreen

from supportdesk.l10n.catalog import _
from supportdesk.safetext import SafeText, safe
from supportdesk.tui.keymap import key_name, shown_keys
from supportdesk.tui.screens.leaving import LeavesOnce
from supportdesk.tui.widgets.bars import Hint, HintBar, StatusLine, StatusPart
from supportdesk.tui.widgets.picker import PickerEntry, PickerList
from supportdesk.tui.widgets.side import TextPages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.screen import Screen

    from supportdesk.tui.app import Console
    from supportdesk.tui.glyphs import Glyphs


class ChooseScreen(LeavesOnce[str | None], ModalScreen[str | None]):
    """A title and a picker; answers the id of the entry, or None."""

    AUTO_FOCUS = ""
    BINDINGS = []

    def __init__(
        self,
        title: str,
        entries: Sequence[PickerEntry],
        *,
        glyphs: Glyphs,
        preview: Callable[[PickerEntry], SafeText] | None = None,
        large: bool = False,
        current: str = "",
        takes: str = "",
    ) -> None:
        """`takes`: what enter does, where it does not take the entry."""
        super().__init__()
        self._takes = takes
        self._title = safe(title)
        self._entries = entries
        self._preview = preview
        self._glyphs = glyphs
        self._large = large
        self._current = current

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog -large" if self._large or self._preview is not None else "dialog"):
            yield StatusLine(id="question")
            yield PickerList(self._entries, preview=self._preview, glyphs=self._glyphs, current=self._current)
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one("#question", StatusLine).show([StatusPart(self._title, "strong")])
        self.query_one(HintBar).show(
            [
                Hint(_("type"), safe(_("to narrow")), 2),
                Hint(shown_keys("enter"), safe(self._takes or _("take")), 1),
                Hint(shown_keys("esc"), safe(_("back")), 1),
                Hint("f1", safe(_("help")), 3),
            ]
        )
        if not self._large and self._preview is None:
            self.query_one(Vertical).styles.height = min(len(self._entries) + 5, 18)

    def on_key(self, event: events.Key) -> None:
        if event.key == "f1":  # a question mark is text here
            event.stop()
            taken = (shown_keys("enter"), self._takes or _("take the entry"))
            show_keys(self, [(_("type"), _("to narrow")), *moves(), taken, (shown_keys("esc"), _("back"))])

    def on_picker_list_chosen(self, message: PickerList.Chosen) -> None:
        message.stop()
        self.dismiss(message.entry.id)

    def on_picker_list_cancelled(self, message: PickerList.Cancelled) -> None:
        message.stop()
        self.dismiss(None)


class DialogScreen(LeavesOnce[str], ModalScreen[str]):
    """A text and a few keys; answers the key that was pressed, "esc" for none of them."""

    AUTO_FOCUS = ""
    BINDINGS = []

    def __init__(self, title: str, text: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = safe(title)
        self._text = safe(text, multiline=True)
        self._keys = tuple(keys)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield StatusLine(id="question")
            yield TextPages(self._text)
            yield HintBar()

    def on_mount(self) -> None:
        self.query_one("#question", StatusLine).show([StatusPart(self._title, "strong")])
        hints = [Hint(shown_keys(key), safe(label), 1) for key, label in self._keys]
        self.query_one(HintBar).show([*hints, Hint("?", safe(_("help")), 3)])
        width = max(20, min(self.app.size.width - 4, 76) - 2)
        lines = sum(1 + len(line) // width for line in self._text.split("\n"))
        self.query_one(Vertical).styles.height = min(lines + 4, self.app.size.height - 2)
        self.set_focus(self.query_one(TextPages))

    def on_key(self, event: events.Key) -> None:
        if event.key == "ctrl+q":  # the way out is the console's
            return
        event.stop()
        event.prevent_default()
        pages = self.query_one(TextPages)
        named = {"escape": "esc"}.get(event.key, event.character if event.is_printable else event.key)
        if named in [key for key, _label in self._keys]:
            self.dismiss(str(named))
        elif event.key == "escape":
            self.dismiss("esc")
        elif key_name(event.key, event.character) in ("?", "f1"):
            show_keys(self, [*((shown_keys(key), label) for key, label in self._keys), *moves()])
        elif event.key in ("down", "pagedown"):
            pages.scroll_lines(1 if event.key == "down" else pages.size.height)
        elif event.key in ("up", "pageup"):
            pages.scroll_lines(-1 if event.key == "up" else -pages.size.height)


def moves() -> list[tuple[str, str]]:
    return [(shown_keys("down"), _("down")), (shown_keys("up"), _("up"))]


def show_keys(question: Screen[str] | Screen[str | None], keys: Sequence[tuple[str, str]]) -> None:
    """The help of a question: what can be pressed there, and the way out of everything."""
    from supportdesk.tui.help import keys_text

    console = cast("Console", question.app)
    console.show_text(_("Keys of this place"), keys_text([*keys, ("^q", _("quit"))]), hanging=True)
