"""What the desk needs from the outside, as Protocols: a clock, a store, a mail parser, mail servers.

The desk says to the store *what* changes, as data (`Plan`); the store writes it in one transaction, by
compare-and-swap, with one event a ticket. Rows are mappings from column name to value: aware UTC times, decoded JSON,
`tuple`s never required. Table and column names are those of data.md.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from supportdesk.desk.model import (
    EVERYTHING,
    ActionId,
    Actor,
    AgentId,
    CustomerId,
    CustomerView,
    EventRow,
    MailboxId,
    OutboxRow,
    Query,
    QueueRow,
    ThreadEntry,
    Ticket,
    TicketId,
    View,
)
from supportdesk.errors import SupportdeskError
from supportdesk.mail.model import BuiltMail, FetchedMail, FolderInfo, FolderState, ParsedMail, SendResult

Row = Mapping[str, Any]
T = TypeVar("T")


# ---- what changes, as data -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewRef:
    """Stands for the id of a row that the same plan inserts; the store resolves it wherever it appears as a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Insert:
    table: str
    values: Row
    ref: NewRef | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Set `after` on the row with that primary key, if the columns that `before` names still equal it."""

    table: str
    key: Row
    before: Row
    after: Row


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a row whose whole content is `before` (tags, presence: what an undo can insert again)."""

    table: str
    key: Row
    before: Row


Change = Insert | Update | Delete


@dataclass(frozen=True, slots=True)
class PlannedEvent:
    """One line for the log: `data` holds ids and enums only; old values go into the erasable detail."""

    ticket_id: TicketId | NewRef | None
    kind: str
    data: Row = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything one action does, to be written in one transaction.

    `changes` that an undo can take back are stored with the events; `silent` ones (search text, counters, recipients)
    follow from them. The inverse is derived: an Update swaps before and after, an Insert and a Delete change places.
    """

    changes: tuple[Change, ...] = ()
    silent: tuple[Change, ...] = ()
    events: tuple[PlannedEvent, ...] = ()
    undoable: bool = True

    def __add__(self, other: Plan) -> Plan:
        return Plan(
            self.changes + other.changes,
            self.silent + other.silent,
            self.events + other.events,
            self.undoable and other.undoable,
        )


@dataclass(frozen=True, slots=True)
class Applied:
    """What a plan became: the ids that its NewRefs got."""

    action_id: ActionId
    ids: Mapping[str, int]


# ---- the clock -------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


# ---- the store -------------------------------------------------------------------------------------------------------


class Transaction(Protocol):
    """A writing transaction: under the fair lock, BEGIN IMMEDIATE, at most 20 ms, no waiting for anything inside.

    Leaving the `with` block commits; an exception rolls back. Reads see the transaction's own writes and, on Postgres,
    `ticket()` locks the row.
    """

    @property
    def now(self) -> datetime: ...
    def elapsed(self) -> float:
        """Seconds that it has worked: a batch ends the transaction before 0.02, so that nobody waits for long.

        On SQLite those of this thread's processor, for who waits is seen there; on Postgres those of the clock.
        """

    def is_awaited(self) -> bool:
        """Whether somebody else waits to write: a batch ends the transaction at once."""

    def ticket(self, ticket_id: TicketId) -> Ticket:
        """The ticket as it is now. Raises NotFound."""

    def row(self, table: str, key: Row) -> Row | None: ...
    def rows(
        self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0, columns: Sequence[str] = ()
    ) -> list[Row]:
        """Rows whose columns equal `where` (a list value means IN); `order` is `column` or `-column`.

        Only `columns` are read, where any are named: a message's body is dear to whoever wants its date.
        """

    def claim(self, table: str, where: Row) -> bool:
        """Whether the row that `where` describes is ours until this transaction ends.

        It is not where there is none, or where another transaction has it: nobody is waited for.
        """

    def expect(self, wanted: Mapping[tuple[str, str], Iterable[str]]) -> None:
        """Look up at once which of these texts no row holds in its column, by (table, column): nearly all that `rows`
        will be asked for. Those cost no statement any more.
        """

    def remember(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` makes of settings, mailboxes, agents, calendars, markets, SLA snapshots and signing keys alone.

        It is made once, and again as soon as one of those rows is another, whoever wrote it.
        """

    def apply(self, plan: Plan, actor: Actor, action_id: ActionId) -> Applied:
        """Write changes, events and details. Each touched ticket's version grows by one and updated_at is set.

        The store keeps `version` of every table and `updated_at` of a ticket by itself. Raises Conflict, naming who
        changed what and when, if a compare-and-swap misses or a unique key is taken; AlreadyDone if the log holds an
        event of this action_id, ticket and kind: an action is never written twice.
        """

    def savepoint(self) -> AbstractContextManager[None]:
        """An exception inside rolls back to here and goes on rising."""

    def only_one(self, work: str) -> None:
        """Until this transaction ends nobody else is at that work: what it looks for, nobody is about to write."""

    def rewrite(self, table: str, key: Row, after: Row) -> None:
        """Set derived columns of one row: no event, and no ticket's version grows, for nothing was decided."""

    def index_message(self, message_id: int, folded: str) -> None:
        """Put the folded text of a message into message_text and the search index (replacing what was there)."""


