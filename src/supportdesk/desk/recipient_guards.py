"""Whom a reply goes to, looked at once more: somebody new, somebody missing, somebody else greeted, ourselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from supportdesk.desk.customers import person_of, what_is_known
from supportdesk.desk.model import OutboxRow
from supportdesk.desk.results import ReviewWarning
from supportdesk.l10n.catalog import _
from supportdesk.l10n.tags import canonical_language
from supportdesk.mail.model import Address
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.textfold import fold

if TYPE_CHECKING:
    from supportdesk.desk.ports import Reader, Row

TAKES_PART = ("requester", "cc", "third_party", "external", "proposed")


def recipient_warnings(reader: Reader, row: OutboxRow) -> Iterator[ReviewWarning]:
    """What is odd about the recipients of a draft. A forward and a new conversation go to whom they are addressed."""
    norms = {Address(one.name, one.address).norm: one.address for one in row.recipients}
    mailboxes = reader.rows("mailbox")
    own = OwnAddresses.of(address for box in mailboxes for address in (box["address"], *(box["aliases"] or ())))
    for address in norms.values():
        if address in own:
            yield ReviewWarning("own_address", _("{address} is an address of this desk").format(address=address))
    if row.kind != "reply" or not norms:
        return
    ticket = next(iter(reader.rows("ticket", {"id": row.ticket_id}, limit=1)), {})
    known = _known(reader, row, ticket)
    for norm, address in norms.items():
        if norm not in known and address not in own:
            yield ReviewWarning("new_recipient", _("{address} has not written here before").format(address=address))
    yield from _not_reached(reader, row, norms)
    yield from _greets_another(reader, row, ticket)


def _known(reader: Reader, row: OutboxRow, ticket: Row) -> set[str]:
    """Who takes part, and every address of the customer."""
    part = [one for one in reader.rows("participant", {"ticket_id": row.ticket_id}) if one["role"] in TAKES_PART]
    ids = [one["identity_id"] for one in part]
    found = reader.rows("customer_identity", {"id": ids}) if ids else []
    if ticket.get("customer_id") is not None:
        same = person_of(reader, ticket["customer_id"]).members
        found = [*found, *reader.rows("customer_identity", {"customer_id": same})]
    addresses = {one["value_norm"] for one in found}
    if row.in_reply_to is not None:
        people = reader.rows("message_recipient", {"message_id": row.in_reply_to})
        headers = reader.rows("message_mail", {"message_id": row.in_reply_to}, limit=1)
        addresses |= {Address("", one["address"]).norm for one in people}
        for header in headers:
            addresses |= {Address("", header["from_address"]).norm}
            addresses |= {Address("", addr).norm for addr in _reply_to(header)}
    return addresses


def _reply_to(header: Row) -> list[str]:
    from supportdesk.desk.addressing import addresses_of

    return [one.addr for one in addresses_of(header["reply_to"])]


def _not_reached(reader: Reader, row: OutboxRow, norms: dict[str, str]) -> Iterator[ReviewWarning]:
    """The one who is answered is not among the recipients: then he goes on waiting."""
    if row.in_reply_to is None:
        return
    message = next(iter(reader.rows("message", {"id": row.in_reply_to}, limit=1)), None)
    if message is None or message["direction"] != "in" or message["identity_id"] is None:
        return
    identity = next(iter(reader.rows("customer_identity", {"id": message["identity_id"]}, limit=1)), None)
    if identity is None or identity["kind"] != "email":
        return
    same = person_of(reader, identity["customer_id"]).members
    own = {one["value_norm"] for one in reader.rows("customer_identity", {"customer_id": same})}
    if not own & set(norms):
        text = _("{name} is answered, and does not get it").format(name=message["author_name"] or identity["value"])
        yield ReviewWarning("not_reached", text)


def _greets_another(reader: Reader, row: OutboxRow, ticket: Row) -> Iterator[ReviewWarning]:
    """`Ciao Marco,` in a mail to Giulia: the name of nobody whom it goes to, yet of a customer of the last days."""
    from supportdesk.l10n.wording_words import GREETINGS

    words = GREETINGS.get(canonical_language(row.language)) if row.language else None
    first = next((line.strip() for line in row.body.splitlines() if line.strip()), "")
    if words is None:
        return
    opening = re.match(rf"(?:{words})\s+(?P<name>[^\W\d_][^,;:!?.\n]{{1,60}})\s*[,!:;]", first, re.IGNORECASE)
    if opening is None or not opening["name"][0].isupper():
        return
    customer = what_is_known(reader, ticket.get("customer_id"))
    greeted = set(fold(opening["name"]).split())
    names = [customer.get("name", ""), *(one.name for one in row.recipients), *(one.address for one in row.recipients)]
    theirs = set(re.findall(r"\w+", fold(" ".join(names))))
    named = any(name for name in names[:-1])
    if named and theirs and not any(_same(word, other) for word in greeted for other in theirs):
        text = _("Line {line}: “{found}” is the name of nobody whom it goes to").format(line=1, found=opening["name"])
        yield ReviewWarning("greeted", text)


def _same(word: str, other: str) -> bool:
    """The same name, also where an address or a pet name shortens it."""
    return word == other or (len(word) > 2 and len(other) > 2 and (word.startswith(other) or other.startswith(word)))
