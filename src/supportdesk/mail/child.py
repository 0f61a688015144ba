"""Parsing in contained processes: hostile mail can cost a child its life, never the worker's (INGEST-6).

Children are spawned Pythons in isolated mode that import only the parser, kept warm and recycled. The parent enforces
the wall time; the child has a memory limit of its own. Mails are written ahead into a child's pipe and their answers
read when they are wanted: the pipes are the queue, and no thread waits. This is the adapter behind the port
`MailParser`.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

import supportdesk
from supportdesk.errors import NotFound, SupportdeskError
from supportdesk.mail.model import ParsedMail, Picture
from supportdesk.mail.pictures import decode_picture
from supportdesk.mail.wire import (
    CONTENT,
    CUT,
    FAILED,
    FRAME,
    MAIL,
    MAX_ANSWER,
    MISSING,
    PARSE,
    SHRINK,
    Malformed,
    decode_mail,
)

WALL_SECONDS = 2.0
START_SECONDS = 10.0  # on top, for a new child
RECYCLE_AFTER = 500
AHEAD_MAILS, AHEAD_BYTES = 24, 512 * 1024  # what is written to a child before it has answered
PIPE_BYTES = 1024 * 1024  # as much as a process may have without privilege (pipe(7))
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from supportdesk.mail.parsing_process import main;"
    " main(int(sys.argv[2]), sys.argv[3])"
)


PARSE_SECONDS: deque[float] = deque(maxlen=2000)
"""How long the newest mails took, of all pools of this process."""


class ParseFailed(SupportdeskError):
    """A mail could not be parsed in its child; `reason` is "timeout", "memory", "crash" or "error"."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"the mail could not be parsed: {reason}{f' ({detail})' if detail else ''}")
        self.reason = reason
        self.detail = detail


class MailParserPool:
    """A few warm parsing children; safe to call from several threads. `seconds` is the wall time of one mail.

    `detector` names a function (`module:name`) that the children give each mail's fresh text to: what it returns is the
    mail's `language`.
    """

    def __init__(
        self, size: int = 2, *, seconds: float = WALL_SECONDS, recycle_after: int = RECYCLE_AFTER, detector: str = ""
    ) -> None:
        self.size = max(1, size)
        self.seconds = seconds
        self._recycle_after = recycle_after
        self._detector = detector
        self._idle: list[_Child] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self.size)
        self._closed = False

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail:
        """Read one mail; ParseFailed when its child was too slow, too large or died."""
        return _parsed(self._ask(_Request.to_parse(raw, received_at)))

    def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Generator[ParsedMail | ParseFailed]:
        """Read mails in order; a failed one is yielded, never raised. The children read on while the caller works."""
        reading = _Reading(self, iter(mails))
        try:
            while (request := reading.next()) is not None:
                try:
                    yield _parsed(request)
                except ParseFailed as failure:
                    yield failure
        finally:
            reading.end()

    def cut_part(self, raw: bytes, part: str) -> bytes:
        """The decoded content of one attachment by its part path; NotFound when the mail has no such part."""
        if not part.isascii() or "\n" in part or len(part) > 0xFFFF:
            raise NotFound(f"the mail has no part {part!r}")
        kind, data = _answer(self._ask(_Request(CUT, part.encode("ascii"), raw)))
        if kind == MISSING:
            raise NotFound(f"the mail has no part {part!r}")
        if kind != CONTENT:
            raise ParseFailed("crash", "unexpected answer")
        return data

    def shrink_picture(self, data: bytes, width: int, height: int) -> Picture:
        """An attached picture at most so large, in pixels; ParseFailed where its child could not read it."""
        kind, answer = _answer(self._ask(_Request(SHRINK, f"{width}x{height}".encode("ascii"), data)))
        try:
            return decode_picture(answer if kind == CONTENT else b"", width, height)
        except Malformed as error:
            raise ParseFailed("crash", str(error)) from error

    def close(self) -> None:
        """End the children; a call that is under way fails with ParseFailed("crash")."""
        with self._lock:
            self._closed = True
            children, self._idle = self._idle, []
        for child in children:
            child.end()

    def __enter__(self) -> MailParserPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self) -> _Child:
        """A child for the caller alone. Raises ParseFailed when the pool is closed."""
        with self._lock:
            if self._closed:
                raise ParseFailed("crash", "the parser is closed")
            child = self._idle.pop() if self._idle else None
        if child is not None and child.alive:
            return child
        if child is not None:
            child.end()
        return _Child(_spawn(self._recycle_after, self._detector))

    def give_back(self, child: _Child) -> None:
        """Keep the child warm; one that still owes answers, or is too many, goes."""
        if child.pending:
            child.kill()
            return
        with self._lock:
            keep = not self._closed and len(self._idle) < self.size
            if keep:
                self._idle.append(child)
        if not keep:
            child.end()

    def _ask(self, request: _Request) -> _Request:
        with self._slots:
            child = self.take()
            try:
                child.put(request)
                while request.answer is None:
                    _wait([child], self.seconds)
            except _Gone as gone:
                request.answer = gone.failure
            except BaseException:
                child.kill()
                raise
            else:
                self.give_back(child)
        return request


