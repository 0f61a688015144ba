"""When to wake a ticket, as an agent types it: `3g`, `domani 9`, `lun 15:00`, `24.12. 9:30`, `tomorrow 9am`, ISO.

A small grammar with nothing guessed: each word is understood or named in the error. Italian and English words are
always known, weekdays and months in the agent's language too (CLDR). The result is shown live before it is used, so a
`described` time comes with it. What a snooze does to a ticket is `desk.triage`'s business.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

from supportdesk.desk.calendar import hours_of, load_zone
from supportdesk.desk.hours import at_wall, deadline, next_opening
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _

if TYPE_CHECKING:
    from supportdesk.desk.calendar import Calendar

EXAMPLES: Final = N_("For example 3d, tomorrow 9, mon 15:00 or 20/12")
LATER: Final = 3 * 3600  # of opening time
WHEN_CLOSED: Final = 9 * 60  # the minute of a day without openings that stands for its opening


@dataclass(frozen=True, slots=True)
class Snooze:
    """A wake-up (UTC), worded in the agent's language and the calendar's zone."""

    until: datetime
    described: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A wake-up offered with one key; `name` is stable, `title` a msgid."""

    name: str
    title: str
    snooze: Snooze


def read_snooze(text: str, calendar: Calendar, now: datetime, language: str) -> Snooze:
    """The wake-up that `text` says; `now` is aware, `language` is the agent's (`it`, `en-US`).

    A day without a time means its opening (09:00 when closed), a time without a day its next occurrence, `later` three
    opening hours from now. UsageError names the word that was not understood, refuses the past (which is understood so
    that it can be refused as what it is: `yesterday 9`, `lunedì scorso`, `2 days ago`) and more than a year.
    """
    return _snooze(_Reading(text, calendar, now, language).until(), calendar, now, language)


def presets(calendar: Calendar, now: datetime, language: str) -> tuple[Preset, ...]:
    """Later today, tomorrow at opening, Monday at opening; what the calendar has not got is left out.

    Later today is offered while three opening hours are left; tomorrow and Monday mean the next opening from there on.
    """
    zone = load_zone(calendar.zone)
    today = now.astimezone(zone).date()
    later = deadline(calendar, now, LATER)
    tomorrow = next_opening(calendar, _midnight(calendar, today + timedelta(days=1)))
    monday = next_opening(calendar, _midnight(calendar, today + timedelta(days=7 - today.weekday())))
    offered = (
        ("later_today", N_("Later today"), later if later and later.astimezone(zone).date() == today else None),
        ("tomorrow", N_("Tomorrow at opening"), tomorrow),
        ("monday", N_("Monday at opening"), monday),
    )
    return tuple(
        Preset(name, title, _snooze(until, calendar, now, language))
        for name, title, until in offered
        if until is not None
    )


def describe(at: datetime, calendar: Calendar, now: datetime, language: str) -> str:
    """A time as an agent reads it: `tomorrow, 09:00`."""
    from supportdesk.l10n import format as localized

    zone = load_zone(calendar.zone)
    day = localized.relative_day(at.astimezone(zone).date(), now.astimezone(zone).date(), language)
    return f"{day}, {localized.time(at, language, zone)}"


def _snooze(until: datetime, calendar: Calendar, now: datetime, language: str) -> Snooze:
    zone = load_zone(calendar.zone)
    local, today = until.astimezone(zone), now.astimezone(zone)
    described = describe(until, calendar, now, language)
    if until <= now:
        raise UsageError(_("{time} is in the past").format(time=described))
    if local.date() > _another_year(today.date(), 1):
        raise UsageError(_("{time} is more than a year away").format(time=described))
    return Snooze(until, described)


def _another_year(day: date, step: int) -> date:
    is_leap_day = (day.month, day.day) == (2, 29)
    return date(day.year + step, 2, 28) if is_leap_day else day.replace(year=day.year + step)


def _midnight(calendar: Calendar, day: date) -> datetime:
    return at_wall(calendar.zone, datetime.combine(day, datetime.min.time()))


