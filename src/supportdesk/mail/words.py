"""RFC 2047 encoded words as they really occur (PARSE-4), and clean one-line header text.

Tokens are decoded even inside quotes and without spaces around them; the octets of adjacent words of one charset
are joined
before decoding, because senders split multi-byte characters. One pass, no backtracking.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, a2b_qp

from supportdesk.mail.charset import decode, decode_header_octets

_START = re.compile(r"=\?([A-Za-z0-9_.:+'\-]{0,60})(?:\*[A-Za-z0-9\-]{0,20})?\?([bBqQ])\?")
_ENCODED_TWICE = re.compile(r"(?:\s{0,9}=\?[A-Za-z0-9_.:+'\-]{1,60}\?[bBqQ]\?[!->@-~]{1,500}\?=){1,200}\s{0,9}")
_BLANK = re.compile(r"\s")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]+")
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160), 8232, 8233)) | {9: " ", 10: " ", 13: " "}


def decode_unstructured(value: str, fallback_charset: str = "") -> str:
    """A field's value (octets as Latin-1 characters) as one line of text: decoded, without controls."""
    if not value.isascii():
        value = decode_header_octets(value.encode("latin-1", "replace"), fallback_charset)
    if "=?" in value:
        value = decode_words(value)
    return one_line(value)


def decode_words(value: str) -> str:
    """Text with its encoded words decoded; what is no encoded word stays as it is.

    Some programs encode what is encoded already: a text of nothing but encoded words is decoded once more.
    """
    if "=?" not in value:
        return value
    decoded = _decoded_words(value)
    return _decoded_words(decoded) if decoded != value and _ENCODED_TWICE.fullmatch(decoded) else decoded


def _decoded_words(value: str) -> str:
    result: list[str] = []
    pending = bytearray()
    pending_charset = ""
    at = 0  # everything before is in `result` or `pending`
    token = _START.search(value)
    while token is not None:
        start = token.start()
        following = _START.search(value, token.end())
        limit = following.start() if following else len(value)
        end = value.find("?=", token.end(), limit)
        after = end + 2
        if end < 0:
            # Its end was cut off: without one it is what stands before the next blank.
            blank = _BLANK.search(value, token.end(), limit)
            end = after = blank.start() if blank else limit
        gap = value[at:start]
        charset = token[1].lower()
        if pending and (gap.strip() or charset != pending_charset):
            result.append(decode(bytes(pending), pending_charset).text)
            pending.clear()
            if gap.strip():
                result.append(gap)
        elif not pending and (gap.strip() or not result):
            result.append(gap)
        payload = value[token.end() : end]
        pending += _base64(payload) if token[2] in "bB" else _q(payload)
        pending_charset = charset
        # An empty word still swallows the blanks around it.
        if not pending:
            result.append("")
        at, token = after, following
    if pending:
        result.append(decode(bytes(pending), pending_charset).text)
    result.append(value[at:])
    return "".join(result)


def one_line(text: str) -> str:
    """Text without controls and line ends, trimmed."""
    if not text.isprintable():
        text = text.translate(_CONTROLS)
    return text.strip()


def _base64(payload: str) -> bytes:
    if not payload.isascii():
        payload = payload.encode("ascii", "ignore").decode("ascii")
    try:
        return a2b_base64(payload, strict_mode=True)
    except (BinasciiError, ValueError):
        # Several padded pieces in one word, missing padding, blanks: each run of the alphabet is decoded by itself.
        out = bytearray()
        for run in _NOT_BASE64.sub(" ", payload.replace(" ", "").replace("=", " ")).split():
            usable = run[: len(run) - 1] if len(run) % 4 == 1 else run
            out += a2b_base64(usable + "=" * (-len(usable) % 4))
        return bytes(out)


def _q(payload: str) -> bytes:
    return a2b_qp(payload.encode("utf-8", "replace"), header=True)
