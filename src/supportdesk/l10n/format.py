"""Values as the customer reads them: money, numbers, dates, times, lists, plurals, by CLDR through babel.

Every function takes a locale tag (`it`, `de-AT`, `de-AT@formal`: the register does not matter here) and, where time is
shown, a zone. The output holds CLDR's no-break spaces (U+00A0, U+202F) and direction marks: keep them in mail,
normalise them in search and tests. babel is imported on first use. Names and greetings are in `l10n.names`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, get_args
from zoneinfo import ZoneInfo

from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import LocaleTag, canonical_language

if TYPE_CHECKING:
    from babel import Locale

DateStyle = Literal["short", "medium", "long", "full"]
ListStyle = Literal["standard", "or", "unit"]
DATE_STYLES: Final[tuple[DateStyle, ...]] = ("short", "medium", "long", "full")
_SKELETON: Final = re.compile(r"[yMdEHhjm]{2,16}|[yMdE]")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units of an ISO 4217 currency: `Money(4990, "EUR")` is 49.90 €, `Money(500, "JPY")` 500 ¥."""

    minor: int
    currency: str


def money(value: Money, locale: str) -> str:
    """`1.234,50 €` for it, `€1,234.50` for en. Never rounds: what CLDR would cut is shown (10.50 RSD stays 10.50)."""
    from babel.numbers import format_currency, get_currency_precision, is_currency

    if not is_currency(value.currency):
        raise ValueError(_("“{code}” is no currency of ISO 4217").format(code=value.currency))
    digits = minor_digits(value.currency)
    amount = Decimal(value.minor).scaleb(-digits)
    found = babel_locale(locale)
    if amount == round(amount, get_currency_precision(value.currency)):
        text = format_currency(amount, value.currency, locale=found)
    else:
        pattern = found.currency_formats["standard"].pattern.replace("0.00", "0." + "0" * digits)
        text = format_currency(amount, value.currency, pattern, locale=found, currency_digits=False)
    text = re.sub(r"(?<=[A-Z]{3})(?=\d)", "\u00a0", text)  # UTS 35 currency spacing, which babel leaves out
    return _with_own_signs(text, found, negative=amount < 0)


def minor_digits(currency: str) -> int:
    """How many decimals the minor unit of a currency has (ISO 4217 table A.1): EUR 2, JPY 0, KWD 3."""
    return _MINOR_DIGITS.get(currency.upper(), 2)


def number(value: int | Decimal | float, locale: str) -> str:
    """`1.234,5` for it; up to three decimals, as CLDR's decimal pattern says."""
    from babel.numbers import format_decimal

    return format_decimal(value, locale=babel_locale(locale))


def percent(value: Decimal | float, locale: str) -> str:
    """A share as per cent, up to two decimals: 0.225 → `22,5%` for it, `22,5 %` for de."""
    from babel.numbers import format_percent

    found = babel_locale(locale)
    text = format_percent(value, found.percent_formats[None].pattern.replace("0", "0.##", 1), locale=found)
    return text.replace("%", _symbols(found).get("percentSign", "%"))


def unit(value: int | Decimal | float, name: str, locale: str) -> str:
    """A measure with a CLDR unit: `unit(2, "kilogram", "it")` → `2 chilogrammi`; ValueError for an unknown unit.

    babel's own format_unit prints `5 day` where a locale inherits its long form from the short one (UTS 35 4.1.2).
    """
    found = babel_locale(locale)
    units = found._data["unit_patterns"]
    keys = [key for key in units if key == name or key.endswith(f"-{name}")]
    if not keys:
        raise ValueError(_("“{name}” is no unit of CLDR: kilogram, centimeter, liter, hour … are").format(name=name))
    key = min(keys, key=len)  # length-centimeter, not area-square-centimeter
    patterns = {**units[key].get("narrow", {}), **units[key].get("short", {}), **units[key].get("long", {})}
    pattern = patterns.get(str(found.plural_form(value))) or patterns["other"]
    return str(pattern).format(number(value, locale))


def date(value: dt.date, locale: str, zone: ZoneInfo | None = None, style: str = "long") -> str:
    """A day: `20 novembre 2026`. `style` is short, medium, long, full or a CLDR skeleton.

    The skeleton `MMMMEEEEd` gives `lunedì 8 settembre`, `Montag, 8. September`.
    An aware datetime is brought to `zone` first; a plain date is what it says in every zone.
    """
    from babel.dates import format_date

    day = _in_zone(value, zone).date() if isinstance(value, dt.datetime) else value
    found = babel_locale(locale)
    style = _WHOLE.get(style, style)
    if style in DATE_STYLES:
        return format_date(day, style, locale=found)
    return format_date(day, _pattern(style, found), locale=found)


