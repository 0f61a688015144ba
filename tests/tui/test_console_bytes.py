"""What the console costs on the line: exact byte budgets of a real pseudo-terminal (terminal.md, speed budget)."""

from __future__ import annotations

import sys

import pytest

from tests.tui.conftest import PROGRAM, Shop
from tests.tui.pty_session import PtySession

START = 40_000
MOVE = 600
OPEN = {120: 15_000, 80: 7_000}
PREVIEW_AFTER = 0.12


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
