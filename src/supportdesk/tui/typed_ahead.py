"""Keys one after the other: each is looked at when what the one before it has begun is there, as by a patient agent.

A key goes to the widget that has the focus, and what it does may come late: a screen, the rows of a list, a ticket that
leaves the list. Without this the next key would be taken for something else, or act on the wrong row. So a key is
followed through the widgets that hear it, what their screen then reads or writes is waited for (`awaiting`), and only
then comes the next. `esc` and errors empty what waits, unless it is text for a draft: a word is never lost.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from textual.events import Key
from textual.widgets import Input

from supportdesk.l10n.catalog import _
from supportdesk.tui.keymap import key_name, shown_keys
from supportdesk.tui.widgets.composer import CANNED_TRIGGER, Composer
from supportdesk.tui.widgets.guard import as_written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual.dom import DOMNode
    from textual.events import Paste
    from textual.timer import Timer

    from supportdesk.tui.app import Console

LAPS = 2
"""Times through the queue of each widget: what one says because of what it was told stands behind that."""

TEXT = (Composer, Input)

GIVEN_UP_AFTER = 20.0
"""Seconds after which what hangs is waited for no longer, unless text waits for it."""

SHOWN_AT_MOST = 60
"""Characters that are shown of what was dropped."""


class Awaited:
    """Something that keys wait for, until `over` is called."""

    __slots__ = ("_ahead", "is_lost", "is_rows", "is_text")

    def __init__(self, ahead: TypedAhead, *, is_rows: bool, is_text: bool) -> None:
        self._ahead = ahead
        self.is_rows = is_rows  # the place is there and can be left
        self.is_text = is_text  # what is typed meanwhile is text
        self.is_lost = False  # and that has no place any more

    def fails(self) -> None:
        """It does not come: what was typed for it has no place."""
        self.is_text, self.is_lost = False, self.is_text

    def over(self) -> None:
        self._ahead.came(self)


class TypedAhead:
    """The keys that wait, of one console."""

    def __init__(self, console: Console, forward: Callable[[Key | Paste], Awaitable[None]]) -> None:
        self._console = console
        self._forward = forward
        self._waiting: deque[Key | Paste] = deque()
        self._followed = False  # a key is on its way through the widgets
        self._awaited: set[Awaited] = set()
        self._begun_live: set[Awaited] = set()  # while a line is typed: waited for once it is entered
        self._follows = self._is_live = self._is_text = False
        self._moved_at = 0.0
        self._patience: Timer | None = None

    async def hear(self, event: Key | Paste) -> None:
        """Pass the event on, now or when it is its turn."""
        if isinstance(event, Key) and event.key == "escape" and self._awaited and not self._followed:
            if not (self._awaits_text or self._is_in_text):
                self._waiting.clear()
            if all(one.is_rows for one in self._awaited):
                await self._pass_on(event)
                return
        if self._waiting or self._is_busy:
            self._waiting.append(event)
            if self._patience is None:
                self._patience = self._console.set_timer(GIVEN_UP_AFTER, self._look_at_patience)
            self._go_on()
        else:
            await self._pass_on(event)

    def again(self, event: Key) -> None:
        """A key that went elsewhere goes where the focus is now, before those that wait."""
        # Made by the console, as each key is: one of a screen's would bubble no further than to that screen.
        self._console.call_later(lambda: self._forward(Key(event.key, event.character)))

    @contextmanager
    def following(self, *, is_live: bool = False, is_text: bool = False) -> Iterator[None]:
        """What is begun in here is begun by a key: the next one waits for it, with `is_live` not before `claim`."""
        before = self._follows, self._is_live, self._is_text
        self._follows, self._is_live, self._is_text = True, is_live, is_text
        try:
            yield
        finally:
            self._follows, self._is_live, self._is_text = before

    @property
    def follows(self) -> bool:
        return self._follows

    def awaiting(self, *, is_rows: bool = False) -> Awaited:
        """Something begins that keys wait for: whoever begins it says when it is over, however it ends."""
        awaited = Awaited(self, is_rows=is_rows, is_text=self._is_text)
        (self._begun_live if self._is_live else self._awaited).add(awaited)
        return awaited

    def claim(self) -> None:
        """A line was entered: what was begun while it was typed is waited for now."""
        self._awaited |= self._begun_live
        self._begun_live.clear()

    def came(self, awaited: Awaited) -> None:
        """It is there, or will never be."""
        self._awaited.discard(awaited)
        self._begun_live.discard(awaited)
        self._moved_at = time.monotonic()
        self._go_on()

    def drop(self) -> None:
        """What was asked for did not come: what was typed for it is meant for nothing else."""
        self._waiting.clear()

    def drop_unless_text(self) -> str:
        """Something went wrong, here or behind: what was typed on was not meant for that, but text is kept.

        Words for a text that does not come are dropped, and named in what this returns.
        """
        if self._is_in_text or self._awaits_text:
            return ""
        dropped = self._take_all()
        is_lost = any(one.is_lost for one in self._awaited)
        return _("what you typed for it is dropped: {keys}").format(keys=dropped) if dropped and is_lost else ""

    @property
    def _is_busy(self) -> bool:
        return self._followed or bool(self._awaited)

    @property
    def _is_in_text(self) -> bool:
        return isinstance(self._console.focused, TEXT)

    @property
    def _awaits_text(self) -> bool:
        return any(one.is_text for one in self._awaited)

    def _take_all(self) -> str:
        """Empty what waits; as it was typed."""
        taken = "".join(_shown(event) for event in self._waiting).strip()
        self._waiting.clear()
        return taken if len(taken) <= SHOWN_AT_MOST else f"{taken[:SHOWN_AT_MOST]}…"

    def _look_at_patience(self) -> None:
        """Give up what hangs, but no text; keys that wait for the one before them have their own time."""
        self._patience = None
        if not self._waiting:
            return
        left = self._moved_at + GIVEN_UP_AFTER - time.monotonic()
        if left <= 0 and self._awaits_text:
            self._console.tell(_("The desk does not answer yet. What you type is kept for your text."))
            left = GIVEN_UP_AFTER
        if left > 0:
            self._patience = self._console.set_timer(left, self._look_at_patience)
            return
        self._awaited.clear()
        self._followed = False
        if self._is_in_text:
            self._go_on()
        else:
            dropped = self._take_all()
            self._console.tell(
                _("The desk does not answer; what you typed is dropped: {keys}").format(keys=dropped),
                severity="warning",
            )

    def _go_on(self) -> None:
        if self._waiting and not self._is_busy:
            self._followed = True
            self._console.call_later(self._pass_next)

    async def _pass_next(self) -> None:
        self._followed = False
        if self._waiting and not self._is_busy:
            await self._pass_on(self._waiting.popleft())

    async def _pass_on(self, event: Key | Paste) -> None:
        console = self._console
        heard_by = console.focused or console.screen
        begins_nothing = _is_only_text(heard_by, event) or self._only_moves(event)
        self._moved_at = time.monotonic()
        await self._forward(event)
        if begins_nothing:
            self._go_on()
        else:
            self._followed = True
            way = [widget for widget in heard_by.ancestors_with_self for _lap in range(LAPS)]
            self._follow(event, way, way)

    def _only_moves(self, event: Key | Paste) -> bool:
        from supportdesk.tui.screens.base import DeskScreen

        screen = self._console.screen
        if not isinstance(event, Key) or not isinstance(screen, DeskScreen) or not screen.is_ready:
            return False
        return screen.only_moves(key_name(event.key, event.character))

    def _follow(self, event: Key | Paste, way: list[DOMNode], again: list[DOMNode]) -> None:
        """Go the way of the key, behind it and behind what it makes the widgets say; then once more.

        What a field's key is bound to is done when it has come all the way up, and makes the field speak after that;
        the key of a list is done with where it was heard.
        """
        if not way and again and not (event._stop_propagation and not isinstance(again[0], TEXT)):
            way, again = again, []
        for at, widget in enumerate(way, 1):
            if widget.call_later(self._follow, event, way[at:], again):  # one that has gone says nothing any more
                return
        self._followed = False
        self._go_on()


def _is_only_text(heard_by: DOMNode, event: Key | Paste) -> bool:
    """Whether the event can do nothing but write: then nothing has to be waited for."""
    if not isinstance(heard_by, TEXT):
        return False
    return not isinstance(event, Key) or (event.is_printable and event.character != CANNED_TRIGGER[0])


def _shown(event: Key | Paste) -> str:
    """As the agent knows it: what he wrote, or the name of the key."""
    if not isinstance(event, Key):
        return as_written(event.text)
    return event.character if event.is_printable and event.character else f" {shown_keys(key_name(event.key, None))} "
