"""A program in a pseudo-terminal whose output is stamped as it comes: when a key's first byte, when the last.

The bytes are not interpreted here, so no emulator's time is counted as the program's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from tests.bench.report import BenchFailed
from tests.support.pty_process import PtyProcess


@dataclass(frozen=True, slots=True)
class Heard:
    """What came after something was sent: seconds to the first and to the last byte, and the bytes."""

    first: float
    last: float
    data: bytes


class PtyProgram(PtyProcess):
    """A program that is heard with a stopwatch."""

    _unheard = b""  # came with what was waited for

    def hear(self, settle: float, *, limit: float = 30.0) -> Heard:
        """Everything until nothing has come for `settle` seconds. Raises BenchFailed if nothing comes at all."""
        start = time.perf_counter()
        first = last = 0.0
        heard, self._unheard = [self._unheard] if self._unheard else [], b""
        while chunk := self.read(settle if heard else limit):
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
            chunk = self.read(max(0.0, left))
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
            heard += self.read(left)
        return heard
