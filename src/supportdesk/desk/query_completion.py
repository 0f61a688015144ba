"""What could stand at the cursor of a query: keys while a word may become one, then the values of the key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from supportdesk.desk.query import tokens
from supportdesk.desk.query_keys import KEY_ALIASES, KEYS
from supportdesk.l10n.catalog import _
from supportdesk.textfold import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.query_keys import Known

LEAST_OF_A_KEY: Final = 2
"""Letters of a word from which on it may be the beginning of a key: one letter would offer too much."""

MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """`insert` takes the place of the text from `start` to the cursor; `shown` is what an agent reads."""

    start: int
    insert: str
    shown: str
    meaning: str = ""


def complete_query(text: str, known: Known) -> Sequence[Candidate]:
    """The candidates for the end of `text`, what stands before the cursor; the best first."""
    if not text or text[-1].isspace():
        return ()
    last = list(tokens(text))[-1]
    if last.kind == "word":
        return _keys(last.value, last.end - len(last.value))
    if last.kind == "key" and last.end == len(text):
        return _values(last.key, text[last.at :], last.at, known)
    return ()


def _keys(word: str, start: int) -> list[Candidate]:
    begun = word.casefold().replace("-", "_")
    if len(begun) < LEAST_OF_A_KEY or not begun.isascii():
        return []
    names = {name: name for name in KEYS if name.startswith(begun)}
    names |= {name: alias for alias, name in KEY_ALIASES.items() if alias.startswith(begun) and name not in names}
    return [Candidate(start, f"{name}:", f"{name}:", _(KEYS[name].meaning)) for name in names]


def _values(key_name: str, typed: str, start: int, known: Known) -> list[Candidate]:
    name = key_name.casefold().replace("-", "_")
    key = KEYS.get(KEY_ALIASES.get(name, name))
    if key is None:
        return []
    if key.listed and "," in typed:
        before = typed.rfind(",") + 1
        start, typed = start + before, typed[before:]
    typed = typed.removeprefix('"')
    wanted = fold(typed)
    found: list[tuple[int, Candidate]] = []
    for value, meaning in key.values(known):
        rank = (
            0
            if value.casefold().startswith(typed.casefold())
            else 1
            if key.named and wanted and wanted in fold(meaning)
            else 2
        )
        if rank < 2 and value.casefold() != typed.casefold():
            written = f'"{value}"' if " " in value else value
            found.append((rank, Candidate(start, f"{written} ", value, meaning)))
    return [candidate for _rank, candidate in sorted(found, key=lambda item: item[0])[:MOST]]