FILLERS: Final = frozenset(
    "alle all a ore h il lo la l i di del fra tra prossimo prossima at on in the next of this".split()
)
BEFORE_A_TIME: Final = frozenset("alle a all ore h at".split())
DAYS: Final = {
    "oggi": 0, "today": 0, "domani": 1, "tomorrow": 1, "tmr": 1, "dopodomani": 2,
    "ieri": -1, "yesterday": -1, "altroieri": -2, "stamattina": 0, "stamani": 0, "stamane": 0,
}  # fmt: skip
LASTS: Final = frozenset("last scorso scorsa scorsi scorse passato passata passati passate".split())
LONG_PAST: Final = {
    **dict.fromkeys(("week", "settimana"), timedelta(days=7)),
    **dict.fromkeys(("month", "mese"), timedelta(days=30)),
    **dict.fromkeys(("year", "anno"), timedelta(days=365)),
    **dict.fromkeys(("night", "notte"), timedelta(days=1)),
}
AGOS: Final = frozenset(("fa", "ago"))
NEXTS: Final = frozenset(("next", "prossima"))
LATERS: Final = frozenset(("later", "dopo", "tardi", "piu"))
NOONS: Final = frozenset(("mezzogiorno", "noon"))
LATE_PARTS: Final = {"pomeriggio": 14 * 60, "afternoon": 14 * 60, "sera": 18 * 60, "evening": 18 * 60}
EVENINGS: Final = frozenset(("stasera", "tonight"))
MORNINGS: Final = frozenset(("mattina", "mattino", "morning", "apertura", "opening"))
UNITS: Final = {
    **dict.fromkeys("min minuto minuti minute minutes".split(), timedelta(minutes=1)),
    **dict.fromkeys("h ora ore hour hours".split(), timedelta(hours=1)),
    **dict.fromkeys("g d gg giorno giorni day days".split(), timedelta(days=1)),
    **dict.fromkeys("w sett settimana settimane week weeks".split(), timedelta(weeks=1)),
}

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_ISO_TIME = re.compile(r"\d{4}-\d{2}-\d{2}t\d{2}:\d{2}\S*")
_DAY_MONTH = re.compile(r"(\d{1,2})([./])(\d{1,2})(?:\2(\d{4}|\d{2})?)?")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?(am|pm)?")
_AMOUNT = re.compile(r"(\d{1,4})([a-z]+)")
_WORD = re.compile(r"[^\s,;']+")


