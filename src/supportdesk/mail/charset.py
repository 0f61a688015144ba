"""Octets to text: the charset chain of PARSE-7, and what makes any string storable.

Declared charset → strict UTF-8 → ISO-2022 → the HTML's own meta → a guess (see `charset_guess`) → the declared one with
replacements → cp1252.
Nothing here raises, and no result holds a NUL or a lone surrogate.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

from supportdesk.mail.charset_guess import likely_charsets

_ALIASES = {
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "ksc5601": "cp949", "ksc_5601": "cp949", "euc-kr": "cp949",
    "euckr": "cp949",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030",
    "cn-gb": "gb18030", "euc-cn": "gb18030",
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "iso-latin-1": "cp1252", "8859-1": "cp1252",
    "iso88591": "cp1252", "windows-1252": "cp1252", "x-ansi": "cp1252", "ansi": "cp1252", "windows1252": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "iso-8859-6-i": "iso-8859-6",
    "tis-620": "cp874", "iso-8859-11": "cp874",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "x-euc-jp": "euc-jp",
    "unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8", "x-utf-8": "utf-8", "utf8mb4": "utf-8",
    "utf-8": "utf-8", "utf8": "utf-8",
    "x-mac-roman": "mac-roman", "macintosh": "mac-roman", "x-mac-cyrillic": "mac-cyrillic", "big5-hkscs": "big5hkscs",
    "big-5": "big5", "x-big5": "big5", "cp-850": "cp850",
    "iso-2022-jp": "iso2022_jp_2004", "csiso2022jp": "iso2022_jp_2004", "cp50220": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2", "hz-gb-2312": "hz",
    "koi8-ru": "koi8-u", "unicode": "utf-16",
}  # fmt: skip
_UNDECLARED = frozenset(
    ("", "x-unknown", "unknown-8bit", "x-unknown-8bit", "unknown", "x-user-defined", "8bit", "7bit", "binary", "none",
    "default", "default_charset",
     "us-ascii", "ascii", "ansi_x3.4-1968", "iso646-us", "charset", "_charset", "null", "us_ascii", "usascii",
     "user-defined")
)  # fmt: skip
# Codecs of the library that are not charsets of mail: some turn harmless octets into anything at all.
_REFUSED = frozenset(
    ("unicode-escape", "raw-unicode-escape", "idna", "punycode", "undefined", "mbcs", "oem", "rot13", "utf-8-sig")
)
_STATEFUL = (
    "utf-7",
    "iso2022",
    "hz",
    "utf-16",
    "utf-32",
    "cp037",
    "cp500",
    "cp1140",
    "cp273",
    "cp424",
    "cp875",
    "cp1026",
)
_LATIN = ("cp1252", "cp1250", "cp1254", "cp1257", "iso8859-2", "iso8859-15")
_IN_A_WORD = re.compile(rb"[A-Za-z][\xc0-\xff]|[\xc0-\xff][A-Za-z]|[\x81-\xff]{3}")
_META = re.compile(rb"charset\s{0,8}=\s{0,8}[\"']?([A-Za-z0-9_.:-]{2,40})")
_SURROGATES = re.compile("[\ud800-\udfff]")
_JAPANESE_ESCAPE = re.compile(rb"\x1b(\$[@B]|\([BJI])")
_JIS_PAIR = re.compile(rb"[\x21-\x7e]{2}")
_UTF8_LETTERS = re.compile(rb"((?:[\xc2-\xc5][\x80-\xbf])+)")  # of Latin-1 and Latin Extended-A
_GUESS_WINDOW = 32 << 10


class Decoded(NamedTuple):
    """A text, the codec that read it, and how many characters had to be replaced by U+FFFD."""

    text: str
    charset: str
    replaced: int


def decode(data: bytes, declared: str = "", *, html: bool = False) -> Decoded:
    """Decode a body: `declared` is the charset parameter as written, `html` allows the document's own meta."""
    codec = codec_for(declared)
    if data.isascii() and not codec.startswith(_STATEFUL):
        if b"\x1b$" not in data and b"\x1b(" not in data:
            return Decoded(storable(data.decode("ascii")), codec or "us-ascii", 0)
        if (text := _by_escapes(data)) is not None:
            return Decoded(storable(text), "iso-2022", 0)
        return Decoded(storable(data.decode("ascii")), codec or "us-ascii", 0)
    for bom, marked in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(bom) and (text := _strictly(data, marked)) is not None:
            return Decoded(storable(text.removeprefix("\ufeff")), marked, 0)
    # A single-byte codec accepts anything: octets that are valid UTF-8 with such a label are UTF-8 with a wrong label.
    if codec == "cp1252" and (text := _strictly(data, "utf-8")) is not None:
        return Decoded(storable(text), "utf-8", 0)
    if codec and (text := _strictly(data, codec)) is not None:
        return Decoded(storable(text), codec, 0)
    if codec == "iso2022_jp_2004":
        # … or eight-bit Japanese under its label.
        for other in ("iso2022_jp_ext", "iso2022_jp_2", *(() if data.isascii() else ("utf-8", "cp932", "euc-jp"))):
            if (text := _strictly(data, other)) is not None:
                return Decoded(storable(text), other, 0)
        if (text := _microsoft_japanese(data)) is not None:
            return Decoded(storable(text), "cp50221", 0)
    if codec == "big5":
        for other in ("cp950", "big5hkscs"):  # Windows' own characters, and Hong Kong's
            if (text := _strictly(data, other)) is not None:
                return Decoded(storable(text), other, 0)
    if codec == "cp1252":
        return Decoded(storable(data.decode("cp1252", "surrogateescape").translate(_C1)), "cp1252", 0)
    if (text := _strictly(data, "utf-8")) is not None:
        return Decoded(storable(text), "utf-8", 0)
    return _guess(data, codec, html)


