"""Snooze phrases, as agents type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.time_phrases import presets, read_snooze
from supportdesk.errors import UsageError

DAY = ((540, 780), (900, 1080))
SHOP = Calendar("Europe/Rome", (((600, 1080),), DAY, DAY, DAY, DAY, ((540, 780),), ()), "IT", "")


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Rome")).astimezone(UTC)


WEDNESDAY = rome("2026-11-25 14:20")


@pytest.mark.parametrize(
    ("phrase", "until"),
    [
        ("3g", "2026-11-28 14:20"),
        ("3d", "2026-11-28 14:20"),
        ("3 giorni", "2026-11-28 14:20"),
        ("fra 3 giorni alle 9", "2026-11-28 09:00"),
        ("in 2 days at 9:15am", "2026-11-27 09:15"),
        ("2h", "2026-11-25 16:20"),
        ("2 ore", "2026-11-25 16:20"),
        ("1h 30min", "2026-11-25 15:50"),
        ("90min", "2026-11-25 15:50"),
        ("2w", "2026-12-09 14:20"),
        ("domani", "2026-11-26 09:00"),
        ("domani 9", "2026-11-26 09:00"),
        ("Domani alle 9", "2026-11-26 09:00"),
        ("domani alle ore 9.30", "2026-11-26 09:30"),
        ("domani mattina", "2026-11-26 09:00"),
        ("domani pomeriggio", "2026-11-26 14:00"),
        ("domani sera alle 8", "2026-11-26 20:00"),
        ("dopodomani", "2026-11-27 09:00"),
        ("tomorrow 9am", "2026-11-26 09:00"),
        ("tomorrow at 3 pm", "2026-11-26 15:00"),
        ("tomorrow 12am", "2026-11-26 00:00"),
        ("today 5pm", "2026-11-25 17:00"),
        ("oggi 17:00", "2026-11-25 17:00"),
        ("stasera", "2026-11-25 18:00"),
        ("stasera alle 9", "2026-11-25 21:00"),
        ("tonight 9pm", "2026-11-25 21:00"),
        ("lun 15:00", "2026-11-30 15:00"),
        ("lunedì", "2026-11-30 10:00"),  # Monday opens at ten
        ("LUNEDI", "2026-11-30 10:00"),
        ("lunedì prossimo", "2026-11-30 10:00"),
        ("mon 3pm", "2026-11-30 15:00"),
        ("next monday", "2026-11-30 10:00"),
        ("lun. 15", "2026-11-30 15:00"),
        ("mar 9", "2026-12-01 09:00"),
        ("mercoledì", "2026-12-02 09:00"),  # today is one
        ("mer 17", "2026-11-25 17:00"),
        ("wed 9", "2026-12-02 09:00"),
        ("dom", "2026-11-29 09:00"),  # closed: nine
        ("settimana prossima", "2026-11-30 10:00"),
        ("next week", "2026-11-30 10:00"),
        ("2026-12-20", "2026-12-20 09:00"),
        ("2026-12-20 9:30", "2026-12-20 09:30"),
        ("2026-12-20T09:30", "2026-12-20 09:30"),
        ("2026-12-20T09:30Z", "2026-12-20 10:30"),
        ("2026-12-20T09:30:00+02:00", "2026-12-20 08:30"),
        ("20/12", "2026-12-20 09:00"),
        ("20/12/2026", "2026-12-20 09:00"),
        ("20/12/26 8", "2026-12-20 08:00"),
        ("20/1", "2027-01-20 09:00"),
        ("24.12. 9:30", "2026-12-24 09:30"),
        ("24.12 9.30", "2026-12-24 09:30"),
        ("24 dicembre", "2026-12-24 09:00"),
        ("24 dic alle 8", "2026-12-24 08:00"),
        ("24. dezember", None),  # German is not the agent's language
        ("giovedì 24 dicembre", "2026-12-24 09:00"),
        ("24 december 2026 noon", "2026-12-24 12:00"),
        ("dec 24", "2026-12-24 09:00"),
        ("3 mar", "2027-03-03 09:00"),
        ("15:00", "2026-11-25 15:00"),
        ("alle 9", "2026-11-26 09:00"),
        ("9.30", "2026-11-26 09:30"),
        ("più tardi", "2026-11-25 18:00"),
        ("later", "2026-11-25 18:00"),
        ("later today", "2026-11-25 18:00"),
        ("2026-03-29 02:30", None),
    ],
)
def test_a_phrase_means_a_time(phrase: str, until: str | None):
    if until is None:
        with pytest.raises(UsageError):
            read_snooze(phrase, SHOP, WEDNESDAY, "it")
    else:
        assert read_snooze(phrase, SHOP, WEDNESDAY, "it").until == rome(until)


@pytest.mark.parametrize(
    ("phrase", "language", "until"),
    [
        ("mar 3", "it", "2026-12-01 03:00"),  # martedì
        ("mar 3", "en", "2027-03-03 09:00"),  # March
        ("1/12", "en-GB", "2026-12-01 09:00"),
        ("1/12", "en-US", "2027-01-12 09:00"),
        ("Donnerstag 9", "de", "2026-11-26 09:00"),
        ("24. Dezember", "de", "2026-12-24 09:00"),
        ("vendredi", "fr", "2026-11-27 09:00"),
        ("jueves 9", "es", "2026-11-26 09:00"),
    ],
)
def test_the_agents_language_is_asked_first(phrase: str, language: str, until: str):
    assert read_snooze(phrase, SHOP, WEDNESDAY, language).until == rome(until)


@pytest.mark.parametrize(
    ("phrase", "word"),
    [
        ("domani alle boh", "boh"),
        ("Frittata 9", "Frittata"),
        ("9", "9"),
        ("31/2", "31/2"),
        ("20/13", "20/13"),
        ("domani 25:00", "25:00"),
        ("domani 13pm", "13pm"),
        ("domani 9 10", "10"),
        ("domani lunedì", "lunedì"),
        ("lunedì 24 dicembre", "dicembre"),  # that is a Thursday
        ("3g 20/12", "20/12"),
        ("3x", "3x"),
        ("3m", "3m"),  # minutes or months: not guessed
        ("400g", "400g"),
        ("9999-12-31T23:59:00-12:00", "9999-12-31T23:59:00-12:00"),
        ("0001-01-01", "0001-01-01"),
        ("più", "più"),
        ("later 9", "9"),
    ],
)
def test_what_is_not_understood_is_named(phrase: str, word: str):
    with pytest.raises(UsageError) as refused:
        read_snooze(phrase, SHOP, WEDNESDAY, "it")
    assert word in refused.value.message


@pytest.mark.parametrize("phrase", ["", "  ", "alle", "il"])
def test_nothing_said_asks_when(phrase: str):
    with pytest.raises(UsageError, match="When"):
        read_snooze(phrase, SHOP, WEDNESDAY, "it")


PAST = [
    "oggi 9", "today", "2026-11-25T14:20", "2026-11-24", "0h", "1/1/2026",
    "ieri", "ieri 9", "ieri sera", "l'altro ieri", "altroieri alle 9", "stamattina", "lunedì scorso",
    "lun scorso 15:00",
    "lo scorso venerdì", "mercoledì scorso 18", "la settimana scorsa", "il mese scorso", "l'anno scorso",
    "20 dicembre scorso", "2 giorni fa", "2 ore fa", "3g fa alle 9",
    "yesterday", "yesterday 9", "yesterday at 3pm", "last monday", "last fri 9", "last week", "last month",
    "last night",
    "2 days ago", "90min ago", "1w ago at 9",
]  # fmt: skip


@pytest.mark.parametrize("language", ["it", "en"])
@pytest.mark.parametrize("phrase", PAST)
def test_the_past_is_refused_as_past(phrase: str, language: str):
    with pytest.raises(UsageError, match="is in the past"):
        read_snooze(phrase, SHOP, WEDNESDAY, language)


def test_last_wednesday_is_over_in_the_morning_of_a_wednesday():
    with pytest.raises(UsageError, match="is in the past"):
        read_snooze("mercoledì scorso", SHOP, rome("2026-11-25 07:00"), "it")


@pytest.mark.parametrize("phrase", ["3 ago", "ago 3"])
def test_august_is_not_taken_for_what_is_long_ago(phrase: str):
    assert read_snooze(phrase, SHOP, WEDNESDAY, "it").until == rome("2027-08-03 09:00")


@pytest.mark.parametrize(("phrase", "accepted"), [("2027-11-25", True), ("2027-11-26", False), ("366g", False)])
def test_a_year_is_the_most(phrase: str, accepted: bool):
    if accepted:
        assert read_snooze(phrase, SHOP, WEDNESDAY, "it").until == rome("2027-11-25 09:00")
    else:
        with pytest.raises(UsageError, match="year"):
            read_snooze(phrase, SHOP, WEDNESDAY, "it")


def test_days_are_counted_on_the_wall_and_hours_on_the_clock():
    before = rome("2026-10-24 12:00")
    assert read_snooze("1g", SHOP, before, "it").until == rome("2026-10-25 12:00")
    assert read_snooze("24h", SHOP, before, "it").until == rome("2026-10-25 11:00")
    assert read_snooze("domani 2:30", SHOP, rome("2026-03-28 12:00"), "it").until == rome("2026-03-29 03:00")


def test_the_time_is_worded_in_the_agents_language():
    assert read_snooze("tomorrow 9", SHOP, WEDNESDAY, "it").described == "domani, 09:00"
    assert read_snooze("lun 15", SHOP, WEDNESDAY, "it").described == "lunedì 30 novembre, 15:00"
    assert read_snooze("lun 15", SHOP, WEDNESDAY, "en").described.startswith("Monday, November 30, 3:00")


def offered(calendar: Calendar, now: datetime) -> dict[str, datetime]:
    return {preset.name: preset.snooze.until for preset in presets(calendar, now, "it")}


def test_presets_follow_the_business_calendar():
    assert offered(SHOP, rome("2026-11-25 10:00")) == {
        "later_today": rome("2026-11-25 15:00") - timedelta(hours=2),  # three opening hours end at lunch
        "tomorrow": rome("2026-11-26 09:00"),
        "monday": rome("2026-11-30 10:00"),
    }
    assert offered(SHOP, rome("2026-11-28 12:00")) == {
        "tomorrow": rome("2026-11-30 10:00"),  # Sunday is closed
        "monday": rome("2026-11-30 10:00"),
    }
    assert offered(SHOP, rome("2026-11-30 09:00"))["monday"] == rome("2026-12-07 10:00")


def test_a_calendar_that_never_opens_offers_nothing():
    assert presets(Calendar("Europe/Rome", ((), (), (), (), (), (), ())), WEDNESDAY, "it") == ()


def test_a_special_opening_moves_the_preset():
    day = WEDNESDAY.date() + timedelta(days=1)
    calendar = Calendar("Europe/Rome", SHOP.week, "", "", (CalendarException(day, day, ((660, 720),)),))
    assert offered(calendar, WEDNESDAY)["tomorrow"] == rome("2026-11-26 11:00")


@given(
    st.text(alphabet="0123456789./:-T+ gdhlunmarpideco²①٣፩", max_size=20),
    st.sampled_from(["it", "en", "en-US", "de"]),
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_time_of_the_coming_year_or_a_readable_error(text: str, language: str):
    try:
        snooze = read_snooze(text, SHOP, WEDNESDAY, language)
    except UsageError:
        return
    assert WEDNESDAY < snooze.until <= WEDNESDAY + timedelta(days=366)
