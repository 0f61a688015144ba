"""What the use cases of the desk hand back: plain values for the console and the command line to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from supportdesk.desk.model import ActionId, MailboxId, OutboxId, TicketId
from supportdesk.errors import Conflict, UsageError
from supportdesk.mail.model import Address

MOST_UNPROCESSED = 1000


class AnswerNeeded(UsageError):
    """The action needs a decision that only a person can take: ask for `param` and perform it again.

    `param` names a parameter of the action: `dismiss` (the customer still waits), `different_customers`, `anyway` …
    """

    def __init__(self, message: str, *, param: str, hint: str = "", options: Mapping[str, str] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.param = param
        self.options = options or {}  # what each choice means here, where a word of its own would not tell


@dataclass(frozen=True, slots=True)
class Done:
    """What an action did. `notice` is a localized sentence for a toast; `conflicts` are the tickets it left alone.

    `needed`: those among them for which somebody has to decide something; performed again with the answer and this
    `action_id` it stays one step to undo.
    """

    action_id: ActionId
    tickets: tuple[TicketId, ...]
    notice: str
    conflicts: Mapping[TicketId, Conflict] = field(default_factory=dict)
    outbox_id: OutboxId | None = None
    undoable: bool = True
    plain: str = ""  # the notice without the console's keys, where it names one
    needed: Mapping[TicketId, AnswerNeeded] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReviewWarning:
    """Something that a second key overrides.

    `code`: repeated | language | subject | attachment | bounced | external | spelling, or that of a
    `l10n.wording.Fault`.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """The dry run of a reply: errors stop it, warnings ask for a second key."""

    errors: tuple[str, ...]
    warnings: tuple[ReviewWarning, ...]
    recipients: tuple[Address, ...]
    subject: str
    preview_text: str
    from_address: str

    @property
    def sendable(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    id: MailboxId
    address: str
    state: str  # active | paused
    last_pass_at: datetime | None  # of the folder that is furthest behind
    error: str
    error_since: datetime | None


@dataclass(frozen=True, slots=True)
class DeskStatus:
    """How the desk is doing. `delivering` is whether a worker holds its lease; `attention` are localized sentences."""

    delivering: bool
    worker_seen_at: datetime | None
    worker: Mapping[str, Any]
    mailboxes: tuple[MailboxStatus, ...]
    outbox: Mapping[str, int]  # by state, drafts left out
    oldest_unsent: datetime | None
    parked: int
    junk: int  # in Junk folders, fetched by nobody
    uncertain: int
    failed: int
    unprocessed: int  # mails in the ledger that are nothing yet, counted up to MOST_UNPROCESSED
    attention: tuple[str, ...]
    disk_full: bool = False  # nothing can be written any more; a database on a server tells by refusing


@dataclass(frozen=True, slots=True)
class Why:
    """Why a ticket is as it is: sentences to read, and the same as data.

    `reasons` are the sentences without those of the timeline.
    """

    sentences: tuple[str, ...]
    reasons: tuple[str, ...]
    data: Mapping[str, Any]
