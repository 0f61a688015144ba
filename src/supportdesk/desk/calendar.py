"""A shop's calendar as a value: its week, its holidays, its exceptions, checked and written as JSON.

What a calendar makes of a span of time is `desk.hours`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

Interval = tuple[int, int]
"""Opening and closing as minutes after local midnight, half-open; 1440 is the midnight that ends the day."""

Week = tuple[
    tuple[Interval, ...],
    tuple[Interval, ...],
    tuple[Interval, ...],
    tuple[Interval, ...],
    tuple[Interval, ...],
    tuple[Interval, ...],
    tuple[Interval, ...],
]

DayKind = Literal["open", "closed", "holiday", "closure", "opening"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_A_DAY = 1440
ALL_DAY: tuple[Interval, ...] = ((0, MINUTES_OF_A_DAY),)


@dataclass(frozen=True, slots=True)
class CalendarException:
    """The days `first`…`last` (both included) are open as `intervals` says, whatever the week and the holidays say.

    No intervals: closed. `notices` maps a language code to the words that customers read ("Chiusi per ferie").
    """

    first: date
    last: date
    intervals: tuple[Interval, ...] = ()
    notices: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        where = f"exception {self.first.isoformat()}"
        if self.last < self.first:
            raise UsageError(
                _("{where} ends before it begins ({last})").format(where=where, last=self.last.isoformat())
            )
        _check_intervals(where, self.intervals)

    def notice(self, language: str) -> str:
        """The notice in `language` (`it`, `it-CH`), else in its base language, else none: never another one."""
        for code in (language, re.split("[-_]", language)[0]):
            if code in self.notices:
                return self.notices[code]
        return ""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a shop is open; where exceptions overlap, the later one in the tuple counts.

    `holidays_country` is an ISO 3166-1 code ("" for no public holidays), `holidays_region` a subdivision of it as the
    `holidays` library names it. A wrong zone or interval raises UsageError here, a wrong country in `validate`, because
    that has to load the library.
    """

    zone: str
    week: Week
    holidays_country: str = ""
    holidays_region: str = ""
    exceptions: tuple[CalendarException, ...] = ()

    def __post_init__(self) -> None:
        load_zone(self.zone)
        if len(self.week) != len(WEEKDAYS):
            raise UsageError(_("a week has 7 days, this one has {len_week}").format(len_week=len(self.week)))
        for weekday, intervals in zip(WEEKDAYS, self.week, strict=True):
            _check_intervals(weekday, intervals)
        if self.holidays_region and not self.holidays_country:
            raise UsageError(
                _("holidays: region {holidays_region!r} needs a country").format(holidays_region=self.holidays_region)
            )

    @classmethod
    def always_open(cls, zone: str = "UTC") -> Calendar:
        """Every hour of every day: what a mailbox without a calendar uses."""
        return cls(zone, (ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY, ALL_DAY))

    def to_json(self) -> dict[str, object]:
        """JSON-ready values; `from_json` gives the same calendar back."""
        return {
            "zone": self.zone,
            "week": {day: _write_intervals(intervals) for day, intervals in zip(WEEKDAYS, self.week, strict=True)},
            "holidays": {"country": self.holidays_country, "region": self.holidays_region},
            "exceptions": [
                {
                    "first": exception.first.isoformat(),
                    "last": exception.last.isoformat(),
                    "open": _write_intervals(exception.intervals),
                    "notices": dict(exception.notices),
                }
                for exception in self.exceptions
            ],
        }

    @classmethod
    def from_json(cls, source: str | Mapping[str, object]) -> Calendar:
        """Read what `to_json` wrote, or a person: weekdays may be left out (closed), `last` defaults to `first`."""
        values = _mapping("calendar", _load(source))
        _refuse_unknown("calendar", values, ("zone", "week", "holidays", "exceptions"))
        week = _mapping("week", values.get("week", {}))
        _refuse_unknown("week", week, WEEKDAYS)
        holidays = _mapping("holidays", values.get("holidays") or {})
        _refuse_unknown("holidays", holidays, ("country", "region"))
        mon, tue, wed, thu, fri, sat, sun = (_read_intervals(day, week.get(day, [])) for day in WEEKDAYS)
        return cls(
            zone=_text("zone", values.get("zone", "")),
            week=(mon, tue, wed, thu, fri, sat, sun),
            holidays_country=_text("holidays.country", holidays.get("country", "")),
            holidays_region=_text("holidays.region", holidays.get("region", "")),
            exceptions=tuple(_read_exception(item) for item in _sequence("exceptions", values.get("exceptions", []))),
        )


@dataclass(frozen=True, slots=True)
class DayHours:
    """The intervals of one local day, where they come from, and the name of the holiday or the notice."""

    day: date
    intervals: tuple[Interval, ...]
    source: Literal["week", "holiday", "exception"]
    name: str

    @property
    def kind(self) -> DayKind:
        """What the day is to customers."""
        if self.source == "holiday":
            return "holiday"
        if self.source == "exception":
            return "opening" if self.intervals else "closure"
        return "open" if self.intervals else "closed"


