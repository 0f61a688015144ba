"""How a letter to a customer is worded: register, greeting and closing, what was left unfilled, shouting, words.

Pure: a text in, faults with their place out. Whether it is in the right language is `l10n.detect`'s question, whether
its words are spelled right `l10n.spelling`'s. What is quoted, links, addresses and the given names are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from supportdesk.l10n.tags import canonical_language
from supportdesk.l10n.wording_words import CLOSINGS, FORMAL_WORDS, GREETINGS, INFORMAL_WORDS

# From so many letters on a text is a letter, which opens and closes as one; a line in a running talk need not.
LETTER: Final = 80


@dataclass(frozen=True, slots=True)
class Fault:
    """What deserves a second look. `code`: register | mixed_register | placeholder | greeting | closing | shouting |
    marks | avoided. `found` is the text itself, "" for what is missing; `line` counts from 1.
    """

    code: str
    line: int
    found: str = ""


def find_faults(
    text: str, language: str, *, register: str = "", names: Iterable[str] = (), avoided: Iterable[str] = (),
    signature: str = "",
) -> list[Fault]:  # fmt: skip
    """All faults in reading order. `register` is formal, informal or "" (not decided: only a mixture is a fault).

    `signature` is what stands below the text by itself: a closing there is one.
    """
    primary = canonical_language(language)
    plain = without_foreign(text, names)
    found = [
        *_register_faults(plain, primary, register),
        *_every(plain, "placeholder", _PLACEHOLDER),
        *_every(plain, "marks", _MARKS),
        *_shouting(plain),
        *_avoided(plain, avoided),
        *_letter_faults(text, primary, signature),
    ]
    return sorted(found, key=lambda fault: (fault.line, fault.code))


def without_foreign(text: str, names: Iterable[str] = ()) -> str:
    """The text with blanks, as many, for what its writer did not word: quotations, links, addresses, names."""
    text = _FOREIGN.sub(_blank, text)
    for name in sorted({name.strip() for name in names if len(name.strip()) > 1}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", _blank, text, flags=re.IGNORECASE)
    return text


def _blank(match: re.Match[str]) -> str:
    return "".join("\n" if char == "\n" else " " for char in match[0])


def _register_faults(text: str, language: str, register: str) -> Iterator[Fault]:
    if language not in INFORMAL_WORDS:
        return
    informal = [match for match in _informal(language).finditer(text) if not _within_a_name(text, match)]
    formal = [match for match in _formal(language).finditer(text) if not _within_a_name(text, match)]
    if register == "formal" and informal:
        yield _fault("register", text, informal[0])
    elif register == "informal" and formal:
        yield _fault("register", text, formal[0])
    elif informal and formal:
        fewer = min((informal, formal), key=len)
        yield _fault("mixed_register", text, fewer[0])


def _within_a_name(text: str, match: re.Match[str]) -> bool:
    """`Eau du Soir`, `Tu Sei Bella`: a word among capitalised ones in its own sentence belongs to a name."""
    before = re.search(r"(\w[\w'’-]*) $", text[max(0, match.start() - 40) : match.start()])
    after = re.match(r" (\w[\w'’-]*)", text[match.end() : match.end() + 40])
    return bool(before and after and before[1][0].isupper() and after[1][0].isupper() and match[0][0].islower())


def _informal(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'’-])(?:{INFORMAL_WORDS[language]})(?![\w-])", re.IGNORECASE)


def _formal(language: str) -> re.Pattern[str]:
    return re.compile(FORMAL_WORDS[language], re.MULTILINE)


def _letter_faults(text: str, language: str, signature: str) -> Iterator[Fault]:
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    lines = [(number, line) for number, line in lines if not line.startswith(">")]
    if sum(char.isalpha() for _number, line in lines for char in line) < LETTER:
        return
    if language in GREETINGS and not any(re.match(GREETINGS[language], line, re.IGNORECASE) for _, line in lines[:2]):
        yield Fault("greeting", lines[0][0])
    if language in CLOSINGS:
        end = "\n".join([line for _, line in lines[-4:]] + signature.split("\n")[:3])
        if not re.search(CLOSINGS[language], end, re.IGNORECASE) and not _signed(lines):
            yield Fault("closing", lines[-1][0])


def _signed(lines: list[tuple[int, str]]) -> bool:
    """`Sorry again for the wait,` and a name below it: whatever its words, this is how a letter ends."""
    *_, (_n, before), (_m, last) = [(0, ""), *lines]
    return before.endswith((",", "，", "،")) and len(last.split()) <= 4 and not last.endswith((".", "!", "?"))


def _shouting(text: str) -> Iterator[Fault]:
    """Words in capitals, one after the other: three and long enough that no brand is called so, or the whole line."""
    for match in _CAPITALS.finditer(text):
        words = match[0].split()
        line = text[text.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0]
        whole = sum(char.isalpha() for char in line) == sum(char.isalpha() for char in match[0])
        letters = sum(map(len, words))
        if (len(words) >= 3 and letters >= 16) or (len(words) >= 2 and letters >= 10 and whole):
            yield _fault("shouting", text, match)


def _avoided(text: str, words: Iterable[str]) -> Iterator[Fault]:
    listed = [re.escape(word.strip()) for word in words if word.strip()]
    if listed:
        yield from _every(text, "avoided", re.compile(rf"(?<!\w)(?:{'|'.join(listed)})(?!\w)", re.IGNORECASE))


def _every(text: str, code: str, pattern: re.Pattern[str]) -> Iterator[Fault]:
    return (_fault(code, text, match) for match in pattern.finditer(text))


def _fault(code: str, text: str, match: re.Match[str]) -> Fault:
    return Fault(code, text.count("\n", 0, match.start()) + 1, " ".join(match[0].split()))


_CAPITALS: Final = re.compile(r"(?<!\w)[^\W\d_a-zà-öø-ÿ]{2,40}(?:[ ,]{1,2}[^\W\d_a-zà-öø-ÿ]{1,40}){1,60}(?!\w)")
_MARKS: Final = re.compile(r"[!！]{2,}|[?？]{2,}|[!?！？]{3,}")
_FIELD_NAMES: Final = (
    "name|first ?name|order|number|date|link|nome|cognome|cliente|numero|data|ordine|vorname|nachname|datum|nummer"
    "|bestellnummer|prénom|nom|numéro|commande|nombre|apellido|pedido|número|fecha|imię|naam|product|prodotto|xxx"
)
_PLACEHOLDER: Final = re.compile(
    rf"""\{{\{{?[^{{}}\n]{{0,60}}\}}?\}} | \[(?:(?:{_FIELD_NAMES})[^\]\n]{{0,20}}|\.{{3}}|…)\]
      | \[(?-i:[A-ZÀ-Þ][A-ZÀ-Þ ._-]{{2,40}})\]
      | <(?:{_FIELD_NAMES})[^<>\n]{{0,20}}> | %(?:{_FIELD_NAMES})% | \$\{{?(?:{_FIELD_NAMES})\b\}}?
      | \b[Xx]{{4,}}\b | (?<!\w)XXX(?!\w) | _{{3,}} | (?i:\blorem\ ipsum\b)""",
    re.VERBOSE | re.IGNORECASE,
)
_FOREIGN: Final = re.compile(
    r"""^[ \t]*>[^\n]*$ | [a-z][a-z0-9+.-]{1,20}://\S+ | \bwww\.\S+ | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}
      | "[^"\n]{1,200}" | “[^”\n]{1,200}” | „[^“”\n]{1,200}[“”] | «[^»\n]{1,200}» | 「[^」\n]{1,200}」""",
    re.MULTILINE | re.VERBOSE | re.IGNORECASE,
)
