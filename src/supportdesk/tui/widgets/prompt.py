"""One line of input at the bottom of the screen: the live filter, the `:` line, a snooze time, a tag.

The caller gives the completions and the live hint (what will happen if enter is pressed); the line shows both. A value
or a hint that is longer than its room stands whole above the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from supportdesk.l10n.catalog import _
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.keymap import shown_keys
from supportdesk.tui.widgets.bars import Bar, Hint
from supportdesk.tui.widgets.cells import Piece, fit, line_of
from supportdesk.tui.widgets.folded import FoldedText
from supportdesk.tui.widgets.guard import as_written
from supportdesk.tui.widgets.removed import DeafWhenRemoved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.strip import Strip

COMPLETIONS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Completion:
    """What `tab` puts in the place of the text before the cursor, and what it means; `shown` where that is shorter."""

    value: SafeText
    help: SafeText = EMPTY
    shown: SafeText = EMPTY


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the character at `position`."""

    position: int
    text: SafeText


class SafeInput(Input):
    """Textual's input without blinking, and without trust in the controls of what is pasted."""

    DEFAULT_CSS = """
    SafeInput, SafeInput:focus { border: none; height: 1; padding: 0; width: 1fr; background: transparent; }
    """

    def __init__(self, value: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(value, select_on_focus=False, compact=True, id=id)
        self.cursor_blink = False

    def on_paste(self, event: events.Paste) -> None:
        event.text = as_written(event.text)  # Textual calls the base class's handler after this one


class PromptLine(DeafWhenRemoved):
    """`prompt value` with completions above and a hint to the right. Shown with `ask`, hidden with `close`."""

    DEFAULT_CSS = """
    PromptLine { height: auto; dock: bottom; display: none; background: $panel; }
    PromptLine > Horizontal { height: 1; }
    PromptLine CompletionLines { height: auto; }
    PromptLine.-long .prompt--hint { width: auto; max-width: 40%; }
    PromptLine CaretLine { display: none; }
    PromptLine.-wrong CaretLine { display: block; }
    PromptLine .prompt--label { width: auto; }
    PromptLine .prompt--hint { width: 2fr; }
    """

    class Valued(Message):
        """What both kinds of news about the value carry."""

        def __init__(self, purpose: str, value: str) -> None:
            super().__init__()
            self.purpose = purpose
            self.value = value

    class Changed(Valued):
        """The value is another one (while typing)."""

    class Submitted(Valued):
        """Enter was pressed; the line is closed."""

    class Back(Valued):
        """Shift+tab was pressed, or up where nothing is completed: the question before; the line is closed."""

    class Cancelled(Message):
        """Escape was pressed; the line is closed."""

        def __init__(self, purpose: str) -> None:
            super().__init__()
            self.purpose = purpose

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 — Textual's own word
        super().__init__(id=id)
        self._purpose = ""
        self._complete: Callable[[str], Sequence[Completion]] | None = None
        self._hint: Callable[[str], SafeText] | None = None
        self._refusal: Callable[[str], SafeText] | None = None
        self._problem: Callable[[str, bool], Problem | None] | None = None
        self._step: Callable[[str, int], SafeText] | None = None
        self._history: Sequence[str] = ()
        self._recalled = 0  # how far back in the history the value is from; 0: typed now
        self._return_to: Widget | None = None

    def compose(self) -> ComposeResult:
        yield FoldedText(tone="muted")
        yield CompletionLines()
        with Horizontal():
            yield TextLine(classes="prompt--label")
            yield SafeInput()
            yield TextLine(classes="prompt--hint")
        yield CaretLine()

    @property
    def purpose(self) -> str:
        """What the open line asks for; empty when it is closed."""
        return self._purpose

    @property
    def value(self) -> str:
        return self.query_one(SafeInput).value

    def hints(self) -> list[Hint]:
        """What can be pressed while the line is open, besides what is typed."""
        shown = [(shown_keys("enter"), _("next") if self._step is not None else _("go on"))]
        if self._step is not None:
            shown.append((shown_keys("up"), _("the one before")))
        if self._complete is not None:
            shown.append((shown_keys("tab"), _("complete")))
        if self._history:
            shown.append((shown_keys("up"), _("what was typed before")))
        return [Hint(keys, safe(label)) for keys, label in (*shown, (shown_keys("esc"), _("back")))]

    def ask(
        self,
        purpose: str,
        label: SafeText,
        value: str = "",
        *,
        complete: Callable[[str], Sequence[Completion]] | None = None,
        hint: Callable[[str], SafeText] | None = None,
        refusal: Callable[[str], SafeText] | None = None,
        problem: Callable[[str, bool], Problem | None] | None = None,
        error: SafeText = EMPTY,
        step: Callable[[str, int], SafeText] | None = None,
        history: Sequence[str] = (),
    ) -> None:
        """Open the line; `purpose` comes back in every message. The callables are pure and quick.

        `complete` gets what stands before the cursor. `problem(value, entered)` points at a character that is wrong,
        on a line below; with `entered` also at what is only unfinished, and the line is kept.
        `refusal` says why a value cannot be taken: enter then shows that and keeps the line. `error` is shown until
        the value is another one. With `step(value, by)` enter and the arrows go on (1) and back (-1) while the line
        stays; what it returns is shown. `history`: earlier values, the newest last, which the arrows bring back.
        """
        self._step, self._history, self._recalled = step, history, 0
        self._purpose, self._complete, self._hint, self._refusal = purpose, complete, hint, refusal
        self._problem = problem
        # Where nothing is said beside the line, all of it is the value's.
        self.set_class(problem is not None or not (hint or refusal or step or error), "-long")
        self._return_to = self.screen.focused
        self.query_one(".prompt--label", TextLine).show(SafeText(f" {label} "))
        line = self.query_one(SafeInput)
        with line.prevent(Input.Changed):
            line.value = as_written(value)
        line.cursor_position = len(line.value)
        self.display = True
        self.screen.set_focus(line)  # now: the next key may be on its way already
        self.query_one(FoldedText).show(EMPTY)
        self._show_help(line.value)
        if error:
            self._show_error(error)

    @property
    def has_the_focus(self) -> bool:
        focused = self.screen.focused
        return focused is not None and self in focused.ancestors

    def take_focus(self) -> None:
        self.screen.set_focus(self.query_one(SafeInput))

    def close(self) -> None:
        """Hide the line and give the focus back."""
        self._purpose = ""
        self.display = False
        if self._return_to is not None and self._return_to.is_attached:
            self.screen.set_focus(self._return_to)  # now: a later one would take it from the next question
        self._return_to = None

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._purpose:
            if self._recalled and event.value != self._history[-self._recalled]:
                self._recalled = 0
            self._show_help(event.value)
            self.post_message(self.Changed(self._purpose, event.value))

    def say(self, text: SafeText, tone: str = "muted") -> None:
        """Show a word to the right of the value, until that is another one."""
        self.query_one(".prompt--hint", TextLine).show(text, tone)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._step is not None:
            self.say(self._step(event.value, 1))
            return
        if self._refusal is not None and (why := self._refusal(event.value)):
            self._show_error(why)
            return
        if self._problem is not None and (wrong := self._problem(event.value, True)) is not None:
            self._show_problem(wrong)
            return
        purpose = self._purpose
        self.close()
        self.post_message(self.Submitted(purpose, event.value))

    def on_key(self, event: events.Key) -> None:
        lines = self.query_one(CompletionLines)
        match event.key:
            case "escape":
                purpose = self._purpose
                self.close()
                self.post_message(self.Cancelled(purpose))
            case "up" | "down" if self._step is not None:
                self.say(self._step(self.value, 1 if event.key == "down" else -1))
            case "up" if self._history and (self._recalled or not self.value):
                self._recall(self._recalled + 1)
            case "down" if self._recalled:
                self._recall(self._recalled - 1)
            case "shift+tab" | "up" if event.key != "up" or lines.chosen is None:
                purpose, value = self._purpose, self.value
                self.close()
                self.post_message(self.Back(purpose, value))
            case "down" | "ctrl+n":
                lines.move(1)
            case "up" | "ctrl+p":
                lines.move(-1)
            case "tab":
                if (chosen := lines.chosen) is not None:
                    line = self.query_one(SafeInput)
                    line.value = chosen.value + line.value[line.cursor_position :]
                    line.cursor_position = len(chosen.value)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _recall(self, back: int) -> None:
        """Put the value of so many entries ago on the line."""
        self._recalled = min(back, len(self._history))
        line = self.query_one(SafeInput)
        line.value = self._history[-self._recalled] if self._recalled else ""
        line.cursor_position = len(line.value)

    def _show_help(self, value: str) -> None:
        self.call_after_refresh(self._show_whole)
        before = value[: self.query_one(SafeInput).cursor_position]
        self.query_one(CompletionLines).show(self._complete(before) if self._complete else ())
        self._show_problem(self._problem(value, False) if self._problem else None)
        self.query_one(".prompt--hint", TextLine).show(self._hint(value) if self._hint else EMPTY, "muted")

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_whole)

    def _show_whole(self) -> None:
        """Above the line: the value and the hint, where the line has no room for all of them."""
        if not self._purpose or not self.is_attached:
            return
        line, hint = self.query_one(SafeInput), self.query_one(".prompt--hint", TextLine)
        cut = []
        if cell_len(line.value) >= line.content_size.width:
            cut.append(safe(line.value, limit=len(line.value)))
        if cell_len(hint.text) > hint.size.width:
            cut.append(hint.text)
        self.query_one(FoldedText).show(SafeText("\n".join(cut)))

    def _show_error(self, why: SafeText) -> None:
        self.query_one(".prompt--hint", TextLine).show(why, "error")
        self.call_after_refresh(self._show_whole)

    def _show_problem(self, problem: Problem | None) -> None:
        self.set_class(problem is not None, "-wrong")
        if problem is not None:
            line = self.query_one(SafeInput)
            label = self.query_one(".prompt--label", TextLine).get_content_width(None, None)
            at = label + cell_len(line.value[: problem.position]) - int(line.scroll_offset.x)
            self.query_one(CaretLine).show(at, problem.text)


