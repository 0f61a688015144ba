"""The background process: it takes mail over, turns it into tickets, delivers replies and keeps the deadlines.

One process holds the lease and works; a second one waits for it. Each mailbox has a thread that listens to its server,
one thread reads what was taken over, a few deliver, one keeps house. What they do is in `desk`; here is only who runs,
when, and what happens when a server is away. A thread that fails is started again, later each time, and says why.
"""

from __future__ import annotations

import logging
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from supportdesk.desk.delivery import WORKER_LEASE as LEASE
from supportdesk.desk.gauges import troubled_since
from supportdesk.errors import (
    ConfigError,
    ConnectionFailed,
    LoginRefused,
    StoreError,
    StoreFailed,
    SupportdeskError,
    TryAgain,
)
from supportdesk.safetext import safe

if TYPE_CHECKING:
    from datetime import datetime

    from supportdesk.desk.fetch import Fetcher
    from supportdesk.desk.model import Mailbox, MailboxId
    from supportdesk.desk.ports import MailSource
    from supportdesk.desk.processed_mail import ProcessedMail
    from supportdesk.engine import Engine

LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 10.0
ASK_AGAIN_SECONDS = 2.0  # until a lease that another holds, or that cannot be written, is asked for again
LISTEN_SECONDS = 60.0  # IDLE is ended and a full pass made this often, news or not (SYNC-8)
BACKOFF_FIRST, BACKOFF_LAST = 1.0, 300.0
REFUSED_TRIES, REFUSED_SECONDS = 2, 900.0  # with the one of the deliverers three in ten minutes (SYNC-9)
FRESH_SECONDS = 5.0
HEALTHY_SECONDS = 60.0
HOUSEKEEPING_SECONDS = 60.0
DELIVERERS = 4
DUE_SECONDS = 1.0  # how often somebody tries what is due and could not be delivered
UNASKED_SECONDS = 60.0  # a deliverer looks at the outbox even if nobody wakes it
STOP_SECONDS = 20.0  # for what is being sent, within the patience of the systemd unit; the rest is the next worker's

log = logging.getLogger("supportdesk.worker")


