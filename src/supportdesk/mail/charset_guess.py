"""Which charset octets without a label are in: chardet's ranking, read with what is known of mail (PARSE-7).

chardet's own confidence grows with the length of a text and is below 0.2 for a line of Russian. What decides instead:
only charsets of mail are asked for; a script of its own fills its words, while Latin words have few letters beyond
ASCII; and what may be Western European is, unless another alphabet is clearly likelier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_WINDOW = 32 << 10
_FILLED = 0.5  # of the letters of words that are not ASCII
_SURE, _LIKELY, _POSSIBLE = 0.5, 0.1, 0.02  # confidences; measured in tests/mail/test_words.py
_CLEARLY = 1.15  # times the confidence of Western European
_WESTERN = "cp1252"
_LATIN = frozenset(("cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-15"))
_RARE = frozenset(
    ("iso8859-3", "iso8859-4", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-16", "cp1258", "viscii")
)  # Latin alphabets that hardly anybody writes mail in
_EURO = b"\xa4"
_NOT_BESIDE_EURO = b"\xa6\xa8\xb4\xb8\xbc\xbd\xbe"  # ISO 8859-15 has other letters there than cp1252


def likely_charsets(data: bytes) -> Iterator[str]:
    """Names of charsets to try, the likeliest first; none where Western European is as likely."""
    import chardet

    window = data[:_WINDOW]
    era = chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_ISO
    ranking = [
        (name, entry["confidence"] or 0.0)
        for entry in chardet.detect_all(window, ignore_threshold=True, encoding_era=era)
        if (name := _codec(entry["encoding"]))
    ]
    western = max((confidence for name, confidence in ranking if name == _WESTERN), default=0.0)
    filled = _filled_share(window) >= _FILLED
    for name, confidence in ranking:
        if name == _WESTERN:
            return
        if name in _RARE:
            is_likely = confidence >= _SURE
        elif name == "iso8859-15":
            is_likely = _EURO in window and not any(octet in window for octet in _NOT_BESIDE_EURO)
        elif name in _LATIN:
            is_likely = confidence >= _LIKELY and confidence >= _CLEARLY * western
        else:
            is_likely = confidence >= _SURE or (filled and confidence >= _POSSIBLE)
        if is_likely:
            yield name


def _codec(name: str | None) -> str:
    from supportdesk.mail.charset import codec_for

    return codec_for(name) if name else ""


def _filled_share(data: bytes) -> float:
    """Which share of the letters is beyond ASCII, in words that have such a letter; single ones are signs: §, ©, €."""
    words = [word for word in _WORD.findall(data) if len(word) > 1]
    letters = sum(map(len, words))
    return sum(octet > 127 for word in words for octet in word) / letters if letters else 0.0
