"""People's names in mail: which part is the first name, which order the parts take, how a letter opens.

A greeting never guesses a gender: the wordings work for everybody, and a name that is no person's name is left out.
"""

from __future__ import annotations

import re
from typing import Final

from supportdesk.l10n.tags import FORMAL, LocaleTag, canonical_language

# In Latin letters; in Chinese, Japanese and Korean the script tells: `Giulia Rossi` keeps her order there.
_FAMILY_FIRST: Final = frozenset({"hu", "vi"})
_EAST_ASIAN: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NOT_A_PERSON: Final = re.compile(
    r"""[\d@/\\<>|_&+{}\[\]%]
      | \b(?:s\.?r\.?l|s\.?p\.?a|s\.?a\.?s|s\.?n\.?c|gmbh|kg|ohg|ag|e\.?v|ltd|llc|inc|sarl|b\.?v|s\.?l|s\.?a|oy|ab)\b
      | \b(?:info|support|service|kundenservice|customer|clienti?|vendite|sales|office|studio|team|shop|store|admin|mail
           |newsletter|no-?reply|contact|kontakt|ufficio|amministrazione|ordini|orders?|bestellung|hello|ciao)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TITLES: Final = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|dr|prof|sig|sig\.ra|dott|dott\.ssa|avv|ing|arch|geom|rag|herr|frau|m|mme|mlle|sr|sra|don|doña)"
    r"\.?\s+)+",
    re.IGNORECASE,
)


def first_name(display_name: str, language: str = "") -> str:
    """The first name in a display name, or "" when it is not clearly a person's: `ROSSI, Mario` → `Mario`."""
    given, family = split_name(display_name, language)
    return given if family or _looks_given(display_name.strip(" '\"")) else ""


def split_name(display_name: str, language: str = "") -> tuple[str, str]:
    """(given, family) of a display name; ("", "") when it is an address, a company, a department.

    `Rossi, Mario` and, in languages that write the family first, `Nagy Anna` are read in their order.
    """
    written = " ".join(display_name.replace('"', " ").strip(" '").split())
    name = _TITLES.sub("", written)
    if not name or len(name) > 60 or _NOT_A_PERSON.search(name) or not any(char.isalpha() for char in name):
        return "", ""
    if _EAST_ASIAN.search(name):
        family, _, given = name.partition(" ")
        return (given, family) if given else ("", family)
    if name.count(",") == 1:
        family, given = (part.strip() for part in name.split(","))
        return (_cased(given), _cased(family)) if given and family else ("", "")
    parts = name.split()
    if len(parts) > 5 or (len(parts) == 1 and name != written):  # `Mme Dupont` tells no first name
        return "", ""
    if canonical_language(language) in _FAMILY_FIRST and len(parts) > 1:
        return _cased(" ".join(parts[1:])), _cased(parts[0])
    return _cased(parts[0]), _cased(" ".join(parts[1:]))


def full_name(given: str, family: str, locale: str) -> str:
    """Both names in the order of the locale; Han, kana and Hangul names stand without a space."""
    if not given or not family:
        return given or family
    if _EAST_ASIAN.search(given + family):
        return family + given
    parts = (family, given) if canonical_language(locale) in _FAMILY_FIRST else (given, family)
    return " ".join(parts)


def greeting(display_name: str, locale: str) -> str:
    """How a mail to this person opens, with its punctuation: `Ciao Giulia,`, `Gentile Giulia Rossi,`, `Guten Tag,`.

    The register is in the tag (`de@formal`). Formal greetings take the full name, the others the first name; without a
    usable name the wording for nobody in particular. Who writes his own title is greeted with it: `Gentile Sig.ra
    Rossi,`. A language without a wording is greeted in English.
    """
    tag = LocaleTag.parse(locale)
    if tag.register and (titled := _with_title(display_name, tag.language)):
        return titled
    wording = _GREETINGS.get((tag.language, tag.register)) or _GREETINGS.get((tag.language, "")) or _GREETINGS["en", ""]
    named, unnamed, takes_full_name = wording
    given, family = split_name(display_name, tag.language)
    if takes_full_name:
        name = full_name(given, family, tag.language) if (given and family) or _EAST_ASIAN.search(family) else ""
    else:
        name = first_name(display_name, tag.language)
    return named.format(name=name) if name and named else unnamed


def _with_title(display_name: str, language: str) -> str:
    """The formal greeting by the title that a person put before the own name; "" without one of this language."""
    written = " ".join(display_name.replace('"', " ").split())
    for title, wording in _TITLED.get(language, ()):
        match = re.match(rf"(?:{title})\s+(?=\S)", written, re.IGNORECASE)
        if match:
            rest = written[match.end() :]
            given, family = split_name(rest, language)
            return wording.format(family=family or given) if given else ""
    return ""


def _looks_given(name: str) -> bool:
    """One word alone is taken for a first name when it is written like a name and not like a login."""
    return len(name) >= 2 and name[0].isupper() and not name.isupper() and name.isalpha()


def _cased(name: str) -> str:
    """`MARIO` and `mario` → `Mario`; `McDonald` and `de la Cruz` stay as they are."""
    if not name.isupper() and not name.islower():
        return name
    return re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), name)


