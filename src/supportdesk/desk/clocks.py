"""A ticket's clocks as the stored rows make them: who waits since when, when an answer was first given, what is due.

`recompute` is called in every transaction that touches messages, outbox, dismissals, merges or statuses, after those
changes were applied. The rules are `desk.waiting` and `desk.sla`; here is only what they are fed with.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from supportdesk.desk import sla, waiting
from supportdesk.desk.calendar import Calendar
from supportdesk.desk.customers import Person, persons
from supportdesk.desk.model import MessageId, OutboxId, Ticket, TicketId
from supportdesk.desk.ports import Insert, Looks, NewRef, Plan, Row, Transaction, Update
from supportdesk.desk.settings import find_hours, settings_in

DUE = ("first_due", "next_due", "resolution_due", "due_at")
CLOCKS = ("waiting_since", "first_response_at", *DUE, "announce_at")
REPLY_KINDS = ("reply", "new")
SEEN = "seen"  # in a logged call's evidence: up to which seq its ticket had been read


def recompute(tx: Transaction, ticket_id: TicketId, *, refresh: bool = False) -> Plan:
    """The changes that bring the clocks of the ticket's whole family up to date; silent, because they follow.

    Works on the root of the merge. `refresh` takes today's policy and calendar instead of the stored ones.
    """
    root = root_of(tx, ticket_id)
    family = family_of(tx, root.id)
    conversation = read_conversation(tx, family)
    since, answered_at = conversation.waiting_since(), conversation.first_answer_at()
    plan, sla_id, policy, calendar = _sla(tx, root, since, refresh=refresh)
    pending = _pending_spells(tx, root) if policy.resolution else ()
    facts = sla.Facts(root.created_at, since, answered_at, root.solved_at, pending)
    targets = sla.compute(policy, calendar, facts) if root.status != "spam" else sla.Targets()
    columns = _columns(facts, targets)
    if all(columns[name] == getattr(root, name) for name in DUE):
        columns["announce_at"] = root.announce_at  # what was told of these deadlines is told
    plan += _silent_update(root, {"sla_id": sla_id, **columns})
    for member in family[1:]:
        # A merged ticket has no clock of its own: its customer waits in the survivor.
        plan += _silent_update(member, {**dict.fromkeys(CLOCKS), "first_response_at": member.first_response_at})
    return plan


def first_clocks(tx: Transaction, ticket: Row, message: Row) -> tuple[Plan, dict[str, Any]]:
    """The clock columns of a ticket that is about to be made with this one message: what `recompute` would find then.

    The plan makes the snapshot that `sla_id` refers to, before the ticket.
    """
    received = min(message["received_at"], message["created_at"])
    since = received if is_from_customer(message) else None
    is_answer = message["direction"] == "out" and message["author_kind"] == "agent" and message["kind"] == "mail"
    plan, sla_id, policy, calendar = _todays_sla(tx, ticket["mailbox_id"], ticket.get("market_id"))
    pending = ((tx.now, None),) if ticket.get("status") == "pending" else ()
    answered_at = message["received_at"] if is_answer else None
    facts = sla.Facts(ticket["created_at"], since, answered_at, ticket.get("solved_at"), pending)
    return plan, {"sla_id": sla_id, **_columns(facts, sla.compute(policy, calendar, facts))}


def targets_of(tx: Transaction, ticket: Ticket) -> sla.Targets:
    """The open targets with their announcements, by the stored policy and calendar."""
    *_unused, policy, calendar = _sla(tx, ticket, ticket.waiting_since, refresh=False)
    pending = _pending_spells(tx, ticket) if policy.resolution else ()
    facts = sla.Facts(ticket.created_at, ticket.waiting_since, ticket.first_response_at, ticket.solved_at, pending)
    return sla.compute(policy, calendar, facts)


def stored_calendar(tx: Transaction, ticket: Ticket) -> Calendar:
    """The opening hours that the ticket's targets run on."""
    *_unused, calendar = _sla(tx, ticket, ticket.waiting_since, refresh=False)
    return calendar


def calendar_of(tx: Transaction, mailbox_id: int | None, market_id: int | None = None) -> Calendar:
    """The opening hours that hold for a mailbox's tickets in a market; always open where none were set."""
    return tx.remember(("calendar", mailbox_id, market_id), lambda: find_hours(tx, mailbox_id, market_id))


