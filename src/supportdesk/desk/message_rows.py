"""The rows that a mail leaves: the message with its headers, recipients, attachments, proposed people, its ledger row.

Values only; which ticket they belong to and what they change there is decided in `desk.incoming`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from supportdesk.desk.arrival import Arrival
from supportdesk.desk.correspondents import Correspondent, find_correspondent
from supportdesk.desk.model import TicketId
from supportdesk.desk.ports import Change, Insert, NewRef, Row, Transaction, Update
from supportdesk.mail.model import Address
from supportdesk.mail.recipients import why_reply_to_is_ignored
from supportdesk.mail.thread import root_id

TICKET, MESSAGE = NewRef("ticket"), NewRef("message")
PROPOSED = 10  # people in Cc who are noted on a ticket
RECIPIENTS = 200


def message_values(
    tx: Transaction, arrival: Arrival, ticket_id: TicketId | NewRef, seq: int, *, kind: str = "", direction: str = ""
) -> dict[str, Any]:
    mail, verdict = arrival.mail, arrival.verdict
    ours = arrival.is_ours
    notification = verdict.kind == "notification"
    sender = verdict.sender
    name = sender.name or sender.addr if sender is not None else ""
    return {
        "ticket_id": ticket_id,
        "seq": seq,
        "channel": "mail",
        "direction": direction or ("out" if ours else "in"),
        "kind": kind or ("notification" if notification else "mail"),
        "author_kind": "agent" if ours else "machine" if notification else "customer",
        "identity_id": arrival.sender.identity_id if arrival.sender is not None else None,
        "author_name": name,
        "external_id": mail.message_id,
        "received_at": arrival.received_at(tx.now),
        "created_at": tx.now,
        "historic": arrival.historic,
        "subject": mail.subject,
        "body": mail.text,
        "body_source": mail.text_source,
        "folds": [[one.start, one.end, one.kind] for one in mail.folds],
        "links": [[one.number, one.url, one.host, one.text] for one in mail.links],
        "language": arrival.language or "",
        "evidence": arrival.evidence(),
        "badges": list(_badges(arrival)),
    }


def message_rows(arrival: Arrival, message: dict[str, Any]) -> Iterable[Change]:
    mail = arrival.mail
    author = next(iter((*mail.from_, *mail.sender)), Address("", mail.return_path or ""))
    if message["direction"] == "system":
        message = {**message, "identity_id": None}
    yield Insert("message", message, MESSAGE)
    yield Insert(
        "message_mail",
        {
            "message_id": MESSAGE,
            "mailbox_id": arrival.mailbox.id,
            "raw_sha": arrival.delivery["raw_sha"],
            "message_id_norm": mail.message_id,
            "in_reply_to": " ".join(mail.in_reply_to)[:2000],
            "references": list(mail.references[-50:]),
            "thread_root": root_id(mail),
            "fingerprint": mail.fingerprint,
            "from_name": author.name,
            "from_address": author.addr,
            "reply_to": _reply_to(arrival),
            "sender_check": arrival.sender_check,
        },
    )
    for role, people in (("to", mail.to), ("cc", mail.cc)):
        for one in people[:RECIPIENTS]:
            state = "accepted" if message["direction"] == "out" else ""
            row = {"message_id": MESSAGE, "role": role, "address": one.addr, "name": one.name, "state": state}
            yield Insert("message_recipient", row)
    for file in mail.attachments:
        yield Insert(
            "attachment",
            {
                "message_id": MESSAGE, "part": file.part, "name": file.name, "content_type": file.content_type,
                "size": file.size, "inline": file.inline, "content_id": file.content_id,
            },
        )  # fmt: skip


def _badges(arrival: Arrival) -> Iterator[str]:
    if arrival.delivery["reason"] == "partial":
        yield "partial"
    if arrival.is_from_junk:
        yield "junk"
    if arrival.reuses_id:
        yield "id_reused"
    yield from arrival.warnings


def _reply_to(arrival: Arrival) -> list[list[str]]:
    """Where the sender wants the answer; a mailing list that put itself there would get it for all its members."""
    mail = arrival.mail
    if why_reply_to_is_ignored(mail, arrival.own, frozenset()) == "list":
        return []
    return [[one.name, one.addr] for one in mail.reply_to[:10]]


def proposed_people(
    tx: Transaction, arrival: Arrival, ticket_id: TicketId | NewRef, sender: Correspondent | None
) -> Iterable[Change]:
    """People in Cc are proposed: they get no history and no quote until an agent confirms them (R13)."""
    known = {arrival.verdict.sender.norm} if arrival.verdict.sender is not None else set()
    if sender is not None:
        known.add(sender.address.norm)
    for number, address in enumerate(arrival.mail.cc[:PROPOSED]):
        if address.norm in known or address.addr in arrival.own:
            continue
        known.add(address.norm)
        person = find_correspondent(tx, address, tx.now, ref=f"cc{number}")
        if isinstance(ticket_id, int) and participant(tx, ticket_id, person) is not None:
            continue
        yield from person.plan.silent
        yield Insert("participant", {"ticket_id": ticket_id, "identity_id": person.identity_id, "role": "proposed"})


def participant(tx: Transaction, ticket_id: TicketId, person: Correspondent) -> Row | None:
    """How that person takes part in the ticket, if at all."""
    if not isinstance(person.identity_id, int):
        return None
    return tx.row("participant", {"ticket_id": ticket_id, "identity_id": person.identity_id})


def settled(delivery: Row, now: datetime, outcome: str, message_id: int | NewRef | None, reason: str) -> Update:
    """The ledger row with its one outcome; a miss means that another process was quicker."""
    after = {"outcome": outcome, "message_id": message_id, "reason": reason, "processed_at": now}
    return Update("delivery", {"id": delivery["id"]}, {"outcome": ""}, after)