# A title tells how its bearer wants to be addressed; nothing else about a name does. The first that fits.
_TITLED: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "de": (
        (r"frau prof\.?", "Sehr geehrte Frau Prof. {family},"),
        (r"herr prof\.?", "Sehr geehrter Herr Prof. {family},"),
        (r"frau dr\.?", "Sehr geehrte Frau Dr. {family},"),
        (r"herr dr\.?", "Sehr geehrter Herr Dr. {family},"),
        ("frau", "Sehr geehrte Frau {family},"),
        ("herr", "Sehr geehrter Herr {family},"),
        (r"dr\.?", "Guten Tag Dr. {family},"),
    ),
    "en": (
        (r"mr\.?", "Dear Mr {family},"),
        (r"mrs\.?", "Dear Mrs {family},"),
        (r"ms\.?", "Dear Ms {family},"),
        (r"miss", "Dear Miss {family},"),
        (r"dr\.?", "Dear Dr {family},"),
    ),
    "es": (
        (r"sra\.?|señora", "Estimada Sra. {family}:"),
        (r"sr\.?|señor", "Estimado Sr. {family}:"),
        (r"dra\.?", "Estimada Dra. {family}:"),
    ),
    "fr": (
        (r"mme\.?|madame", "Bonjour Madame {family},"),
        (r"m\.|mr\.?|monsieur", "Bonjour Monsieur {family},"),
        (r"dr\.?", "Bonjour Docteur {family},"),
    ),
    "it": (
        (r"sig\.?\s?ra|signora", "Gentile Sig.ra {family},"),
        (r"sig\.?|signor", "Gentile Sig. {family},"),
        (r"dott\.?ssa", "Gentile Dott.ssa {family},"),
        (r"dott\.?", "Gentile Dott. {family},"),
        (r"dr\.?", "Gentile Dr. {family},"),
        (r"avv\.?", "Gentile Avv. {family},"),
        (r"ing\.?", "Gentile Ing. {family},"),
        (r"prof\.?ssa", "Gentile Prof.ssa {family},"),
        (r"prof\.?", "Gentile Prof. {family},"),
    ),
    "nl": (
        (r"mevr?\.?|mevrouw", "Geachte mevrouw {family},"),
        (r"dhr\.?|de heer|meneer", "Geachte heer {family},"),
    ),
    "pl": (
        (r"pani", "Szanowna Pani,"),
        (r"pan", "Szanowny Panie,"),
    ),
    "pt": (
        (r"sra\.?|senhora", "Exma. Sra. {family},"),
        (r"sr\.?|senhor", "Exmo. Sr. {family},"),
    ),
}

# (language, register): with a name, without one, whether the name is the full one. Spanish puts a colon and a vocative
# comma (RAE, Ortografía 2010); Slavic and Greek vocatives are avoided by not naming; Hungarian ends with a bang.
_GREETINGS: Final[dict[tuple[str, str], tuple[str, str, bool]]] = {
    ("ar", ""): ("مرحبًا {name}،", "مرحبًا،", False),
    ("bg", ""): ("", "Здравейте,", False),
    ("ca", ""): ("Hola, {name}:", "Hola:", False),
    ("cs", ""): ("", "Dobrý den,", False),
    ("da", ""): ("Hej {name}", "Hej", False),
    ("de", ""): ("Hallo {name},", "Hallo,", False),
    ("de", FORMAL): ("Guten Tag {name},", "Guten Tag,", True),
    ("el", ""): ("", "Γεια σας,", False),
    ("en", ""): ("Hi {name},", "Hello,", False),
    ("en", FORMAL): ("Dear {name},", "Hello,", True),
    ("es", ""): ("Hola, {name}:", "Hola:", False),
    ("es", FORMAL): ("Buenos días, {name}:", "Buenos días:", True),
    ("et", ""): ("Tere, {name}!", "Tere!", False),
    ("fi", ""): ("Hei {name},", "Hei,", False),
    ("fr", ""): ("Bonjour {name},", "Bonjour,", False),
    ("fr", FORMAL): ("Bonjour,", "Bonjour,", True),
    ("he", ""): ("שלום {name},", "שלום,", False),
    ("hr", ""): ("", "Dobar dan,", False),
    ("hu", ""): ("Kedves {name}!", "Jó napot kívánunk!", False),
    ("hu", FORMAL): ("Tisztelt {name}!", "Jó napot kívánunk!", True),
    ("id", ""): ("Halo {name},", "Halo,", False),
    ("it", ""): ("Ciao {name},", "Ciao,", False),
    ("it", FORMAL): ("Gentile {name},", "Gentile cliente,", True),
    ("ja", ""): ("{name} 様", "お客様", True),
    ("ko", ""): ("{name} 고객님, 안녕하세요.", "고객님, 안녕하세요.", True),
    ("lt", ""): ("", "Laba diena,", False),
    ("lv", ""): ("", "Labdien!", False),
    ("nl", ""): ("Hoi {name},", "Hoi,", False),
    ("nl", FORMAL): ("Beste {name},", "Goedendag,", True),
    ("no", ""): ("Hei {name}", "Hei", False),
    ("pl", ""): ("", "Dzień dobry,", False),
    ("pt", ""): ("Olá, {name},", "Olá,", False),
    ("ro", ""): ("Bună, {name},", "Bună ziua,", False),
    ("ru", ""): ("Здравствуйте, {name}!", "Здравствуйте!", False),
    ("sk", ""): ("", "Dobrý deň,", False),
    ("sl", ""): ("", "Pozdravljeni,", False),
    ("sv", ""): ("Hej {name},", "Hej,", False),
    ("tr", ""): ("Merhaba {name},", "Merhaba,", False),
    ("tr", FORMAL): ("Sayın {name},", "Merhaba,", True),
    ("uk", ""): ("", "Добрий день!", False),
    ("vi", ""): ("Xin chào {name},", "Xin chào,", False),
    ("zh", ""): ("{name}，您好：", "您好：", True),
}
