"""Faults of a set are found before a customer reads them."""

from __future__ import annotations

import pytest

from supportdesk.desk.canned import AskField
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


def test_a_variant_that_other_responses_have_is_missed():
    german = variant("x", "de")
    findings = lint([response(german, key="one"), response(variant("x", "it"), german, key="two")])
    assert [(finding.key, finding.variant, finding.code) for finding in findings] == [("one", "it", "missing_variant")]


def test_the_languages_that_the_shop_serves_are_asked_for():
    findings = lint([response(variant("x", "it"))], expected=["it", "fr@formal"])
    assert [(finding.variant, finding.code) for finding in findings] == [("fr@formal", "missing_variant")]
