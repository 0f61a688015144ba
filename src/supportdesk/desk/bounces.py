"""A bounce: which recipients of which mail it gives up, and what that changes on reply, message and address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from supportdesk.desk.arrival import Arrival
from supportdesk.desk.clocks import family_of
from supportdesk.desk.model import Ticket
from supportdesk.desk.ports import Change, Row, Transaction, Update
from supportdesk.mail.classify import BouncedRecipient

UNDELIVERED = ("accepted", "pending", "deferred", "")
MAY_BOUNCE = ("sent", "uncertain", "deferred")


def final_bounces(arrival: Arrival) -> list[BouncedRecipient]:
    """Those that give up a recipient; what history says of an address or a ticket is long past."""
    if arrival.historic:
        return []
    return [one for one in arrival.verdict.bounced if one.opens_ticket]


def bounced_recipients(tx: Transaction, arrival: Arrival, ticket: Ticket) -> Iterator[Change]:
    """The recipients that the report gives up: on the reply, on its message in the thread, on the address for later."""
    outbox, messages = _bounced_mail(tx, arrival, ticket)
    rows = tx.rows("outbox_recipient", {"outbox_id": outbox["id"]}) if outbox else []
    copies = tx.rows("message_recipient", {"message_id": [row["id"] for row in messages]}) if messages else []
    known = {row["address"].casefold(): row["state"] for row in (rows or copies)}
    left = {address for address, state in known.items() if state in UNDELIVERED}
    for one in final_bounces(arrival):
        words = f"{one.status} {one.diagnostic}".strip()[:1000]
        # A report that names nobody we wrote to (an alias was forwarded) means the one there is.
        named = one.address.casefold()
        wanted = named if named in known or len(left) != 1 else next(iter(left))
        left.discard(wanted)
        for table, found in (("outbox_recipient", rows), ("message_recipient", copies)):
            for row in found:
                if row["address"].casefold() == wanted and row["state"] != "bounced":
                    after = {"state": "bounced", "detail": words}
                    yield Update(table, {"id": row["id"]}, {"state": row["state"]}, after)
        if one.flags_address:
            for identity in tx.rows("customer_identity", {"kind": "email", "value_norm": wanted}):
                before = {"bounced_at": identity["bounced_at"]}
                flagged = {"bounced_at": tx.now, "bounce": words}
                yield Update("customer_identity", {"id": identity["id"]}, before, flagged)
    if outbox is not None and not left and outbox["state"] in MAY_BOUNCE:
        given_up = {"state": "bounced", "error": arrival.mail.subject[:500], "next_try": None}
        yield Update("outbox", {"id": outbox["id"]}, {"state": outbox["state"]}, given_up)


def _bounced_mail(tx: Transaction, arrival: Arrival, ticket: Ticket) -> tuple[Row | None, Sequence[Row]]:
    """What came back: the reply that the report names, a mail of ours from Sent, else the newest reply to that address.

    The last is for reports without the original, which reached the ticket by its signed address.
    """
    if arrival.match.outbox_id is not None:
        return _with_messages(tx, tx.row("outbox", {"id": arrival.match.outbox_id}))
    homes = [member.id for member in family_of(tx, ticket.id)]
    original = arrival.mail.report.original_message_id if arrival.mail.report is not None else ""
    if original:
        mails = tx.rows("message_mail", {"message_id_norm": original})
        ids = [mail["message_id"] for mail in mails]
        found = tx.rows("message", {"id": ids, "direction": "out", "ticket_id": homes}) if ids else []
        if found:
            return None, found
    addresses = {one.address.casefold() for one in final_bounces(arrival)}
    for row in tx.rows("outbox", {"ticket_id": homes, "state": list(MAY_BOUNCE)}, order="-id"):
        recipients = tx.rows("outbox_recipient", {"outbox_id": row["id"]})
        if addresses & {one["address"].casefold() for one in recipients}:
            return _with_messages(tx, row)
    return None, ()


def _with_messages(tx: Transaction, outbox: Row | None) -> tuple[Row | None, Sequence[Row]]:
    return outbox, tx.rows("message", {"outbox_id": outbox["id"]}) if outbox is not None else ()
