"""By when, and on which day, as a sentence of the customer's language goes on: `entro lunedì 8 settembre alle 15:00`.

And the sentence that a closed shop begins with, where nobody has written a better one.

The day and the time are CLDR's; what stands before and between them is a wording of the language, because a preposition
governs a case (`w środę`), an article (`no sábado`) or a number (`a la 1:00`). The date is named in full and never as
*tomorrow*: the mail is read later than it is written. A language without a wording gets "".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from supportdesk.l10n import format as cldr
from supportdesk.l10n.tags import LocaleTag

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


def by_when(at: dt.datetime, locale: str, zone: ZoneInfo, now: dt.datetime, *, name_zone: bool = False) -> str:
    """`entro lunedì 8 settembre alle 15:00`, `bis Montag, 8. September, 15:00 Uhr`; the year when it is another one.

    `at` is shown to the minute that has begun, so never later than it is. `name_zone` puts the zone's name behind.
    """
    language = LocaleTag.parse(locale).language
    if language not in _BY:
        return ""
    day, time = _day(at, locale, zone, now), cldr.time(at, locale, zone)
    if name_zone and language == "ja":  # the particle stands last
        time, name_zone = f"{time}（{_zone_name(at, locale, zone)}）", False
    text = _BY[language](day, time, at.astimezone(zone))
    return f"{text} ({_zone_name(at, locale, zone)})" if name_zone else text


def on_day(at: dt.datetime, locale: str, zone: ZoneInfo, now: dt.datetime) -> str:
    """`lunedì 25 agosto`, `am Montag, 25. August`: when something happens."""
    language = LocaleTag.parse(locale).language
    return _ON[language](_day(at, locale, zone, now), at.astimezone(zone)) if language in _ON else ""


def closed_on(first: dt.date, last: dt.date, locale: str, today: dt.date) -> str:
    """`Siamo chiusi da lunedì 10 agosto a venerdì 21 agosto.`: both days included; "" without a wording."""
    language = LocaleTag.parse(locale).language
    if language not in _CLOSED:
        return ""
    style = "MMMMEEEEd" if first.year == last.year == today.year else "yMMMMEEEEd"
    if language == "pl":  # a weekday after `od` would be in the genitive
        style = style.replace("EEEE", "")
    days = [cldr.date(day, locale, style=style) for day in (first, last)]
    if language == "es":
        days = [day.replace(",", "", 1) for day in days]
    one, several = _CLOSED[language]
    return one.format(*days) if first == last else several.format(*days)


def _day(at: dt.datetime, locale: str, zone: ZoneInfo, now: dt.datetime) -> str:
    local = at.astimezone(zone)
    same_year = local.year == now.astimezone(zone).year
    weekday = _WEEKDAYS.get(LocaleTag.parse(locale).language)
    if weekday is None:
        return cldr.date(at, locale, zone, "MMMMEEEEd" if same_year else "full")
    day = cldr.date(at, locale, zone, "MMMMd" if same_year else "long")
    return weekday(local, cldr.date(at, locale, zone, "EEEE"), day)


def _zone_name(at: dt.datetime, locale: str, zone: ZoneInfo) -> str:
    from babel.dates import get_timezone_name

    return get_timezone_name(at.astimezone(zone), width="long", locale=cldr.babel_locale(locale))


# Accusative after `w`, which is `we` before `wtorek`.
_POLISH: Final = (
    "w poniedziałek", "we wtorek", "w środę", "w czwartek", "w piątek", "w sobotę", "w niedzielę",
)  # fmt: skip

# Where the weekday does not stand as CLDR's own pattern has it: Spanish without a comma inside a sentence, Polish
# after its preposition.
_WEEKDAYS: Final[Mapping[str, Callable[[dt.datetime, str, str], str]]] = {
    "es": lambda _at, weekday, day: f"{weekday} {day}",
    "pl": lambda at, _weekday, day: f"{_POLISH[at.weekday()]} {day}",
}

_BY: Final[Mapping[str, Callable[[str, str, dt.datetime], str]]] = {
    "de": lambda day, time, _at: f"bis {day}, {time} Uhr",
    "en": lambda day, time, _at: f"by {time} on {day}",
    "es": lambda day, time, _at: f"a más tardar el {day} a {'la' if time.startswith('1:') else 'las'} {time}",
    "fr": lambda day, time, _at: f"au plus tard le {day} à {time}",
    "it": lambda day, time, _at: f"entro {day} alle {time}",
    "ja": lambda day, time, _at: f"{day}の{time}までに",
    "nl": lambda day, time, _at: f"uiterlijk {day} om {time} uur",
    "pl": lambda day, time, _at: f"najpóźniej {day} o godz. {time}",
    "pt": lambda day, time, at: f"até {day}, {'à' if at.hour == 1 else 'às'} {time}",
}

_ON: Final[Mapping[str, Callable[[str, dt.datetime], str]]] = {
    "de": lambda day, _at: f"am {day}",
    "en": lambda day, _at: f"on {day}",
    "es": lambda day, _at: f"el {day}",
    "fr": lambda day, _at: f"le {day}",
    "it": lambda day, _at: day,
    "ja": lambda day, _at: day,
    "nl": lambda day, _at: f"op {day}",
    "pl": lambda day, _at: day,
    "pt": lambda day, at: f"{'no' if at.weekday() >= 5 else 'na'} {day}",
}

# Of one day, and of several.
_CLOSED: Final[Mapping[str, tuple[str, str]]] = {
    "de": ("Am {0}, haben wir geschlossen.", "Von {0}, bis {1}, haben wir geschlossen."),
    "en": ("We are closed on {0}.", "We are closed from {0} to {1}."),
    "es": ("El {0} estaremos cerrados.", "Estaremos cerrados del {0} al {1}."),
    "fr": ("Nous sommes fermés le {0}.", "Nous sommes fermés du {0} au {1}."),
    "it": ("Siamo chiusi {0}.", "Siamo chiusi da {0} a {1}."),
    "ja": ("{0}は休業いたします。", "{0}から{1}まで休業いたします。"),
    "nl": ("Op {0} zijn we gesloten.", "Van {0} tot en met {1} zijn we gesloten."),
    "pl": ("Dnia {0} mamy przerwę.", "W dniach {0} – {1} mamy przerwę."),
    "pt": ("Estamos fechados: {0}.", "Estamos fechados de {0}, a {1}."),
}
