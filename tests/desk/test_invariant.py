"""No sequence of events leaves an unanswered customer outside the `unanswered` list (domain.md section 1).

The machine keeps its own, simpler book of whom nobody has answered, and finds each of them in the list. The book errs
on one side only: what an undo brings back to the list it may call settled, never the other way round.
`--sequences N` tries as many sequences of 200 events as one has time for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

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

from supportdesk.desk import automatic
from supportdesk.desk.automatic_texts import Text
from supportdesk.desk.clocks import family_of, read_conversation, root_of
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.model import MAIL, VIEWS, ActionId, MessageId, OutboxId, TicketId
from supportdesk.desk.parked import look_at
from supportdesk.desk.ports import Insert, NewRef, Plan
from supportdesk.desk.results import Done
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, SupportdeskError
from supportdesk.l10n.tags import LocaleTag
from supportdesk.mail.model import Address
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish

if TYPE_CHECKING:
    import pytest

    from tests.support.databases import Database

EVENTS = 200

TRIAGE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("take", {}),
    ("assign", {"assignee": "luca"}),
    ("snooze", {"until": "tomorrow 9am", "after_deadline": True, "mode": "until_reply"}),
    ("snooze", {"until": "3d", "after_deadline": True, "mode": "regardless"}),
    ("wake", {}),
    ("status", {"status": "pending"}),
    ("status", {"status": "on_hold"}),
    ("reopen", {}),
    ("note", {"text": "visto"}),
    ("unassign", {}),
    ("tag", {"tags": "reso"}),
    ("priority", {"priority": "urgent"}),
    ("not_spam", {}),
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
    called: bool = False


class DeskMachine(RuleBasedStateMachine):
    """Customers write, agents answer, dismiss, merge, snooze, undo, servers refuse; the customer must stay visible."""

    house: House  # set by the test

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Mail] = []
        self.tickets: list[TicketId] = []
        self.sent: list[int] = []  # outbox rows that were held
        self.actions: list[ActionId] = []
        self.parked: list[tuple[int, datetime]] = []

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

    @rule(data=st.data(), after=st.sampled_from(["", "pending", "solved", "open", "ask_again"]))
    def an_agent_replies(self, data: st.DataObject, after: str) -> None:
        self.tick()
        ticket = self.any_ticket(data)
        try:
            if after == "ask_again":
                row = self.house.reply(ticket, after="pending", ask_again=True)
            else:
                row = self.house.reply(ticket, after=after)
        except SupportdeskError:
            return  # refused, or a reason was asked for: nothing was written but the draft
        reached = {one.address for one in row.recipients}
        family = self.family(ticket)
        for mail in self.mails:
            if self.home(mail) in family and mail.sender in reached:
                mail.answers.add(row.id)
        self.sent.append(row.id)

    @rule(data=st.data())
    def an_agent_forwards(self, data: st.DataObject) -> None:
        """To a supplier: it answers nobody."""
        self.tick()
        ticket, desk, giulia = self.any_ticket(data), self.house.desk, self.house.giulia
        try:
            row = desk.open_draft(giulia, ticket, kind="forward")
            supplier = (Address("Fornitore", "fornitore@example.com"),)
            row = desk.save_draft(giulia, row.id, row.version, body="Chi ce l'ha?", to=supplier)
            desk.send(giulia, row.id, seen_seq=self.house.ticket(row.ticket_id).seq, after="on_hold")
        except SupportdeskError:
            return
        self.sent.append(row.id)

    @rule(data=st.data())
    def the_desk_acknowledges(self, data: st.DataObject) -> None:
        """Automatic mail answers nobody."""
        self.tick()
        mail = data.draw(st.sampled_from(self.mails))
        text = Text("automatic-acknowledgement", LocaleTag.parse("it"), "Ricevuto", "Le risponderemo entro domani.")
        try:
            with self.house.store.transaction() as tx:
                row = tx.row("message", {"id": mail.message})
                assert row is not None
                ticket = tx.ticket(TicketId(row["ticket_id"]))
                held = automatic.hold(
                    tx, MAIL, new_action_id(), "acknowledgement", ticket, self.house.mailbox_id, text,
                    [Address("", mail.sender)], in_reply_to=mail.message,
                )  # fmt: skip
        except Conflict:
            return  # one for a ticket
        self.sent.append(held)

    @precondition(lambda self: self.sent)
    @rule(
        data=st.data(),
        state=st.sampled_from(["sent", "deferred", "failed", "uncertain", "bounced"]),
    )
    def the_server_answers(self, data: st.DataObject, state: str) -> None:
        self.tick()
        outbox_id = data.draw(st.sampled_from(self.sent))
        if self.states().get(outbox_id) in ("held", "deferred"):
            self.house.deliver(OutboxId(outbox_id), state)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_sent_mail_bounces_later(self, data: st.DataObject) -> None:
        self.tick()
        outbox_id = data.draw(st.sampled_from(self.sent))
        if self.states().get(outbox_id) == "sent":
            self.house.deliver(OutboxId(outbox_id), "bounced")

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), decision=st.sampled_from(["resend", "mark_sent", "retry"]))
    def an_agent_decides_about_a_delivery(self, data: st.DataObject, decision: str) -> None:
        self.tick()
        outbox_id, desk = OutboxId(data.draw(st.sampled_from(self.sent))), self.house.desk
        try:
            if decision == "retry":
                desk.retry_failed(self.house.giulia, outbox_id)
            else:
                desk.resolve_uncertain(self.house.giulia, outbox_id, decision)
        except SupportdeskError:
            return

    @rule()
    def mail_is_parked(self) -> None:
        self.tick()
        self.parked.append((park(self.house), self.house.clock.now()))

    @precondition(lambda self: self.parked)
    @rule(data=st.data())
    def an_agent_looks_at_parked_mail(self, data: st.DataObject) -> None:
        self.tick()
        at = data.draw(st.integers(0, len(self.parked) - 1))
        look_at(self.house.desk, self.house.giulia, [self.parked.pop(at)[0]])

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def the_agent_takes_it_back(self, data: st.DataObject) -> None:
        self.tick()
        outbox_id = data.draw(st.sampled_from(self.sent))
        try:
            row = self.house.desk.cancel_send(self.house.giulia, OutboxId(outbox_id))
            self.house.desk.discard_draft(self.house.giulia, row.id)
        except SupportdeskError:
            return

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
        ticket = self.any_ticket(data)
        rows = self.house.desk.read.rows("message", {"ticket_id": ticket}, order="seq")
        if len(rows) > 1:
            first = data.draw(st.sampled_from(rows[1:]))["id"]
            done = self.perform_on(ticket, "split", {"first": first})
            if done is not None:
                self.tickets += [one for one in done.tickets if one not in self.tickets]

    @rule(data=st.data())
    def an_agent_logs_a_call(self, data: st.DataObject) -> None:
        """It answers the ticket's customer, up to what the agent had read."""
        self.tick()
        ticket, desk = self.any_ticket(data), self.house.desk
        try:
            done = desk.log_call(self.house.giulia, ticket, "richiamato", seen_seq=self.house.ticket(ticket).seq)
        except SupportdeskError:
            return
        if done.tickets:
            family = self.family(ticket)
            for mail in self.mails:
                mail.called |= self.home(mail) in family

    @rule()
    def the_agent_undoes(self) -> None:
        self.tick()
        try:
            self.house.desk.undo(self.house.giulia)
        except SupportdeskError:
            return

    @precondition(lambda self: self.actions)
    @rule(data=st.data())
    def an_older_action_is_undone(self, data: st.DataObject) -> None:
        """In any order, merges too."""
        self.tick()
        try:
            self.house.desk.undo(self.house.anna, data.draw(st.sampled_from(self.actions)))
        except SupportdeskError:
            return

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        self.house.clock.advance(timedelta(days=days))
        keep_house(self.house.desk)

    def any_ticket(self, data: st.DataObject) -> TicketId:
        return self.root(data.draw(st.sampled_from(self.tickets)))

    def perform(self, data: st.DataObject, action: str, params: dict[str, Any]) -> TicketId | None:
        ticket = data.draw(st.sampled_from(self.tickets))
        done = self.perform_on(ticket, action, params)
        return ticket if done is not None and done.tickets else None

    def perform_on(self, ticket: TicketId, action: str, params: dict[str, Any]) -> Done | None:
        try:
            done = self.house.desk.perform(action, self.house.giulia, [ticket], params)
        except SupportdeskError:
            return None
        self.actions.append(done.action_id)
        return done

    def states(self) -> dict[int, str]:
        return {row["id"]: row["state"] for row in self.house.desk.read.rows("outbox") if row["discarded_at"] is None}

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
        rows, states = self.house.desk.unanswered(), self.states()
        listed = {row["ticket_id"] for row in rows}
        with self.house.store.transaction() as tx:
            for row in tx.rows("ticket"):
                if row["merged_into"] is None and row["waiting_since"] is not None:
                    assert row["id"] in listed, f"#{row['id']} waits and is not listed"
        there = {"held", "deferred", "sent"}
        for mail in self.mails:
            answered = any(states.get(answer) in there for answer in mail.answers)
            if not answered and not mail.dismissed and not mail.called:
                root = self.root(self.home(mail))
                assert root in listed, f"{mail.sender} on #{root} waits and is not listed"
        for row in self.house.desk.read.rows("outbox", {"state": "uncertain"}):
            if row["kind"] in ("reply", "new"):
                assert self.root(TicketId(row["ticket_id"])) in listed, f"delivery {row['id']} in doubt is not listed"
        unseen = {row["delivery_id"] for row in rows if row["kind"] == "parked"}
        for delivery, since in self.parked:
            if since <= self.house.clock.now() - timedelta(hours=24):
                assert delivery in unseen, f"parked mail {delivery} is not listed"


