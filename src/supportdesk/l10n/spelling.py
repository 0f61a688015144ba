"""Words that the system's hunspell dictionary of a language does not know; nothing where there is no dictionary.

chunspell comes with the optional extra `spelling`; the dictionaries are the system's (Debian: `hunspell-it` and so on).
Names, numbers, quotations, links and capitalised words that begin no sentence are nobody's mistakes.
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from supportdesk.l10n.tags import LocaleTag
from supportdesk.l10n.wording import without_foreign

PLACES: Final = (
    "/usr/share/hunspell",
    "/usr/share/myspell/dicts",
    "/usr/local/share/hunspell",
    "~/.local/share/hunspell",
)
_HOME_REGION: Final = {"en": "US", "pt": "PT", "cs": "CZ", "da": "DK", "sv": "SE", "el": "GR", "no": "NO", "uk": "UA"}


@dataclass(frozen=True, slots=True)
class Misspelling:
    """A word that the dictionary does not know, its line from 1, and at most three words that it may have been."""

    word: str
    line: int
    suggestions: tuple[str, ...]


def available() -> bool:
    """Whether chunspell is installed."""
    return importlib.util.find_spec("hunspell") is not None


def find_dictionary(language: str) -> Path | None:
    """The `.dic` of a tag: of its region, of the language's home region, of the language, of any region."""
    return next(_dictionaries(language), None)


def _dictionaries(language: str) -> Iterator[Path]:
    """All of a tag, the best one first, each file once (Debian's de_BE is a link to de_DE)."""
    tag = LocaleTag.parse(language)
    names = [tag.language, "nb" if tag.language == "no" else tag.language]
    regions = [tag.region, _HOME_REGION.get(tag.language, tag.language.upper())]
    wanted = [f"{name}_{region}" for name in names for region in regions if region] + names
    folders = [
        Path(place).expanduser() for place in (*os.environ.get("DICPATH", "").split(os.pathsep), *PLACES) if place
    ]
    found: set[Path] = set()
    for folder in folders:
        for name in (*wanted, *sorted(path.stem for path in folder.glob(f"{names[-1]}_*.dic"))):
            path = folder / f"{name}.dic"
            if path.is_file() and path.with_suffix(".aff").is_file() and path.resolve() not in found:
                found.add(path.resolve())
                yield path


def debian_package(language: str) -> str:
    """The Debian package of a language's dictionary: `hunspell-it`, `hunspell-de-de`."""
    tag = LocaleTag.parse(language)
    home = _PACKAGED_BY_REGION.get(tag.language, "")
    return "-".join(part for part in ("hunspell", tag.language, (tag.region or home).lower() if home else "") if part)


def find_misspellings(
    text: str, language: str, *, names: Iterable[str] = (), known: Iterable[str] = (), named_in: Iterable[str] = ()
) -> list[Misspelling]:
    """Each unknown word once, in reading order.

    `known` are texts whose words are right: a canned response's. `named_in` are the customer's: only a word with a
    capital may be a name there, and is one as it is written.
    """
    tag = LocaleTag.parse(language)
    paths = list(_dictionaries(language)) if available() else []
    if not paths:
        return []
    # Without a region nobody knows whose spelling is meant: cancelled and canceled are both right.
    paths = paths[:1] if tag.region else paths
    names = list(names)
    right = {word.casefold() for one in (*known, *names) for word in _WORD.findall(one)}
    named = {word for one in named_in for word in _WORD.findall(one) if word[0].isupper()}
    plain = _CODES.sub(lambda match: " " * len(match[0]), without_foreign(text, names))
    found: dict[str, Misspelling] = {}
    with _lock:
        dictionaries = _Dictionaries(paths, tag.language)
        for match in _WORD.finditer(plain):
            word = match[0]
            if word in found or word in named or word.casefold() in right or _is_a_name(plain, match, tag.language):
                continue
            if not dictionaries.know(word):
                line = plain.count("\n", 0, match.start()) + 1
                found[word] = Misspelling(word, line, dictionaries.suggest(word))
    return list(found.values())


def _is_a_name(text: str, match: re.Match[str], language: str) -> bool:
    """Capitals inside a word, or at its beginning where no sentence begins; German nouns are words."""
    word = match[0]
    if not word[1:].islower():
        return len(word) > 1
    begins = re.search(r"(?:^|[.!?:…\n]\s*|[¿¡«“„\"(]\s*)$", text[max(0, match.start() - 6) : match.start()])
    return word[0].isupper() and not begins and language != "de"


class _Dictionaries:
    """Those of one language: what one of them knows is right. The second is read when the first lacks a word."""

    def __init__(self, paths: Sequence[Path], language: str) -> None:
        self._paths, self._language = paths, language

    def know(self, word: str) -> bool:
        """Whether the word stands there as typed, with a straight apostrophe, as halves of an elision or compound."""
        straight = word.replace("’", "'")
        try:
            if self._spell(straight) or self._spell(word):
                return True
            halves = [half for half in straight.split("'") if len(half) > 1]
            if "'" in straight and all(self._spell(half) or self._spell(f"{half}'") for half in halves):
                return True
            return self._language in _COMPOUNDING and self._is_compound(word)
        except UnicodeEncodeError:  # a letter that the dictionary's charset has not: a word of another language
            return True

    def suggest(self, word: str) -> tuple[str, ...]:
        return tuple(_load(self._paths[0]).suggest(word))[:3]

    def _spell(self, word: str) -> bool:
        return any(_load(path).spell(word) for path in self._paths)

    def _is_compound(self, word: str) -> bool:
        """`Sendungsverfolgung`: two known words, with what joins them."""
        for at in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
            tail = word[at:]
            if not (self._spell(tail) or self._spell(tail.capitalize())):
                continue
            joints = (joint for joint in ("", *_COMPOUNDING[self._language]) if word[:at].endswith(joint))
            heads = [word[: at - len(joint)] for joint in joints if at - len(joint) >= _SHORTEST_PART]
            if any(self._spell(head) or self._spell(head.capitalize()) for head in heads):
                return True
        return False


@lru_cache(maxsize=8)
def _load(path: Path) -> Any:
    """The dictionary, read once (0.1–0.5 s)."""
    return import_module("hunspell").Hunspell(path.stem, hunspell_data_dir=str(path.parent), system_encoding="UTF-8")


_PACKAGED_BY_REGION: Final = {"de": "DE", "en": "US", "pt": "PT"}
_SHORTEST_PART: Final = 4
_COMPOUNDING: Final[Mapping[str, tuple[str, ...]]] = {
    "de": ("s", "es", "n", "en", "er", "e"), "nl": ("s", "e", "en", "-"), "sv": ("s",), "da": ("s", "e"),
    "no": ("s", "e"), "fi": ("n",),
}  # fmt: skip
_lock: Final = threading.Lock()
_CODES: Final = re.compile(r"\S*[\d@#_/\\]\S*")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?(?<!['’])", re.UNICODE)
