"""How far something long has come, told once a second on the last line; said by the thread that works."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.tui.ages import span
from supportdesk.tui.calls import Finished
from supportdesk.tui.keymap import shown_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.tui.app import Console

UNTOLD_SECONDS = 1.0
"""What is done sooner is not worth a word; nor is a word more often."""


def told_progress(console: Console, title: str, *, stoppable: bool = False) -> Callable[[int, int], None]:
    """A function that takes how many are done, of how many, and tells it with the rate and the time that is left."""
    began = told = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal told
        console.refusals.moved()
        now = time.monotonic()
        if done == of or now - told < UNTOLD_SECONDS:
            return
        told = now
        rate = done / (now - began)
        words = [_("{title}: {done} of {total}").format(title=title, done=done, total=of)]
        if stoppable:
            words.append(_("{key} stops").format(key=shown_keys("esc")))
        words += [
            _("{rate} a second").format(rate=f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"),
            _("{time} left").format(time=_seconds((of - done) / rate)),
        ]
        text = " · ".join(words)
        console.post_message(Finished(lambda: console.tell(text)))

    return progress


def _seconds(left: float) -> str:
    return f"{left:.0f}s" if left < 60 else span(left)
