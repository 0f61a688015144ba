"""When the shop is open, and what that makes of a span of time.

Everything here is arithmetic on UTC instants: the wall times of each day are turned into UTC first, so a night with a
clock change counts its real length. An instant is open when its local wall time lies in an interval of its local day;
hence an interval inside the hour that spring skips is empty, and one inside the hour that autumn repeats is open twice.
The calendar itself is `desk.calendar`; what a target is and which one is due is `desk.sla`; wording is `l10n`.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from supportdesk.desk.calendar import (
    Calendar,
    CalendarException,
    DayHours,
    Interval,
    hours_of,
    load_zone,
    validate,
)
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "DAYS_WITHOUT_OPENING",
    "Calendar",
    "CalendarException",
    "DayHours",
    "Step",
    "at_wall",
    "business_days_after",
    "deadline",
    "elapsed",
    "explain",
    "hours_of",
    "is_open",
    "load_zone",
    "next_closing",
    "next_open_day_same_time",
    "next_opening",
    "validate",
]

DAYS_WITHOUT_OPENING = 400


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> int:
    """The whole seconds of [start, end] that lie inside opening intervals; 0 when `end` is not after `start`."""
    first, last = _microseconds(start), _microseconds(end)
    if last <= first:
        return 0
    counted = 0
    for year in range(_utc(first).year, _utc(last).year + 1):
        openings = _openings_of(calendar, year)
        counted += openings.counted_before(last) - openings.counted_before(first)
    return counted // _SECOND


def deadline(calendar: Calendar, start: datetime, seconds: int) -> datetime | None:
    """The first instant at which `seconds` of opening time have passed since `start`.

    A start outside hours moves to the next opening, also for 0 seconds. Time that ends exactly at closing is due at
    closing, not at the next opening. None after 400 days without an opening.
    """
    if seconds < 0:
        raise UsageError(_("a deadline needs a positive span, not {seconds} seconds").format(seconds=seconds))
    left = seconds * _SECOND
    reached = _microseconds(start)
    for opens, closes in _openings_from(calendar, reached):
        reached = max(reached, opens)
        if left <= closes - reached:
            return _utc(reached + left)
        left -= closes - reached
    return None


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """`at` itself while open, else the next opening; None after 400 days without one."""
    return deadline(calendar, at, 0)


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Whether `at` lies inside an opening interval; the closing instant does not."""
    moment = _microseconds(at)
    return any(opens <= moment for opens, _ in _openings_from(calendar, moment, within_days=0))


def next_closing(calendar: Calendar, at: datetime) -> datetime | None:
    """When the opening that `at` lies in ends; None outside hours, and where it does not end within 400 days."""
    moment = _microseconds(at)
    reached: int | None = None
    for opens, closes in _openings_from(calendar, moment):
        if opens > (moment if reached is None else reached):
            break
        reached = closes
        if closes - moment > DAYS_WITHOUT_OPENING * _DAY:
            return None
    return None if reached is None else _utc(reached)


def next_open_day_same_time(calendar: Calendar, start: datetime) -> datetime | None:
    """The promise of 24 h: the clock time of `start` on the next day with an opening; Friday 18:00 → Monday 18:00.

    The clock time is kept as it is, also outside hours (Thursday 22:00 → Friday 22:00) and for a start on a closed day
    (Saturday 10:00 → Monday 10:00, before what Friday 18:00 is promised). None after 400 days without an open day.
    """
    return business_days_after(calendar, start, 1)


def business_days_after(calendar: Calendar, start: datetime, days: int) -> datetime | None:
    """The clock time of `start` on the `days`-th open day after its own local day; 0 days is `start`.

    A clock time that spring skips becomes the first instant after the gap, one that autumn repeats its first pass.
    None after 400 days without an open day.
    """
    if days < 0:
        raise UsageError(_("business days are counted forward, not {days}").format(days=days))
    zone = load_zone(calendar.zone)
    local = start.astimezone(zone)
    if days == 0:
        return start.astimezone(UTC)
    day, closed = local.date(), 0
    while closed < DAYS_WITHOUT_OPENING:
        day += timedelta(days=1)
        if not _open_spans(calendar, day):
            closed += 1
            continue
        days, closed = days - 1, 0
        if days == 0:
            return at_wall(calendar.zone, datetime.combine(day, local.time()))
    return None


def at_wall(zone: str, wall: datetime) -> datetime:
    """The UTC instant of a naive local time; in a gap the first instant after it, when repeated the first pass."""
    local = wall.replace(tzinfo=load_zone(zone), fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) == wall:
        return instant
    before, after = local.replace(fold=1).astimezone(UTC), instant
    return _utc(_change_between(zone, _microseconds(before), _microseconds(after)))


@dataclass(frozen=True, slots=True)
class Step:
    """One local day of the arithmetic: what was open, what of it counted (UTC spans), and the seconds so far."""

    hours: DayHours
    counted: tuple[tuple[datetime, datetime], ...]
    seconds: int
    total: int
    due: datetime | None