class Looks(Protocol):
    """What a reader and a transaction have in common: tickets and rows as they are."""

    def ticket(self, ticket_id: TicketId) -> Ticket: ...
    def row(self, table: str, key: Row) -> Row | None: ...
    def rows(self, table: str, where: Row | None = None, *, order: str = "", limit: int = 0) -> list[Row]: ...


class Reader(Looks, Protocol):
    """Plain reads through the DB-API; every method is safe to call from any thread."""

    def queue_ids(
        self,
        view: View | str,
        *,
        agent_id: AgentId | None,
        now: datetime,
        query: Query = EVERYTHING,
        limit: int = 0,
        among: Sequence[TicketId] | None = None,
    ) -> list[TicketId]:
        """The spine of a view in its order, narrowed by a query; the view and the order that it names go before.

        With `among` only which of those tickets are in the view, at a cost that does not grow with it.
        """

    def queue_spine(
        self, view: View | str, *, agent_id: AgentId | None, now: datetime, query: Query = EVERYTHING
    ) -> array[int]:
        """The whole spine, as numbers: what a list of a million tickets is made of."""

    def queue_rows(
        self, ids: Sequence[TicketId], *, agent_id: AgentId | None, now: datetime
    ) -> dict[TicketId, QueueRow]: ...
    def counts(self, *, agent_id: AgentId | None, now: datetime) -> dict[str, int]:
        """How many tickets each view holds, and `outbox`, `parked`, `drafts`, `uncertain`, `failed` besides."""

    def tags(self, ticket_id: TicketId) -> tuple[str, ...]: ...
    def thread(self, ticket_id: TicketId) -> list[ThreadEntry]:
        """The conversation of the ticket and of all that was merged into it, oldest first, with unsent outbox rows."""

    def customer(self, customer_id: CustomerId) -> CustomerView: ...
    def outbox(
        self,
        *,
        states: Sequence[str] = (),
        agent_id: AgentId | None = None,
        ticket_id: TicketId | None = None,
        limit: int = 0,
    ) -> list[OutboxRow]: ...
    def search(self, query: Query, *, agent_id: AgentId | None, now: datetime, limit: int = 50) -> list[TicketId]:
        """Of all tickets those that meet a query; with words the newest message first."""

    def addresses(self, begun: str, *, limit: int = 8) -> list[tuple[str, str]]:
        """(name, address) of those known whose address, or a word of whose name, begins so; the newest first."""

    def used_words(self) -> tuple[list[str], list[str]]:
        """The tags and the languages of the tickets: what completion offers."""

    def canned_uses(self) -> dict[str, tuple[int, int]]:
        """For each canned response how many replies went out with it, and how many of them were edited before."""

    def to_announce(self, *, now: datetime, limit: int) -> list[TicketId]:
        """The tickets of whose deadlines agents are to be told now, the longest due first."""

    def unanswered(self, *, now: datetime, older_than: datetime | None = None) -> list[Row]:
        """Every waiting customer, unresolved delivery and unseen parked mail (domain.md section 1), longest first."""

    def events(self, *, after: int = 0, ticket_id: TicketId | None = None, limit: int = 500) -> list[EventRow]:
        """The log, oldest first: go on with the `seq` of the last one. Without a ticket it is the change feed.

        The feed never skips an event; on Postgres `seq` need not rise from one to the next.
        """

    def feed_position(self) -> int:
        """The `seq` to start following the change feed from: now."""

    def event_details(self, action_id: ActionId) -> list[tuple[EventRow, Row]]:
        """The events of an action with their details: `undoable`, `changes` (a tuple of Change, with real times), and
        `order` (the place of each change in the whole action: undo goes backwards)."""

    def presence(self, ticket_id: TicketId, *, now: datetime) -> list[tuple[AgentId, str, str]]: ...
    def followed_news(self, agent_id: AgentId, kinds: Sequence[str]) -> list[Row]:
        """For each ticket that an agent follows or was named on: what others did that he was not told of."""

    def audit(self) -> list[Row]:
        """For each folder and UIDVALIDITY: rows, and the count of each outcome (and of those unprocessed)."""

    def wait_for_change(self, timeout: float) -> bool:
        """Block until somebody else committed something, at most `timeout` seconds."""

    def close(self) -> None:
        """Stop waiting for changes: whoever waits returns."""


