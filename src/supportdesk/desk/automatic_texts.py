"""What automatic mail says: the acknowledgement and the two reminders, as canned responses with variants.

The texts of this package hold until a shop imports its own under the same key. Values are computed here: by when the
promise says that an answer comes, what closes the shop and when it is back. Nothing that a stranger wrote is among
them, neither subject nor body nor name: an automatic mail that repeats it can be made to carry it to anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from zoneinfo import ZoneInfo

from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.canned import CannedResponse, Variant, choose
from supportdesk.desk.customers import what_is_known
from supportdesk.desk.hours import at_wall, next_opening
from supportdesk.desk.model import Mailbox
from supportdesk.desk.reply_language import reply_language
from supportdesk.errors import MissingValue, NotFound
from supportdesk.l10n.tags import LocaleTag, canonical_language

if TYPE_CHECKING:
    from supportdesk.desk.drafts import Rows
    from supportdesk.desk.ports import Row

ACKNOWLEDGEMENT: Final = "automatic-acknowledgement"
REMINDER: Final = "automatic-reminder"
LAST_REMINDER: Final = "automatic-last-reminder"
KEYS: Final = (ACKNOWLEDGEMENT, REMINDER, LAST_REMINDER)
SHIPPED: Final = Path(__file__).parent.parent / "canned_automatic"

# What an automatic text may use; `lint` knows no others there.
CONTEXT: Final[Mapping[str, str]] = {
    "customer.greeting": "how the mail opens, to nobody by name",
    "shop.name": "the shop's name, as the mailbox has it",
    "shop.address": "the support address that the customer wrote to",
    "ticket.number": "the ticket's public number",
    "promise.by": "by when the answer comes: “entro lunedì 8 settembre alle 15:00”; missing without a deadline",
    "promise.at": "the same as a time, for the filters date and time",
    "closure.on": "the day on which the shop opens again, in words; missing unless a planned closure comes before that",
    "closure.back": "the same as a time, for the filters date and time",
    "closure.notice": "the closure's own words in the variant's language; missing where there are none",
}

# Why there is no text, as stored with the message: no language is known, or nothing is written in it.
NoText = Literal["no_language", "no_variant", "broken_text"]


def is_automatic(key: str) -> bool:
    """Whether the canned response is one that the desk sends by itself, which no agent picks."""
    return key in KEYS


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a text is made: his language, region and register as far as they are known, and his clock."""

    language: str
    region: str
    register: str
    zone: ZoneInfo
    name_zone: bool = False  # the zone is the shop's, and he may live in another


@dataclass(frozen=True, slots=True)
class Text:
    """An automatic mail before it has its envelope."""

    key: str
    tag: LocaleTag
    subject: str
    body: str

    @property
    def language(self) -> str:
        return self.tag.locale


@dataclass(frozen=True, slots=True)
class Closure:
    """A planned closure that comes before the promised time, and the first opening after it."""

    exception: CalendarException
    back: datetime

    def notice(self, tag: LocaleTag) -> str:
        """Its words in exactly that language: another one would be worse than none."""
        notices = self.exception.notices
        return notices.get(tag.locale) or notices.get(tag.language) or ""


def find_response(source: Rows, key: str) -> CannedResponse:
    """The shop's own text under that key, else the one of this package."""
    from supportdesk.desk.canned_set import find_canned

    try:
        return find_canned(source, key)
    except NotFound:
        return shipped()[key]


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, CannedResponse]:
    """The texts of this package."""
    from supportdesk.desk.canned_folder import read_folder

    return {response.key: response for response in read_folder(SHIPPED)}


def reader_of(
    source: Rows, mailbox: Mailbox, *, language: str, customer_id: int | None, market_id: int | None
) -> Reader:
    """The customer's own region, register and zone, else the market's, else the mailbox's (domain.md section 8).

    He reads the language in which such customers are answered, as in the replies of agents.
    """
    customer = what_is_known(source, customer_id)
    market = _one(source, "market", market_id if market_id is not None else mailbox.market_id)
    own = language or customer.get("language", "") or mailbox.language
    tag = reply_language(own, mailbox.languages, mailbox.settings)
    own_zone = customer.get("zone", "") or market.get("zone", "")
    known, ours, his = (_language_and_region(one) for one in (tag, mailbox.language, own))
    return Reader(
        language=known[0],
        region=customer.get("region", "") or known[1],
        register=customer.get("register", "") or market.get("register", "") or mailbox.register,
        zone=ZoneInfo(own_zone or mailbox.zone or "UTC"),
        name_zone=not own_zone and "" not in (his[0], ours[0]) and his[0] != ours[0],
    )


