"""Part `clock`: what one deadline costs, on a calendar as shops have them, after a year of it was laid out once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final

from supportdesk.desk.calendar import Calendar, CalendarException, DayHours, hours_of
from supportdesk.desk.hours import business_days_after, deadline, elapsed
from supportdesk.desk.sla import Facts, Policy, compute
from tests.bench.measure import Options
from tests.bench.report import Part, Row

LUNCH: Final = ((540, 780), (900, 1140))
SHOP: Final = Calendar(
    "Europe/Rome",
    (LUNCH, LUNCH, LUNCH, LUNCH, LUNCH, ((540, 780),), ()),
    "IT",
    "RM",
    (CalendarException(date(2026, 8, 1), date(2026, 8, 30), (), {"it": "Chiusi per ferie", "en": "Closed"}),),
)
EIGHT_HOURS: Final = 8 * 3600
MICROSECONDS: Final = 1e6


def run(options: Options) -> Part:
    size = options.sized(20_000)
    chance = random.Random(1)
    starts = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=chance.randrange(365 * 1440)) for _ in range(size)]
    walked = starts[: max(1, size // 100)]
    _each(lambda start: deadline(SHOP, start, EIGHT_HOURS), starts[:1])
    cost, by_walking = (
        _each(lambda start: deadline(SHOP, start, EIGHT_HOURS), starts),
        _each(lambda start: walk_the_minutes(SHOP, start, EIGHT_HOURS), walked),
    )
    fresh = count(1)
    rows = (
        Row(
            "one deadline of 8 opening hours",
            cost,
            "µs",
            "a walk over every minute",
            by_walking,
            "≤ 50 µs (the order of 24)",
        ),
        Row("elapsed over 30 days", _each(_elapsed_in_a_month, starts), "µs"),
        Row("the promise of 24 h", _each(lambda start: business_days_after(SHOP, start, 1), starts), "µs"),
        Row("all targets of a ticket", _each(lambda start: compute(Policy(), SHOP, Facts(start, start)), starts), "µs"),
        Row(
            "the first deadline of a calendar",
            _each(lambda start: deadline(_another(next(fresh)), start, EIGHT_HOURS), starts[:20]),
            "µs",
        ),
    )
    return Part("clock", f"{size:,} random times of 2026 in a shop with lunch, holidays and an August closure", rows)


def walk_the_minutes(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """What the arithmetic replaces: one minute after the other, on the shop's wall, until enough were open."""
    from zoneinfo import ZoneInfo

    zone, left, days = ZoneInfo(calendar.zone), seconds // 60, dict[date, DayHours]()
    while True:
        wall = start.astimezone(zone)
        if wall.date() not in days:
            days[wall.date()] = hours_of(calendar, wall.date())
        minute = wall.hour * 60 + wall.minute
        left -= any(opens <= minute < closes for opens, closes in days[wall.date()].intervals)
        start += timedelta(minutes=1)
        if left == 0:
            return start


def _elapsed_in_a_month(start: datetime) -> int:
    return elapsed(SHOP, start, start + timedelta(days=30))


def _another(number: int) -> Calendar:
    """A calendar that was not seen before: its year has to be laid out."""
    exception = CalendarException(date(2000, 1, 1) + timedelta(days=number), date(2000, 1, 1) + timedelta(days=number))
    return Calendar(SHOP.zone, SHOP.week, SHOP.holidays_country, SHOP.holidays_region, (exception,))


def _each(work: Callable[[datetime], object], starts: list[datetime]) -> float:
    """Microseconds a call, over all of them."""
    began = time.perf_counter()
    for start in starts:
        work(start)
    return (time.perf_counter() - began) * MICROSECONDS / len(starts)
