"""The tables (data.md), as SQLModel classes. Reading and writing live in `store.read` and `store.write`.

Ids that a person or a signed token may hold are AUTOINCREMENT: never reused. Table models do not validate; the desk
does, and the CHECKs here are the last guard. The search index and the append-only triggers are in
`store.schema_extras`, because Alembic's batch mode drops them and they must be made again from one place.
"""

from supportdesk.store.tables.base import Table
from supportdesk.store.tables.desk import (
    Canned,
    CannedVariant,
    Event,
    EventDetail,
    Lease,
    Presence,
    SavedView,
    Setting,
    ViewCount,
    ViewCountDelta,
)
from supportdesk.store.tables.intake import Blob, BlobChunk, Delivery, Folder, Mailbox, Parked, SigningKey
from supportdesk.store.tables.message import (
    Attachment,
    Message,
    MessageMail,
    MessageRecipient,
    MessageText,
    Outbox,
    OutboxRecipient,
)
from supportdesk.store.tables.people import Agent, Calendar, Customer, CustomerIdentity, Market, Team, TeamMember
from supportdesk.store.tables.ticket import Dismissal, Participant, SlaSnapshot, Ticket, TicketSeen, TicketTag

__all__ = [
    "Agent",
    "Attachment",
    "Blob",
    "BlobChunk",
    "Calendar",
    "Canned",
    "CannedVariant",
    "Customer",
    "CustomerIdentity",
    "Delivery",
    "Dismissal",
    "Event",
    "EventDetail",
    "Folder",
    "Lease",
    "Mailbox",
    "Market",
    "Message",
    "MessageMail",
    "MessageRecipient",
    "MessageText",
    "Outbox",
    "OutboxRecipient",
    "Parked",
    "Participant",
    "Presence",
    "SavedView",
    "Setting",
    "SigningKey",
    "SlaSnapshot",
    "Table",
    "Team",
    "TeamMember",
    "Ticket",
    "TicketSeen",
    "TicketTag",
    "ViewCount",
    "ViewCountDelta",
]
