"""The inside of a parsing child: frames in on stdin, answers out on stdout, until end of file.

It imports only what parsing needs, and nothing here guards the parser: a failure is named to the parent, which
starts another child.
"""

from __future__ import annotations

import os
import resource
import signal
from datetime import datetime
from typing import BinaryIO

from supportdesk.mail.parse import cut_part, parse
from supportdesk.mail.wire import CONTENT, CUT, FAILED, FRAME, MAIL, MISSING, PARSE, encode_mail

MEMORY_LIMIT = (
    400 << 20
)  # address space; the libraries' mappings take about 60 MB of it, and resident memory stays below 256 MB
_LAST_RESORT = 30  # seconds; the parent kills much earlier, this is for a child whose parent died


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # A stray print of a library must not become part of an answer.
    silent = os.open(os.devnull, os.O_RDWR)
    os.dup2(silent, 0)
    os.dup2(silent, 1)
    serve(requests, answers)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until end of file; after a failure this process is spent and ends."""
    while len(head := requests.read(FRAME.size)) == FRAME.size:
        kind, size = FRAME.unpack(head)
        # A request is one line (the time of receipt or the part path), then the raw mail, which is held only once.
        line = requests.readline(size)
        raw = requests.read(size - len(line))
        if len(line) + len(raw) < size:
            return
        signal.alarm(_LAST_RESORT)
        sound = True
        try:
            answer, data = _answer(kind, line[:-1].decode("ascii"), raw)
        except MemoryError:
            answer, data, sound = FAILED, b"memory", False
        except Exception as error:  # noqa: BLE001 - the contract of the child: every failure has a name, and ends the child
            answer, data, sound = FAILED, b"error " + type(error).__name__.encode("ascii", "replace"), False
        raw = b""
        signal.alarm(0)
        _write(answers, FRAME.pack(answer, len(data)))
        _write(answers, data)
        if not sound:
            return


def _answer(kind: bytes, argument: str, raw: bytes) -> tuple[bytes, bytes]:
    if kind == PARSE:
        return MAIL, encode_mail(parse(raw, datetime.fromisoformat(argument) if argument else None))
    if kind == CUT:
        try:
            return CONTENT, cut_part(raw, argument)
        except KeyError:
            return MISSING, b""
    raise ValueError("unknown request")


def _write(answers: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[answers.write(view) :]


if __name__ == "__main__":
    main()
