"""Complexity bombs (reliability.md C04, C05): mails and texts of any size that a reader may choke on.

`./desk fuzz --bombs` reads each of them at 64 kB, 1 MB, 2 MB and 25 MB in a parsing child and tells what that cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from supportdesk.mail.child import WALL_SECONDS, MailParserPool, ParseFailed
from supportdesk.mail.quotes import find_folds
from tests.support.readers import cpu_seconds, peak_mib, reader_ids
from tests.support.timing import quickest_of_three

KIB: Final = 1 << 10
MIB: Final = 1 << 20
SIZES: Final = (64 * KIB, MIB, 2 * MIB, 25 * MIB)
MOST_SECONDS: Final = 1.0  # a mail of up to 2 MB; a larger one may be given up (C04)
MOST_MIB: Final = 256
MOST_GROWTH: Final = 2.5  # from n to 2n
MOST_FOLDING: Final = 0.1
NOISE: Final = 0.02  # seconds that are too short to compare
ROUNDS: Final = 5  # each reads every size once: a slow minute of the machine falls on all of them
PATIENCE: Final = 20.0  # on the clock; what takes more than the reader's limit of a core's time counts as given up
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
    "report without a field": repeated(
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=B\n\n--B\nContent-Type: text/plain\n\n"
        b"failed\n--B\nContent-Type: message/delivery-status\n\n",
        b"prose\n",
    ),
    "bounce of one line": repeated(b"From: MAILER-DAEMON@x.example\nSubject: undelivered\n\nfailed ", b"a@b."),
}
_TNEF = b"Content-Type: application/ms-tnef\nContent-Transfer-Encoding: 8bit\n\n\x78\x9f\x3e\x22\1\0"
BOMBS |= {
    "winmail.dat of attributes": repeated(_TNEF, b"\1\0\x80\6\0\0\0\0\0\0\0"),
    "winmail.dat of files": repeated(_TNEF, b"\2\2\x90\6\0\0\0\0\0\0\0"),
    "winmail.dat of values": lambda size: (
        _TNEF
        + b"\1\3\x90\6\0"
        + size.to_bytes(4, "little")
        + b"\1\0\0\0\x1e\x10\0\x10"
        + b"\xff\xff\xff\0" * (size // 4)
    ),
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


@dataclass(frozen=True, slots=True)
class Cost:
    """What one bomb cost at each size, in seconds of a core; None where its mail was given up and quarantined."""

    name: str
    seconds: tuple[float | None, ...]
    peak_mib: float = 0.0

    @property
    def growth(self) -> float:
        """How much longer twice as much takes; 0 where that is too short to tell."""
        once, twice = self.seconds[1], self.seconds[2]
        return twice / once if once and twice and once > NOISE else 0.0

    @property
    def holds(self) -> bool:
        small = all(taken is not None and taken <= MOST_SECONDS for taken in self.seconds[:3])
        return small and self.growth <= MOST_GROWTH and self.peak_mib <= MOST_MIB

    def line(self) -> str:
        cells = ("quarantined" if taken is None else f"{taken * 1000:,.0f} ms" for taken in self.seconds)
        growth = f"{self.growth:.1f} x" if self.growth else "-"
        memory = f"{self.peak_mib:,.0f} MB" if self.peak_mib else "-"
        mark = "holds" if self.holds else "BROKEN"
        return f"{self.name:28}" + "".join(f"{cell:>13}" for cell in (*cells, growth, memory, mark))


def costs() -> Iterator[Cost]:
    """Each mail in a parsing child of its own, and each text in the quote finder, whose limit is 100 ms a megabyte."""
    for name, bomb in BOMBS.items():
        yield _cost(name, bomb)
    for name, text in FOLDED.items():
        yield Cost(f"folding: {name}", tuple(quickest_of_three(partial(find_folds, text(size))) for size in SIZES))


def main() -> int:
    """Print the costs; 1 when one of them breaks a limit."""
    heads = ("64 kB", "1 MB", "2 MB", "25 MB", "2 MB : 1 MB", "peak", "")
    print(f"{'bomb':28}" + "".join(f"{head:>13}" for head in heads))
    broken = 0
    for cost in costs():
        slow_fold = cost.name.startswith("folding") and (cost.seconds[1] or 0.0) > MOST_FOLDING
        broken += slow_fold or not cost.holds
        print(cost.line() + (" over 100 ms" if slow_fold else ""), flush=True)
    print(f"bombs={len(BOMBS) + len(FOLDED)} broken={broken}")
    return 1 if broken else 0


def _cost(name: str, bomb: Callable[[int], bytes]) -> Cost:
    rounds = [[_read(bomb(size)) for size in SIZES] for _round in range(ROUNDS)]
    taken = tuple(_quickest([seconds for seconds, _peak in of_one_size]) for of_one_size in zip(*rounds, strict=True))
    return Cost(name, taken, max(peak for one in rounds for _seconds, peak in one))


def _read(mail: bytes) -> tuple[float | None, float]:
    """Seconds of a core in a child of its own, None where it was given up, and the child's peak in MiB."""
    with MailParserPool(1, seconds=PATIENCE) as pool:
        pool.parse(b"Subject: warm\n\n")
        (reader,) = reader_ids(pool)
        before = cpu_seconds(reader)
        (answer,) = pool.parse_many([(mail, None)])
        if isinstance(answer, ParseFailed):
            return None, 0.0
        spent = cpu_seconds(reader) - before
        return (spent if spent <= WALL_SECONDS else None), peak_mib(reader)


def _quickest(taken: list[float | None]) -> float | None:
    """The best run, as a text's: what else the machine does is not asked for. Given up once is given up."""
    known = [seconds for seconds in taken if seconds is not None]
    return min(known) if len(known) == len(taken) else None
