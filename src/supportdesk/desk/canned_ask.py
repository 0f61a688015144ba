"""What a canned response asks the agent for: which fields, what they begin with, and what was typed as values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from supportdesk.desk.canned import AskField, CannedResponse, Choice, Variant
    from supportdesk.l10n.format import Money


def fields(response: CannedResponse, variant: Variant | None = None) -> tuple[AskField, ...]:
    """What the agent is asked for: every field of the response, or only those that this variant uses."""
    if variant is None:
        return response.ask
    from supportdesk.desk.templates import placeholders

    used = placeholders(variant)
    return tuple(item for item in response.ask if f"ask.{item.name}" in used)


def prefill(
    response: CannedResponse, values: Mapping[str, Any], agent_locale: str, *, today: dt.date
) -> dict[str, str]:
    """What the fields start with, as the agent would type it: what the ticket tells, else the default."""
    found: dict[str, str] = {}
    for item in response.ask:
        known = _look_up(values, item.prefill) if item.prefill else None
        text = str(known) if known not in (None, "") else _default_as_typed(item, agent_locale, today)
        if text:
            found[item.name] = text
    return found


def read_answers(
    response: CannedResponse, typed: Mapping[str, str], agent_locale: str, *, currency: str, today: dt.date
) -> dict[str, Any]:
    """What the agent typed as values for `{"ask": …}`: text, Money, date, Decimal, Choice. Empty fields are left out.

    An amount without a currency is in `currency`. UsageError names the field that cannot be read, and why.
    """
    from supportdesk.l10n.inputs import read_date, read_money, read_number

    answers: dict[str, Any] = {}
    for item in response.ask:
        text = typed.get(item.name, "").strip()
        if not text:
            continue
        try:
            match item.type:
                case "money":
                    answers[item.name] = read_money(text, agent_locale, currency)
                case "date":
                    answers[item.name] = read_date(text, agent_locale, today)
                case "number":
                    answers[item.name] = read_number(text, agent_locale)
                case "choice":
                    answers[item.name] = read_choice(item, text)
                case "text":
                    answers[item.name] = text
        except ValueError as error:
            raise UsageError(f"{item.label(agent_locale)}: {error}") from error
    return answers


def read_choice(item: AskField, text: str) -> Choice:
    """The choice with that key, or with those words in any language. ValueError names what there is."""
    wanted = text.strip().casefold()
    for choice in item.choices:
        if wanted in (choice.key.casefold(), *(words.casefold() for words in choice.texts.values())):
            return choice
    known = ", ".join(choice.key for choice in item.choices)
    raise ValueError(_("“{text}” is none of {known}").format(text=text.strip(), known=known))


def read_default(item: AskField, today: dt.date) -> str | Money | Decimal | dt.date | Choice:
    """The default as a value. ValueError when it is not written as its type is."""
    from supportdesk.l10n.format import Money, minor_digits

    text = item.default
    match item.type:
        case "number":
            return _decimal(text)
        case "money":
            if (found := re.fullmatch(r"(-?[\d.]+) ([A-Z]{3})", text)) is None:
                raise ValueError(_("“{text}” is no amount: write it like 4.90 EUR").format(text=text))
            minor = _decimal(found[1]).scaleb(minor_digits(found[2]))
            if minor != minor.to_integral_value():
                raise ValueError(
                    _("“{text}” has more decimals than {currency} has").format(text=text, currency=found[2])
                )
            return Money(int(minor), found[2])
        case "date":
            if re.fullmatch(r"\+\d{1,3}", text):
                return today + dt.timedelta(days=int(text))
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                message = _("“{text}” is no date: write it like 2026-12-30, or +3 for days from today")
                raise ValueError(message.format(text=text)) from None
        case "choice":
            return read_choice(item, text)
    return text


def _default_as_typed(item: AskField, agent_locale: str, today: dt.date) -> str:
    if not item.default:
        return ""
    from supportdesk.l10n import format as cldr

    match read_default(item, today):
        case cldr.Money() as money:
            return cldr.money(money, agent_locale)
        case Decimal() as number:
            return cldr.number(number, agent_locale)
        case dt.date() as day:
            return day.isoformat()
    return item.default


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueError(_("“{text}” is no number: write it like 2.5").format(text=text))
    return value


def _look_up(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
