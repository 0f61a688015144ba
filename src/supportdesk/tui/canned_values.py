"""The values that a canned response asks for, on the prompt line: what may be chosen, and what is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import current_language
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.widgets.prompt import Completion

if TYPE_CHECKING:
    from datetime import date

    from supportdesk.desk.canned import AskField


def complete_value(field: AskField, text: str) -> list[Completion]:
    """The choices of a field that has some: those that begin with, or else hold, what is typed."""
    typed, language = text.strip().casefold(), current_language()
    words = {choice.key: choice.text(language) for choice in field.choices}
    if typed in {value.casefold() for value in words.values()}:
        typed = ""  # one is chosen: all of them are shown again
    found = [(key, value) for key, value in words.items() if typed in f"{value} {key}".casefold()]
    found.sort(key=lambda one: not one[1].casefold().startswith(typed))
    return [Completion(safe(value), safe(key if key != value else "")) for key, value in found]


def understood(field: AskField, today: date, currency: str, text: str) -> SafeText:
    """What a typed value means, so that a wrong one is seen before it is in the text."""
    if not text.strip() or field.type == "text":
        return EMPTY
    try:
        return _read(field, today, currency, text)
    except ValueError as error:
        return safe(str(error))


def wrong_value(field: AskField, today: date, currency: str, text: str) -> SafeText:
    """Why a text is no such value; nothing where it is one, or where nothing was typed."""
    if not text.strip() or field.type == "text":
        return EMPTY
    try:
        _read(field, today, currency, text)
    except ValueError as error:
        return safe(str(error))
    return EMPTY


def _read(field: AskField, today: date, currency: str, text: str) -> SafeText:
    from supportdesk.desk.canned_ask import read_choice
    from supportdesk.l10n import format as localized
    from supportdesk.l10n.inputs import read_date, read_money, read_number

    language = current_language()
    match field.type:
        case "date":
            return safe(localized.date(read_date(text, language, today), language))
        case "money":
            return safe(localized.money(read_money(text, language, currency), language))
        case "number":
            return safe(localized.number(read_number(text, language), language))
        case _:
            return safe(read_choice(field, text).text(language))
