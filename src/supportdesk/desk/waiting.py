"""Who is waiting: the clock `waiting_since`, computed from messages, answers and dismissals (domain.md section 1).

Every function is given one family: a ticket and all that is merged into it. Messages keep their home ticket, and `seq`
counts per home. Only what can answer is passed in: public replies, logged calls, our own mail found in Sent; never
forwards, notes, acknowledgements or bumps. Status, snooze, merge and owner do not appear here, because they never stop
the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from supportdesk.desk.model import DISMISS_REASONS, DismissReason, MessageId, OutboxId, OutboxState, TicketId
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

ON_ITS_WAY_OR_THERE: Final = frozenset({"held", "sending", "deferred", "sent"})
NOT_OUT_OR_IN_DOUBT: Final = frozenset({"draft", "uncertain"})

RecipientState = Literal["", "pending", "accepted", "deferred", "failed", "bounced", "uncertain"]


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """A message that a human customer wrote.

    `sender_addresses` are all normalised addresses of its sender, whichever he used here. `visible_from` says for each
    other ticket of the family since when those who answer there see this message (`desk.waiting.visible_from`).
    `arrived_at` is when this desk had it: nobody can have seen it before. `received_at` is when the mail server took
    it, where that is known: from then on the customer waits, also while no worker ran.
    """

    id: MessageId
    home_ticket: TicketId
    seq: int
    sender_addresses: frozenset[str]
    arrived_at: datetime
    visible_from: Mapping[TicketId, datetime] = field(default_factory=dict)
    received_at: datetime | None = None

    @property
    def waits_since(self) -> datetime:
        return self.received_at or self.arrived_at


@dataclass(frozen=True, slots=True)
class Merge:
    """The pointer of a merged ticket: its `merged_into` and `merged_at`."""

    into: TicketId
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A public reply, or a logged call (state `sent`, recipients: the addresses of the customer who was called).

    `at` is when it was written, that is held; `seen_seq` what its writer had seen of its home ticket. `recipients` maps
    each normalised address to its own delivery state.
    """

    outbox_id: OutboxId | None
    home_ticket: TicketId
    seen_seq: int
    recipients: Mapping[str, RecipientState]
    state: OutboxState
    at: datetime


@dataclass(frozen=True, slots=True)
class Dismissal:
    """*No reply needed*: for the messages named, and for those of `home_ticket` up to and including `up_to_seq`."""

    reason: DismissReason
    message_ids: frozenset[MessageId] = field(default_factory=frozenset)
    home_ticket: TicketId | None = None
    up_to_seq: int = 0

    def __post_init__(self) -> None:
        if self.reason not in DISMISS_REASONS:
            raise UsageError(
                _("{reason!r} is no reason").format(reason=self.reason),
                hint=_("known: {names}").format(names=", ".join(DISMISS_REASONS)),
            )

    def covers(self, message: CustomerMessage) -> bool:
        return message.id in self.message_ids or (
            message.home_ticket == self.home_ticket and message.seq <= self.up_to_seq
        )


def waiting_since(
    messages: Iterable[CustomerMessage], answers: Sequence[Answer], dismissals: Sequence[Dismissal] = ()
) -> datetime | None:
    """The time of the oldest customer message that nobody has answered or dismissed; None when nobody waits."""
    return min((message.waits_since for message in unanswered_messages(messages, answers, dismissals)), default=None)


def unanswered_messages(
    messages: Iterable[CustomerMessage], answers: Sequence[Answer], dismissals: Sequence[Dismissal] = ()
) -> tuple[CustomerMessage, ...]:
    """The messages behind `waiting_since`, oldest first."""
    open_ones = [
        message
        for message in messages
        if not any(answers_message(answer, message) for answer in answers)
        and not any(dismissal.covers(message) for dismissal in dismissals)
    ]
    return tuple(sorted(open_ones, key=lambda message: (message.waits_since, message.id)))


def visible_from(home: TicketId, merges: Mapping[TicketId, Merge]) -> dict[TicketId, datetime]:
    """Since when each other ticket of `home`'s family shows its messages; `merges` are the pointers of the family.

    Two tickets see each other since the latest of the merges on the way from one to the other.
    """
    up = _way_to_root(home, merges)
    found: dict[TicketId, datetime] = {}
    for other in {*merges, *(merge.into for merge in merges.values())} - {home}:
        way = _way_to_root(other, merges)
        meeting = next((ticket for ticket in way if ticket in up), None)
        if meeting is None:
            continue
        times = [at for at in (up[meeting], way[meeting]) if at is not None]
        found[other] = max(times)
    return found


def answers_message(answer: Answer, message: CustomerMessage) -> bool:
    """Whether `answer` was written having seen `message`, and is on its way to, or with, an address of its sender."""
    return _had_seen(answer, message) and any(_reaches(answer, address) for address in message.sender_addresses)


def _way_to_root(ticket: TicketId, merges: Mapping[TicketId, Merge]) -> dict[TicketId, datetime | None]:
    """Each ticket from `ticket` up to its root, with the latest merge so far; cycles are refused when merging."""
    way: dict[TicketId, datetime | None] = {ticket: None}
    latest: datetime | None = None
    while (merge := merges.get(ticket)) is not None and merge.into not in way:
        latest = merge.at if latest is None else max(latest, merge.at)
        ticket = merge.into
        way[ticket] = latest
    return way


def _had_seen(answer: Answer, message: CustomerMessage) -> bool:
    if answer.home_ticket == message.home_ticket:
        return message.seq <= answer.seen_seq
    # Another home counts its own seq. What was on screen there follows from the time, and a tie favours the customer.
    visible = message.visible_from.get(answer.home_ticket)
    return visible is not None and answer.at > max(message.arrived_at, visible)


def _reaches(answer: Answer, address: str) -> bool:
    # In doubt even an accepted recipient does not count: the server may have taken the address and lost the text.
    if answer.state in NOT_OUT_OR_IN_DOUBT or address not in answer.recipients:
        return False
    own = answer.recipients[address]
    if own in ("failed", "bounced", "uncertain"):
        return False
    if own == "accepted":
        # The row is failed or bounced because of somebody else, if anybody is named; unnamed, it may be this address.
        return answer.state not in ("failed", "bounced") or any(
            state in ("failed", "bounced") for state in answer.recipients.values()
        )
    return answer.state in ON_ITS_WAY_OR_THERE