# ---- merges ----------------------------------------------------------------------------------------------------------


def root_of(tx: Looks, ticket_id: TicketId) -> Ticket:
    """The ticket that survives at the end of the merge pointers."""
    ticket, seen = tx.ticket(ticket_id), {ticket_id}
    while ticket.merged_into is not None and ticket.merged_into not in seen:
        seen.add(ticket.merged_into)
        ticket = tx.ticket(ticket.merged_into)
    return ticket


def family_of(tx: Looks, root_id: TicketId) -> list[Ticket]:
    """The root and everything that was merged into it, directly or not; the root first."""
    family, generation = [tx.ticket(root_id)], [root_id]
    while generation:
        known = {member.id for member in family}
        rows = tx.rows("ticket", {"merged_into": list(generation)}, order="id")
        generation = [TicketId(row["id"]) for row in rows if row["id"] not in known]
        family += [tx.ticket(ticket_id) for ticket_id in generation]
    return family


# ---- the conversation ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the clock of one family runs on."""

    messages: tuple[waiting.CustomerMessage, ...]
    answers: tuple[waiting.Answer, ...]
    dismissals: tuple[waiting.Dismissal, ...]

    def waiting_since(self) -> datetime | None:
        return waiting.waiting_since(self.messages, self.answers, self.dismissals)

    def unanswered(self) -> tuple[waiting.CustomerMessage, ...]:
        return waiting.unanswered_messages(self.messages, self.answers, self.dismissals)

    def first_answer_at(self) -> datetime | None:
        there = [answer.at for answer in self.answers if answer.state in waiting.ON_ITS_WAY_OR_THERE]
        return min(there, default=None)


def read_conversation(tx: Transaction, family: Sequence[Ticket]) -> Conversation:
    homes = [member.id for member in family]
    merges = {
        member.id: waiting.Merge(member.merged_into, member.merged_at)
        for member in family
        if member.merged_into is not None and member.merged_at is not None
    }
    visible_from = {home: waiting.visible_from(home, merges) for home in homes}
    rows = tx.rows("message", {"ticket_id": homes, "direction": ["in", "out"]}, order="id", columns=_OF_A_MESSAGE)
    incoming = [row for row in rows if is_from_customer(row)]
    addresses = _sender_addresses(tx, incoming)
    messages = tuple(
        waiting.CustomerMessage(
            id=MessageId(row["id"]),
            home_ticket=TicketId(row["ticket_id"]),
            seq=row["seq"],
            sender_addresses=addresses[row["id"]] or frozenset({_NOBODY}),
            arrived_at=row["created_at"],
            visible_from={
                other: max(since, row["created_at"]) for other, since in visible_from[row["ticket_id"]].items()
            },
            # The customer waits since our mail server took it, not since we came to fetch it.
            received_at=min(row["received_at"], row["created_at"]),
        )
        for row in incoming
    )
    outgoing = [row for row in rows if row["direction"] == "out" and row["outbox_id"] is None]
    answers = (*_replies(tx, homes), *_other_answers(tx, outgoing, incoming))
    dismissals = tuple(
        waiting.Dismissal(row["reason"], home_ticket=TicketId(row["ticket_id"]), up_to_seq=row["up_to_seq"])
        for row in tx.rows("dismissal", {"ticket_id": homes, "undone": False})
    )
    return Conversation(messages, answers, dismissals)


def is_from_customer(row: Row) -> bool:
    """Whether a message row is what a human outside wrote to us, which needs an answer; history never does."""
    if row["direction"] != "in" or row["historic"]:
        return False
    return row["kind"] == "stub" or (row["kind"] in ("mail", "call") and row["author_kind"] in ("customer", "external"))


_OF_A_MESSAGE = (
    "id", "ticket_id", "seq", "direction", "kind", "author_kind", "identity_id", "received_at", "created_at",
    "historic", "outbox_id", "evidence",
)  # fmt: skip
_OF_A_REPLY = ("id", "ticket_id", "state", "seen_seq", "held_at", "updated_at", "discarded_at")
_OF_A_MAIL = ("message_id", "from_address", "reply_to")

