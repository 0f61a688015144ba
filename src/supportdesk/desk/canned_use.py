"""Canned responses on a ticket: what they ask for, and the text for this customer. The texts live in the database."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from supportdesk.desk.canned import (
    AskField,
    CannedResponse,
    Variant,
    build_response,
    choose,
    context,
    fields,
    prefill,
    read_answers,
    response_meta,
    variant_meta,
)
from supportdesk.desk.model import Actor, CustomerView, Mailbox, Ticket, TicketId
from supportdesk.desk.people import check_actor
from supportdesk.desk.ports import Change, Delete, Insert, NewRef, Plan, PlannedEvent, Transaction, Update
from supportdesk.desk.reply_language import reply_language
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import _, current_language
from supportdesk.mail.subjects import find_order_numbers

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.drafts import Rows
    from supportdesk.desk.ports import Reader, Row
    from supportdesk.desk.templates import Rendered

FALLBACK_CURRENCY = "EUR"
ASK_ORDER = "ask_order"  # a JSON column keeps its keys sorted; agents are asked in the author's order


@dataclass(frozen=True, slots=True)
class _Case:
    """The ticket with what a canned response reads of it."""

    ticket: Ticket
    mailbox: Mailbox | None
    customer: CustomerView | None
    region: str
    register: str
    zone: ZoneInfo
    currency: str


def list_canned(reader: Reader) -> tuple[CannedResponse, ...]:
    variants: dict[int, list[Row]] = {}
    for row in reader.rows("canned_variant", order="tag"):
        variants.setdefault(row["canned_id"], []).append(row)
    return tuple(_response(row, variants.get(row["id"], ())) for row in reader.rows("canned", order="key"))


def find_canned(reader: Rows, key: str) -> CannedResponse:
    found = reader.rows("canned", {"key": key})
    if not found:
        raise NotFound(_("there is no canned response {key}").format(key=key), hint="supportdesk canned list")
    return _response(found[0], reader.rows("canned_variant", {"canned_id": found[0]["id"]}))


def ask_fields(desk: Desk, key: str, ticket_id: TicketId) -> tuple[tuple[AskField, str], ...]:
    """What the variant for this customer asks the agent, with what the ticket already tells."""
    response, case = find_canned(desk.read, key), _case(desk, ticket_id)
    variant = _variant(response, case)
    known = prefill(response, _values(desk, case, variant, ""))
    return tuple((item, known.get(item.name, "")) for item in fields(response, variant))


def render(desk: Desk, actor: Actor, ticket_id: TicketId, key: str, asked: Mapping[str, str]) -> Rendered:
    """The text in the customer's language. Raises MissingValue naming what is missing, never a half-filled text."""
    from supportdesk.desk.templates import render as render_variant

    response, case = find_canned(desk.read, key), _case(desk, ticket_id)
    known = {item.name for item in response.ask}
    if stray := sorted(set(asked) - known):
        raise UsageError(
            _("{key} does not ask for {names}").format(key=key, names=", ".join(stray)), hint=", ".join(known)
        )
    variant = _variant(response, case)
    values = _values(desk, case, variant, actor.name)
    today = desk.clock.now().astimezone(case.zone).date()
    typed = {**prefill(response, values), **asked}
    answers = read_answers(response, typed, current_language(), currency=case.currency, today=today)
    locale = f"{variant.tag.language}-{case.region}" if case.region and not variant.tag.region else variant.tag.locale
    return render_variant(variant, {**values, "ask": answers}, locale, case.zone)


@again_if_busy
def import_responses(
    desk: Desk, actor: Actor, responses: Sequence[CannedResponse], *, dry_run: bool = False
) -> tuple[str, ...]:
    """Insert or replace by key, all or nothing; returns `new KEY` or `changed KEY` for what differs."""
    stored = {response.key: response for response in list_canned(desk.read)}
    changed = [response for response in responses if stored.get(response.key) != response]
    lines = tuple(f"{'changed' if response.key in stored else 'new'} {response.key}" for response in changed)
    if dry_run or not changed:
        return lines
    with desk.store.transaction() as tx:
        check_actor(tx, actor, "lead")
        action_id = new_action_id()
        changes = [change for response in changed for change in _replace(tx, response)]
        tx.apply(Plan(silent=tuple(changes), events=(PlannedEvent(None, "canned"),), undoable=False), actor, action_id)
    return lines


def _response(row: Row, variants: Sequence[Row]) -> CannedResponse:
    meta = dict(row["meta"] or {})
    order = meta.pop(ASK_ORDER, ())
    if "ask" in meta:
        meta["ask"] = {name: meta["ask"][name] for name in order}
    return build_response(row["key"], meta, [(item["tag"], item["meta"] or {}, item["body"]) for item in variants])


def _replace(tx: Transaction, response: CannedResponse) -> list[Change]:
    found = tx.rows("canned", {"key": response.key})
    meta = {**response_meta(response), ASK_ORDER: [item.name for item in response.ask]}
    changes: list[Change] = []
    canned_id: int | NewRef
    if found:
        canned_id = found[0]["id"]
        changes.append(Update("canned", {"id": canned_id}, {"version": found[0]["version"]}, {"meta": meta}))
        changes += [
            Delete("canned_variant", {"canned_id": canned_id, "tag": row["tag"]}, row)
            for row in tx.rows("canned_variant", {"canned_id": canned_id})
        ]
    else:
        canned_id = NewRef(f"canned {response.key}")
        changes.append(Insert("canned", {"key": response.key, "meta": meta}, canned_id))
    changes += [
        Insert(
            "canned_variant",
            {"canned_id": canned_id, "tag": str(variant.tag), "meta": variant_meta(variant), "body": variant.body},
        )
        for variant in response.variants
    ]
    return changes


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


def _variant(response: CannedResponse, case: _Case) -> Variant:
    language = case.ticket.language or (case.customer.language if case.customer else "")
    if case.mailbox is not None:
        language = reply_language(language or case.mailbox.language, case.mailbox.languages, case.mailbox.settings)
    return choose(response, language, case.region, "formal" if case.register == "formal" else "")


def _values(desk: Desk, case: _Case, variant: Variant, agent_name: str) -> dict[str, Any]:
    ticket, customer, mailbox = case.ticket, case.customer, case.mailbox
    return context(
        variant.tag,
        customer_name=customer.name if customer else "",
        customer_address=customer.addresses[0] if customer and customer.addresses else "",
        shop_name=(mailbox.shop_name if mailbox else "") or desk.settings().shop_name,
        shop_address=mailbox.address if mailbox else "",
        agent_name=agent_name,
        ticket_number=ticket.id,
        ticket_subject=ticket.subject,
        order_number=ticket.order_number or _order_in_text(desk, case),
        today=desk.clock.now().astimezone(case.zone).date(),
    )


def _order_in_text(desk: Desk, case: _Case) -> str:
    """The first number that the mailbox's pattern finds in the subject or in what the customer wrote."""
    if case.mailbox is None or not case.mailbox.order_pattern:
        return ""
    texts = [case.ticket.subject]
    texts += [
        row["body"] for row in desk.read.rows("message", {"ticket_id": case.ticket.id, "direction": "in"}, order="seq")
    ]
    found = (number for text in texts for number in find_order_numbers(text, case.mailbox.order_pattern))
    return next(found, "")
