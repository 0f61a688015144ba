"""A desk on a real temporary database, with a mailbox, three agents and customers who write; and a server that answers.

Customers' mail is written here as the intake writes it, row by row, so that the use cases are tested without it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.desk import Desk
from supportdesk.desk.drafts import row_of
from supportdesk.desk.model import (
    MAIL,
    WORKER,
    Actor,
    MailboxId,
    MessageId,
    OutboxId,
    OutboxRow,
    Server,
    Ticket,
    TicketId,
)
from supportdesk.desk.ports import Insert, NewRef, Plan, PlannedEvent, Store, Transaction, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.textfold import fold_message
from tests.support.clock import FakeClock
from tests.support.databases import Database

SHOP = "aiuto@bottega.example"


@dataclass
class House:
    """The desk under test and everybody around it."""

    desk: Desk
    clock: FakeClock
    url: str
    giulia: Actor  # the admin
    luca: Actor
    anna: Actor  # a lead
    mailbox_id: MailboxId
    customers: int = field(default=0)

    @property
    def store(self) -> Store:
        return self.desk.store

    def ticket(self, ticket_id: TicketId) -> Ticket:
        return self.desk.read.ticket(ticket_id)

    def pass_time(self, **span: float) -> datetime:
        return self.clock.advance(timedelta(**span))

    # ---- customers

    def customer_writes(
        self,
        text: str = "Dove è il mio ordine 5521?",
        *,
        sender: str = "rosa@example.com",
        name: str = "Rosa Bianchi",
        ticket: TicketId | None = None,
        language: str = "it",
        subject: str = "Ordine 5521",
        kind: str = "mail",
        author_kind: str = "customer",
    ) -> TicketId:
        """A customer's mail, on a new ticket or on an existing one; returns the ticket that it came to."""
        with self.store.transaction() as tx:
            identity = self._identity(tx, sender, name, language)
            action_id = new_action_id()
            if ticket is None:
                home = self._new_ticket(tx, identity, subject, language)
            else:
                home = root_of(tx, ticket).id
            self._message(tx, home, identity, sender, name, subject, text, kind, author_kind)
            now = tx.ticket(home)
            if now.status in ("pending", "on_hold", "solved", "closed"):
                before = {"status": now.status, "solved_at": now.solved_at, "closed_at": now.closed_at}
                after = {"status": "open", "solved_at": None, "closed_at": None}
                opened = Update("ticket", {"id": home}, before, after)
                event = PlannedEvent(home, "message", {"status": "open"})
                tx.apply(Plan(silent=(opened,), events=(event,), undoable=False), MAIL, action_id)
            else:
                tx.apply(Plan(events=(PlannedEvent(home, "message"),), undoable=False), MAIL, action_id)
            update_clocks(tx, [home], MAIL, action_id)
            return home

    def newest_message(self, ticket_id: TicketId) -> MessageId:
        return MessageId(self.desk.read.rows("message", {"ticket_id": ticket_id}, order="-seq", limit=1)[0]["id"])

    # ---- agents

    def draft(
        self, ticket_id: TicketId, actor: Actor | None = None, body: str = "Il pacco arriva domani."
    ) -> OutboxRow:
        who = actor or self.giulia
        row = self.desk.open_draft(who, ticket_id)
        return self.desk.save_draft(who, row.id, row.version, body=body)

    def reply(self, ticket_id: TicketId, actor: Actor | None = None, **options: Any) -> OutboxRow:
        """Write a reply having seen everything, and hold it; returns the held row."""
        who = actor or self.giulia
        row = self.draft(ticket_id, who)
        self.desk.send(who, row.id, seen_seq=self.ticket(row.ticket_id).seq, **options)
        return self.desk.outbox_row(row.id)

    # ---- the server

    def deliver(self, outbox_id: OutboxId, state: str = "sent", *, recipient: str | None = None) -> None:
        """What the worker writes when the server has answered."""
        outcome = {"sent": "accepted", "deferred": "deferred", "failed": "failed", "bounced": "bounced"}
        with self.store.transaction() as tx:
            row = tx.row("outbox", {"id": outbox_id})
            assert row is not None
            changes: list[Any] = [
                Update(
                    "outbox",
                    {"id": outbox_id},
                    {"state": row["state"]},
                    {"state": state, "attempts": row["attempts"] + 1, "first_try_at": row["first_try_at"] or tx.now}
                    | ({"sent_at": tx.now} if state == "sent" else {}),
                )
            ]
            for one in tx.rows("outbox_recipient", {"outbox_id": outbox_id}):
                after = {"state": outcome.get(recipient or state, "pending")}
                changes.append(Update("outbox_recipient", {"id": one["id"]}, {}, after))
            if state in ("sent", "uncertain") and not tx.rows("message", {"outbox_id": outbox_id}):
                changes += self._sent_message(tx, row_of(tx, row), row["seq"])
            event = PlannedEvent(TicketId(row["ticket_id"]), f"reply_{state}", {"outbox_id": outbox_id})
            action_id = new_action_id()
            tx.apply(Plan(silent=tuple(changes), events=(event,), undoable=False), WORKER, action_id)
            update_clocks(tx, [TicketId(row["ticket_id"])], WORKER, action_id)

    # ---- rows

    def _identity(self, tx: Transaction, sender: str, name: str, language: str) -> int:
        found = tx.rows("customer_identity", {"kind": "email", "value_norm": sender.casefold()})
        if found:
            return int(found[0]["id"])
        customer = Insert(
            "customer",
            {"name": name, "language": language, "language_source": "detected", "created_at": tx.now},
            NewRef("customer"),
        )
        values = {"customer_id": NewRef("customer"), "kind": "email", "value": sender, "value_norm": sender.casefold()}
        identity = Insert("customer_identity", values, NewRef("identity"))
        return tx.apply(Plan(silent=(customer, identity)), MAIL, new_action_id()).ids["identity"]

    def _new_ticket(self, tx: Transaction, identity: int, subject: str, language: str) -> TicketId:
        row = tx.row("customer_identity", {"id": identity})
        assert row is not None
        values = {
            "subject": subject,
            "status": "new",
            "mailbox_id": self.mailbox_id,
            "customer_id": row["customer_id"],
            "language": language,
            "language_source": "detected",
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        ref = NewRef("ticket")
        part = Insert("participant", {"ticket_id": ref, "identity_id": identity, "role": "requester"})
        event = PlannedEvent(ref, "created")
        plan = Plan(silent=(Insert("ticket", values, ref), part), events=(event,), undoable=False)
        return TicketId(tx.apply(plan, MAIL, new_action_id()).ids["ticket"])

    def _message(
        self,
        tx: Transaction,
        home: TicketId,
        identity: int,
        sender: str,
        name: str,
        subject: str,
        text: str,
        kind: str,
        author_kind: str,
    ) -> None:
        ticket, ref = tx.ticket(home), NewRef("message")
        message = {
            "ticket_id": home,
            "seq": ticket.seq + 1,
            "direction": "in",
            "kind": kind,
            "author_kind": author_kind,
            "identity_id": identity,
            "author_name": name,
            "received_at": tx.now,
            "created_at": tx.now,
            "subject": subject,
            "body": text,
        }
        unique = hashlib.sha256(f"{home} {ticket.seq} {sender}".encode()).hexdigest()[:16]
        headers = {
            "message_id": ref,
            "mailbox_id": self.mailbox_id,
            "message_id_norm": f"<{unique}@example.com>",
            "from_name": name,
            "from_address": sender,
        }
        after = {"seq": ticket.seq + 1, "message_count": ticket.message_count + 1, "last_message_at": tx.now}
        before = {
            "seq": ticket.seq,
            "message_count": ticket.message_count,
            "last_message_at": ticket.last_message_at,
        }
        changes = (
            Insert("message", message, ref),
            Insert("message_mail", headers),
            Insert("message_recipient", {"message_id": ref, "role": "to", "address": SHOP}),
            Update("ticket", {"id": home}, before, after),
        )
        applied = tx.apply(Plan(silent=changes), MAIL, new_action_id())
        folded = fold_message(f"{subject} {text} {name} {sender}", subject=subject, sender=f"{name} {sender}")
        tx.index_message(applied.ids["message"], folded)

    def _sent_message(self, tx: Transaction, row: OutboxRow, seq: int) -> list[Any]:
        ref = NewRef("message")
        values = {
            "ticket_id": row.ticket_id,
            "seq": seq,
            "direction": "out",
            "kind": "mail",
            "author_kind": "agent",
            "agent_id": row.agent_id,
            "received_at": tx.now,
            "created_at": tx.now,
            "subject": row.subject,
            "body": row.body,
            "outbox_id": row.id,
        }
        people = [
            Insert("message_recipient", {"message_id": ref, "role": one.role, "address": one.address})
            for one in row.recipients
        ]
        return [Insert("message", values, ref), *people]


def furnish(url: str, clock: FakeClock) -> House:
    """A desk on an existing, empty database."""
    from supportdesk.store import open_store

    desk = Desk(open_store(url, clock), clock)
    founder = Actor("worker", None, "init")
    giulia = desk.add_agent(founder, "giulia", name="Giulia Verdi", languages=("it", "en"))
    luca = desk.add_agent(giulia.actor(), "luca", name="Luca Neri", languages=("de",))
    anna = desk.add_agent(giulia.actor(), "anna", name="Anna Blu", role="lead", languages=("fr",))
    mailbox = desk.save_mailbox(
        giulia.actor(),
        {
            "address": SHOP,
            "name": "Bottega Verde",
            "shop_name": "Bottega Verde",
            "language": "it",
            "zone": "Europe/Rome",
            "smtp": Server("localhost", 2525, "none", "aiuto"),
            "order_pattern": r"\b[0-9]{4}\b",
        },
    )
    return House(desk, clock, url, giulia.actor(), luca.actor(), anna.actor(), mailbox.id)


def _prepare(url: str) -> None:
    from supportdesk.store import create_or_upgrade

    create_or_upgrade(url)


@pytest.fixture
def house(database: Database, clock: FakeClock) -> Any:
    """A furnished desk, once on each kind of database."""
    url = database.copy_of("schema", _prepare)
    made = furnish(url, clock)
    yield made
    made.store.close()
