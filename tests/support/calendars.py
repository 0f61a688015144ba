"""Random calendars, and an oracle that looks every minute of the world's clock up on the shop's wall.

The oracle knows nothing of intervals, offsets or years: it asks zoneinfo for the wall time of each minute and reads
week, holidays and exceptions for that day by itself. `./desk test tests/desk/test_hours_oracle.py --calendars 20000`
walks as many calendars as one has time for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from supportdesk.desk.calendar import Calendar, CalendarException, Interval

ZONES = (
    *("UTC", "Europe/Rome", "Europe/London", "America/New_York", "America/St_Johns", "Australia/Lord_Howe"),
    *("Asia/Kathmandu", "Asia/Tokyo", "Africa/Casablanca", "America/Sao_Paulo", "Pacific/Apia", "Pacific/Chatham"),
    *("Asia/Gaza", "Africa/Cairo", "Antarctica/Troll"),
)
HOLIDAYS = (
    *(("IT", ""), ("IT", "RM"), ("IT", "MI"), ("DE", "BY"), ("DE", "BE"), ("FR", ""), ("ES", "CT"), ("GB", "SCT")),
    *(("US", "NY"), ("JP", ""), ("AT", ""), ("CH", "TI"), ("NL", ""), ("PL", ""), ("SE", ""), ("AU", "NSW")),
)
COMMON_DAYS: tuple[tuple[Interval, ...], ...] = (
    *((), ((540, 1080),), ((540, 780), (900, 1080)), ((0, 1440),), ((0, 120), (1320, 1440)), ((120, 180),)),
)
FIRST, DAYS = datetime(2020, 1, 1, tzinfo=UTC), 17 * 365
DEFAULT_COUNT = 1000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--calendars",
        type=int,
        default=DEFAULT_COUNT,
        metavar="N",
        help=f"how many random calendars the oracle walks minute by minute ({DEFAULT_COUNT})",
    )
    parser.addoption(
        "--sequences",
        type=int,
        default=2,
        metavar="N",
        help="how many random sequences of 200 events the desk goes through on each database (2)",
    )


@dataclass(frozen=True, slots=True)
class Walk:
    """A calendar, where the walk begins, and for each of its minutes whether the shop is open then."""

    calendar: Calendar
    start: datetime
    open: bytes

    def at(self, minute: int) -> datetime:
        return self.start + timedelta(minutes=minute)


def random_walk(seed: int) -> Walk:
    """The seed's calendar, walked for one to four days; half of them lie around a change of the clocks."""
    chance = random.Random(seed)
    zone = chance.choice(ZONES)
    start = FIRST + timedelta(minutes=chance.randrange(DAYS * 1440))
    if chance.random() < 0.5:
        start = _near_a_clock_change(zone, start, chance)
    country, region = chance.choice(HOLIDAYS) if chance.random() < 0.5 else ("", "")
    if country and chance.random() < 0.6:
        start = _near_a_holiday(country, region, start, chance)
    week = tuple(_random_day(chance) for _ in range(7))
    around = start.date()
    exceptions = tuple(_random_exception(around, chance) for _ in range(chance.choice((0, 0, 1, 2))))
    calendar = Calendar(zone, week, country, region, exceptions)  # type: ignore[arg-type]
    return Walk(calendar, start, walk(calendar, start, chance.randint(1, 4 * 1440)))


def walk(calendar: Calendar, start: datetime, minutes: int) -> bytes:
    """The oracle: 1 for each minute from `start` in which the shop is open."""
    zone, first = ZoneInfo(calendar.zone), int(start.timestamp())
    opened: dict[tuple[int, int, int], tuple[Interval, ...]] = {}
    found = bytearray(minutes)
    for minute in range(minutes):
        wall = datetime.fromtimestamp(first + 60 * minute, zone)
        day = (wall.year, wall.month, wall.day)
        if day not in opened:
            opened[day] = _hours_on(calendar, date(*day))
        at = wall.hour * 60 + wall.minute
        found[minute] = any(opens <= at < closes for opens, closes in opened[day])
    return bytes(found)


def _hours_on(calendar: Calendar, day: date) -> tuple[Interval, ...]:
    for exception in calendar.exceptions[::-1]:
        if exception.first <= day <= exception.last:
            return exception.intervals
    if calendar.holidays_country and day in public_holidays(calendar.holidays_country, calendar.holidays_region):
        return ()
    return calendar.week[day.weekday()]


@cache
def public_holidays(country: str, region: str) -> frozenset[date]:
    import holidays

    years = range(FIRST.year - 1, FIRST.year + 19)
    return frozenset(holidays.country_holidays(country, subdiv=region or None, years=years))


def _random_day(chance: random.Random) -> tuple[Interval, ...]:
    if chance.random() < 0.5:
        return chance.choice(COMMON_DAYS)
    marks = sorted(chance.sample(range(1441), chance.choice((2, 4, 6))))
    return tuple(zip(marks[::2], marks[1::2], strict=True))


def _random_exception(around: date, chance: random.Random) -> CalendarException:
    first = around + timedelta(days=chance.randint(-3, 4))
    return CalendarException(first, first + timedelta(days=chance.choice((0, 0, 1, 3))), _random_day(chance))


def _near_a_clock_change(zone: str, start: datetime, chance: random.Random) -> datetime:
    offset = start.astimezone(ZoneInfo(zone)).utcoffset()
    for days in range(1, 400):
        later = start + timedelta(days=days)
        if later.astimezone(ZoneInfo(zone)).utcoffset() != offset:
            return later - timedelta(days=1, minutes=chance.randrange(1440))
    return start


def _near_a_holiday(country: str, region: str, start: datetime, chance: random.Random) -> datetime:
    following = min(day for day in public_holidays(country, region) if day >= start.date())
    midnight = datetime(following.year, following.month, following.day, tzinfo=UTC)
    return midnight - timedelta(minutes=chance.randrange(1440))
