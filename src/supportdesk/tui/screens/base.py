"""What every screen of the console has: the status line, the prompt, the key hints, and how a key becomes an action.

A key is looked up in the compiled keymap under the screen's context. An action is a method `do_<action>` of the screen
or an entry of the desk's registry; what a screen cannot do either way is not bound here: no hint and no help shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.calls import LOOK, READ, WRITE
from supportdesk.tui.keymap import KeyMatcher, Match, Pending, key_name, shown_keys
from supportdesk.tui.screens.leaving import LeavesOnce
from supportdesk.tui.widgets.bars import Hint, HintBar, StatusLine, StatusPart
from supportdesk.tui.widgets.folded import FoldedText
from supportdesk.tui.widgets.key_strip import KeyStrip
from supportdesk.tui.widgets.prompt import PromptLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.screen import Screen
    from textual.timer import Timer

    from supportdesk.safetext import SafeText
    from supportdesk.tui.app import Console
    from supportdesk.tui.default_keys import Binding
    from supportdesk.tui.feed import Changed
    from supportdesk.tui.session import Session

__all__ = ["LOOK", "READ", "WRITE", "DeskScreen"]

HINT_STRIP_AFTER = 0.3
"""Seconds that a prefix key waits before its continuations are shown."""

SMALLEST = (60, 20)
MOVES = frozenset({"down", "up", "half_page_down", "half_page_up"})

Result = TypeVar("Result")
Answer = TypeVar("Answer")
Answered = TypeVar("Answered")


class DeskScreen(LeavesOnce[Answer]):
    """A screen between a status line and key hints."""

    CONTEXT: ClassVar[str] = "list"
    WRITES: ClassVar[frozenset[str]] = frozenset()
    """Actions that lead to writing: what is typed right after them is text, which nothing may take away."""

    AUTO_FOCUS = ""
    BINDINGS = []
    _seat: Console | None = None

    def __init__(self) -> None:
        super().__init__()
        self._matcher: KeyMatcher | None = None
        self._strip_timer: Timer | None = None
        self._asks: dict[str, Callable[[str], None]] = {}
        self._asked_live: Callable[[str], None] | None = None
        self._cancelled: Callable[[], None] | None = None
        self._went_back: Callable[[str], None] | None = None

    @property
    def console(self) -> Console:
        if self._seat is None:
            self._seat = cast("Console", self.app)
        return self._seat  # also asked for by a thread whose screen was left meanwhile: that has no app any more

    @property
    def session(self) -> Session:
        """Who sits at which desk; there once the first list is."""
        session = self.console.session
        assert session is not None
        return session

    @property
    def is_ready(self) -> bool:
        """Whether there are widgets to show something in: not before the mount, nor while all is taken down."""
        return self.is_mounted and self.is_attached and not self._pruning and len(self.children) > 0

    @property
    def context(self) -> str:
        """The place of the keymap that is in force now."""
        return self.CONTEXT

    @property
    def prompt(self) -> PromptLine:
        return self.query_one(PromptLine)

    # ---- what a screen brings

    def compose(self) -> ComposeResult:
        yield StatusLine(separator=f" {self.console.glyphs.separator} ", id="status")
        yield StatusLine(id="trouble")
        yield from self.compose_body()
        yield PromptLine()
        yield HintBar()
        yield KeyStrip()
        yield SmallSentence()

    def compose_body(self) -> ComposeResult:
        """The widgets between the status line and the hints."""
        raise NotImplementedError

    def on_session(self) -> None:
        """The desk is open: read what this screen shows."""

    def on_news(self, changed: Changed) -> None:
        """Somebody committed; `changed` says what."""

    def on_minute(self) -> None:
        """A minute has passed: what shows ages may look at them again."""

    def save_now(self) -> None:
        """The process is about to end: write what is unsaved."""

    @property
    def is_unsaved(self) -> bool:
        """Whether something was written here that is not stored yet."""
        return False

    # ---- actions

    def can(self, action: str) -> bool:
        """Whether this screen can do the action: then its key works, and help and hints show it."""
        return hasattr(self, f"do_{action}")

    def act(self, action: str) -> None:
        """Do a bound action."""
        if self.can(action):
            getattr(self, f"do_{action}")()

    def bound(self) -> list[Binding]:
        """The bindings of this place that do something here."""
        return [binding for binding in self.console.keymap.bindings(self.context) if self.can(binding.action)]

    def view_names(self) -> tuple[str, ...]:
        """What the number keys show here."""
        return ()

    def do_help(self) -> None:
        self.console.show_help(cast("DeskScreen[object]", self))

    def do_palette(self) -> None:
        self.console.show_palette(cast("DeskScreen[object]", self))

    def do_quit(self) -> None:
        self.console.leave()

    # ---- store calls

    def call(
        self,
        lane: str,
        work: Callable[[], Result],
        done: Callable[[Result], None],
        *,
        failed: Callable[[Exception], None] | None = None,
        replaces: str = "",
        awaited: bool | None = None,
        is_rows: bool = False,
    ) -> None:
        """Do `work` in a lane's thread; its result is dropped when this screen has gone in the meantime.

        `awaited`: whether the keys wait for it; else for what a key has begun, but for what may come later (`LOOK`).
        `is_rows`: it brings what the keys of this place are for, and the place can be left meanwhile.
        """

        def deliver(result: Result) -> None:
            if self.is_ready:
                done(result)

        def fail(error: Exception) -> None:
            if self.is_ready and failed is not None:
                failed(error)
            else:
                self.console.tell_error(error)

        key = f"{id(self)}:{replaces}" if replaces else ""
        if awaited if awaited is not None else self.console.typed_ahead.follows and lane != LOOK:
            self.console.run_awaited(lane, work, deliver, fail, replaces=key, is_rows=is_rows)
        else:
            self.console.calls.run(lane, work, deliver, fail, replaces=key)

    def tell(self, text: str, *, severity: str = "information") -> None:
        """A toast for what the agent did."""
        self.console.tell(text, severity=severity)

    def tell_error(self, error: Exception) -> None:
        """Say what went wrong; what nobody foresaw ends the console with its story in the log."""
        self.console.tell_error(error)

    # ---- asking for a line

    def ask_line(
        self,
        purpose: str,
        label: str,
        then: Callable[[str], None],
        *,
        value: str = "",
        live: Callable[[str], None] | None = None,
        cancelled: Callable[[], None] | None = None,
        went_back: Callable[[str], None] | None = None,
        error: str = "",
        step: Callable[[str, int], SafeText] | None = None,
        history: Sequence[str] = (),
        **helpers: Callable[[str], object],
    ) -> None:
        """Ask for one line at the bottom of the screen; `then` gets it, `live` every state of it.

        `went_back` gets what stood there when the agent wanted the question before this one.
        """
        self._asks = {purpose: then}
        self.console.clear_notifications()
        self._asked_live, self._cancelled, self._went_back = live, cancelled, went_back
        self.prompt.ask(
            purpose,
            safe(label),
            value,
            error=safe(error),
            step=step,
            history=history,
            **helpers,  # type: ignore[arg-type]
        )
        self.show_hints()

    def put_question(self, question: Screen[Answered], answered: Callable[[Answered | None], None]) -> None:
        """Ask in a dialog."""
        self.console.show_at_once(question, answered)

    def on_prompt_line_changed(self, message: PromptLine.Changed) -> None:
        message.stop()
        if self._asked_live is not None and not isinstance(message, PromptLine.Submitted):
            with self.console.typed_ahead.following(is_live=True):
                self._asked_live(message.value)

    def on_prompt_line_submitted(self, message: PromptLine.Submitted) -> None:
        message.stop()
        self.show_hints()
        self.console.typed_ahead.claim()
        then = self._asks.pop(message.purpose, None)
        if then is not None:
            try:
                with self.console.typed_ahead.following():
                    then(message.value)
            except SupportdeskError as error:
                self.tell_error(error)

    def on_prompt_line_back(self, message: PromptLine.Back) -> None:
        message.stop()
        self.show_hints()
        self._asks.pop(message.purpose, None)
        with self.console.typed_ahead.following():
            if self._went_back is not None:
                self._went_back(message.value)
            elif self._cancelled is not None:
                self._cancelled()

    def on_prompt_line_cancelled(self, message: PromptLine.Cancelled) -> None:
        message.stop()
        self.show_hints()
        self._asks.pop(message.purpose, None)
        if self._cancelled is not None:
            with self.console.typed_ahead.following():
                self._cancelled()

    # ---- keys

    def only_moves(self, key: str) -> bool:
        """Whether a key, named as by `key_name`, does nothing but move what is shown: then nothing waits for it."""
        begun = self._matcher is not None and self._matcher.pending
        return not begun and not self.prompt.purpose and self.console.keymap.action(self.context, (key,)) in MOVES

    def on_key(self, event: events.Key) -> None:
        if self.prompt.purpose and event.key != "ctrl+q":
            if not self.prompt.has_the_focus:  # something took it away: the line would be open, and deaf
                event.stop()
                self.prompt.take_focus()
                self.console.typed_ahead.again(event)
            return
        if self._matcher is None or event.key == "ctrl+q":  # the way out does not wait for a prefix key
            self._matcher = KeyMatcher(self.console.keymap)
        self.console.key_pressed()
        found = self._matcher.feed(self.context, key_name(event.key, event.character))
        self._hide_strip()
        match found:
            case Match():
                if self.can(found.action):
                    event.stop()
                    event.prevent_default()
                    with self.console.typed_ahead.following(is_text=found.action in self.WRITES):
                        self.act(found.action)
            case Pending(_, choices):
                event.stop()
                event.prevent_default()
                self._strip_timer = self.set_timer(HINT_STRIP_AFTER, lambda: self._show_strip(choices))
            case _ if found.consumed:
                event.stop()
                event.prevent_default()

    def show_hints(self) -> None:
        """The hints of this place, for those keys that do something here; of the prompt while that is open."""
        if self.prompt.purpose:
            before = [Hint(shown_keys("shift+tab"), safe(_("the question before")))] if self._went_back else []
            self.query_one(HintBar).show((*self.prompt.hints(), *before))
            return
        shown: dict[str, Hint] = {}
        for binding in self.bound():
            if binding.priority and binding.action not in shown:
                shown[binding.action] = Hint(shown_keys(binding.keys), safe(_(binding.label)), binding.priority)
        self.query_one(HintBar).show(tuple(shown.values()))

    def show_status(self) -> None:
        """What the console knows about the desk, on the top line."""
        left, right = self.console.status_parts()
        self.query_one("#status", StatusLine).show(left, right)
        said, banner = safe(self.console.trouble()), self.query_one("#trouble", StatusLine)
        banner.show([StatusPart(said, "error")] if said else [])
        banner.display = bool(said)

    def on_mount(self) -> None:
        self.show_status()
        self.show_hints()

    def on_screen_resume(self) -> None:
        if self.is_ready:
            self.show_status()

    def on_resize(self, event: events.Resize) -> None:
        columns, lines = event.size
        self.set_class(columns < 100, "-narrow")
        self.set_class(columns >= 140, "-wide")
        self.set_class(lines < 32, "-short")
        self.set_class(columns < SMALLEST[0] or lines < SMALLEST[1], "-tiny")

    def _show_strip(self, choices: tuple[tuple[str, str], ...]) -> None:
        self.query_one(KeyStrip).show([Hint(key, safe(label)) for key, label in choices])

    def _hide_strip(self) -> None:
        if self._strip_timer is not None:
            self._strip_timer.stop()
            self._strip_timer = None
            self.query_one(KeyStrip).show(())


class SmallSentence(FoldedText):
    """What a window says that is too small for anything else."""

    def on_mount(self) -> None:
        columns, lines = SMALLEST
        text = _("This window is too small: {columns} × {lines} is the least.").format(columns=columns, lines=lines)
        self.show(safe(text))
