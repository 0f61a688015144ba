"""What an agent types is read by the rules of his locale, or refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from supportdesk.l10n.format import Money
from supportdesk.l10n.inputs import read_date, read_money, read_number

TODAY = dt.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("49,90", "it", Money(4990, "EUR")),
        ("1.234,50 €", "it", Money(123450, "EUR")),
        ("€ 1.234,5", "de", Money(123450, "EUR")),
        ("EUR 49.90", "en", Money(4990, "EUR")),
        ("1 234,50", "fr", Money(123450, "EUR")),
        ("500 JPY", "it", Money(500, "JPY")),
        ("49,90 zł", "pl", Money(4990, "PLN")),
        ("-5", "it", Money(-500, "EUR")),
        ("４９,９０", "it", Money(4990, "EUR")),
    ],
)
def test_an_amount_is_read(text, locale, value):
    assert read_money(text, locale, "EUR") == value


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("49.90", "it"),
        ("49,90", "en"),
        ("49,905", "it"),
        ("5,5 JPY", "it"),
        ("$5", "en"),
        ("€ 5 €", "it"),
        ("", "it"),
        ("NaN", "it"),
        ("1e9", "it"),
        ("molto", "it"),
    ],
)
def test_an_amount_that_is_not_certain_is_refused(text, locale):
    with pytest.raises(ValueError, match=r"\S"):
        read_money(text, locale, "EUR")


def test_what_is_no_date_is_told_how_one_is_written():
    with pytest.raises(ValueError, match=r"“presto” is no date; one is 21/11/26, “domani” or \+3"):
        read_date("presto", "it", TODAY)


def test_a_number_is_read_by_its_locale():
    assert read_number("1.234,5", "it") == Decimal("1234.5")
    assert read_number("1,234.5", "en") == Decimal("1234.5")


@pytest.mark.parametrize(
    ("text", "locale", "value"),
    [
        ("2026-12-30", "it", dt.date(2026, 12, 30)),
        ("30/12/2026", "it", dt.date(2026, 12, 30)),
        ("12/30/2026", "en", dt.date(2026, 12, 30)),
        ("30/12/26", "en-GB", dt.date(2026, 12, 30)),
        ("30.12.2026", "en-US", dt.date(2026, 12, 30)),
        ("30.12.", "en-US", dt.date(2026, 12, 30)),
        ("2026/12/30", "ja", dt.date(2026, 12, 30)),
        ("2026/12/30", "it", dt.date(2026, 12, 30)),
        ("2026. 12. 30.", "hu", dt.date(2026, 12, 30)),
        ("26. 12. 30.", "ko", dt.date(2026, 12, 30)),
        ("12. 30.", "hu", dt.date(2026, 12, 30)),
        ("30.12.", "de", dt.date(2026, 12, 30)),
        ("30 dicembre", "it", dt.date(2026, 12, 30)),
        ("1. März 2027", "de", dt.date(2027, 3, 1)),
        ("30 de diciembre de 2026", "es", dt.date(2026, 12, 30)),
        ("Dec 30", "en", dt.date(2026, 12, 30)),
        ("3/1", "it", dt.date(2027, 1, 3)),
        ("10/11", "it", dt.date(2026, 11, 10)),
        ("domani", "it", dt.date(2026, 11, 21)),
        ("Heute", "de", dt.date(2026, 11, 20)),
        ("lunedi", "it", dt.date(2026, 11, 23)),
        ("gio.", "it", dt.date(2026, 11, 26)),
        ("lundi 23 novembre", "fr", dt.date(2026, 11, 23)),
        ("mercoledì 25 nov", "it", dt.date(2026, 11, 25)),
    ],
)
def test_a_date_is_read(text, locale, value):
    assert read_date(text, locale, TODAY) == value


@pytest.mark.parametrize(
    "text",
    [
        "31/2/2026", "12/30/2026", "domani alle 12", "", "venerdì", "mar", "lunedì 24 novembre", "30", "dicembre",
        "30 dicembre gennaio", "1.2.3", "2026/31/12",
    ],
)  # fmt: skip
def test_a_date_that_is_not_certain_is_refused(text):
    with pytest.raises(ValueError, match=r"\S"):
        read_date(text, "it", TODAY)
