"""The line above a quoted message, in the customer's language and zone.

The wordings are the ones that mail programs use in each language, so that other programs fold the quote below them.
Where a verb would need the writer's gender the wording avoids it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from supportdesk.l10n.format import date, time
from supportdesk.l10n.tags import canonical_language

if TYPE_CHECKING:
    import datetime as dt
    from zoneinfo import ZoneInfo


def attribution(name: str, at: dt.datetime, locale: str, zone: ZoneInfo) -> str:
    """`Il 20 novembre 2026 alle 18:02, Hans Meier ha scritto:` — English where we have no wording for the language."""
    language = canonical_language(locale)
    if language not in _WORDINGS:
        language = locale = "en"
    day, clock = date(at, locale, zone), time(at, locale, zone)
    line = _WORDINGS[language].format(date=day, time=clock, name="{name}")
    local = at.astimezone(zone)
    return _elide(line, language, local.day, local.hour).replace("{name}", " ".join(name.split()))


def _elide(line: str, language: str, day: int, hour: int) -> str:
    """What the day or the hour changes in the words around it: `L’8 novembre`, `Le 1er`, `a la 1:05`."""
    if language == "it" and day in (8, 11):
        return line.replace("Il ", "L’", 1)
    if language == "fr" and day == 1:
        return line.replace("Le 1 ", "Le 1er ", 1)
    if language == "es" and hour == 1:
        return line.replace(" a las ", " a la ", 1)
    if language == "ca" and hour == 1:
        return line.replace(" a les ", " a la ", 1)
    return line


_WORDINGS: Final = {
    "ar": "في {date} في {time}، تمت كتابة ما يلي بواسطة {name}:",
    "bg": "На {date} в {time} {name} написа:",
    "ca": "El {date} a les {time}, {name} va escriure:",
    "cs": "Dne {date} v {time} odesílatel {name} napsal:",
    "da": "Den {date} kl. {time} skrev {name}:",
    "de": "Am {date} um {time} Uhr schrieb {name}:",
    "el": "Στις {date} στις {time}, ο χρήστης {name} έγραψε:",
    "en": "On {date} at {time}, {name} wrote:",
    "es": "El {date} a las {time}, {name} escribió:",
    "et": "Kuupäeval {date} kell {time} kirjutas {name}:",
    "fi": "{name} kirjoitti {date} klo {time}:",
    "fr": "Le {date} à {time}, {name} a écrit\u00a0:",
    "he": "בתאריך {date} בשעה {time} מאת {name}:",
    "hr": "Dana {date} u {time} {name} je napisao/la:",
    "hu": "{name} ezt írta (időpont: {date} {time}):",
    "id": "Pada {date} pukul {time}, {name} menulis:",
    "it": "Il {date} alle {time}, {name} ha scritto:",
    "ja": "{date} {time} {name}:",
    "ko": "{date} {time}, {name}님이 작성:",
    "lt": "{name} rašė ({date}, {time}):",
    "lv": "{name} rakstīja ({date}, {time}):",
    "nl": "Op {date} om {time} schreef {name}:",
    "no": "Den {date} kl. {time} skrev {name}:",
    "pl": "W dniu {date} o {time} {name} napisał(a):",
    "pt": "Em {date} às {time}, {name} escreveu:",
    "ro": "Pe {date}, la {time}, {name} a scris:",
    "ru": "{date} в {time} {name} пишет:",
    "sk": "Dňa {date} o {time} používateľ {name} napísal:",
    "sl": "Dne {date} ob {time} je oseba {name} napisala:",
    "sv": "Den {date} kl. {time} skrev {name}:",
    "tr": "{name}, {date} {time} tarihinde şunu yazdı:",
    "uk": "{date} о {time} {name} пише:",
    "vi": "Vào {date} lúc {time}, {name} đã viết:",
    "zh": "{name} 于 {date} {time} 写道：",
}
