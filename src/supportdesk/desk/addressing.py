"""Whom a reply on a ticket goes to: the sender of the message replied to, as the stored message tells.

The rules are `mail.recipients`; here the stored rows are made into what they read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from supportdesk.desk.clocks import family_of, is_from_customer
from supportdesk.desk.customers import person_of
from supportdesk.desk.model import Actor, MessageId, Ticket
from supportdesk.desk.ports import Insert, Looks, NewRef, Plan, Row, Transaction
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import NotFound
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import Address, ParsedMail
from supportdesk.mail.recipients import OwnAddresses, clean_name, reply_recipients


def answered_message(tx: Looks, ticket: Ticket, message_id: MessageId | None = None) -> Row | None:
    """The message that a reply answers: the one named, else the customer's newest, else our own newest."""
    homes = [member.id for member in family_of(tx, ticket.id)]
    if message_id is not None:
        row = tx.row("message", {"id": message_id})
        if row is None or row["ticket_id"] not in homes:
            raise NotFound(_("#{ticket} has no message {message}").format(ticket=ticket.id, message=message_id))
        return row
    rows = tx.rows("message", {"ticket_id": homes, "direction": ["in", "out"]}, order="-created_at")
    rows.sort(key=lambda row: (row["created_at"], row["id"]), reverse=True)
    incoming = (row for row in rows if is_from_customer(row))
    return next(incoming, None) or next(iter(rows), None)


def reply_addresses(tx: Looks, ticket: Ticket, answered: Row | None) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """To and Cc of a reply to that message; the ticket's customer where the message tells nobody."""
    if answered is not None:
        headers = tx.row("message_mail", {"message_id": answered["id"]})
        recipients = tx.rows("message_recipient", {"message_id": answered["id"]}, order="id")
        identity = _identity_of(tx, answered["identity_id"])
        mail = stored_mail(headers, recipients)
        agents = frozenset(row["email"].casefold() for row in tx.rows("agent") if row["email"])
        sender = _effective_sender(mail, identity, answered)
        found = reply_recipients(mail, own_addresses(tx), agents=agents, sender=sender)
        if found.to:
            return found.to, found.cc
    return _customer_addresses(tx, ticket), ()


def known_identity(tx: Transaction, actor: Actor, address: Address) -> tuple[Row, Row]:
    """The identity behind an address and its customer, made if nobody was known by it yet."""
    where = {"kind": "email", "value_norm": address.norm}
    found = tx.rows("customer_identity", where)
    if not found:
        ref = NewRef("customer")
        customer = Insert("customer", {"name": clean_name(address.name), "created_at": tx.now}, ref)
        identity = Insert("customer_identity", {"customer_id": ref, "value": address.addr, **where})
        tx.apply(Plan(silent=(customer, identity), undoable=False), actor, new_action_id())
        found = tx.rows("customer_identity", where)
    return found[0], person_of(tx, found[0]["customer_id"]).row


def joining(tx: Transaction, actor: Actor, ticket: Ticket, row: Row) -> tuple[Insert, ...]:
    """The participants that a reply adds: whom it goes to takes part, and his answer will join the ticket.

    A forward makes third parties, whose answers are internal; a blind copy makes nobody a participant.
    """
    role = "third_party" if row["kind"] == "forward" else "cc"
    known = {one["identity_id"] for one in tx.rows("participant", {"ticket_id": ticket.id})}
    own, new = own_addresses(tx), []
    for one in tx.rows("outbox_recipient", {"outbox_id": row["id"], "role": ["to", "cc"]}, order="id"):
        if one["address"] in own:
            continue
        identity, _owner = known_identity(tx, actor, Address(one["name"], one["address"]))
        if identity["id"] not in known:
            known.add(identity["id"])
            new.append(Insert("participant", {"ticket_id": ticket.id, "identity_id": identity["id"], "role": role}))
    return tuple(new)


def own_addresses(tx: Looks) -> OwnAddresses:
    rows = tx.rows("mailbox")
    return OwnAddresses.of(address for row in rows for address in (row["address"], *(row["aliases"] or ())))


def addresses_of(value: Any) -> tuple[Address, ...]:
    """Addresses as a JSON column holds them: texts, [name, address] pairs, or mappings with `addr`."""
    return tuple(found for item in value or () if (found := _address_of(item)).addr)


def stored_mail(headers: Row | None, recipients: Iterable[Row]) -> ParsedMail:
    """As much of a mail as its rows still tell."""
    people: dict[str, list[Address]] = {"to": [], "cc": []}
    for row in recipients:
        if row["role"] in people:
            people[row["role"]].append(Address(row["name"], row["address"]))
    sender = Address(headers["from_name"], headers["from_address"]) if headers and headers["from_address"] else None
    return ParsedMail(
        headers=(),
        subject="",
        from_=(sender,) if sender else (),
        sender=(),
        reply_to=addresses_of(headers["reply_to"]) if headers else (),
        to=tuple(people["to"]),
        cc=tuple(people["cc"]),
        delivered_to=(),
        return_path=None,
        message_id=headers["message_id_norm"] if headers else "",
        in_reply_to=(),
        references=tuple(headers["references"] or ()) if headers else (),
        date=None,
        text="",
        text_source="none",
    )


def _effective_sender(mail: ParsedMail, identity: Row | None, answered: Row) -> Address | None:
    """The human inside a contact form or a certified mail, where he is somebody else than the From."""
    if identity is None or identity["kind"] != "email" or answered["direction"] != "in":
        return None
    inside = Address(answered["author_name"], identity["value"])
    return inside if all(inside.norm != address.norm for address in (*mail.from_, *mail.reply_to)) else None


def _identity_of(tx: Looks, identity_id: int | None) -> Row | None:
    return tx.row("customer_identity", {"id": identity_id}) if identity_id is not None else None


def _customer_addresses(tx: Looks, ticket: Ticket) -> tuple[Address, ...]:
    if ticket.customer_id is None:
        return ()
    person = person_of(tx, ticket.customer_id)
    rows = tx.rows("customer_identity", {"customer_id": person.members, "kind": "email"}, order="id")
    rows.sort(key=lambda row: row["customer_id"] != ticket.customer_id)  # where he wrote from is where he reads
    return tuple(Address(person.row["name"], row["value"]) for row in rows[:1])


def _address_of(item: Any) -> Address:
    if isinstance(item, Mapping):
        return Address(str(item.get("name") or ""), str(item.get("addr") or item.get("address") or ""))
    if isinstance(item, list | tuple) and len(item) == 2:
        return Address(str(item[0] or ""), str(item[1] or ""))
    return Address("", str(item or ""))
