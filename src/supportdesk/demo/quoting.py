"""What mail programs write above a quotation, by program and language, as their users see it."""

from __future__ import annotations

from datetime import datetime

from supportdesk.mail.model import Address

_WEEKDAYS = {
    "it": ("lun", "mar", "mer", "gio", "ven", "sab", "dom"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "de": ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
}
_MONTHS = {
    "it": "gen feb mar apr mag giu lug ago set ott nov dic".split(),
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(),
    "de": "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.".split(),
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.".split(),
    "es": "ene feb mar abr may jun jul ago sep oct nov dic".split(),
}
# {day} {time} {name} {address}, in the words of each program.
_GMAIL = {
    "it": "Il giorno {weekday} {day} {month} {year} alle ore {time} {name} <{address}> ha scritto:",
    "en": "On {weekday}, {day} {month} {year} at {time}, {name} <{address}> wrote:",
    "de": "Am {weekday}, {day}. {month} {year} um {time} Uhr schrieb {name} <{address}>:",
    "fr": "Le {weekday} {day} {month} {year} à {time}, {name} <{address}> a écrit :",
    "es": "El {weekday}, {day} {month} {year} a las {time}, {name} (<{address}>) escribió:",
}
_APPLE = {
    "it": "Il giorno {day} {month} {year}, alle ore {time}, {name} <{address}> ha scritto:",
    "en": "On {day} {month} {year}, at {time}, {name} <{address}> wrote:",
    "de": "Am {day}.{number:02}.{year} um {time} schrieb {name} <{address}>:",
    "fr": "Le {day} {month} {year} à {time}, {name} <{address}> a écrit :",
    "es": "El {day} {month} {year}, a las {time}, {name} <{address}> escribió:",
}
_THUNDERBIRD = {
    "it": "Il {day:02}/{number:02}/{year} {time}, {name} ha scritto:",
    "en": "On {day:02}/{number:02}/{year} {time}, {name} wrote:",
    "de": "Am {day:02}.{number:02}.{year} um {time} schrieb {name}:",
    "fr": "Le {day:02}/{number:02}/{year} à {time}, {name} a écrit :",
    "es": "El {day:02}/{number:02}/{year} a las {time}, {name} escribió:",
}
_OUTLOOK = {
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De", "Envoyé", "À", "Objet"),
    "es": ("De", "Enviado", "Para", "Asunto"),
}
_REPLY = {"outlook": {"it": "R", "de": "AW", "fr": "RE", "es": "RE"}, "webmail": {"de": "Aw", "it": "R"}}
_PHONE = {
    "it": "Inviato da iPhone",
    "en": "Sent from my iPhone",
    "de": "Von meinem iPhone gesendet",
    "fr": "Envoyé de mon iPhone",
    "es": "Enviado desde mi iPhone",
}
_FALLBACK = "en"


def attribution_line(program: str, language: str, author: Address, at: datetime) -> str:
    """Who wrote the quoted text and when; in English where the program's words in that language are not known."""
    chosen = language if language in _MONTHS else _FALLBACK
    words = {"gmail": _GMAIL, "apple": _APPLE, "thunderbird": _THUNDERBIRD}[program][chosen]
    return words.format(
        weekday=_WEEKDAYS[chosen][at.weekday()],
        day=at.day,
        month=_MONTHS[chosen][at.month - 1],
        number=at.month,
        year=at.year,
        time=f"{at:%H:%M}",
        name=author.name or author.addr,
        address=author.addr,
    )


def written_date(language: str, at: datetime) -> str:
    """The date as Outlook writes it in a quoted header."""
    chosen = language if language in _MONTHS else _FALLBACK
    return f"{_WEEKDAYS[chosen][at.weekday()]} {at.day} {_MONTHS[chosen][at.month - 1]} {at.year} {at:%H:%M}"


def outlook_labels(language: str) -> tuple[str, str, str, str]:
    """The names of From, Sent, To and Subject in a quoted header."""
    return _OUTLOOK.get(language, _OUTLOOK[_FALLBACK])


def reply_subject(program: str, language: str, subject: str) -> str:
    """The subject of an answer, with the prefix of the program: Outlook's is localized, the others' is not."""
    prefix = _REPLY.get(program, {}).get(language, "Re")
    known = ("re:", "r:", "aw:", "rif:")
    return subject if subject.casefold().startswith(known) else f"{prefix}: {subject}"


def sent_from_phone(language: str) -> str:
    return _PHONE.get(language, _PHONE[_FALLBACK])