class _Reading:
    """One pass over the words; what it finds is a span from now, or a day and a time of day."""

    def __init__(self, text: str, calendar: Calendar, now: datetime, language: str) -> None:
        self.calendar, self.now, self.language = calendar, now, language
        self.local = now.astimezone(load_zone(calendar.zone))
        self.today = self.local.date()
        self.shown = _WORD.findall(text)
        self.words = [_fold(word) for word in self.shown]
        self.at = 0
        self.span: timedelta | None = None
        self.exact = False  # the span has hours or minutes: counted on the clock, not on the wall
        self.day: date | None = None
        self.weekday: int | None = None
        self.minute: int | None = None
        self.part: int | None = None
        self.moment: datetime | None = None
        self.past = False  # what was said lies behind: `lunedì scorso`, `2 days ago`
        while self.at < len(self.words):
            self._read()

    def until(self) -> datetime:
        if self.moment is not None:
            return self.moment
        minute = self._minute_of_day()
        if self.span is not None:
            span = -self.span if self.past else self.span
            if self.exact:
                return self.now + span
            day = self.today + span
            if minute is None:
                return at_wall(self.calendar.zone, datetime.combine(day, self.local.time()))
            return self._wall(day, minute)
        if self.weekday is not None:
            ahead = (self.weekday - self.today.weekday()) % 7
            if ahead == 0 and (minute is None or self._wall(self.today, minute) <= self.now):
                ahead = 7
            if self.past:
                ahead = -((self.today.weekday() - self.weekday) % 7 or 7)
            return self._wall(self.today + timedelta(days=ahead), minute)
        if self.day is not None:
            is_behind = self.past and self.day > self.today
            return self._wall(_another_year(self.day, -1) if is_behind else self.day, minute)
        if minute is not None:
            today = self._wall(self.today, minute)
            return today if today > self.now else self._wall(self.today + timedelta(days=1), minute)
        raise UsageError(_("When should it come back?"), hint=_(EXAMPLES))

    def _minute_of_day(self) -> int | None:
        """The time of day; a part of the day says which eight ("alle 8 di sera"), or stands alone ("domani sera")."""
        if self.part is None:
            return self.minute
        if self.minute is None:
            return self.part
        return self.minute + 720 if self.minute < 720 else self.minute

    def _wall(self, day: date, minute: int | None) -> datetime:
        if minute is None:
            intervals = hours_of(self.calendar, day).intervals
            minute = intervals[0][0] if intervals and intervals[0] != (0, 1440) else WHEN_CLOSED
        return at_wall(self.calendar.zone, datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute))

    def _read(self) -> None:
        if self.moment is not None:
            self._refuse()
        word = self.words[self.at]
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ""
        before = self.words[self.at - 1] if self.at else ""
        if word.isdecimal() and len(word) <= 4:
            self._read_number(int(word), following, before)
        elif word[0].isdecimal():
            self._read_figures(word, following)
        else:
            self._read_name(word, following)
        self.at += 1

    def _read_number(self, number: int, following: str, before: str) -> None:
        if following in UNITS:
            self._set_span(number, UNITS[following])
            self.at += 1
        elif following in ("am", "pm"):
            self._set_clock(number, 0, following)
            self.at += 1
        elif self._month(following) and self.day is None:
            self.at += 1
            self._set_date(number, self._month(following), self._year())
        elif self._has_day() or before in BEFORE_A_TIME:
            self._set_clock(number, 0, "")
        else:
            self._refuse(_("{word} is no time: {word}:00 is one, and #{word} names a ticket"))

    def _read_figures(self, word: str, following: str) -> None:
        if match := _ISO.fullmatch(word):
            self._set_date(int(match[3]), int(match[2]), int(match[1]))
        elif _ISO_TIME.fullmatch(word):
            self._set_moment(word)
        elif (amount := _AMOUNT.fullmatch(word)) and amount[2] in UNITS:
            self._set_span(int(amount[1]), UNITS[amount[2]])
        elif not self._has_day() and (match := _DAY_MONTH.fullmatch(word)) and self._is_date(match):
            day, month = self._day_and_month(match)
            year = int(match[4]) if match[4] else None
            self._set_date(day, month, year + 2000 if year is not None and year < 100 else year)
        elif word.endswith(".") and word[:-1].isdecimal() and self._month(following):
            self._read_number(int(word[:-1]), following, "")
        elif clock := _CLOCK.fullmatch(word):
            half = clock[3] or (following if following in ("am", "pm") else "")
            self.at += half != "" and not clock[3]
            self._set_clock(int(clock[1]), int(clock[2] or 0), half)
        else:
            self._refuse()

    def _read_name(self, word: str, following: str) -> None:
        if word in DAYS:
            self._set_day(self.today + timedelta(days=DAYS[word]))
        elif (word, following) == ("altro", "ieri"):
            self.at += 1
            self._set_day(self.today - timedelta(days=2))
        elif word in EVENINGS:
            self._set_day(self.today)
            self.part = LATE_PARTS["sera"]
        elif word in LASTS or (word in AGOS and self.span is not None):
            self.past = True
        elif word in LATERS:
            self._set_later(following)
        elif word in NOONS:
            self._set_minute(720)
        elif word in LATE_PARTS and not self.exact:
            self.part = LATE_PARTS[word]
        elif word in MORNINGS and self._has_day():
            pass  # its opening is what a day without a time means
        elif word in ("week", "settimana") and NEXTS & self._beside():
            self._set_day(self.today + timedelta(days=7 - self.today.weekday()))
        elif word in LONG_PAST and LASTS & self._beside():
            self._set_day(self.today - LONG_PAST[word])
        elif word not in FILLERS and not self._read_weekday_or_month(word, following.rstrip(".")):
            self._refuse()

    def _beside(self) -> set[str]:
        """The words around this one."""
        return {*self.words[max(0, self.at - 1) : self.at + 2]}

    def _read_weekday_or_month(self, word: str, following: str) -> bool:
        # "mar 3" is Tuesday at three in Italian and the third of March in English: the agent's language is asked first.
        for tag in dict.fromkeys((self.language, "it", "en")):
            weekday, month = _named(word, tag, "days"), _named(word, tag, "months")
            if weekday is not None:
                self._set_weekday(weekday)
                return True
            if month is not None and following.isdecimal():
                self.at += 1
                self._set_date(int(following), month, self._year())
                return True
        return False

    def _month(self, word: str) -> int:
        """The number of the month, or 0."""
        tags = dict.fromkeys((self.language, "it", "en"))
        return next((month for tag in tags if (month := _named(word, tag, "months"))), 0)

    def _year(self) -> int | None:
        """A four-digit year behind day and month, if there is one."""
        following = self.words[self.at + 1] if self.at + 1 < len(self.words) else ""
        if len(following) == 4 and following.isdecimal():
            self.at += 1
            return int(following)
        return None

    def _day_and_month(self, match: re.Match[str]) -> tuple[int, int]:
        first, second = int(match[1]), int(match[3])
        month_first = match[2] == "/" and self.language.replace("_", "-").casefold() == "en-us"
        return (second, first) if month_first else (first, second)

    def _is_date(self, match: re.Match[str]) -> bool:
        # 9.30 is half past nine where there is no thirtieth month; 20/13 is a date with a slip, and refused as one.
        return match[2] == "/" or match[0].endswith(".") or 1 <= self._day_and_month(match)[1] <= 12

    def _has_day(self) -> bool:
        return self.day is not None or self.weekday is not None or self.span is not None

    def _set_date(self, day: int, month: int, year: int | None) -> None:
        try:
            found = date(year if year is not None else self.today.year, month, day)
            if year is None and found < self.today:
                found = found.replace(year=found.year + 1)
        except ValueError:
            self._refuse(_("there is no such day: {word}"))
        self._set_day(found)

    def _set_day(self, day: date) -> None:
        another_weekday = self.weekday is not None and self.weekday != day.weekday()
        if self.day is not None or self.span is not None or another_weekday:
            self._refuse(_("a second day: {word}"))
        if not -1 <= day.year - self.today.year <= 1:
            self._refuse(_("more than a year away: {word}"))
        self.day, self.weekday = day, None

    def _set_weekday(self, weekday: int) -> None:
        if self.day is not None and self.day.weekday() == weekday:
            return
        if self._has_day():
            self._refuse(_("a second day: {word}"))
        self.weekday = weekday

    def _set_span(self, number: int, unit: timedelta) -> None:
        if self.day is not None or self.weekday is not None:
            self._refuse(_("a second day: {word}"))
        self.span = number * unit + (self.span or timedelta())
        self.exact = self.exact or unit < timedelta(days=1)
        if self.span > timedelta(days=366):
            self._refuse(_("more than a year away: {word}"))

    def _set_clock(self, hour: int, minute: int, half: str) -> None:
        if half:
            if not 1 <= hour <= 12:
                self._refuse(_("there is no such time: {word}"))
            hour = hour % 12 + (12 if half == "pm" else 0)
        if hour > 23 or minute > 59:
            self._refuse(_("there is no such time: {word}"))
        self._set_minute(hour * 60 + minute)

    def _set_minute(self, minute: int) -> None:
        if self.minute is not None:
            self._refuse(_("a second time: {word}"))
        if self.exact:
            self._refuse()
        self.minute = minute

    def _set_later(self, following: str) -> None:
        if self._has_day() or (self.words[self.at] == "piu" and following != "tardi"):
            self._refuse()
        self.at += following == "tardi"
        self.at += self.words[self.at + 1 : self.at + 2] in (["today"], ["oggi"])
        self.moment = deadline(self.calendar, self.now, LATER) or self.now + timedelta(seconds=LATER)

    def _set_moment(self, word: str) -> None:
        try:
            found = datetime.fromisoformat(word.upper())
        except ValueError:
            self._refuse(_("there is no such time: {word}"))
        self._set_day(found.date())
        self.moment = found.astimezone(UTC) if found.tzinfo is not None else at_wall(self.calendar.zone, found)

    def _refuse(self, message: str = "") -> NoReturn:
        at = min(self.at, len(self.shown) - 1)
        raise UsageError(
            (message or _("not understood: {word}")).format(word=self.shown[at]),
            hint=_(EXAMPLES),
        )


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _named(word: str, language: str, what: str) -> int | None:
    """The weekday (0 is Monday) or month (1 is January) that a name, or three or more of its first letters, mean."""
    word, names = word.rstrip("."), _names(language, what)
    if word in names:
        return names[word]
    found = {number for name, number in names.items() if len(word) >= 3 and name.startswith(word)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=32)
def _names(language: str, what: str) -> dict[str, int]:
    from supportdesk.l10n.format import babel_locale

    table = getattr(babel_locale(language), what)
    return {
        _fold(name).rstrip("."): number
        for width in ("wide", "abbreviated")
        for form in ("format", "stand-alone")
        for number, name in table[form].get(width, {}).items()
    }
