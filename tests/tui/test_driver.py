"""A terminal that is taken away, at whatever moment, never keeps the console alive."""

from __future__ import annotations

import os
import pty
import signal
import sys

import pytest

from supportdesk.tui.driver import ForgivingTerminal
from tests.support.clock import FakeClock
from tests.support.desk import furnish
from tests.support.processes import wait_until

LIMIT_SECONDS = 20.0


class Gone:
    """A terminal after a dropped session: every write fails."""

    def write(self, text: str) -> int:
        raise OSError(5, text)

    def flush(self) -> None:
        raise OSError(5, "gone")

    def fileno(self) -> int:
        return 2


def test_what_is_written_to_a_terminal_that_is_gone_is_dropped() -> None:
    terminal = ForgivingTerminal(Gone())  # type: ignore[arg-type]
    terminal.write("a screen")
    terminal.flush()
    assert terminal.fileno() == 2


@pytest.mark.parametrize("already_painted", [1, 100, 1_000, 4_000], ids=lambda count: f"after_{count}_bytes")
def test_a_console_ends_with_its_terminal_even_while_it_starts(tmp_path, already_painted: int) -> None:
    from supportdesk.store import create_or_upgrade

    url = f"sqlite:///{tmp_path / 'desk.db'}"
    create_or_upgrade(url)
    furnish(url, FakeClock())
    arguments = [sys.executable, "-m", "supportdesk", "--database", str(tmp_path / "desk.db"), "--as", "luca"]
    arguments.append("--restricted")  # it starts no worker
    pid, handle = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", SUPPORTDESK_CONFIG=str(tmp_path / "none.toml"))
        os.execv(sys.executable, arguments)
    try:
        painted = 0
        while painted < already_painted:
            painted += len(os.read(handle, already_painted - painted))
    finally:
        os.close(handle)
    try:
        what = "the console to end without a terminal"
        wait_until(lambda: os.waitpid(pid, os.WNOHANG) != (0, 0), seconds=LIMIT_SECONDS, what=what)
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
