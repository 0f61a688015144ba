"""The variant is chosen by rule, never by default, and what the agent fills in is read in his locale."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from supportdesk.desk.canned import AskField, CannedFile, Choice, Then, choose, is_offered, search
from supportdesk.desk.canned_ask import fields, prefill, read_answers, read_default
from supportdesk.desk.canned_meta import build_response, response_meta, variant_meta
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.format import Money
from tests.desk.canned_samples import TODAY, response, ticket_values, variant

FILE = CannedFile("a.pdf", "00", 3)
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
    assert prefill(response(ask=ASK), ticket_values("it"), "it", today=TODAY) == {"order_number": "R-100"}
    assert prefill(response(ask=ASK), ticket_values("it", order_number=""), "it", today=TODAY) == {}


CHOICE = AskField(
    "solution", "choice", choices=(Choice("refund", {"it": "il rimborso", "de": "die Erstattung"}), Choice("new"))
)


@pytest.mark.parametrize(
    ("item", "locale", "typed"),
    [
        (AskField("a", "text", default="GLS"), "it", "GLS"),
        (AskField("a", "number", default="1234.5"), "it", "1.234,5"),
        (AskField("a", "money", default="1234.50 EUR"), "de", "1.234,50\u00a0€"),
        (AskField("a", "date", default="2026-12-30"), "it", "2026-12-30"),
        (AskField("a", "date", default="+3"), "en", "2026-11-23"),
        (replace(CHOICE, name="a", default="refund"), "it", "refund"),
    ],
)
def test_a_default_stands_in_the_agents_own_writing_and_is_read_back(item, locale, typed):
    one = response(ask=(item,))
    assert prefill(one, {}, locale, today=TODAY) == {"a": typed}
    answers = read_answers(one, {"a": typed}, locale, currency="CHF", today=TODAY)
    assert answers["a"] == read_default(item, TODAY)


def test_what_the_ticket_tells_goes_before_the_default():
    one = response(ask=(AskField("n", prefill="order.number", default="-"),))
    assert prefill(one, ticket_values("it"), "it", today=TODAY) == {"n": "R-100"}


@pytest.mark.parametrize("typed", ["refund", "REFUND", "Il rimborso", "die Erstattung"])
def test_a_choice_is_read_by_its_key_or_by_its_words(typed):
    answers = read_answers(response(ask=(CHOICE,)), {"solution": typed}, "it", currency="EUR", today=TODAY)
    assert answers["solution"].key == "refund"
    with pytest.raises(UsageError, match="refund, new"):
        read_answers(response(ask=(CHOICE,)), {"solution": "x"}, "it", currency="EUR", today=TODAY)


@pytest.mark.parametrize(
    ("sets", "mailbox", "offered"),
    [((), "", True), ((), "outlet", True), (("outlet",), "", True), (("outlet",), "outlet", True),
     (("outlet",), "boutique", False)],
)  # fmt: skip
def test_a_mailbox_offers_its_own_set(sets, mailbox, offered):
    assert is_offered(replace(response(), sets=sets), mailbox) is offered
    assert not is_offered(replace(response(), sets=sets, fragment=True), mailbox)
    assert not is_offered(response(key="automatic-reminder"), mailbox)


def test_a_shortcut_comes_before_every_other_find():
    one, two = response(key="rf-first"), replace(response(key="zz"), shortcut="rf")
    assert search([one, two], "rf") == [two, one]


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
    whole = replace(
        response(
            variant("Ciao", "it", "Oggetto", ""),
            replace(variant("Hallo", "de@formal", "", "abc"), files=(FILE,)),
            ask=(*ASK, replace(CHOICE, default="new")),
            source="it",
        ),
        group={"it": "Spedizioni"},
        shortcut="wo",
        sets=("outlet",),
        files=(FILE,),
        then=Then("on_hold", ("courier",), 3, "me"),
    )
    stored = [(str(item.tag), variant_meta(item), item.body) for item in whole.variants]
    again = build_response(whole.key, response_meta(whole), stored, {"a.pdf": FILE})
    assert again == replace(whole, variants=tuple(sorted(whole.variants, key=lambda one: str(one.tag))))


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
        ({"ask": {"a": {"defualt": "1"}}}, "defualt"),
        ({"ask": {"a": {"type": "money", "default": "4,90"}}}, "4,90"),
        ({"ask": {"a": {"type": "date", "default": "tomorrow"}}}, "tomorrow"),
        ({"ask": {"a": {"type": "choice"}}}, "choices"),
        ({"ask": {"a": {"choices": {"x": {}}}}}, "choices"),
        ({"ask": {"a": {"type": "choice", "choices": {"x": {}}, "default": "y"}}}, "“y”"),
        ({"then": {"status": "spam"}}, "spam"),
        ({"then": {"snooze_days": 400}}, "snooze_days"),
        ({"then": {"tags": ["two words"]}}, "two words"),
        ({"kind": "fragment", "then": {"tags": ["x"]}}, "then"),
        ({"kind": "snippet"}, "snippet"),
        ({"shortcut": "Re Fund"}, "Re Fund"),
        ({"attachments": ["nope.pdf"]}, "nope.pdf"),
        ({"attachments": ["../x"]}, "../x"),
    ],
)
def test_meta_that_is_wrong_is_named(meta, named):
    with pytest.raises(ValueError, match=named.replace(".", r"\.")):
        build_response("sample", meta, [])


@pytest.mark.parametrize("key", ["", "Two Words", "../x", "a_b", "-a"])
def test_a_key_is_lower_case_words_and_hyphens(key):
    with pytest.raises(ValueError, match="key"):
        build_response(key, {}, [])
