"""Business hours against a walk over every minute: random calendars, zones, clock changes and holidays."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.hours import business_days_after, deadline, elapsed, explain, is_open
from tests.support.calendars import Walk, public_holidays, random_walk, walk

SLICES = 10


@pytest.mark.parametrize("piece", range(SLICES))
def test_random_calendars_agree_with_a_walk_over_every_minute(piece: int, request: pytest.FixtureRequest) -> None:
    count = request.config.getoption("--calendars")
    for seed in range(piece, count, SLICES):
        try:
            _agree(random_walk(seed), random.Random(seed))
        except AssertionError as error:
            raise AssertionError(f"calendar {seed}: {random_walk(seed).calendar}") from error


def _agree(found: Walk, chance: random.Random) -> None:
    counted = [0, *accumulate(found.open)]
    last = len(found.open)
    calendar, total = found.calendar, counted[-1]
    for _pair in range(4):
        a, b = sorted((chance.randint(0, last), chance.randint(0, last)))
        assert elapsed(calendar, found.at(a), found.at(b)) == 60 * (counted[b] - counted[a])
        moment = chance.randrange(last)
        assert is_open(calendar, found.at(moment)) == bool(found.open[moment])
    for minutes in {0, 1, total, chance.randint(0, total)}:
        if minutes > total or (minutes == 0 and 1 not in found.open):
            continue
        # Due is the end of the minute in which the last of it passed; nothing to pass: the first open minute.
        expected = found.open.index(1) if minutes == 0 else counted.index(minutes)
        due = deadline(calendar, found.start, 60 * minutes)
        assert due == found.at(expected), f"{minutes} minutes from {found.start}"
        steps = explain(calendar, found.start, 60 * minutes)
        assert (steps[-1].due, steps[-1].total) == (due, 60 * minutes)


def test_the_promise_in_days_agrees_with_a_walk_over_whole_days(request: pytest.FixtureRequest) -> None:
    for seed in range(0, request.config.getoption("--calendars"), 20):
        found = random_walk(seed)
        zone = ZoneInfo(found.calendar.zone)
        local = found.start.astimezone(zone)
        due = business_days_after(found.calendar, found.start, 1)
        for days in range(1, 15):
            day = local.date() + timedelta(days=days)
            if 1 in _minutes_of(found.calendar, day):
                assert due is not None, f"calendar {seed}"
                assert due.astimezone(zone).date() == day, f"calendar {seed}"
                wall = due.astimezone(zone).replace(tzinfo=None)
                exists = local.replace(tzinfo=None) + timedelta(days=days)
                assert wall >= exists, f"calendar {seed}"  # later only where the clocks skip that time
                break


def _minutes_of(calendar: Calendar, day: date) -> bytes:
    """The minutes of one local day, found by walking three days of the world and keeping those of that date."""
    from datetime import UTC, datetime

    zone = ZoneInfo(calendar.zone)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=1)
    opened = walk(calendar, start, 3 * 1440)
    return bytes(
        value for at, value in enumerate(opened) if (start + timedelta(minutes=at)).astimezone(zone).date() == day
    )


def test_the_walks_see_holidays_and_clock_changes() -> None:
    walks = [random_walk(seed) for seed in range(200)]
    on_holiday = [
        one
        for one in walks
        if one.calendar.holidays_country
        and any(
            (one.start + timedelta(days=days)).date()
            in public_holidays(one.calendar.holidays_country, one.calendar.holidays_region)
            for days in range(3)
        )
    ]
    zones = [(ZoneInfo(one.calendar.zone), one) for one in walks]
    changing = [
        one
        for zone, one in zones
        if one.start.astimezone(zone).utcoffset() != one.at(len(one.open)).astimezone(zone).utcoffset()
    ]
    assert len(on_holiday) > 20
    assert len(changing) > 20
    assert sum(1 in one.open and 0 in one.open for one in walks) > 100
