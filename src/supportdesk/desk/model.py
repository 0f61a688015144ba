"""The values of the desk: what a ticket, a customer, a mailbox, an agent is. No I/O, no rules.

Field names are column names (data.md). Times are aware UTC. A value read for a list carries only what the list shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Literal, NewType, Self, TypeVar

from supportdesk.textfold import Term

TicketId = NewType("TicketId", int)
MessageId = NewType("MessageId", int)
OutboxId = NewType("OutboxId", int)
CustomerId = NewType("CustomerId", int)
AgentId = NewType("AgentId", int)
MailboxId = NewType("MailboxId", int)
ActionId = NewType("ActionId", str)  # a UUID; the idempotency key of everything one action wrote

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed", "spam"]
STATUSES: tuple[Status, ...] = ("new", "open", "pending", "on_hold", "solved", "closed", "spam")
Priority = Literal["low", "normal", "high", "urgent"]
SENDER_VERDICTS = ("ticket", "notification", "park", "block", "rules")
PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "urgent")
Direction = Literal["in", "out", "internal", "system"]
DIRECTIONS: tuple[Direction, ...] = ("in", "out", "internal", "system")
OutboxState = Literal["draft", "held", "sending", "sent", "deferred", "uncertain", "failed", "bounced"]
OUTBOX_STATES: tuple[OutboxState, ...] = (
    "draft", "held", "sending", "sent", "deferred", "uncertain", "failed", "bounced",
)  # fmt: skip
OutboxKind = Literal["reply", "new", "forward", "note", "acknowledgement", "bump"]
OUTBOX_KINDS: tuple[OutboxKind, ...] = ("reply", "new", "forward", "note", "acknowledgement", "bump")
Stage = Literal["", "connected", "mail", "rcpt", "data_started", "dot_sent"]
STAGES: tuple[Stage, ...] = ("", "connected", "mail", "rcpt", "data_started", "dot_sent")
RESTORED = "restored"  # `lease_owner` of a reply that a restore put in doubt and whose ticket was not told yet
Outcome = Literal["message", "note", "parked", "duplicate", "echo", "gone"]
OUTCOMES: tuple[Outcome, ...] = ("message", "note", "parked", "duplicate", "echo", "gone")
ParticipantRole = Literal["requester", "cc", "third_party", "external", "proposed"]
PARTICIPANT_ROLES: tuple[ParticipantRole, ...] = ("requester", "cc", "third_party", "external", "proposed")
MessageKind = Literal["mail", "call", "note", "bounce", "out_of_office", "notification", "report", "stub"]
MESSAGE_KINDS: tuple[MessageKind, ...] = (
    "mail", "call", "note", "bounce", "out_of_office", "notification", "report", "stub",
)  # fmt: skip
AuthorKind = Literal["customer", "agent", "external", "third_party", "machine", "system"]
AUTHOR_KINDS: tuple[AuthorKind, ...] = ("customer", "agent", "external", "third_party", "machine", "system")
DismissReason = Literal["thanks", "duplicate", "spam", "answered_elsewhere", "no_action", "undeliverable", "imported"]
DISMISS_REASONS: tuple[DismissReason, ...] = (
    "thanks", "duplicate", "spam", "answered_elsewhere", "no_action", "undeliverable", "imported",
)  # fmt: skip
SnoozeMode = Literal["until_reply", "regardless"]
SNOOZE_MODES: tuple[SnoozeMode, ...] = ("until_reply", "regardless")
Role = Literal["agent", "lead", "admin"]
ROLES: tuple[Role, ...] = ("agent", "lead", "admin")
AgentState = Literal["available", "away", "disabled"]
AGENT_STATES: tuple[AgentState, ...] = ("available", "away", "disabled")
ActorKind = Literal["agent", "rule", "mail", "worker"]
ACTOR_KINDS: tuple[ActorKind, ...] = ("agent", "rule", "mail", "worker")
View = Literal[
    "needs_reply", "mine", "unassigned", "with_customer", "snoozed", "notifications", "all_open", "solved", "spam",
    "all",
]  # fmt: skip
VIEWS: tuple[View, ...] = (
    "needs_reply", "mine", "unassigned", "with_customer", "snoozed", "notifications", "all_open", "solved", "spam",
    "all",
)  # fmt: skip

_T = TypeVar("_T")


def from_row(kind: type[_T], row: Mapping[str, Any]) -> _T:
    """Build the dataclass `kind` from a row, ignoring columns that it does not carry."""
    return kind(**{item.name: row[item.name] for item in fields(kind) if item.name in row})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. For an agent, `id` is the agent's row; for rule, mail and worker it is None and `name` says which."""

    kind: ActorKind
    id: AgentId | None
    name: str
    role: Role = "agent"