def find_variant(response: CannedResponse, reader: Reader, fallback: str) -> Variant | NoText:
    """The variant in the customer's language, else in the one that the shop chose for such customers, else none.

    Never another language in silence: where the shop chose none, the customer gets no automatic mail.
    """
    register = "formal" if reader.register == "formal" else ""
    for language, region in ((reader.language, reader.region), (fallback, "")):
        if language:
            try:
                return choose(response, language, region, register)
            except MissingValue:
                continue
    return "no_variant" if reader.language else "no_language"


def write_text(
    response: CannedResponse,
    variant: Variant,
    reader: Reader,
    mailbox: Mailbox,
    *,
    ticket_number: int,
    now: datetime,
    due_at: datetime | None = None,
    calendar: Calendar | None = None,
) -> Text:
    """The text for this customer. Raises MissingValue or UsageError where the shop's own variant cannot be used."""
    from supportdesk.desk.templates import render

    known = reader.region and canonical_language(reader.language) == variant.tag.language
    tag = variant.tag if variant.tag.region or not known else replace(variant.tag, region=reader.region)
    values = _values(tag, reader, mailbox, ticket_number, now, due_at, calendar)
    rendered = render(variant, values, tag.locale, reader.zone)
    return Text(response.key, variant.tag, rendered.subject, rendered.text)


def closure_before(calendar: Calendar, now: datetime, due_at: datetime | None) -> Closure | None:
    """The planned closure on whose days `now` lies, or that begins before the day of `due_at`.

    Planned is what the calendar announces to customers: a dated exception without openings and with a notice.
    """
    zone = ZoneInfo(calendar.zone)
    today = now.astimezone(zone).date()
    last = max(today, due_at.astimezone(zone).date() - timedelta(days=1)) if due_at is not None else today
    for exception in reversed(calendar.exceptions):
        if exception.intervals or not exception.notices or exception.first > last or exception.last < today:
            continue
        reopens = datetime.combine(exception.last + timedelta(days=1), datetime.min.time())
        back = next_opening(calendar, at_wall(calendar.zone, reopens))
        if back is not None:
            return Closure(exception, back)
    return None


def warm_up() -> None:
    """Load what the first text needs (templates, CLDR), so that no transaction waits for it."""
    from supportdesk.desk.templates import placeholders
    from supportdesk.l10n.format import babel_locale

    for response in shipped().values():
        for variant in response.variants:
            placeholders(variant)
            babel_locale(variant.tag.locale)


def _values(
    tag: LocaleTag,
    reader: Reader,
    mailbox: Mailbox,
    ticket_number: int,
    now: datetime,
    due_at: datetime | None,
    calendar: Calendar | None,
) -> dict[str, Any]:
    from supportdesk.l10n.names import greeting
    from supportdesk.l10n.promise import by_when, on_day

    values: dict[str, Any] = {
        "customer": {"greeting": greeting("", str(tag))},
        "shop": {"name": mailbox.shop_name or mailbox.name or mailbox.address, "address": mailbox.address},
        "ticket": {"number": str(ticket_number)},
    }
    if due_at is not None:
        by = by_when(due_at, tag.locale, reader.zone, now, name_zone=reader.name_zone)
        values["promise"] = {"by": by, "at": due_at}
    closure = closure_before(calendar, now, due_at) if calendar is not None else None
    if closure is not None:
        values["closure"] = {
            "on": on_day(closure.back, tag.locale, reader.zone, now),
            "back": closure.back,
            "notice": closure.notice(tag),
        }
    return values


def _language_and_region(tag: str) -> tuple[str, str]:
    """Of a tag that may come from a mail's own header, and then be any."""
    try:
        parsed = LocaleTag.parse(tag)
    except ValueError:
        return canonical_language(tag), ""
    return parsed.language, parsed.region


def _one(source: Rows, table: str, row_id: int | None) -> Row:
    found = source.rows(table, {"id": row_id}, limit=1) if row_id is not None else []
    return found[0] if found else {}
