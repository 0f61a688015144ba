"""What lies inside a part without being a part of the mail's own tree: an attached mail, what a signature encloses.

Certified mail (PEC) brings the letter with its files as `postacert.eml`; S/MIME may enclose what it signs (RFC 8551
3.5.2, `smime.p7m`); and in Italy a signed document is the document inside a `.p7m` (CAdES, RFC 5126). Nothing is
verified here and nothing decrypted.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator

from supportdesk.mail.headers import Fields
from supportdesk.mail.limits import MAX_OPENED, DefectLog
from supportdesk.mail.mime import Part, read_tree

NESTED_MAIL = ("message/rfc822", "message/global")
MAX_LEVELS = 4  # a mail in a signature in a mail

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")  # 1.2.840.113549.1.7.2
_SEQUENCE, _OBJECT_ID, _CONTENT, _OCTETS, _PIECES = 0x30, 0x06, 0xA0, 0x04, 0x24
_ENTITY = re.compile(rb"\s{0,8}(?:content-[a-z-]{2,40}|mime-version)[ \t]{0,8}:", re.IGNORECASE)
_MAX_NESTING = 20


def inside(part: Part, log: DefectLog) -> tuple[str, Part] | None:
    """What one leaf holds: how it is named in a part path (`eml`, `p7m`), and the tree of it; None for nothing."""
    if part.end - part.start > MAX_OPENED:
        return None
    if part.content_type in NESTED_MAIL:
        if part.parent is not None and part.parent.content_type in ("multipart/report", "multipart/digest"):
            return None  # our own mail come back, or a list's
        return "eml", read_tree(part.nested_mail(), log)
    if (tree := enclosed(part, log)) is not None:
        return "p7m", tree
    return None


def enclosed(part: Part, log: DefectLog) -> Part | None:
    """The tree of what an S/MIME signature encloses: a part with its header, or a document by itself."""
    if (
        part.children
        or part.end - part.start > MAX_OPENED
        or not (part.content_type.endswith("pkcs7-mime") or part.file_name.casefold().endswith((".p7m", ".p7m.b64")))
    ):
        return None
    content = signed_content(part.content())
    if content is None:
        return None
    if _ENTITY.match(content):
        return read_tree(content, log)
    name = re.sub(r"(?i)(?:\.p7m|\.b64)+$", "", part.file_name)
    document = Part(content, Fields([]), 0, len(content), "1", None, "application/octet-stream", log)
    document.file_name = name
    document.content_type = mimetypes.guess_type(name)[0] or document.content_type
    document.disposition = "attachment"
    return document


def encloses_letter(part: Part) -> bool:
    """Whether a signature encloses the text of the mail, and not a document that is attached to it."""
    return part.content_type.endswith("pkcs7-mime") and part.file_name.casefold() in ("", "smime.p7m", "smime.p7s")


def signed_content(data: bytes) -> bytes | None:
    """The content of a CMS SignedData (RFC 5652 5.1) in BER; None where it is another structure, or holds none."""
    if data[:1] == b"M":  # base64 in base64, as some signing programs write it
        from supportdesk.mail.transfer import decode_base64

        data = decode_base64(memoryview(data))
    try:
        return _signed_content(data)
    except (IndexError, ValueError):
        return None


def _signed_content(data: bytes) -> bytes | None:
    """ContentInfo { OID, [0] SignedData { version, algorithms, EncapsulatedContentInfo { OID, [0] OCTET STRING …"""
    at, end = _enter(data, 0, len(data), _SEQUENCE)
    kind, start, stop = _element(data, at, end)
    if kind != _OBJECT_ID or data[start:stop] != _SIGNED_DATA:
        return None
    at, end = _enter(data, stop, end, _CONTENT)
    at, end = _enter(data, at, end, _SEQUENCE)
    at = _after(data, _after(data, at, end), end)
    at, end = _enter(data, at, end, _SEQUENCE)
    at = _after(data, at, end)
    if at >= end or data[at] != _CONTENT:
        return None  # signed apart: what it signs stands elsewhere
    at, end = _enter(data, at, end, _CONTENT)
    return b"".join(_octets(data, at, end))


def _octets(data: bytes, at: int, end: int) -> Iterator[bytes]:
    """An OCTET STRING in one piece or in many (BER), whatever their number."""
    kind, start, stop = _element(data, at, end)
    if kind == _OCTETS:
        yield data[start:stop]
        return
    if kind != _PIECES:
        raise ValueError("no octets")
    at, end = start, end if stop < 0 else stop
    while at < end and data[at : at + 2] != b"\0\0":
        kind, start, stop = _element(data, at, end)
        if kind != _OCTETS or stop < 0:
            raise ValueError("no octets")
        yield data[start:stop]
        at = stop


def _enter(data: bytes, at: int, end: int, kind: int) -> tuple[int, int]:
    found, start, stop = _element(data, at, end)
    if found != kind:
        raise ValueError("another structure")
    return start, end if stop < 0 else stop


def _element(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, begin and end of an element's content; the end is -1 where only a mark ends it (X.690 8.1.3.6)."""
    kind, length = data[at], data[at + 1]
    at += 2
    if kind & 0x1F == 0x1F:
        raise ValueError("a long tag")
    if length == 0x80:
        return kind, at, -1
    if length > 0x80:
        octets = length & 0x7F
        length = int.from_bytes(data[at : at + octets], "big")
        at += octets
    if at + length > end:
        raise ValueError("cut off")
    return kind, at, at + length


def _after(data: bytes, at: int, end: int) -> int:
    """Where the element at `at` ends, with everything in it."""
    open_elements = 0
    while True:
        if data[at : at + 2] == b"\0\0" and open_elements:
            at, open_elements = at + 2, open_elements - 1
        else:
            _, start, stop = _element(data, at, end)
            at, open_elements = (start, open_elements + 1) if stop < 0 else (stop, open_elements)
        if not open_elements:
            return at
        if open_elements > _MAX_NESTING:
            raise ValueError("nested too deeply")