def time(value: dt.datetime, locale: str, zone: ZoneInfo, style: str = "short") -> str:
    """The time of day in the zone: `18:02`, `6:02 PM`."""
    from babel.dates import format_time

    found = babel_locale(locale)
    pattern = found.time_formats[style].pattern if style in DATE_STYLES else style
    if found.day_periods["format"].get("wide", {}).get("am"):
        pattern = re.sub(r"a+", "aaaa", pattern)  # as ICU does: Korean has no word for it but the wide one, 오전
    return format_time(_in_zone(value, zone), pattern, tzinfo=zone, locale=found)


def date_time(value: dt.datetime, locale: str, zone: ZoneInfo, style: str = "long") -> str:
    """Day and time of day in the zone, joined as the locale joins them: `8 settembre 2026 alle ore 15:30`."""
    found = babel_locale(locale)
    joint = found.datetime_formats["long"]
    text = _AT_TIME.get(found.language, str(getattr(joint, "pattern", joint)).replace("'", ""))
    if found.language == "es" and re.match("1:", time(value, locale, zone)):
        text = text.replace("las", "la")
    return text.replace("{0}", time(value, locale, zone)).replace("{1}", date(value, locale, zone, style))


def relative_day(day: dt.date, today: dt.date, locale: str) -> str:
    """`oggi`, `domani`, `ieri`; further away weekday and day (`lunedì 8 settembre`), in another year with the year."""
    words = _NEAR_DAYS.get(canonical_language(locale))
    distance = (day - today).days
    if words is not None and abs(distance) <= 1:
        return words[distance + 1]
    return date(day, locale, style="MMMMEEEEd" if day.year == today.year else "full")


def join(items: Sequence[str], locale: str, style: ListStyle = "standard") -> str:
    """An enumeration: `a, b e c`; style `or` for alternatives: `a, b o c`."""
    from babel.lists import format_list

    if style not in get_args(ListStyle):
        raise ValueError(_("“{style}” is no style of a list: standard, or, unit").format(style=style))
    return format_list(list(items), style, locale=babel_locale(locale))


def plural_category(value: int | Decimal, locale: str) -> str:
    """The CLDR plural category of a number: zero, one, two, few, many, other."""
    return str(babel_locale(locale).plural_form(value))


@lru_cache(maxsize=64)
def plural_categories(locale: str) -> frozenset[str]:
    """The categories that whole numbers up to 1,000 take, which a text must have: Italian one and other."""
    rule = babel_locale(locale).plural_form
    return frozenset(str(rule(count)) for count in range(1_001))


def language_name(language: str, locale: str) -> str:
    """A language by its name in `locale`: `language_name("de", "it")` → `tedesco`; else the tag itself."""
    tag = LocaleTag.parse(language)
    try:
        named = babel_locale(tag.locale)
    except ValueError:
        return tag.locale
    return named.get_display_name(babel_locale(locale)) or tag.locale


def territory_name(region: str, locale: str) -> str:
    """A country by its name in `locale`: `territory_name("DE", "it")` → `Germania`; the code if CLDR has no name."""
    return str(babel_locale(locale).territories.get(region.upper(), region))


@lru_cache(maxsize=256)
def babel_locale(locale: str) -> Locale:
    """CLDR's data for a tag; an unknown region falls back to the language, an unknown language is a ValueError."""
    from babel import Locale, UnknownLocaleError

    tag = LocaleTag.parse(locale)
    for candidate in (tag.locale, tag.language):
        try:
            return Locale.parse(candidate, sep="-")
        except UnknownLocaleError:
            continue
    raise ValueError(f"CLDR has no locale data for {locale!r}")


def _in_zone(value: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown: times are aware UTC inside")
    return value.astimezone(zone) if zone is not None else value


def _pattern(skeleton: str, locale: Locale) -> str:
    """The locale's pattern for a CLDR skeleton, its fields widened to what was asked (UTS 35, matching skeletons).

    babel finds the nearest available format, but leaves its width: `MMMMEEEEd` would print `ven 20 nov`.
    """
    from babel.dates import match_skeleton

    if not _SKELETON.fullmatch(skeleton):
        known = ", ".join(DATE_STYLES)
        said = _("“{style}” is no style of a date: those are {known} and the skeletons of CLDR")
        raise ValueError(said.format(style=skeleton, known=known))
    nearest = match_skeleton(skeleton, locale.datetime_skeletons)
    if nearest is None:
        raise ValueError(_("CLDR has no date “{style}” for {locale}").format(style=skeleton, locale=locale))
    pattern = str(locale.datetime_skeletons[nearest].pattern)
    wanted = {run[0]: run for run in _runs(skeleton)}
    pieces = re.split(r"('[^']*')", pattern)
    for index, piece in enumerate(pieces):
        if not piece.startswith("'"):
            pieces[index] = "".join(_widen(run, wanted) for run in _runs(piece))
    return "".join(pieces)


def _symbols(locale: Locale) -> dict[str, str]:
    return dict(locale.number_symbols["latn"])


def _with_own_signs(text: str, locale: Locale, *, negative: bool) -> str:
    """The minus and the decimal sign of a locale for money, where babel writes the common ones (sv −, fr-CH .)."""
    symbols = _symbols(locale)
    if negative:
        text = text.replace("-", symbols.get("minusSign", "-"), 1)
    if "currencyDecimal" in symbols:
        head, sign, tail = text.rpartition(symbols["decimal"])
        text = head + symbols["currencyDecimal"] + tail if sign else text
    return text


def _runs(text: str) -> list[str]:
    return [match[0] for match in re.finditer(r"(.)\1*", text, re.DOTALL)]


def _widen(run: str, wanted: dict[str, str]) -> str:
    """Names of months and weekdays take the width that was asked for; numbers stay as the locale writes them."""
    field = {"L": "M", "c": "E"}.get(run[0], run[0])
    asked = wanted.get(field, "")
    is_name = (field == "M" and len(run) >= 3) or field == "E"
    return run[0] * len(asked) if is_name and len(asked) >= 3 else run


# ISO 4217 minor units, where they are not 2. CLDR's digits are for display and differ (RSD, ISK, IQD …).
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_MINOR_DIGITS: Final = {
    **dict.fromkeys(_NO_DECIMALS.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}

# What CLDR's long and full formats are made of: their skeletons have a number for the month in pt-PT and sk.
_WHOLE: Final = {"yMMMMd": "long", "yMMMMEEEEd": "full"}

# CLDR's date and time at which something happens (dateTimeFormat-type-atTime), which babel does not carry.
_AT_TIME: Final = {
    "ar": "{1} في {0}",
    "bg": "{1} в {0}",
    "ca": "{1}, a les {0}",
    "cs": "{1} v {0}",
    "da": "{1} kl. {0}",
    "de": "{1} um {0}",
    "el": "{1} στις {0}",
    "en": "{1} at {0}",
    "es": "{1} a las {0}",
    "et": "{1}, kell {0}",
    "fi": "{1} klo {0}",
    "fr": "{1} à {0}",
    "he": "{1} בשעה {0}",
    "hr": "{1} u {0}",
    "hu": "{1} {0}",
    "id": "{1} pukul {0}",
    "it": "{1} alle ore {0}",
    "ja": "{1} {0}",
    "ko": "{1} {0}",
    "lt": "{1} {0}",
    "lv": "{1} {0}",
    "nl": "{1} om {0}",
    "no": "{1} kl. {0}",
    "pl": "{1} {0}",
    "pt": "{1} às {0}",
    "ro": "{1} la {0}",
    "ru": "{1} в {0}",
    "sk": "{1} o {0}",
    "sl": "{1} ob {0}",
    "sv": "{1} kl. {0}",
    "tr": "{1} {0}",
    "uk": "{1} о {0}",
    "vi": "lúc {0} {1}",
    "zh": "{1} {0}",
}

# CLDR's relative days -1, 0, 1 (dates/fields/day), which babel does not carry.
_NEAR_DAYS: Final = {
    "ar": ("أمس", "اليوم", "غدًا"),
    "bg": ("вчера", "днес", "утре"),
    "ca": ("ahir", "avui", "demà"),
    "cs": ("včera", "dnes", "zítra"),
    "da": ("i går", "i dag", "i morgen"),
    "de": ("gestern", "heute", "morgen"),
    "el": ("χθες", "σήμερα", "αύριο"),
    "en": ("yesterday", "today", "tomorrow"),
    "es": ("ayer", "hoy", "mañana"),
    "et": ("eile", "täna", "homme"),
    "fi": ("eilen", "tänään", "huomenna"),
    "fr": ("hier", "aujourd’hui", "demain"),
    "he": ("אתמול", "היום", "מחר"),
    "hr": ("jučer", "danas", "sutra"),
    "hu": ("tegnap", "ma", "holnap"),
    "id": ("kemarin", "hari ini", "besok"),
    "it": ("ieri", "oggi", "domani"),
    "ja": ("昨日", "今日", "明日"),
    "ko": ("어제", "오늘", "내일"),
    "lt": ("vakar", "šiandien", "rytoj"),
    "lv": ("vakar", "šodien", "rīt"),
    "nl": ("gisteren", "vandaag", "morgen"),
    "no": ("i går", "i dag", "i morgen"),
    "pl": ("wczoraj", "dzisiaj", "jutro"),
    "pt": ("ontem", "hoje", "amanhã"),
    "ro": ("ieri", "azi", "mâine"),
    "ru": ("вчера", "сегодня", "завтра"),
    "sk": ("včera", "dnes", "zajtra"),
    "sl": ("včeraj", "danes", "jutri"),
    "sv": ("i går", "i dag", "i morgon"),
    "tr": ("dün", "bugün", "yarın"),
    "uk": ("учора", "сьогодні", "завтра"),
    "vi": ("Hôm qua", "Hôm nay", "Ngày mai"),
    "zh": ("昨天", "今天", "明天"),
}
