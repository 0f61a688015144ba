"""The acknowledgement of a customer's first mail, held in the transaction that makes his ticket.

Whether the mail may be answered by a program at all is `mail.acknowledge`; here are the counts that its caps need, and
the text. Off unless the mailbox switches it on. A reason against it is stored with the message, and `why` tells it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from supportdesk.desk import automatic
from supportdesk.desk.automatic_texts import ACKNOWLEDGEMENT, find_response, find_variant, reader_of, write_text
from supportdesk.desk.clocks import stored_calendar
from supportdesk.desk.model import MAIL, Mailbox, MessageId, Ticket, TicketId
from supportdesk.desk.ports import Plan, Row, Transaction, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import MissingValue, UsageError
from supportdesk.mail.acknowledge import FOR_ALL_AN_HOUR, AckFacts
from supportdesk.mail.authentication import reported_dmarc
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from supportdesk.desk.arrival import Arrival
    from supportdesk.desk.automatic_texts import Text
    from supportdesk.desk.correspondents import Correspondent
    from supportdesk.mail.model import ParsedMail

log = logging.getLogger("supportdesk.acknowledgements")

NEWEST_TICKETS = 500  # of one address, in which its acknowledgements are looked for
SWITCHED_OFF = AckFacts(enabled=False)


def is_switched_on(mailbox: Mailbox) -> bool:
    return bool(mailbox.settings.get("acknowledge"))


def ack_facts(
    tx: Transaction, mailbox: Mailbox, mail: ParsedMail, sender: Correspondent | None, recent: Sequence[Row]
) -> AckFacts:
    """What was acknowledged and received before; `recent` are the sender's newest messages."""
    if not is_switched_on(mailbox):
        return SWITCHED_OFF
    newest = tx.rows("outbox", {"kind": "acknowledgement"}, order="-id", limit=FOR_ALL_AN_HOUR)
    last_hour = [row for row in newest if row["created_at"] > tx.now - timedelta(hours=1)]
    to_sender = _acknowledgements_to(tx, sender)
    return AckFacts(
        dmarc=reported_dmarc(mail, str(mailbox.settings.get("authserv_id") or "")),
        for_address_24h=sum(row["created_at"] > tx.now - timedelta(hours=24) for row in to_sender),
        for_address_7d=sum(row["created_at"] > tx.now - timedelta(days=7) for row in to_sender),
        for_domain_last_minute=_to_domain_last_minute(tx, sender, last_hour),
        for_all_last_hour=len(last_hour),
        sender_last_10_minutes=sum(row["created_at"] > tx.now - timedelta(minutes=10) for row in recent),
        same_body=1 + sum(row["body"] == mail.text for row in recent),
        bounces=_bounces(tx, sender),
    )


def acknowledge(tx: Transaction, arrival: Arrival, ticket_id: TicketId, message_id: MessageId) -> None:
    """Hold the acknowledgement of the mail that has just made this ticket, or note why there is none."""
    if not arrival.verdict.acknowledge or arrival.verdict.sender is None:
        return
    ticket = tx.ticket(ticket_id)
    text = _text(tx, arrival, ticket)
    if isinstance(text, str):
        evidence = {**arrival.evidence(), "no_ack_reason": text}
        noted = Update("message", {"id": message_id}, {}, {"evidence": evidence})
        tx.apply(Plan(silent=(noted,), undoable=False), MAIL, new_action_id())
        return
    to = (Address("", arrival.verdict.sender.addr),)
    automatic.hold(
        tx, MAIL, new_action_id(), "acknowledgement", ticket, arrival.mailbox.id, text, to, in_reply_to=message_id
    )


def _text(tx: Transaction, arrival: Arrival, ticket: Ticket) -> Text | str:
    """The text, or the code of the reason why there is none."""
    if arrival.is_old_news or (ticket.due_at is not None and ticket.due_at <= tx.now):
        return "too_late"
    mailbox = arrival.mailbox
    reader = reader_of(
        tx, mailbox, language=ticket.language, customer_id=ticket.customer_id, market_id=ticket.market_id
    )
    response = find_response(tx, ACKNOWLEDGEMENT)
    variant = find_variant(response, reader, str(mailbox.settings.get("automatic_language") or ""))
    if isinstance(variant, str):
        return variant
    try:
        return write_text(
            response, variant, reader, mailbox,
            ticket_number=ticket.id, now=tx.now, due_at=ticket.due_at, calendar=stored_calendar(tx, ticket),
        )  # fmt: skip
    except (MissingValue, UsageError) as error:  # the shop's own text: a fault in it must not stop the mail
        log.warning("%s/%s cannot be used: %s", response.key, variant.tag, error.message)
        return "broken_text"


def _acknowledgements_to(tx: Transaction, sender: Correspondent | None) -> list[Row]:
    """Those that went to this address: an acknowledgement answers the first mail of a ticket to its requester."""
    if sender is None or not isinstance(sender.identity_id, int):
        return []
    where = {"identity_id": sender.identity_id, "role": "requester"}
    tickets = [row["ticket_id"] for row in tx.rows("participant", where, order="-id", limit=NEWEST_TICKETS)]
    return tx.rows("outbox", {"ticket_id": tickets, "kind": "acknowledgement"}) if tickets else []


def _to_domain_last_minute(tx: Transaction, sender: Correspondent | None, last_hour: Sequence[Row]) -> int:
    recent = [row["id"] for row in last_hour if row["created_at"] > tx.now - timedelta(minutes=1)]
    if sender is None or not recent:
        return 0
    people = tx.rows("outbox_recipient", {"outbox_id": recent})
    return sum(row["address"].rpartition("@")[2].casefold() == sender.address.domain.casefold() for row in people)


def _bounces(tx: Transaction, sender: Correspondent | None) -> bool:
    if sender is None or not isinstance(sender.identity_id, int):
        return False
    identity = tx.row("customer_identity", {"id": sender.identity_id})
    return identity is not None and identity["bounced_at"] is not None
