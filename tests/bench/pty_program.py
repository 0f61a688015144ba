"""A program in a pseudo-terminal whose output is stamped as it comes: when a key's first byte, when the last.

The bytes are not interpreted here, so no emulator's time is counted as the program's.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from tests.bench.report import BenchFailed

CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Heard:
    """What came after something was sent: seconds to the first and to the last byte, and the bytes."""

    first: float
    last: float
    data: bytes


class PtyProgram:
    """`argv` in a terminal of its own; a context manager that ends it."""

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], *, columns: int = 120, rows: int = 40
    ) -> None:
        self._unheard = b""
        self.pid, self._handle = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execve(argv[0], list(argv), {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._handle)

    def send(self, keys: bytes) -> None:
        os.write(self._handle, keys)

    def hear(self, settle: float, *, limit: float = 30.0) -> Heard:
        """Everything until nothing has come for `settle` seconds. Raises BenchFailed if nothing comes at all."""
        start = time.perf_counter()
        first = last = 0.0
        heard, self._unheard = [self._unheard] if self._unheard else [], b""
        while chunk := self._read(settle if heard else limit):
            last = time.perf_counter() - start
            first = first or last
            heard.append(chunk)
        if not heard:
            raise BenchFailed(f"nothing came from the terminal in {limit:g} s")
        return Heard(first, last, b"".join(heard))

    def press(self, keys: bytes, settle: float) -> Heard:
        """Send keys and hear what they do."""
        self.send(keys)
        return self.hear(settle)

    def wait_for(self, wanted: bytes, *, limit: float = 60.0) -> Heard:
        """Everything until `wanted` has come; what came with it is heard next. Raises BenchFailed."""
        start = time.perf_counter()
        first, heard, self._unheard = 0.0, self._unheard, b""
        while wanted not in heard:
            left = start + limit - time.perf_counter()
            chunk = self._read(max(0.0, left))
            if not chunk:
                raise BenchFailed(f"the terminal never showed {wanted!r}; last: {heard[-600:]!r}")
            first = first or time.perf_counter() - start
            heard += chunk
        end = heard.index(wanted) + len(wanted)
        heard, self._unheard = heard[:end], heard[end:]
        return Heard(first, time.perf_counter() - start, heard)

    def listen(self, seconds: float) -> bytes:
        """Whatever comes in that time."""
        end, heard, self._unheard = time.perf_counter() + seconds, self._unheard, b""
        while (left := end - time.perf_counter()) > 0:
            heard += self._read(left)
        return heard

    def _read(self, wait: float) -> bytes:
        if not select.select([self._handle], [], [], wait)[0]:
            return b""
        try:
            return os.read(self._handle, CHUNK)
        except OSError:  # Linux reports the end of a pty so
            return b""
