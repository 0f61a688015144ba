"""Opening hours and days as people write them: `mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00`, `10/8..21/8`.

Days are understood in English, Italian, German, French and Spanish, by their first letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import cast

from supportdesk.desk.calendar import MINUTES_OF_A_DAY, WEEKDAYS, Interval, Week
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

EXAMPLE = "mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00"
_DAYS = (
    ("mon", "lun", "mo"),
    ("tue", "mar", "die", "di"),
    ("wed", "mer", "mie", "mit", "mi"),
    ("thu", "gio", "jeu", "jue", "don", "do"),
    ("fri", "ven", "vie", "fre", "fr"),
    ("sat", "sab", "sam", "sa"),
    ("sun", "dom", "dim", "son", "so"),
)
_INTERVAL = re.compile(r"(\d{1,2})(?:[:.h](\d{2})|h)?[-–](\d{1,2})(?:[:.h](\d{2})|h)?")


def read_week(text: str) -> Week:
    """The week; days that are not named are closed. `always` is every hour. Raises UsageError with an example."""
    if text.strip().casefold() in ("always", "24/7", "sempre"):
        whole: tuple[Interval, ...] = ((0, MINUTES_OF_A_DAY),)
        return (whole,) * 7
    days: list[tuple[Interval, ...]] = [()] * 7
    for part in re.split(r"[;\n]", text):
        words = re.sub(r"\s*[-–]\s*", "-", part).replace(",", " ").split()
        names = [word for word in words if not word[0].isdigit()]
        spans = [word for word in words if word[0].isdigit()]
        if not words:
            continue
        if not names or not spans:
            raise _not_understood(part)
        intervals = tuple(_interval(word) for word in spans)
        for name in names:
            for day in _day_range(name):
                days[day] = intervals
    if not any(days):
        raise _not_understood(text)
    return cast(Week, tuple(days))


def write_week(week: Week, language: str = "en") -> str:
    """The same as `read_week` reads, days with the same hours together; the days' names in English or Italian."""
    italian = language.partition("-")[0] == "it"
    day_names = [names[1] for names in _DAYS] if italian else WEEKDAYS
    if all(day == ((0, MINUTES_OF_A_DAY),) for day in week):
        return "sempre" if italian else "always"
    parts: list[str] = []
    first = 0
    while first < 7:
        last = first
        while last + 1 < 7 and week[last + 1] == week[first]:
            last += 1
        if week[first]:
            names = day_names[first] if first == last else f"{day_names[first]}-{day_names[last]}"
            parts.append(f"{names} {write_intervals(week[first])}")
        first = last + 1
    return "; ".join(parts)


def read_intervals(text: str) -> tuple[Interval, ...]:
    """The hours of one day: `9-13 15-19`. Raises UsageError with an example."""
    found = tuple(sorted(_interval(word) for word in re.sub(r"\s*[-–]\s*", "-", text).replace(",", " ").split()))
    if not found:
        raise _not_understood(text)
    return found


def write_intervals(intervals: Sequence[Interval]) -> str:
    """`9:00-13:00 15:00-19:00`."""
    return " ".join(f"{a // 60}:{a % 60:02d}-{b // 60}:{b % 60:02d}" for a, b in intervals)


def read_days(text: str, language: str, today: date) -> tuple[date, date]:
    """First and last day of `2026-08-10..2026-08-21` or `24 dic`, in the agent's language. Raises UsageError."""
    from supportdesk.l10n.inputs import read_date

    first, dots, last = text.partition("..")
    try:
        begins = read_date(first.strip(), language, today)
        return begins, read_date(last.strip(), language, begins) if dots else begins
    except ValueError as error:
        raise UsageError(
            _("{text} is no day").format(text=repr(text)), hint="2026-12-24, 2026-08-10..2026-08-21"
        ) from error


def _day_range(word: str) -> list[int]:
    first, dash, last = word.partition("-")
    start = _day(first)
    if not dash:
        return [start]
    end = _day(last)
    return [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]


def _day(word: str) -> int:
    plain = "".join(
        char for char in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(char)
    ).rstrip(".")
    for number, names in enumerate(_DAYS):
        if any(plain == name or (len(name) == 3 and plain.startswith(name)) for name in names):
            return number
    raise UsageError(_("{word} is no day of the week").format(word=word), hint=EXAMPLE)


def _interval(word: str) -> Interval:
    match = _INTERVAL.fullmatch(word)
    if match is None:
        raise _not_understood(word)
    opens = int(match[1]) * 60 + int(match[2] or 0)
    closes = int(match[3]) * 60 + int(match[4] or 0)
    if not 0 <= opens < closes <= MINUTES_OF_A_DAY or int(match[2] or 0) > 59 or int(match[4] or 0) > 59:
        raise UsageError(_("{word}: must begin before it ends, within one day").format(word=word), hint=EXAMPLE)
    return opens, closes


def _not_understood(text: str) -> UsageError:
    return UsageError(_("{text} are no opening hours").format(text=repr(text.strip())), hint=EXAMPLE)
