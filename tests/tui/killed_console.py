"""A console that kills itself in mid-typing, two seconds by its own clock after the first letter of a text.

`python -m tests.tui.killed_console FILE`: what stands there then is noted in FILE. The end takes the way
that a save takes, from a timer through the messages of the screen to the lane that writes: what was handed over before
the two seconds were over is stored, however slow the machine, and what was not is lost.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from supportdesk.config import load_config
from supportdesk.tui.app import run_console
from supportdesk.tui.calls import WRITE
from supportdesk.tui.screens.base import DeskScreen
from supportdesk.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from textual.widgets import TextArea

LOST_AT_MOST = 2.0


class Overdue(Message, namespace="watched"):
    """What is noted has stood there for as long as a kill may cost."""


def watch(noted: Path) -> None:
    announce = Composer.on_text_area_changed

    def changed(self: Composer, event: TextArea.Changed) -> None:
        announce(self, event)
        if self.is_dirty and not noted.exists():
            noted.write_text(self.text)
            self.set_timer(LOST_AT_MOST, lambda: self.post_message(Overdue()))

    def die(self: DeskScreen[object]) -> None:
        self.call(WRITE, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda _none: None)

    Composer.on_text_area_changed = changed  # type: ignore[method-assign]
    DeskScreen.on_watched_overdue = die  # type: ignore[attr-defined]


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.exit(run_console(load_config(), start_worker=False))
