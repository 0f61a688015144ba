"""Mail that an agent forwards to the desk: the original sender becomes the requester (mail.md 2.3).

It is the only thing that an agent's mail may do, and only where our own server has nothing against its sender. What the
agent wrote above is an internal note of his. In doubt the forward stays his mail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from supportdesk.desk.notes import write_note
from supportdesk.desk.people import agent_of
from supportdesk.mail.authentication import check_sender
from supportdesk.mail.forwarded import read_forward
from supportdesk.mail.machine import is_no_reply, is_robot
from supportdesk.mail.quotes import find_folds
from supportdesk.mail.signed import has_ticket_token

if TYPE_CHECKING:
    from supportdesk.desk.arrival import Arrival
    from supportdesk.desk.model import Agent, Mailbox, TicketId
    from supportdesk.desk.ports import Row, Transaction
    from supportdesk.mail.model import ParsedMail
    from supportdesk.mail.recipients import OwnAddresses


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
    )  # fmt: skip
    return AgentsForward(as_sent, agent_of(agent), found.note)


def _may_forward(agent: Row) -> bool:
    return bool(agent["state"] != "disabled")


def note_what_was_said(tx: Transaction, arrival: Arrival, ticket_id: TicketId) -> None:
    """The agent's words above the forwarded mail, as his note: the customer never sees them quoted."""
    forward = arrival.forward
    if forward is not None and forward.note.strip():
        write_note(tx, forward.agent.actor(), tx.ticket(ticket_id), forward.note, arrival.action_id)
