"""Which ticket a mail belongs to: the keys of domain.md section 6 in their order, with their guards.

Pure: what is known is asked of a `ThreadLookup`, and the answer is a value that also says why. What happens to the
ticket's status is the desk's decision; a match only says which ticket, as whom, and what to flag.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, Protocol

from supportdesk.mail.evidence import Evidence
from supportdesk.mail.phrases import RELAY_DOMAINS
from supportdesk.mail.signed import Forged, SignedMessage, SignedTicket, read_message_id, read_plus_address
from supportdesk.mail.subjects import base_subject, find_order_numbers, ticket_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from supportdesk.mail.model import Address, ParsedMail
    from supportdesk.mail.signed import SigningKeys

Key = Literal[
    "plus_token", "signed_message_id", "message_id", "shared_root", "subject_tag", "order_number", "relay_address",
    "none",
]  # fmt: skip
NewBecause = Literal["", "no_key", "stranger", "closed", "spam", "other_subject"]

MAX_IDS = 50  # of In-Reply-To and References that are looked up
OTHER_SUBJECT_AFTER = timedelta(days=30)
DUPLICATE_WITHIN = timedelta(days=7)
OVER = ("solved", "closed", "spam")


@dataclass(frozen=True, slots=True)
class TicketFacts:
    """What threading needs to know about a ticket; `id` is the root when the ticket asked for was merged."""

    id: int
    status: str
    subject: str
    participants: frozenset[str]  # case-folded addresses: requester, confirmed cc and third parties
    created_at: datetime
    last_activity: datetime
    closed_at: datetime | None = None
    last_sent: datetime | None = None  # our newest mail to the outside, which carried the ticket's token
    proposed: frozenset[str] = frozenset()  # named in Cc of the conversation, and not confirmed by an agent


@dataclass(frozen=True, slots=True)
class Home:
    """The ticket where a message now stands, before merges; `ours` when we sent it."""

    message_id: str
    ticket: int
    at: datetime
    ours: bool


class ThreadLookup(Protocol):
    """What the store answers; every method returns plain values and changes nothing."""

    def ticket(self, ticket: int) -> TicketFacts | None:
        """The ticket at the root of its merges, or None when there is none."""

    def home_of_outbox(self, outbox_id: int) -> Home | None:
        """The current home of the message that an outbox row became, or is about to become."""

    def homes_of_message_ids(self, message_ids: Sequence[str]) -> Sequence[Home]:
        """Every known message with one of these ids; one id may have several homes."""

    def homes_of_roots(self, roots: Sequence[str]) -> Sequence[Home]:
        """Every known message whose own conversation began with one of these ids; `message_id` is that id."""

    def tickets_by_order(self, number: str, customer: str) -> Sequence[int]:
        """Tickets about an order by the customer who has this address, newest first."""

    def tickets_of(self, customer: str) -> Sequence[int]:
        """Tickets of the customer who has this address, in any status, newest first."""

    def open_ticket_of(self, customer: str, since: datetime) -> int | None:
        """The newest of them that is not over and was created after `since`, at the root of its merges."""


@dataclass(frozen=True, slots=True)
class ThreadContext:
    """What is the same for many mails, and who wrote this one."""

    keys: SigningKeys
    instance: str
    now: datetime
    sender: Address | None  # the effective sender: the human inside a form or a certified mail
    sender_is_agent: bool = False  # authenticated; else an agent's mail has a customer's rights
    order_pattern: str = ""  # of the mailbox
    reopen_within: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Match:
    """The ticket a mail joins, or None for a new one, with the key that decided and what was seen on the way."""

    key: Key
    ticket: int | None
    evidence: tuple[Evidence, ...] = ()
    matched: TicketFacts | None = None  # what the key pointed to, joined or not
    new_because: NewBecause = ""
    external: bool = False  # by somebody who takes no part, signed or named in Cc: joins, flagged, sees no history
    subject_changed: bool = False
    conflict: bool = False  # keys pointed to different tickets; the newer message won
    suggested: int | None = None  # a link for an agent to confirm
    follow_up_of: int | None = None
    possible_duplicate: int | None = None
    answers_ours: bool = False  # In-Reply-To or References name a message that we sent
    outbox_id: int | None = None  # the outbox row that it answers or reports on


@dataclass(frozen=True, slots=True)
class _Candidate:
    key: Key
    ticket: TicketFacts
    value: str
    at: datetime | None = None
    ours: bool = False
    outbox_id: int | None = None

    @property
    def signed(self) -> bool:
        return self.key in ("plus_token", "signed_message_id")


def match(mail: ParsedMail, lookup: ThreadLookup, context: ThreadContext) -> Match:
    """Find the ticket of a mail: signed token, message ids, subject tag, order or relay address, else a new one."""
    log: list[Evidence] = []
    tokens = list(_by_token(mail, lookup, context, log))
    replied = list(_by_message_id(_named_ids(mail), lookup, context, log))
    answers = next((one for one in replied if one.ours), None)
    candidates = [*tokens, *replied]
    joinable = [one for one in candidates if _may_join(one, context)]
    chosen, conflict = _choose(joinable or candidates)
    if chosen is None or not _may_join(chosen, context):
        chosen = next(_by_weaker_keys(mail, lookup, context), chosen)
    outbox_id = (chosen and chosen.outbox_id) or (answers and answers.outbox_id) or None
    if chosen is None:
        found = Match("none", None, tuple(log), new_because="no_key")
    else:
        found = _guarded(mail, chosen, context, (*log, Evidence(chosen.key, chosen.value)))
    found = replace(found, conflict=conflict, answers_ours=answers is not None, outbox_id=outbox_id)
    if found.ticket is None:
        found = replace(found, possible_duplicate=_possible_duplicate(lookup, context))
    return found


def root_id(mail: ParsedMail) -> str:
    """The oldest message that a mail refers to, "" for none; in an old In-Reply-To the id comes after the names."""
    return next(filter(_is_key, (*mail.references[:1], *reversed(mail.in_reply_to))), "")


def match_report(mail: ParsedMail, lookup: ThreadLookup, context: ThreadContext) -> Match:
    """Find the ticket of a bounce or another report: the returned Message-ID, the envelope id, a token.

    Its sender is a mail server and takes no part in anything, so nothing but what we sent ourselves is believed.
    """
    log: list[Evidence] = []
    report = mail.report
    named = [report.original_message_id, report.original_envelope_id] if report is not None else []
    ids = [*filter(None, named), *_named_ids(mail)]
    candidates = [one for one in _by_message_id(ids, lookup, context, log) if one.ours]
    candidates += _by_token(mail, lookup, context, log)
    if not candidates:
        return Match("none", None, tuple(log), new_because="no_key")
    first = candidates[0]
    return Match(
        first.key,
        first.ticket.id,
        (*log, Evidence(first.key, first.value)),
        matched=first.ticket,
        answers_ours=first.ours,
        outbox_id=first.outbox_id,
    )


def _by_token(
    mail: ParsedMail, lookup: ThreadLookup, context: ThreadContext, log: list[Evidence]
) -> Iterator[_Candidate]:
    recipients = [*mail.delivered_to, *(address.addr for address in (*mail.to, *mail.cc))]
    for recipient in dict.fromkeys(recipients):
        match read_plus_address(context.keys, recipient):
            case SignedTicket(ticket=number):
                ticket = lookup.ticket(number)
                if ticket is None:
                    log.append(Evidence("token_without_ticket", recipient))
                else:
                    yield _Candidate("plus_token", ticket, recipient, ticket.last_sent)
            case Forged(text=text):
                log.append(Evidence("bad_mac", text))


def _by_message_id(
    ids: Sequence[str], lookup: ThreadLookup, context: ThreadContext, log: list[Evidence]
) -> Iterator[_Candidate]:
    """Our own signed ids first, then the others that we know; each in the order given."""
    unsigned = []
    for message_id in ids:
        match read_message_id(context.keys, context.instance, message_id):
            case SignedMessage(outbox_id=outbox_id):
                home = lookup.home_of_outbox(outbox_id)
                ticket = lookup.ticket(home.ticket) if home is not None else None
                if home is None or ticket is None:
                    log.append(Evidence("signed_id_without_ticket", message_id))
                else:
                    yield _Candidate("signed_message_id", ticket, message_id, home.at, ours=True, outbox_id=outbox_id)
            case Forged(text=text):
                log.append(Evidence("bad_mac", text))
            case None:
                unsigned.append(message_id)
    homes = sorted(lookup.homes_of_message_ids(unsigned), key=lambda home: home.at, reverse=True) if unsigned else []
    for message_id in unsigned:
        for home in homes:
            ticket = lookup.ticket(home.ticket) if home.message_id == message_id else None
            if ticket is not None:
                yield _Candidate("message_id", ticket, message_id, home.at, home.ours)


def _by_weaker_keys(mail: ParsedMail, lookup: ThreadLookup, context: ThreadContext) -> Iterator[_Candidate]:
    """A shared root, subject tags, order numbers, the marketplace's address: joinable ones, then a tag to suggest.

    Two answers to a mail that we never saw belong together where the same person takes part (THREAD-5): a newsletter
    has many readers.
    """
    roots = [one for one in dict.fromkeys((*_named_ids(mail), mail.message_id)) if _is_key(one)]
    for home in sorted(lookup.homes_of_roots(roots), key=lambda home: home.at, reverse=True) if roots else ():
        ticket = lookup.ticket(home.ticket)
        if ticket is not None and _takes_part(ticket, context):
            yield _Candidate("shared_root", ticket, home.message_id, home.at)
    tagged = [(number, ticket) for number in ticket_tags(mail.subject) if (ticket := lookup.ticket(number)) is not None]
    for number, ticket in tagged:
        if _takes_part(ticket, context):
            yield _Candidate("subject_tag", ticket, f"[#{number}]")
    if context.sender is not None:
        numbers = find_order_numbers(f"{mail.subject}\n{mail.fresh_text}", context.order_pattern)
        for order in numbers:
            for number in lookup.tickets_by_order(order, context.sender.norm):
                yield from _still_alive("order_number", lookup.ticket(number), order, context)
        if context.sender.domain in RELAY_DOMAINS:
            for number in lookup.tickets_of(context.sender.norm):
                yield from _still_alive("relay_address", lookup.ticket(number), context.sender.addr, context)
    for number, ticket in tagged:
        yield _Candidate("subject_tag", ticket, f"[#{number}]")


def _still_alive(key: Key, ticket: TicketFacts | None, value: str, context: ThreadContext) -> Iterator[_Candidate]:
    if (
        ticket is not None
        and ticket.status != "spam"
        and not _long_closed(ticket, context)
        and _takes_part(ticket, context)
    ):
        yield _Candidate(key, ticket, value)


def _choose(candidates: list[_Candidate]) -> tuple[_Candidate | None, bool]:
    """The first candidate; when they name different tickets, the first of the ticket with the newest message."""
    if len({one.ticket.id for one in candidates}) < 2:
        return (candidates[0] if candidates else None), False
    dated = [one for one in candidates if one.at is not None]
    newest = max(dated, key=lambda one: (one.at, one.signed)) if dated else candidates[0]
    return next(one for one in candidates if one.ticket.id == newest.ticket.id), True


def _guarded(mail: ParsedMail, chosen: _Candidate, context: ThreadContext, evidence: tuple[Evidence, ...]) -> Match:
    ticket = chosen.ticket
    stranger = not _takes_part(ticket, context)
    mine, theirs = base_subject(mail.subject), base_subject(ticket.subject)
    changed = bool(mine) and mine != theirs
    because: NewBecause = ""
    if not _may_join(chosen, context):
        because = "stranger"
    elif ticket.status == "spam":
        because = "spam"
    elif _long_closed(ticket, context):
        because = "closed"
    elif changed and context.now - ticket.last_activity > OTHER_SUBJECT_AFTER:
        because = "other_subject"
    found = Match(chosen.key, ticket.id, evidence, ticket, subject_changed=changed, external=stranger)
    if not because:
        return found
    found = replace(found, ticket=None, external=False, new_because=because)
    # A stranger's new ticket is not tied to somebody else's history before an agent says so.
    return replace(found, suggested=ticket.id) if stranger else replace(found, follow_up_of=ticket.id)


def _long_closed(ticket: TicketFacts, context: ThreadContext) -> bool:
    closed_at = ticket.closed_at or ticket.last_activity
    return ticket.status == "closed" and context.now - closed_at > context.reopen_within


def _may_join(one: _Candidate, context: ThreadContext) -> bool:
    """Whether the sender's mail comes to the ticket at all: whoever was named in Cc may answer what he was sent."""
    named = one.key == "message_id" and context.sender is not None and context.sender.norm in one.ticket.proposed
    return one.signed or named or _takes_part(one.ticket, context)


def _takes_part(ticket: TicketFacts, context: ThreadContext) -> bool:
    return context.sender_is_agent or (context.sender is not None and context.sender.norm in ticket.participants)


def _possible_duplicate(lookup: ThreadLookup, context: ThreadContext) -> int | None:
    if context.sender is None:
        return None
    return lookup.open_ticket_of(context.sender.norm, context.now - DUPLICATE_WITHIN)


def _named_ids(mail: ParsedMail) -> list[str]:
    """In-Reply-To, then References newest to oldest; a certified-mail receipt names the original in its own field."""
    receipt = mail.header("X-Riferimento-Message-ID")
    ids = [*mail.in_reply_to, *reversed(mail.references), *([receipt.strip()] if receipt else [])]
    return [one for one in dict.fromkeys(ids) if _is_key(one)][:MAX_IDS]


def _is_key(message_id: str) -> bool:
    """Whether an id can tell one conversation from another (`<yes>`, typed at a program's question, cannot)."""
    bare = message_id.strip("<> \t")
    return "@" in bare or bare[:3].lower() == "sd."