@dataclass(slots=True)
class Worker:
    """The running threads of one worker process. `run` returns when it is told to stop or has lost its lease."""

    engine: Engine
    companion_of: int = 0  # a console's process: when it is gone, stop as soon as nothing is due any more
    stopping: threading.Event = field(default_factory=threading.Event)
    news: threading.Event = field(default_factory=threading.Event)
    outgoing: threading.Event = field(default_factory=threading.Event)
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{random.randrange(1 << 32):08x}")
    epoch: int = 0
    _mailboxes: tuple[Mailbox, ...] = ()
    _login_stamp: tuple[object, ...] | None = None  # until the first look
    _listeners: dict[MailboxId, _Listener] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _troubled_since: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Wait for the lease, work until told to stop, give the lease back."""
        if not self._take_lease():
            return
        log.info("working as %s, epoch %d", self.owner, self.epoch)
        try:
            self._start("intake", self._read_mail)
            for number in range(DELIVERERS):
                name = f"deliver-{number + 1}"
                self._start(name, partial(self._deliver, f"{self.owner}/{name}"))
            self._start("housekeeping", self._keep_house)
            self._start("feed", self._follow_changes)
            self._supervise()
        finally:
            self.stop()
            deadline = time.monotonic() + STOP_SECONDS
            for thread in self._threads:
                thread.join(timeout=max(0.0, deadline - time.monotonic()))
            try:
                self.engine.store.release_lease(LEASE, self.owner)
            except StoreError as error:  # it runs out by itself
                log.warning("the lease could not be given back: %s", safe(error.message))
            self.engine.close()

    def stop(self) -> None:
        self.stopping.set()
        self.news.set()
        self.outgoing.set()
        for listener in list(self._listeners.values()):
            listener.stop()

    def _take_lease(self) -> bool:
        said = ""
        while not self.stopping.is_set():
            try:
                epoch = self.engine.store.acquire_lease(LEASE, self.owner, LEASE_SECONDS, self._info())
            except (TryAgain, StoreFailed) as error:
                why = str(safe(error.message))
            else:
                if epoch is not None:
                    self.epoch = epoch
                    return True
                why = "another worker holds it"
            if why != said:
                log.info("waiting for the lease: %s", why)
                said = why
            if self._console_is_gone():
                return False
            self.stopping.wait(ASK_AGAIN_SECONDS)
        return False

    def _supervise(self) -> None:
        """Renew the lease, follow the list of mailboxes, notice that the console is gone."""
        while not self.stopping.is_set():
            try:
                self._follow_mailboxes()
                if self._console_is_gone() and not self.engine.anything_due():
                    log.info("the console is gone and nothing is due")
                    return
            except StoreError as error:  # a database that restarts; the threads wait for it too
                log.warning("the database cannot be read: %s", safe(error.message))
            self.stopping.wait(HEARTBEAT_SECONDS if not self.companion_of else 1.0)
            if self.stopping.is_set():
                return
            if self._lost_its_lease():
                log.warning("the lease was taken over; stopping")
                return

    def _lost_its_lease(self) -> bool:
        """Renew it. A busy or absent database takes nothing from us: whoever took over is seen when it is back."""
        try:
            return self.engine.store.acquire_lease(LEASE, self.owner, LEASE_SECONDS, self._info()) != self.epoch
        except StoreError as error:
            log.warning("the lease could not be renewed: %s", safe(error.message))
            return False

    def _follow_mailboxes(self) -> None:
        # The version also grows when the mailbox's health is noted, which is no reason to connect anew.
        known = tuple(replace(mailbox, version=0) for mailbox in self.engine.desk.mailboxes())
        stamp = self.engine.login_stamp()
        if known != self._mailboxes or stamp != self._login_stamp:
            logged_in = self._login_stamp not in (None, stamp)
            if stamp != self._login_stamp:
                self._leave_mailboxes()
            self.engine.accounts.forget()
            before = {mailbox.id: mailbox.smtp for mailbox in self._mailboxes}
            changed = [one.id for one in known if logged_in or before.get(one.id, one.smtp) != one.smtp]
            # Not remembered before it is done: where the database is away, it is tried again.
            self.engine.bring_forward(changed)
            self._mailboxes, self._login_stamp = known, stamp
            self.outgoing.set()
        current = {mailbox.id: mailbox for mailbox in known if self._listens_to(mailbox)}
        for mailbox_id, listener in list(self._listeners.items()):
            mailbox = current.get(mailbox_id)
            if mailbox != listener.mailbox:
                listener.stop()
                del self._listeners[mailbox_id]
        for mailbox_id, mailbox in current.items():
            if mailbox_id not in self._listeners:
                listener = _Listener(self, mailbox)
                self._listeners[mailbox_id] = listener
                self._start(f"mailbox-{mailbox_id}", listener.run)

    def _leave_mailboxes(self) -> None:
        """Somebody has logged in anew: whoever waits because of the old login begins again."""
        for listener in self._listeners.values():
            listener.stop()
        self._listeners.clear()

    def _listens_to(self, mailbox: Mailbox) -> bool:
        return mailbox.state == "active" and mailbox.imap is not None

    def _read_mail(self) -> None:
        intake = self.engine.intake()
        while not self.stopping.is_set():
            if not intake.process(stop=self.stopping.is_set):
                self.news.wait(1.0)
                self.news.clear()

    def _deliver(self, owner: str) -> None:
        deliverer = self.engine.deliverer(owner, self.epoch)
        try:
            deliverer.recover()
            while not self.stopping.is_set():
                if not deliverer.deliver_next():
                    self.outgoing.wait(UNASKED_SECONDS)
                    self.outgoing.clear()
        finally:
            deliverer.close()

    def _keep_house(self) -> None:
        if wrong := self.engine.store.recount_views():
            log.warning("the counters of %s were wrong and are counted anew", ", ".join(wrong))
        deliverer = self.engine.deliverer(self.owner, self.epoch)
        while not self.stopping.is_set():
            self.engine.keep_house(deliverer, stop=self.stopping.is_set)
            self.stopping.wait(HOUSEKEEPING_SECONDS)

    def _follow_changes(self) -> None:
        """Wake the deliverers while something is due: they ask the database nothing as long as nothing is."""
        self.engine.store.read.wait_for_change(0.0)  # from here on no commit goes unseen
        due = self.engine.next_due()
        while not self.stopping.is_set():
            left = (due - self.engine.desk.clock.now()).total_seconds() if due is not None else DUE_SECONDS
            if left <= 0:
                self.outgoing.set()
            if self.engine.store.read.wait_for_change(left if 0 < left < DUE_SECONDS else DUE_SECONDS):
                due = self.engine.next_due()

    def _start(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._guard, args=(name, work), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _guard(self, name: str, work: Callable[[], None]) -> None:
        """Run `work`; if it fails, say so and run it again, later each time."""
        backoff = Backoff()
        while not self.stopping.is_set():
            backoff.start()
            try:
                work()
            except Exception as error:  # whatever broke one thread must not end the others' work
                # The first line alone: below it a database quotes the row, and with it people's addresses.
                words = safe(next(iter(str(error).splitlines()), ""))
                log.error("%s failed: %s: %s", name, type(error).__name__, words, exc_info=_debugging())  # noqa: TRY400
                self.stopping.wait(backoff.next())
            else:
                return

    def _console_is_gone(self) -> bool:
        if not self.companion_of:
            return False
        try:
            os.kill(self.companion_of, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    def _info(self) -> dict[str, object]:
        who = {"pid": os.getpid(), "host": socket.gethostname(), "companion": bool(self.companion_of)}
        tries = {str(box): at.isoformat() for box, one in self._listeners.items() if (at := one.next_try) is not None}
        with suppress(OSError):  # a gauge that cannot be read is no reason to give up the lease
            now, measured = self.engine.desk.clock.now(), self.engine.store.gauges()
            self._troubled_since = troubled_since(measured, self._troubled_since, now)
        return {**who, **self.engine.figures(), "next_tries": tries, "since": self._troubled_since}


class _Listener:
    """One mailbox: connect, take over what is new, wait for news; come back after failures."""

    def __init__(self, worker: Worker, mailbox: Mailbox) -> None:
        self._worker = worker
        self.mailbox = mailbox
        self.next_try: datetime | None = None  # while it waits after a failure
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        backoff, refused = Backoff(), 0
        engine = self._worker.engine
        fetcher, processed = engine.fetcher(self.mailbox, stop=self._done), engine.processed_mail(self.mailbox)
        while not self._done():
            backoff.start()
            try:
                self._listen(fetcher, processed)
                refused = 0
            except (LoginRefused, ConfigError) as error:
                refused += 1
                self._failed(error)
                self._wait(REFUSED_SECONDS if refused >= REFUSED_TRIES else backoff.next())
            except ConnectionFailed as error:
                self._failed(error)
                self._wait(backoff.next())

    def _wait(self, seconds: float) -> None:
        self.next_try = self._worker.engine.desk.clock.now() + timedelta(seconds=seconds)
        self._stopped.wait(seconds)
        self.next_try = None

    def _listen(self, fetcher: Fetcher, processed: ProcessedMail) -> None:
        engine = self._worker.engine
        source = engine.servers.source(self.mailbox.id)
        try:
            while not self._done():
                taken = fetcher.run_pass(source)
                engine.grant_wishes(self.mailbox, fetcher, source)
                engine.note_mailbox_health(self.mailbox.id, self._treat(processed, source))
                if taken.fetched:
                    self._worker.news.set()
                    log.info("%s: took over %d new messages", self.mailbox.address, taken.fetched)
                if taken.bodiless:  # another connection may bring what this one did not (SYNC-4)
                    self._stopped.wait(FRESH_SECONDS)
                    return
                if not fetcher.has_news(source):
                    source.idle(LISTEN_SECONDS, self._done)
        finally:
            with suppress(SupportdeskError):
                source.close()

    def _treat(self, processed: ProcessedMail, source: MailSource) -> str:
        """Mark or move what has its outcome; why that cannot be done, which is no reason to stop fetching."""
        try:
            processed.treat(source)
        except (ConfigError, ConnectionFailed) as error:
            return _words(error)
        return ""

    def _failed(self, error: SupportdeskError) -> None:
        log.warning("%s: %s", self.mailbox.address, _words(error))
        self._worker.engine.note_mailbox_health(self.mailbox.id, _words(error))

    def _done(self) -> bool:
        return self._stopped.is_set() or self._worker.stopping.is_set()


class Backoff:
    """Waiting times that double up to a limit, with full jitter; they start again after an attempt that lived long."""

    def __init__(self, first: float = BACKOFF_FIRST, last: float = BACKOFF_LAST) -> None:
        self._first, self._last, self._tries, self._started = first, last, 0, time.monotonic()

    def start(self) -> None:
        """An attempt begins now."""
        self._started = time.monotonic()

    def next(self) -> float:
        """How long to wait after the attempt that has just failed, in seconds."""
        if time.monotonic() - self._started >= HEALTHY_SECONDS:
            self._tries = 0
        limit = min(self._last, self._first * 2.0**self._tries)
        self._tries = min(self._tries + 1, 16)
        return random.uniform(self._first / 2, limit)


def run_worker(engine: Engine, *, companion_of: int = 0) -> None:
    """Run until SIGTERM or SIGINT; both end it cleanly, between two durable steps."""
    worker = Worker(engine, companion_of=companion_of)

    def stop(*_signal: object) -> None:
        # A thread of its own: the handler may have interrupted this one while it held the lock of the event.
        threading.Thread(target=worker.stop, name="stop").start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    worker.run()


def _words(error: SupportdeskError) -> str:
    """What happened, and what to do about it."""
    return safe(f"{error.message} ({error.hint})" if error.hint else error.message)


def _debugging() -> bool:
    return log.isEnabledFor(logging.DEBUG)