def hours_of(calendar: Calendar, day: date, language: str = "") -> DayHours:
    """What holds on a local day: an exception before a holiday before the week."""
    exception = _exception_on(calendar, day)
    if exception is not None:
        return DayHours(day, exception.intervals, "exception", exception.notice(language))
    if calendar.holidays_country:
        name = _holidays_of(calendar.holidays_country, calendar.holidays_region, day.year, language).get(day)
        if name is not None:
            return DayHours(day, (), "holiday", name)
    return DayHours(day, calendar.week[day.weekday()], "week", "")


def validate(calendar: Calendar) -> None:
    """Refuse a holiday country or region that the `holidays` library does not know; it loads the library."""
    if calendar.holidays_country:
        _holidays_of(calendar.holidays_country, calendar.holidays_region, 2026, "")


def load_zone(zone: str) -> ZoneInfo:
    """The IANA zone; UsageError when there is no such zone."""
    try:
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(
            _("no such time zone: {zone!r}").format(zone=zone), hint=_("use an IANA name such as Europe/Rome")
        ) from error


def _exception_on(calendar: Calendar, day: date) -> CalendarException | None:
    return next((item for item in reversed(calendar.exceptions) if item.first <= day <= item.last), None)


@lru_cache(maxsize=256)
def _holidays_of(country: str, region: str, year: int, language: str) -> Mapping[date, str]:
    """Public holidays, named in `language` where the library can; observances that close nothing are left out."""
    import holidays

    try:
        known = holidays.country_holidays(country, subdiv=region or None, years=year)
    except NotImplementedError as error:
        where = f"{country} {region}".strip()
        raise UsageError(
            _("holidays: {where} is not known").format(where=where),
            hint=_("a country such as IT, a region such as RM, or none"),
        ) from error
    if language:
        # The library silently ignores a code that it does not list, and lists it_IT where one would write it.
        wanted = language.replace("-", "_")
        offered = known.supported_languages
        code = next((c for c in offered if c == wanted), None) or next(
            (c for c in offered if c.split("_")[0] == wanted.split("_")[0]), None
        )
        if code:
            known = holidays.country_holidays(country, subdiv=region or None, years=year, language=code)
    return {day: name for day, name in known.items() if day.year == year}


def _check_intervals(where: str, intervals: Sequence[Interval]) -> None:
    closed_at = 0
    for start, end in intervals:
        shown = _write_intervals([(start, end)])[0]
        if not 0 <= start < end <= MINUTES_OF_A_DAY:
            raise UsageError(
                _("{where}: {shown} must begin before it ends, within one day").format(where=where, shown=shown),
                hint=_("split a night at 24:00"),
            )
        if start < closed_at:
            raise UsageError(
                _("{where}: {shown} begins before the interval in front of it ends").format(where=where, shown=shown)
            )
        closed_at = end


def _write_intervals(intervals: Sequence[Interval]) -> list[str]:
    return [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in intervals]


_INTERVAL = re.compile(r"\s*(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})\s*")


def _read_intervals(where: str, values: object) -> tuple[Interval, ...]:
    intervals = []
    for value in _sequence(where, values):
        match = _INTERVAL.fullmatch(value) if isinstance(value, str) else None
        if match is None or int(match[2]) > 59 or int(match[4]) > 59:
            raise UsageError(
                _("{where}: {value!r} is not an interval").format(where=where, value=value), hint=_("write 09:00-13:00")
            )
        intervals.append((int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])))
    return tuple(intervals)


def _read_exception(value: object) -> CalendarException:
    values = _mapping("exceptions", value)
    _refuse_unknown("exceptions", values, ("first", "last", "open", "notices"))
    first = _read_day(values.get("first"))
    where = f"exception {first.isoformat()}"
    notices = _mapping(where, values.get("notices") or {})
    return CalendarException(
        first=first,
        last=_read_day(values["last"]) if "last" in values else first,
        intervals=_read_intervals(where, values.get("open", [])),
        notices={language: _text(f"{where} notice {language}", text) for language, text in notices.items()},
    )


def _read_day(value: object) -> date:
    try:
        return date.fromisoformat(_text("exception", value))
    except ValueError as error:
        raise UsageError(
            _("exceptions: {value!r} is not a date").format(value=value), hint=_("write 2026-08-15")
        ) from error


def _load(source: str | Mapping[str, object]) -> object:
    if not isinstance(source, str):
        return source
    try:
        return json.loads(source)
    except ValueError as error:
        raise UsageError(_("calendar: not JSON: {error}").format(error=error)) from error


def _mapping(where: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise UsageError(_("{where}: a table of names is needed, not {value!r}").format(where=where, value=value))
    return value


def _sequence(where: str, value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise UsageError(_("{where}: a list is needed, not {value!r}").format(where=where, value=value))
    return value


def _text(where: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(_("{where}: text is needed, not {value!r}").format(where=where, value=value))
    return value


def _refuse_unknown(where: str, values: Mapping[str, object], known: Sequence[str]) -> None:
    for name in values:
        if name not in known:
            raise UsageError(
                _("{where}: {name!r} is not known").format(where=where, name=name),
                hint=_("known: {names}").format(names=", ".join(known)),
            )
