"""By when, in words: the preposition, the article and the number that each language wants; the year and the zone."""

from __future__ import annotations

import datetime as dt
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from supportdesk.l10n.promise import _BY, by_when, closed_on, on_day

NOW = datetime(2026, 9, 2, 10, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def day(number: int, hour: int = 15) -> datetime:
    """A day of the week that begins on Monday, 7 September 2026."""
    return datetime(2026, 9, 7 + number, hour, 0, tzinfo=UTC)


def test_a_closed_shop_says_so_in_every_language_that_promises():
    first, last, today = dt.date(2026, 8, 10), dt.date(2026, 8, 21), dt.date(2026, 7, 1)
    for language in _BY:
        several, one = closed_on(first, last, language, today), closed_on(first, first, language, today)
        assert several.count("10") == several.count("21") == one.count("10") == 1, language
        assert "2026" not in several + one
        assert "2027" in closed_on(first, dt.date(2027, 1, 6), language, today)
    assert closed_on(first, last, "it-CH", today) == "Siamo chiusi da lunedì 10 agosto a venerdì 21 agosto."
    assert closed_on(first, first, "pl", today) == "Dnia 10 sierpnia mamy przerwę."
    assert closed_on(first, last, "nb", today) == ""


def test_polish_weekdays_stand_in_the_accusative():
    said = [by_when(day(number), "pl", UTC_ZONE, NOW) for number in range(7)]
    names = ("w poniedziałek", "we wtorek", "w środę", "w czwartek", "w piątek", "w sobotę", "w niedzielę")
    assert [name in one for name, one in zip(names, said, strict=True)] == [True] * 7


@pytest.mark.parametrize(("number", "article"), [(0, "na segunda-feira"), (4, "na sexta-feira"), (5, "no sábado")])
def test_portuguese_days_have_their_article(number, article):
    assert on_day(day(number), "pt", UTC_ZONE, NOW).startswith(article)


@pytest.mark.parametrize(
    ("locale", "hour", "words"),
    [
        ("es", 1, "a la 1:00"),
        ("es", 13, "a las 13:00"),
        ("es-MX", 13, "a la 1:00"),
        ("pt", 1, "à 01:00"),
        ("pt", 9, "às 09:00"),
    ],
)
def test_one_o_clock_is_singular(locale, hour, words):
    assert words in by_when(day(0, hour), locale, UTC_ZONE, NOW)


def test_another_year_is_named_in_the_customers_own_calendar():
    new_year = datetime(2026, 12, 31, 20, 0, tzinfo=UTC)
    assert by_when(new_year, "it", ZoneInfo("Europe/Rome"), NOW) == "entro giovedì 31 dicembre alle 21:00"
    assert by_when(new_year, "it", ZoneInfo("Asia/Tokyo"), NOW) == "entro venerdì 1 gennaio 2027 alle 05:00"


def test_the_zone_is_named_where_it_may_be_another_than_the_readers():
    said = by_when(day(0), "de", ZoneInfo("Europe/Rome"), NOW, name_zone=True)
    assert said == "bis Montag, 7. September, 17:00 Uhr (Mitteleuropäische Sommerzeit)"
    japanese = by_when(day(0), "ja", ZoneInfo("Europe/Rome"), NOW, name_zone=True)
    assert japanese == "9月7日月曜日の17:00（中央ヨーロッパ夏時間）までに"


def test_the_day_after_the_clocks_change_has_the_new_offset():
    rome = ZoneInfo("Europe/Rome")
    assert "alle 15:00" in by_when(datetime(2026, 10, 24, 13, 0, tzinfo=UTC), "it", rome, NOW)
    assert "alle 15:00" in by_when(datetime(2026, 10, 26, 14, 0, tzinfo=UTC), "it", rome, NOW)


def test_a_language_without_a_wording_gets_none():
    assert "fi" not in _BY
    assert (by_when(day(0), "fi", UTC_ZONE, NOW), on_day(day(0), "fi", UTC_ZONE, NOW)) == ("", "")
