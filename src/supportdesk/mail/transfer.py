"""Content-Transfer-Encoding, leniently (PARSE-8): base64, quoted-printable, uuencode, and everything else as it is."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

_CHUNK = 1 << 20
_NOT_BASE64 = bytes(sorted(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")))
_UTF8_IN_QP = re.compile(rb"=[C-F][0-9A-F]=[89AB][0-9A-F]")
_LINES_OF_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}")
_LOOKED_AT = 1 << 20
_LONGEST_BASE64 = 1 << 20
_SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
_UU_BEGIN = re.compile(rb"(?:^|\n)begin[ \t]+([0-7]{3,4})[ \t]+([^\r\n]{1,500})\r?\n")


def encoding_of(value: str) -> str:
    """The canonical name of a transfer encoding; "" for the identity encodings and for what nobody knows."""
    word = value.partition("(")[0].partition(";")[0].strip(" \t\"'").casefold()
    if word in ("base64", "quoted-printable"):
        return word
    if word in ("x-uuencode", "uuencode", "x-uue", "x-uu"):
        return "x-uuencode"
    if word in ("quoted_printable", "quotedprintable", "qp"):
        return "quoted-printable"
    return ""


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """The content of a part; `encoding` is what `encoding_of` gave."""
    if encoding == "quoted-printable":
        return decode_quoted_printable(data)
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "x-uuencode":
        block = next(iter(uuencoded_blocks(data)), None)
        return block[3] if block else _uu_lines(data, 0, len(data))[0]
    return data


def without_unsaid_encoding(data: bytes) -> bytes:
    """A text that is encoded although its part does not say so; any other text as it is.

    Letters beyond ASCII in quoted-printable, or nothing but lines of base64 that are a text: nobody writes so by hand.
    """
    if not data.isascii():
        return data
    if len(_UTF8_IN_QP.findall(data, 0, _LOOKED_AT)) > 1:
        return decode_quoted_printable(data)
    if len(data) < _LONGEST_BASE64 and _LINES_OF_BASE64.fullmatch(data.strip()):
        decoded = decode_base64(data)
        if b" " in decoded and b"\0" not in decoded and decoded.decode("utf-8", "ignore").encode() == decoded:
            return decoded
    return data


def transfer_pieces(data: memoryview, encoding: str) -> Iterator[bytes]:
    """The same content in pieces of about a megabyte, as far as its encoding allows it."""
    if encoding == "base64":
        yield from base64_pieces(data)
    elif encoding == "quoted-printable":
        yield from _quoted_printable_pieces(data)
    elif encoding:
        yield decode_transfer(bytes(data), encoding)
    else:
        yield from (bytes(data[at : at + _CHUNK]) for at in range(0, len(data), _CHUNK))


def unified_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """A text as a relay may not change it: LF at the ends of its lines, and no white space after its last word."""
    carry, blanks = b"", list[bytes]()
    for piece in pieces:
        text = carry + piece
        carry = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(carry)].replace(b"\r\n", b"\n")
        words = text.rstrip()
        if words:
            yield from blanks
            blanks.clear()
            yield words
        blanks.append(text[len(words) :])


def decode_quoted_printable(data: bytes) -> bytes:
    if b"= " in data or b"=\t" in data:
        data = _SOFT_BREAK.sub(b"=", data)
    return binascii.a2b_qp(data)


def _quoted_printable_pieces(data: memoryview) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        lines = bytes(data[at : at + _CHUNK])
        if at + _CHUNK < len(data):
            lines = lines[: lines.rfind(b"\n") + 1] or bytes(data[at:])
        at += len(lines)
        yield decode_quoted_printable(lines)


def decode_base64(data: bytes | memoryview) -> bytes:
    """Base64 with junk dropped and padding mended; what follows the padding (a list's footer) is not content."""
    if len(data) <= _CHUNK:
        return _base64(bytes(data).translate(None, _NOT_BASE64))
    return b"".join(base64_pieces(data))


def base64_pieces(data: bytes | memoryview) -> Iterator[bytes]:
    """The same content in pieces of about a megabyte, so that a big file is never held whole, let alone four times."""
    at, carry = 0, b""
    while at < len(data):
        chunk = bytes(data[at : at + _CHUNK])
        at += len(chunk)
        if b"=" in chunk:
            yield _base64((carry + chunk).translate(None, _NOT_BASE64))
            return
        lines = memoryview(chunk)[: chunk.rfind(b"\n") + 1]
        if not carry and lines and (piece := _whole_lines(lines)) is not None:
            at -= len(chunk) - len(lines)
            yield piece
            continue
        clean = (carry + chunk).translate(None, _NOT_BASE64)
        usable = len(clean) - len(clean) % 4
        yield binascii.a2b_base64(clean[:usable])
        carry = clean[usable:]
    yield _base64(carry)


def _whole_lines(lines: memoryview) -> bytes | None:
    """The content of whole lines without padding, None where they end amid four letters; the decoder skips junk."""
    try:
        return binascii.a2b_base64(lines)
    except binascii.Error:
        return None


def uuencoded_blocks(data: bytes) -> list[tuple[int, int, bytes, bytes]]:
    """Every complete `begin … end` block: (start, end, name, content), in order."""
    blocks: list[tuple[int, int, bytes, bytes]] = []
    at = 0
    while match := _UU_BEGIN.search(data, at):
        body = match.end()
        finish = data.find(b"\nend", body - 1)
        if finish < 0:
            break
        content, sound = _uu_lines(data, body, finish)
        line_end = data.find(b"\n", finish + 1)
        after = len(data) if line_end < 0 else line_end + 1
        if sound:
            start = match.start() + (data[match.start() : match.start() + 1] == b"\n")
            blocks.append((start, after, match[2].strip(), content))
        at = after - 1 if sound else match.end() - 1
    return blocks


def _base64(clean: bytes) -> bytes:
    padding = clean.find(b"=")
    if padding >= 0:
        clean = clean[:padding]
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _uu_lines(data: bytes, start: int, end: int) -> tuple[bytes, bool]:
    """The decoded lines, and whether they look like uuencode at all (so that prose between begin and end does not)."""
    out, bad, count, at = bytearray(), 0, 0, start
    while at < end:
        stop = data.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        line, at = data[at:stop].rstrip(b"\r"), stop + 1
        count += 1
        if not line.strip():
            continue
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            length = (line[0] - 32) & 63
            try:
                out += binascii.a2b_uu(line[: 1 + (length * 4 + 2) // 3])
            except binascii.Error:
                bad += 1
    return bytes(out), bad * 4 <= count
