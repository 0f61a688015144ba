"""Parsing in contained processes: hostile mail can cost a child its life, never the worker's (INGEST-6).

Children are spawned Pythons in isolated mode that import only the parser, kept warm and recycled. The parent
enforces the
wall time; the child has a memory limit of its own. This is the adapter behind the port `MailParser`.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType

import supportdesk
from supportdesk.errors import NotFound, SupportdeskError
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.wire import CONTENT, CUT, FAILED, FRAME, MAIL, MAX_ANSWER, MISSING, PARSE, Malformed, decode_mail

WALL_SECONDS = 2.0
RECYCLE_AFTER = 500
_START = "import sys; sys.path.insert(0, sys.argv[1]); from supportdesk.mail.parsing_process import main; main()"


class ParseFailed(SupportdeskError):
    """A mail could not be parsed in its child; `reason` is "timeout", "memory", "crash" or "error"."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"the mail could not be parsed: {reason}{f' ({detail})' if detail else ''}")
        self.reason = reason
        self.detail = detail


class MailParserPool:
    """A few warm parsing children; safe to call from several threads. `seconds` is the wall time of one mail."""

    def __init__(self, size: int = 2, *, seconds: float = WALL_SECONDS, recycle_after: int = RECYCLE_AFTER) -> None:
        self._size = max(1, size)
        self._seconds = seconds
        self._recycle_after = recycle_after
        self._idle: deque[_Child] = deque()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(self._size)
        self._closed = False

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail:
        """Read one mail; ParseFailed when its child was too slow, too large or died."""
        return self._parsed(self._ask(PARSE, received_at.isoformat() if received_at else "", raw))

    def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Iterator[ParsedMail | ParseFailed]:
        """Read mails on all children at once, in order; a failed one is yielded, never raised."""
        waiting: deque[Future[ParsedMail | ParseFailed]] = deque()
        with ThreadPoolExecutor(self._size, thread_name_prefix="mail-parser") as threads:
            for raw, received_at in mails:
                waiting.append(threads.submit(self._attempt, raw, received_at))
                if len(waiting) >= self._size * 4:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def cut_part(self, raw: bytes, part: str) -> bytes:
        """The decoded content of one attachment by its part path; NotFound when the mail has no such part."""
        if not part.isascii() or "\n" in part:
            raise NotFound(f"the mail has no part {part!r}")
        kind, data = self._ask(CUT, part, raw)
        if kind == MISSING:
            raise NotFound(f"the mail has no part {part!r}")
        if kind != CONTENT:
            raise ParseFailed("crash", "unexpected answer")
        return data

    def close(self) -> None:
        """End the children; a call that is under way fails with ParseFailed("crash")."""
        with self._lock:
            self._closed = True
            children = list(self._idle)
            self._idle.clear()
        for child in children:
            child.end()

    def __enter__(self) -> MailParserPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _attempt(self, raw: bytes, received_at: datetime | None) -> ParsedMail | ParseFailed:
        try:
            return self.parse(raw, received_at)
        except ParseFailed as failure:
            return failure

    def _parsed(self, answer: tuple[bytes, bytes]) -> ParsedMail:
        kind, data = answer
        if kind != MAIL:
            raise ParseFailed("crash", "unexpected answer")
        try:
            return decode_mail(data)
        except Malformed as error:
            raise ParseFailed("crash", str(error)) from error

    def _ask(self, kind: bytes, argument: str, raw: bytes) -> tuple[bytes, bytes]:
        with self._slots:
            child = self._take()
            try:
                answer = child.ask(kind, argument.encode("ascii") + b"\n", raw, self._seconds)
            except BaseException:
                child.kill()
                raise
            if answer[0] == FAILED:
                child.end()
                reason, _, detail = answer[1].decode("ascii", "replace").partition(" ")
                raise ParseFailed(reason if reason in ("memory", "error") else "error", detail)
            self._give_back(child)
            return answer

    def _take(self) -> _Child:
        with self._lock:
            if self._closed:
                raise ParseFailed("crash", "the parser is closed")
            child = self._idle.pop() if self._idle else None
        if child is not None and child.alive:
            return child
        if child is not None:
            child.end()
        return _Child()

    def _give_back(self, child: _Child) -> None:
        with self._lock:
            keep = not self._closed and child.served < self._recycle_after
            if keep:
                self._idle.append(child)
        if not keep:
            child.end()


class _Child:
    """One parsing process and its two pipes."""

    def __init__(self) -> None:
        package_parent = str(Path(supportdesk.__file__).resolve().parent.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", _START, package_parent],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            bufsize=0, cwd="/", env={"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1"},
        )  # fmt: skip
        assert self._process.stdin and self._process.stdout
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)
        self.served = 0
        self._warm = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, kind: bytes, argument: bytes, raw: bytes, seconds: float) -> tuple[bytes, bytes]:
        """Send one request and read its answer within `seconds`; a new child gets the time to start on top."""
        deadline = time.monotonic() + seconds + (0.0 if self._warm else 10.0)
        head = FRAME.pack(kind, len(argument) + len(raw)) + argument
        if len(raw) < 1 << 16:
            self._write(head + raw, deadline)
        else:
            self._write(head, deadline)
            self._write(raw, deadline)
        answer, size = FRAME.unpack(self._read(FRAME.size, deadline))
        if size > MAX_ANSWER:
            raise ParseFailed("crash", "an answer beyond all measure")
        data = self._read(size, deadline)
        self._warm = True
        self.served += 1
        return answer, data

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

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._await(self._to, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._to, view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as error:
                raise ParseFailed(self._death(), "the child went away") from error

    def _read(self, size: int, deadline: float) -> bytes:
        pieces: list[bytes] = []
        while size > 0:
            try:
                piece = os.read(self._from, min(size, 1 << 20))
            except BlockingIOError:
                self._await(self._from, select.POLLIN, deadline)
                continue
            if not piece:
                raise ParseFailed(self._death(), "the child went away")
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _death(self) -> str:
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "crash"
        return "crash"

    def _await(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise ParseFailed("timeout")
