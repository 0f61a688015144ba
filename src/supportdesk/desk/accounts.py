"""The accounts that mail is sent with: what all deliverers of one worker know of them together (mail.md OUT-8, OUT-9).

One pause for each account, whoever ran into it: a changed password is tried once in a quarter of an hour and not once
by each deliverer. Until an account has taken a mail, one deliverer at a time tries it. Its connections are shared too,
so that a quiet account has one and no account has more than its provider allows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from supportdesk.mail.smtp_verdict import is_rate_limit

if TYPE_CHECKING:
    from supportdesk.desk.model import MailboxId
    from supportdesk.desk.ports import Clock, MailServers, MailTransport, Row
    from supportdesk.mail.model import SendResult

PAUSE_AFTER_REFUSAL = timedelta(minutes=15)
PAUSE_AFTER_RATE_LIMIT = timedelta(minutes=1)
OPEN_CIRCUIT_AFTER, CIRCUIT_PAUSE = 5, timedelta(minutes=5)
IDLE_SECONDS = 60.0
MINUTE, DAY = 60.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider takes from one account; 0 is no limit."""

    mails_a_minute: int = 0
    recipients_a_day: int = 0
    connections: int = 0


# The end of the server's name → its published limits. A mailbox's `mails_per_minute` goes before them.
PUBLISHED: tuple[tuple[str, Limits], ...] = (
    (".office365.com", Limits(30, 10_000, 3)),
    (".outlook.com", Limits(30, 10_000, 3)),
)


class Bucket:
    """A token bucket: `size` tokens at first, filled again within `seconds`. A size of 0 never runs out."""

    def __init__(self, size: int, seconds: float, now: float) -> None:
        self._size, self._seconds, self._tokens, self._at = size, seconds, float(size), now

    def has(self, count: int, now: float) -> bool:
        """Whether so many may be taken; more than its size may be when it is full."""
        self._tokens = min(float(self._size), self._tokens + (now - self._at) * self._size / self._seconds)
        self._at = now
        return self._size == 0 or self._tokens >= min(count, self._size)

    def take(self, count: int) -> None:
        self._tokens -= count


@dataclass(slots=True)
class _Account:
    limits: Limits
    mails: Bucket
    recipients: Bucket
    proven: bool = False
    failures: int = 0
    busy: int = 0
    paused_until: datetime | None = None
    idle: list[tuple[MailTransport, float]] = field(default_factory=list)


