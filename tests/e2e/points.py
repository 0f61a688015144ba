"""Named places in the worker at which the kill harness may end it: before or after a call, on one of its threads.

Nothing of this is in the program: a forked worker wraps the one call that it is to die at. A place whose call is
renamed fails loudly, and the harness's test asks that each of them is reached.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Literal

Work = Literal["in", "out", "any"]


@dataclass(frozen=True, slots=True)
class Point:
    """Die before or after `call` ("module:name" or "module:Class.name") on threads whose name begins with `thread`.

    `stage`: only when one of the arguments is this word. `work`: the traffic without which nobody comes here.
    """

    call: str
    when: Literal["before", "after"]
    thread: str
    work: Work
    stage: str = ""


STAGES: Final = ("connected", "mail", "rcpt", "data_started", "dot_sent")
_DESK, _MAIL, _STORE = "supportdesk.desk", "supportdesk.mail", "supportdesk.store"
_AROUND: Final[tuple[tuple[str, str, str, Work], ...]] = (
    # what, call, thread, traffic
    ("lease", f"{_STORE}.sql:SqlStore.acquire_lease", "MainThread", "any"),
    ("log in", f"{_MAIL}.imap:ImapSource._log_in", "mailbox", "any"),
    ("list folders", f"{_MAIL}.imap:ImapSource.folders", "mailbox", "any"),
    ("select", f"{_MAIL}.imap:ImapSource.select", "mailbox", "any"),
    ("list mail", f"{_MAIL}.imap:ImapSource.uids_from", "mailbox", "in"),
    ("sizes", f"{_MAIL}.imap:ImapSource._sizes", "mailbox", "in"),
    ("bodies", f"{_MAIL}.imap:ImapSource._bodies", "mailbox", "in"),
    ("record", f"{_STORE}.ledger:SqlLedger.record_fetched", "mailbox", "in"),
    ("raw", f"{_STORE}.ledger:put_small", "mailbox", "in"),
    ("cursor", f"{_STORE}.ledger:_advance", "mailbox", "in"),
    ("fetched commit", f"{_STORE}.sql:SqlStore._commit", "mailbox", "in"),
    ("finish pass", f"{_STORE}.ledger:SqlLedger.finish_pass", "mailbox", "in"),
    ("parse", f"{_MAIL}.child:_Reading.next", "intake", "in"),
    ("take in", f"{_DESK}.intake:take_in", "intake", "in"),
    ("thread", f"{_DESK}.intake:match", "intake", "in"),
    ("ticket", f"{_DESK}.incoming:write_message", "intake", "in"),
    ("rows and event", f"{_STORE}.write.transaction:WriteTransaction.apply", "intake", "in"),
    ("search index", f"{_STORE}.write.transaction:WriteTransaction.index_message", "intake", "in"),
    ("counters", f"{_STORE}.write.transaction:WriteTransaction.finish", "intake", "in"),
    ("processed commit", f"{_STORE}.sql:SqlStore._commit", "intake", "in"),
    ("recover", f"{_DESK}.delivery:Deliverer.recover", "deliver", "out"),
    ("claim", f"{_DESK}.delivery:Deliverer._claim", "deliver", "out"),
    ("build", f"{_DESK}.delivery:Deliverer._built", "deliver", "out"),
    ("keep bytes", f"{_DESK}.delivery:Deliverer._keep_built", "deliver", "out"),
    ("connect", "aiosmtplib:SMTP.connect", "deliver", "out"),
    ("authenticate", "aiosmtplib:SMTP.login", "deliver", "out"),
    ("MAIL", "aiosmtplib:SMTP.mail", "deliver", "out"),
    ("RCPT", "aiosmtplib:SMTP.rcpt", "deliver", "out"),
    ("text and dot", f"{_MAIL}.smtp:SmtpTransport._data", "deliver", "out"),
    ("verdict", f"{_DESK}.delivery:write_verdict", "deliver", "out"),
    ("outbox commit", f"{_STORE}.sql:SqlStore._commit", "deliver", "out"),
    ("look for a copy", f"{_MAIL}.imap:ImapSource.find_message_id", "housekeeping", "out"),
    ("append a copy", f"{_MAIL}.imap:ImapSource.append", "housekeeping", "out"),
    ("housekeeping commit", f"{_STORE}.sql:SqlStore._commit", "housekeeping", "any"),
    ("fold counters", f"{_STORE}.sql:SqlStore.fold_view_counts", "housekeeping", "any"),
    ("checkpoint", f"{_STORE}.sql:SqlStore.checkpoint", "housekeeping", "any"),
)
POINTS: Final[dict[str, Point]] = {
    f"{when} {name}": Point(call, when, thread, work)
    for name, call, thread, work in _AROUND
    for when in ("before", "after")
} | {
    f"{when} stage {stage}": Point(f"{_DESK}.delivery:Deliverer._reach", when, "deliver", "out", stage)
    for stage in STAGES
    for when in ("before", "after")
}


def arm(point: Point, nth: int, end: signal.Signals = signal.SIGKILL) -> None:
    """From now on this process and its group die, or stop, when it comes to the point for the nth time."""
    holder, name = _resolve(point.call)
    original = holder.__dict__[name]
    setattr(holder, name, _wrapped(original, _Countdown(point, nth, end)))


def _resolve(call: str) -> tuple[Any, str]:
    module, _, path = call.partition(":")
    holder: Any = importlib.import_module(module)
    *classes, name = path.split(".")
    for part in classes:
        holder = getattr(holder, part)
    if name not in holder.__dict__:
        holder = next(base for base in holder.__mro__ if name in base.__dict__)
    return holder, name


class _Countdown:
    """Decides at each passage whether this is the one."""

    def __init__(self, point: Point, nth: int, end: signal.Signals) -> None:
        self._point = point
        self._left = nth
        self._end = end
        # Who is stopped must not keep the lock of the database: a thread that writes is let through first.
        self._quiet = _one_writer() if end == signal.SIGSTOP else nullcontext()

    def passes(self, when: str, arguments: tuple[Any, ...]) -> None:
        point = self._point
        if when != point.when or not threading.current_thread().name.startswith(point.thread):
            return
        if point.stage and point.stage not in arguments:
            return
        self._left -= 1
        if self._left == 0 and self._end == signal.SIGSTOP:
            with self._quiet:  # sent to this thread alone it stops all of them before the call comes back
                signal.pthread_kill(threading.get_ident(), self._end)
        elif self._left == 0:
            os.killpg(0, self._end)


def _one_writer() -> AbstractContextManager[Any]:
    """A lock that each thread of this process holds while it has the lock of the database."""
    from supportdesk.store.lock import Turnstile

    writers, held = threading.RLock(), Turnstile.held

    @contextmanager
    def held_alone(turnstile: Turnstile, wait_seconds: float | None = None) -> Iterator[None]:
        with writers, held(turnstile, wait_seconds):
            yield

    Turnstile.held = held_alone  # type: ignore[method-assign,assignment]
    return writers


def _wrapped(original: Callable[..., Any], countdown: _Countdown) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def awaited(*arguments: Any, **named: Any) -> Any:
            countdown.passes("before", arguments)
            result = await original(*arguments, **named)
            countdown.passes("after", arguments)
            return result

        return awaited

    @functools.wraps(original)
    def called(*arguments: Any, **named: Any) -> Any:
        countdown.passes("before", arguments)
        result = original(*arguments, **named)
        countdown.passes("after", arguments)
        return result

    return called


def unknown_points() -> Iterator[str]:
    """Points whose call is not there any more."""
    for name, point in POINTS.items():
        try:
            _resolve(point.call)
        except (ImportError, AttributeError, StopIteration):
            yield name