def decode_header_octets(data: bytes, fallback: str = "") -> str:
    """Raw eight-bit octets in a header: UTF-8 (RFC 6532), else the body's charset, else a guess.

    A relay's UTF-8 beside a program's Latin-1 is not rare: each run of letters is read by itself then.
    """
    if (text := _strictly(data, "utf-8")) is not None:
        return storable(text)
    decoded = decode(data, fallback)
    if decoded.charset not in _LATIN or _UTF8_LETTERS.search(data) is None:
        return decoded.text
    pieces = _UTF8_LETTERS.split(data)
    return "".join(decode(piece, decoded.charset).text if piece else "" for piece in pieces)


@lru_cache(maxsize=512)
def codec_for(declared: str) -> str:
    """The Python codec for a charset label of a mail; "" when the label says nothing or is unknown."""
    words = declared.strip(" \t\"'`<>").casefold().replace("_charset", "charset").split()
    label = words[0].strip("\"';,") if words else ""
    if label in _UNDECLARED:
        return ""
    known = _ALIASES.get(label)
    if known:
        return known
    # Windows-125x and the like come as "cp-1252", "windows-1251http-equivcontent-type" …
    if match := re.match(r"(?:x-)?(?:windows|cp|win|ms|ibm)[-_ ]?(\d{3,4})", label):
        label = f"cp{match[1]}"
        if label == "cp936":
            return "gb18030"
    try:
        codec = codecs.lookup(label).name
    except (LookupError, ValueError):
        return ""
    if codec in _REFUSED or codec.replace("_", "-") in _REFUSED or not codecs.lookup(codec)._is_text_encoding:
        return ""
    return _ALIASES.get(codec, codec)


def storable(text: str) -> str:
    """The same text with U+FFFD for NULs and lone surrogates, which no database and no UTF-8 stream takes."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


# The five octets that cp1252 leaves undefined are the C1 controls of the same number, as browsers have it.
_C1 = {0xDC00 + octet: octet for octet in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _by_escapes(data: bytes) -> str | None:
    """ISO-2022 by its escape sequences, whoever wrote it."""
    for codec in ("iso2022_jp_2", "iso2022_kr"):
        if (text := _strictly(data, codec)) is not None:
            return text
    return _microsoft_japanese(data)


def _microsoft_japanese(data: bytes) -> str | None:
    """ISO-2022-JP as Outlook writes it (cp50221), with half-width kana and NEC's row 13 (①, ㈱); None for others."""
    if not data.isascii():
        return None
    pieces: list[bytes] = []
    for number, piece in enumerate(_JAPANESE_ESCAPE.split(data)):
        if number % 2:
            mode = piece
        elif not number or mode in (b"(B", b"(J"):
            pieces.append(piece)
        elif mode == b"(I":
            pieces.append(bytes(octet | 0x80 if octet > 0x20 else octet for octet in piece))
        else:
            pieces.append(_JIS_PAIR.sub(_in_shift_jis, piece))
    return _strictly(b"".join(pieces), "cp932")


def _in_shift_jis(pair: re.Match[bytes]) -> bytes:
    """One character of JIS X 0208, moved to where Shift_JIS has it."""
    row, cell = pair[0]
    lead = ((row - 0x21) >> 1) + 0x81
    trail = cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)
    return bytes((lead if lead < 0xA0 else lead + 0x40, trail))


def _guess(data: bytes, codec: str, html: bool) -> Decoded:
    if (b"\x1b$" in data or b"\x1b(" in data) and (text := _by_escapes(data)) is not None:
        return Decoded(storable(text), "iso-2022", 0)
    if html and (match := _META.search(data[:4096])):
        own = codec_for(match[1].decode("ascii"))
        if own and own != codec and (text := _strictly(data, own)) is not None:
            return Decoded(storable(text), own, 0)
    if codec == "utf-8" and _broken_share(data) > 0.2 and _IN_A_WORD.search(data):
        codec = ""
    if not codec:
        for guessed in likely_charsets(data):
            if (text := _strictly(data, guessed)) is not None:
                return Decoded(storable(text), guessed, 0)
    if codec:
        text = data.decode(codec, "replace")
        return Decoded(storable(text), codec, text.count("\ufffd"))
    text = data.decode("cp1252", "surrogateescape").translate(_C1)
    return Decoded(storable(text), "cp1252", 0)


def _broken_share(data: bytes) -> float:
    """Which share of the eight-bit octets is no UTF-8: a stray octet in UTF-8 mail is not another charset."""
    window = data[:_GUESS_WINDOW]
    eightbit = len(window) - len(window.decode("ascii", "ignore"))
    return window.decode("utf-8", "replace").count("\ufffd") / eightbit if eightbit else 0.0
