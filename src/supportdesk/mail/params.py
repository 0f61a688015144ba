"""Parameters of Content-Type and Content-Disposition in the wild (RFC 2045, RFC 2231, PARSE-6), and safe file names.

Values come in as octets (one Latin-1 character each) and go out decoded.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from supportdesk.mail.charset import codec_for, decode, decode_header_octets
from supportdesk.mail.limits import MAX_PARAMETERS, DefectLog
from supportdesk.mail.words import decode_unstructured, decode_words, one_line

_GAP = re.compile(r"[\s;]*")
_NAME = re.compile(r"([^=;\s\"]+)\s*=\s*")
_SEGMENT = re.compile(r"(.*?)\*(\d{1,9})?(\*)?$")
_SIMPLE = re.compile(r"[\w!#$%&'+.^`{|}~/=?:@-]+$")
_NAME_LIMIT = 150
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))  # controls, bidi, zero widths, private use, line ends
_BLANKS = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)\s*(?:\.|$)", re.IGNORECASE)


_TURNS = frozenset(("LRE", "RLE", "LRO", "RLO", "LRI", "RLI"))
_PROGRAMS = frozenset(
    "exe com scr pif bat cmd js jse vbs vbe wsf wsh hta msi msp jar ps1 lnk cpl reg dll chm iso img apk app sh".split()
)
_DOCUMENTS = frozenset(
    "pdf doc docx xls xlsx ppt pptx odt ods txt rtf csv xml htm html jpg jpeg png gif tif tiff bmp mp3 mp4 zip".split()
)


def parse_parameters(value: str, log: DefectLog | None = None) -> tuple[str, dict[str, str]]:
    """The lower-case main value and its parameters by lower-case name, continuations joined and decoded."""
    main, semicolon, rest = value.partition(";")
    main = main.strip().casefold()
    if not semicolon:
        return main, {}
    found = _scan(rest, log)
    result: dict[str, str] = {}
    segments: dict[str, list[tuple[int, bool, str]]] = {}
    for name, text in found:
        if "*" in name and (match := _SEGMENT.match(name)):
            segments.setdefault(match[1], []).append((int(match[2] or 0), bool(match[3]) or match[2] is None, text))
        elif name not in result:
            result[name] = text if text.isascii() and "=?" not in text else _decode_plain(text)
    for name, pieces in segments.items():
        joined = _join_segments(pieces)
        if joined or name not in result:
            result[name] = joined
    return main, result


def is_disguised(name: str) -> bool:
    """Whether a file name hides that the file is a program (SEC-3): turned round, behind blanks or another ending."""
    shown = "".join(char for char in name if unicodedata.category(char) not in _UNSEEN).rstrip(". ").casefold()
    stem, dot, ending = shown.rpartition(".")
    if not dot or ending not in _PROGRAMS:
        return False
    inner = stem.rstrip().rpartition(".")[2]
    turned = any(unicodedata.bidirectional(char) in _TURNS for char in name)
    return turned or "     " in stem or (inner != stem.rstrip() and inner in _DOCUMENTS)


def safe_file_name(name: str) -> str:
    """A name to show and to save under (SEC-3): no path, no controls, at most 150 octets with its extension; may
    be empty.
    """
    name = name.rpartition("/")[2].rpartition("\\")[2].replace(":", "")
    if not (name.isascii() and name.isprintable()):
        name = unicodedata.normalize("NFC", "".join(char for char in name if unicodedata.category(char) not in _UNSEEN))
    name = name.lstrip(".-" + _BLANKS).rstrip("." + _BLANKS)
    if _RESERVED.match(name):
        name = "_" + name
    if len(name.encode()) > _NAME_LIMIT:
        stem, dot, extension = name.rpartition(".")
        if not dot or len(extension.encode()) > 20:
            stem, dot, extension = name, "", ""
        room = _NAME_LIMIT - len((dot + extension).encode())
        name = stem.encode()[:room].decode("utf-8", "ignore").rstrip("." + _BLANKS) + dot + extension
    return name


def _scan(rest: str, log: DefectLog | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, length = 0, len(rest)
    while at < length:
        if len(found) >= MAX_PARAMETERS:
            if log:
                log.add("parameters", str(MAX_PARAMETERS))
            break
        gap = _GAP.match(rest, at)
        at = gap.end() if gap else at
        match = _NAME.match(rest, at)
        if match is None:
            at = rest.find(";", at)
            if at < 0:
                break
            at += 1
            continue
        at = match.end()
        if at < length and rest[at] == '"':
            text, at = _quoted(rest, at + 1)
        else:
            end = rest.find(";", at)
            end = length if end < 0 else end
            text, at = rest[at:end].strip(), end + 1
            if not _SIMPLE.match(text):
                text = _without_comment(text)
        found.append((match[1].lower(), text))
    return found


def _quoted(rest: str, at: int) -> tuple[str, int]:
    """The quoted string that begins at `at`; a missing quote ends at the next semicolon. Lone backslashes are
    kept: C:\\…
    """
    start, search = at, at
    while True:
        end = rest.find('"', search)
        if end < 0:
            end = rest.find(";", start)
            end = len(rest) if end < 0 else end
            return rest[start:end].strip(), end + 1
        backslashes = 0
        while rest[end - 1 - backslashes] == "\\" and end - 1 - backslashes >= start:
            backslashes += 1
        if backslashes % 2 == 0 or rest[end + 1 : end + 2] in ("", ";"):
            break
        search = end + 1
    text = rest[start:end]
    if "\\" in text:
        text = text.replace('\\"', '"').replace("\\\\", "\\")
    semicolon = rest.find(";", end)
    return text, len(rest) if semicolon < 0 else semicolon + 1


def _without_comment(text: str) -> str:
    before, bracket, _ = text.partition(" (")
    return before.rstrip() if bracket and text.endswith(")") and _SIMPLE.match(before.rstrip()) else text


def _join_segments(pieces: list[tuple[int, bool, str]]) -> str:
    pieces.sort(key=lambda piece: piece[0])
    charset = ""
    if pieces[0][1]:
        first = pieces[0][2]
        label, quote, after = first.partition("'")
        if quote and "'" in after:
            charset = label
            pieces[0] = (0, True, after.partition("'")[2])
    elif pieces[0][2].startswith("=?"):
        return one_line(decode_words(_octets("".join(text for _, _, text in pieces)).decode("utf-8", "replace")))
    octets = b"".join(unquote_to_bytes(_octets(text)) if extended else _octets(text) for _, extended, text in pieces)
    if not charset and b"=?" in octets and octets.isascii():
        return one_line(decode_words(octets.decode("ascii")))
    if charset and codec_for(charset) not in ("", "utf-8"):
        return one_line(decode(octets, charset).text)
    return one_line(decode_header_octets(octets))


def _octets(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _decode_plain(text: str) -> str:
    # Without RFC 2231 some senders percent-encode the RFC 2231 form in the plain parameter.
    return decode_unstructured(text)
