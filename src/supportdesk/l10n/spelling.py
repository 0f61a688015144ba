"""Words that the system's hunspell dictionary of a language does not know; nothing where there is no dictionary.

chunspell comes with the optional extra `spelling`; the dictionaries are the system's (Debian: `hunspell-it` and so on).
Names, numbers, quotations, links and capitalised words that begin no sentence are nobody's mistakes.
"""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from collections.abc import Iterable, Mapping
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


def find_dictionary(language: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The `.dic` of a tag: of its region, of the language's home region, of the language, of any region."""
    tag = LocaleTag.parse(language)
    names = [tag.language, "nb" if tag.language == "no" else tag.language]
    regions = [tag.region, _HOME_REGION.get(tag.language, tag.language.upper())]
    wanted = [f"{name}_{region}" for name in names for region in regions if region] + names
    folders = [Path(place).expanduser() for place in (*environ.get("DICPATH", "").split(os.pathsep), *PLACES) if place]
    for folder in folders:
        for name in (*wanted, *sorted(path.stem for path in folder.glob(f"{names[-1]}_*.dic"))):
            if (folder / f"{name}.dic").is_file() and (folder / f"{name}.aff").is_file():
                return folder / f"{name}.dic"
    return None


def find_misspellings(
    text: str, language: str, *, names: Iterable[str] = (), known: Iterable[str] = ()
) -> list[Misspelling]:
    """Each unknown word once, in reading order. `known` are texts whose words are right: a canned response's."""
    path = find_dictionary(language) if available() else None
    if path is None:
        return []
    right = {word.casefold() for one in known for word in _WORD.findall(one)}
    plain = _CODES.sub(lambda match: " " * len(match[0]), without_foreign(text, names))
    found: dict[str, Misspelling] = {}
    with _lock:
        dictionary = _load(path)
        for match in _WORD.finditer(plain):
            word = match[0]
            if word in found or word.casefold() in right or _is_a_name(plain, match, language):
                continue
            if not _knows(dictionary, word):
                found[word] = Misspelling(word, plain.count("\n", 0, match.start()) + 1, _suggest(dictionary, word))
    return list(found.values())


def _is_a_name(text: str, match: re.Match[str], language: str) -> bool:
    """Capitals inside a word, or at its beginning where no sentence begins; German nouns are words."""
    word = match[0]
    if not word[1:].islower():
        return len(word) > 1
    begins = re.search(r"(?:^|[.!?:…\n]\s*|[¿¡«“„\"(]\s*)$", text[max(0, match.start() - 6) : match.start()])
    return word[0].isupper() and not begins and LocaleTag.parse(language).language != "de"


def _knows(dictionary: Any, word: str) -> bool:
    """Whether the word stands in the dictionary, as typed, with a straight apostrophe, or each half of an elision."""
    straight = word.replace("’", "'")
    try:
        if dictionary.spell(straight) or dictionary.spell(word):
            return True
        halves = [half for half in straight.split("'") if len(half) > 1]
        return "'" in straight and all(dictionary.spell(half) or dictionary.spell(f"{half}'") for half in halves)
    except UnicodeEncodeError:  # a letter that the dictionary's charset has not: a word of another language
        return True


def _suggest(dictionary: Any, word: str) -> tuple[str, ...]:
    return tuple(dictionary.suggest(word))[:3]


@lru_cache(maxsize=8)
def _load(path: Path) -> Any:
    """The dictionary, read once (0.1–0.5 s)."""
    return import_module("hunspell").Hunspell(path.stem, hunspell_data_dir=str(path.parent), system_encoding="UTF-8")


_lock: Final = threading.Lock()
_CODES: Final = re.compile(r"\S*[\d@#_/\\]\S*")
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*['’]?(?<!['’])", re.UNICODE)
