"""The clock of the waiting customer: by hand, and against a desk that keeps its own books event by event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from supportdesk.desk.model import OUTBOX_STATES, MessageId, OutboxId, OutboxState, TicketId
from supportdesk.desk.waiting import (
    Answer,
    CustomerMessage,
    Dismissal,
    Merge,
    RecipientState,
    answers_message,
    unanswered_messages,
    visible_from,
    waiting_since,
)
from supportdesk.errors import UsageError

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANNA = frozenset({"anna@example.com", "anna.rossi@work.example"})
BRUNO = frozenset({"bruno@example.com"})


T1, T2, T3 = TicketId(1), TicketId(2), TicketId(3)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def message(number: int, minutes: int, **changes) -> CustomerMessage:
    return replace(CustomerMessage(MessageId(number), T1, number, ANNA, at(minutes)), **changes)


def answer(seen: int, minutes: int, state: OutboxState = "sent", **changes) -> Answer:
    return replace(Answer(OutboxId(1), T1, seen, {"anna@example.com": "pending"}, state, at(minutes)), **changes)


def test_a_second_mail_does_not_push_the_customer_back():
    assert waiting_since([message(1, 0), message(2, 50)], []) == at(0)


def test_the_order_of_arrival_counts_not_the_order_of_numbers():
    assert waiting_since([message(1, 50), message(2, 0)], []) == at(0)


def test_the_customer_waits_since_the_mail_server_took_the_mail_not_since_we_fetched_it():
    assert waiting_since([message(1, 50, received_at=at(0))], []) == at(0)


def test_nobody_waits_on_an_empty_ticket():
    assert waiting_since([], []) is None


@pytest.mark.parametrize(
    ("state", "answers"),
    [
        ("held", True),
        ("sending", True),
        ("deferred", True),
        ("sent", True),
        ("draft", False),  # also a reply that was undone or stopped
        ("uncertain", False),
        ("failed", False),
        ("bounced", False),
    ],
)
def test_only_an_answer_that_is_on_its_way_stops_the_clock(state: OutboxState, answers: bool):
    assert (waiting_since([message(1, 0)], [answer(1, 10, state)]) is None) is answers


def test_a_reply_written_before_a_message_does_not_answer_it():
    assert waiting_since([message(1, 0), message(2, 5)], [answer(1, 10)]) == at(5)


def test_any_address_of_the_sender_will_do_and_no_other():
    to_work = answer(1, 10, recipients={"anna.rossi@work.example": "accepted"})
    to_bruno = answer(1, 10, recipients={"bruno@example.com": "accepted"})
    assert waiting_since([message(1, 0)], [to_work]) is None
    assert waiting_since([message(1, 0)], [to_bruno]) == at(0)
    assert waiting_since([message(1, 0, sender_addresses=frozenset())], [to_work]) == at(0)


@pytest.mark.parametrize(
    ("row", "annas", "brunos", "anna_answered", "bruno_answered"),
    [
        ("sent", "accepted", "failed", True, False),
        ("sent", "accepted", "bounced", True, False),
        ("failed", "accepted", "failed", True, False),  # the row failed because of Bruno
        ("bounced", "accepted", "bounced", True, False),
        ("bounced", "accepted", "accepted", False, False),  # nobody is named: it may be either
        ("deferred", "accepted", "deferred", True, True),
        ("deferred", "failed", "deferred", False, True),
        ("uncertain", "accepted", "pending", False, False),
        ("sent", "pending", "uncertain", True, False),
        ("draft", "accepted", "accepted", False, False),
    ],
)
def test_each_recipient_has_a_state_of_its_own(
    row: OutboxState, annas: str, brunos: str, anna_answered: bool, bruno_answered: bool
):
    reply = answer(2, 10, row, recipients={"anna@example.com": annas, "bruno@example.com": brunos})
    from_anna, from_bruno = message(1, 0), message(2, 1, sender_addresses=BRUNO)
    assert answers_message(reply, from_anna) is anna_answered
    assert answers_message(reply, from_bruno) is bruno_answered


def test_a_bounce_brings_the_old_waiting_time_back():
    sent, bounced = answer(1, 10), answer(1, 10, "bounced", recipients={"anna@example.com": "bounced"})
    assert waiting_since([message(1, 0)], [sent]) is None
    assert waiting_since([message(1, 0)], [bounced]) == at(0)


def test_an_answer_in_the_survivor_covers_what_the_merge_had_shown():
    merged = message(1, 0, home_ticket=T2, seq=40, visible_from={T1: at(10)})
    assert waiting_since([merged], [answer(0, 11)]) is None
    assert waiting_since([merged], [answer(99, 10)]) == at(0)  # written before the merge, whatever its seq
    assert waiting_since([merged], [answer(99, 9)]) == at(0)
    assert waiting_since([replace(merged, visible_from={T3: at(10)})], [answer(99, 11)]) == at(0)
    later = message(2, 30, home_ticket=T2, seq=41, visible_from={T1: at(10)})
    assert waiting_since([merged, later], [answer(99, 20)]) == at(30)


def test_no_reply_needed_settles_what_it_names_and_nothing_later():
    messages = [message(1, 0), message(2, 5), message(3, 9)]
    assert waiting_since(messages, [], [Dismissal("thanks", frozenset({MessageId(1)}))]) == at(5)
    assert waiting_since(messages, [], [Dismissal("thanks", home_ticket=T1, up_to_seq=2)]) == at(9)
    assert waiting_since(messages, [], [Dismissal("thanks", home_ticket=T2, up_to_seq=9)]) == at(0)
    assert waiting_since(messages, [], [Dismissal("thanks")]) == at(0)
    with pytest.raises(UsageError, match="boredom"):
        Dismissal("boredom")  # type: ignore[arg-type]


def test_a_logged_call_answers():
    call = Answer(None, T1, 1, dict.fromkeys(ANNA, ""), "sent", at(10))
    assert waiting_since([message(1, 0)], [call]) is None


def test_tickets_see_each_other_since_the_latest_merge_between_them():
    merges = {T1: Merge(T2, at(10)), T2: Merge(T3, at(20))}
    assert visible_from(T1, merges) == {T2: at(10), T3: at(20)}
    assert visible_from(T2, merges) == {T1: at(10), T3: at(20)}
    assert visible_from(T3, merges) == {T1: at(20), T2: at(20)}
    assert visible_from(T1, {T1: Merge(T3, at(20)), T2: Merge(T3, at(10))}) == {T2: at(20), T3: at(20)}
    assert visible_from(T1, {T2: Merge(T3, at(10))}) == {}


def test_a_further_merge_does_not_bring_an_answered_customer_back():
    merges = {T2: Merge(T1, at(10)), T1: Merge(T3, at(90))}
    merged = message(1, 0, home_ticket=T2, visible_from=visible_from(T2, merges))
    assert waiting_since([merged], [answer(0, 11)]) is None


PEOPLE = (ANNA, BRUNO, frozenset({"chiara@example.com"}))
TICKETS = (T1, T2, T3)


LOST: tuple[RecipientState, ...] = ("failed", "bounced")


def pending(addresses: Iterable[str]) -> dict[str, RecipientState]:
    return dict.fromkeys(addresses, "pending")


@dataclass
class Book:
    """One reply as the oracle keeps it: which messages its writer had before his eyes, and where it went."""

    answer: Answer
    seen: frozenset[MessageId]
    lost: set[str] = field(default_factory=set)


class Desk(RuleBasedStateMachine):
    """Three tickets of one family in the making. The oracle notes what each writer saw at the moment of writing."""

    @initialize()
    def open_desk(self):
        self.now = NOON
        self.seq = dict.fromkeys(TICKETS, 0)
        self.merges: dict[TicketId, Merge] = {}
        self.messages: dict[MessageId, CustomerMessage] = {}
        self.books: list[Book] = []
        self.dismissals: list[Dismissal] = []
        self.dismissed: set[MessageId] = set()

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def root(self, ticket: TicketId) -> TicketId:
        while ticket in self.merges:
            ticket = self.merges[ticket].into
        return ticket

    def family(self, ticket: TicketId) -> list[TicketId]:
        return [other for other in TICKETS if self.root(other) == self.root(ticket)]

    @rule(ticket=st.sampled_from(TICKETS), person=st.sampled_from(PEOPLE))
    def customer_writes(self, ticket: TicketId, person: frozenset[str]):
        self.seq[ticket] += 1
        number = MessageId(len(self.messages) + 1)
        self.messages[number] = CustomerMessage(number, ticket, self.seq[ticket], person, self.tick())

    @rule(survivor=st.sampled_from(TICKETS), merged=st.sampled_from(TICKETS))
    def merge(self, survivor: TicketId, merged: TicketId):
        if self.root(survivor) != self.root(merged):
            self.merges[self.root(merged)] = Merge(self.root(survivor), self.tick())

    @rule(
        ticket=st.sampled_from(TICKETS),
        behind=st.integers(0, 2),
        people=st.sets(st.sampled_from(PEOPLE), min_size=1),
        last=st.booleans(),
    )
    def agent_replies(self, ticket: TicketId, behind: int, people: set[frozenset[str]], last: bool):
        seen_seq = max(0, self.seq[ticket] - behind)
        family = self.family(ticket)
        seen = frozenset(
            number
            for number, known in self.messages.items()
            if known.home_ticket in family and (known.home_ticket != ticket or known.seq <= seen_seq)
        )
        recipients = pending(sorted(person)[-1 if last else 0] for person in people)
        self.seq[ticket] += 1
        number = OutboxId(len(self.books) + 1)
        self.books.append(Book(Answer(number, ticket, seen_seq, recipients, "held", self.tick()), seen))

    @precondition(lambda self: self.books)
    @rule(
        data=st.data(),
        state=st.sampled_from(OUTBOX_STATES),
    )
    def the_outbox_moves(self, data: st.DataObject, state: OutboxState):
        book = data.draw(st.sampled_from(self.books))
        recipients = pending(book.answer.recipients)
        book.answer = replace(book.answer, state=state, recipients=recipients)
        book.lost = set()

    @precondition(lambda self: self.books)
    @rule(data=st.data(), how=st.sampled_from(LOST))
    def one_recipient_is_lost(self, data: st.DataObject, how: RecipientState):
        book = data.draw(st.sampled_from(self.books))
        address = data.draw(st.sampled_from(sorted(book.answer.recipients)))
        book.lost.add(address)
        book.answer = replace(book.answer, recipients={**book.answer.recipients, address: how})

    @precondition(lambda self: self.messages)
    @rule(data=st.data(), up_to=st.booleans())
    def no_reply_needed(self, data: st.DataObject, up_to: bool):
        chosen = self.messages[data.draw(st.sampled_from(sorted(self.messages)))]
        if up_to:
            self.dismissals.append(Dismissal("no_action", home_ticket=chosen.home_ticket, up_to_seq=chosen.seq))
            self.dismissed |= {
                n for n, m in self.messages.items() if m.home_ticket == chosen.home_ticket and m.seq <= chosen.seq
            }
        else:
            self.dismissals.append(Dismissal("no_action", frozenset({chosen.id})))
            self.dismissed.add(chosen.id)

    @invariant()
    def no_unanswered_customer_is_outside_the_list(self):
        if not hasattr(self, "messages"):
            return
        for ticket in TICKETS:
            family = self.family(ticket)
            messages = [
                replace(m, visible_from=visible_from(m.home_ticket, self.merges))
                for m in self.messages.values()
                if m.home_ticket in family
            ]
            books = [b for b in self.books if b.answer.home_ticket in family]
            answers = [b.answer for b in books]
            expected = {m.id for m in messages if m.id not in self.dismissed and not self.somebody_answered(m, books)}
            assert {m.id for m in unanswered_messages(messages, answers, self.dismissals)} == expected
            since = min((m.arrived_at for m in messages if m.id in expected), default=None)
            assert waiting_since(messages, answers, self.dismissals) == since

    @staticmethod
    def somebody_answered(known: CustomerMessage, books: list[Book]) -> bool:
        return any(
            known.id in book.seen
            and (set(book.answer.recipients) - book.lost) & known.sender_addresses
            and book.answer.state in {"held", "sending", "deferred", "sent"}
            for book in books
        )


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