def explain(calendar: Calendar, start: datetime, seconds: int, language: str = "") -> tuple[Step, ...]:
    """The day-by-day arithmetic of `deadline`; the last step carries `due`, or None when there is no opening."""
    due = deadline(calendar, start, seconds)
    zone = load_zone(calendar.zone)
    day = start.astimezone(zone).date()
    last = due.astimezone(zone).date() if due else day + timedelta(days=DAYS_WITHOUT_OPENING)
    begin, total, steps = start.astimezone(UTC), timedelta(), []
    while day <= last:
        spans = tuple(
            (max(opens, begin), closes if due is None else min(closes, due))
            for opens, closes in ((_utc(a), _utc(b)) for a, b in _open_spans(calendar, day))
            if closes > begin and (due is None or opens < due)
        )
        counted = sum((closes - opens for opens, closes in spans), timedelta())
        total += counted
        reached = due if day == last else None
        steps.append(
            Step(
                hours_of(calendar, day, language),
                spans,
                int(counted.total_seconds()),
                int(total.total_seconds()),
                reached,
            )
        )
        day += timedelta(days=1)
    return tuple(steps)


_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 86_400 * _SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = date(1970, 1, 1).toordinal()
_NEAR = 3 * _DAY


def _microseconds(at: datetime) -> int:
    if at.tzinfo is None:
        raise ValueError(f"a naive time in business hours: {at!r}")
    return (at - _EPOCH) // timedelta(microseconds=1)


def _utc(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class _Openings:
    """The merged openings of one UTC year; `counted[i]` is the open time before the i-th."""

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    counted: tuple[int, ...]

    def counted_before(self, moment: int) -> int:
        at = bisect_right(self.opens, moment) - 1
        return 0 if at < 0 else self.counted[at] + min(moment, self.closes[at]) - self.opens[at]


@lru_cache(maxsize=256)
def _openings_of(calendar: Calendar, year: int) -> _Openings:
    first, last = _microseconds(datetime(year, 1, 1, tzinfo=UTC)), _microseconds(datetime(year + 1, 1, 1, tzinfo=UTC))
    spans: list[Interval] = []
    # A zone can be more than a day away from UTC when it crosses the date line, so the local days reach two beyond.
    for ordinal in range(date(year, 1, 1).toordinal() - 2, date(year, 12, 31).toordinal() + 3):
        for opens, closes in _open_spans(calendar, date.fromordinal(ordinal)):
            opens, closes = max(opens, first), min(closes, last)
            if opens < closes:
                spans.append((opens, closes))
    merged = _merge(sorted(spans))
    counted, total = [], 0
    for opens, closes in merged:
        counted.append(total)
        total += closes - opens
    return _Openings(tuple(a for a, _ in merged), tuple(b for _, b in merged), tuple(counted))


def _openings_from(calendar: Calendar, moment: int, within_days: int = DAYS_WITHOUT_OPENING) -> Iterator[Interval]:
    """Openings that end after `moment`, until none comes for `within_days`."""
    horizon = moment + within_days * _DAY
    year = _utc(moment).year
    while year < date.max.year and _microseconds(datetime(year, 1, 1, tzinfo=UTC)) <= horizon:
        openings = _openings_of(calendar, year)
        for at in range(max(0, bisect_right(openings.opens, moment) - 1), len(openings.opens)):
            opens, closes = openings.opens[at], openings.closes[at]
            if closes <= moment:
                continue
            if opens > horizon:
                return
            horizon = closes + within_days * _DAY
            yield opens, closes
        year += 1


def _open_spans(calendar: Calendar, day: date) -> list[Interval]:
    """The openings of a local day as UTC microseconds, in order; empty or negative windows are left out."""
    intervals = hours_of(calendar, day).intervals
    if not intervals:
        return []
    midnight = (day.toordinal() - _NAIVE_EPOCH) * _DAY
    spans = []
    for begins, ends, offset in _offsets_around(calendar.zone, day.year):
        if ends < midnight - _NEAR or begins > midnight + _NEAR:
            continue
        for start, end in intervals:
            opens = max(midnight + start * _MINUTE - offset, begins)
            closes = min(midnight + end * _MINUTE - offset, ends)
            if opens < closes:
                spans.append((opens, closes))
    return _merge(sorted(spans))


@lru_cache(maxsize=512)
def _offsets_around(zone: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """(from, until, UTC offset) in microseconds over a local year and a few days around it."""
    begins = _microseconds(datetime(year, 1, 1, tzinfo=UTC)) - 4 * _DAY
    end = begins + 374 * _DAY
    offset, segments = _offset(zone, begins), []
    for moment in range(begins, end, _DAY):
        upcoming = _offset(zone, moment + _DAY)
        if upcoming != offset:
            change = _change_between(zone, moment, moment + _DAY)
            segments.append((begins, change, offset))
            begins, offset = change, upcoming
    segments.append((begins, end, offset))
    return tuple(segments)


def _change_between(zone: str, before: int, after: int) -> int:
    """The first instant, to the second, that has another offset than `before`; the two must differ."""
    offset = _offset(zone, before)
    while after - before > _SECOND:
        middle = (before + (after - before) // 2) // _SECOND * _SECOND
        if _offset(zone, middle) == offset:
            before = middle
        else:
            after = middle
    return after // _SECOND * _SECOND


def _offset(zone: str, moment: int) -> int:
    offset = _utc(moment).astimezone(load_zone(zone)).utcoffset()
    return (offset or timedelta()) // timedelta(microseconds=1)


def _merge(spans: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for opens, closes in spans:
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged
