"""Date fields, leniently (RFC 5322 3.3 with its obsolete forms): a scan for day, month, year, time and zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)} | {
    "mai": 5, "okt": 10, "dez": 12, "mär": 3, "gen": 1, "mag": 5, "giu": 6, "lug": 7, "ago": 8, "set": 9, "ott": 10,
    "dic": 12, "ene": 1, "abr": 4,
    "fév": 2, "avr": 4, "aoû": 8, "déc": 12, "out": 10, "fev": 2,
}  # fmt: skip
_ZONES = {"ut": 0, "gmt": 0, "utc": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6,
"pst": -8, "pdt": -7, "bst": 1, "cet": 1, "met": 1,
          "cest": 2, "mest": 2, "eet": 2, "eest": 3, "msk": 3, "jst": 9, "ist": 5.5, "west": 1, "wet": 0, "akst": -9,
          "akdt": -8, "hst": -10}  # fmt: skip
_USUAL = re.compile(
    r"\s*(?:[^\W\d]{2,12}\.?,?\s{0,4})?(\d{1,2})[\s-]{1,4}([^\W\d]{3,"
    r"12})\.?,?[\s-]{1,4}(\d{2,4}),?\s{1,4}(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,"
    r"2}))?(?:[.,]\d{1,9})?"
    r"\s{0,4}([AaPp][Mm]\b)?\s{0,4}(?:([+-]\s?\d{1,2}:?\d{2})|\(?\"?([A-Za-z]{1,5})\b)?"
)
_ASCTIME = re.compile(
    r"\s*(?:[A-Za-z]{3,9},?\s{1,4})?([A-Za-z]{3,9})\s{1,4}(\d{1,2}),"
    r"?\s{1,4}(\d{1,2}):(\d{2})(?::(\d{2}))?\s{1,4}(?:([A-Za-z]{1,"
    r"5}|[+-]\d{4})\s{1,4})?(\d{4})"
)
_AMERICAN = re.compile(
    r"\s*(?:[A-Za-z]{3,9},?\s{1,4})?([A-Za-z]{3,9})\s{1,4}(\d{1,2}),"
    r"\s{1,4}(\d{4})\s{1,4}(\d{1,2}):(\d{2})(?::(\d{2}))?\s{0,4}([AaPp][Mm])?"
)
_ISO = re.compile(
    r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T\s]{1,4}(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[.,"
    r"]\d{1,9})?\s{0,4}(?:([+-]\d{2}:?\d{2})|([A-Za-z]{1,4})\b)?"
)


def parse_date(value: str) -> datetime | None:
    """The aware UTC time that a Date field means, or None when nothing sensible is in it; no zone means UTC."""
    value = value[:200]
    if match := _USUAL.match(value):
        day, month_name, year, hour, minute, second, half, offset, zone = match.groups()
        month = _month(month_name)
        clock = int(hour) % 12 + 12 * (half.lower() == "pm") if half and int(hour) <= 12 else int(hour)
        return _build(_full_year(year), month, int(day), clock, int(minute), int(second or 0), offset, zone)
    if match := _ISO.match(value):
        year, number, day, hour, minute, second, offset, zone = match.groups()
        return _build(int(year), int(number), int(day), int(hour), int(minute), int(second or 0), offset, zone)
    if match := _ASCTIME.match(value):
        month_name, day, hour, minute, second, zone, year = match.groups()
        numeric = zone if zone and zone[0] in "+-" else None
        return _build(
            int(year),
            _month(month_name),
            int(day),
            int(hour),
            int(minute),
            int(second or 0),
            numeric,
            None if numeric else zone,
        )
    if match := _AMERICAN.match(value):
        month_name, day, year, hour, minute, second, half = match.groups()
        clock = int(hour) % 12 + 12 * (half.lower() == "pm") if half else int(hour)
        return _build(int(year), _month(month_name), int(day), clock, int(minute), int(second or 0), None, None)
    return None


def _month(name: str) -> int:
    return _MONTHS.get(name[:3].lower(), 0)


def _full_year(text: str) -> int:
    """RFC 5322 4.3: two digits are 1950 to 2049, three digits count from 1900."""
    year = int(text)
    if len(text) >= 4:
        return year
    return year + (2000 if year < 50 else 1900) if len(text) == 2 else year + 1900


def _build(
    year: int, month: int, day: int, hour: int, minute: int, second: int, offset: str | None, zone: str | None
) -> datetime | None:
    minutes = 0
    if offset:
        digits = offset[1:].replace(":", "").strip().zfill(4)
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        if minutes >= 24 * 60:
            minutes = 0
        if offset[0] == "-":
            minutes = -minutes
    elif zone:
        minutes = int(_ZONES.get(zone.lower(), 0) * 60)
    try:
        # A leap second is real, and datetime has none.
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - timedelta(minutes=minutes)
    except (ValueError, OverflowError):
        return None
