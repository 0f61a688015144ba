"""A real terminal for the tests: a program in tmux, keys in, the screen out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


class Terminal:
    """One tmux pane on a server of its own; it stays after the program has ended, so its last words can be read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._starts = 0
        self._pid = directory / "pid"
        self._status = directory / "status"

    def start(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Run the command in a fresh pane of the given size (80x24 and 120x40 are the sizes that must look right)."""
        self.close()
        self._starts += 1
        variables = {"LANG": "C.UTF-8", "TERM": "tmux-256color", "COLORTERM": "truecolor", **(environment or {})}
        program = shlex.join(["env", *(f"{name}={value}" for name, value in variables.items()), *command])
        # The shell notes the exit status, because tmux 3.3 now and then misses it; the trap outlives a Ctrl-C.
        line = f"trap : INT; sh -c {shlex.quote(f'echo $$ >{self._pid}; exec {program}')}; echo $? >{self._status}"
        where = ["-c", str(directory)] if directory else []
        session = ["new-session", "-d", "-s", "test", "-x", str(columns), "-y", str(lines), *where, line]
        options = {
            "remain-on-exit": "on",
            "status": "off",
            "default-shell": "/bin/sh",
            "escape-time": "0",
            "history-limit": "0",
        }
        settings = [word for name, value in options.items() for word in (";", "set-option", "-g", name, value)]
        self._tmux("start-server", *settings, ";", *session)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: "r", "Enter", "Escape", "C-s", "Down"."""
        self._tmux("send-keys", "-t", "test", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self._tmux("send-keys", "-t", "test", "-l", text)

    def screen(self, *, colours: bool = False) -> str:
        """What the pane shows now, one line a row, trailing blanks cut."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []), "-t", "test")

    def wait_for(self, pattern: str, *, seconds: float = 15) -> re.Match[str]:
        """The match as soon as the screen shows the pattern; the error shows the screen that it waited before."""
        return self._wait(
            lambda screen: re.search(pattern, screen, re.MULTILINE), f"the screen never showed {pattern!r}", seconds
        )

    def wait_until_gone(self, pattern: str, *, seconds: float = 15) -> None:
        self._wait(
            lambda screen: not re.search(pattern, screen, re.MULTILINE) or None,
            f"the screen kept showing {pattern!r}",
            seconds,
        )

    def resize(self, columns: int, lines: int) -> None:
        self._tmux("resize-window", "-t", "test", "-x", str(columns), "-y", str(lines))

    def exit_status(self) -> int | None:
        """The program's exit status as a shell tells it (128 + n for signal n), None while it runs."""
        status = self._status.read_text() if self._status.exists() else ""
        return int(status) if status.endswith("\n") else None

    def wait_for_exit(self, *, seconds: float = 15) -> int:
        """The exit status as soon as the program has ended."""
        self._wait(lambda _: self.exit_status() is not None or None, "the program never ended", seconds)
        status = self.exit_status()
        assert status is not None
        return status

    def pid(self) -> int:
        """The process id of the program; known once it has shown something."""
        return int(self._pid.read_text())

    def close(self) -> None:
        """End the pane and the tmux server with it; fine when there is none."""
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, timeout=10)
        self._status.unlink(missing_ok=True)

    @property
    def _socket(self) -> Path:
        # Each server has its own: one that is told to end takes its socket away a little later, even from a successor.
        return self._directory / f"socket-{self._starts}"

    def _wait(self, look, complaint: str, seconds: float):
        deadline = time.monotonic() + seconds
        while True:
            screen = self.screen()
            found = look(screen)
            if found is not None:
                return found
            if time.monotonic() > deadline:
                frame = "\n".join(f"│{line}" for line in screen.splitlines())
                raise AssertionError(f"{complaint} in {seconds:g} s; it shows:\n{frame}")
            time.sleep(0.03)

    def _tmux(self, *arguments: str) -> str:
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        result = subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", str(self._socket), *arguments],
            capture_output=True,
            text=True,
            timeout=15,
            env=environment,
            encoding="utf-8",
        )
        if result.returncode:
            raise RuntimeError(f"tmux {' '.join(arguments)} ended with {result.returncode}: {result.stderr}")
        return result.stdout


@pytest.fixture
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal that is closed at the end of the test; skips where tmux is missing."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    pane = Terminal(tmp_path_factory.mktemp("tmux"))
    yield pane
    pane.close()
