"""A small desk written through the store's own door, and short ways to write plans in tests."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.desk.model import MAIL, ActionId, Actor, AgentId, CustomerId, MailboxId, TicketId
from supportdesk.desk.ports import Applied, Insert, NewRef, Plan, PlannedEvent, Update
from supportdesk.textfold import fold

if TYPE_CHECKING:
    from supportdesk.store import SqlStore


@dataclass(frozen=True, slots=True)
class SmallDesk:
    anna: Actor
    bruno: Actor
    mailbox: MailboxId
    customers: tuple[CustomerId, ...]
    tickets: tuple[TicketId, ...]


def action() -> ActionId:
    return ActionId(str(uuid.uuid4()))


def apply(store: SqlStore, plan: Plan, actor: Actor = MAIL, action_id: ActionId | None = None) -> Applied:
    with store.transaction() as tx:
        return tx.apply(plan, actor, action_id or action())


def set_ticket(ticket: TicketId, kind: str, before: dict[str, Any], after: dict[str, Any]) -> Plan:
    """A plan that changes one ticket."""
    return Plan((Update("ticket", {"id": ticket}, before, after),), (), (PlannedEvent(ticket, kind),))


def fill(store: SqlStore) -> SmallDesk:
    now = store.clock.now()
    people = apply(
        store,
        Plan(
            silent=(
                Insert("agent", {"login": "anna", "name": "Anna", "created_at": now}, NewRef("anna")),
                Insert("agent", {"login": "bruno", "name": "Bruno", "created_at": now}, NewRef("bruno")),
                Insert("mailbox", {"address": "help@shop.test", "name": "Bottega"}, NewRef("mailbox")),
                *(
                    change
                    for number, name in enumerate(("Carla Neri", "Dieter Groß", "Émile Zola"))
                    for change in (
                        Insert("customer", {"name": name, "created_at": now}, NewRef(f"customer{number}")),
                        Insert(
                            "customer_identity",
                            {
                                "customer_id": NewRef(f"customer{number}"),
                                "value": f"c{number}@example.test",
                                "value_norm": f"c{number}@example.test",
                            },
                            NewRef(f"identity{number}"),
                        ),
                    )
                ),
            )
        ),
    ).ids
    customers = tuple(CustomerId(people[f"customer{number}"]) for number in range(3))
    tickets = tuple(
        add_ticket(
            store,
            subject,
            customer=customers[number % 3],
            identity=people[f"identity{number % 3}"],
            due_at=now + timedelta(hours=hours) if hours else None,
            mailbox_id=people["mailbox"],
        )
        for number, (subject, hours) in enumerate(
            [("Dov'è il mio pacco?", 5), ("Falscher Artikel", 2), ("Facture", 0), ("Reso", 9), ("Größe", 0)]
        )
    )
    return SmallDesk(
        Actor("agent", AgentId(people["anna"]), "Anna"),
        Actor("agent", AgentId(people["bruno"]), "Bruno"),
        MailboxId(people["mailbox"]),
        customers,
        tickets,
    )


def add_ticket(
    store: SqlStore, subject: str, *, customer: CustomerId | None = None, identity: int | None = None, **columns: Any
) -> TicketId:
    """A ticket with one message of its customer, indexed, waiting since now."""
    with store.transaction() as tx:
        values = {
            "subject": subject, "created_at": tx.now, "updated_at": tx.now, "customer_id": customer,
            "waiting_since": tx.now, "seq": 1, "message_count": 1,
        }  # fmt: skip
        done = tx.apply(
            Plan(
                (Insert("ticket", values | columns, NewRef("ticket")),),
                (
                    Insert(
                        "message",
                        {
                            "ticket_id": NewRef("ticket"), "seq": 1, "received_at": tx.now, "created_at": tx.now,
                            "subject": subject, "body": f"{subject} Grazie, saluti", "identity_id": identity,
                        },
                        NewRef("message"),
                    ),
                ),
                (PlannedEvent(NewRef("ticket"), "created", {"message": NewRef("message")}),),
            ),
            MAIL,
            action(),
        )  # fmt: skip
        tx.index_message(done.ids["message"], fold(f"{subject} Grazie, saluti"))
    return TicketId(done.ids["ticket"])
