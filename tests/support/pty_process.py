"""A program in a pseudo-terminal of its own: started, typed to, heard, ended. Its bytes are not interpreted here."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHUNK = 1 << 16


class PtyProcess:
    """`argv` with just this environment; a context manager that ends it. `handle` is our end of the terminal."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], *, columns: int = 120, rows: int = 40
    ) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(argv[0], list(argv), {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.handle)

    def send(self, keys: bytes) -> None:
        os.write(self.handle, keys)

    def read(self, wait: float) -> bytes:
        """What comes next; nothing when it takes longer than `wait` seconds, or when the program has ended."""
        if not select.select([self.handle], [], [], wait)[0]:
            return b""
        try:
            return os.read(self.handle, CHUNK)
        except OSError:  # Linux reports the end of a pty so
            return b""
