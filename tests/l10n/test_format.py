"""Values are formatted as CLDR says, whatever the locale."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale, dates, numbers

from supportdesk.l10n import format as cldr
from supportdesk.l10n.format import Money

ROME = ZoneInfo("Europe/Rome")
AT = dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC)
LOCALES = (
    "it en de fr es pt nl pl ja ko zh ar tr ru uk sv da no fi cs sk hu ro el bg hr sl he et lv lt ca"
    " de-AT de-CH en-IE pt-PT"
).split()


def plain(text: str) -> str:
    """CLDR's spaces and direction marks, as a test writes them."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u200f", "").replace("\u200e", "")


@pytest.mark.parametrize("locale", LOCALES)
def test_money_numbers_and_dates_are_what_cldr_says(locale):
    found = Locale.parse(locale, sep="-")
    assert cldr.money(Money(123450, "EUR"), locale) == numbers.format_currency(Decimal("1234.50"), "EUR", locale=found)
    assert cldr.number(Decimal("1234.5"), locale) == numbers.format_decimal(Decimal("1234.5"), locale=found)
    for style in cldr.DATE_STYLES:
        assert cldr.date(AT, locale, ROME, style) == dates.format_date(AT.astimezone(ROME), style, locale=found)
    if locale != "ko":  # babel takes the narrower word for the half of the day, AM
        assert cldr.time(AT, locale, ROME) == dates.format_time(AT, "short", tzinfo=ROME, locale=found)


@pytest.mark.parametrize(
    ("value", "locale", "text"),
    [
        (Money(4990, "EUR"), "it", "49,90 €"),
        (Money(4990, "EUR"), "en-IE", "€49.90"),
        (Money(123450, "EUR"), "de-AT@formal", "€ 1.234,50"),
        (Money(123450, "CHF"), "de-CH", "CHF 1’234.50"),
        (Money(500, "JPY"), "it", "500 JPY"),
        (Money(500, "JPY"), "ja", "￥500"),
        (Money(1234567, "KWD"), "en", "KWD 1,234.567"),
        (Money(1050, "RSD"), "de", "10,50 RSD"),
        (Money(1000, "RSD"), "de", "10 RSD"),
        (Money(10505, "IQD"), "de", "10,505 IQD"),
        (Money(-4990, "EUR"), "fr", "-49,90 €"),
    ],
)
def test_money_is_never_rounded_and_counts_in_the_minor_units_of_iso_4217(value, locale, text):
    assert plain(cldr.money(value, locale)) == text


def test_an_unknown_currency_is_refused():
    with pytest.raises(ValueError, match="XXQ"):
        cldr.money(Money(1, "XXQ"), "it")


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("it", "martedì 8 settembre"),
        ("de", "Dienstag, 8. September"),
        ("fr", "mardi 8 septembre"),
        ("en", "Tuesday, September 8"),
        ("en-GB", "Tuesday 8 September"),
        ("pl", "wtorek, 8 września"),
        ("hu", "szeptember 8., kedd"),
        ("ja", "9月8日火曜日"),
    ],
)
def test_a_skeleton_takes_the_names_in_full(locale, text):
    assert plain(cldr.date(dt.date(2026, 9, 8), locale, style="MMMMEEEEd")) == text


@pytest.mark.parametrize("style", ["", "nope", "d MMMM", "' or 1", "EEEEEEEEEEEEEEEEEEEEEEEE"])
def test_a_style_that_is_none_is_refused(style):
    with pytest.raises(ValueError, match=r"style of a date|CLDR has no date"):
        cldr.date(AT, "it", ROME, style)


def test_a_time_is_shown_in_the_customers_zone_and_night():
    midnight = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)
    assert cldr.date(midnight, "it", ROME) == "21 novembre 2026"
    assert cldr.time(midnight, "it", ROME) == "00:30"
    assert plain(cldr.date_time(midnight, "en", ZoneInfo("America/New_York"))) == "November 20, 2026 at 6:30 PM"


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        cldr.time(dt.datetime(2026, 1, 1), "it", ROME)


@pytest.mark.parametrize(
    ("days", "text"),
    [(-1, "ieri"), (0, "oggi"), (1, "domani"), (2, "domenica 22 novembre"), (60, "martedì 19 gennaio 2027")],
)
def test_near_days_have_their_words(days, text):
    today = dt.date(2026, 11, 20)
    assert cldr.relative_day(today + dt.timedelta(days=days), today, "it") == text


def test_lists_percents_units_and_names_of_languages():
    assert cldr.join(["a", "b", "c"], "it") == "a, b e c"
    assert cldr.join(["a", "b", "c"], "de", "or") == "a, b oder c"
    assert plain(cldr.percent(Decimal("0.225"), "de")) == "22,5 %"
    assert plain(cldr.percent(0.2, "it")) == "20%"
    assert cldr.unit(2, "kilogram", "it") == "2 chilogrammi"
    assert cldr.unit(5, "day", "it") == "5 giorni"
    assert cldr.time(AT, "ko", ROME) == "오후 6:02"
    assert cldr.language_name("de", "it") == "tedesco"
    assert cldr.language_name("pt-BR", "en") == "Portuguese (Brazil)"
    assert cldr.territory_name("de", "it") == "Germania"


@pytest.mark.parametrize(
    ("locale", "needed"),
    [
        ("it", {"one", "other"}),
        ("ja", {"other"}),
        ("pl", {"one", "few", "many"}),
        ("ar", {"zero", "one", "two", "few", "many", "other"}),
        ("lv", {"zero", "one", "other"}),
    ],
)
def test_plural_categories_are_those_that_whole_numbers_take(locale, needed):
    assert cldr.plural_categories(locale) == needed
    assert {cldr.plural_category(count, locale) for count in range(200)} <= needed


def test_an_unknown_region_falls_back_to_its_language_and_an_unknown_language_is_an_error():
    assert cldr.number(Decimal("1.5"), "it-ZZ") == "1,5"
    with pytest.raises(ValueError, match="qx"):
        cldr.number(1, "qx")
