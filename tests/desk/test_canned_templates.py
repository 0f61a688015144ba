"""A canned text becomes a reply by CLDR, in a sandbox that values and texts cannot leave (reliability.md R16, C12)."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.desk.canned import CONTEXT, Choice
from supportdesk.desk.canned_fragments import render_whole
from supportdesk.desk.templates import _filters, placeholders, plural_forms, render
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.format import Money
from tests.desk.canned_samples import ROME, response, ticket_values, variant

PAGE = Path(__file__).parents[2] / "docs/canned.md"


def rendered(body: str, locale: str = "it", zone: ZoneInfo = ROME, **values: object) -> str:
    return render(variant(body), values, locale, zone).text.replace("\u00a0", " ").replace("\u202f", " ").rstrip("\n")


@pytest.mark.parametrize(
    ("body", "values", "locale", "text"),
    [
        ("{{ total | money }}", {"total": Money(104990, "EUR")}, "it", "1.049,90 €"),
        ("{{ total }}", {"total": Money(104990, "EUR")}, "de-CH", "EUR 1’049.90"),
        ('{{ minor | money: "JPY" }}', {"minor": 500}, "en", "¥500"),
        ("{{ day | date }}", {"day": dt.date(2026, 11, 30)}, "it", "30 novembre 2026"),
        ("{{ day }}", {"day": dt.date(2026, 11, 30)}, "de", "30. November 2026"),
        ('{{ day | date: "MMMMEEEEd" }}', {"day": dt.date(2026, 11, 30)}, "fr", "lundi 30 novembre"),
        (
            "{{ at | date }} {{ at | time }}",
            {"at": dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)},
            "it",
            "21 novembre 2026 00:30",
        ),
        ("{{ n | number }} {{ n }}", {"n": Decimal("1234.5")}, "it", "1.234,5 1.234,5"),
        ("{{ n | percent }}", {"n": Decimal("22.5")}, "de", "22,5 %"),
        ('{{ n | unit: "kilogram" }}', {"n": 2}, "it", "2 chilogrammi"),
        ('{{ n | unit: "centimeter" }}', {"n": Decimal("1.5")}, "pl", "1,5 centymetra"),
        ("{{ names | list }}", {"names": ["a", "b", "c"]}, "es", "a, b y c"),
        ('{{ names | list: "or" }}', {"names": ["a", "b"]}, "en", "a or b"),
        ('{{ n }} {{ n | plural: one: "pacco", other: "pacchi" }}', {"n": 1}, "it", "1 pacco"),
        ('{{ n }} {{ n | plural: one: "paczka", few: "paczki", many: "paczek" }}', {"n": 3}, "pl", "3 paczki"),
        ("{{ who | name }}", {"who": "ROSSI, Giulia"}, "it", "Giulia Rossi"),
        ('{{ nobody | default: "cliente" }}', {}, "it", "cliente"),
        ("{% if nobody %}a{% else %}b{% endif %}{% if n > 3 %}c{% endif %}", {"n": 5}, "it", "bc"),
        (
            "{% for i in names %}{{ i | upcase }}{% unless forloop.last %}-{% endunless %}{% endfor %}",
            {"names": ["a", "b"]},
            "it",
            "A-B",
        ),
        ("{% comment %}{{ secret }}{% endcomment %}x", {}, "it", "x"),
    ],
)
def test_values_are_shown_as_the_customer_writes_them(body, values, locale, text):
    assert rendered(body, locale, **values) == text


def test_a_reply_says_what_it_was_made_of():
    made = render(
        variant(
            "{{ customer.greeting }}\n\n{{ ask.amount }}\n", subject="Ordine {{ order.number }}\r\nBcc: x@example.org"
        ),
        {**ticket_values("it"), "ask": {"amount": Money(4990, "EUR")}},
        "it",
        ROME,
    )
    assert made.text == "Ciao Giulia,\n\n49,90\u00a0€\n"
    assert made.subject == "Ordine R-100 Bcc: x@example.org"
    assert made.used == ("ask.amount", "customer.greeting", "order.number")
    assert made.asked == ("amount",)


def test_everything_that_is_missing_is_named_at_once_and_nothing_is_sent():
    body = (
        '{{ ask.amount | money }} {{ ask.day | date: "full" }} {{ customer.first_name }}'
        ' {{ ask.n | plural: one: "x", other: "y" }} {{ nope.x }}'
    )
    with pytest.raises(MissingValue) as stopped:
        render(variant(body, subject="{{ ask.subject }}"), ticket_values("it", customer_name=""), "it", ROME)
    assert stopped.value.names == ("ask.amount", "ask.day", "customer.first_name", "ask.n", "nope.x", "ask.subject")


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_value_is_a_missing_one(empty):
    with pytest.raises(MissingValue, match=r"customer\.name"):
        rendered("{{ customer.name }}", customer={"name": empty})


def test_what_an_optional_sentence_leaves_behind_is_tidied():
    assert rendered("a  \n\n{% if nope %}b{% endif %}\n\n\nc") == "a\n\nc"


def test_placeholders_are_listed_by_path_without_local_names():
    body = "{% assign x = ask.a %}{{ x }}{% for i in order.lines %}{{ i.name }}{% endfor %}{% if ask.b %}{% endif %}"
    assert placeholders(variant(body, subject="{{ ask.c }}")) == ("ask.a", "ask.b", "ask.c", "order.lines")


def test_plural_forms_are_read_from_the_text():
    body = (
        """{{ n | plural: one: "a | b: }", other: 'few: c' }} {{ n | plural: few: "x" }}"""
        """{% comment %}{{ n | plural: two: "x" }}{% endcomment %}"""
    )
    assert plural_forms(body) == (frozenset({"one", "other"}), frozenset({"few"}))


INJECTIONS = [
    "{{ order.total }}",
    "{% assign x = 1 %}",
    "{%raw%}",
    "{x.__class__}",
    "{0.__init__}",
    "%(password)s",
    "${HOME}",
    "{{ customer.__class__.__mro__ }}",
    "\u202etxet",
]


@pytest.mark.parametrize("words", INJECTIONS)
def test_neither_is_one_in_a_fragment_or_a_choice(words):
    piece = replace(response(variant("{{ customer.name }}"), key="piece"), fragment=True)
    body = "{{ fragment.piece }}/{{ ask.how }}{% if ask.how == 'k' %}!{% endif %}"
    values = {"customer": {"name": words}, "ask": {"how": Choice("k", {"it": words})}}
    made = render_whole(variant(body), {"piece": piece}, values, "it", ROME)
    assert made.text == f"{words}/{words}!\n"


def test_a_fragment_holds_no_other():
    outer = replace(response(variant("{{ fragment.inner }}"), key="outer"), fragment=True)
    inner = replace(response(variant("x"), key="inner"), fragment=True)
    with pytest.raises(MissingValue, match=r"fragment\.inner"):
        render_whole(variant("{{ fragment.outer }}"), {"outer": outer, "inner": inner}, {}, "it", ROME)


@pytest.mark.parametrize("words", INJECTIONS)
def test_a_value_is_never_expanded(words):
    assert rendered("{{ customer.name }}/{{ customer.name | strip }}", customer={"name": words}) == f"{words}/{words}"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).map(lambda text: f"x{text}x"))
def test_any_words_of_a_customer_come_out_as_they_are(words):
    assert render(variant("{{ customer.name }}"), {"customer": {"name": words}}, "it", ROME).text == f"{words}\n"


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", " if ", "endif", "for i in (1..9)", "x", "|", ":", '"', "[", "date", "\n"]
        ),
        max_size=30,
    )
)
def test_any_template_is_rendered_or_refused_in_words(pieces):
    with contextlib.suppress(MissingValue, UsageError):
        assert isinstance(render(variant("".join(pieces)), {"x": "y"}, "it", ROME).text, str)


BEYOND_THE_SANDBOX = [
    "{{ x.__class__ }}",
    "{{ x['__class__'] }}",
    "{{ money.minor }}",
    "{{ day.year }}",
    "{{ day.raw }}",
    "{% render 'x' %}",
    "{% include 'x' %}",
    "{% capture y %}{{ x }}{% endcapture %}",
    "{{ x | append: x }}",
    "{{ x | replace: 'a', x }}",
    "{{ x | base64_decode }}",
    "{{ x | date }}",
    "{{ x | money }}",
    "{{ day | date: 'nope' }}",
    "{{ 1 | money: 'XXQ' }}",
    "{{ day | time }}",
    "{{ x | list }}",
    "{{ x | number }}",
    '{{ 3 | plural: one: "x" }}',
    "{% if x %}",
    "{{ x",
]


@pytest.mark.parametrize("body", BEYOND_THE_SANDBOX)
def test_what_the_sandbox_does_not_offer_is_refused(body):
    with pytest.raises((MissingValue, UsageError)):
        rendered(body, x="aaaa", money=Money(1, "EUR"), day=dt.date(2026, 1, 1))


BOMBS = {
    "a long loop": "{% for i in (1..100000000000) %}x{% endfor %}",
    "nested loops": "{% for i in (1..100) %}{% for j in (1..100) %}x{% endfor %}{% endfor %}",
    "much output": "{% for i in (1..500) %}{{ x }}{{ x }}{% endfor %}",
    "a hundred thousand placeholders": "{{ x }}" * 100_000,
    "deep brackets": "{{ a" + "[a" * 3_000 + "]" * 3_000 + " }}",
    "openings that never close": "{{" * 9_000,
    "tags that never close": "}}%}" + "{%" * 9_000,
    "deep nesting": "{% if x %}" * 50 + "{% endif %}" * 50,
    "raw that never ends": "{% raw %}" * 2_000,
    "comments that never end": "{% comment %}" * 1_400,
}


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_before_it_grows(body):
    started = time.process_time()
    with pytest.raises(UsageError):
        rendered(body, x="a" * 100)
    assert time.process_time() - started < 10  # minutes without the limits; no measure of speed


def test_objects_are_refused_at_the_border():
    with pytest.raises(TypeError, match="plain values"):
        rendered("x", customer=object())
    with pytest.raises(TypeError, match="finite"):
        rendered("x", n=float("nan"))


def test_a_broken_template_names_its_line():
    with pytest.raises(UsageError, match="Line 3"):
        rendered("a\nb\n{% nope %}")


def test_the_page_on_canned_responses_names_every_value_and_filter() -> None:
    page = PAGE.read_text()
    assert [name for name in CONTEXT if f"`{name}`" not in page] == []
    assert [name for name in _filters("it", ROME) if f"| {name}" not in page and f"`{name}`" not in page] == []
