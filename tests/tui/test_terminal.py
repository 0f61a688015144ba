"""The console in a real terminal: what an agent sees at both sizes, and what survives when it is killed."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from supportdesk.desk.model import TicketId
from tests.support.processes import wait_until
from tests.support.terminal import Terminal
from tests.tui.conftest import PATIENCE, PROGRAM, Shop

pytestmark = pytest.mark.tmux
FIRST = TicketId(1)
SIZES = [pytest.param(80, 24, id="80x24"), pytest.param(120, 40, id="120x40")]


def start(terminal: Terminal, shop: Shop, columns: int = 120, lines: int = 40, **variables: str) -> None:
    environment = {**shop.environment(), **variables}
    terminal.start([sys.executable, "-c", PROGRAM], columns=columns, lines=lines, environment=environment)
    terminal.wait_for("Hans Meier", seconds=30)


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_the_first_minute_takes_few_keys(terminal: Terminal, shop: Shop, columns: int, lines: int) -> None:
    """From the start to a sent localized reply: r ^r, the name of the response, enter, its values, ^s y."""
    start(terminal, shop, columns, lines)
    presses = 0

    def press(*keys: str) -> None:
        nonlocal presses
        presses += len(keys)
        terminal.press(*keys)

    press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    press("C-r")
    terminal.wait_for("Canned response")
    terminal.type("delayed")
    terminal.wait_for("▌Order delayed")
    press("Enter")
    terminal.wait_for(r"^ Order number: 5521")
    press("Enter")
    terminal.wait_for("^ Expected delivery date:|^ New .*date.*:")
    terminal.type("12/24")
    press("Enter")
    terminal.wait_for("24 dicembre")
    press("C-s")
    terminal.wait_for("ready to send")
    press("y")
    terminal.wait_for("1 Needs reply 3")
    held = shop.house.desk.read.outbox(states=["held"])
    assert [row.ticket_id for row in held] == [FIRST]
    assert "5521" in held[0].body
    assert presses <= 12


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_a_draft_survives_the_death_of_the_console(terminal: Terminal, shop: Shop, columns: int, lines: int) -> None:
    start(terminal, shop, columns, lines)
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type("Buongiorno Giulia, il pacco")
    terminal.wait_for("not saved yet")
    terminal.wait_until_gone("not saved yet")
    os.kill(terminal.pid(), signal.SIGKILL)
    assert terminal.wait_for_exit() == 128 + signal.SIGKILL
    start(terminal, shop, columns, lines)
    terminal.wait_for("Your draft for #1 waits")
    terminal.press("g", "d")
    terminal.wait_for("Buongiorno Giulia, il pacco")
    terminal.press("Enter")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.wait_for("^ Buongiorno Giulia, il pacco")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_console_that_is_told_to_end_loses_nothing(terminal: Terminal, shop: Shop, number: signal.Signals) -> None:
    start(terminal, shop)
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type("Ultima parola")
    terminal.wait_for("Ultima parola")
    os.kill(terminal.pid(), number)
    assert terminal.wait_for_exit() == 128 + number
    assert [row.body for row in shop.house.desk.read.outbox(states=["draft"])] == ["Ultima parola"]


def test_the_agents_own_editor_is_used_and_its_file_is_private(terminal: Terminal, shop: Shop, tmp_path) -> None:
    """SEC-2."""
    editor = tmp_path / "editor"
    mode = tmp_path / "mode"
    editor.write_text(f'#!/bin/sh\nstat -c %a "$1" > {mode}\nprintf \'Scritto fuori\' > "$1"\n')
    editor.chmod(0o755)
    start(terminal, shop, VISUAL=str(editor))
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.press("C-g")
    terminal.wait_for("^ Scritto fuori")
    assert mode.read_text().strip() == "600"


def test_the_console_leaves_the_terminal_as_it_was(terminal: Terminal, shop: Shop) -> None:
    start(terminal, shop)
    terminal.press("C-q")
    assert terminal.wait_for_exit() == 0
    assert "Hans Meier" not in terminal.screen()


def test_a_y_typed_in_one_go_with_the_review_key_is_no_text(terminal: Terminal, shop: Shop) -> None:
    start(terminal, shop, 80, 24)
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type("Arriva domani.")
    terminal.wait_for("Arriva domani")
    terminal.press("C-s", "y")
    terminal.wait_for("1 Needs reply 3")
    assert [row.body for row in shop.house.desk.read.outbox(states=["held"])] == ["Arriva domani."]


@pytest.mark.parametrize("program", ["#!/bin/sh\nexit 1\n", "#!/nowhere/at/all\n", "#!/bin/sh\nkill -9 $$\n"])
def test_an_editor_that_fails_loses_no_word(terminal: Terminal, shop: Shop, tmp_path, program: str) -> None:
    editor = tmp_path / "editor"
    editor.write_text(program)
    editor.chmod(0o755)
    start(terminal, shop, 80, 24, VISUAL=str(editor))
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type("Prima parola")
    terminal.wait_for("Prima parola")
    terminal.press("C-g")
    terminal.type(" e dopo")
    terminal.wait_for("^ Prima parola e dopo")
    _is_saved(terminal, shop, "Prima parola e dopo")


def test_a_resize_storm_and_a_stalled_terminal_lose_no_word(terminal: Terminal, shop: Shop) -> None:
    start(terminal, shop)
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type("Prima ")
    for columns, lines in ((60, 20), (200, 50), (80, 24), (40, 10), (120, 40)) * 4:
        terminal.resize(columns, lines)
    os.kill(terminal.pid(), signal.SIGSTOP)
    terminal.type("durante ")
    os.kill(terminal.pid(), signal.SIGCONT)
    terminal.type("dopo")
    terminal.wait_for("^ Prima durante dopo")
    _is_saved(terminal, shop, "Prima durante dopo")


def _is_saved(terminal: Terminal, shop: Shop, text: str) -> None:
    """The draft holds the text, and the screen says so; just after a key the word may be that of the text before."""
    wait_until(
        lambda: [row.body for row in shop.house.desk.read.outbox(states=["draft"])] == [text],
        seconds=PATIENCE, what="the draft",
    )  # fmt: skip
    terminal.wait_for(r" saved\s*$")
