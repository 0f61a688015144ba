"""Untrusted text → text that is safe to show in a terminal, a log line, a file name or a CSV cell.

Every mail is hostile: subjects, names, bodies and servers' answers pass through `safe()` before any screen, log or
export sees them. Stored text stays verbatim (`storable()`); what is folded for search lives in `textfold`.
One function, one table: which character becomes what is decided in `_shown()` alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NewType

SafeText = NewType("SafeText", str)
"""Text that went through `safe()`: no control, no escape sequence, no invisible or reordering character."""

EMPTY: Final = SafeText("")

BODY_LIMIT: Final = 200_000
"""Characters of one body that are shown at once; what follows is cut and marked with an ellipsis."""

LINE_LIMIT: Final = 2_000
"""Cells of one line: a body's longer line is broken, a single-line value is cut."""

FILENAME_LIMIT: Final = 150
"""Octets of a file name in UTF-8."""

ELLIPSIS: Final = "…"


def safe(text: str, *, multiline: bool = False, limit: int | None = None) -> SafeText:
    """`text` as it may be shown: nothing in it can move the cursor, hide, or turn other text round.

    Escape sequences vanish whole, or lose their introducer where they never end. Overrides and embeddings that turn
    the reading direction show as `⟦RLO⟧`; other invisible characters are dropped, but a body keeps ZWNJ between
    letters (Persian needs it). Line ends of every kind become a newline in a body and a space elsewhere; a single
    line also loses doubled spaces, which push the true end of an address out of sight. `limit` counts characters:
    200,000 for a body, 2,000 for a single line. Never raises, takes linear time.
    """
    if limit is None:
        limit = BODY_LIMIT if multiline else LINE_LIMIT
    if _is_plain(text):
        shown = text
    else:
        # Bounds the work; the mark keeps honest what is cut here even if little of the rest is visible.
        head = text if len(text) <= 4 * limit else text[: 4 * limit] + ELLIPSIS
        shown = _cleaned(head, keep_joiners=multiline)
    if not multiline:
        shown = _SPACES.sub(" ", shown.replace("\n", " "))
        return SafeText(_cut(shown, min(limit, _line_limit(shown))))
    if len(shown) > _line_limit(shown):
        shown = _break_long_lines(_cut(shown, limit))
    return SafeText(_cut(shown, limit))


def storable(text: str) -> str:
    """`text` as the store keeps it: verbatim, but for NUL and lone surrogates, which no database holds."""
    return _UNSTORABLE.sub("", text)


def is_safe(text: str) -> bool:
    """Whether `text`, one line of a screen, holds nothing that a terminal would obey; the renderer's last look."""
    if text.isascii():
        return text.isprintable()
    return _OBEYED.search(text) is None


def safe_filename(name: str, *, fallback: str = "attachment") -> str:
    """A file name that can be saved anywhere: no path, no hidden file, no option, no reserved name, ≤ 150 octets.

    The order is the defence (reliability R17): compatibility forms first, then what is invisible, then the last path
    component, then the characters, then what it begins with, then the length. The extension survives the cut.
    """
    name = unicodedata.normalize("NFKC", storable(name))
    name = "".join(character for character in name if unicodedata.category(character) not in ("Cc", "Cf"))
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(character if _fits_filename(character) else "_" for character in name.replace(":", ""))
    name = unicodedata.normalize("NFC", name).lstrip(" .-").rstrip(" .")
    if name.partition(".")[0].rstrip().upper() in _RESERVED_NAMES:
        name = f"_{name}"
    return _shorten_filename(name) or fallback


def csv_cell(text: str) -> str:
    """`text` for a cell of a CSV file: shown safely, and never taken for a formula by a spreadsheet (OWASP)."""
    shown = safe(text, multiline=True)
    return f"'{shown}" if shown.lstrip()[:1] in _FORMULA_STARTS else shown


class _Table(dict[int, "str | int | None"]):
    """The table of `str.translate`, filled as characters are met; bounded, since a mail may hold every character."""

    def __missing__(self, code: int) -> str | int | None:
        shown = _shown(code)
        if len(self) < 8_192:
            self[code] = shown
        return shown


_TURNING = {0x202A: "LRE", 0x202B: "RLE", 0x202D: "LRO", 0x202E: "RLO", 0x2067: "RLI"}
_LINE_ENDS = frozenset((0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029))
_BLANK_LETTERS = frozenset((0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0x034F))
_IGNORABLE = frozenset((0x2065, *range(0xFFF0, 0xFFF9)))
"""Default_Ignorable_Code_Point (UAX 44) that are not assigned: a terminal of tomorrow shows nothing there."""

_ZWNJ = 0x200C


