"""Mutations of mails: what a broken gateway, a lost octet or a hostile sender makes of them, from one seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

LARGEST: Final = 200_000
# What parsers have stumbled over: markers that begin something, and octets that end it too early.
TOKENS: Final = (
    b"=?utf-8?q?", b"=?utf-8?b?", b"?=", b"=?iso-2022-jp?B?GyRC?=", b"\r\n", b"\n", b"\r", b"\0", b"\x1b$B",
    b"\x1b]52;c;", b"\xff\xfe", b"--", b"\n--B\n", b"\n--B--\n", b"Content-Type: multipart/mixed; boundary=B\n",
    b"Content-Type: message/rfc822\n", b"Content-Type: message/delivery-status\n",
    b"Content-Type: text/html; charset=utf-7\n", b"Content-Transfer-Encoding: base64\n",
    b"Content-Transfer-Encoding: x-uuencode\n", b"Content-Type: application/ms-tnef\n",
    b"; charset*0*=utf-16''%D8%00", b"; filename*1*=%", b"; name=\"", b"format=flowed; delsp=yes", b"\"", b"(",
    b"<", b">", b",", b";", b":", b"\\", b"From: ", b"To: a@b, ", b"begin 644 x\n", b"\nend\n", b"<table><td>",
    b"<blockquote>", b"<!--", b"<a href=//[::", b"&#xD800;", b"&#0;", b"On 1.1.2026 x wrote:\n> ", b"-- \n",
    b"BEGIN:VCALENDAR\n", b"\xe2\x80\xae", b"\xed\xa0\x80",
)  # fmt: skip


def mutated(dice: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds after one to eight mutations."""
    mail = dice.choice(seeds)
    for _ in range(dice.choice((1, 1, 2, 3, 5, 8))):
        mail = dice.choice(MUTATIONS)(dice, mail, seeds)
    return mail[:LARGEST]


def _flip(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    changed = bytearray(mail)
    for _ in range(dice.randint(1, 1 + len(mail) // 500)):
        if changed:
            changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _cut(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(mail))
    return mail[:start] + mail[start + dice.randint(0, 400) :]


def _truncate(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    return mail[: dice.randint(0, len(mail))]


def _insert(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    at = dice.randint(0, len(mail) if dice.random() < 0.3 else min(len(mail), 1_500))
    return mail[:at] + dice.choice(TOKENS) * dice.choice((1, 1, 1, 2, 30)) + mail[at:]


def _repeat(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    start = dice.randint(0, len(mail))
    piece = mail[start : start + dice.randint(1, 300)]
    return mail[:start] + piece * dice.choice((2, 3, 50)) + mail[start:]


def _swap_lines(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    lines = mail.split(b"\n")
    one, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _splice(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    other = dice.choice(seeds)
    return mail[: dice.randint(0, len(mail))] + other[dice.randint(0, len(other)) :]


def _change_newlines(dice: Random, mail: bytes, seeds: Sequence[bytes]) -> bytes:
    return mail.replace(b"\r\n", b"\n").replace(b"\n", dice.choice((b"\r", b"\r\n", b"\r\r\n", b"\n\r")))


MUTATIONS: Final[tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...]] = (
    _flip, _cut, _truncate, _insert, _insert, _insert, _repeat, _swap_lines, _splice, _change_newlines,
)  # fmt: skip
