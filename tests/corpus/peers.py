"""What Dovecot, Zammad and Stalwart read in the same mails."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from supportdesk.mail.limits import DefectLog
from supportdesk.mail.mime import Part, read_tree
from supportdesk.mail.model import Address, Attachment, ParsedMail
from supportdesk.mail.parse import cut_part
from supportdesk.mail.words import decode_unstructured
from tests.corpus.findings import Group
from tests.corpus.folder import Folder
from tests.corpus.judged import Comparison

Pairs = Callable[[str, Mapping[str, Any], ParsedMail], Iterable[tuple[Any, Any]]]

_NO_TEXT = ("message.html",)  # Zammad keeps the HTML that it shows as a file


def dovecot(folder: Folder, mails: Mapping[str, ParsedMail]) -> Group:
    """Dovecot's FETCH BODYSTRUCTURE and ENVELOPE."""
    tree = Comparison("dovecot", "tree", 0.99)
    envelope = Comparison("dovecot", "envelope", 0.99)
    expected = folder.expected("dovecot-structure")
    for name, entry in expected.items():
        mail = mails.get(name)
        if mail is None:
            continue
        if entry.get("structure"):
            tree.add(name, _their_tree(entry["structure"]), _our_tree(_root(folder.raw(name))))
        if entry.get("envelope"):
            envelope.add(name, *_envelopes(entry["envelope"], mail))
    return Group("dovecot", f"{len(expected):,} mails", (*tree.findings(), *envelope.findings()))


def zammad(folder: Folder, mails: Mapping[str, ParsedMail]) -> Group:
    def pairs(name: str, entry: Mapping[str, Any], mail: ParsedMail) -> Iterator[tuple[Any, Any]]:
        yield (entry.get("from_email") or "").casefold(), mail.from_[0].norm if mail.from_ else ""
        yield _bare(entry.get("subject")), _bare(mail.subject)
        raw = folder.raw(name)
        ours = sorted(hashlib.md5(cut_part(raw, one.part)).hexdigest() for one in _of_this_mail(mail))
        yield sorted(one["md5"] for one in entry.get("attachments") or () if one["filename"] not in _NO_TEXT), ours

    return _compared("zammad", folder, mails, pairs)


def stalwart(folder: Folder, mails: Mapping[str, ParsedMail]) -> Group:
    def pairs(_name: str, entry: Mapping[str, Any], mail: ParsedMail) -> Iterator[tuple[Any, Any]]:
        theirs = [[_bare(person), (address or "").casefold()] for person, address in entry.get("from") or ()]
        yield theirs, [[_bare(one.name), one.norm] for one in mail.from_]
        yield _bare(entry.get("subject")), _bare(mail.subject)
        yield entry.get("n_attachments", 0), sum(1 for _ in _of_this_mail(mail))

    return _compared("stalwart", folder, mails, pairs)


def _compared(peer: str, folder: Folder, mails: Mapping[str, ParsedMail], pairs: Pairs) -> Group:
    """A peer that tells sender, subject and files of each mail; `pairs` gives what it and we read, in that order."""
    comparisons = [Comparison(peer, what, 0.97) for what in ("from", "subject", "attachments")]
    expected = folder.expected(peer)
    for name, entry in expected.items():
        mail = mails.get(name)
        if mail is None:
            continue
        for comparison, (theirs, ours) in zip(comparisons, pairs(name, entry, mail), strict=True):
            comparison.add(name, theirs, ours)
    findings = tuple(finding for comparison in comparisons for finding in comparison.findings())
    return Group(peer, f"{len(expected):,} mails", findings)


def _of_this_mail(mail: ParsedMail) -> Iterator[Attachment]:
    """Without the files of attached mails and of what a signature encloses, which others leave in there."""
    return (one for one in mail.attachments if not {"eml", "p7m"} & set(one.part.split(".")))


def _root(raw: bytes) -> Part:
    return read_tree(raw, DefectLog())


def _their_tree(structure: Mapping[str, Any]) -> Any:
    """A type, and what is in it: parts, or the nested mail."""
    kind = str(structure["type"]).casefold()
    return (kind if "/" in kind else "text/plain", tuple(_their_tree(part) for part in structure.get("parts") or ()))


def _our_tree(part: Part) -> Any:
    return (part.content_type, tuple(_our_tree(child) for child in part.children))


def _envelopes(theirs: Mapping[str, Any], mail: ParsedMail) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields in which the two envelopes differ: theirs and ours, made comparable."""
    date = str(theirs.get("date") or "")
    pairs: dict[str, tuple[Any, Any]] = {
        "subject": (_bare(decode_unstructured(theirs.get("subject") or "")), _bare(mail.subject)),
        "message_id": (_bare(theirs.get("message_id")), _bare(mail.message_id)),
        # Dovecot joins repeated From fields, for us the first one counts: the author is who both name first.
        "from": (_their_addresses(theirs.get("from"))[:1], _our_addresses(mail.from_)[:1]),
        "to": (_their_addresses(theirs.get("to")), _our_addresses(mail.to)),
        "cc": (_their_addresses(theirs.get("cc")), _our_addresses(mail.cc)),
    }
    if date and date != "None":
        pairs["date"] = (date, f"{mail.date:%Y-%m-%d %H:%M:%S}" if mail.date else "")
    differing = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
    return {key: pair[0] for key, pair in differing.items()}, {key: pair[1] for key, pair in differing.items()}


def _their_addresses(rows: Any) -> list[str]:
    """Dovecot writes MISSING_DOMAIN and the like where there is no address."""
    addresses = [_from_octets(str(address or "")).casefold() for _, address in rows or ()]
    usable = [one for one in addresses if "missing_" not in one and "syntax_error" not in one]
    return [one for one in usable if "@" in one[1:] and not one.endswith("@")]


def _from_octets(text: str) -> str:
    """Dovecot hands raw eight-bit fields on as they are, one character an octet."""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def _our_addresses(addresses: tuple[Address, ...]) -> list[str]:
    return [one.norm for one in addresses]


def _bare(text: str | None) -> str:
    return "".join((text or "").split()).strip("<>").casefold()
