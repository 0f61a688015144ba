"""Two customers become one: one person who writes from two addresses. A pointer, which undo drops in any order.

Nothing is moved and nothing is copied: what both have is read together by `customers`, later mail from either address
goes to the survivor, and only the clocks of conversations with both can change.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk import guards
from supportdesk.desk.agents import check_actor
from supportdesk.desk.bulk import check_guard, current, update_clocks
from supportdesk.desk.customers import Person, person_of, persons
from supportdesk.desk.model import Actor, CustomerId, CustomerView, TicketId, as_one
from supportdesk.desk.ports import Plan, PlannedEvent, Row, Transaction, Update
from supportdesk.desk.results import AnswerNeeded, Done
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.turns import again_if_busy
from supportdesk.errors import Conflict, NotFound
from supportdesk.l10n.catalog import _, ngettext
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from supportdesk.desk.actions import Call
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import Reader

EVENT: Final = "merge_customer"
KEEP: Final = ("this", "other")
MOST_SUGGESTED: Final = 8
LOOKED_THROUGH: Final = 30  # addresses that begin as somebody typed
AT_ONCE: Final = 500  # values in one question
OF_ANYBODY: Final = frozenset(
    {"admin", "contact", "hello", "info", "kontakt", "mail", "office", "post", "sales", "service", "support"}
)
"""What stands before the @ of many who are nothing to each other."""

_IN_BRACKETS: Final = re.compile(r"<([^<>]+)>\s*$")


@dataclass(frozen=True, slots=True)
class ForeseenMerge:
    """What a merge would make: the two as they are, and what would be known of the survivor then."""

    kept: CustomerView
    merged: CustomerView
    name: str
    language: str
    language_source: str


# ---- merging ---------------------------------------------------------------------------------------------------------


def merge_on_ticket(call: Call) -> Done:
    """Merge the ticket's customer with another one. Raises AnswerNeeded where nobody has said who survives."""
    desk = call.desk
    ticket = desk.read.ticket(call.tickets[0])
    if ticket.customer_id is None:
        raise NotFound(_("#{ticket} has no customer").format(ticket=ticket.id))
    this, other = person_of(desk.read, ticket.customer_id).id, find_customer(desk.read, call.params["customer"])
    if not call.params.get("keep"):
        _check_two(this, other)
        both = (desk.read.customer(CustomerId(one)) for one in (this, other))
        options = dict(zip(KEEP, map(described, both), strict=True))
        hint = "; ".join(f"{name}: {who}" for name, who in options.items())
        raise AnswerNeeded(_("Which of the two customers survives?"), param="keep", hint=hint, options=options)
    kept, merged = (this, other) if call.params["keep"] == "this" else (other, this)
    return _merge(desk, call.actor, kept, merged, ticket.id, call.expect)


def merge_customers(desk: Desk, actor: Actor, kept: int, merged: int) -> Done:
    """Make two customers one, of whom `kept` survives. Raises Conflict where they are one already, NotFound."""
    return _merge(desk, actor, kept, merged)


def foresee_merge(reader: Reader, kept: int, merged: int) -> ForeseenMerge:
    """The dry run of a merge. Raises Conflict and NotFound as that would."""
    first, second = person_of(reader, kept), person_of(reader, merged)
    _check_two(first.id, second.id)
    rows = {row["id"]: row for row in reader.rows("customer", {"id": [*first.members, *second.members]})}
    known = as_one([rows.pop(first.id), *(rows[customer] for customer in sorted(rows))])
    kept_view, merged_view = (reader.customer(CustomerId(one.id)) for one in (first, second))
    return ForeseenMerge(kept_view, merged_view, known["name"], known["language"], known["language_source"])


