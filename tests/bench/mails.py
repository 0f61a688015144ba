"""Realistic support mail, the same bytes for the same seed: what every part of the benchmark reads.

Mail i depends on (seed, i) alone, so the first 1,000 are a prefix of the first 10,000 and any of them can be made by
itself. 35 % answer one of the previous 200 mails and quote it, 10 % carry a file of 30 to 200 KB, three quarters are
multipart/alternative; subjects in RFC 2047, bodies in quoted-printable, base64, 8bit and iso-8859-1. Standard library
only, so that a peer can be fed the same: `python -m tests.bench.mails maildir DIRECTORY COUNT` writes a Maildir.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import os
import quopri
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from tests.bench.mail_words import DOMAINS, FIRST_NAMES, LAST_NAMES, REPLY_PREFIXES, WORDS, WROTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUPPORT: Final = "support@support.example.com"
EPOCH: Final = datetime(2023, 1, 1, 8, 0, tzinfo=UTC)
SPACING: Final = timedelta(seconds=421)
LANGUAGES: Final = ("it", "en", "de", "fr", "es")
LANGUAGE_WEIGHTS: Final = (40, 25, 15, 10, 10)
MAILERS: Final = (
    "Microsoft Outlook 16.0", "Apple Mail (2.3774.100)", "iPhone Mail (21F90)", "Mozilla Thunderbird", "K-9 Mail",
)  # fmt: skip
QUOTED_PRINTABLE: Final = b"Content-Transfer-Encoding: quoted-printable\n\n"
HTML: Final = b'Content-Type: text/html; charset="utf-8"\n'
BODIES_KEPT: Final = 4000

_FRAME: Final = struct.Struct("<I")
_PROJECT: Final = Path(__file__).resolve().parents[2]


class MailMaker:
    """Makes the mails of one seed."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self._parents: dict[int, int | None] = {}
        self._bodies: dict[int, tuple[str, str]] = {}

    def mail(self, number: int) -> bytes:
        """Mail `number`, lines ended by LF."""
        dice = random.Random(self.seed * 17 + number * 101)
        language, text = self._body(number)
        return self._headers(number, dice, language) + self._content(number, dice, text)

    @staticmethod
    def sent_at(number: int) -> datetime:
        return EPOCH + SPACING * number

    def _headers(self, number: int, dice: random.Random, language: str) -> bytes:
        chain = self._ancestors(number)
        top = chain[-1] if chain else number
        from_agent = len(chain) % 2 == 1
        name, address = ("Support Desk", f"agent{number % 7}@support.example.com") if from_agent else _person(top)
        date = self.sent_at(number)
        lines = [f"Return-Path: <{address}>", f"Delivered-To: {SUPPORT}"]
        lines += [_received(dice, hop, date) for hop in range(dice.choice([2, 3, 3, 4]))]
        if dice.random() < 0.7:
            lines += _signature(dice, address, date)
        lines.append(f"From: {_encoded(name)} <{address}>")
        customer, customer_address = _person(top)
        lines.append(f"To: {_encoded(customer)} <{customer_address}>" if from_agent else f"To: Support <{SUPPORT}>")
        if dice.random() < 0.15:
            colleague, colleague_address = _person(number + 5)
            lines.append(f"Cc: {_encoded(colleague)} <{colleague_address}>")
        lines.append("Subject: " + _encoded(self._subject(top, language, answers=bool(chain))))
        lines.append("Date: " + format_datetime(date))
        lines.append("Message-ID: " + self._message_id(number))
        if chain:
            lines.append("In-Reply-To: " + self._message_id(chain[0]))
            lines.append("References: " + "\n ".join(self._message_id(one) for one in reversed(chain[:12])))
        lines.append("MIME-Version: 1.0")
        lines.append("X-Mailer: " + dice.choice(MAILERS))
        if dice.random() < 0.5:
            lines.append(
                f"X-Spam-Status: No, score={-dice.random() * 3:.1f} required=5.0 tests=DKIM_SIGNED,DKIM_VALID,"
                "HTML_MESSAGE,\n\tRCVD_IN_DNSWL_NONE,SPF_PASS autolearn=ham"
            )
        if dice.random() < 0.02:
            lines.append("Auto-Submitted: auto-replied")
        return "\n".join(lines).encode("ascii", "replace") + b"\n"

    def _content(self, number: int, dice: random.Random, text: str) -> bytes:
        """The Content-* headers and the body that follows them."""
        kind, with_file = dice.random(), dice.random() < 0.10
        if kind < 0.75:
            html = _html(text)
            boundary = _boundary("Alt", number, dice)
            content = _alternative(
                boundary,
                b'Content-Type: text/plain; charset="utf-8"\n' + QUOTED_PRINTABLE + _quoted_printable(text),
                HTML + QUOTED_PRINTABLE + _quoted_printable(html)
                if kind < 0.45
                else HTML + b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(html.encode()),
            )
        elif kind < 0.85:
            latin = quopri.encodestring(text.encode("latin-1", "replace"))
            content = b'Content-Type: text/plain; charset="iso-8859-1"\n' + QUOTED_PRINTABLE + latin
        elif kind < 0.95:
            plain = b"Content-Type: text/plain; charset=utf-8; format=flowed\nContent-Transfer-Encoding: 8bit\n\n"
            content = plain + text.encode()
        else:
            content = HTML + QUOTED_PRINTABLE + _quoted_printable(_html(text))
        return _with_file(number, dice, content) if with_file else content

    def _subject(self, top: int, language: str, *, answers: bool) -> str:
        dice = random.Random(self.seed + top * 3)
        words = " ".join(_zipf_word(dice, language) for _ in range(dice.randint(3, 8))).capitalize()
        if dice.random() < 0.4:
            words += f" ORD-{dice.randrange(10**6):06d}"
        return f"{REPLY_PREFIXES[language]}{words} [#{top + 1000}]" if answers else words

    def _body(self, number: int) -> tuple[str, str]:
        """Language and text, with the quoted mail that it answers."""
        if number in self._bodies:
            return self._bodies[number]
        chain = self._ancestors(number)
        top = chain[-1] if chain else number
        language = LANGUAGES[random.Random(self.seed + top).choices(range(5), LANGUAGE_WEIGHTS)[0]]
        dice = random.Random(self.seed * 31 + number)
        author, _ = _person(top if len(chain) % 2 == 0 else number % 7 + 10**7)
        text = "\n\n".join(_wrapped(_paragraph(dice, language)) for _ in range(dice.choice([1, 2, 2, 3, 3, 4, 6])))
        text += f"\n\n-- \n{author}\nTel. +39 0{dice.randrange(10**8)}\n"
        if chain:
            date = self.sent_at(chain[0]).strftime("%d/%m/%Y %H:%M")
            quoted = "\n".join("> " + line for line in self._body(chain[0])[1].split("\n")[:120])
            text += f"\n{WROTE[language].format(date=date, name=_person(chain[0])[0])}\n{quoted}\n"
        self._bodies[number] = (language, text)
        if len(self._bodies) > BODIES_KEPT:
            for old in list(itertools.islice(self._bodies, BODIES_KEPT // 2)):
                del self._bodies[old]
        return language, text

    def _parent(self, number: int) -> int | None:
        """Threads: 35 % of the mails answer one of the previous 200."""
        if number not in self._parents:
            dice = random.Random(self.seed * 1000003 + number)
            answers = number > 5 and dice.random() < 0.35
            self._parents[number] = number - 1 - int(min(number - 1, 200) * dice.random() ** 2) if answers else None
        return self._parents[number]

    def _ancestors(self, number: int) -> list[int]:
        """What it answers, what that answers, and so on; the nearest first."""
        chain: list[int] = []
        parent = self._parent(number)
        while parent is not None and len(chain) < 30:
            chain.append(parent)
            parent = self._parent(parent)
        return chain

    def _message_id(self, number: int) -> str:
        digest = hashlib.md5(b"%d-%d" % (self.seed, number), usedforsecurity=False).hexdigest()[:20]
        return f"<{digest}.{number}@{DOMAINS[number % len(DOMAINS)]}>"


@dataclass(frozen=True)
class MailPack:
    """Many mails in one file, made by another process so that neither its time nor its memory is ours."""

    file: Path

    @staticmethod
    def make(file: Path, start: int, count: int, seed: int = 1) -> MailPack:
        subprocess.run(
            [sys.executable, "-m", "tests.bench.mails", "pack", str(file), str(count), str(start), str(seed)],
            check=True, cwd=_PROJECT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return MailPack(file)

    def __iter__(self) -> Iterator[bytes]:
        """The mails, lines ended by CRLF as a server sends them; one in memory at a time."""
        with self.file.open("rb") as stream:
            while head := stream.read(_FRAME.size):
                yield stream.read(_FRAME.unpack(head)[0])

    @cached_property
    def size(self) -> int:
        return self.file.stat().st_size

    def delete(self) -> None:
        self.file.unlink()


def main(arguments: Sequence[str]) -> int:
    form, target, count, start, seed = [*arguments, "0", "1"][:5]
    numbers = range(int(start), int(start) + int(count))
    if form == "maildir":
        write_maildir(Path(target), numbers, int(seed))
        return 0
    maker = MailMaker(int(seed))
    with Path(target).open("wb") as stream:
        for number in numbers:
            write_framed(stream, maker.mail(number).replace(b"\n", b"\r\n"))
    return 0


def write_maildir(directory: Path, numbers: range, seed: int = 1) -> None:
    """The mails of these numbers as a Maildir; each file is as old as its mail."""
    maker = MailMaker(seed)
    for name in ("cur", "new", "tmp"):
        Path(directory, name).mkdir(parents=True, exist_ok=True)
    for number in numbers:
        at = int(maker.sent_at(number).timestamp())
        file = Path(directory, "cur", f"{at}.M{number}P1.bench:2,")
        file.write_bytes(maker.mail(number))
        os.utime(file, (at, at))


def write_framed(stream: BinaryIO, mail: bytes) -> None:
    """One more mail at the end of a pack."""
    stream.write(_FRAME.pack(len(mail)) + mail)


# ---- words -----------------------------------------------------------------------------------------------------------


def _zipf_word(dice: random.Random, language: str) -> str:
    words = WORDS[language]
    return words[min(int(len(words) * dice.random() ** 2.2), len(words) - 1)]


def _sentence(dice: random.Random, language: str) -> str:
    """With order numbers, product codes and names here and there: the long tail that a search index must hold."""
    count = dice.randint(6, 18)
    words = [_zipf_word(dice, language) for _ in range(count)]
    rare = dice.random()
    if rare < 0.10:
        words.insert(dice.randrange(count), f"ORD-{dice.randrange(10**6):06d}")
    elif rare < 0.16:
        words.insert(dice.randrange(count), f"SKU{dice.randrange(5000):04d}-{dice.choice('ABCDEF')}")
    elif rare < 0.20:
        words.insert(dice.randrange(count), f"{dice.choice(LAST_NAMES).lower()}{dice.randrange(9999)}")
    words[0] = words[0].capitalize()
    return " ".join(words) + dice.choice([".", ".", ".", "?", "!"])


def _paragraph(dice: random.Random, language: str) -> str:
    return " ".join(_sentence(dice, language) for _ in range(dice.randint(2, 5)))


def _wrapped(text: str, width: int = 74) -> str:
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) + 1 > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


@lru_cache(maxsize=10_000)
def _person(number: int) -> tuple[str, str]:
    dice = random.Random(number * 7919 + 13)
    first, last = dice.choice(FIRST_NAMES), dice.choice(LAST_NAMES)
    local = "".join(letter for letter in f"{first}.{last}".lower() if letter.isascii()) + str(dice.randrange(10000))
    return f"{first} {last}", f"{local}@{dice.choice(DOMAINS)}"


# ---- bytes -----------------------------------------------------------------------------------------------------------


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8", maxlinelen=70).encode()


def _received(dice: random.Random, hop: int, date: datetime) -> str:
    domain, other, host = DOMAINS[dice.randrange(8)], DOMAINS[dice.randrange(8)], dice.randrange(255)
    return (
        f"Received: from mx{hop}.{domain} (mx{hop}.{other} [192.0.2.{host}])\n"
        f"\tby mail{hop}.support.example.com (Postfix) with ESMTPS id {dice.getrandbits(40):010X}\n"
        f"\tfor <{SUPPORT}>; {format_datetime(date + timedelta(seconds=9 - hop))}"
    )


def _signature(dice: random.Random, address: str, date: datetime) -> list[str]:
    domain = address.partition("@")[2]
    signature = base64.b64encode(dice.randbytes(256)).decode()
    body_hash = base64.b64encode(dice.randbytes(32)).decode()
    folded = "\n\t ".join(signature[at : at + 70] for at in range(0, len(signature), 70))
    signed = (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=sel1;\n"
        f"\th=from:to:subject:date:message-id:mime-version:content-type; t={int(date.timestamp())};\n"
        f"\tbh={body_hash};\n\tb={folded}"
    )
    checked = (
        f"Authentication-Results: mail0.support.example.com;\n\tdkim=pass header.d={domain} header.s=sel1;\n"
        f"\tspf=pass smtp.mailfrom={address}"
    )
    return [signed, checked]


def _html(text: str) -> str:
    pieces = []
    for paragraph in text.split("\n\n"):
        escaped = paragraph.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>\n")
        if paragraph.startswith(">"):
            pieces.append(
                '<blockquote type="cite" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">'
                f"{escaped}</blockquote>"
            )
        else:
            pieces.append(
                '<p class="MsoNormal" style="margin:0cm;font-size:11.0pt;font-family:Calibri,sans-serif">'
                f'<span style="color:#1F497D">{escaped}</span></p>'
            )
    return (
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n'
        '<style>p.MsoNormal{margin:0cm}a:link{color:#0563C1}</style></head><body lang="IT">\n'
        + "\n".join(pieces)
        + "\n</body></html>\n"
    )


def _quoted_printable(text: str) -> bytes:
    return quopri.encodestring(text.encode()).replace(b"\r\n", b"\n")


def _boundary(kind: str, number: int, dice: random.Random) -> bytes:
    return f"----=_{kind}_{number}_{dice.getrandbits(32):08x}".encode()


def _alternative(boundary: bytes, *parts: bytes) -> bytes:
    opening = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\n\n'
    listed = b"".join(b"--" + boundary + b"\n" + part + b"\n" for part in parts)
    return opening + b"This is a multi-part message in MIME format.\n" + listed + b"--" + boundary + b"--\n"


@lru_cache(maxsize=1)
def _noise() -> bytes:
    """What attached files are cut from: nothing compresses it."""
    return random.Random(99).randbytes(400_000)


def _with_file(number: int, dice: random.Random, content: bytes) -> bytes:
    boundary = _boundary("Mix", number, dice)
    size = int(30_000 + 170_000 * dice.random() ** 6)
    at = dice.randrange(400_000 - size)
    name, kind = dice.choice([
        (f"fattura_{number}.pdf", "application/pdf"),
        (f"Bildschirmfoto {number}.png", "image/png"),
        (f"été_{number}.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ])  # fmt: skip
    if name.isascii():
        parameter = f'filename="{name}"'
    else:
        octets = "".join(c if c.isascii() else "".join(f"%{octet:02X}" for octet in c.encode()) for c in name)
        parameter = f"filename*=utf-8''{octets}"
    headers = (
        f"Content-Type: {kind}\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; {parameter}\n\n"
    )
    file = headers.encode() + base64.encodebytes(_noise()[at : at + size])
    opening = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n\n'
    return opening + b"--" + boundary + b"\n" + content + b"\n--" + boundary + b"\n" + file + b"--" + boundary + b"--\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
