"""The twenty responses that a new desk begins with are complete, clean and in their own language."""

from __future__ import annotations

import re

import pytest

from supportdesk.desk.canned import CannedResponse, Variant, choose
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.canned_fragments import render_whole
from supportdesk.desk.canned_lint import lint
from supportdesk.l10n.detect import detect, guard_language
from tests.desk.canned_samples import ANSWERS, ROME, ticket_values

TAGS = ["it", "it@formal", "en", "de", "de@formal", "fr", "fr@formal", "es", "es@formal"]
WHOLE = starter_set()
SET = [one for one in WHOLE if not one.fragment]
FRAGMENTS = {one.key: one for one in WHOLE if one.fragment}
CASES = [(response, variant) for response in SET for variant in response.variants]
IDS = [f"{response.key}-{variant.tag}" for response, variant in CASES]


def written(response: CannedResponse, variant: Variant, name: str = "Giulia Rossi") -> str:
    values = ticket_values(str(variant.tag), customer_name=name, order_number="")
    answers = {item.name: ANSWERS[item.type] for item in response.ask}
    return render_whole(variant, FRAGMENTS, {**values, "ask": answers}, variant.tag.locale, ROME).text


def test_there_are_twenty_in_every_language_and_register_and_they_lint_clean():
    assert len(SET) == 20
    assert lint(WHOLE, TAGS) == ()


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_each_variant_reads_as_its_own_language(response, variant):
    text = written(response, variant)
    assert detect(text).language == variant.tag.language
    assert guard_language(text, variant.tag.language, names=["Giulia Rossi", "Anna Neri"]) is None


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_each_variant_opens_and_closes_like_a_letter(response, variant):
    text = written(response, variant)
    greeting, blank, *_rest = text.split("\n")
    assert greeting[-1] in ",:"
    assert blank == ""
    assert text.endswith("\nAnna Neri\n" if variant.tag.register else "\nAnna\n")
    assert "\n\n\n" not in text
    assert not re.search(r"[{}<>]|ABC-123ABC", text)


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_each_variant_can_be_sent_to_somebody_without_a_name(response, variant):
    first_line = written(response, variant, name="").split("\n")[0]
    assert "Giulia" not in first_line
    assert len(first_line) > 3


OTHER_REGISTER = {
    "it": r"\b(?:Lei|Suo|Sua|Suoi|Sue|Le|La ringraziamo)\b(?! spese| garanzia)",
    "it@formal": r"\b(?:ti|tuo|tua|tuoi|tue|te|hai|puoi|dimmi|scrivimi)\b",
    "de": r"(?<![.!?:] )(?<!\n)\b(?:Sie|Ihnen|Ihre?[nrms]?)\b",
    "de@formal": r"\b(?:du|dir|dich|deine?[nrms]?)\b",
    "fr": r"\b(?:vous|votre|vos)\b",
    "fr@formal": r"\b(?:tu|te|toi|ton|ta|tes)\b",
    "es": r"\b(?:usted|su|sus|le)\b",
    "es@formal": r"\b(?:tú|tu|tus|te|ti)\b",
}


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_no_variant_slips_into_the_other_form_of_address(response, variant):
    pattern = OTHER_REGISTER.get(str(variant.tag))
    if pattern is None:
        assert str(variant.tag) == "en"
        return
    assert re.findall(pattern, variant.body, re.IGNORECASE if variant.tag.language in ("fr", "es") else 0) == []


@pytest.mark.parametrize(("response", "variant"), CASES, ids=IDS)
def test_typography_is_that_of_the_language(response, variant):
    text = re.sub(r"\{[{%].*?[}%]\}", "X", variant.body)
    assert "'" not in text
    assert '"' not in text
    if variant.tag.language == "fr":
        assert not re.search(r"(?<![\u00a0\u202f])[!?;»]|(?<!\u00a0):|«(?!\u00a0)", text)
    else:
        assert not re.search(r"\s[!?;:]", text)
    assert ("„" in text) == ("“" in text) or variant.tag.language != "de"
    assert variant.tag.language != "es" or text.count("?") == text.count("¿")


def test_a_swiss_customer_gets_the_formal_italian_text():
    response = next(item for item in SET if item.key == "refund-issued")
    assert str(choose(response, "it", "CH", "formal").tag) == "it@formal"


RIGHTS = {
    "it": (
        "14 giorni da quando ricevi",
        "altri 14 giorni",
        "spese di consegna standard",
        "la prova che li hai spediti",
    ),
    "de": ("ab Erhalt des Pakets 14 Tage", "noch einmal 14 Tage", "Standardversandkosten", "Versandnachweis"),
    "fr": (
        "14\u00a0jours après la réception",
        "14\u00a0jours de plus",
        "frais de livraison standard",
        "la preuve de leur envoi",
    ),
    "es": (
        "14 días desde que recibes",
        "otros 14 días",
        "gastos de envío estándar",
        "la prueba de que los has enviado",
    ),
    "en": (
        "14 days from the day you receive",
        "another 14 days",
        "standard delivery",
        "proof that you've sent them".replace("'", "’"),
    ),
}


@pytest.mark.parametrize(("tag", "facts"), RIGHTS.items())
def test_the_return_policy_states_the_rights_of_directive_2011_83(tag, facts):
    policy = next(item for item in SET if item.key == "return-policy").variant(tag)
    assert policy is not None
    assert [fact for fact in facts if fact not in policy.body] == []
