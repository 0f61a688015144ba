"""What agents write: 200 native drafts in ten languages, one a line, the same ones in each; and 500 right replies.

`right_replies` are the drafts, every starter response in every variant, and drafts in which names, order numbers,
products and quoted foreign words stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.canned_fragments import render_whole
from tests.desk.canned_samples import ANSWERS, ROME, ticket_values

LANGUAGES = ("it", "en", "de", "fr", "es", "pt", "nl", "pl", "sv", "ja")
_FOLDER = Path(__file__).parent
_NAMES = ("Giulia Bianchi", "Thomas Müller", "Jean-Pierre Martin", "María García López", "Lars Andersen", "O’Connor")
_PRODUCTS = ("Moka Express", "Bosch GSR 18V-55", "Nike Air Zoom Pegasus 40", "Petit Bateau", "Dyson V15 Detect")
_ORDERS = ("#48211", "IT-2025-00917", "100024577", "SO48213")
_QUOTED = (
    "“delivery attempted, please contact the sender”",
    "«spedizione in consegna oggi, grazie per la pazienza»",
    "„Die Sendung wird im Zielgebiet bearbeitet“",
    '"votre colis est en cours de livraison"',
)


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """A reply, the language and register in which it is right, and the names that the desk knows."""

    text: str
    language: str
    register: str
    names: tuple[str, ...]


def agent_drafts() -> list[AgentDraft]:
    return [
        _filled(line, language, number)
        for language in LANGUAGES
        for number, line in enumerate((_FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines())
    ]


def right_replies() -> list[AgentDraft]:
    return [*agent_drafts(), *_starter_responses(), *_with_foreign_words()][:500]


def _filled(line: str, language: str, number: int) -> AgentDraft:
    name, product = _NAMES[number % len(_NAMES)], _PRODUCTS[number % len(_PRODUCTS)]
    text = line.format(name=name, product=product, order=_ORDERS[number % len(_ORDERS)])
    return AgentDraft(text, language, "", (name, product))


def _starter_responses() -> Iterator[AgentDraft]:
    whole = starter_set()
    fragments = {response.key: response for response in whole if response.fragment}
    for response in (one for one in whole if not one.fragment):
        for variant in response.variants:
            values = ticket_values(str(variant.tag), customer_name="Giulia Rossi", order_number="")
            asked = {item.name: ANSWERS[item.type] for item in response.ask}
            text = render_whole(variant, fragments, {**values, "ask": asked}, variant.tag.locale, ROME).text
            register = variant.tag.register or "informal"
            yield AgentDraft(text, variant.tag.language, register, ("Giulia Rossi", "Anna Neri"))


def _with_foreign_words() -> Iterator[AgentDraft]:
    for number, draft in enumerate(agent_drafts()):
        if sum(map(str.isalpha, draft.text)) >= 25:
            order, name = _ORDERS[number % len(_ORDERS)], _NAMES[(number + 1) % len(_NAMES)]
            quoted = _QUOTED[number % len(_QUOTED)]
            text = f"{draft.text}\n\n{order}: {quoted}\nhttps://shop.example/en/track/{number}\n\n{name}"
            yield AgentDraft(text, draft.language, "", (*draft.names, name))
