"""A program in a pseudo-terminal: send keys, collect the bytes that come back. For byte budgets and byte oracles."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from tests.support.pty_process import PtyProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PtySession(PtyProcess):
    """`argv` in this process's environment and what is added to it."""

    def __init__(self, argv: Sequence[str], *, columns: int = 120, rows: int = 40, **environment: str) -> None:
        super().__init__(argv, {**os.environ, **environment}, columns=columns, rows=rows)

    def read_until(self, wanted: bytes, limit: float = 30.0) -> bytes:
        """Everything until `wanted` has come; AssertionError after `limit` seconds."""
        seen = b""
        end = time.monotonic() + limit
        while wanted not in seen:
            assert time.monotonic() < end, f"never came: {wanted!r}; came: {seen[-2000:]!r}"
            seen += self.read(0.1)
        return seen

    def read_while(self, waiting: Callable[[], bool], what: str, limit: float = 30.0) -> bytes:
        """Everything that comes while `waiting`; AssertionError after `limit` seconds."""
        seen = b""
        end = time.monotonic() + limit
        while waiting():
            assert time.monotonic() < end, f"never: {what}; came: {seen[-2000:]!r}"
            seen += self.read(0.02)
        return seen

    def read_until_quiet(self, quiet: float = 0.3) -> bytes:
        """Everything until nothing has come for `quiet` seconds."""
        seen = b""
        while chunk := self.read(quiet):
            seen += chunk
        return seen
