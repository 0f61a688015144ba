"""Subjects: what is left without Re:, AW:, R:, 答复: and list tags, and what an order number looks like in a text."""

from __future__ import annotations

import re

from supportdesk.errors import UsageError
from supportdesk.mail.phrases import REPLY_PREFIXES

MAX_SUBJECT = 1_000  # characters that are looked at
MAX_PATTERN = 200
MAX_LINE = 200
MAX_TEXT = 20_000
MAX_WAYS = 200_000  # in which a pattern's repeats could be tried at one place
MAX_NUMBERS = 10

_LONGEST_PREFIX = max(map(len, REPLY_PREFIXES))
# Re[4]:  Re(2):  Re^2:  Re*3:  Re 2:
_PREFIX = re.compile(
    rf"\s*([^\W\d_][^\[\](){{}}<>:：*^\d]{{0,{_LONGEST_PREFIX}}}?)\s?"
    r"(?:[\[(]\d{1,4}[\])]|[\^*]?\d{1,4})?\s*[:：]"
)
_BLOB = re.compile(r"\s*\[[^\[\]]*\]\s*")
_TRAILER = re.compile(r"(?:\s|\((?:fwd?|fw)\))+\Z", re.IGNORECASE)
_TICKET_TAG = re.compile(r"\[#([1-9][0-9]{0,17})\]")


def base_subject(subject: str) -> str:
    """The subject by which two mails are compared (RFC 5256 2.1, with the prefixes of other languages), case-folded."""
    rest = " ".join(subject[:MAX_SUBJECT].split())
    while True:
        before = rest
        rest = _TRAILER.sub("", _strip_prefixes(rest)).strip()
        blob = _BLOB.match(rest)
        if blob is not None and rest[blob.end() :]:
            rest = rest[blob.end() :]
        if rest[:5].lower() == "[fwd:" and rest.endswith("]"):
            rest = rest[5:-1].strip()
        if rest == before:
            return rest.casefold()


def strip_reply_prefixes(subject: str) -> str:
    """The subject without `Re:` and its like at the start; tags in brackets stay."""
    return _strip_prefixes(subject[:MAX_SUBJECT]) + subject[MAX_SUBJECT:]


def ticket_tags(subject: str) -> tuple[int, ...]:
    """The numbers of `[#12345]` tags, in order, each once."""
    return tuple(dict.fromkeys(int(number) for number in _TICKET_TAG.findall(subject[:MAX_SUBJECT])))


def check_order_pattern(pattern: str) -> re.Pattern[str]:
    """The mailbox's order-number pattern, compiled; UsageError on what could run for ever or is no pattern.

    Refused are repeated groups, look-around, back-references and more than two unlimited repeats.
    """
    if len(pattern) > MAX_PATTERN:
        raise UsageError(f"the order pattern is longer than {MAX_PATTERN} characters")
    bare = re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "c", re.sub(r"\\[^0-9]", "c", pattern))
    if re.search(r"\)(?:[*+]|\{)", bare) or re.search(r"\\[0-9]|\(\?P=|\(\?<?[=!]|\(\?\(", bare):
        raise UsageError(
            f"the order pattern {pattern!r} repeats a group, looks around or refers back, which can take for ever",
            hint=r"Write it as a plain sequence, for example IT-\d{6,8}.",
        )
    if _ways(bare) > MAX_WAYS:
        raise UsageError(f"the order pattern {pattern!r} has too many open repeats", hint=r"Use fixed ones: \d{6}.")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"the order pattern {pattern!r} is not a regular expression: {error}") from error


def find_order_numbers(text: str, pattern: str) -> tuple[str, ...]:
    """The order numbers in a text by the mailbox's pattern (its first group, if it has one), each once, at most ten."""
    if not pattern:
        return ()
    compiled = check_order_pattern(pattern)
    found: dict[str, None] = {}
    for line in text[:MAX_TEXT].splitlines():
        for hit in compiled.finditer(line[:MAX_LINE]):
            number = (hit[1] if compiled.groups else hit[0]) or ""
            if number.strip():
                found.setdefault(number.strip())
            if len(found) == MAX_NUMBERS:
                return tuple(found)
    return tuple(found)


def _ways(pattern: str) -> int:
    """An upper bound of how often the repeats of a pattern (without classes and escapes) can be combined."""
    ways = 1
    for least, comma, most in re.findall(r"\{(\d*)(,?)(\d*)\}", pattern):
        ways *= max(1, int(most or MAX_LINE) - int(least or 0) + 1) if comma else 1
    simple = re.sub(r"\{[\d,]*\}|\(\?", "", pattern)
    return int(ways * MAX_LINE ** len(re.findall(r"[*+]", simple)) * 2 ** len(re.findall(r"[?|]", simple)))


def _strip_prefixes(subject: str) -> str:
    at = 0
    while (found := _PREFIX.match(subject, at)) is not None and found[1].strip().casefold() in REPLY_PREFIXES:
        at = found.end()
    return subject[at:].lstrip() if at else subject
