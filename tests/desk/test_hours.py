"""Business hours by hand, where the clocks change and where they do not; `test_hours_oracle` walks every minute."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from supportdesk.desk.hours import (
    Calendar,
    CalendarException,
    at_wall,
    business_days_after,
    deadline,
    elapsed,
    explain,
    hours_of,
    is_open,
    next_closing,
    next_open_day_same_time,
    next_opening,
    validate,
)
from supportdesk.errors import UsageError
from tests.support.calendars import ZONES

NINE_TO_SIX = ((540, 1080),)
SHOP_DAY = ((540, 780), (900, 1080))
CLOSED: tuple[tuple[int, int], ...] = ()
OFFICE = Calendar("Europe/Rome", (NINE_TO_SIX,) * 5 + (CLOSED, CLOSED))
SHOP = Calendar("Europe/Rome", (SHOP_DAY,) * 5 + (((540, 780),), CLOSED), "IT", "RM")
ALWAYS = Calendar.always_open("Europe/Rome")
NEVER = Calendar("Europe/Rome", (CLOSED,) * 7)
HOUR = 3600


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Rome")).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-11-25 10:00", "2026-11-25 12:00", 2 * HOUR),
        ("2026-11-25 12:00", "2026-11-25 16:00", 2 * HOUR),  # lunch closes the shop
        ("2026-11-25 17:00", "2026-11-26 10:00", 2 * HOUR),
        ("2026-11-28 12:00", "2026-11-30 10:00", 2 * HOUR),  # Saturday morning, Sunday closed
        ("2026-12-07 17:00", "2026-12-09 10:00", 2 * HOUR),  # 8 December
        ("2026-06-26 17:00", "2026-06-30 10:00", 6 * HOUR),  # 29 June: the patron of Rome, a Monday
        ("2026-11-25 12:00", "2026-11-25 12:00", 0),
        ("2026-11-25 12:00", "2026-11-25 11:00", 0),
    ],
)
def test_elapsed_counts_opening_time_only(start: str, end: str, seconds: int):
    assert elapsed(SHOP, rome(start), rome(end)) == seconds


@pytest.mark.parametrize(
    ("start", "seconds", "due"),
    [
        ("2026-11-25 10:00", 3 * HOUR, "2026-11-25 13:00"),  # ends at closing, not at the next opening
        ("2026-11-25 10:00", 3 * HOUR + 1, "2026-11-25 15:00:01"),
        ("2026-11-25 14:00", 0, "2026-11-25 15:00"),  # outside hours: moved to the next opening
        ("2026-11-25 18:00", 0, "2026-11-26 09:00"),  # the closing instant is outside
        ("2026-11-28 20:00", HOUR, "2026-11-30 10:00"),
        ("2026-12-24 17:00", 2 * HOUR, "2026-12-28 10:00"),  # Christmas, St Stephen's, a Sunday
        ("2026-04-03 18:00", HOUR, "2026-04-04 10:00"),  # Good Friday works in Italy
        ("2026-04-04 13:00", HOUR, "2026-04-07 10:00"),  # Easter Monday does not
    ],
)
def test_a_deadline_walks_the_openings(start: str, seconds: int, due: str):
    assert deadline(SHOP, rome(start), seconds) == rome(due)


def test_the_night_that_spring_shortens_counts_its_real_length():
    night = rome("2026-03-28 22:00"), rome("2026-03-29 06:00")
    assert elapsed(ALWAYS, *night) == 7 * HOUR
    assert deadline(ALWAYS, night[0], 7 * HOUR) == night[1]
    early = Calendar("Europe/Rome", (((60, 240),),) * 7)  # 01:00-04:00
    assert elapsed(early, *night) == 2 * HOUR
    assert deadline(early, night[0], 2 * HOUR) == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    in_the_gap = Calendar("Europe/Rome", (((130, 170),),) * 7)  # 02:10-02:50 does not exist that night
    assert elapsed(in_the_gap, *night) == 0
    assert deadline(in_the_gap, night[0], 0) == rome("2026-03-30 02:10")
    across = Calendar("Europe/Rome", (((150, 210),),) * 7)  # 02:30-03:30 keeps its second half
    assert elapsed(across, *night) == HOUR // 2
    assert next_opening(across, night[0]) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_the_night_that_autumn_lengthens_counts_its_real_length():
    night = rome("2026-10-24 22:00"), rome("2026-10-25 06:00")
    assert elapsed(ALWAYS, *night) == 9 * HOUR
    assert deadline(ALWAYS, night[0], 9 * HOUR) == night[1]
    early = Calendar("Europe/Rome", (((60, 240),),) * 7)
    assert elapsed(early, *night) == 4 * HOUR
    twice = Calendar("Europe/Rome", (((130, 170),),) * 7)  # 02:10-02:50 comes twice
    assert elapsed(twice, *night) == 80 * 60
    assert deadline(twice, night[0], 40 * 60 + 1) == datetime(2026, 10, 25, 1, 10, 1, tzinfo=UTC)


def test_a_closure_of_thirty_days_in_august_is_skipped():
    summer = CalendarException(date(2026, 8, 1), date(2026, 8, 30), (), {"it": "Chiusi per ferie", "en": "Closed"})
    calendar = Calendar("Europe/Rome", OFFICE.week, "IT", "", (summer,))
    assert deadline(calendar, rome("2026-07-31 17:00"), 2 * HOUR) == rome("2026-08-31 10:00")
    assert elapsed(calendar, rome("2026-07-31 17:00"), rome("2026-08-31 10:00")) == 2 * HOUR
    assert next_open_day_same_time(calendar, rome("2026-07-31 17:00")) == rome("2026-08-31 17:00")
    assert hours_of(calendar, date(2026, 8, 15), "it-IT").name == "Chiusi per ferie"
    assert hours_of(calendar, date(2026, 8, 15), "pl").name == "", "never in another language"


def test_a_later_exception_opens_a_day_inside_a_closure():
    summer = CalendarException(date(2026, 8, 1), date(2026, 8, 30))
    special = CalendarException(date(2026, 8, 15), date(2026, 8, 15), ((600, 720),))
    calendar = Calendar("Europe/Rome", OFFICE.week, "IT", "", (summer, special))
    assert next_opening(calendar, rome("2026-08-01 00:00")) == rome("2026-08-15 10:00")
    assert is_open(calendar, rome("2026-08-15 11:59"))
    assert not is_open(calendar, rome("2026-08-15 12:00"))


@pytest.mark.parametrize(
    ("at", "closes"),
    [("2026-11-25 10:00", "2026-11-25 13:00"), ("2026-11-25 13:00", None), ("2026-11-25 17:59", "2026-11-25 18:00")],
)
def test_an_opening_ends_where_the_shop_closes(at: str, closes: str | None):
    assert next_closing(SHOP, rome(at)) == (rome(closes) if closes else None)


def test_an_opening_goes_on_over_midnight_and_new_year():
    nights = Calendar("Europe/Rome", (((0, 120), (1200, 1440)),) * 7)
    assert next_closing(nights, rome("2026-12-31 21:00")) == rome("2027-01-01 02:00")
    assert next_closing(ALWAYS, rome("2026-12-31 21:00")) is None


def test_a_calendar_that_never_opens_says_so():
    start = rome("2026-11-25 10:00")
    assert deadline(NEVER, start, HOUR) is None
    assert next_opening(NEVER, start) is None
    assert next_open_day_same_time(NEVER, start) is None
    assert elapsed(NEVER, start, start + timedelta(days=4000)) == 0
    assert explain(NEVER, start, HOUR)[-1].due is None


@pytest.mark.parametrize(("days", "found"), [(400, True), (401, False)])
def test_an_opening_is_awaited_for_four_hundred_days(days: int, found: bool):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    day = (start + timedelta(days=days)).date()
    calendar = Calendar("UTC", (CLOSED,) * 7, "", "", (CalendarException(day, day, ((0, 60),)),))
    assert (next_opening(calendar, start) is not None) is found
    assert (deadline(calendar, start, 3600) is not None) is found


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-11-27 18:00", "2026-11-30 18:00"),  # the promise: Friday 18:00 → Monday 18:00
        ("2026-11-25 10:00", "2026-11-26 10:00"),
        ("2026-11-26 22:00", "2026-11-27 22:00"),  # outside hours keeps its clock time
        ("2026-11-28 10:00", "2026-11-30 10:00"),  # closed Saturday → Monday, same clock time
        ("2026-11-29 23:30", "2026-11-30 23:30"),
        ("2026-10-23 12:00", "2026-10-26 12:00"),  # the clocks change in between
    ],
)
def test_the_promise_is_the_same_clock_time_on_the_next_open_day(start: str, due: str):
    assert next_open_day_same_time(OFFICE, rome(start)) == rome(due)


def test_a_clock_time_that_spring_skips_becomes_the_end_of_the_gap():
    assert next_open_day_same_time(ALWAYS, rome("2026-03-28 02:30")) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert next_open_day_same_time(ALWAYS, rome("2026-10-24 02:30")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert at_wall("Pacific/Apia", datetime(2011, 12, 30, 12)) == datetime(2011, 12, 30, 10, tzinfo=UTC)


def test_business_days_skip_what_is_closed():
    friday = rome("2026-12-04 16:00")
    assert business_days_after(SHOP, friday, 0) == friday
    assert business_days_after(SHOP, friday, 3) == rome("2026-12-09 16:00")  # Sat, Mon, not Sun, not 8 December
    with pytest.raises(UsageError):
        business_days_after(SHOP, friday, -1)


def test_explain_shows_each_day_and_adds_up():
    start, seconds = rome("2026-12-07 17:00"), 3 * HOUR
    steps = explain(SHOP, start, seconds, "it")
    assert [(step.hours.day.day, step.hours.source, step.seconds, step.total) for step in steps] == [
        (7, "week", HOUR, HOUR),
        (8, "holiday", 0, HOUR),
        (9, "week", 2 * HOUR, 3 * HOUR),
    ]
    assert steps[1].hours.name == "Immacolata Concezione"
    assert steps[-1].due == deadline(SHOP, start, seconds) == rome("2026-12-09 11:00")
    assert steps[-1].counted == ((rome("2026-12-09 09:00"), rome("2026-12-09 11:00")),)


def test_observances_that_close_nothing_are_not_holidays():
    germany = Calendar("Europe/Berlin", OFFICE.week, "DE", "BE")
    assert hours_of(germany, date(2026, 12, 24)).source == "week"
    assert hours_of(germany, date(2026, 12, 25)).source == "holiday"
    assert hours_of(germany, date(2026, 12, 25), "en").name == "Christmas Day"


def test_a_calendar_survives_json():
    calendar = Calendar(
        "America/New_York",
        (((0, 60), (60, 1440)), CLOSED, *(SHOP_DAY,) * 5),
        "US",
        "NY",
        (CalendarException(date(2026, 1, 2), date(2026, 1, 5), ((600, 660),), {"en": "Sale", "it": "Saldi"}),),
    )
    text = json.dumps(calendar.to_json())
    assert Calendar.from_json(text) == calendar
    assert Calendar.from_json(json.loads(text)) == calendar
    assert Calendar.from_json(ALWAYS.to_json()) == ALWAYS


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"zone": "Europe/Roma"}, "Europe/Roma"),
        ({"zone": "../etc"}, "../etc"),
        ({"zone": ""}, "time zone"),
        ({"zone": "UTC", "week": {"tue": ["09:00-08:00"]}}, "tue: 09:00-08:00"),
        ({"zone": "UTC", "week": {"wed": ["09:00-13:00", "12:00-15:00"]}}, "wed: 12:00-15:00"),
        ({"zone": "UTC", "week": {"wed": ["09:00-25:00"]}}, "wed: 09:00-25:00"),
        ({"zone": "UTC", "week": {"wed": ["9-13"]}}, "wed: '9-13'"),
        ({"zone": "UTC", "week": {"wed": "09:00-13:00"}}, "wed"),
        ({"zone": "UTC", "week": {"mer": []}}, "mer"),
        ({"zone": "UTC", "holidays": {"country": "", "region": "RM"}}, "RM"),
        ({"zone": "UTC", "exceptions": [{"first": "15/8"}]}, "15/8"),
        ({"zone": "UTC", "exceptions": [{"first": "2026-08-15", "last": "2026-08-14"}]}, "2026-08-15"),
        ({"zone": "UTC", "exceptions": [{"first": "2026-08-15", "open": ["12:00-11:00"]}]}, "exception 2026-08-15"),
        ("{", "JSON"),
        ([], "calendar"),
    ],
)
def test_a_wrong_calendar_is_refused_by_name(values: object, named: str):
    with pytest.raises(UsageError) as refused:
        Calendar.from_json(values)  # type: ignore[arg-type]
    assert named in refused.value.message


@pytest.mark.parametrize(("country", "region"), [("ZZ", ""), ("IT", "ZZ")])
def test_an_unknown_holiday_country_or_region_is_refused(country: str, region: str):
    with pytest.raises(UsageError, match="ZZ"):
        validate(Calendar("Europe/Rome", OFFICE.week, country, region))


def test_hours_load_no_holiday_library_until_a_country_needs_it():
    code = (
        "import sys; from supportdesk.desk.hours import *; from datetime import *;"
        "deadline(Calendar.always_open(), datetime.now(UTC), 60); assert 'holidays' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@st.composite
def days(draw: st.DrawFn) -> tuple[tuple[int, int], ...]:
    if draw(st.booleans()):
        return draw(st.sampled_from([CLOSED, NINE_TO_SIX, SHOP_DAY, ((0, 1440),), ((0, 120), (1320, 1440))]))
    marks = sorted(draw(st.lists(st.integers(0, 1440), max_size=6, unique=True)))
    return tuple(zip(marks[::2], marks[1::2], strict=False))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Calendar, datetime]:
    zone = draw(st.sampled_from(ZONES))
    start = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 17 * 365 * 1440)))
    if draw(st.booleans()):
        start = _near_a_clock_change(zone, start)
    week = tuple(draw(days()) for _ in range(7))
    near = start.date() + timedelta(days=draw(st.integers(-1, 3)))
    exceptions = tuple(CalendarException(near, near, draw(days())) for _ in range(draw(st.integers(0, 1))))
    return Calendar(zone, week, "", "", exceptions), start  # type: ignore[arg-type]


def _near_a_clock_change(zone: str, start: datetime) -> datetime:
    offset = start.astimezone(ZoneInfo(zone)).utcoffset()
    for step in range(400):
        later = start + timedelta(days=step)
        if later.astimezone(ZoneInfo(zone)).utcoffset() != offset:
            return later - timedelta(days=1)
    return start


@given(cases(), st.integers(0, 90 * HOUR), st.integers(0, 999_999))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_elapsed_is_the_inverse_of_deadline(case: tuple[Calendar, datetime], seconds: int, microseconds: int):
    calendar, start = case
    start += timedelta(microseconds=microseconds)
    due = deadline(calendar, start, seconds)
    assume(due is not None)
    assert due is not None
    assert elapsed(calendar, start, due) == seconds
    assert seconds == 0 or elapsed(calendar, start, due - timedelta(seconds=1)) == seconds - 1
    if seconds == 0:
        assert is_open(calendar, due)
    steps = explain(calendar, start, seconds)
    assert (steps[-1].due, steps[-1].total) == (due, seconds)


@given(cases(), st.integers(0, 40 * HOUR), st.integers(0, 40 * HOUR), st.integers(0, 5 * 86400))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_deadlines_and_elapsed_are_monotone(case: tuple[Calendar, datetime], less: int, more: int, later: int):
    calendar, start = case
    less, more = sorted((less, more))
    second = start + timedelta(seconds=later)
    first_due, longer_due, second_due = (
        deadline(calendar, start, less),
        deadline(calendar, start, more),
        deadline(calendar, second, less),
    )
    if first_due and longer_due:
        assert start <= first_due <= longer_due
    if first_due and second_due:
        assert first_due <= second_due
    assert elapsed(calendar, start, second) <= elapsed(calendar, start, second + timedelta(seconds=more))
    assert elapsed(calendar, start, second) + elapsed(calendar, second, second + timedelta(seconds=more)) == elapsed(
        calendar, start, second + timedelta(seconds=more)
    )