MAIL = Actor("mail", None, "mail")
WORKER = Actor("worker", None, "worker")


@dataclass(frozen=True, slots=True)
class Agent:
    id: AgentId
    login: str
    name: str
    role: Role
    languages: tuple[str, ...]
    state: AgentState
    away_until: datetime | None = None
    ssh_key: str = ""
    email: str = ""  # what the agent forwards mail to the desk from

    def actor(self) -> Actor:
        return Actor("agent", self.id, self.name, self.role)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket as a writing transaction sees it: `version` for compare-and-swap, `seq` for the stop-on-send check."""

    id: TicketId
    subject: str
    status: Status
    priority: Priority
    kind: str  # "human" | "notification"
    mailbox_id: MailboxId | None
    market_id: int | None
    customer_id: CustomerId | None
    assignee_id: AgentId | None
    language: str
    language_source: str
    created_at: datetime
    updated_at: datetime
    version: int
    seq: int
    waiting_since: datetime | None = None
    last_message_at: datetime | None = None
    first_response_at: datetime | None = None
    solved_at: datetime | None = None
    closed_at: datetime | None = None
    due_at: datetime | None = None
    first_due: datetime | None = None
    next_due: datetime | None = None
    resolution_due: datetime | None = None
    announce_at: datetime | None = None
    sla_id: int | None = None
    snoozed_until: datetime | None = None
    snooze_mode: SnoozeMode | None = None
    snooze_reason: str = ""
    snoozed_by: AgentId | None = None
    on_hold_until: datetime | None = None
    merged_into: TicketId | None = None
    merged_at: datetime | None = None
    follow_up_of: TicketId | None = None
    split_from: TicketId | None = None
    suggested_id: TicketId | None = None
    reopened_count: int = 0
    auto_solved: bool = False
    order_number: str = ""
    message_count: int = 0
    has_attachment: bool = False
    badges: tuple[str, ...] = ()

    def asleep(self, now: datetime) -> bool:
        return self.snoozed_until is not None and self.snoozed_until > now


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One hydrated line of the queue."""

    id: TicketId
    version: int
    status: Status
    priority: Priority
    subject: str
    customer_name: str
    customer_address: str
    language: str
    assignee_id: AgentId | None
    assignee: str
    mailbox_id: MailboxId | None
    message_count: int
    has_attachment: bool
    waiting_since: datetime | None
    due_at: datetime | None
    snoozed_until: datetime | None
    updated_at: datetime
    badges: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    presence: tuple[tuple[str, str], ...] = ()  # (agent name, "viewing" | "replying"), others only
    unread: bool = False
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment of a message or of an outbox row. `part` cuts it from the raw mail; `blob_sha` is an upload."""

    id: int
    name: str
    content_type: str
    size: int
    part: str = ""
    blob_sha: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class RecipientRow:
    """One recipient: its delivery state (pending, accepted, deferred, failed, bounced) and the server's words."""

    role: str  # to | cc | bcc
    address: str
    name: str = ""
    state: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ThreadEntry:
    """One item of a conversation: a message, or an outbox row that is not sent yet (`outbox_id` set, `id` None)."""

    id: MessageId | None
    outbox_id: OutboxId | None
    ticket_id: TicketId  # the home ticket, which differs from the one shown after a merge
    seq: int
    kind: str
    direction: Direction
    channel: str
    author_kind: AuthorKind
    author_name: str
    author_address: str
    at: datetime
    subject: str
    text: str
    folds: tuple[tuple[int, int, str], ...] = ()
    links: tuple[tuple[int, str, str, str], ...] = ()
    attachments: tuple[AttachmentRow, ...] = ()
    recipients: tuple[RecipientRow, ...] = ()
    language: str = ""
    state: str = ""  # of the outbox row
    error: str = ""
    not_before: datetime | None = None
    next_try: datetime | None = None
    agent_id: AgentId | None = None
    raw_sha: str = ""
    sender_check: str = ""  # pass | fail | unverified by the mailbox's own server; "" where it reports nothing
    evidence: Mapping[str, Any] = field(default_factory=dict)
    badges: tuple[str, ...] = ()
    version: int = 0


