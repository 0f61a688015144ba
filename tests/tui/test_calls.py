"""The lanes in which the console calls the desk."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from textual.app import App

from supportdesk.tui.calls import PRESENCE, WRITE, Calls
from tests.support.processes import wait_until


@pytest.mark.parametrize("lane", [WRITE, PRESENCE])
def test_what_was_to_be_written_is_written_before_the_end(lane: str) -> None:
    calls = Calls(App())
    written: list[str] = []
    ended = partial(wait_until, lambda: calls._closed, seconds=10, what="the end to be asked for")
    for work in (ended, lambda: written.append(lane)):
        calls.run(lane, work, lambda _nothing: None, lambda _error: None)
    calls.close()
    assert written == [lane]


def test_the_end_waits_only_so_long_for_what_is_stuck() -> None:
    calls, stuck = Calls(App()), threading.Event()
    calls.run(WRITE, stuck.wait, lambda _done: None, lambda _error: None)
    calls.finish(WRITE, 0.01)
    stuck.set()
    calls.close()
