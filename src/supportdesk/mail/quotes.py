"""Where earlier mail and signatures begin and end in a text (PARSE-13): ranges to fold, never to delete.

One pass over the lines with set look-ups and bounded windows, no backtracking expression: linear, whatever the
sender wrote.
A forwarded mail is new to its reader and is not folded; text written between quotes stays visible; and where
folding would
leave nothing that a person wrote, nothing is folded.
"""

from __future__ import annotations

import re
from itertools import accumulate

from supportdesk.mail.footers import legal_notices
from supportdesk.mail.model import Fold
from supportdesk.mail.quote_words import CITING, FORWARDED, LABELS, OPENINGS, ORIGINAL, SENT_FROM, VERBS

_FORWARD_SUBJECT = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(?:fwd?|wg|tr|rv|i|enc|doorst|vs|vb|"
    r"vl|pd|továbbítás|továbbított|転送|转发|轉寄|пересл|ynt|ilt|proslj|"
    r"odp|fs|rif|encaminhada|trs|fyi)\s*[:：]",
    re.IGNORECASE,
)
_RULES = "-_*=#—‐"
_BLANKS = " \t\r\f\v\u00a0\u200e\u200f\u202a\u202b\u202c"
_SENT_HEADS = frozenset(phrase[:4] for phrase in SENT_FROM)
_MARKERS = (
    "reply above this line",
    "type your reply above",
    "reply above the line",
    "antworten sie oberhalb dieser",
    "rispondi sopra questa riga",
)
_ADDRESS = re.compile(r"[^\s<>\"(),;:]@[\w-]")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W_]")
_SENDER_LAST = re.compile(r"<[^<>@]{1,100}@[^<>]{1,200}>[\u200e\u200f\u202a-\u202c ]{0,4}[:：]$")
_YEAR = re.compile(r"(?<!\d)(?:20\d\d|\d{1,2}[./]\d{1,2}[./]\d\d)(?!\d)")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.]\d\d(?!\d)")
_DATE_FIRST = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_ARMOR = {  # RFC 4880 6.2 and 7: begin and end of what is no text of the mail
    "-----BEGIN PGP SIGNED MESSAGE-----": "",
    "-----BEGIN PGP SIGNATURE-----": "-----END PGP SIGNATURE-----",
    "-----BEGIN PGP PUBLIC KEY BLOCK-----": "-----END PGP PUBLIC KEY BLOCK-----",
}
_LONGEST_ARMOR = 500
MAX_LINES = 3_000
MAX_SCANNED = 1_000_000  # characters
_WINDOW = 400
_BLOCK_LINES = 12
_LONGEST_SIGNATURE = 30


def find_folds(text: str, quoted: list[tuple[int, int]] | None = None, *, forwarded: bool = False) -> tuple[Fold, ...]:
    """The folds of a text. `quoted` are ranges that the HTML marks as earlier mail; `forwarded`: the subject says
    so.
    """
    if not text:
        return ()
    scan = _Scan(text[: _end_of_head(text)], quoted or [], forwarded)
    scan.run()
    folds = scan.folds
    if scan.fills_the_rest and folds:
        folds[-1] = Fold(folds[-1].start, len(text), folds[-1].kind)
    folds = list(legal_notices(text, tuple(folds)))
    kept = "".join(text[start:end] for start, end in _gaps(folds, len(text)))
    if _LETTER.search(kept) is None:
        # A mail that is all quotation, or all signature, is shown as it is.
        return ()
    return tuple(folds)


def is_forward(subject: str) -> bool:
    """Whether a subject begins with one of the forward prefixes (Fwd:, WG:, TR:, RV:, I: …)."""
    return _FORWARD_SUBJECT.match(subject) is not None


def _end_of_head(text: str) -> int:
    """How much of a text is looked at: nobody answers below thousands of lines, and what is not looked at is shown."""
    if len(text) <= MAX_LINES:
        return len(text)
    at = 0
    for _ in range(MAX_LINES):
        newline = text.find("\n", at, MAX_SCANNED)
        if newline < 0:
            return min(len(text), MAX_SCANNED)
        at = newline + 1
    return at


def _gaps(folds: list[Fold], length: int) -> list[tuple[int, int]]:
    gaps, at = [], 0
    for fold in folds:
        gaps.append((at, fold.start))
        at = fold.end
    gaps.append((at, length))
    return gaps


