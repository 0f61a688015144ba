"""What threading asks about tickets and messages, answered from inside a writing transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from supportdesk.desk.clocks import family_of, root_of
from supportdesk.desk.correspondents import Correspondent
from supportdesk.desk.customers import person_of
from supportdesk.desk.model import TicketId
from supportdesk.desk.ports import Row, Transaction
from supportdesk.errors import NotFound
from supportdesk.mail.thread import OVER, Home, TicketFacts

TAKES_PART = ("requester", "cc", "third_party")
PROPOSED = ("proposed",)
TICKETS_OF_A_CUSTOMER = 20


@dataclass(frozen=True, slots=True)
class TransactionLookup:
    """Implements `mail.thread.ThreadLookup` for one mail; every ticket comes as the root of its merges."""

    tx: Transaction
    sender: Correspondent | None = None  # who wrote; somebody new has no tickets
    _facts: dict[int, TicketFacts | None] = field(default_factory=dict)  # a mail names a conversation many times

    def ticket(self, ticket: int) -> TicketFacts | None:
        if ticket not in self._facts:
            self._facts[ticket] = self._read_ticket(ticket)
        return self._facts[ticket]

    def home_of_outbox(self, outbox_id: int) -> Home | None:
        rows = self.tx.rows("message", {"outbox_id": outbox_id}, limit=1, columns=("id", "ticket_id", "created_at"))
        if rows:
            return Home(self._header_id(rows[0]["id"]), rows[0]["ticket_id"], rows[0]["created_at"], ours=True)
        row = self.tx.row("outbox", {"id": outbox_id})
        if row is None or row["state"] == "draft":
            return None
        return Home(row["message_id_header"], row["ticket_id"], row["held_at"] or row["created_at"], ours=True)

    def homes_of_message_ids(self, message_ids: Sequence[str]) -> Sequence[Home]:
        named = [message_id for message_id in message_ids if message_id.strip("<> \t")]
        if not named:
            return ()
        mails = self.tx.rows("message_mail", {"message_id_norm": named}, columns=("message_id", "message_id_norm"))
        if not mails:
            return ()
        ids, columns = [mail["message_id"] for mail in mails], ("id", "ticket_id", "direction", "created_at")
        messages = {row["id"]: row for row in self.tx.rows("message", {"id": ids}, columns=columns)}
        homes = []
        for mail in mails:
            message = messages[mail["message_id"]]
            ours = message["direction"] == "out"
            homes.append(Home(mail["message_id_norm"], message["ticket_id"], message["created_at"], ours))
        return homes

    def homes_of_roots(self, roots: Sequence[str]) -> Sequence[Home]:
        columns = ("message_id", "thread_root")
        mails = self.tx.rows("message_mail", {"thread_root": roots}, order="-message_id", limit=20, columns=columns)
        if not mails:
            return ()
        ids, of_message = [mail["message_id"] for mail in mails], ("id", "ticket_id", "created_at")
        messages = {row["id"]: row for row in self.tx.rows("message", {"id": ids}, columns=of_message)}
        found = [(mail["thread_root"], messages[mail["message_id"]]) for mail in mails]
        return [Home(root, message["ticket_id"], message["created_at"], ours=False) for root, message in found]

    def tickets_by_order(self, number: str, customer: str) -> Sequence[int]:
        return [row["id"] for row in self._tickets_of(customer, {"order_number": number})]

    def tickets_of(self, customer: str) -> Sequence[int]:
        return [row["id"] for row in self._tickets_of(customer, {})]

    def open_ticket_of(self, customer: str, since: datetime) -> int | None:
        for row in self._tickets_of(customer, {}):
            root = row if row["merged_into"] is None else self._root_of(row)
            if root["status"] not in OVER and root["created_at"] > since:
                return int(root["id"])
        return None

    def _read_ticket(self, ticket: int) -> TicketFacts | None:
        try:
            root = root_of(self.tx, TicketId(ticket))
        except NotFound:
            return None
        homes = [member.id for member in family_of(self.tx, root.id)]
        ours = {"ticket_id": homes, "direction": "out"}
        sent = self.tx.rows("message", ours, order="-id", limit=1, columns=("created_at",))
        taking_part, proposed = self._people(homes, root.customer_id)
        return TicketFacts(
            id=root.id,
            status=root.status,
            subject=root.subject,
            participants=taking_part,
            proposed=proposed,
            created_at=root.created_at,
            last_activity=root.last_message_at or root.created_at,
            closed_at=root.closed_at,
            last_sent=sent[0]["created_at"] if sent else None,
        )

    def _root_of(self, merged: Row) -> Row:
        return self.tx.row("ticket", {"id": root_of(self.tx, merged["id"]).id}) or merged

    def _tickets_of(self, address: str, where: Row) -> list[Row]:
        customer = self._customer_of(address)
        if customer is None:
            return []
        columns = ("id", "status", "created_at", "merged_into")
        wanted = {**where, "customer_id": self._same_as(customer)}
        return self.tx.rows("ticket", wanted, order="-id", limit=TICKETS_OF_A_CUSTOMER, columns=columns)

    def _customer_of(self, address: str) -> int | None:
        if self.sender is not None and address == self.sender.address.norm:
            return self.sender.customer_id if isinstance(self.sender.customer_id, int) else None
        where = {"kind": "email", "value_norm": address}
        found = self.tx.rows("customer_identity", where, limit=1, columns=("customer_id",))
        return found[0]["customer_id"] if found else None

    def _same_as(self, customer: int) -> tuple[int, ...]:
        """The customer and all who are the same person; of whoever wrote that is known."""
        sender = self.sender.person if self.sender is not None else None
        return sender.members if sender and customer in sender.members else person_of(self.tx, customer).members

    def _people(self, homes: Sequence[TicketId], customer_id: int | None) -> tuple[frozenset[str], frozenset[str]]:
        """The addresses that take part in a family of tickets, its customer's among them, and those only proposed."""
        rows = self.tx.rows("participant", {"ticket_id": list(homes), "role": [*TAKES_PART, *PROPOSED]})
        identities = self.tx.rows("customer_identity", {"id": [row["identity_id"] for row in rows]}) if rows else []
        value = {row["id"]: row["value_norm"] for row in identities}
        taking_part = {value[row["identity_id"]] for row in rows if row["role"] in TAKES_PART}
        if customer_id is not None:
            his = {"customer_id": self._same_as(customer_id), "kind": "email"}
            taking_part |= {
                row["value_norm"] for row in self.tx.rows("customer_identity", his, columns=("value_norm",))
            }
        return frozenset(taking_part), frozenset(value[row["identity_id"]] for row in rows if row["role"] in PROPOSED)

    def _header_id(self, message_id: int) -> str:
        found = self.tx.rows("message_mail", {"message_id": message_id}, columns=("message_id_norm",))
        return str(found[0]["message_id_norm"]) if found else ""
