"""The inside of a parsing process: frames in on stdin, answers out on stdout, until end of file.

It imports only what parsing needs, warms up once and then serves from a fork of itself, which is replaced after its
share of mails: whatever they left behind goes with it, and nothing is imported anew. Nothing here guards the parser:
a failure is named to the parent, which starts another process.
"""

from __future__ import annotations

import gc
import io
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path

from supportdesk.mail.charset import decode
from supportdesk.mail.parse import cut_part, parse
from supportdesk.mail.searchable import searchable
from supportdesk.mail.wire import CONTENT, CUT, FAILED, FRAME, MAIL, MISSING, PARSE, SHRINK, encode_mail

MEMORY_LIMIT = 256 << 20  # resident memory of one mail's reader (reliability.md, R12)
_MAPPED_ONLY = 60 << 20  # of the libraries, where the system does not tell
_LAST_RESORT = 30  # seconds; the parent kills much earlier, this is for a child whose parent died
_SHARE_DONE = 3  # exit status of a fork that has served its share: the next one goes on

Detect = Callable[[str], str | None]


def main(share: int, detector: str = "") -> None:
    """Serve until end of file, from a new fork after every `share` requests.

    `detector` names a function (`module:name`) that is given what the person wrote and tells its language.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = os.dup(0), os.dup(1)
    # A stray print of a library must not become part of an answer.
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 0)
    os.dup2(silent, 1)
    detect = _detector(detector)
    _limit_memory()
    gc.freeze()  # or the forks would copy what they share with us page by page
    while (serving := os.fork()) != 0:
        _, status = os.waitpid(serving, 0)
        if os.waitstatus_to_exitcode(status) != _SHARE_DONE:
            sys.exit(1)
    os._exit(serve(requests, answers, share, detect))


def serve(requests: int, answers: int, share: int, detect: Detect | None = None) -> int:
    """Answer so many requests or until end of file; after a failure this process is spent. Returns its exit status."""
    # A buffer of one octet reads nothing ahead: what waits in the pipe is for the next fork. A mail is held once.
    source = io.BufferedReader(io.FileIO(requests), 1)
    for _ in range(share):
        head = source.read(FRAME.size)
        if len(head) < FRAME.size:
            return 0
        kind, length, size = FRAME.unpack(head)
        argument, raw = source.read(length), source.read(size)
        if len(argument) + len(raw) < length + size:
            return 0
        signal.alarm(_LAST_RESORT)
        sound = True
        try:
            answer, data = _answer(kind, argument.decode("ascii"), raw, detect)
        except MemoryError:
            answer, data, sound = FAILED, b"memory", False
        except Exception as error:  # noqa: BLE001 - the contract of the child: every failure has a name, and ends the child
            answer, data, sound = FAILED, b"error " + type(error).__name__.encode("ascii", "replace"), False
        raw = b""
        signal.alarm(0)
        head = FRAME.pack(answer, 0, len(data))
        for piece in (head + data,) if len(data) < 1 << 16 else (head, data):
            _write(answers, piece)
        if not sound:
            return 1
    return _SHARE_DONE


def _answer(kind: bytes, argument: str, raw: bytes, detect: Detect | None) -> tuple[bytes, bytes]:
    if kind == PARSE:
        mail = parse(raw, datetime.fromisoformat(argument) if argument else None)
        language = detect(mail.fresh_text) if detect is not None else None
        return MAIL, encode_mail(replace(mail, language=language, searchable=searchable(mail)))
    if kind == CUT:
        try:
            return CONTENT, cut_part(raw, argument)
        except KeyError:
            return MISSING, b""
    if kind == SHRINK:
        from supportdesk.mail.pictures import encode_picture, shrink_picture

        width, _, height = argument.partition("x")
        return CONTENT, encode_picture(shrink_picture(raw, int(width), int(height)))
    raise ValueError("unknown request")


def _detector(name: str) -> Detect | None:
    module, _, function = name.partition(":")
    if not function:
        return None
    detect: Detect = getattr(import_module(module), function)
    detect(_WARMING)
    decode(_UNLABELLED)  # loads the models that guess a charset: else the first such mail of each fork would
    return detect


_UNLABELLED = "Wann kommt das Paket für Jörg?".encode("latin-1")
_WARMING = "The order has not arrived yet, and nobody answers the telephone."


def _limit_memory() -> None:
    """Only address space can be limited: what is mapped and not in memory now does not count against a mail."""
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()
        mapped, resident = (int(count) * resource.getpagesize() for count in pages[:2])
    except OSError:  # not Linux
        mapped, resident = _MAPPED_ONLY, 0
    limit = MEMORY_LIMIT + mapped - resident
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _write(answers: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(answers, view) :]
