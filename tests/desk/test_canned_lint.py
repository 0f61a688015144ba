"""Faults of a set are found before a customer reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from supportdesk.desk.canned import AskField, Choice
from supportdesk.desk.canned_lint import lint
from tests.desk.canned_samples import response, variant

ITALIAN = variant("{{ customer.greeting }} {{ ask.n }} {{ agent.first_name }}")
ASK = (AskField("n", "number"),)


def test_a_clean_set_has_no_findings():
    german = variant("{{ customer.greeting }} {{ ask.n }} {{ agent.name }}", "de@formal", source_hash=ITALIAN.hash)
    assert lint([response(ITALIAN, german, ask=ASK, source="it")]) == ()


@pytest.mark.parametrize(
    ("sample", "variant_tag", "code", "named"),
    [
        (response(ITALIAN, variant("{{ ask.n", "de"), ask=ASK), "de", "broken", "Line 1"),
        (
            response(ITALIAN, variant("{{ ask.n }} {{ order.total }}", "de"), ask=ASK),
            "de",
            "unknown_value",
            "order.total",
        ),
        (response(ITALIAN, variant("ohne", "de"), ask=ASK), "de", "other_placeholders", "ask.n"),
        (
            response(ITALIAN, variant('{{ ask.n | plural: one: "x", other: "y" }}', "pl"), ask=ASK),
            "pl",
            "plural",
            "few, many",
        ),
        (
            response(ITALIAN, variant("{{ ask.n }}", "de", source_hash="old"), ask=ASK, source="it"),
            "de",
            "outdated",
            "it",
        ),
        (response(ITALIAN, variant("{{ ask.n }}", "de"), ask=ASK, source="it"), "de", "outdated", "it"),
        (response(ITALIAN, ask=(*ASK, AskField("never")), source="it"), "", "unused_field", "never"),
        (response(ITALIAN, ask=ASK, source="en"), "", "no_source", "en"),
    ],
)
def test_a_fault_is_found_where_it_is(sample, variant_tag, code, named):
    found = [finding for finding in lint([sample]) if finding.code == code]
    assert [(finding.key, finding.variant) for finding in found] == [("sample", variant_tag)]
    assert named in found[0].message


LETTER = "{{ customer.greeting }}\n\nil tuo pacco è partito oggi e arriva domani, non devi fare altro.\n\n"
FORMAL = "{{ customer.greeting }}\n\nil Suo pacco è partito oggi; La avviseremo quando arriva il tuo ordine.\n\n"
HOW = AskField("how", "choice", choices=(Choice("a", {"it": "a"}), Choice("b", {"it": "b", "de": "b"})))
CLOSING = replace(response(variant("A presto", "it"), key="closing"), fragment=True)


@pytest.mark.parametrize(
    ("whole", "key", "tag", "code", "named"),
    [
        ([response(variant(LETTER, "it"), variant(LETTER, "de"))], "sample", "de", "wrong_language", "it"),
        ([response(variant(FORMAL, "it@formal"))], "sample", "it@formal", "wrong_register", "tuo"),
        ([response(variant("{{ ask.how }}", "de"), ask=(HOW,))], "sample", "de", "untranslated_choice", "a"),
        ([response(variant("{{ ask.n | money }}"), ask=ASK)], "sample", "it", "broken", "money"),
        ([response(variant("{{ ask.n | date: 'x' }}"), ask=ASK)], "sample", "it", "broken", "no date"),
        ([response(variant(" \n"))], "sample", "it", "empty", ""),
        ([response(variant("{{ fragment.nope }}"))], "sample", "it", "unknown_value", "fragment.nope"),
        (
            [CLOSING, response(variant("{{ fragment.closing }}", "de"))],
            "sample",
            "de",
            "missing_fragment",
            "closing",
        ),
        ([CLOSING, response(variant("Ciao"))], "closing", "", "unused_fragment", ""),
        (
            [replace(response(variant("x"), key=key), shortcut="rf") for key in ("one", "two")],
            "two",
            "",
            "same_shortcut",
            "one",
        ),
        ([replace(CLOSING, variants=(variant("{{ ask.n }}"),))], "closing", "it", "unknown_value", "ask.n"),
    ],
)
def test_what_only_the_whole_set_or_the_finished_text_shows_is_found(whole, key, tag, code, named):
    found = [finding for finding in lint(whole) if finding.code == code]
    assert [(finding.key, finding.variant) for finding in found] == [(key, tag)]
    assert named in found[0].message


def test_a_variant_that_other_responses_have_is_missed():
    german = variant("x", "de")
    findings = lint([response(german, key="one"), response(variant("x", "it"), german, key="two")])
    assert [(finding.key, finding.variant, finding.code) for finding in findings] == [("one", "it", "missing_variant")]


def test_the_languages_that_the_shop_serves_are_asked_for():
    findings = lint([response(variant("x", "it"))], expected=["it", "fr@formal"])
    assert [(finding.variant, finding.code) for finding in findings] == [("fr@formal", "missing_variant")]
