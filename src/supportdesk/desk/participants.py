"""Who takes part in a conversation besides its customer, and whether an agent has confirmed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from supportdesk.desk.model import PARTICIPANT_ROLES

if TYPE_CHECKING:
    from collections.abc import Collection

    from supportdesk.desk.model import TicketId
    from supportdesk.desk.ports import Looks

UNCONFIRMED: Final = frozenset({"external", "proposed"})
"""These see no history and get no quote until an agent confirms them."""


@dataclass(frozen=True, slots=True)
class Participant:
    """An address and its role; `is_confirmed`: it may see the conversation."""

    address: str
    role: str

    @property
    def is_confirmed(self) -> bool:
        return self.role not in UNCONFIRMED


def participants_of(read: Looks, homes: Collection[TicketId]) -> tuple[Participant, ...]:
    """Everybody who takes part in a ticket and in those merged into it (`homes`), in the order of PARTICIPANT_ROLES."""
    rows = read.rows("participant", {"ticket_id": sorted(homes)}, order="id")
    rows.sort(key=lambda row: PARTICIPANT_ROLES.index(row["role"]))
    ids = sorted({row["identity_id"] for row in rows})
    address = {row["id"]: row["value"] for row in read.rows("customer_identity", {"id": ids})} if ids else {}
    found: dict[int, Participant] = {}
    for row in rows:
        found.setdefault(row["identity_id"], Participant(address[row["identity_id"]], row["role"]))
    return tuple(found.values())