@dataclass(slots=True, eq=False)
class _Request:
    """What a child is asked, and what came of it."""

    kind: bytes
    argument: bytes
    raw: bytes
    answer: tuple[bytes, bytes] | ParseFailed | None = None

    @classmethod
    def to_parse(cls, raw: bytes, received_at: datetime | None) -> _Request:
        return cls(PARSE, received_at.isoformat().encode("ascii") if received_at else b"", raw)


class _Reading:
    """One call of `parse_many`: the mails that are under way, in order, and the children that have them."""

    def __init__(self, pool: MailParserPool, mails: Iterator[tuple[bytes, datetime | None]]) -> None:
        self._pool = pool
        self._mails = mails
        self._line: deque[_Request] = deque()
        self._children: list[_Child] = []

    def next(self) -> _Request | None:
        """The next mail's request, answered; None after the last one."""
        self._write_ahead()
        if not self._line:
            return None
        head = self._line[0]
        self._work(wait=False)
        while head.answer is None:
            self._call_another()
            self._work(wait=True)
        return self._line.popleft()

    def end(self) -> None:
        for child in self._children:
            self._pool.give_back(child)
        self._children.clear()

    def _work(self, *, wait: bool) -> None:
        try:
            _wait(self._children, self._pool.seconds if wait else None)
        except _Gone as gone:
            self._replace(gone)
        self._write_ahead()

    def _write_ahead(self) -> None:
        """Keep every child busy."""
        if not self._children:
            self._children.append(self._pool.take())
        while (child := min(self._children, key=lambda child: child.load)).has_room:
            for raw, received_at in self._mails:
                request = _Request.to_parse(raw, received_at)
                self._line.append(request)
                self._put(child, request)
                break
            else:
                return

    def _call_another(self) -> None:
        """Begin another child when the caller has to wait for those that have begun, and they are full."""
        full = all(child.is_warm and not child.has_room for child in self._children)
        if full and len(self._children) < self._pool.size:
            self._children.append(self._pool.take())
            self._write_ahead()

    def _put(self, child: _Child, request: _Request) -> None:
        try:
            child.put(request)
        except _Gone as gone:
            self._replace(gone)

    def _replace(self, gone: _Gone) -> None:
        """The mail that a child was at has failed; those that waited behind it go to another one."""
        self._children.remove(gone.child)
        first, *others = gone.child.pending or [None]
        gone.child.pending.clear()
        if first is not None:
            first.answer = gone.failure
        if others:
            another = self._pool.take()
            self._children.append(another)
            for request in others:
                if request is not None:
                    self._put(another, request)


class _Gone(Exception):
    """A child has died or was killed while it had something to do."""

    def __init__(self, child: _Child, failure: ParseFailed) -> None:
        super().__init__(failure.message)
        self.child = child
        self.failure = failure


