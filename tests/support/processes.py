"""Small helpers around processes and ports that more than one server fixture needs."""

from __future__ import annotations

import os
import pwd
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def free_port() -> int:
    """A loopback TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_port_block(count: int) -> int:
    """The first of `count` neighbouring loopback ports, all free; each xdist worker looks in a range of its own."""
    worker = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or 0)
    start = 20_000 + (worker % 8) * 1_500 + (os.getpid() % 60) * count
    for base in range(start, start + 1_500 - count, count):
        if all(_is_free(port) for port in range(base, base + count)):
            return base
    raise RuntimeError("no block of free loopback ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def as_user(user: str, command: Sequence[str]) -> list[str]:
    """The command run as `user` where we are root, else as it is."""
    return ["runuser", "-u", user, "--", *command] if os.geteuid() == 0 else list(command)


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return as soon as the condition holds; raise TimeoutError naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"gave up after {seconds:g} s waiting for {what}")
        time.sleep(0.02)