# A message without any sender's address is answered by whatever is sent from its ticket after it was seen.
_NOBODY = ""


def _replies(tx: Transaction, homes: Sequence[TicketId]) -> Iterable[waiting.Answer]:
    rows = [
        row
        for row in tx.rows(
            "outbox", {"ticket_id": list(homes), "kind": list(REPLY_KINDS)}, order="id", columns=_OF_A_REPLY
        )
        if row["state"] != "draft" and row["discarded_at"] is None
    ]
    recipients: dict[int, dict[str, waiting.RecipientState]] = defaultdict(dict)
    if rows:
        for row in tx.rows("outbox_recipient", {"outbox_id": [row["id"] for row in rows]}):
            recipients[row["outbox_id"]][row["address"].casefold()] = row["state"]
    for row in rows:
        yield waiting.Answer(
            outbox_id=OutboxId(row["id"]),
            home_ticket=TicketId(row["ticket_id"]),
            seen_seq=row["seen_seq"],
            recipients={**recipients[row["id"]], _NOBODY: "pending"},
            state=row["state"],
            at=row["held_at"] or row["updated_at"],
        )


def _other_answers(tx: Transaction, outgoing: Sequence[Row], incoming: Sequence[Row]) -> Iterable[waiting.Answer]:
    """Logged calls, and our own mail that was found in Sent, in a Bcc or in an import."""
    recipients: dict[int, dict[str, waiting.RecipientState]] = defaultdict(dict)
    if outgoing:
        for row in tx.rows("message_recipient", {"message_id": [row["id"] for row in outgoing]}):
            recipients[row["message_id"]][row["address"].casefold()] = row["state"] or "accepted"
    for row in outgoing:
        if row["author_kind"] != "agent" or row["kind"] not in ("mail", "call"):
            continue
        yield waiting.Answer(
            outbox_id=None,
            home_ticket=TicketId(row["ticket_id"]),
            seen_seq=row["evidence"].get(SEEN, row["seq"]) if row["kind"] == "call" else _seen_by_mail(row, incoming),
            recipients={**recipients[row["id"]], _NOBODY: "pending"},
            state="sent",
            at=row["created_at"] if row["kind"] == "call" else row["received_at"],
        )


def _seen_by_mail(reply: Row, incoming: Sequence[Row]) -> int:
    """A mail that was not written here saw what was sent before it, in whatever order the two were fetched."""
    later = [
        row["seq"]
        for row in incoming
        if row["ticket_id"] == reply["ticket_id"] and row["received_at"] > reply["received_at"]
    ]
    known = [row["seq"] for row in incoming if row["ticket_id"] == reply["ticket_id"]]
    return int(min(later) - 1 if later else max([reply["seq"], *known]))


def _sender_addresses(tx: Transaction, incoming: Sequence[Row]) -> Mapping[int, frozenset[str]]:
    """Every address of each message's sender: of the customer, and what the mail itself says."""
    identities = [row["identity_id"] for row in incoming if row["identity_id"] is not None]
    customer_of: dict[int, int] = {}
    people: dict[int, Person] = {}
    known: dict[int, set[str]] = defaultdict(set)
    if identities:
        found = tx.rows("customer_identity", {"id": sorted(set(identities))})
        customer_of = {row["id"]: row["customer_id"] for row in found}
        people = persons(tx, customer_of.values())
        everybody = sorted({member for person in people.values() for member in person.members})
        for row in tx.rows("customer_identity", {"customer_id": everybody, "kind": "email"}):
            known[row["customer_id"]].add(row["value_norm"])
    of_mail: dict[int, set[str]] = defaultdict(set)
    if incoming:
        for row in tx.rows("message_mail", {"message_id": [row["id"] for row in incoming]}, columns=_OF_A_MAIL):
            of_mail[row["message_id"]] = {
                address.casefold()
                for address in (row["from_address"], *map(_address_in, row["reply_to"] or ()))
                if address
            }
    addresses = {}
    for row in incoming:
        customer = customer_of.get(row["identity_id"])
        own = (known[member] for member in people[customer].members) if customer is not None else ()
        addresses[row["id"]] = frozenset(of_mail[row["id"]].union(*own))
    return addresses


