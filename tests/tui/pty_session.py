"""A program in a pseudo-terminal: send keys, collect the bytes that come back. For byte budgets and byte oracles."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence


class PtySession:
    """`argv` in a terminal of its own; use it as a context manager."""

    def __init__(self, argv: Sequence[str], *, columns: int = 120, rows: int = 40, **environment: str) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", **environment)
            os.execv(argv[0], list(argv))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.handle)

    def send(self, keys: bytes) -> None:
        os.write(self.handle, keys)

    def read_until(self, wanted: bytes, limit: float = 30.0) -> bytes:
        """Everything until `wanted` has come; AssertionError after `limit` seconds."""
        seen = b""
        end = time.monotonic() + limit
        while wanted not in seen:
            assert time.monotonic() < end, f"never came: {wanted!r}; came: {seen[-2000:]!r}"
            seen += self._read(0.1)
        return seen

    def read_until_quiet(self, quiet: float = 0.3) -> bytes:
        """Everything until nothing has come for `quiet` seconds."""
        seen = b""
        while chunk := self._read(quiet):
            seen += chunk
        return seen

    def _read(self, wait: float) -> bytes:
        if not select.select([self.handle], [], [], wait)[0]:
            return b""
        try:
            return os.read(self.handle, 65_536)
        except OSError:  # Linux reports the end of a pty so
            return b""
