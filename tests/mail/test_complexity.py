"""Complexity bombs (reliability.md C04, C05): what a reader does grows with the size of the mail, and not faster."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from supportdesk.mail.child import MailParserPool, ParseFailed
from supportdesk.mail.limits import MAX_ADDRESSES, MAX_PARTS
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import parse
from supportdesk.mail.quotes import find_folds

KIB = 1 << 10
HTML = b"Content-Type: text/html\n\n"


def repeated(head: bytes, piece: bytes) -> Callable[[int], bytes]:
    """A bomb of about so many octets."""
    return lambda size: head + piece * (size // len(piece))


def nested_parts(size: int) -> bytes:
    levels = range(size // 64)
    return b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (level, level) for level in levels)


BOMBS: dict[str, Callable[[int], bytes]] = {
    "encoded words": repeated(b"Subject: ", b"=?utf-8?q?a?= "),
    "encoded words never closed": repeated(b"Subject: ", b"=?utf-8?q?"),
    "quotes in To": repeated(b"To: ", b'"'),
    "commas after quotes": repeated(b"To: ", b'"\\",'),
    "mailboxes": repeated(b"To: ", b"a@b.example, "),
    "comments": repeated(b"To: ", b"("),
    "angles": repeated(b"To: ", b"<"),
    "semicolons": repeated(b"Content-Type: text/plain", b"; "),
    "segments": repeated(b"Content-Type: text/plain", b"; a*0=b"),
    "fields": repeated(b"", b"X: y\n"),
    "folds": repeated(b"X: y\n", b" z\n"),
    "no empty line": repeated(b"X: y\n", b"prose\n"),
    "parts": repeated(b"Content-Type: multipart/mixed; boundary=B\n\n", b"--B\n\n\n"),
    "one-letter boundary": repeated(b"Content-Type: multipart/mixed; boundary=-\n\n", b"---"),
    "nested parts": nested_parts,
    "same boundary": repeated(
        b"Content-Type: multipart/mixed; boundary=B\n\n", b"--B\nContent-Type: multipart/mixed; boundary=B\n\n"
    ),
    "lone CRs": repeated(b"X: y\r\rz", b"\r"),
    "links": repeated(HTML, b"<a href=http://x.example>x</a>"),
    "open links": repeated(HTML, b"<a "),
    "comments never closed": repeated(HTML, b"<!--"),
    "open blocks": repeated(HTML, b"<div>"),
    "nested lists": repeated(HTML, b"<ul><li>"),
    "nested tables": repeated(HTML, b"<table><tr><td>"),
    "blockquotes": repeated(HTML, b"<blockquote>"),
    "uuencode": repeated(b"Subject: x\n\n", b"begin 644 x\n"),
    "quoted blanks": repeated(b"Content-Transfer-Encoding: quoted-printable\n\n=", b" "),
    "attributions": repeated(b"Subject: x\n\nhello\n", b"On "),
    "quotation marks": repeated(b"Subject: x\n\nhello\n", b">"),
    "bounce": repeated(b"From: MAILER-DAEMON@x.example\nSubject: undelivered\n\nfailed\n", b"<a@b.example>:\n"),
    "bounce of everybody": repeated(
        b"From: MAILER-DAEMON@x.example\nSubject: undelivered\n\n", b"failed a@b.example c@d.example\n"
    ),
    "bounce of one line": repeated(b"From: MAILER-DAEMON@x.example\nSubject: undelivered\n\nfailed ", b"a@b."),
}
FOLDED: dict[str, Callable[[int], str]] = {
    "On": lambda size: "hello\n" + "On " * (size // 3),
    "On, lines": lambda size: "hello\n" + "On \n" * (size // 4),
    "marks": lambda size: "hello\n" + ">" * size,
    "marks, lines": lambda size: "hello\n" + ">\n" * (size // 2),
    "nested": lambda size: "hello\n" + "".join(">" * level + " x\n" for level in range(500)) * (size // 127_000 + 1),
    "attributions": lambda size: "hello\n" + "On 1.1.2026 a wrote:\n" * (size // 21),
    "rules": lambda size: "hello\n" + "_____\n\n" * (size // 7),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_reading_grows_with_the_size_and_not_faster(bomb: Callable[[int], bytes]) -> None:
    """SEC-4 and PARSE-1, C04."""
    small, large = bomb(256 * KIB), bomb(1024 * KIB)
    assert len(parse(large).to) <= MAX_ADDRESSES
    assert len(parse(large).attachments) <= MAX_PARTS
    assert_linear(lambda: parse(small), lambda: parse(large))


@pytest.mark.parametrize("bomb", FOLDED.values(), ids=FOLDED.keys())
def test_folding_grows_with_the_size_and_not_faster(bomb: Callable[[int], str]) -> None:
    small, large = bomb(256 * KIB), bomb(1024 * KIB)
    assert_linear(lambda: find_folds(small), lambda: find_folds(large))


@pytest.mark.slow
def test_a_bomb_of_25_mb_costs_its_child_at_most() -> None:
    with MailParserPool(1) as pool:
        for name, bomb in BOMBS.items():
            (read,) = pool.parse_many([(bomb(25 << 20), None)])
            given_up = isinstance(read, ParseFailed) and read.reason in ("timeout", "memory")
            assert given_up or (isinstance(read, ParsedMail) and read.size >= 20 << 20), name
        assert pool.parse(b"Subject: next\n\n").subject == "next"


def assert_linear(small: Callable[[], object], large: Callable[[], object]) -> None:
    """Four times the size must not take ten times the work: quadratic is sixteen. What is too quick to tell is fine."""
    for _ in range(3):
        one, four = seconds(small), seconds(large)
        if four < 0.03 or four <= 10 * one:
            return
    raise AssertionError(f"{one:.3f} s for a quarter, {four:.3f} s for the whole")


def seconds(work: Callable[[], object]) -> float:
    """CPU time of the quickest of three, so that a busy machine does not count."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
