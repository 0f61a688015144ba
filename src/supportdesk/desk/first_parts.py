"""What a mail that was fetched as a whole looked like when its first parts alone were here.

Its content identity (INGEST-4) is that of the whole since. A server that numbers the folder anew, with other dates,
gives the first parts once more: they are known by their Message-ID and by the identity that they had then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from supportdesk.desk.model import ActionId, TicketId
from supportdesk.desk.ports import PlannedEvent

if TYPE_CHECKING:
    from supportdesk.desk.ports import Looks, Row, Transaction
    from supportdesk.mail.model import ParsedMail

PARTIAL = "partial"  # the reason of such a delivery, the badge of its message
EVENT = "fetched_whole"
_NAMESPACE = UUID("5f0b6c1e-4d0a-4a43-9d5b-7f7a1a0c2e64")


def action_of(message_id: int) -> ActionId:
    """A mail is made whole once: the action, and with it what is kept of the first parts, is found by the message."""
    return ActionId(str(uuid5(_NAMESPACE, str(message_id))))


def made_whole(tx: Transaction, message: Row) -> PlannedEvent:
    """The event that keeps the identity of the first parts; to be planned before the whole mail replaces it."""
    headers = tx.row("message_mail", {"message_id": message["id"]})
    first_parts = headers["fingerprint"] if headers is not None else ""
    return PlannedEvent(
        TicketId(message["ticket_id"]), EVENT, {"message_id": message["id"], "first_parts": first_parts}
    )


def find_whole(source: Looks, mail: ParsedMail) -> int | None:
    """The message of which these are the first parts, where it has been fetched as a whole."""
    same_id = source.rows("message_mail", {"message_id_norm": mail.message_id}) if mail.message_id else []
    for headers in same_id:
        events = source.rows("event", {"action_id": action_of(headers["message_id"]), "kind": EVENT})
        if mail.fingerprint and any(event["data"].get("first_parts") == mail.fingerprint for event in events):
            return int(headers["message_id"])
    return None
