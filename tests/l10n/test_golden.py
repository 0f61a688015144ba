"""The golden file is what the code shows, and what CLDR's raw patterns say when they are filled in by hand.

The oracle below knows nothing of babel's formatting: it reads patterns, symbols and names out of the locale data and
puts them together itself (UTS 35 parts 3 and 4).
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
from babel import Locale

from supportdesk.l10n.format import minor_digits
from tests.l10n import golden

LINES = [line.split("\t") for line in golden.FILE.read_text(encoding="utf-8").splitlines()]
SHOWN = {(locale, what): text for locale, what, text in LINES}


def test_the_file_is_what_is_shown_now():
    assert golden.FILE.read_text(encoding="utf-8") == golden.text(), "read what changed, then: --write"


def test_forty_locales_are_in_it():
    assert len({locale for locale, *_ in LINES}) == len(golden.LOCALES) == 40


@pytest.mark.parametrize("locale", golden.LOCALES)
def test_every_value_is_what_the_raw_data_of_cldr_says(locale):
    oracle = dict(expected(Locale.parse(locale, sep="-")))
    assert len(oracle) == 30
    differing = {what: (SHOWN[locale, what], golden.visible(text)) for what, text in oracle.items()}
    assert not {what: pair for what, pair in differing.items() if pair[0] != pair[1]}


def expected(locale):
    data = locale._data
    symbols = data["number_symbols"]["latn"]
    for amount in golden.MONEY:
        digits = minor_digits(amount.currency)
        value = Decimal(amount.minor).scaleb(-digits)
        pattern, _, negative = data["currency_formats"]["standard"].pattern.partition(";")
        minus = symbols.get("minusSign", "-")
        sign = minus if value < 0 and not negative else ""
        if value < 0 and negative:
            pattern = negative.replace("-", minus)
        symbol = data["currency_symbols"].get(amount.currency, amount.currency)
        body = number(abs(value), pattern, symbols, digits, currency=True)
        text = body.replace("¤", symbol)
        text = re.sub(r"(?<=[A-Z]{3})(?=\d)", "\u00a0", text)
        yield f"money {amount.minor} {amount.currency}", _signed(text, sign)
    decimal = data["decimal_formats"][None].pattern
    yield "number 1234567.891", number(Decimal("1234567.891"), decimal, symbols, 3)
    percent = data["percent_formats"][None].pattern
    yield "percent 0.225", re.sub("%", symbols.get("percentSign", "%"), number(Decimal("22.5"), percent, symbols, 1))
    for style in ("short", "medium", "long", "full"):
        yield f"date {style}", fill(data["date_formats"][style].pattern, locale, golden.DAY)
    yield "date MMMMEEEEd", fill(_with_weekday_and_month(data), locale, golden.DAY)
    # With the year it is the full date: some skeletons have a number for the month.
    full = data["date_formats"]["full"].pattern
    yield "date yMMMMEEEEd", fill(full, locale, golden.DAY)
    for days in (3, 200):
        day = golden.DAY + dt.timedelta(days=days)
        shown = _with_weekday_and_month(data) if day.year == golden.DAY.year else full
        yield f"relative {days:+d}", fill(shown, locale, day)
    yield "list 1", "A"
    for moment in golden.TIMES:
        # Rome by hand: UTC+1 until 2026-03-29 01:00Z and from 2026-10-25 01:00Z, else UTC+2.
        summer = "2026-03-29T01:00" <= f"{moment:%Y-%m-%dT%H:%M}" < "2026-10-25T01:00"
        local = moment + dt.timedelta(hours=2 if summer else 1)
        yield f"time {moment:%Y-%m-%dT%H:%MZ}", fill(data["time_formats"]["short"].pattern, locale, local)
    plural = _one if str(locale) == "pt_PT" else PLURALS[locale.language]
    yield "plurals", " ".join(f"{count}={plural(count)}" for count in golden.COUNTS)
    two, three = data["list_patterns"]["standard"]["2"], data["list_patterns"]["standard"]
    yield "list 2", two.format("A", "B")
    yield "list 3", three["start"].format("A", three["end"].format("B", "C"))
    either = data["list_patterns"]["or"]
    yield "list or", either["start"].format("A", either["end"].format("B", "C"))
    for name, count in golden.UNITS:
        kind = {"kilogram": "mass", "centimeter": "length", "day": "duration"}[name]
        lengths = data["unit_patterns"][f"{kind}-{name}"]
        category = plural(Decimal(count))
        found = next(
            lengths[length][wanted]
            for wanted in (category, "other")
            for length in ("long", "short", "narrow")
            if wanted in lengths.get(length, {})
        )
        yield f"unit {count} {name}", found.replace("{0}", str(count))


def _with_weekday_and_month(data):
    """The nearest available skeleton for weekday, month and day, its names written out (UTS 35 part 4)."""
    skeletons = data["datetime_skeletons"]
    pattern = next(
        skeletons[key].pattern for key in ("MMMMEEEEd", "MMMEEEEd", "MMMMEd", "MMMEd", "MEd") if key in skeletons
    )
    pieces = re.split(r"('[^']*')", pattern)
    return "".join(
        piece if piece.startswith("'") else re.sub(r"([Ec])\1*", r"\1" * 4, re.sub(r"([ML])\1{2,}", r"\1" * 4, piece))
        for piece in pieces
    )


def _signed(text, sign):
    """A direction mark stays in front of the minus sign."""
    marks = text[: len(text) - len(text.lstrip("\u200e\u200f"))]
    return marks + sign + text[len(marks) :] if sign else text


def number(value, pattern, symbols, digits, *, currency=False):
    body = "".join(re.findall(r"[#0,.]+", pattern))
    whole, _, fraction = f"{value:.{digits}f}".partition(".")
    groups = [len(part) for part in body.split(".")[0].split(",")[1:]]
    if groups:
        out: list[str] = []
        rest, size = whole, groups[-1]
        while len(rest) > size:
            out.insert(0, rest[-size:])
            rest = rest[:-size]
            size = groups[-2] if len(groups) > 1 else size
        whole = symbols["group"].join([rest, *out])
    separator = symbols["decimal"]
    if currency:
        separator = symbols.get("currencyDecimal", separator)
    text = whole + (separator + fraction if fraction else "")
    return pattern.replace(body, text)


def fill(pattern, locale, when):
    """A CLDR date or time pattern with its fields filled in from the names of the locale."""
    data = locale._data

    def field(match):
        run = match[0]
        if run.startswith("'"):
            return run.strip("'") or "'"
        letter, width = run[0], len(run)
        names = {3: "abbreviated", 4: "wide", 5: "narrow"}
        kind = "stand-alone" if letter in "Lc" else "format"
        if letter in "ML":
            return str(when.month).zfill(width) if width < 3 else _named(data["months"], kind, names[width], when.month)
        if letter in "Ec":
            return _named(data["days"], kind, names[max(width, 3)], when.weekday())
        if letter == "a":
            half = "am" if when.hour < 12 else "pm"
            periods = data["day_periods"]["format"]
            return next(periods[w][half] for w in ("wide", "abbreviated") if half in periods.get(w, {}))
        value = {
            "y": lambda: when.year % 100 if width == 2 else when.year,
            "d": lambda: when.day,
            "H": lambda: when.hour,
            "h": lambda: (when.hour - 1) % 12 + 1,
            "m": lambda: when.minute,
        }[letter]()
        return str(value).zfill(width)

    return re.sub(r"'[^']*'|([A-Za-z])\1*", field, pattern)


def _named(table, kind, width, index):
    """A name in its context; stand-alone names that a locale leaves out are those of running text."""
    for context in (kind, "format"):
        found = table.get(context, {}).get(width, {})
        if index in found:
            return found[index]
    raise LookupError(f"no {width} name {index}")


def _east_slavic(n):
    if n != int(n):
        return "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def _south_slavic(n):
    """Croatian: 21 is one, 1.5 by its decimals (5: other)."""
    return {"one": "one", "few": "few"}.get(_east_slavic(n), "other")


def _west_slavic(n):
    if n != int(n):
        return "many"
    return "one" if n == 1 else "few" if 2 <= n <= 4 else "other"


def _one(n):
    return "one" if n == 1 else "other"


# Plural rules of CLDR (plurals.xml), written anew from the rules as text.
PLURALS = {
    **dict.fromkeys(("it", "en", "de", "es", "nl", "hu", "bg", "el", "tr", "sv", "no", "fi", "et"), _one),
    **dict.fromkeys(("ja", "zh", "ko"), lambda _n: "other"),
    **dict.fromkeys(("ru", "uk"), _east_slavic),
    **dict.fromkeys(("cs", "sk"), _west_slavic),
    "fr": lambda n: "one" if int(n) in (0, 1) else "other",
    "pt": lambda n: "one" if int(n) in (0, 1) else "other",
    "da": lambda n: "one" if n == 1 or (n != int(n) and int(n) in (0, 1)) else "other",
    "pl": lambda n: "other" if n != int(n) else "one" if n == 1 else "few" if _east_slavic(n) == "few" else "many",
    "ro": lambda n: "one" if n == 1 else "few" if n != int(n) or n == 0 or 1 <= n % 100 <= 19 else "other",
    "hr": _south_slavic,
    "sl": lambda n: "few" if n != int(n) else {1: "one", 2: "two", 3: "few", 4: "few"}.get(int(n % 100), "other"),
    "lt": lambda n: (
        "many"
        if n != int(n)
        else "one"
        if n % 10 == 1 and not 11 <= n % 100 <= 19
        else "few"
        if 2 <= n % 10 <= 9 and not 11 <= n % 100 <= 19
        else "other"
    ),
    "lv": lambda n: (
        "other" if n != int(n) else "zero" if n % 10 == 0 or 11 <= n % 100 <= 19 else "one" if n % 10 == 1 else "other"
    ),
    "ar": lambda n: (
        "other"
        if n != int(n)
        else {0: "zero", 1: "one", 2: "two"}.get(int(n))
        or ("few" if 3 <= n % 100 <= 10 else "many" if 11 <= n % 100 <= 99 else "other")
    ),
    "he": lambda n: "one" if n == 1 or (n != int(n) and int(n) == 0) else "two" if n == 2 else "other",
}
