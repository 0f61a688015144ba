"""What the console costs on the line: exact byte budgets of a real pseudo-terminal (terminal.md, speed budget)."""

from __future__ import annotations

import re
import sys

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.safetext import storable
from tests.tui.conftest import PROGRAM, Shop
from tests.tui.hostile import PAYLOADS
from tests.tui.pty_session import PtySession

START = 40_000
MOVE = 600
OPEN = {120: 15_000, 80: 7_000}
PREVIEW_AFTER = 0.12
# What Textual itself sends: styles, cursor moves, modes, its keyboard protocol, the pointer, a title for the window.
OWN_SEQUENCES = re.compile(
    rb"\x1b\[[0-9;]*[mHJKABCD]|\x1b\[[?>=<]?[0-9;$]*[hlupqSn]|\x1b\[>?[0-9]*u|\x1b\]22;[a-z]*\x07|[\r\n\x07]"
)
WALK = (
    b"j",
    b"\r",
    b"E",
    b"q",
    b"l",
    b"\x1b",
    b"q",
    b"r",
    b"\x12",
    b"\x1b",
    b"\x1b",
    b"/",
    b"a",
    b"\x1b",
    b"g",
    b"d",
    b"q",
    b"?",
    b"q",
)


@pytest.fixture(params=[pytest.param((120, 40), id="120x40"), pytest.param((80, 24), id="80x24")])
def session(request, shop: Shop):
    columns, rows = request.param
    with PtySession([sys.executable, "-c", PROGRAM], columns=columns, rows=rows, **shop.environment()) as running:
        start = running.read_until(b"Hans Meier") + running.read_until_quiet(1.0)
        assert len(start) <= START
        yield running, columns


def test_a_move_and_an_open_stay_within_their_budgets_and_rest_costs_nothing(session) -> None:
    running, columns = session
    running.send(b"j")
    moved = running.read_until_quiet(PREVIEW_AFTER * 0.8)
    running.read_until_quiet(0.8)
    assert 100 < len(moved) <= MOVE
    running.send(b"\r")
    opened = running.read_until(b"zu klein") + running.read_until_quiet(0.8)
    assert len(opened) <= OPEN[columns]
    running.send(b"q")
    running.read_until(b"Mary")
    running.read_until_quiet(0.8)
    assert running.read_until_quiet(2.0) == b""


def test_no_byte_of_a_hostile_customer_is_obeyed_on_any_screen(shop: Shop) -> None:
    house = shop.house
    for number, payload in enumerate(map(storable, PAYLOADS)):
        sender = f"{number}@example.com"
        house.customer_writes(f"{payload} body {payload}", sender=sender, name=f"{payload}N", subject=f"{payload}S")
    house.draft(TicketId(5), body=f"{PAYLOADS[0]} draft")
    with PtySession([sys.executable, "-c", PROGRAM], **shop.environment()) as running:
        output = running.read_until(b"Hans Meier") + running.read_until_quiet(1.0)
        running.send(b"G")
        output += running.read_until_quiet(0.6)
        for key in WALK:
            running.send(key)
            output += running.read_until_quiet(0.4)
    for payload in PAYLOADS:
        assert payload.isprintable() or payload.encode(errors="replace") not in output
    left = OWN_SEQUENCES.sub(b"", output).decode(errors="replace")
    assert "body" in left
    assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", left), repr(left[:300])
