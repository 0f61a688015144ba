"""The turnstile: one fair lock around everything that writes to a SQLite file (reliability.md, R5).

Two lock files beside the database. Who wants to write waits for the first with at most one other ahead of it at the
second, so a bulk writer that comes back at once queues behind the agent who was already there. The kernel releases
both when a process dies. Postgres needs none of this.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from supportdesk.errors import StoreError, StoreFailed
from supportdesk.l10n.catalog import _

WAIT_SECONDS: Final = 60.0
"""How long a writer waits before it says that the database is stuck. A transaction takes 20 ms."""

SHARED_MODE: Final = 0o660

WAITS: Final[deque[float]] = deque(maxlen=2000)
"""The newest waits of this process for its turn, in seconds."""


class Turnstile:
    """The lock of one database file; any thread and any process may stand in its queue."""

    def __init__(self, database: Path, wait_seconds: float = WAIT_SECONDS) -> None:
        self.gate = database.with_name(database.name + "-gate")
        self.lock = database.with_name(database.name + "-lock")
        self._wait_seconds = wait_seconds

    @contextmanager
    def held(self, wait_seconds: float | None = None) -> Iterator[None]:
        """Hold the lock. Raises StoreFailed if it cannot be had in time."""
        asked = time.monotonic()
        deadline = asked + (self._wait_seconds if wait_seconds is None else wait_seconds)
        gate = _flock(self.gate, deadline)
        try:
            lock = _flock(self.lock, deadline)
        finally:
            _release(gate)
        WAITS.append(time.monotonic() - asked)
        try:
            yield
        finally:
            _release(lock)

    def is_awaited(self) -> bool:
        """Whether somebody stands in the queue for the lock that the caller holds."""
        handle = _open(self.gate)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False


def create_shared(path: Path) -> None:
    """Make the file group-writable whatever the umask says, if it is not there yet."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, SHARED_MODE)
    except FileExistsError:
        return
    try:
        os.fchmod(handle, SHARED_MODE)
    finally:
        os.close(handle)


def _flock(path: Path, deadline: float) -> int:
    """A descriptor that holds the exclusive lock; a fresh one each time, so that threads wait for each other too."""
    handle = _open(path)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _wait(handle, path, deadline)
    except OSError as error:
        os.close(handle)
        raise StoreError(_("{file} cannot be locked: {reason}").format(file=path, reason=error.strerror)) from error
    return handle


def _release(handle: int) -> None:
    """Unlock by name: closing alone would leave the lock to a child that was forked meanwhile."""
    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        with suppress(FileExistsError):
            create_shared(path)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise StoreError(_("{file} cannot be opened: {reason}").format(file=path, reason=error.strerror)) from error


def _wait(handle: int, path: Path, deadline: float) -> int:
    """Block in the kernel's queue, but not for ever: polling would lose the place in it."""
    turn = _Turn(handle)
    waiter = threading.Thread(target=turn.take, name="turnstile", daemon=True)
    waiter.start()
    try:
        waiter.join(max(0.0, deadline - time.monotonic()))
    except BaseException:
        if turn.claim():
            _release(handle)
        raise
    if turn.claim():
        return handle
    raise StoreFailed(
        _("the database has been locked by another process for too long ({file})").format(file=path.name),
        hint=_("`fuser` on that file names the process; a stopped one can be continued or killed"),
    )


class _Turn:
    """A place in the queue. Given up in time, the lock is released as soon as it comes."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._guard = threading.Lock()
        self._taken = False
        self._given_up = False

    def take(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        with self._guard:
            self._taken = True
            if self._given_up:
                _release(self._handle)

    def claim(self) -> bool:
        with self._guard:
            self._given_up = not self._taken
            return self._taken
