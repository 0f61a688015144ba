"""Whether a sender is who he says he is, as far as our own mail server reports it (SEC-6, RFC 8601).

Believed is a field whose authserv-id is the mailbox's own and which our server must have written: one that stands above
the first Received of our boundary. Whatever stands below came with the mail. A report is a word for people and a guard
against rights; nobody's mail is refused for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from supportdesk.mail.domains import canonical_domain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.mail.model import Address, ParsedMail

Dmarc = Literal["", "pass", "fail", "none"]
Check = Literal["", "pass", "fail", "unverified"]  # "": the mailbox's server reports nothing

MAX_FIELDS = 200
# They write their report below their own Received, and take away others under their name (RFC 8601 section 5).
BELOW_THEIR_RECEIVED = frozenset({"mx.google.com"})

_FIELD = "authentication-results"
_NOISE = re.compile(r'"[^"]{0,2000}"|\([^()]{0,2000}\)')
_BY = re.compile(r"\bby\s+([A-Za-z0-9._-]{1,255})")
_DMARC = re.compile(r"(?:^|;)\s*dmarc\s*=\s*(\w{1,20})([^;]*)", re.IGNORECASE)
_HEADER_FROM = re.compile(r"header\.from\s*=\s*([^\s;]{1,255})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Warned:
    """A sender who may not be who he seems to be: a stable `code`, and the `value` that it was seen in (untrusted)."""

    code: Literal["several_from", "name_is_address", "answers_elsewhere"]
    value: str


def check_sender(mail: ParsedMail, authserv_ids: str) -> Check:
    """What our own server says of the From; `authserv_ids` are its names, separated by blanks or commas.

    Only a DMARC pass for the one domain of the one From is a pass. Where the server reports, anything less is
    `unverified`, but for a failure.
    """
    found = _own_dmarc(mail, _ids(authserv_ids))
    if found in (None, "fail"):
        return "fail" if found else ""
    return "pass" if found == "pass" and not _has_several_from(mail) else "unverified"


def reported_dmarc(mail: ParsedMail, authserv_ids: str) -> Dmarc:
    """What is said of DMARC, for the acknowledgement.

    A failure is believed whoever reports it: a forged one only costs its sender the acknowledgement. That nothing was
    proved is believed of our own server alone, and only where it reports at all.
    """
    for value in mail.header_all(_FIELD)[:MAX_FIELDS]:
        told = _DMARC.search(_NOISE.sub(" ", value))
        if told is not None and told[1].lower() == "fail":
            return "fail"
    match check_sender(mail, authserv_ids):
        case "unverified":
            return "none"
        case known:
            return known


def warnings_about(mail: ParsedMail, sender: Address | None) -> Iterator[Warned]:
    """What an agent should see before he believes a name; `sender` is whose mail it is (a form's visitor, say)."""
    if _has_several_from(mail):
        yield Warned("several_from", ", ".join(dict.fromkeys(address.addr for address in mail.from_)))
    for defect in mail.defects:
        if defect.code == "from-spoofed":
            yield Warned("name_is_address", defect.detail)
    author = sender or (mail.from_[0] if mail.from_ else None)
    if author is not None and mail.reply_to and all(one.norm != author.norm for one in mail.reply_to):
        yield Warned("answers_elsewhere", mail.reply_to[0].addr)


def _has_several_from(mail: ParsedMail) -> bool:
    several = len({address.norm for address in mail.from_}) > 1
    return several or any(defect.code == "from-repeated" for defect in mail.defects)


def _own_dmarc(mail: ParsedMail, ids: frozenset[str]) -> str | None:
    """The DMARC result of our server for this From; "" where it says nothing of DMARC, None where it says nothing."""
    reports = [_NOISE.sub(" ", value) for value in _own_reports(mail, ids)]
    if not reports:
        return None
    for report in reports:
        told = _DMARC.search(report)
        if told is not None:
            domain = _HEADER_FROM.search(told[2])
            result = told[1].lower()
            return "" if result == "pass" and domain is not None and not _is_from(mail, domain[1]) else result
    return ""


def _is_from(mail: ParsedMail, domain: str) -> bool:
    """Whether DMARC spoke of the domain that we read in From, and not of another one that a server read there."""
    spoken = canonical_domain(domain.strip("\"'<>").rpartition("@")[2].rstrip(".")).casefold()
    return bool(mail.from_) and mail.from_[0].domain == spoken


def _own_reports(mail: ParsedMail, ids: frozenset[str]) -> Iterator[str]:
    """The fields that our own server wrote, top to bottom."""
    if not ids:
        return
    fields = [(name.casefold(), value) for name, value in mail.headers]
    for name, value in fields[: _end_of_ours(fields, ids)]:
        if name == _FIELD and _authserv_id(value) in ids:
            yield value


def _end_of_ours(fields: list[tuple[str, str]], ids: frozenset[str]) -> int:
    """Where what came with the mail begins: at the first Received of our boundary.

    If none names it, at the first Received at all; without any, after the topmost run of reports.
    """
    received = [at for at, (name, _) in enumerate(fields) if name == "received"]
    if not received:
        first = next((at for at, (name, _) in enumerate(fields) if name == _FIELD), 0)
        after = (at for at in range(first, len(fields)) if fields[at][0] != _FIELD)
        return next(after, len(fields))
    for at in received:
        host = _BY.search(fields[at][1])
        if host is None or not any(_is_same_site(host[1].casefold().rstrip("."), one) for one in ids):
            continue
        if ids & BELOW_THEIR_RECEIVED:
            return next((later for later in received if later > at), len(fields))
        return at
    return received[0]


def _is_same_site(host: str, authserv_id: str) -> bool:
    return host == authserv_id or host.endswith("." + authserv_id) or authserv_id.endswith("." + host)


def _authserv_id(value: str) -> str:
    words = _NOISE.sub(" ", value).partition(";")[0].split()
    return words[0].casefold() if words else ""


def _ids(setting: str) -> frozenset[str]:
    return frozenset(setting.replace(",", " ").casefold().split())
