"""Ctrl-C in a long command: it stops between two steps, and the same command goes on later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within it, Ctrl-C is noted instead of raised."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = signal.signal(signal.SIGINT, interruption.ask)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)


class Interruption:
    """Ctrl-C asks to stop between two steps; pressed again, it ends the program as usual."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    def ask(self, *_unused: object) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