@again_if_busy
def _merge(
    desk: Desk, actor: Actor, kept: int, merged: int, ticket_id: TicketId | None = None,
    expect: Mapping[TicketId, int] | None = None,
) -> Done:  # fmt: skip
    action_id, before = new_action_id(), desk.read.customer(CustomerId(merged))
    with desk.store.transaction() as tx:
        check_actor(tx, actor)
        tx.only_one(EVENT)  # two at once could point at each other
        if ticket_id is not None:
            ticket = current(tx, ticket_id, actor, expect)
            check_guard(guards.not_merged(ticket, actor), ticket)
        survivor, other = person_of(tx, kept), person_of(tx, merged)
        _check_two(survivor.id, other.id)
        pointer = Update("customer", {"id": other.id}, {"merged_into": None}, {"merged_into": survivor.id})
        event = PlannedEvent(ticket_id, EVENT, {"customer": other.id, "into": survivor.id})
        tx.apply(Plan(changes=(pointer,), events=(event,)), actor, action_id)
        update_clocks(tx, _conversations_of_both(tx, survivor, other), actor, action_id)
    said = _("{name} is one customer with {kept} now")
    said = said.format(name=_named(before), kept=_named(desk.read.customer(CustomerId(kept))))
    return Done(action_id, (ticket_id,) if ticket_id is not None else (), said)


def conversations_parted(tx: Transaction, event: Mapping[str, Any]) -> list[TicketId]:
    """The conversations whose clocks follow from that merge, after it was taken back."""
    people = persons(tx, (event["customer"], event["into"]))
    return _conversations_of_both(tx, people[event["customer"]], people[event["into"]])


def _check_two(one: int, other: int) -> None:
    if one == other:
        raise Conflict(_("they are one customer already"), what=EVENT)


def _conversations_of_both(tx: Transaction, one: Person, other: Person) -> list[TicketId]:
    """Where one of them wrote and something went to an address of the other: that may be an answer or not."""
    wrote: list[set[int]] = []
    addresses: list[set[str]] = []
    for person in (one, other):
        identities = tx.rows("customer_identity", {"customer_id": person.members})
        addresses.append({row["value_norm"] for row in identities})
        ids = [row["id"] for row in identities]
        wrote.append({row["ticket_id"] for row in _rows(tx, "message", "identity_id", ids, ("ticket_id",))})
    top = _tops(tx, wrote[0] | wrote[1])
    sent_to: dict[int, set[str]] = {}
    for table, where in (("outbox", {}), ("message", {"direction": "out"})):
        mails = _rows(tx, table, "ticket_id", top, ("id", "ticket_id"), where)
        homes, of = {row["id"]: row["ticket_id"] for row in mails}, f"{table}_id"
        for row in _rows(tx, f"{table}_recipient", of, homes, (of, "address")):
            sent_to.setdefault(top[homes[row[of]]], set()).add(row["address"].casefold())
    return [
        TicketId(root)
        for root in sorted(sent_to)
        if any(
            sent_to[root] & addresses[1 - side] and any(top[home] == root for home in wrote[side]) for side in (0, 1)
        )
    ]


def _tops(tx: Transaction, tickets: Collection[int]) -> dict[int, int]:
    """These tickets and all of their families, each with the survivor of its merges."""
    into: dict[int, int | None] = {}
    columns = ("id", "merged_into")
    unknown = set(tickets)
    while unknown:
        into |= {row["id"]: row["merged_into"] for row in _rows(tx, "ticket", "id", unknown, columns)}
        unknown = {above for above in into.values() if above is not None} - into.keys()
    top = {ticket: ticket for ticket, above in into.items() if above is None}
    generation = list(top)
    while generation:
        below = _rows(tx, "ticket", "merged_into", generation, columns)
        top |= {row["id"]: top[row["merged_into"]] for row in below}
        generation = [row["id"] for row in below]
    return top


