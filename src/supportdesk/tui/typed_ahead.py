"""Keys typed while something opens: they wait for it, in their order, and never land in what stood there before.

`^s y` sends however long the review takes, and never writes a "y" into the mail. Keys go to the widget that has the
focus, so without this what is typed between a key and its effect would be taken for something else.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from textual.events import Key

from supportdesk.tui.keymap import KeyMatcher, Match, key_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.events import Paste
    from textual.timer import Timer

    from supportdesk.tui.app import Console
    from supportdesk.tui.screens.base import DeskScreen

TRIGGER_KEY = ":"
CLAIMED_WITHIN = 1.0
"""Seconds after which a key that no screen has taken holds nothing up any more."""


OPEN_WITHIN = 10.0
"""Seconds after which what was to open is waited for no longer."""


class TypedAhead:
    """The keys that wait, of one console. A key that opens something holds those after it until it is open."""

    def __init__(self, console: Console, forward: Callable[[Key | Paste], Awaitable[None]]) -> None:
        self._console = console
        self._forward = forward
        self._waiting: deque[Key | Paste] = deque()
        self._opener: Key | None = None
        self._unclaimed: Timer | None = None
        self._matcher = KeyMatcher(console.keymap)
        self._written = ""  # the last keys, as far as they may be the trigger of the canned responses
        self._draining = False

    def take(self, event: Key | Paste) -> bool:
        """Whether the event waits now. One that does not, and opens something, makes those after it wait."""
        if self._opener is not None or self._draining:
            self._waiting.append(event)
            return True
        if isinstance(event, Key):
            self._look_at(event)
        return False

    def again(self, event: Key) -> None:
        """A key that went elsewhere goes where the focus is now, before those that wait."""
        # Made by the console, as each key is: one of a screen's would bubble no further than to that screen.
        self._console.call_later(lambda: self._forward(Key(event.key, event.character)))

    def came(self, event: Key, *, opens: bool) -> None:
        """The screen has read the key; without `opens` nothing has to be waited for after all."""
        if event is not self._opener:
            return
        self._claim()
        if opens:
            self.opening()
        else:
            self.release()

    def opening(self) -> None:
        """What the last key asked for is on its way: the keys wait for it until it is there."""
        if self._opener is not None:
            self._claim()
            self._unclaimed = self._console.set_timer(OPEN_WITHIN, self.release)

    def came_trigger(self) -> None:
        """What was written opens nothing: it only looked like the trigger of the canned responses."""
        if self._opener is not None and self._opener.character == TRIGGER_KEY:
            self.release()

    def entered(self) -> None:
        """The line was taken, or refused: what was typed after it is no part of it."""
        if self._opener is not None and self._opener.key == "enter":
            self.release()

    def release(self) -> None:
        """It is open and has the focus: what waits goes there."""
        self._claim()
        self._opener = None
        if self._waiting and not self._draining:
            self._draining = True
            self._console.call_later(self._drain)

    def drop(self) -> None:
        """It did not open: what was meant for it is meant for nothing else."""
        self._waiting.clear()
        self.release()

    def _claim(self) -> None:
        if self._unclaimed is not None:
            self._unclaimed.stop()
            self._unclaimed = None

    def _look_at(self, event: Key) -> None:
        from supportdesk.tui.screens.base import DeskScreen

        screen = self._console.screen
        if not isinstance(screen, DeskScreen) or not screen.is_ready:
            self._matcher.cancel()
        elif screen.prompt.purpose:
            self._matcher.cancel()
            if event.key == "enter":  # what comes after it is no part of the line any more
                self._opener = event
                self._unclaimed = self._console.set_timer(CLAIMED_WITHIN, self.release)
        elif self._opens(screen, event) or self._ends_trigger(screen, event):
            self._opener = event
            self._unclaimed = self._console.set_timer(CLAIMED_WITHIN, self.release)

    def _opens(self, screen: DeskScreen[object], event: Key) -> bool:
        found = self._matcher.feed(screen.context, key_name(event.key, event.character))
        return isinstance(found, Match) and found.action in screen.OPENERS and screen.can(found.action)

    def _ends_trigger(self, screen: DeskScreen[object], event: Key) -> bool:
        """Whether `::` is whole with this key: whether it stands at the beginning of a word the composer knows."""
        if event.character != TRIGGER_KEY:
            self._written = ""
            return False
        from supportdesk.tui.widgets.composer import CANNED_TRIGGER, Composer

        self._written += TRIGGER_KEY
        ends = self._written == CANNED_TRIGGER and isinstance(screen.focused, Composer)
        if ends:
            self._written = ""
        return ends

    async def _drain(self) -> None:
        """What waits, one after the other, until one of them opens something itself."""
        while self._waiting and self._opener is None:
            event = self._waiting.popleft()
            if isinstance(event, Key):
                self._look_at(event)
            await self._forward(event)
        self._draining = False
