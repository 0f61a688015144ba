"""What an agent types into a field, read by the rules of the agent's own locale: `49,90`, `30/12/2026`, `domani`.

A reading that is not certain is a ValueError in the agent's words, never a guess: the value goes to a customer.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from decimal import Decimal
from typing import Final

from supportdesk.l10n import format as localized
from supportdesk.l10n.catalog import _
from supportdesk.l10n.format import Money, babel_locale, minor_digits
from supportdesk.textfold import fold

_CURRENCY_SIGNS: Final = {
    "€": "EUR",
    "£": "GBP",
    "zł": "PLN",
    "kč": "CZK",
    "ft": "HUF",
    "₽": "RUB",
    "₴": "UAH",
    "₺": "TRY",
}
_YEAR_FIRST: Final = re.compile(r"(\d{2}|\d{4})[./\- ]+(\d{1,2})[./\- ]+(\d{1,2})\.?")
_YEAR_LAST: Final = re.compile(r"(\d{1,2})([./\- ]+)(\d{1,2})(?:[./\- ]+(\d{2}|\d{4}))?\.?")


def read_number(text: str, locale: str) -> Decimal:
    """`1.234,5` in Italian, `1,234.5` in English; grouping must be regular, so that `49.90` is never read as 4990."""
    from babel.numbers import NumberFormatError, get_group_symbol, parse_decimal

    found = babel_locale(locale)
    group = get_group_symbol(found)
    typed = _plain(text).replace(" ", group) if group.isspace() else _plain(text)
    try:
        value = parse_decimal(typed, locale=found, strict=True)
    except NumberFormatError:
        value = None
    if value is None or not value.is_finite():
        raise ValueError(_("“{text}” is not a number as it is written here").format(text=text.strip()))
    return value


def read_money(text: str, locale: str, currency: str) -> Money:
    """`49,90`, `49,90 €`, `EUR 49,90`; without a sign or code the given currency. ValueError for too many decimals."""
    typed = _plain(text)
    match = re.fullmatch(
        r"(?P<before>[^\d\s.,+-]{1,3})?\s*(?P<amount>[+-]?[\d.,'’\s]+?)\s*(?P<after>[^\d\s.,]{1,3})?", typed
    )
    if match is None or (match["before"] and match["after"]):
        raise ValueError(_("“{text}” is not an amount of money").format(text=text.strip()))
    sign = match["before"] or match["after"] or currency
    code = _CURRENCY_SIGNS.get(sign.lower(), sign.upper())
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise ValueError(_("“{sign}” can be several currencies: write its three letters").format(sign=sign))
    minor = read_number(match["amount"], locale).scaleb(minor_digits(code))
    if minor != minor.to_integral_value():
        raise ValueError(_("“{text}” has more decimals than {currency} has").format(text=text.strip(), currency=code))
    return Money(int(minor), code)


def read_date(text: str, locale: str, today: dt.date) -> dt.date:
    """`2026-12-30`, the order of the locale (`30/12/2026`, `12/30/2026`), a month's name (`30 dicembre`), a weekday
    (`lunedì`: the next one), `domani`, or days from today (`+3`).

    With dots the day stands before the month (`30.12.`, `30.12.2026`) also where slashes put the month first; a number
    of four digits is the year. Without a year it is the next such day from `today` on, or one of the last 60 days.
    """
    typed = _plain(text).casefold()
    if (named := _by_day_name(typed, locale, today)) is not None:
        return named
    if (days := re.fullmatch(r"\+(\d{1,3})", typed)) is not None:
        return today + dt.timedelta(days=int(days[1]))
    if (day := _by_numbers(typed, locale, today, text)) is not None:
        return day
    return _by_month_name(typed, locale, today, text)


def _by_numbers(typed: str, locale: str, today: dt.date, text: str) -> dt.date | None:
    order = _date_order(locale)
    year_first = _YEAR_FIRST.fullmatch(typed)
    if year_first is not None and (order == "yMd" or len(year_first[1]) == 4):
        return _with_year(int(year_first[3]), int(year_first[2]), year_first[1], today, text)
    if (found := _YEAR_LAST.fullmatch(typed)) is None:
        return None
    first, separator, second, year = found.groups()
    month_first = order == "yMd" or (order == "Mdy" and not separator.startswith("."))
    day, month = (second, first) if month_first else (first, second)
    return _with_year(int(day), int(month), year, today, text)


def _by_day_name(typed: str, locale: str, today: dt.date) -> dt.date | None:
    """`domani`, `lunedì`: never today's weekday, which could be meant for a week later."""
    word = fold(typed.rstrip("."))
    for distance in (-1, 0, 1):
        day = today + dt.timedelta(days=distance)
        if word == fold(localized.relative_day(day, today, locale).casefold()):
            return day
    weekday = _weekdays(locale).get(word)
    if weekday is None or weekday == today.weekday():
        return None
    return today + dt.timedelta(days=(weekday - today.weekday()) % 7)


def _by_month_name(typed: str, locale: str, today: dt.date, text: str) -> dt.date:
    words = re.findall(r"\d+|[^\W\d_]+", typed)
    digits = [word for word in words if word.isdigit()]
    months = [month for word in words if (month := _months(locale).get(word.rstrip(".")))]
    if len(months) != 1 or not 1 <= len(digits) <= 2:
        near = today + dt.timedelta(days=1)
        raise ValueError(
            _("“{text}” is no date; one is {date}, “{tomorrow}” or +3").format(
                text=text.strip(),
                date=localized.date(near, locale, style="short"),
                tomorrow=localized.relative_day(near, today, locale),
            )
        )
    day = _with_year(int(digits[0]), months[0], digits[1] if len(digits) == 2 else None, today, text)
    named = [weekday for word in words if (weekday := _weekdays(locale).get(fold(word))) is not None]
    if named and day.weekday() not in named:
        said = localized.date(day, locale, style="full")
        raise ValueError(_("“{text}” is not that weekday: {date}").format(text=text.strip(), date=said))
    return day


def _with_year(day: int, month: int, year: str | None, today: dt.date, text: str) -> dt.date:
    if year is not None:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day, text)
    this_year = _day(today.year, month, day, text)
    return this_year if this_year >= today - dt.timedelta(days=60) else _day(today.year + 1, month, day, text)


def _day(year: int, month: int, day: int, text: str) -> dt.date:
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError(_("There is no such day: “{text}”").format(text=text.strip())) from None


def _date_order(locale: str) -> str:
    """`dMy`, `Mdy` or `yMd`: the order of the locale's short date."""
    pattern = str(babel_locale(locale).date_formats["short"].pattern)
    return "".join(dict.fromkeys(char for char in pattern if char in "dMy"))


def _months(locale: str) -> dict[str, int]:
    found = babel_locale(locale)
    return {
        str(name).casefold().rstrip("."): number
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in found.months[context][width].items()
    }


def _weekdays(locale: str) -> dict[str, int]:
    """0 is Monday. A name that is a month's too is none."""
    found = babel_locale(locale)
    names = {
        fold(str(name).casefold().rstrip(".")): number
        for width in ("wide", "abbreviated")
        for number, name in found.days["format"][width].items()
    }
    return {name: number for name, number in names.items() if name not in _months(locale)}


def _plain(text: str) -> str:
    """Full-width digits and no-break spaces as a keyboard would type them."""
    return " ".join(unicodedata.normalize("NFKC", text).split())