class _Scan:
    """The state of one pass: lines, where each begins, and the folds found so far, in order and disjoint."""

    def __init__(self, text: str, quoted: list[tuple[int, int]], forwarded: bool) -> None:
        self.lines = text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]
        self.length = len(text)
        self.forwarded = forwarded
        self.folds: list[Fold] = []
        self.fills_the_rest = False  # earlier mail begins somewhere and goes on to the end
        self.containers = self._container_lines(sorted(quoted))

    def run(self) -> None:
        lines, count = self.lines, len(self.lines)
        at, signature = 0, -1
        while at < count:
            line = lines[at]
            if at in self.containers and not self._is_forwarded_container(at):
                signature = self._close(signature, at)
                end = self._container_end(at, self.containers.pop(at))
                self._fold(at, end, "quote")
                at = end
                continue
            if not line or line.isspace():
                at += 1
                continue
            if line[0] == ">" and not self._is_escaped_from(at):
                first = self._attribution_above(at)
                signature = self._close(signature, first)
                end = self._quoted_run(at)
                self._fold(first, end, "quote")
                at = end
                continue
            stripped = line.strip(_BLANKS) if line[-1] in _BLANKS else line.strip()
            if not stripped or len(stripped) > _WINDOW:
                at += 1
                continue
            if signature < 0 and at > 0 and line.rstrip() == "--":
                signature = at
                at += 1
                continue
            if stripped in _ARMOR and (end := self._armor_end(at, _ARMOR[stripped])) > at:
                signature = self._close(signature, at)
                self._fold(at, end, "signature")
                at = end
                continue
            first_char, ends = stripped[0], stripped[-1] in ":："
            if (ends or first_char in _RULES) and self._is_forward_marker(stripped):
                # What follows is forwarded mail: visible, with whatever is quoted in it.
                self._close(signature, at)
                return
            if first_char in _RULES or ends or ":" in stripped[:40] or "：" in stripped[:40]:
                first = self._earlier_mail(at, stripped, ends)
                if first >= 0:
                    self._close(signature, first)
                    self._fold(first, count, "quote")
                    self.fills_the_rest = True
                    return
            if (
                signature < 0
                and at > 0
                and stripped[:4].casefold() in _SENT_HEADS
                and len(stripped) <= 100
                and stripped.casefold().startswith(SENT_FROM)
                and not _is_sentence(stripped)
            ):
                self._fold(at, at + 1, "signature")
            at += 1
        self._close(signature, count)

    def _is_escaped_from(self, at: int) -> bool:
        """Whether a mailbox file put the `>` before a line that begins with "From": no other line is quoted there."""
        beside = (self.lines[number][:1] for number in (at - 1, at + 1) if 0 <= number < len(self.lines))
        return self.lines[at].startswith(">From ") and ">" not in beside

    def _armor_end(self, at: int, last: str) -> int:
        """The line after a block of an OpenPGP signature that ends with line `last`; `at` where it never ends."""
        for number in range(at + 1, min(at + _LONGEST_ARMOR, len(self.lines))):
            if self.lines[number].strip() == last:
                return number + 1
        return at

    def _earlier_mail(self, at: int, stripped: str, ends: bool) -> int:
        """The first line of the introduction to earlier mail that fills the rest of the text; -1 when line `at` is
        none.
        """
        if stripped[0] in _RULES:
            core = stripped.strip(_RULES + " :").casefold()
            if any(marker in core for marker in _MARKERS):
                return at
            original = (core.startswith(ORIGINAL) and len(core) < 60) or core == "original"
            if original or (not core and len(stripped) >= 5 and self._header_kinds(self._next_filled(at + 1)) >= 2):
                return -1 if self.forwarded else at
        if self.forwarded:
            return -1
        if header_label(stripped) in ("from", "date") and self._header_kinds(at) >= 3:
            return at
        if ends or stripped[0] in _RULES:
            below = self._next_filled(at + 1)
            if below >= len(self.lines) or self.lines[below][:1] != ">":
                return self._attribution_start(at, quoted_below=False)
        return -1

    def _attribution_above(self, at: int) -> int:
        """The first line of the attribution of the quoted run at line `at`, or `at` itself."""
        above = at - 1
        while above >= 0 and at - above <= 3 and not self.lines[above].strip():
            above -= 1
        if above < 0 or not self.lines[above].strip() or self.starts[above] < self._folded_to():
            return at
        first = self._attribution_start(above, quoted_below=True)
        return first if first >= 0 else at

    def _attribution_start(self, last: int, *, quoted_below: bool) -> int:
        """Where the attribution that ends on line `last` begins, at most two lines higher; -1 when it is none."""
        joined = self.lines[last].strip()
        found = last if self._is_attribution(joined, quoted_below) else -1
        for first in range(last - 1, max(last - 3, -1), -1):
            piece = self.lines[first].strip()
            if (
                not piece
                or piece[0] == ">"
                or len(joined) + len(piece) > _WINDOW
                or self.starts[first] < self._folded_to()
            ):
                break
            joined = f"{piece} {joined}"
            if piece[:20].casefold().startswith(OPENINGS) and self._is_attribution(joined, quoted_below):
                return first
        return found

    def _folded_to(self) -> int:
        return self.folds[-1].end if self.folds else 0

    def _is_attribution(self, joined: str, quoted_below: bool) -> bool:
        folded = joined.casefold().strip("- \u200e\u200f\u202a\u202b\u202c")
        bare = folded.rstrip(":： \u200e>*")
        ends = folded.endswith((":", "："))
        if not ends and "@" not in folded and not bare.endswith(VERBS):
            return False
        dated = _DIGIT.search(folded) is not None
        if bare.endswith(VERBS) or any(verb in folded for verb in VERBS):
            if not ends and not bare.endswith(VERBS):
                return False
            if quoted_below:
                return ends or dated
            addressed = _ADDRESS.search(folded) is not None
            timed = dated and (
                ":" in folded.rstrip(":")
                or any(len(word) >= 4 and word.strip(".,")[-4:].isdigit() for word in folded.split())
            )
            framed = joined.startswith("--") and joined.endswith("--") and addressed  # Zoho's "---- On … wrote ----"
            return timed and (framed or (ends and (folded.startswith(OPENINGS) or folded[:1].isdigit() or addressed)))
        if quoted_below:
            # Horde's "Zitat von …:", and old Gmail: "2012/11/20 Hans Meier <hans@example.com>"
            return _ADDRESS.search(folded) is not None and (
                _DATE_FIRST.match(folded) is not None or (ends and (dated or folded.startswith(CITING)))
            )
        # In many languages without a verb: a day with its year, a time, and whose mail it was.
        return all(pattern.search(folded) is not None for pattern in (_SENDER_LAST, _YEAR, _TIME))

    def _header_kinds(self, at: int) -> int:
        """How many kinds of fields the header block at line `at` has: 0 when there is none."""
        kinds: set[str] = set()
        blanks = 0
        addressed = False
        for number in range(at, min(at + _BLOCK_LINES, len(self.lines))):
            stripped = self.lines[number].strip()
            if not stripped:
                blanks += 1
                if blanks > len(kinds) + 1:
                    break
                continue
            label = header_label(stripped)
            if label:
                kinds.add(label)
                addressed = addressed or "@" in stripped
            elif not kinds:
                break
        # "From: Berlin, To: Munich" is a journey.
        return len(kinds - {"other"}) if "from" in kinds and (addressed or "subject" in kinds) else 0

    def _is_forward_marker(self, stripped: str) -> bool:
        if len(stripped) > 120:
            return False
        core = stripped.strip("-_*=> :：").casefold()
        return core.startswith(FORWARDED) and (stripped[0] in "-_*=>" or stripped[-1] in ":：")

    def _is_forwarded_container(self, at: int) -> bool:
        first = self._next_filled(at)
        if first >= len(self.lines):
            return False
        if self._is_forward_marker(self.lines[first].strip()):
            return True
        return self.forwarded and self._header_kinds(first) >= 2

    def _container_end(self, at: int, end: int) -> int:
        """How much of a container is folded: all, unless it is an attribution with quoted runs that may be
        answered in between.
        """
        filled = 0
        for number in range(at, end):
            if self.lines[number][:1] == ">":
                return self._quoted_run(number)
            filled += bool(self.lines[number].strip())
            if filled > 3:
                break
        return end

    def _quoted_run(self, at: int) -> int:
        """The line after a run of quoted lines; empty lines between two quoted ones belong to it."""
        lines, end = self.lines, at
        while at < len(lines):
            line = lines[at]
            if line[:1] == ">":
                at += 1
                end = at
            elif not line or line.isspace():
                at += 1
            else:
                break
        return end

    def _next_filled(self, at: int) -> int:
        while at < len(self.lines) and (not self.lines[at] or self.lines[at].isspace()):
            at += 1
        return at

    def _close(self, signature: int, at: int) -> int:
        """End a signature that began at line `signature` before line `at`; too long a one is none."""
        if (
            signature >= 0
            and sum(1 for number in range(signature, at) if self.lines[number].strip()) <= _LONGEST_SIGNATURE
        ):
            self._fold(signature, at, "signature")
        return -1

    def _fold(self, first: int, end: int, kind: str) -> None:
        start, stop = self.starts[first], min(self.starts[end], self.length)
        if self.folds and self.folds[-1].end > start:
            start = self.folds[-1].end
        if start < stop:
            if self.folds and self.folds[-1].end == start and self.folds[-1].kind == kind:
                start = self.folds.pop().start
            self.folds.append(Fold(start, stop, kind))

    def _container_lines(self, quoted: list[tuple[int, int]]) -> dict[int, int]:
        """First line → line after the last, for each outermost container."""
        found: dict[int, int] = {}
        number, reached = 0, 0
        for start, end in quoted:
            if end <= reached:
                continue
            while number < len(self.lines) and self.starts[number] < start:
                number += 1
            first = number
            while number < len(self.lines) and self.starts[number] < end:
                number += 1
            reached = end
            if first < number:
                found[first] = number
        return found


def _is_sentence(line: str) -> bool:
    """Whether a line that begins like a phone's signature goes on: "Sent from my desk, which is …"."""
    return "," in line and len(line.split()) > 6


def header_label(stripped: str) -> str:
    """Which header field a line looks like, in any language; "" for none."""
    head = stripped[:40].lstrip("*> \u200e")
    name, colon, _ = head.replace("：", ":").partition(":")
    return LABELS.get(name.strip("* \u00a0").casefold(), "") if colon else ""
