"""Every error that supportdesk raises on purpose, and the exit code of each.

    SupportdeskError                1   failure
    ├── UsageError                  2   a wrong argument, a wrong setting
    │   └── ConfigError             2   … in a file: carries file, key and the nearest known key
    ├── ConnectionFailed            3   a server could not be reached: try again
    │   ├── CommandRefused          3   … it refused one command; the connection lives on
    │   └── LoginRefused            2   … it answered, and said no: a person must act
    ├── NotFound                    4   no such ticket, message, agent …
    ├── Conflict                    5   somebody else was first: says who, what and when
    │   ├── ReplyStopped            5   … something arrived after what the agent had seen
    │   ├── AlreadySent             5   … the customer was sent this very text a short time ago
    │   └── AlreadyDone             5   … this very action was written before
    ├── NotAllowed                  1   the actor's role does not permit it
    ├── ThresholdBreached           6   `unanswered --older`, `status --check`
    ├── MissingValue                1   a canned response lacks a value or a variant
    └── StoreError                  1   the database is damaged, newer than this program, or out of reach
        ├── StoreFailed             1   … its disk is full or fails, its connection is lost, another program holds it:
        │                                 any other write would fail
        ├── TryAgain                1   … it was busy or broke a deadlock; nothing was written
        └── OutcomeUnknown          1   … it broke off during the commit: ask by action_id what became of it

An error carries what happened, to what, and what the user can do about it (`hint`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Self

EXIT_INTERRUPTED = 130


class SupportdeskError(Exception):
    """Something went wrong that the user can be told about in one line."""

    exit_code: ClassVar[int] = 1
    code: str = ""  # what happened to a connection, without words, where a mail adapter raised it; `facts` belong to it
    facts: Mapping[str, object] = MappingProxyType({})

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @classmethod
    def because(cls, code: str, **facts: object) -> Self:
        """The failure of this code in the words that `l10n.server_failures` has for it, in the language of now."""
        from supportdesk.l10n.server_failures import in_words

        message, hint = in_words(code, facts)
        error = cls(message, hint=hint)
        error.code, error.facts = code, MappingProxyType(facts)
        return error


class UsageError(SupportdeskError):
    """The call or a setting is wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting in a file is wrong; the message names file, key and line where they are known."""


class ConnectionFailed(SupportdeskError):
    """A server could not be reached or broke off; trying again later can help."""

    exit_code = 3


class CommandRefused(ConnectionFailed):
    """The server answered NO, BAD or nonsense to one command; the connection lives on, and so may everything else."""


class LoginRefused(ConnectionFailed):
    """The server answered and refused the login; only a person can mend it."""

    exit_code = 2


class NotFound(SupportdeskError):
    """What was asked for does not exist."""

    exit_code = 4


class Conflict(SupportdeskError):
    """Somebody else changed the same thing first."""

    exit_code = 5

    def __init__(
        self, message: str, *, who: str = "", what: str = "", when: datetime | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.who = who
        self.what = what
        self.when = when


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One item that arrived on a ticket after what the agent had seen."""

    seq: int
    kind: str
    author: str
    at: datetime
    excerpt: str


class ReplyStopped(Conflict):
    """A reply was not sent because the ticket has items that its writer has not seen (domain.md section 3)."""

    def __init__(self, message: str, *, newcomers: tuple[Newcomer, ...], seq: int, hint: str = "") -> None:
        super().__init__(message, who=newcomers[0].author if newcomers else "", what="new items", hint=hint)
        self.newcomers = newcomers
        self.seq = seq


class AlreadyDone(Conflict):
    """The log already holds this action on this ticket: what was asked for is written, nothing was done twice."""


class AlreadySent(Conflict):
    """A command would send the same text to the same ticket once more, and nobody has said that it should."""


class NotAllowed(SupportdeskError):
    """The actor's role does not permit the action."""


class ThresholdBreached(SupportdeskError):
    """A check that was asked for found something beyond its limit."""

    exit_code = 6


class MissingValue(SupportdeskError):
    """A canned response cannot be sent: a value or a variant is missing; `names` says which."""

    def __init__(self, message: str, *, names: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.names = names


class StoreError(SupportdeskError):
    """The database cannot be used as it is."""


class StoreFailed(StoreError):
    """The disk, the memory, the connection or the lock of the database failed, whatever was to be written."""


class TryAgain(StoreError):
    """The database was busy or broke a deadlock; the whole transaction can be run again, for nothing was written."""


class OutcomeUnknown(StoreError):
    """The database broke off during the commit: the log, read by action_id, tells whether it was written."""
