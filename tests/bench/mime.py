"""Part `mime`: reading one mail into what the desk needs, ours against the standard library's two parsers."""

from __future__ import annotations

import base64
import cProfile
import email.policy
import tempfile
from collections.abc import Callable, Sequence
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import Any, Final

from supportdesk.mail.child import MailParserPool, ParseFailed
from supportdesk.mail.parse import parse
from tests.bench.given import mails_of
from tests.bench.measure import MIB, Options, alternate, cpu_ms
from tests.bench.profiling import profile_summary
from tests.bench.report import Part, Row

SIZE = 300
WHY: Final = {
    "parse, in this process": (
        "the peer stops at headers, text and files; ours goes on to quotes, notices, reports, every address and a"
        " fingerprint of what it read. No function has more than 5 % of its own: a fifth is the tree of the parts, a"
        " fifth the quotes, a fifth the body, a tenth the fingerprint, and a third of all is spent in the regular"
        " expressions and decoders of Python. Next: one pass over the lines of a body for quotes, notices and reports"
        " together; then a splitter in another language behind the same limits."
    ),
    "a file of 25 MB": (
        "four fifths are the decoder of base64, the rest the digest over what it decodes, by which a second copy of"
        " the mail is known. Next: digest the encoded octets where their lines are regular, and decode on demand."
    ),
}
HEADERS = ("From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References")


def run(options: Options) -> Part:
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        given = mails_of(options, Path(directory), SIZE)
        mails, size, described = list(given.pack), given.count, given.described
    raised = dict.fromkeys(("ours", "default", "compat32"), 0)

    def read_all(name: str, read: Callable[[bytes], object]) -> None:
        for raw in mails:
            try:
                read(raw)
            except Exception:  # noqa: BLE001 - whatever is raised is what is counted
                raised[name] += 1

    def standard(policy: Any) -> Callable[[bytes], object]:
        return lambda raw: read_with_standard_library(raw, policy)

    taken = alternate(
        {
            "ours": lambda: read_all("ours", parse),
            "default": lambda: read_all("default", standard(email.policy.default)),
            "compat32": lambda: read_all("compat32", standard(email.policy.compat32)),
        },
        options.runs,
    )
    rate = {name: size / seconds for name, seconds in taken.items()}
    rows = [
        Row(
            "parse, in this process", rate["ours"], "mails/s", "policy.default", rate["default"], "≥ 10×, then 20,000/s"
        ),
        Row("the same", rate["ours"], "mails/s", "compat32", rate["compat32"]),
        Row("exceptions in all runs", raised["ours"], "mails", "policy.default", raised["default"], "≤ 0"),
        _in_children(mails, options.runs, rate["ours"]),
    ]
    for name, raw in hostile_mails().items():
        rows.append(_hostile(name, raw))
    return Part("mime", described, tuple(rows), tuple(_profile(mails, options.profile)), WHY)


def read_with_standard_library(raw: bytes, policy: Any) -> tuple[list[str], str, list[tuple[str, int]]]:
    """Headers, text and the list of files: the least that a desk needs of a mail, without quotes, links or reports."""
    message: Message[Any, Any] = BytesParser(policy=policy).parsebytes(raw)
    headers = [str(message[name]) for name in HEADERS if message[name] is not None]
    texts, files = [], []
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if part.get_content_maintype() == "text" and part.get_filename() is None:
            texts.append(content.decode(part.get_content_charset("utf-8"), "replace"))
        else:
            files.append((part.get_filename() or "", len(content)))
    return headers, "\n".join(texts), files


def hostile_mails() -> dict[str, bytes]:
    """What mail.md says a parser meets sooner or later, each a quadratic trap for somebody."""
    head = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(1000))
    file = base64.encodebytes(bytes(25 * MIB)).replace(b"\n", b"\r\n")
    return {
        "a file of 25 MB": head
        + b'Content-Type: application/octet-stream; name="x.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + file,
        "1,000 nested levels": head + nested + b"Content-Type: text/plain\r\n\r\nhello\r\n",
        "10,000 headers": head + b"".join(b"X-H%d: value\r\n" % n for n in range(10_000)) + b"\r\nhello\r\n",
        "5,000 addresses": head
        + b"Cc: "
        + b",\r\n ".join(b'"Name %d" <n%d@example.com>' % (n, n) for n in range(5000))
        + b"\r\n\r\nhello\r\n",
    }


def _in_children(mails: Sequence[bytes], runs: int, alone: float) -> Row:
    """The way the worker reads: contained, two at a time, with the answer sent back through a pipe."""
    with MailParserPool() as pool:

        def read_all() -> None:
            failed = sum(isinstance(found, ParseFailed) for found in pool.parse_many((raw, None) for raw in mails))
            assert not failed, f"{failed} mails could not be parsed"

        read_all()
        taken = alternate({"children": read_all}, max(1, runs // 2))["children"]
    return Row("parse, in two contained children", len(mails) / taken, "mails/s", "in this process", alone)


def _profile(mails: Sequence[bytes], lines: int) -> list[str]:
    if not lines:
        return []
    profiler = cProfile.Profile()
    for raw in mails:
        profiler.runcall(parse, raw)
    return profile_summary(profiler, lines)


def _hostile(name: str, raw: bytes) -> Row:
    ours = cpu_ms(lambda: parse(raw), 5)
    theirs = _or_none(lambda: cpu_ms(lambda: read_with_standard_library(raw, email.policy.default), 1))
    peer = "policy.default" if theirs is not None else ""
    remark = "≤ 100 ms" if theirs is not None else "≤ 100 ms (policy.default raises)"
    return Row(name, ours, "ms", peer, theirs, remark)


def _or_none(work: Callable[[], float]) -> float | None:
    try:
        return work()
    except (RecursionError, ValueError, LookupError):
        return None
