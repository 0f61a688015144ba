"""The byte budgets of the list and the byte oracle, in a real pseudo-terminal."""

from __future__ import annotations

import re
import sys

import pytest

from tests.tui.hostile import PAYLOADS
from tests.tui.pty_session import PtySession

MOVE_BUDGET = 600
START_BUDGET = 40_000

# What Textual itself sends: styles, cursor moves, modes, synchronised updates, its keyboard protocol, the pointer.
OWN_SEQUENCES = re.compile(
    rb"\x1b\[[0-9;]*[mHJK]|\x1b\[[?>=<]?[0-9;$]*[hlupqSn]|\x1b\[>?[0-9]*u|\x1b\]22;[a-z]*\x07|\r\n"
)


@pytest.fixture
def session():
    with PtySession([sys.executable, "-m", "tests.tui.list_program"]) as running:
        start = running.read_until(b"luca") + running.read_until_quiet()
        assert len(start) <= START_BUDGET
        yield running, start


def test_a_cursor_move_costs_two_lines_of_bytes(session) -> None:
    running, _ = session
    sizes = []
    for _ in range(20):
        running.send(b"j")
        sizes.append(len(running.read_until(b"\x1b[1;1H") + running.read_until_quiet(0.05)))
    assert max(sizes) <= MOVE_BUDGET, sizes
    assert min(sizes) > 100


def test_an_idle_console_sends_nothing(session) -> None:
    running, _ = session
    assert running.read_until_quiet(1.5) == b""


def test_no_byte_of_a_hostile_ticket_is_obeyed(session) -> None:
    running, start = session
    running.send(b"G")
    output = start + running.read_until(b"99999") + running.read_until_quiet()
    assert b"[@click=a" in output
    for payload in PAYLOADS:
        assert payload.isprintable() or payload.encode(errors="replace") not in output
    left = OWN_SEQUENCES.sub(b"", output).decode()
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left), repr(left[:300])