class Blobs(Protocol):
    """Raw mail, uploads and built mail: bytes by their sha-256, each put durable before it returns."""

    def put(self, data: bytes, then: Callable[[Transaction, str], None] | None = None) -> str:
        """Keep the bytes; returns their sha. `then` gets it in the transaction that makes them whole."""

    def get(self, sha256: str) -> bytes: ...
    def sweep(self) -> int:
        """Remove the pieces that a killed `put` left behind; of how many blobs."""


@dataclass(frozen=True, slots=True)
class LedgerItem:
    """One UID to be entered: its raw bytes (None: the server supplied none) and what the server said of it."""

    uid: int
    raw: bytes | None = field(repr=False)
    size: int
    internal_date: datetime | None
    historic: bool = False
    partial: bool = False
    imported: bool = False  # from an archive on disk


Identity = tuple[str, int, datetime | None]
"""Message-ID ("" where it has none), size and internal date of a mail."""


class Ledger(Protocol):
    """Which UIDs of which folder this desk has taken over: store first, act later (INGEST-1)."""

    def folder(self, mailbox_id: MailboxId, name: str, role: str) -> Row:
        """The row of that folder, made if it is new."""

    def new_epoch(self, folder_id: int, uidvalidity: int) -> None:
        """The folder's UIDVALIDITY is another now: start again at UID 1; the rows of the old epoch stay."""

    def known_uids(self, folder_id: int, uidvalidity: int, first: int, last: int) -> set[int]: ...
    def identities(self, folder_id: int) -> Iterator[Identity]:
        """What tells each mail from the others that the folder ever held."""

    def link_known(self, folder_id: int, uidvalidity: int, listed: Mapping[int, Identity]) -> int:
        """Enter UIDs of a new numbering whose mail has its outcome under an earlier one, unfetched; how many (SYNC-5).

        The Message-ID, the size and the date have to be those of one mail.
        """

    def record_fetched(self, folder_id: int, uidvalidity: int, items: Sequence[LedgerItem], *, advance_to: int) -> None:
        """Raw bytes, ledger rows and `last_uid`, durable in one transaction (big raw mail in short ones before it).

        A UID that already has a row is left as it is. `advance_to` is the end of the contiguous prefix, 0 to stay.
        """

    def record_gone(self, folder_id: int, uidvalidity: int, uids: Sequence[int], *, advance_to: int) -> None: ...
    def finish_pass(self, folder_id: int, *, missing: int, error: str = "") -> None:
        """Note a complete pass (or why it broke off) with its time; `missing`: UIDs on the server without a row."""

    def unprocessed(self, limit: int, *, mailbox_id: MailboxId | None = None, imported: bool = False) -> list[Row]:
        """Rows without an outcome, oldest internal date first, with `mailbox_id`, `role` and `folder` (name).

        Those of archives on disk are apart: with `imported` only they, without it all others.
        """

    def note_failure(self, delivery_id: int, error: str) -> int:
        """Count a failed attempt at processing, with its reason; how many there were."""


