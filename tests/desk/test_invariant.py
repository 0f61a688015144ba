"""No sequence of events leaves an unanswered customer outside the `unanswered` list (domain.md section 1).

The machine keeps its own, simpler book of whom nobody has answered, and finds each of them in the list. The book errs
on one side only: what an undo brings back to the list it may call settled, never the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from supportdesk.desk.clocks import family_of, read_conversation, root_of
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.model import VIEWS, MessageId, OutboxId, TicketId
from supportdesk.errors import SupportdeskError
from tests.support.desk import House

TRIAGE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("take", {}),
    ("assign", {"assignee": "luca"}),
    ("snooze", {"until": "tomorrow 9am", "after_deadline": True}),
    ("status", {"status": "pending"}),
    ("status", {"status": "on_hold"}),
    ("reopen", {}),
    ("note", {"text": "visto"}),
    ("solve", {}),
    ("status", {"status": "closed"}),
)
CUSTOMERS = ("rosa@example.com", "otto@example.de", "zoe@example.fr")


@dataclass
class Mail:
    """One customer's mail in the book, and what has settled it."""

    sender: str
    message: MessageId
    answers: set[int] = field(default_factory=set)  # outbox rows that answer it while they are on their way or there
    dismissed: bool = False


class DeskMachine(RuleBasedStateMachine):
    """Customers write, agents answer, dismiss, merge, snooze, undo, servers refuse; the customer must stay visible."""

    house: House  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []
        self.tickets: list[TicketId] = []
        self.sent: dict[int, str] = {}  # outbox row → state

    def tick(self) -> None:
        self.house.clock.advance(timedelta(seconds=61))

    def root(self, ticket: TicketId) -> TicketId:
        with self.house.store.transaction() as tx:
            return root_of(tx, ticket).id

    @initialize()
    def open_shop(self) -> None:
        self.a_customer_writes(CUSTOMERS[0])

    @rule(sender=st.sampled_from(CUSTOMERS))
    def a_customer_writes(self, sender: str) -> None:
        self.tick()
        ticket = self.house.customer_writes(sender=sender)
        self.tickets.append(ticket)
        self.mails.append(Mail(sender, self.house.newest_message(ticket)))

    @rule(data=st.data())
    def a_customer_writes_again(self, data: st.DataObject) -> None:
        self.tick()
        ticket = self.root(data.draw(st.sampled_from(self.tickets)))
        if self.house.ticket(ticket).status == "spam":
            return  # the intake makes a new ticket
        sender = data.draw(st.sampled_from(CUSTOMERS))
        home = self.house.customer_writes(sender=sender, ticket=ticket)
        self.mails.append(Mail(sender, self.house.newest_message(home)))

    @rule(data=st.data(), after=st.sampled_from(["", "pending", "solved", "open"]))
    def an_agent_replies(self, data: st.DataObject, after: str) -> None:
        self.tick()
        ticket = self.root(data.draw(st.sampled_from(self.tickets)))
        try:
            row = self.house.reply(ticket, after=after)
        except SupportdeskError:
            return  # refused, or a reason was asked for: nothing was written but the draft
        reached = {one.address for one in row.recipients}
        family = self.family(ticket)
        for mail in self.mails:
            if self.home(mail) in family and mail.sender in reached:
                mail.answers.add(row.id)
        self.sent[row.id] = "held"

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), state=st.sampled_from(["sent", "deferred", "failed", "uncertain", "bounced"]))
    def the_server_answers(self, data: st.DataObject, state: str) -> None:
        self.tick()
        outbox_id = data.draw(st.sampled_from(sorted(self.sent)))
        if self.sent[outbox_id] in ("held", "deferred"):
            self.house.deliver(OutboxId(outbox_id), state)
            self.sent[outbox_id] = state

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def the_agent_takes_it_back(self, data: st.DataObject) -> None:
        self.tick()
        outbox_id = data.draw(st.sampled_from(sorted(self.sent)))
        try:
            row = self.house.desk.cancel_send(self.house.giulia, OutboxId(outbox_id))
            self.house.desk.discard_draft(self.house.giulia, row.id)
        except SupportdeskError:
            return
        self.sent[outbox_id] = "draft"

    @rule(data=st.data(), which=st.sampled_from(TRIAGE))
    def an_agent_triages(self, data: st.DataObject, which: tuple[str, dict[str, Any]]) -> None:
        self.tick()
        self.perform(data, *which)

    @rule(data=st.data(), action=st.sampled_from(["dismiss", "spam"]))
    def an_agent_says_no_reply_is_needed(self, data: st.DataObject, action: str) -> None:
        self.tick()
        ticket = self.perform(data, action, {"reason": "no_action"} if action == "dismiss" else {})
        if ticket is not None:
            family = self.family(ticket)
            for mail in self.mails:
                if self.home(mail) in family:
                    mail.dismissed = True

    @rule(data=st.data())
    def an_agent_merges(self, data: st.DataObject) -> None:
        self.tick()
        into = data.draw(st.sampled_from(self.tickets))
        self.perform(data, "merge", {"into": into, "different_customers": True})

    @rule(data=st.data())
    def an_agent_splits(self, data: st.DataObject) -> None:
        self.tick()
        ticket = self.root(data.draw(st.sampled_from(self.tickets)))
        try:
            first = self.house.newest_message(ticket)
            self.house.desk.perform("split", self.house.giulia, [ticket], {"first": first})
        except (SupportdeskError, IndexError):
            return

    @rule()
    def the_agent_undoes(self) -> None:
        self.tick()
        try:
            self.house.desk.undo(self.house.giulia)
        except SupportdeskError:
            return

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        self.house.clock.advance(timedelta(days=days))
        keep_house(self.house.desk)

    def perform(self, data: st.DataObject, action: str, params: dict[str, Any]) -> TicketId | None:
        ticket = data.draw(st.sampled_from(self.tickets))
        try:
            done = self.house.desk.perform(action, self.house.giulia, [ticket], params)
        except SupportdeskError:
            return None
        return ticket if done.tickets else None

    def home(self, mail: Mail) -> TicketId:
        return TicketId(self.house.desk.read.rows("message", {"id": mail.message})[0]["ticket_id"])

    def family(self, ticket: TicketId) -> set[TicketId]:
        with self.house.store.transaction() as tx:
            return {member.id for member in family_of(tx, ticket)}

    @invariant()
    def the_stored_clock_is_what_the_rows_say(self) -> None:
        with self.house.store.transaction() as tx:
            for row in tx.rows("ticket"):
                if row["merged_into"] is None:
                    computed = read_conversation(tx, family_of(tx, row["id"])).waiting_since()
                    assert row["waiting_since"] == computed, f"#{row['id']}"
                else:
                    assert row["waiting_since"] is None

    @invariant()
    def the_counters_are_what_the_views_hold(self) -> None:
        read, now = self.house.desk.read, self.house.clock.now()
        for agent in (None, self.house.giulia.id):
            counts = read.counts(agent_id=agent, now=now)
            for view in VIEWS:
                assert counts[view] == len(read.queue_ids(view, agent_id=agent, now=now)), view

    @invariant()
    def whoever_waits_is_in_the_list(self) -> None:
        listed = {row["ticket_id"] for row in self.house.desk.unanswered()}
        with self.house.store.transaction() as tx:
            for row in tx.rows("ticket"):
                if row["merged_into"] is None and row["waiting_since"] is not None:
                    assert row["id"] in listed, f"#{row['id']} waits and is not listed"
        there = {"held", "deferred", "sent"}
        for mail in self.mails:
            answered = any(self.sent[answer] in there for answer in mail.answers)
            if not answered and not mail.dismissed:
                root = self.root(self.home(mail))
                assert root in listed, f"{mail.sender} on #{root} waits and is not listed"


def test_no_sequence_loses_an_unanswered_customer(tmp_path_factory: Any) -> None:
    from supportdesk.store import create_or_upgrade
    from tests.support.clock import FakeClock
    from tests.support.desk import furnish

    directory = tmp_path_factory.mktemp("machine")
    made: list[House] = []

    class Machine(DeskMachine):
        def __init__(self) -> None:
            super().__init__()
            url = f"sqlite:///{directory / f'{len(made)}.db'}"
            create_or_upgrade(url)
            made.append(furnish(url, FakeClock()))
            self.house = made[-1]

        def teardown(self) -> None:
            self.house.store.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    assert made
