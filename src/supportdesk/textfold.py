"""Folding for index, query and highlight: what differs only in spelling becomes equal.

`fold()` makes the one column that is indexed, `fold_query()` reads what an agent typed with the same rules, and
`find_spans()` finds it again in the text on screen. The folded column is letters and digits with single spaces, so
FTS5's unicode61 and a Postgres tsvector split it into the same tokens. No language, no stemming, no database here.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKEN_LIMIT: Final = 64
"""Characters of one token: longer ones are cut in index and query alike (a base64 line is no word)."""

QUERY_LIMIT: Final = 32
"""Tokens of one query; the rest is left out."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition of a query: these tokens next to each other; `prefix`: the last one may go on."""

    tokens: tuple[str, ...]
    prefix: bool = False


def fold(text: str) -> str:
    """`text` as index tokens with single spaces between.

    Case, accents, compatibility forms and spelling variants (ß ł ø ё …) are gone; a word that mixes letters and
    digits is followed by its parts (`ord5521 ord 5521`); scripts without spaces become overlapping pairs and the last
    character (`東京都` → `東京 京都 都`). Never raises; linear.
    """
    plain = _plain(text)
    if not plain.isascii():
        plain = _UNSPACED_RUN.sub(lambda run: f" {' '.join(_pairs(run.group()))} ", plain)
    words = plain.split()
    # Nearly every word is all letters or all digits: this is the hot loop of the mail intake.
    return " ".join(
        [
            word if len(word) <= TOKEN_LIMIT and (word.isalpha() or word.isdigit()) else " ".join(_spaced_tokens(word))
            for word in words
        ]
    )


SUBJECT, SENDER = "\ue000", "\ue001"
"""What a token of the subject, or of who sent a message, begins with a second time: `fold` lets none of them through,
and both indexes take them for letters."""


def fold_message(text: str, *, subject: str = "", sender: str = "") -> str:
    """The index tokens of a message; those of its subject and sender once more with their mark."""
    marked = [f"{mark}{token}" for mark, part in ((SUBJECT, subject), (SENDER, sender)) for token in fold(part).split()]
    return " ".join(filter(None, (fold(text), *marked)))


def fold_query(text: str, *, typing: bool = True) -> list[Term]:
    """What was typed, as terms that must all be found.

    `"…"` is a phrase; a word with punctuation inside (an address, an order number) is one too; `word*` is a prefix,
    and so, while `typing`, is the last word when no space follows it. At most 32 tokens in all.
    """
    terms: list[Term] = []
    room = QUERY_LIMIT
    for piece in _QUERY_PIECE.finditer(text):
        quoted = piece.group("quoted") is not None
        raw = piece.group("quoted") if quoted else piece.group("plain")
        starred = raw.endswith("*")
        unfinished = typing and not quoted and piece.end() == len(text)
        words = _words(raw)[:room]
        if not words:
            continue
        term = _term(words, prefix=starred or unfinished)
        room -= len(words)
        if term not in terms:
            terms.append(term)
        if room <= 0:
            break
    return terms


def marked_term(term: Term, mark: str) -> Term:
    """The term, to be found where `fold_message` has put that mark."""
    return Term(tuple(f"{mark}{token}" for token in term.tokens), term.prefix)


