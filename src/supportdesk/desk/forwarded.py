"""Mail that an agent forwards to the desk: the original sender becomes the requester (mail.md 2.3).

It is the only thing that an agent's mail may do, and only where our own server has nothing against its sender. What the
agent wrote above is an internal note of his. In doubt the forward stays his mail; and he can undo what was made of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from supportdesk.desk.agents import agent_of
from supportdesk.desk.correspondents import find_correspondent
from supportdesk.desk.notes import write_note
from supportdesk.desk.ports import Change, Insert, Plan, PlannedEvent, Update
from supportdesk.mail.authentication import check_sender
from supportdesk.mail.forwarded import read_forward
from supportdesk.mail.machine import is_no_reply, is_robot
from supportdesk.mail.model import Address
from supportdesk.mail.quotes import find_folds
from supportdesk.mail.signed import has_ticket_token

if TYPE_CHECKING:
    from supportdesk.desk.arrival import Arrival
    from supportdesk.desk.model import Agent, EventRow, Mailbox, MessageId, TicketId
    from supportdesk.desk.ports import Row, Transaction
    from supportdesk.mail.model import ParsedMail
    from supportdesk.mail.recipients import OwnAddresses


EVENT = "forwarded"


@dataclass(frozen=True, slots=True)
class AgentsForward:
    """The mail as if its original sender had sent it to us, who forwarded it, and what he wrote above."""

    mail: ParsedMail
    agent: Agent
    note: str


def forwarded_by_agent(
    tx: Transaction, delivery: Row, mail: ParsedMail, mailbox: Mailbox, own: OwnAddresses
) -> AgentsForward | None:
    """The forward in a mail of an agent; None for every other mail, and where it is not certain whose mail it was."""
    if delivery["historic"] or mail.report is not None or len(mail.from_) != 1:
        return None
    agents = tx.remember("forwarders", lambda: [row for row in tx.rows("agent") if row["email"] and _may_forward(row)])
    agent = next((row for row in agents if row["email"].casefold() == mail.from_[0].norm), None)
    if agent is None or check_sender(mail, str(mailbox.settings.get("authserv_id") or "")) not in ("", "pass"):
        return None
    recipients = (*mail.delivered_to, *(address.addr for address in (*mail.to, *mail.cc)))
    if any(has_ticket_token(address) for address in recipients):
        return None
    found = read_forward(mail)
    if found is None or found.from_.addr in own or is_no_reply(found.from_) or is_robot(found.from_):
        return None
    if any(found.from_.norm == row["email"].casefold() for row in agents):
        return None
    as_sent = replace(
        mail, from_=(found.from_,), sender=(), reply_to=(), cc=(), in_reply_to=(), subject=found.subject,
        references=(found.message_id,) if found.message_id else (), text=found.text, folds=find_folds(found.text),
        searchable="",
    )  # fmt: skip
    return AgentsForward(as_sent, agent_of(agent), found.note)


def _may_forward(agent: Row) -> bool:
    return bool(agent["state"] != "disabled")


def note_forward(tx: Transaction, arrival: Arrival, ticket_id: TicketId, message_id: MessageId) -> None:
    """The agent's words above the forwarded mail, as his note: the customer never sees them quoted.

    A ticket that the forward began is an action of his; one that it joined is left with a split.
    """
    forward = arrival.forward
    if forward is None:
        return
    if forward.note.strip():
        write_note(tx, forward.agent.actor(), tx.ticket(ticket_id), forward.note, arrival.action_id)
    message = tx.row("message", {"id": message_id})
    if message is not None and message["seq"] == 1:
        badges = {"badges": message["badges"]}, {"badges": [*message["badges"], f"forwarded:{forward.agent.name}"]}
        data = {"message_id": message_id, "customer_id": tx.ticket(ticket_id).customer_id}
        plan = Plan(
            changes=(Update("message", {"id": message_id}, *badges),), events=(PlannedEvent(ticket_id, EVENT, data),)
        )
        tx.apply(plan, forward.agent.actor(), arrival.action_id)


def as_agents_own(tx: Transaction, event: EventRow) -> tuple[Change, ...]:
    """What makes the agent the requester of what he had forwarded; who had written it is proposed as a participant."""
    agent = tx.row("agent", {"id": event.actor_id})
    message = tx.row("message", {"id": event.data["message_id"]})
    mail = tx.row("message_mail", {"message_id": event.data["message_id"]})
    assert agent and message and mail, "agents are disabled and messages erased, never deleted"
    person = find_correspondent(tx, Address(agent["name"], agent["email"]), tx.now)
    here = {"ticket_id": event.ticket_id}
    author = {"from_name": mail["from_name"], "from_address": mail["from_address"]}
    changes: list[Change] = [
        *person.plan.silent,
        Update("ticket", {"id": event.ticket_id}, {"customer_id": event.data["customer_id"]},
               {"customer_id": person.customer_id}),
        Update("message", {"id": message["id"]}, {"identity_id": message["identity_id"]},
               {"identity_id": person.identity_id}),
        Update("message_mail", {"message_id": message["id"]}, author,
               {"from_name": agent["name"], "from_address": agent["email"]}),
    ]  # fmt: skip
    was = tx.rows("participant", {**here, "identity_id": message["identity_id"], "role": "requester"})
    changes += [Update("participant", {"id": row["id"]}, {"role": "requester"}, {"role": "proposed"}) for row in was]
    if not (isinstance(person.identity_id, int) and tx.row("participant", {**here, "identity_id": person.identity_id})):
        changes.append(Insert("participant", {**here, "identity_id": person.identity_id, "role": "requester"}))
    return tuple(changes)