def _rows(
    tx: Transaction, table: str, column: str, values: Iterable[int], columns: Sequence[str], where: Row | None = None
) -> list[Row]:
    """However many values there are, some hundreds at a time."""
    wanted, found = sorted(values), list[Row]()
    for at in range(0, len(wanted), AT_ONCE):
        found += tx.rows(table, {column: wanted[at : at + AT_ONCE], **(where or {})}, columns=columns)
    return found


# ---- who is meant ----------------------------------------------------------------------------------------------------


def find_customer(reader: Reader, who: int | str) -> int:
    """The person of that number, address or whole name. Raises NotFound, which names those who could be meant."""
    text = str(who).strip()
    if text.isdecimal():
        return person_of(reader, int(text)).id
    address = _IN_BRACKETS.search(text)
    if address is not None or re.fullmatch(r"[^\s@]+@[^\s@]+", text):
        norm = Address("", address[1] if address is not None else text).norm
        known = reader.rows("customer_identity", {"kind": "email", "value_norm": norm})
        if known:
            return person_of(reader, known[0]["customer_id"]).id
        raise NotFound(_("no customer has the address {address}").format(address=norm))
    found = customers_named(reader, text)
    exact = [view for view in found if view.name.casefold() == text.casefold()]
    if len(exact) != 1:
        hint = ", ".join(described(view) for view in exact or found)
        raise NotFound(_("{name} is not the name of exactly one customer").format(name=repr(text)), hint=hint)
    return int(exact[0].id)


def customers_named(reader: Reader, begun: str) -> list[CustomerView]:
    """Those an address or a word of whose name begins so, the newest first."""
    return _customers_at(reader, [address for _name, address in reader.addresses(begun, limit=LOOKED_THROUGH)])


def suggest_customers(reader: Reader, customer_id: int) -> list[CustomerView]:
    """Who may be the same person: who wrote on his tickets, who is called the same, whose address begins the same."""
    own = reader.customer(CustomerId(customer_id))
    parts = reader.rows("participant", {"ticket_id": [ticket[0] for ticket in own.tickets]}, order="-id")
    parts.sort(key=lambda row: row["role"] not in ("external", "proposed"))
    identities = {row["id"]: row for row in reader.rows("customer_identity", {"id": [r["identity_id"] for r in parts]})}
    addresses = [identities[row["identity_id"]]["value"] for row in parts]
    if own.name:
        named = reader.addresses(own.name, limit=LOOKED_THROUGH)
        addresses += (address for name, address in named if name.casefold() == own.name.casefold())
    for local in dict.fromkeys(address.partition("@")[0] for address in own.addresses):
        if local.casefold() not in OF_ANYBODY:
            addresses += (address for _name, address in reader.addresses(f"{local}@", limit=LOOKED_THROUGH))
    return _customers_at(reader, addresses, besides=customer_id)


def described(view: CustomerView) -> str:
    """A customer in a line: name, first address, how many others, number of tickets."""
    tickets = ngettext("{count} ticket", "{count} tickets", view.ticket_count).format(count=view.ticket_count)
    more = len(view.addresses) - 1
    others = ngettext("{count} more address", "{count} more addresses", more).format(count=more)
    return " · ".join((_named(view), *([others] if more > 0 else []), tickets))


def _named(view: CustomerView) -> str:
    address = next(iter(view.addresses), "")
    return f"{view.name} <{address}>" if view.name and address else view.name or address or str(view.id)


def _customers_at(reader: Reader, addresses: Sequence[str], *, besides: int | None = None) -> list[CustomerView]:
    norms = list(dict.fromkeys(Address("", address).norm for address in addresses))
    rows = reader.rows("customer_identity", {"kind": "email", "value_norm": norms})
    at = {row["value_norm"]: row["customer_id"] for row in rows}
    people = persons(reader, [*at.values(), besides])
    left_out = people[besides].id if besides is not None else None
    ids = dict.fromkeys(people[at[norm]].id for norm in norms if norm in at)
    return [reader.customer(CustomerId(one)) for one in ids if one != left_out][:MOST_SUGGESTED]
