"""Keeps the draft on the screen and the draft in the database the same, whoever else touches it.

Saving happens in the write lane, one after the other, each on the version that the one before left. Where another
window changed the draft, this one's text wins and the other's is handed back, to be put below it: no word is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supportdesk.errors import Conflict, NotFound
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportdesk.desk.model import OutboxRow
    from supportdesk.tui.session import Session

ROLES = ("to", "cc", "bcc")


@dataclass(frozen=True, slots=True)
class Saved:
    """The row as it is now, and the text of another window that it replaced."""

    row: OutboxRow
    foreign: str = ""


class DraftKeeper:
    """The row of one composer. `save` and `hold` belong in the write lane."""

    def __init__(self, session: Session, row: OutboxRow) -> None:
        self._session = session
        self.row = row
        self._saved = fields_of(row)

    def differs(self, fields: Mapping[str, Any]) -> bool:
        """Whether something is not stored as it is here."""
        return any(self._saved.get(name) != value for name, value in fields.items())

    def save(self, fields: Mapping[str, Any]) -> Saved:
        """Write what differs. Raises StoreError; a draft that is gone is followed by a fresh one."""
        changed = {name: value for name, value in fields.items() if self._saved.get(name) != value}
        if not changed:
            return Saved(self.row)
        desk, actor = self._session.desk, self._session.actor
        foreign = ""
        try:
            row = desk.save_draft(actor, self.row.id, self.row.version, **changed)
        except (Conflict, NotFound) as error:
            stored = self._standing(error)
            if stored.body.strip() not in (str(fields.get("body", "")), self._saved["body"].strip()):
                foreign = stored.body
            row = desk.save_draft(actor, stored.id, stored.version, **dict(fields))
        self.follow(row)
        return Saved(row, foreign)

    def _standing(self, error: Conflict | NotFound) -> OutboxRow:
        """The draft as it is stored; a fresh one where it was sent, discarded or put on the ticket meanwhile."""
        desk, old = self._session.desk, self.row
        if isinstance(error, Conflict) and error.what != "discarded":
            stored = desk.outbox_row(old.id)
            if stored.state == "draft":
                return stored
        return desk.open_draft(self._session.actor, old.ticket_id, kind=old.kind if old.kind != "new" else "reply")

    def follow(self, row: OutboxRow) -> None:
        """The row was changed by a use case of its own: an attachment, a canned response."""
        self.row = row
        self._saved = fields_of(row)


def fields_of(row: OutboxRow) -> dict[str, Any]:
    """What a composer edits, as it is stored."""
    recipients = {
        role: tuple(Address(one.name, one.address) for one in row.recipients if one.role == role) for role in ROLES
    }
    return {
        "subject": row.subject,
        "body": row.body,
        "language": row.language,
        "canned_key": row.canned_key,
        "seen_seq": row.seen_seq,
        **recipients,
    }