class Store(Protocol):
    """The database. Nothing is opened before the first call."""

    @property
    def read(self) -> Reader: ...
    @property
    def blobs(self) -> Blobs: ...
    @property
    def ledger(self) -> Ledger: ...
    def run(self, block: Callable[[Transaction], T]) -> T:
        """Run `block` in a transaction, again from the start while the database raises TryAgain."""

    def mend_search(self, *, dry_run: bool = False) -> bool:
        """Make the search index anew from the texts if it differs from them; whether it did."""

    def gauges(self) -> Mapping[str, float | None]:
        """`wal_bytes`, `disk_free_bytes`, `clock_skew_seconds`, and of this process `lock_wait_p99_ms`."""

    def checkpoint(self) -> bool:
        """Move the write-ahead log into the database file (SQLite); False while a reader keeps it."""

    def fold_view_counts(self) -> int:
        """Add the appended deltas of the view counts to their rows (the worker, now and then)."""

    def recount_views(self, *, dry_run: bool = False) -> tuple[str, ...]:
        """Mend the view counters where they are wrong; which were. Raises TryAgain while somebody folds them."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """One writing transaction, never repeated by itself.

        Raises TryAgain when nothing was written, OutcomeUnknown when the commit broke off: ask by action_id.
        """

    def acquire_lease(self, name: str, owner: str, seconds: float, info: Row) -> int | None:
        """The epoch if the lease is ours now (taken or renewed), else None."""

    def release_lease(self, name: str, owner: str) -> None: ...
    def set_presence(self, ticket_id: TicketId, agent_id: AgentId, console: str, mode: str) -> None:
        """`mode` viewing | replying | "" to leave; its own short transaction, no event."""

    def close(self) -> None: ...


# ---- mail servers ----------------------------------------------------------------------------------------------------


class MailParser(Protocol):
    """Reads hostile mail in a contained process; mail.child.ParseFailed is raised, or yielded, where it could not."""

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail: ...
    def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Iterator[ParsedMail | SupportdeskError]:
        """One answer for each mail, in order; several are read at once."""

    def cut_part(self, raw: bytes, part: str) -> bytes: ...


class MailSource(Protocol):
    """One IMAP connection. Every method raises ConnectionFailed (LoginRefused when a person must act)."""

    def folders(self) -> list[FolderInfo]: ...
    def select(self, folder: str) -> FolderState: ...
    def uids_from(self, uid: int) -> list[int]:
        """UIDs ≥ uid in the selected folder, ascending (never the `n:*` ghost below uid)."""

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        """BODY.PEEK[] of each, in small groups; what vanished is absent; over `max_size` only its first parts."""

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        """INTERNALDATE of each."""

    def identities(self, uids: Sequence[int]) -> dict[int, tuple[str, int, datetime | None]]:
        """Message-ID ("" without one), size and INTERNALDATE of each."""

    def idle(self, seconds: float, stop: Callable[[], bool]) -> bool:
        """Wait for news at most so long; True if there may be some. A dead connection raises."""

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        """UIDs of our own signed Message-ID in that folder."""

    def append(self, folder: str, data: bytes, at: datetime) -> None: ...
    def mark(self, uids: Sequence[int], policy: str, target: str = "") -> None:
        """leave | keyword | seen | move: after the commit only (INGEST-2)."""

    def close(self) -> None: ...


class MailTransport(Protocol):
    """One SMTP account."""

    def send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        """Deliver to these envelope recipients. `on_stage` is called before each stage; `data_started` before DATA and
        `dot_sent` just before the final dot, and its exception aborts the attempt before that stage."""

    def close(self) -> None: ...


class MailServers(Protocol):
    """Opens connections for a mailbox; credentials are resolved here and never stored."""

    def source(self, mailbox_id: MailboxId) -> MailSource: ...
    def transport(self, mailbox_id: MailboxId) -> MailTransport: ...