def _shown(code: int) -> str | int | None:
    """What one character is shown as: itself, something else, or None for nothing."""
    if code in _LINE_ENDS:
        return "\n"
    if code in _TURNING:
        return f"⟦{_TURNING[code]}⟧"
    if code == _ZWNJ or code == 0x09:
        return code
    if code in _IGNORABLE or 0xE0000 <= code <= 0xE0FFF:
        return None
    if code in _BLANK_LETTERS or 0xFE00 <= code <= 0xFE0F or 0x180B <= code <= 0x180F:
        return None
    if 0x1F3FB <= code <= 0x1F3FF:  # skin tones: terminals disagree about their width
        return None
    if 0x1F1E6 <= code <= 0x1F1FF:  # flags, for the same reason: their two letters
        return chr(code - 0x1F1E6 + ord("A"))
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return "□"
    match unicodedata.category(chr(code)):
        case "Cc" | "Cf" | "Cs":
            return None
        case "Co":
            return "□"
        case "Zs":
            return "  " if code == 0x3000 else " "
        case _:
            return code


_TABLE = _Table()

_PLAIN_BODY = re.compile(r"[\n\x20-\x7e]*")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_OBEYED = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_SPACES = re.compile(" {2,}")

# Each unit ends before the next introducer, so that a text of nothing but introducers is read once.
_ESCAPE_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]"  # CSI (ECMA-48 5.4)
    "|(?:\x1b[PX\\]^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9b-\x9f\r\n]{0,4096}+(?:\x07|\x1b\\\\|\x9c)"  # strings
    "|\x1b[ -/]{1,16}[0-~]"  # character sets and the like
    "|\x1b[0-Zc-~]"  # single functions: reset, save, restore …
)


def _is_plain(text: str) -> bool:
    return text.isascii() and (text.isprintable() or _PLAIN_BODY.fullmatch(text) is not None)


def _cleaned(text: str, *, keep_joiners: bool) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if _has_introducer(text):
        text = _ESCAPE_SEQUENCE.sub("", text)
    text = text.translate(_TABLE)
    if "\t" in text:
        text = text.expandtabs(8) if keep_joiners else text.replace("\t", " ")
    if text.isascii():
        return text
    if "\u200c" in text:
        text = _keep_joiners_between_letters(text) if keep_joiners else text.replace("\u200c", "")
    return _cap_marks(unicodedata.normalize("NFC", text))


def _has_introducer(text: str) -> bool:
    return any(introducer in text for introducer in ("\x1b" if text.isascii() else "\x1b\x90\x98\x9b\x9d\x9e\x9f"))


def _keep_joiners_between_letters(text: str) -> str:
    def keep(match: re.Match[str]) -> str:
        start, end = match.span()
        if start == 0 or end == len(text):
            return ""
        before, after = unicodedata.category(text[start - 1]), unicodedata.category(text[end])
        return "\u200c" if before[0] in "LM" and after[0] == "L" else ""

    return re.sub("\u200c+", keep, text)


class _MarkTable(dict[int, str]):
    def __missing__(self, code: int) -> str:
        kind = "m" if unicodedata.category(chr(code)) in ("Mn", "Me") else "-"
        if len(self) < 8_192:
            self[code] = kind
        return kind


_MARK_TABLE = _MarkTable()
_TOO_MANY_MARKS = re.compile("(?<=mmmm)m+")


def _cap_marks(text: str) -> str:
    """At most four combining marks on a base: "zalgo" text would paint over the lines above and below."""
    kinds = text.translate(_MARK_TABLE)
    if "mmmmm" not in kinds:
        return text
    pieces, at = [], 0
    for match in _TOO_MANY_MARKS.finditer(kinds):
        pieces.append(text[at : match.start()])
        at = match.end()
    pieces.append(text[at:])
    return "".join(pieces)


def _line_limit(text: str) -> int:
    """Characters that are sure to fit LINE_LIMIT cells: a wide character takes two."""
    return LINE_LIMIT if text.isascii() else LINE_LIMIT // 2


def _break_long_lines(text: str) -> str:
    limit = _line_limit(text)
    lines = text.split("\n")
    if all(len(line) <= limit for line in lines):
        return text
    broken = []
    for line in lines:
        while len(line) > limit:
            space = line.rfind(" ", limit // 2, limit)
            end = space + 1 if space > 0 else limit
            broken.append(line[:end])
            line = line[end:]
        broken.append(line)
    return "\n".join(broken)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + ELLIPSIS


_FORMULA_STARTS = frozenset("=+-@|%＝＋－＠")
_RESERVED_NAMES = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"))
)


def _fits_filename(character: str) -> bool:
    return character in " ._-()[]+,=@&!#" or unicodedata.category(character)[0] in "LMN"


def _shorten_filename(name: str) -> str:
    if len(name.encode()) <= FILENAME_LIMIT:
        return name
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension.encode()) > 16:
        stem, dot, extension = name, "", ""
    room = FILENAME_LIMIT - len((dot + extension).encode())
    kept = stem.encode()[:room].decode(errors="ignore").rstrip(" .")
    return f"{kept}{dot}{extension}"