def park(house: House) -> int:
    """A mail that the rules made neither a ticket nor a note; the number of its delivery."""
    with house.store.transaction() as tx:
        folders = tx.rows("folder", {"mailbox_id": house.mailbox_id})
        uid = len(tx.rows("delivery")) + 1
        folder, delivery = NewRef("folder"), NewRef("delivery")
        inbox = {"mailbox_id": house.mailbox_id, "name": "INBOX", "uidvalidity": 1}
        found = {
            "folder_id": folders[0]["id"] if folders else folder, "uidvalidity": 1, "uid": uid, "fetched_at": tx.now,
            "outcome": "parked", "reason": "loop", "processed_at": tx.now,
        }  # fmt: skip
        parked = {
            "delivery_id": delivery, "reason": "loop", "sender": "eco@example.com", "subject": "Eco",
            "received_at": tx.now,
        }  # fmt: skip
        made = () if folders else (Insert("folder", inbox, folder),)
        plan = Plan(silent=(*made, Insert("delivery", found, delivery), Insert("parked", parked)), undoable=False)
        return tx.apply(plan, MAIL, new_action_id()).ids["delivery"]


def test_no_sequence_loses_an_unanswered_customer(database: Database, request: pytest.FixtureRequest) -> None:
    made: list[House] = []

    class Machine(DeskMachine):
        def __init__(self) -> None:
            super().__init__()
            made.append(furnish(database.copy_of("schema", prepare), FakeClock()))
            self.house = made[-1]

        def teardown(self) -> None:
            self.house.store.close()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            # A transaction of the server costs several of a file: half as many sequences say the same.
            max_examples=max(1, request.config.getoption("--sequences") // (2 if database.kind == "postgres" else 1)),
            stateful_step_count=EVENTS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert made


def prepare(url: str) -> None:
    from supportdesk.store import create_or_upgrade

    create_or_upgrade(url)
