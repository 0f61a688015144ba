"""The variant is chosen by rule, never by default, and what the agent fills in is read in his locale."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from supportdesk.desk.canned import (
    AskField,
    build_response,
    choose,
    fields,
    prefill,
    read_answers,
    response_meta,
    search,
    variant_meta,
)
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.format import Money
from tests.desk.canned_samples import TODAY, response, ticket_values, variant

EVERY = ["it", "it@formal", "it-CH", "it-CH@formal", "en", "de@formal", "no"]


@pytest.mark.parametrize(
    ("language", "region", "register", "existing", "chosen"),
    [
        ("it", "CH", "formal", EVERY, "it-CH@formal"),
        ("it", "IT", "formal", EVERY, "it@formal"),
        ("it", "CH", "formal", ["it", "it@formal", "it-CH"], "it@formal"),
        ("it", "CH", "formal", ["it", "it-CH"], "it-CH"),
        ("it", "IT", "formal", ["it", "it-CH@formal"], "it"),
        ("it", "CH", "", EVERY, "it-CH"),
        ("it", "", "", EVERY, "it"),
        ("en", "IE", "formal", EVERY, "en"),
        ("nb", "NO", "", EVERY, "no"),
        ("IT", "it", "", EVERY, "it"),
    ],
)
def test_the_nearest_variant_is_taken(language, region, register, existing, chosen):
    sample = response(*(variant(tag, tag) for tag in existing))
    assert str(choose(sample, language, region, register).tag) == chosen


@pytest.mark.parametrize(
    ("language", "region", "register"),
    [("fr", "", ""), ("de", "DE", ""), ("sv", "SE", "formal")],
)
def test_without_a_variant_it_stops_and_says_which_exist(language, region, register):
    sample = response(*(variant(tag, tag) for tag in EVERY))
    with pytest.raises(MissingValue) as stopped:
        choose(sample, language, region, register)
    assert stopped.value.names == tuple(EVERY)
    assert all(tag in stopped.value.message for tag in EVERY)


ASK = (
    AskField("order_number", "text", {"en": "Order number", "it": "Numero d’ordine"}, prefill="order.number"),
    AskField("amount", "money", {"en": "Amount", "it": "Importo"}),
    AskField("day", "date", {"en": "Day"}),
    AskField("days", "number"),
)


def test_only_the_fields_that_a_variant_uses_are_asked():
    sample = response(variant("{{ ask.amount }} {{ ask.day | date }}"), ask=ASK)
    assert [item.name for item in fields(sample)] == ["order_number", "amount", "day", "days"]
    assert [item.name for item in fields(sample, sample.variants[0])] == ["amount", "day"]


def test_a_field_is_labelled_in_the_agents_language():
    assert [item.label("it") for item in ASK] == ["Numero d’ordine", "Importo", "Day", "days"]


def test_the_order_number_is_prefilled_from_the_ticket():
    assert prefill(response(ask=ASK), ticket_values("it")) == {"order_number": "R-100"}
    assert prefill(response(ask=ASK), ticket_values("it", order_number="")) == {}


def test_answers_are_read_in_the_agents_locale():
    typed = {"order_number": " R-7 ", "amount": "1.049,90", "day": "30/12", "days": "3", "unknown": "x"}
    assert read_answers(response(ask=ASK), typed, "it", currency="CHF", today=TODAY) == {
        "order_number": "R-7",
        "amount": Money(104990, "CHF"),
        "day": dt.date(2026, 12, 30),
        "days": Decimal(3),
    }


def test_an_empty_field_is_left_out_so_that_rendering_names_it():
    assert read_answers(response(ask=ASK), {"amount": "  "}, "it", currency="EUR", today=TODAY) == {}


def test_an_answer_that_cannot_be_read_names_its_field():
    with pytest.raises(UsageError, match=r"Importo: “49\.90”"):
        read_answers(response(ask=ASK), {"amount": "49.90"}, "it", currency="EUR", today=TODAY)


def test_what_is_not_known_of_the_ticket_is_left_out():
    values = ticket_values("it", customer_name="info@acme.example", order_number="")
    assert values["customer"] == {"greeting": "Ciao,", "address": "giulia@example.org"}
    assert values["order"] == {}


def test_a_response_is_found_by_title_keyword_or_key_in_any_language():
    one = response(key="lost-parcel")
    two = response(key="sample-thing")
    assert search([one, two], "esem") == [one, two]
    assert search([one, two], "PARCEL lost") == [one]
    assert search([one, two], "thing") == [two]
    assert search([one, two], "nothing") == []


def test_a_response_survives_its_columns():
    whole = response(
        variant("Ciao", "it", "Oggetto", ""), variant("Hallo", "de@formal", "", "abc"), ask=ASK, source="it"
    )
    stored = [(str(item.tag), variant_meta(item), item.body) for item in whole.variants]
    again = build_response(whole.key, response_meta(whole), stored)
    assert again.ask == whole.ask
    assert set(again.variants) == set(whole.variants)
    assert (again.key, again.titles, again.keywords, again.source) == (
        whole.key,
        whole.titles,
        whole.keywords,
        whole.source,
    )


@pytest.mark.parametrize(
    ("meta", "named"),
    [
        ({"titel": {}}, "titel"),
        ({"title": "x"}, "title"),
        ({"keywords": "x"}, "keywords"),
        ({"source": "italiano"}, "italiano"),
        ({"ask": {"Order": {}}}, "Order"),
        ({"ask": {"a": {"type": "secret"}}}, "secret"),
        ({"ask": {"a": {"prefill": "customer.password"}}}, "customer.password"),
        ({"ask": {"a": {"default": "1"}}}, "default"),
    ],
)
def test_meta_that_is_wrong_is_named(meta, named):
    with pytest.raises(ValueError, match=named.replace(".", r"\.")):
        build_response("sample", meta, [])


@pytest.mark.parametrize("key", ["", "Two Words", "../x", "a_b", "-a"])
def test_a_key_is_lower_case_words_and_hyphens(key):
    with pytest.raises(ValueError, match="key"):
        build_response(key, {}, [])
