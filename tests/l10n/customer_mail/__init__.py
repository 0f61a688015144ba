"""3,000 support mails in twenty languages, for judging the detection: hand-written sentences, put together.

Each `LANGUAGE.toml` holds sentences that a native would write to a shop; `unknown.toml` texts in which nobody can tell
a language. They were written before anybody who wrote them had seen the detector or its thresholds.

Every sentence belongs to one half by its place in its list, and a mail is made of sentences of one half only: what is
tuned on `development` is judged on `report` by sentences it has never met.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Half = Literal["development", "report"]

LANGUAGES = tuple("it en de fr es pt nl pl cs sk ro hu sv da fi el ru ja zh ar".split())
UNKNOWN = "unknown"
PER_LANGUAGE = 140
WITHOUT_LANGUAGE = 200

_FOLDER = Path(__file__).parent
_PRODUCTS = (
    "Nike Air Zoom Pegasus 40",
    "iPhone 15 Pro Max",
    "Moka Express 3 tazze",
    "Bosch GSR 18V-55",
    "Canon EOS R10",
    "L'Oréal Elvital",
    "LEGO Star Wars 75313",
    "Philips Series 3000",
    "Birkenstock Arizona",
    "Petit Bateau",
    "Dyson V15 Detect",
    "Ray-Ban Wayfarer",
)
_ORDERS = ("#48211", "IT-2025-00917", "100024577", "SO48213", "2024-11873", "A-77120", "FR7719", "#100512")
_PEOPLE = {
    "ja": ("田中美咲", "佐藤健"),
    "zh": ("王小明", "李芳"),
    "ar": ("فاطمة الزهراء", "أحمد حسن"),
    "el": ("Μαρία Παπαδοπούλου", "Γιώργος Νικολάου"),
    "ru": ("Елена Смирнова", "Иван Петров"),
}
_WESTERN = ("Giulia Rossi", "Thomas Müller", "Anna Kowalska", "Lars Nilsen", "Sofia García", "Kovács Éva")
_OUR_ANSWERS = {
    "it": "Gentile cliente, grazie per averci scritto. Abbiamo girato la richiesta al magazzino e le faremo sapere.",
    "en": "Dear customer, thank you for getting in touch. We have passed your request on to our warehouse.",
    "de": "Guten Tag, vielen Dank für Ihre Nachricht. Wir haben Ihr Anliegen an unser Lager weitergeleitet.",
    "fr": "Bonjour, merci de nous avoir écrit. Nous avons transmis votre demande à notre entrepôt.",
}


@dataclass(frozen=True, slots=True)
class CustomerMail:
    """One text as it arrives, quotes and signature included; the language of what its writer typed, or `unknown`."""

    text: str
    language: str
    half: Half


def customer_mails(half: Half | None = None) -> list[CustomerMail]:
    """All 3,000 texts, or the 1,500 of one half; the same ones in the same order every time."""
    halves: tuple[Half, ...] = ("development", "report") if half is None else (half,)
    return [
        mail
        for one in halves
        for mail in itertools.chain(
            *(_take(_mails_in(language, one), PER_LANGUAGE // 2, language, one) for language in LANGUAGES),
            _take(_without_language(one), WITHOUT_LANGUAGE // 2, UNKNOWN, one),
        )
    ]


def _take(texts: Iterator[str], count: int, language: str, half: Half) -> list[CustomerMail]:
    distinct = list(itertools.islice(dict.fromkeys(itertools.islice(texts, count * 4)), count))
    if len(distinct) != count:
        raise ValueError(f"{language}: {len(distinct)} distinct texts in the {half} half, {count} are wanted")
    return [CustomerMail(text, language, half) for text in distinct]


def _mails_in(language: str, half: Half) -> Iterator[str]:
    said = _sentences(language, half)
    people = _PEOPLE.get(language, _WESTERN)
    between = "" if language in ("ja", "zh") else " "
    number = itertools.count(LANGUAGES.index(language) * 7 + (half == "report"))

    def fill(text: str) -> str:
        turn = next(number)
        return _filled(text, turn)

    for kind in ("shorts", "switching", "greetings", "closings", "cores"):
        yield from (fill(text) for text in said[kind])
    for turn in itertools.count():
        greeting, core, follow, closing = (
            _nth(said["greetings"], turn),
            _nth(said["cores"], turn * 5 + turn // 9),
            _nth(said["follow"], turn * 3 + turn // 5),
            _nth(said["closings"], turn),
        )
        person = people[turn % len(people)]
        quoted = _quoted(language, turn)
        yield fill(
            (
                f"{greeting}\n{core}",
                f"{core}{between}{follow}",
                f"{greeting}\n\n{core}{between}{follow}\n\n{closing}\n{person}",
                f"{follow}\n\n{quoted}",
                f"{core}\n\n{closing}\n-- \n{person}\nSent from my iPhone",
                f"{greeting}\n\n{core}\n{follow}\n\n{closing},\n{person}\n\n{quoted}",
                f"{closing}\n\n{quoted}",
                f"{follow}\n{person}",
            )[turn % 8]
        )


def _without_language(half: Half) -> Iterator[str]:
    texts = _sentences(UNKNOWN, half)["texts"]
    for turn in itertools.count():
        lap = turn // len(texts)
        text = _filled(_nth(texts, turn), turn + lap)
        yield (
            text
            if lap == 0
            else f"{text}\n\n{_quoted(UNKNOWN, turn)}"
            if lap == 1
            else f"{text}\n{_filled('{order}', lap)}"
        )


def _quoted(language: str, turn: int) -> str:
    """Our earlier answer below the customer's text, in another language than his more often than not."""
    ours = [other for other in _OUR_ANSWERS if other != language]
    answer = _OUR_ANSWERS[ours[turn % len(ours)]]
    return f"On Tue, 11 Mar 2025 at 09:14, Shop <help@shop.example> wrote:\n> {answer}"


def _sentences(language: str, half: Half) -> dict[str, Sequence[str]]:
    lists = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {kind: str(text).strip().split("\n")[half == "report" :: 2] for kind, text in lists.items()}


def _filled(text: str, turn: int) -> str:
    return (
        text.replace("{order2}", _nth(_ORDERS, turn + 3))
        .replace("{order}", _nth(_ORDERS, turn))
        .replace("{product2}", _nth(_PRODUCTS, turn + 5))
        .replace("{product}", _nth(_PRODUCTS, turn))
    )


def _nth(texts: Sequence[str], turn: int) -> str:
    return texts[turn % len(texts)]