def _address_in(value: Any) -> str:
    """A stored address is its text, a [name, address] pair, or a mapping with `addr`."""
    if isinstance(value, Mapping):
        return str(value.get("addr") or value.get("address") or "")
    return str(value[-1]) if isinstance(value, list | tuple) and value else str(value or "")


# ---- targets ---------------------------------------------------------------------------------------------------------


def _sla(
    tx: Transaction, ticket: Ticket, since: datetime | None, *, refresh: bool
) -> tuple[Plan, int | NewRef | None, sla.Policy, Calendar]:
    """The policy and calendar that hold for the ticket's targets, with their snapshot and the plan that makes it.

    A target that starts takes today's.
    """
    starts = since is not None and ticket.waiting_since is None
    if ticket.sla_id is not None and not refresh and not starts:
        stored = tx.remember(("sla", ticket.sla_id), lambda: _read_snapshot(tx, ticket.sla_id))
        if stored is not None:
            return Plan(), ticket.sla_id, *stored
    return _todays_sla(tx, ticket.mailbox_id, ticket.market_id)


def _read_snapshot(tx: Transaction, snapshot_id: int | None) -> tuple[sla.Policy, Calendar] | None:
    row = tx.row("sla_snapshot", {"id": snapshot_id})
    return (sla.Policy.from_json(row["body"]["policy"]), Calendar.from_json(row["body"]["calendar"])) if row else None


def _todays_sla(
    tx: Transaction, mailbox_id: int | None, market_id: int | None
) -> tuple[Plan, int | NewRef, sla.Policy, Calendar]:
    return tx.remember(("sla today", mailbox_id, market_id), lambda: _make_todays_sla(tx, mailbox_id, market_id))


def _make_todays_sla(
    tx: Transaction, mailbox_id: int | None, market_id: int | None
) -> tuple[Plan, int | NewRef, sla.Policy, Calendar]:
    policy, calendar = sla.Policy.from_json(settings_in(tx).policy), calendar_of(tx, mailbox_id, market_id)
    body = {"policy": policy.to_json(), "calendar": calendar.to_json()}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()
    found = tx.rows("sla_snapshot", {"digest": digest}, limit=1)
    if found:
        return Plan(), found[0]["id"], policy, calendar
    snapshot = NewRef("sla_snapshot")
    insert = Insert("sla_snapshot", {"digest": digest, "body": body}, snapshot)
    return Plan(silent=(insert,)), snapshot, policy, calendar


def _columns(facts: sla.Facts, targets: sla.Targets) -> dict[str, Any]:
    return {
        "waiting_since": facts.waiting_since,
        "first_response_at": facts.first_response_at,
        "first_due": targets.first_due,
        "next_due": targets.next_due,
        "resolution_due": targets.resolution_due,
        "due_at": sla.due(targets),
        "announce_at": targets.announce_at,
    }


def _pending_spells(tx: Transaction, ticket: Ticket) -> tuple[tuple[datetime, datetime | None], ...]:
    """When the ticket was pending, by its events: those that change a status carry `status`."""
    spells: list[tuple[datetime, datetime | None]] = []
    for row in tx.rows("event", {"ticket_id": ticket.id}, order="seq", columns=("at", "data")):
        status = (row["data"] or {}).get("status")
        if status == "pending" and (not spells or spells[-1][1] is not None):
            spells.append((row["at"], None))
        elif status and status != "pending" and spells and spells[-1][1] is None:
            spells[-1] = (spells[-1][0], row["at"])
    if ticket.status == "pending" and (not spells or spells[-1][1] is not None):
        spells.append((ticket.updated_at, None))
    elif ticket.status != "pending" and spells and spells[-1][1] is None:
        spells[-1] = (spells[-1][0], ticket.updated_at)
    return tuple(spells)


def _silent_update(ticket: Ticket, after: Mapping[str, Any]) -> Plan:
    changed = {name: value for name, value in after.items() if getattr(ticket, name) != value}
    if not changed:
        return Plan()
    before = {name: getattr(ticket, name) for name in changed}
    return Plan(silent=(Update("ticket", {"id": ticket.id}, before, changed),))
