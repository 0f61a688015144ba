"""Canned responses on a ticket: what they ask for, and the text for this customer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from supportdesk.desk.canned import AskField, CannedResponse, Variant, choose, context
from supportdesk.desk.canned_ask import fields, prefill, read_answers
from supportdesk.desk.canned_fragments import fragments_of, render_whole
from supportdesk.desk.canned_set import find_canned, find_fragments
from supportdesk.desk.model import Actor, CustomerView, Mailbox, Ticket, TicketId
from supportdesk.desk.reply_language import reply_language
from supportdesk.errors import MissingValue, UsageError
from supportdesk.l10n.catalog import _, current_language
from supportdesk.mail.subjects import find_order_numbers

if TYPE_CHECKING:
    from datetime import date

    from supportdesk.desk.canned import CannedFile
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Row
    from supportdesk.desk.templates import Rendered

FALLBACK_CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class _Case:
    """The ticket with what a canned response reads of it; None: a preview for nobody in particular."""

    ticket: Ticket | None
    mailbox: Mailbox | None
    customer: CustomerView | None
    region: str
    register: str
    zone: ZoneInfo
    currency: str


def ask_fields(desk: Desk, key: str, ticket_id: TicketId) -> tuple[tuple[AskField, str], ...]:
    """What the variant for this customer asks the agent, with what the ticket already tells."""
    response, case = find_canned(desk.read, key), _case(desk, ticket_id)
    variant = _variant(response, case)
    known = prefill(response, _values(desk, case, variant, ""), current_language(), today=_today(desk, case))
    return tuple((item, known.get(item.name, "")) for item in fields(response, variant))


def currency_of(desk: Desk, ticket_id: TicketId) -> str:
    """What an amount is in when the agent names no currency: the money of the ticket's market (ISO 4217)."""
    return _case(desk, ticket_id).currency


def chooser(desk: Desk, ticket_id: TicketId) -> Callable[[CannedResponse], Variant]:
    """Which variant of a response the customer of a ticket gets: what decides it is read once.

    The function raises MissingValue, and ValueError where the language is not known.
    """
    case = _case(desk, ticket_id)
    return lambda response: _variant(response, case)


def render(desk: Desk, actor: Actor, ticket_id: TicketId, key: str, asked: Mapping[str, str]) -> Rendered:
    """The text in the customer's language. Raises MissingValue naming what is missing, never a half-filled text."""
    response, case = find_canned(desk.read, key), _case(desk, ticket_id)
    known = {item.name for item in response.ask}
    if stray := sorted(set(asked) - known):
        raise UsageError(
            _("{key} does not ask for {names}").format(key=key, names=", ".join(stray)), hint=", ".join(known)
        )
    variant = _variant(response, case)
    values, today = _values(desk, case, variant, actor.name), _today(desk, case)
    typed = {**prefill(response, values, current_language(), today=today), **asked}
    answers = read_answers(response, typed, current_language(), currency=case.currency, today=today)
    fragments = find_fragments(desk.read, fragments_of(variant))
    locale = _locale(variant, case)
    return render_whole(variant, fragments, {**values, "ask": answers}, locale, case.zone, region=case.region)


def preview(
    desk: Desk,
    actor: Actor,
    ticket_id: TicketId | None,
    response: CannedResponse,
    variant: Variant,
    stand_in: Callable[[str], str],
) -> Rendered:
    """How a variant reads for the customer of a ticket, or for nobody in particular.

    The response need not be stored; what is not known shows the words of `stand_in` for its name. Raises UsageError.
    """
    case = _case(desk, ticket_id) if ticket_id is not None else _case_of_nobody(desk)
    values, today = _values(desk, case, variant, actor.name), _today(desk, case)
    typed = prefill(response, values, current_language(), today=today)
    answers = read_answers(response, typed, current_language(), currency=case.currency, today=today)
    locale, whole = _locale(variant, case), {**values, "ask": answers}
    fragments = find_fragments(desk.read, fragments_of(variant))
    return render_whole(variant, fragments, whole, locale, case.zone, region=case.region, stand_in=stand_in)


