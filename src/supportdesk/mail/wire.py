"""A `ParsedMail` as JSON and back, and the frames on the pipe between a parsing child and its parent.

The child has read hostile mail, so its answer is checked field by field; nothing of it is ever unpickled.
"""

from __future__ import annotations

import json
import struct
from datetime import datetime
from typing import Any

from supportdesk.mail.model import (
    Address,
    Attachment,
    Defect,
    Fold,
    InnerMail,
    Link,
    ParsedMail,
    Report,
    ReportedRecipient,
)

FRAME = struct.Struct("!cHI")  # kind, octets of the argument (a time, a part path, a size), octets after it
MAX_ANSWER = 256 << 20

PARSE, CUT, SHRINK = b"P", b"C", b"S"
MAIL, CONTENT, MISSING, FAILED = b"M", b"D", b"N", b"F"


class Malformed(ValueError):
    """An answer that is no ParsedMail."""


def encode_mail(mail: ParsedMail) -> bytes:
    """One JSON array in the order of ParsedMail's fields."""
    report, inner = mail.report, mail.inner
    return json.dumps(
        [
            mail.headers,
            mail.subject,
            _addresses(mail.from_),
            _addresses(mail.sender),
            _addresses(mail.reply_to),
            _addresses(mail.to),
            _addresses(mail.cc),
            mail.delivered_to,
            mail.return_path,
            mail.message_id,
            mail.in_reply_to,
            mail.references,
            mail.date.isoformat() if mail.date else None,
            mail.text,
            mail.text_source,
            [(fold.start, fold.end, fold.kind) for fold in mail.folds],
            [(link.number, link.url, link.host, link.text) for link in mail.links],
            [(one.part, one.name, one.content_type, one.size, one.inline, one.content_id) for one in mail.attachments],
            report
            and (
                report.kind,
                [(one.address, one.action, one.status, one.diagnostic) for one in report.recipients],
                report.original_message_id,
                report.original_envelope_id,
            ),
            inner and (inner.kind, _addresses(inner.from_), inner.subject, inner.message_id, inner.text, inner.part),
            mail.fingerprint,
            mail.content_type,
            mail.size,
            [(defect.code, defect.detail) for defect in mail.defects],
            mail.language,
            mail.searchable,
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode("utf-8")


def decode_mail(data: bytes) -> ParsedMail:
    """The mail that `encode_mail` wrote; Malformed when any field is not what it must be."""
    try:
        document = data.decode("utf-8")
        values = json.loads(document)
        if "\\u" in document:  # nothing but an escape can spell NUL or half a surrogate pair
            _refuse_unstorable(values)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error
    if not isinstance(values, list) or len(values) != 26:
        raise Malformed("not a mail")
    headers, subject, from_, sender, reply_to, to, cc, delivered, return_path, identity, *rest = values
    in_reply_to, references, date, text, source, folds, links, attachments, *rest = rest
    report, inner, fingerprint, content_type, size, defects, language, folded = rest
    text = _str(text)
    return ParsedMail(
        headers=tuple((_str(name), _str(value)) for name, value in _rows(headers, 2)),
        subject=_str(subject),
        from_=_people(from_),
        sender=_people(sender),
        reply_to=_people(reply_to),
        to=_people(to),
        cc=_people(cc),
        delivered_to=_strings(delivered),
        return_path=None if return_path is None else _str(return_path),
        message_id=_str(identity),
        in_reply_to=_strings(in_reply_to),
        references=_strings(references),
        date=None if date is None else _date(date),
        text=text,
        text_source=_str(source),
        folds=tuple(_fold(start, end, kind, len(text)) for start, end, kind in _rows(folds, 3)),
        links=tuple(
            Link(_int(number), _str(url), _str(host), _str(shown)) for number, url, host, shown in _rows(links, 4)
        ),
        attachments=tuple(
            Attachment(_str(part), _str(name), _str(kind), _int(octets), _bool(inline), _str(cid))
            for part, name, kind, octets, inline, cid in _rows(attachments, 6)
        ),
        report=None if report is None else _report(report),
        inner=None if inner is None else _inner(inner),
        fingerprint=_str(fingerprint),
        content_type=_str(content_type),
        size=_int(size),
        defects=tuple(Defect(_str(code), _str(detail)) for code, detail in _rows(defects, 2)),
        language=None if language is None else _str(language),
        searchable=_str(folded),
    )


def _addresses(addresses: tuple[Address, ...]) -> list[tuple[str, str]]:
    return [(one.name, one.addr) for one in addresses]


def _people(value: Any) -> tuple[Address, ...]:
    return tuple(Address(_str(name), _str(addr)) for name, addr in _rows(value, 2))


def _report(value: Any) -> Report:
    ((kind, recipients, message_id, envelope_id),) = _rows([value], 4)
    rows = _rows(recipients, 4)
    blocks = tuple(
        ReportedRecipient(_str(address), _str(action), _str(status), _str(diagnostic))
        for address, action, status, diagnostic in rows
    )
    return Report(_str(kind), blocks, _str(message_id), _str(envelope_id))


def _inner(value: Any) -> InnerMail:
    ((kind, from_, subject, message_id, text, part),) = _rows([value], 6)
    return InnerMail(_str(kind), _people(from_), _str(subject), _str(message_id), _str(text), _str(part))


def _fold(start: Any, end: Any, kind: Any, length: int) -> Fold:
    if not 0 <= _int(start) <= _int(end) <= length:
        raise Malformed("a fold outside the text")
    return Fold(start, end, _str(kind))


def _date(value: Any) -> datetime:
    try:
        date = datetime.fromisoformat(_str(value))
    except ValueError as error:
        raise Malformed(str(error)) from error
    if date.tzinfo is None:
        raise Malformed("a date without a zone")
    return date


def _rows(value: Any, width: int) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, list) and len(row) == width for row in value):
        raise Malformed(f"rows of {width} expected")
    return value


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Malformed("a list expected")
    return tuple(_str(one) for one in value)


def _str(value: Any) -> str:
    if type(value) is not str:
        raise Malformed("text expected")
    return value


def _refuse_unstorable(value: Any) -> None:
    """Raises Malformed where a text, however deep, is none that a database holds."""
    if isinstance(value, list):
        for one in value:
            _refuse_unstorable(one)
    elif isinstance(value, str) and ("\0" in value or not (value.isascii() or _encodable(value))):
        raise Malformed("unstorable text")


def _encodable(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _int(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise Malformed("a count expected")
    return value


def _bool(value: Any) -> bool:
    if type(value) is not bool:
        raise Malformed("true or false expected")
    return value