class CaretLine(Bar):
    """`^ what is wrong` under a character of the line above; the words on a second line where there is no room."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0
        self._text = EMPTY

    def show(self, at: int, text: SafeText) -> None:
        if (at, text) != (self._at, self._text):
            self._at, self._text = at, text
            self.styles.height = 1 if self._fits(self.screen.size.width) else 2
            self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        caret = " " * max(0, min(self._at, width - 1)) + "^"
        if self._fits(width):
            text = f"{caret} {self._text}"
        else:
            text = caret if y == 0 else f" {fit(self._text, width - 2)}"
        return line_of([self._piece(text, "error")], width, self.rich_style)

    def _fits(self, width: int) -> bool:
        return self._at + 2 + cell_len(self._text) <= width


class TextLine(Bar):
    """One line of safe text, as wide as it is."""

    def __init__(self, text: SafeText | None = None, *, classes: str = "") -> None:
        super().__init__(classes=classes)
        self._text = text or EMPTY
        self._tone = "strong"

    @property
    def text(self) -> SafeText:
        return self._text

    def show(self, text: SafeText, tone: str = "strong") -> None:
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self.refresh(layout=True)

    def get_content_width(self, container: object, viewport: object) -> int:
        return cell_len(self._text)

    def pieces(self, width: int) -> list[Piece]:
        return [self._piece(fit(self._text, width), self._tone)]


class CompletionLines(Widget):
    """The completions, best at the top, one of them chosen."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"completion--chosen", "completion--help"}
    DEFAULT_CSS = """
    CompletionLines { width: 1fr; background: $surface; }
    CompletionLines > .completion--chosen { text-style: bold reverse; }
    CompletionLines > .completion--help { color: $secondary; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._completions: tuple[Completion, ...] = ()
        self._chosen = 0

    @property
    def chosen(self) -> Completion | None:
        return self._completions[self._chosen] if self._completions else None

    def show(self, completions: Sequence[Completion]) -> None:
        shown = tuple(completions[:COMPLETIONS_SHOWN])
        if shown != self._completions:
            taller = len(shown) != len(self._completions)
            self._completions, self._chosen = shown, 0
            self.refresh(layout=taller)

    def move(self, step: int) -> None:
        if self._completions:
            self._chosen = (self._chosen + step) % len(self._completions)
            self.refresh()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(self._completions)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        plain = self.rich_style
        if y >= len(self._completions):
            return line_of([], width, plain)
        completion = self._completions[y]
        style = plain
        if y == self._chosen:
            style += self.get_component_rich_style("completion--chosen", partial=True)
        muted = style + self.get_component_rich_style("completion--help", partial=True)
        value = Piece(f" {fit(completion.shown or completion.value, 24)} ", style)
        return line_of([value, Piece(fit(completion.help, max(width - 26, 0)), muted)], width, style)