@dataclass(frozen=True, slots=True)
class CustomerView:
    """The customer beside the conversation."""

    id: CustomerId
    name: str
    addresses: tuple[str, ...]
    language: str
    language_source: str
    region: str
    register: str
    zone: str
    since: datetime  # the first conversation, which may be older than this desk
    tickets: tuple[tuple[TicketId, str, Status, datetime], ...]  # id, subject, status, created; newest first
    note: str = ""
    version: int = 0
    ticket_count: int = 0  # of all his tickets; `tickets` are the newest


DECIDED = ("confirmed", "order", "hand")
"""Sources of a customer's language that no text changes, the best evidence last (domain.md section 8)."""


def as_one(customers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one person that merged customers are, the survivor first: what he lacks, the next of them tells.

    The language is the one with the best evidence that was decided, else the survivor's; no note is lost.
    """
    one = dict(customers[0])
    for name in ("name", "region", "register", "zone", "market_id"):
        one[name] = next((row[name] for row in customers if row[name]), one[name])
    known = [row for row in customers if row["language"]] or customers
    spoken = max(known, key=lambda row: DECIDED.index(source) if (source := row["language_source"]) in DECIDED else -1)
    one |= {name: spoken[name] for name in ("language", "language_source")}
    one["note"] = "\n".join(dict.fromkeys(row["note"] for row in customers if row["note"]))
    one["created_at"] = min(row["created_at"] for row in customers)
    return one


@dataclass(frozen=True, slots=True)
class Server:
    """An IMAP or SMTP account's address. `tls`: "implicit" | "starttls" | "none" (loopback addresses only)."""

    host: str
    port: int
    tls: str
    login: str
    ca_file: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return from_row(cls, value)

    def to_json(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A support address of a shop, its servers and its manners (data.md). Passwords are never part of it."""

    id: MailboxId
    address: str
    name: str
    shop_name: str
    aliases: tuple[str, ...]
    imap: Server | None
    smtp: Server | None
    state: str  # "active" | "paused"
    languages: tuple[str, ...] = ()
    language: str = ""  # the default, when nothing else tells the customer's
    register: str = ""
    zone: str = "UTC"
    calendar_id: int | None = None
    market_id: int | None = None
    canned_set: str = ""
    order_pattern: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)  # by language tag
    settings: Mapping[str, Any] = field(default_factory=dict)  # quote_last, sent_copy, processed, authserv_id, …
    start_at: datetime | None = None  # mail older than this is history
    version: int = 0

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that means this mailbox, case-folded."""
        return tuple(address.casefold() for address in (self.address, *self.aliases))


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One reply from draft to sent: the only copy of its text (domain.md section 4)."""

    id: OutboxId
    ticket_id: TicketId
    agent_id: AgentId | None
    mailbox_id: MailboxId
    kind: OutboxKind
    state: OutboxState
    subject: str
    body: str
    created_at: datetime
    updated_at: datetime
    version: int
    seen_seq: int
    stage: Stage = ""
    in_reply_to: MessageId | None = None
    language: str = ""
    quote: bool = True
    canned_key: str = ""
    after_status: str = ""  # what the ticket becomes when this is held: pending, solved, …
    ask_again: bool = False  # the customer is reminded while the ticket is pending after this reply
    message_id_header: str = ""
    built_sha: str = ""
    not_before: datetime | None = None
    next_try: datetime | None = None
    held_at: datetime | None = None
    sent_at: datetime | None = None
    attempts: int = 0
    error: str = ""
    server_reply: str = ""
    lease_owner: str = ""
    lease_epoch: int = 0
    lease_until: datetime | None = None
    action_id: str = ""
    recipients: tuple[RecipientRow, ...] = ()
    attachments: tuple[AttachmentRow, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the event log: ids and enums only."""

    seq: int
    action_id: ActionId
    ticket_id: TicketId | None
    actor_kind: ActorKind
    actor_id: AgentId | None
    kind: str
    at: datetime
    data: Mapping[str, Any]


# ---- what is looked for: `desk.query` reads it from text, the store makes SQL of it ---------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """One message of the ticket holds all these terms; `field` narrows it to its "subject" or whom it is "from"."""

    terms: tuple[Term, ...]
    field: Literal["", "subject", "from"] = ""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The ticket of that number, or the one that it was merged into."""

    number: int


@dataclass(frozen=True, slots=True)
class Property:
    """A ticket's own property. `desk.query.KEYS` says what each key compares with; a span counts from now."""

    key: str
    value: str | int | datetime | timedelta | tuple[Term, ...]
    comparison: Literal["=", "<", "<=", ">", ">="] = "="


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


Condition = Words | Numbered | Property | Not | AllOf | AnyOf
Sort = Literal["", "due", "newest", "oldest", "waiting", "relevance"]
SORTS: tuple[Sort, ...] = ("due", "newest", "oldest", "waiting", "relevance")


@dataclass(frozen=True, slots=True)
class Query:
    """What to list: of `view` ("": where it is asked) the tickets that meet `condition` (None: all), in that order."""

    condition: Condition | None = None
    view: View | Literal[""] = ""
    sort: Sort = ""


EVERYTHING = Query()


COUNTED_TO = 1_000
"""A saved view is counted so far; what holds more says so."""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A query with a name. `agent_id` None: everybody's."""

    id: int
    name: str
    query: str
    agent_id: AgentId | None
    position: int


def standing_views(ticket: Ticket) -> frozenset[tuple[View, int]]:
    """The views that count this ticket, each with the agent whose view it is (0: everybody's).

    From the ticket's own row alone, so that the counters follow from each write. Who is asleep depends on the time:
    readers subtract those from `needs_reply`, `unassigned` and `mine`, and count them as `snoozed`.
    """
    if ticket.merged_into is not None:
        return frozenset()
    views: set[tuple[View, int]] = {("all", 0)}
    if ticket.status in {"new", "open", "pending", "on_hold"}:
        views.add(("all_open", 0))
    if ticket.status == "pending":
        views.add(("with_customer", 0))
    if ticket.status in {"solved", "closed"}:
        views.add(("solved", 0))
    elif ticket.status == "spam":
        views.add(("spam", 0))
    elif ticket.kind == "notification":
        views.add(("notifications", 0))
    if ticket.kind == "human" and ticket.waiting_since is not None and ticket.status != "spam":
        views.add(("needs_reply", 0))
        if ticket.assignee_id is None:
            views.add(("unassigned", 0))
    if ticket.assignee_id is not None and ticket.status in {"new", "open", "on_hold"}:
        views.add(("mine", ticket.assignee_id))
    return frozenset(views)