def files_of(desk: Desk, ticket_id: TicketId, key: str) -> Sequence[CannedFile]:
    """What is attached to a reply on that ticket in which the response stands."""
    response = find_canned(desk.read, key)
    try:
        variant = _variant(response, _case(desk, ticket_id))
    except MissingValue:
        return response.files
    return (*response.files, *variant.files)


def _case(desk: Desk, ticket_id: TicketId) -> _Case:
    reader = desk.read
    ticket = reader.ticket(ticket_id)
    mailbox = desk.mailbox(ticket.mailbox_id) if ticket.mailbox_id is not None else None
    customer = reader.customer(ticket.customer_id) if ticket.customer_id is not None else None
    market_id = ticket.market_id or (mailbox.market_id if mailbox else None)
    market: Row = next(iter(reader.rows("market", {"id": market_id}, limit=1)), {}) if market_id is not None else {}
    # Region and register: the customer's, else the market's, else the shop's (domain.md section 8).
    tag = re.split("[-_]", ticket.language)
    region = (customer.region if customer else "") or (tag[1] if len(tag) > 1 else "")
    register = (
        (customer.register if customer else "") or market.get("register", "") or (mailbox.register if mailbox else "")
    )
    zone = (customer.zone if customer else "") or market.get("zone", "") or (mailbox.zone if mailbox else "") or "UTC"
    currency = market.get("currency", "") or FALLBACK_CURRENCY
    return _Case(ticket, mailbox, customer, region, register, ZoneInfo(zone), currency)


def _case_of_nobody(desk: Desk) -> _Case:
    boxes = desk.mailboxes()
    mailbox = boxes[0] if boxes else None
    zone = ZoneInfo((mailbox.zone if mailbox else "") or "UTC")
    return _Case(None, mailbox, None, "", "", zone, FALLBACK_CURRENCY)


def _today(desk: Desk, case: _Case) -> date:
    return desk.clock.now().astimezone(case.zone).date()


def _locale(variant: Variant, case: _Case) -> str:
    """The variant's, in the customer's region: a Swiss reads the amounts of Switzerland in the Italian text."""
    here = case.region and not variant.tag.region
    return f"{variant.tag.language}-{case.region}" if here else variant.tag.locale


def _variant(response: CannedResponse, case: _Case) -> Variant:
    assert case.ticket is not None
    language = case.ticket.language or (case.customer.language if case.customer else "")
    if case.mailbox is not None:
        language = reply_language(language or case.mailbox.language, case.mailbox.languages, case.mailbox.settings)
    return choose(response, language, case.region, "formal" if case.register == "formal" else "")


def _values(desk: Desk, case: _Case, variant: Variant, agent_name: str) -> dict[str, Any]:
    ticket, customer, mailbox = case.ticket, case.customer, case.mailbox
    whole = context(
        variant.tag,
        customer_name=customer.name if customer else "",
        customer_address=customer.addresses[0] if customer and customer.addresses else "",
        shop_name=(mailbox.shop_name if mailbox else "") or desk.settings().shop_name,
        shop_address=mailbox.address if mailbox else "",
        agent_name=agent_name,
        ticket_number=ticket.id if ticket else 0,
        ticket_subject=ticket.subject if ticket else "",
        order_number=(ticket.order_number or _order_in_text(desk, ticket, mailbox)) if ticket else "",
        today=_today(desk, case),
    )
    return whole if ticket else {**whole, "ticket": {}}


def _order_in_text(desk: Desk, ticket: Ticket, mailbox: Mailbox | None) -> str:
    """The first number that the mailbox's pattern finds in the subject or in what the customer wrote."""
    if mailbox is None or not mailbox.order_pattern:
        return ""
    texts = [ticket.subject]
    texts += [
        row["body"] for row in desk.read.rows("message", {"ticket_id": ticket.id, "direction": "in"}, order="seq")
    ]
    found = (number for text in texts for number in find_order_numbers(text, mailbox.order_pattern))
    return next(found, "")