class SendingAccounts:
    """Who may send with which account, and over which connection. Any thread may use it."""

    def __init__(self, servers: MailServers, clock: Clock) -> None:
        self._servers = servers
        self._clock = clock
        self._guard = threading.Lock()
        self._accounts: dict[MailboxId, _Account] = {}

    def may_send(self, mailbox: Row) -> bool:
        """Whether a mail of this mailbox would get its turn now."""
        with self._guard:
            return self._is_free(self._account(mailbox), 1)

    @contextmanager
    def turn(self, mailbox: Row, recipients: int) -> Iterator[Turn | None]:
        """The right to send one mail with that account; None when somebody else has it or the account must rest."""
        with self._guard:
            account = self._account(mailbox)
            free = self._is_free(account, recipients)
            account.busy += free
        if not free:
            yield None
            return
        turn = Turn(self, mailbox["id"], account)
        try:
            yield turn
        finally:
            turn.end()

    def forget(self) -> None:
        """An account may have been changed: no old connection, and no pause because of the old login."""
        with self._guard:
            known, self._accounts = self._accounts, {}
        for account in known.values():
            _close(account)

    def close_idle(self) -> None:
        """Close the connections that nobody has used for a minute."""
        since = self._clock.monotonic() - IDLE_SECONDS
        with self._guard:
            old = [one for account in self._accounts.values() for one in account.idle if one[1] <= since]
            for account in self._accounts.values():
                account.idle = [one for one in account.idle if one[1] > since]
        for transport, _at in old:
            transport.close()

    def close(self) -> None:
        self.forget()

    def _account(self, mailbox: Row) -> _Account:
        found = self._accounts.get(mailbox["id"])
        if found is None:
            now, limits = self._clock.monotonic(), limits_of(mailbox)
            mails = Bucket(limits.mails_a_minute, MINUTE, now)
            found = _Account(limits, mails, Bucket(limits.recipients_a_day, DAY, now))
            self._accounts[mailbox["id"]] = found
        return found

    def _is_free(self, account: _Account, recipients: int) -> bool:
        now = self._clock.monotonic()
        if account.paused_until is not None and account.paused_until > self._clock.now():
            return False
        most = account.limits.connections if account.proven else 1
        if most and account.busy >= most:
            return False
        return account.mails.has(1, now) and account.recipients.has(recipients, now)

    def _borrow(self, mailbox_id: MailboxId, account: _Account) -> MailTransport:
        with self._guard:
            if account.idle:
                return account.idle.pop()[0]
        return self._servers.transport(mailbox_id)

    def _take_back(self, mailbox_id: MailboxId, account: _Account, transport: MailTransport | None) -> None:
        with self._guard:
            account.busy -= 1
            current = self._accounts.get(mailbox_id) is account
            if transport is not None and current:
                account.idle.append((transport, self._clock.monotonic()))
        if transport is not None and not current:
            transport.close()

    def _note(self, account: _Account, result: SendResult, recipients: int) -> tuple[bool, bool]:
        """What the attempt says of the account: whether its connection is good, whether it has just proved to work."""
        limited = is_rate_limit(result.detail)
        with self._guard:
            account.mails.take(1)
            account.recipients.take(recipients)
            if not limited and (result.verdict != "deferred" or result.stage in ("rcpt", "dot_sent")):
                was_proven = account.proven
                account.failures, account.proven = 0, account.proven or result.stage == "dot_sent"
                return True, account.proven and not was_proven
            account.failures, account.proven = account.failures + 1, False
            now, pause = self._clock.now(), timedelta(0)
            if result.account_problem:
                pause = PAUSE_AFTER_REFUSAL
            elif account.failures >= OPEN_CIRCUIT_AFTER:
                pause = CIRCUIT_PAUSE
            elif limited:
                pause = PAUSE_AFTER_RATE_LIMIT
            if pause:
                account.paused_until = now + pause
            return False, False


class Turn:
    """One deliverer's turn with one account."""

    def __init__(self, accounts: SendingAccounts, mailbox_id: MailboxId, account: _Account) -> None:
        self._accounts = accounts
        self._mailbox_id = mailbox_id
        self._account = account
        self._transport: MailTransport | None = None
        self._good = False

    def transport(self) -> MailTransport:
        """A connection of the account: one that is open already, else a new one. Raises SupportdeskError."""
        if self._transport is None:
            self._transport = self._accounts._borrow(self._mailbox_id, self._account)
        return self._transport

    def note(self, result: SendResult, recipients: int) -> bool:
        """How the attempt ended: an account that is refused pauses, one that keeps failing rests (OUT-9).

        True when the account works again, or for the first time: whatever waited for it can go.
        """
        self._good, works_again = self._accounts._note(self._account, result, recipients)
        return works_again

    def end(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None and not self._good:
            transport.close()
            transport = None
        self._accounts._take_back(self._mailbox_id, self._account, transport)


def limits_of(mailbox: Row) -> Limits:
    """The published limits of its server, with the mailbox's own `mails_per_minute` in their place where it is set."""
    host = "." + str((mailbox["smtp"] or {}).get("host", "")).casefold()
    limits = next((known for end, known in PUBLISHED if host.endswith(end)), Limits())
    own = (mailbox["settings"] or {}).get("mails_per_minute")
    return Limits(int(own), limits.recipients_a_day, limits.connections) if own is not None else limits


def _close(account: _Account) -> None:
    for transport, _at in account.idle:
        transport.close()
    account.idle.clear()