class _Process(Protocol):
    """What is used of subprocess.Popen."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def kill(self) -> None: ...


class _Spawned(subprocess.Popen[bytes]):
    """A parsing process that is killed together with its fork."""

    def kill(self) -> None:
        if self.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)


def _spawn(share: int, detector: str) -> _Spawned:
    package_parent = str(Path(supportdesk.__file__).resolve().parent.parent)
    return _Spawned(
        [sys.executable, "-I", "-X", "utf8", "-c", _START, package_parent, str(share), detector],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0,
        bufsize=0, cwd="/", env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip


class _Child:
    """One parsing process, its two pipes, and the requests that it has not answered yet, in order."""

    def __init__(self, process: _Process) -> None:
        assert process.stdin and process.stdout
        self._process = process
        self.to, self.from_ = process.stdin.fileno(), process.stdout.fileno()
        for pipe in (self.to, self.from_):
            os.set_blocking(pipe, False)
            with suppress(OSError):  # beyond what one user may have: the mails wait on our side then
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.pending: deque[_Request] = deque()
        self.is_warm = False
        self.load = 0  # octets of the pending requests
        self._unsent: deque[memoryview] = deque()
        self._received = bytearray()
        self._since = 0.0  # when the first of the pending requests had its turn

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def has_room(self) -> bool:
        return not self.pending or (len(self.pending) < AHEAD_MAILS and self.load < AHEAD_BYTES)

    @property
    def events(self) -> Sequence[tuple[int, int]]:
        """What to wait for: pipes, and what should be possible with them."""
        reading = (self.from_, select.POLLIN)
        return (reading, (self.to, select.POLLOUT)) if self._unsent else (reading,)

    def put(self, request: _Request) -> None:
        """Send one request, or as much of it as the pipe takes now. Raises _Gone."""
        if not self.pending:
            self._since = time.monotonic()
        self.pending.append(request)
        self.load += len(request.raw)
        head = FRAME.pack(request.kind, len(request.argument), len(request.raw)) + request.argument
        if len(request.raw) < 1 << 16:
            self._unsent.append(memoryview(head + request.raw))
        else:
            self._unsent += (memoryview(head), memoryview(request.raw))
        self._send()

    def pump(self) -> None:
        """Send and read what can be without waiting. Raises _Gone."""
        self._send()
        while True:
            try:
                piece = os.read(self.from_, PIPE_BYTES)
            except BlockingIOError:
                return
            if not piece:
                raise self._gone("crash", "the child went away")
            self._received += piece
            self._note_answers()

    def seconds_left(self, seconds: float) -> float:
        """How long the first of the pending requests may still take."""
        return self._since + seconds + (0.0 if self.is_warm else START_SECONDS) - time.monotonic()

    def give_up(self) -> _Gone:
        """Kill it: it takes too long."""
        return self._gone("timeout", "")

    def end(self) -> None:
        """Let the child go: end of file ends it."""
        self._close_pipes()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def _send(self) -> None:
        while self._unsent:
            view = self._unsent[0]
            try:
                sent = os.write(self.to, view[: 1 << 20])
            except BlockingIOError:
                return
            except BrokenPipeError:
                if self._has_last_words():
                    return  # it failed at a mail and says so: the answer is there to be read
                raise self._gone("crash", "the child went away") from None
            if sent == len(view):
                self._unsent.popleft()
            else:
                self._unsent[0] = view[sent:]

    def _has_last_words(self) -> bool:
        poll = select.poll()
        poll.register(self.from_, select.POLLIN)
        return any(event & select.POLLIN for _descriptor, event in poll.poll(0))

    def _note_answers(self) -> None:
        at, received = 0, self._received
        while len(received) - at >= FRAME.size:
            kind, _, size = FRAME.unpack_from(received, at)
            if size > MAX_ANSWER or not self.pending:
                raise self._gone("crash", "an answer beyond all measure")
            if len(received) - at - FRAME.size < size:
                break
            data = bytes(memoryview(received)[at + FRAME.size : at + FRAME.size + size])
            at += FRAME.size + size
            if kind == FAILED:
                reason, _, detail = data.decode("ascii", "replace").partition(" ")
                raise self._gone(reason if reason in ("memory", "error") else "error", detail)
            request = self.pending.popleft()
            request.answer = kind, data
            self.load -= len(request.raw)
            request.raw = b""
            if self.is_warm:  # the first one paid for the start of the process
                PARSE_SECONDS.append(time.monotonic() - self._since)
            self._since, self.is_warm = time.monotonic(), True
        del received[:at]

    def _gone(self, reason: str, detail: str) -> _Gone:
        self.kill()
        return _Gone(self, ParseFailed(reason, detail))

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


def _wait(children: Sequence[_Child], seconds: float | None) -> None:
    """Let the children work until one has something to say or has had its time; None: do not wait. Raises _Gone."""
    busy = [child for child in children if child.pending]
    if seconds is not None:
        poll = select.poll()
        for child in busy:
            for descriptor, event in child.events:
                poll.register(descriptor, event)
        first = min(busy, key=lambda child: child.seconds_left(seconds))
        if not poll.poll(max(0.0, first.seconds_left(seconds)) * 1000) and first.seconds_left(seconds) <= 0:
            raise first.give_up()
    for child in busy:
        child.pump()


def _answer(request: _Request) -> tuple[bytes, bytes]:
    assert request.answer is not None
    if isinstance(request.answer, ParseFailed):
        raise request.answer
    return request.answer


def _parsed(request: _Request) -> ParsedMail:
    kind, data = _answer(request)
    if kind != MAIL:
        raise ParseFailed("crash", "unexpected answer")
    try:
        return decode_mail(data)
    except Malformed as error:
        raise ParseFailed("crash", str(error)) from error