def find_spans(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where `terms` stand in `text`: sorted half-open ranges without overlap, for highlighting and find-in-page."""
    needles = [needle for term in terms if (needle := _needle(term))]
    if not needles:
        return []
    folded, origins = _fold_with_origins(text)
    hits: list[tuple[int, int]] = []
    for needle in needles:
        hits.extend(
            (origins[match.start()], origins[match.end() - 1] + 1) for match in needle.finditer(folded) if match.group()
        )
    return _merged(hits, text)


_OWN_MAP = {
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ħ": "h",
    "ŧ": "t",
    "ŋ": "n",
    "ĸ": "k",
    "ƒ": "f",
    "ʻ": " ",
    "ʼ": " ",
    "ʹ": " ",
    "ґ": "г",
    "ـ": "",  # tatweel only stretches an Arabic word
    "ى": "ي",
    "ة": "ه",
    "ک": "ك",
    "ی": "ي",
}

# Combining vowels until Unicode 7, which FTS5's tables predate.
_NOT_YET_LETTERS = frozenset((*range(0x19B0, 0x19C1), 0x19C8, 0x19C9, 0x1CF2, 0x1CF3))
_VOICING_MARKS = frozenset((0x3099, 0x309A))


class _FoldTable(dict[int, "str | int | None"]):
    """The table of `str.translate`, filled as characters are met; bounded, since a mail may hold every character."""

    def __missing__(self, code: int) -> str | int | None:
        folded = _folded(code)
        if len(self) < 16_384:
            self[code] = folded
        return folded


def _folded(code: int) -> str | int | None:
    character = chr(code)
    if character in _OWN_MAP:
        return _OWN_MAP[character]
    if code in _VOICING_MARKS:
        return code
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf" or code in _NOT_YET_LETTERS:
        return None
    if category == "Nd":
        return str(unicodedata.digit(character))
    return code if category[0] in "LN" else " "


_TABLE = _FoldTable()
_ASCII_TABLE = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}

# Scripts written without spaces, and Hangul, whose particles stick to the word.
_UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3041-\u3096\u309d-\u309f\u30a1-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\uac00-\ud7a3\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003fffd"
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff"
)
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_PART = re.compile(r"[0-9]+|[^\W0-9_]+")
_STRAY_VOICING = re.compile("[\u3099\u309a]")
_MIXED = re.compile(r"[0-9][^\W0-9_]|[^\W0-9_][0-9]")
_QUERY_PIECE = re.compile(r'"(?P<quoted>[^"]*)(?:"|$)|(?P<plain>[^\s"]+)')


def _plain(text: str) -> str:
    """Folded characters and spaces, before it is cut into tokens."""
    if text.isascii():
        return text.translate(_ASCII_TABLE)
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    text = unicodedata.normalize("NFC", text.translate(_TABLE))
    return _STRAY_VOICING.sub("", text)


def _words(text: str) -> list[str]:
    """Words, each either one run of an unspaced script or free of them."""
    plain = _plain(text)
    if not plain.isascii():
        plain = _UNSPACED_RUN.sub(r" \g<0> ", plain)
    return plain.split()


def _is_unspaced(word: str) -> bool:
    return not word.isascii() and _UNSPACED_RUN.match(word) is not None


def _index_tokens(word: str) -> list[str]:
    return _pairs(word) if _is_unspaced(word) else _spaced_tokens(word)


def _pairs(run: str) -> list[str]:
    return [*map("".join, itertools.pairwise(run)), run[-1]]


def _spaced_tokens(word: str) -> list[str]:
    token = word[:TOKEN_LIMIT]
    if len(token) <= 32 and _MIXED.search(token):
        parts = _PART.findall(token)
        if len(parts) <= 4:
            return [token, *parts]
    return [token]


def _term(words: list[str], *, prefix: bool) -> Term:
    """Earlier words of a phrase as they stand in the index; of the last one only what the index begins it with."""
    tokens = [token for word in words[:-1] for token in _index_tokens(word)]
    last = words[-1]
    if not _is_unspaced(last):
        return Term((*tokens, last[:TOKEN_LIMIT]), prefix)
    if len(last) == 1:
        return Term((*tokens, last), True)  # in the index it begins a pair, or ends its run
    return Term((*tokens, *(last[at : at + 2] for at in range(len(last) - 1))), False)


def _needle(term: Term) -> re.Pattern[str] | None:
    """The term as it stands in `_fold_with_origins`' text, where unspaced runs are not yet cut into pairs."""
    words: list[str] = []
    skip = 0
    for at, token in enumerate(term.tokens):
        if skip:
            skip -= 1
        elif _is_unspaced(token):
            if words and at and _is_unspaced(before := term.tokens[at - 1]) and before[-1] == token[0]:
                words[-1] += token[1:]
            else:
                words.append(token)
        else:
            words.append(token)
            skip = len(_index_tokens(token)) - 1
    if not words:
        return None
    starts = "" if _is_unspaced(words[0]) else f"(?<!{_same_kind(words[0][0])})"
    ends = "" if term.prefix or _is_unspaced(words[-1]) else f"(?!{_same_kind(words[-1][-1])})"
    return re.compile(starts + " ?".join(map(re.escape, words)) + ends)


def _same_kind(character: str) -> str:
    """Where a letter meets a digit a word may begin or end, since the index holds the parts of a mixed one."""
    return "[0-9]" if character.isdigit() else r"[^\W0-9_]"


def _fold_with_origins(text: str) -> tuple[str, list[int]]:
    """The folded characters, and for each the index of the character it came from; separators are one space."""
    folded: list[str] = []
    origins: list[int] = []
    for at, character in enumerate(text):
        for piece in _fold_character(character):
            if piece == " " and (not folded or folded[-1] == " "):
                continue
            folded.append(piece)
            origins.append(at)
    return "".join(folded), origins


_CHARACTERS: dict[str, str] = {}


def _fold_character(character: str) -> str:
    known = _CHARACTERS.get(character)
    if known is None:
        known = _plain(character)
        if len(_CHARACTERS) < 16_384:
            _CHARACTERS[character] = known
    return known


def _merged(hits: list[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for start, end in sorted(hits):
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans
