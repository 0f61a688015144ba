"""The mail reader: bytes in, a `ParsedMail` out, pure and without exceptions (mail.md, PARSE-1 … PARSE-14).

It is our own because the standard library's loses headers after one malformed line, raises on real mail and is
quadratic.
Hostile mail is parsed in a contained process (see `child`); this module is what runs there.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from supportdesk.mail.addresses import name_hides_address, parse_addresses
from supportdesk.mail.attachments import cut_attachment, list_attachments
from supportdesk.mail.body import choose_body
from supportdesk.mail.contained import enclosed, encloses_letter
from supportdesk.mail.dates import parse_date
from supportdesk.mail.headers import Fields, message_id, message_ids
from supportdesk.mail.inner_mail import find_inner_mail
from supportdesk.mail.limits import MAX_RAW, MAX_TEXT, DefectLog
from supportdesk.mail.mime import Part, read_tree
from supportdesk.mail.model import Address, Fold, InnerMail, ParsedMail
from supportdesk.mail.quotes import find_folds, is_forward
from supportdesk.mail.reports import read_report
from supportdesk.mail.transfer import unified_pieces
from supportdesk.mail.words import decode_unstructured

_DELIVERED_TO = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "x-delivered-to")
_SINGLETONS = ("from", "subject", "content-type", "date", "message-id", "to", "reply-to", "sender")
_FUTURE = timedelta(hours=1)
_PAST = timedelta(days=3653)


def parse(raw: bytes, received_at: datetime | None = None) -> ParsedMail:
    """Read one mail. `received_at` (aware) stands in for a date that is missing, in the future or ten years old."""
    log = DefectLog()
    size = len(raw)
    root = _read(raw, log)
    body = choose_body(root, log)
    fields = root.fields
    charset = root.charset or next((part.charset for part in root.walk() if part.charset), "")
    headers = tuple(
        [
            (
                name,
                value
                if value.isascii() and value.isprintable() and "=?" not in value
                else decode_unstructured(value, charset),
            )
            for name, value in fields.items
        ]
    )
    subject = decode_unstructured(fields.get("subject"), charset)
    return_path = _return_path(fields)
    from_ = _senders(fields, return_path, charset, log)
    to = _addresses(fields, "to", charset, log)
    cc = _addresses(fields, "cc", charset, log)
    text = body.text
    report = read_report(root, from_, to, return_path, subject, text, log)
    _note_repeated(fields, log)
    _note_protection(root, text, log)
    identity = message_id(decode_unstructured(fields.get("message-id")))
    fingerprint = _fingerprint(root, subject, from_, to, cc, identity)
    inner = None if report else find_inner_mail(root, subject)
    folds = find_folds(text, body.quoted, forwarded=is_forward(subject))
    if inner is not None and inner.kind == "pec" and "x-ricevuta" not in fields:
        subject = inner.subject or subject
        text, folds = _with_the_letter_first(inner.text, text)
    elif inner is not None and not text.strip():
        text = _attached_letter(inner)
    return ParsedMail(
        headers=headers,
        subject=subject,
        from_=from_,
        sender=_addresses(fields, "sender", charset, log),
        reply_to=_addresses(fields, "reply-to", charset, log),
        to=to,
        cc=cc,
        delivered_to=_delivered_to(fields),
        return_path=return_path,
        message_id=identity,
        in_reply_to=message_ids(decode_unstructured(fields.get("in-reply-to"))),
        references=message_ids(decode_unstructured(" ".join(fields.all("references")))),
        date=_date(fields, received_at, log),
        text=text,
        text_source=body.source,
        folds=folds,
        links=body.links,
        attachments=list_attachments(root, body, log),
        report=report,
        inner=inner,
        fingerprint=fingerprint,
        content_type=root.content_type,
        size=size,
        defects=log.result(),
    )


def _with_the_letter_first(letter: str, envelope: str) -> tuple[str, tuple[Fold, ...]]:
    """A certified mail's text: what the human wrote, then the gateway's words about it, folded."""
    if not letter.strip():
        return envelope, find_folds(envelope)
    letter = letter.rstrip() + "\n\n"
    text = (letter + envelope)[:MAX_TEXT]
    about = (Fold(len(letter), len(text), "quote"),) if len(text) > len(letter) else ()
    return text, (*find_folds(letter), *about)


def _attached_letter(inner: InnerMail) -> str:
    """Somebody forwards a mail as a file and says nothing himself: what he wants read is in it."""
    head = [f"From: {', '.join(map(str, inner.from_))}", f"Subject: {inner.subject}"]
    return "\n".join((*head, "", inner.text))[:MAX_TEXT]


def cut_part(raw: bytes, part: str) -> bytes:
    """The decoded content of one attachment by its part path; KeyError when the mail has no such part."""
    log = DefectLog()
    content = cut_attachment(_read(raw, log), part, log)
    if content is None:
        raise KeyError(part)
    return content


def _read(raw: bytes, log: DefectLog) -> Part:
    if len(raw) > MAX_RAW:
        log.add("too-large", str(len(raw)))
        raw = raw[:MAX_RAW]
    return read_tree(raw, log)


def _addresses(fields: Fields, name: str, charset: str, log: DefectLog) -> tuple[Address, ...]:
    value = fields.first(name)
    if not value:
        return ()
    values = fields.all(name) if name in ("to", "cc") else [value]
    return parse_addresses(value if len(values) == 1 else ", ".join(values), charset, log)


def _senders(fields: Fields, return_path: str | None, charset: str, log: DefectLog) -> tuple[Address, ...]:
    """The mailboxes of From, else of Sender, Reply-To or Return-Path: a mail without a usable From is still a mail."""
    senders: tuple[Address, ...] = ()
    for value in fields.all("from"):
        senders = parse_addresses(value, charset, log)
        if senders:
            break
    if not senders:
        log.add("from-missing", fields.get("from")[:80])
        for name in ("sender", "reply-to"):
            senders = senders or _addresses(fields, name, charset, log)
        if not senders and return_path:
            senders = parse_addresses(return_path, charset)
    for address in senders:
        if name_hides_address(address) and not _speaks_for_another(address, fields):
            log.add("from-spoofed", str(address)[:200])
    return senders


def _speaks_for_another(address: Address, fields: Fields) -> bool:
    """Certified mail's gateway names whom it speaks for: "Per conto di: x@pec.example" <posta-certificata@…>."""
    return "x-trasporto" in fields and address.norm.startswith("posta-certificata@")


def _return_path(fields: Fields) -> str | None:
    value = fields.first("return-path")
    if value is None:
        return None
    value = decode_unstructured(value)
    start, end = value.rfind("<"), value.rfind(">")
    return (value[start + 1 : end] if 0 <= start < end else value.strip("<>")).strip()


def _delivered_to(fields: Fields) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for name in _DELIVERED_TO:
        for value in fields.all(name):
            for address in parse_addresses(value):
                found[address.addr] = None
    return tuple(found)


def _date(fields: Fields, received_at: datetime | None, log: DefectLog) -> datetime | None:
    value = fields.first("date")
    date = parse_date(decode_unstructured(value)) if value else None
    if date is None:
        log.add("date-missing" if not value else "date-unreadable", (value or "")[:80])
        return received_at
    if received_at and (date > received_at + _FUTURE or date < received_at - _PAST):
        log.add("date-implausible", (value or "")[:80])
        return received_at
    return date


def _note_repeated(fields: Fields, log: DefectLog) -> None:
    for name in _SINGLETONS:
        if name in fields and len(values := fields.all(name)) > 1:
            log.add("from-repeated" if name == "from" and len(set(values)) > 1 else "field-repeated", name)


def _note_protection(root: Part, text: str, log: DefectLog) -> None:
    if "-----BEGIN PGP MESSAGE-----" in text:
        log.add("encrypted", "application/pgp-encrypted")
    for part in root.walk():
        kind = part.content_type
        if kind == "multipart/encrypted":
            log.add("encrypted", part.params.get("protocol", kind))
        elif kind == "multipart/signed":
            log.add("signed", part.params.get("protocol", kind))
        elif kind.endswith("pkcs7-mime") and encloses_letter(part):
            told = part.params.get("smime-type", "").casefold() in ("signed-data", "certs-only", "compressed-data")
            log.add("signed" if told or enclosed(part, log) is not None else "encrypted", kind)
        elif kind == "message/partial":
            log.add("partial", f"{part.params.get('number', '?')}/{part.params.get('total', '?')}")
        elif kind == "message/external-body":
            log.add("external-body", part.params.get("access-type", ""))


def _fingerprint(
    root: Part,
    subject: str,
    from_: tuple[Address, ...],
    to: tuple[Address, ...],
    cc: tuple[Address, ...],
    identity: str,
) -> str:
    """The content identity of INGEST-4: who, when, what and every decoded leaf; nothing that a relay adds or
    re-encodes.
    """
    digest = hashlib.sha256()
    people = ["\x1f".join(f"{one.name}<{one.addr}>" for one in group) for group in (from_, to, cc)]
    head = "\x1e".join((*people, " ".join(root.fields.get("date").split()), " ".join(subject.split()), identity))
    digest.update(head.encode("utf-8"))
    for part in root.walk():
        if part.children:
            continue
        size = 0
        is_text = part.content_type.startswith(("text/", "message/"))
        for piece in unified_pieces(part.pieces()) if is_text else part.pieces():
            digest.update(piece)
            size += len(piece)
        digest.update(b"\x1d%d\x1d" % size)
    return digest.hexdigest()
