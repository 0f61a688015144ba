"""Delivering the outbox: claim a row, build its bytes once, hand them to the server stage by stage, write the verdict.

A row is claimed by compare-and-swap with a lease; one that another transaction has at that moment is passed over until
the next round: no deliverer waits for another one. `data_started` and `dot_sent` are durable before they happen.
A crash before the final dot is tried again, after it the reply is `uncertain` and a person or the Sent folder decides
(domain.md section 4, mail.md OUT-4 to OUT-8). Nothing is ever sent a second time in silence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from supportdesk.desk import automatic
from supportdesk.desk.accounts import SendingAccounts
from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.clocks import root_of
from supportdesk.desk.delivery_verdicts import OPEN_AGAIN, with_badges, write_verdict
from supportdesk.desk.drafts import row_of
from supportdesk.desk.model import WORKER, OutboxId, OutboxRow
from supportdesk.desk.outgoing import outgoing_mail, takes_smtputf8
from supportdesk.desk.ports import Change, Plan, PlannedEvent, Reader, Row, Transaction, Update
from supportdesk.desk.replies import back_to_draft, newcomers_since_held
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.desk.turns import in_turns
from supportdesk.errors import Conflict, OutcomeUnknown, SupportdeskError, TryAgain
from supportdesk.mail.compose import build
from supportdesk.mail.fields import wire_address, wire_key
from supportdesk.mail.model import BuiltMail, SendResult

if TYPE_CHECKING:
    from supportdesk.desk.accounts import Turn
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailServers

log = logging.getLogger("supportdesk.delivery")

WORKER_LEASE = "worker"
LEASE = timedelta(minutes=15)  # longer than the ten minutes that a server may take after the final dot
CANDIDATES = 20  # more than there are deliverers, of which each takes the first that it gets
AUTOMATIC_PAUSE = timedelta(minutes=1)  # between two automatic mails on one ticket (OUT-9)


class LeaseLost(Conflict):
    """Another worker has taken over; what this one was about to do must not happen."""


class Deliverer:
    """Sends what is due, one reply at a time. `epoch` is the worker's lease: a stale worker is fenced off by it.

    `owner` names this deliverer alone: whatever is claimed in its name when it starts was left by one that failed.
    """

    def __init__(
        self, desk: Desk, servers: MailServers, *, owner: str, epoch: int, accounts: SendingAccounts | None = None
    ) -> None:
        self._desk = desk
        self._owner = owner
        self._epoch = epoch
        self._shared = accounts is not None
        self._accounts = accounts or SendingAccounts(servers, desk.clock)
        self._claims: dict[tuple[int, datetime | None], float] = {}  # and the monotonic second they were met in

    def recover(self) -> int:
        """What somebody dead left in `sending`: before the final dot it is tried again, after it it is in doubt.

        To be called before the first delivery, and now and then for those who hang; how many rows that were.
        """

        def settle(tx: Transaction, row: Row) -> bool:
            try:
                with tx.savepoint():
                    if row["stage"] == "dot_sent":
                        words = "the process ended while the server had the mail"
                        write_verdict(tx, row, SendResult("uncertain", "dot_sent", words))
                    else:
                        _release(tx, row)
            except Conflict:
                return False  # it was settled by somebody else, or went on after all: the next look sees how far
            return True

        claimed = self._desk.read.rows("outbox", {"state": "sending"})
        self._meet(claimed)
        orphaned = sorted(filter(self._is_orphaned, claimed), key=lambda row: row["ticket_id"])
        return sum(settled for turn in in_turns(self._desk.store, orphaned, settle) for _row, settled in turn)

    def _meet(self, claimed: Sequence[Row]) -> None:
        """Since when each claim is known here: of a worker that lives, a wall clock that jumps ends none (A10)."""
        now = self._desk.clock.monotonic()
        self._claims = {_claim_of(row): self._claims.get(_claim_of(row), now) for row in claimed}

    def _is_orphaned(self, row: Row) -> bool:
        left_behind = row["lease_owner"] == self._owner or row["lease_epoch"] < self._epoch
        known_for = self._desk.clock.monotonic() - self._claims[_claim_of(row)]
        return left_behind or row["lease_until"] is None or known_for >= LEASE.total_seconds()

    def deliver_next(self) -> bool:
        """Deliver one reply that is due; False when there is none."""
        now = self._desk.clock.now()
        mailboxes = {row["id"]: row for row in self._desk.read.rows("mailbox", {"state": "active"}) if row["smtp"]}
        sending = [key for key, mailbox in mailboxes.items() if self._accounts.may_send(mailbox)]
        for candidate in due_rows(self._desk.read, now, mailboxes=sending, limit=CANDIDATES):
            people = self._desk.read.rows("outbox_recipient", {"outbox_id": candidate["id"]})
            with self._accounts.turn(mailboxes[candidate["mailbox_id"]], len(people)) as turn:
                if turn is not None and self._deliver(candidate, turn):
                    return True
        return False

    def close(self) -> None:
        """Close the connections, unless they are those of all deliverers."""
        if not self._shared:
            self._accounts.close()

    def _deliver(self, candidate: Row, turn: Turn) -> bool:
        """Claim the row and deliver it; False when it could not be claimed."""
        try:
            row = self._claim(OutboxId(candidate["id"]), candidate["state"])
            if row is None:
                return False
            built = self._built(row)
            if built is not None:
                result = self._send(row, built, turn)
                works_again = turn.note(result, len(row.recipients))
                self._desk.store.run(lambda tx: write_verdict(tx, self._own_row(tx, row.id), result))
                if works_again:
                    bring_forward(self._desk, [row.mailbox_id])
        except Conflict as lost:
            log.warning("%s", lost.message)
        return True

    # ---- claiming

    def _claim(self, outbox_id: OutboxId, state: str) -> OutboxRow | None:
        """Take the row, or make it a draft again if somebody added something since it was held."""

        def claim(tx: Transaction) -> OutboxRow | None:
            self._check_lease(tx)
            row = tx.row("outbox", {"id": outbox_id})
            mailbox = tx.row("mailbox", {"id": row["mailbox_id"]}) if row is not None else None
            if row is None or row["state"] != state or not _is_due(row, tx.now):
                return None
            if mailbox is None or mailbox["state"] != "active" or mailbox["smtp"] is None:
                return None
            if row["kind"] in automatic.KINDS and (not automatic.is_wanted(tx, row) or _answered_just_now(tx, row)):
                return None
            if state == "held" and row["attempts"] == 0 and not row["stage"] and _stopped(tx, row):
                return None
            due = {"id": outbox_id, "state": state, "version": row["version"]}
            if not tx.claim("outbox", due):  # last of all: whoever has a row and waits for a ticket meets an agent
                return None
            after = {
                "state": "sending", "stage": "", "attempts": row["attempts"] + 1, "lease_owner": self._owner,
                "lease_epoch": self._epoch, "lease_until": tx.now + LEASE, "next_try": None,
                "first_try_at": row["first_try_at"] or tx.now,
            }  # fmt: skip
            _apply(tx, Update("outbox", {"id": outbox_id}, due, after))
            claimed = tx.row("outbox", {"id": outbox_id})
            assert claimed is not None
            return row_of(tx, claimed)

        try:
            return self._desk.store.run(claim)
        except LeaseLost:
            raise
        except Conflict:
            return None  # another deliverer was quicker

    def _check_lease(self, tx: Transaction) -> None:
        """A worker that was stopped for longer than its lease must not begin anything more. Raises LeaseLost."""
        lease = tx.row("lease", {"name": WORKER_LEASE})
        if lease is not None and lease["epoch"] > self._epoch:
            raise LeaseLost("another worker has taken over")

    def _own_row(self, tx: Transaction, outbox_id: OutboxId) -> Row:
        """The row while the claim is still ours. Raises LeaseLost."""
        row = tx.row("outbox", {"id": outbox_id})
        ours = row is not None and row["lease_owner"] == self._owner and row["lease_epoch"] == self._epoch
        if row is None or row["state"] != "sending" or not ours:
            raise LeaseLost(f"reply {outbox_id} was taken over by another worker")
        return row

    # ---- building and sending

    def _built(self, row: OutboxRow) -> BuiltMail | None:
        """The bytes, built at the first claim and stored before anything connects; every retry uses the same ones."""
        store = self._desk.store
        try:
            at = row.held_at or self._desk.clock.now()
            if row.built_sha:
                built = rebuilt(row, store.blobs.get(row.built_sha), outgoing_mail(store.read, store.blobs, row, at=at))
            else:
                mail = outgoing_mail(store.read, store.blobs, row, at=at)
                built = build(mail, smtputf8=takes_smtputf8(store.read, row))
        except (TryAgain, OutcomeUnknown):
            raise
        except SupportdeskError as error:  # whatever is wrong with this reply must not keep the others waiting
            refused = SendResult("failed", "", error.message)
            store.run(lambda tx: write_verdict(tx, self._own_row(tx, row.id), refused))
            return None
        if not row.built_sha:
            store.blobs.put(built.data, lambda tx, sha: self._keep_built(tx, row.id, sha))
        return built

    def _send(self, row: OutboxRow, built: BuiltMail, turn: Turn) -> SendResult:
        try:
            transport = turn.transport()
        except SupportdeskError as error:
            return SendResult("deferred", "", error.message, account_problem=True)
        waiting = [one.address for one in row.recipients if one.state in ("pending", "deferred")]
        wanted = {wire_key(address) for address in waiting}
        recipients = [address for address in built.recipients if wire_key(address) in wanted]
        if not recipients:
            return SendResult("failed", "", "no recipient is left to send it to")
        return transport.send(built, recipients, lambda stage: self._reach(row.id, stage))

    def _reach(self, outbox_id: OutboxId, stage: str) -> None:
        """Make a stage durable before it happens; the fence against a worker that was stopped and went on."""
        if stage not in ("data_started", "dot_sent"):
            return
        reached = Update("outbox", {"id": outbox_id}, {}, {"stage": stage})
        self._desk.store.run(lambda tx: self._change_own(tx, outbox_id, reached))

    def _keep_built(self, tx: Transaction, outbox_id: OutboxId, sha: str) -> None:
        self._change_own(tx, outbox_id, Update("outbox", {"id": outbox_id}, {"built_sha": ""}, {"built_sha": sha}))

    def _change_own(self, tx: Transaction, outbox_id: OutboxId, change: Update) -> None:
        self._check_lease(tx)
        row = self._own_row(tx, outbox_id)
        try:
            _apply(tx, replace(change, before={**change.before, "version": row["version"]}))
        except Conflict as error:  # between the look and the write
            raise LeaseLost(f"reply {outbox_id} was taken over by another worker") from error


# ---- what is due -----------------------------------------------------------------------------------------------------


def due_rows(reader: Reader, now: datetime, *, mailboxes: Sequence[int] | None = None, limit: int = 0) -> list[Row]:
    """Held rows whose undo window is over and deferred ones whose next try has come, the oldest first.

    Of each kind at most `limit`, those that were due first; only those of `mailboxes`, where they are given.
    """
    where = {} if mailboxes is None else {"mailbox_id": list(mailboxes)}
    held = reader.rows("outbox", {"state": "held", **where}, order="not_before", limit=limit)
    deferred = reader.rows("outbox", {"state": "deferred", **where}, order="next_try", limit=limit)
    return sorted(
        (row for row in (*held, *deferred) if _is_due(row, now)), key=lambda row: row["held_at"] or row["created_at"]
    )


def anything_due(reader: Reader, now: datetime) -> bool:
    """Whether a worker that is asked to leave still has something to deliver."""
    soon = now + timedelta(minutes=1)  # an undo window that is still open counts
    return bool(reader.rows("outbox", {"state": "sending"}, limit=1)) or bool(due_rows(reader, soon, limit=1))


def next_due(reader: Reader) -> datetime | None:
    """When the next reply is to be delivered, past or to come; None while none waits."""
    held = reader.rows("outbox", {"state": "held"}, order="not_before", limit=1)
    deferred = reader.rows("outbox", {"state": "deferred"}, order="next_try", limit=1)
    times = [row["not_before"] or row["created_at"] for row in held]
    return min([*times, *(row["next_try"] or row["created_at"] for row in deferred)], default=None)


def _claim_of(row: Row) -> tuple[int, datetime | None]:
    return row["id"], row["lease_until"]  # no two claims of a reply end at the same moment


def _is_due(row: Row, now: datetime) -> bool:
    at = row["not_before"] if row["state"] == "held" else row["next_try"] if row["state"] == "deferred" else None
    return row["state"] in ("held", "deferred") and (at is None or bool(at <= now))


def bring_forward(desk: Desk, mailboxes: Sequence[int]) -> int:
    """Make due what waits because these mailboxes' accounts could not be used; how many mails that were.

    One that its own server put off keeps its time: whoever greylists it wants to be waited for.
    """
    waiting = {"mailbox_id": list(mailboxes), "state": "deferred", "stage": ""}
    rows = desk.read.rows("outbox", waiting, order="id")
    now = desk.clock.now()
    late = [row["id"] for row in rows if row["next_try"] is not None and row["next_try"] > now]

    def make_due(tx: Transaction, outbox_id: int) -> bool:
        row = tx.row("outbox", {"id": outbox_id})
        if row is None or row["state"] != "deferred" or row["stage"]:
            return False
        try:
            _apply(tx, Update("outbox", {"id": outbox_id}, {"version": row["version"]}, {"next_try": tx.now}))
        except Conflict:
            return False  # somebody has just claimed it
        return True

    return sum(made for turn in in_turns(desk.store, late, make_due) for _row, made in turn)


def rebuilt(row: OutboxRow, data: bytes, mail: Any) -> BuiltMail:
    """The stored bytes with their frozen envelope."""
    recipients = tuple(wire_address("recipient", one.address, smtputf8=True) for one in row.recipients)
    automatic = bool(mail.automatic == "auto-replied")
    utf8 = not all(address.isascii() for address in recipients)
    return BuiltMail(row.message_id_header, "" if automatic else mail.from_.addr, recipients, data, smtputf8=utf8)


def _answered_just_now(tx: Transaction, row: Row) -> bool:
    """Whether another automatic mail of the ticket left within the last minute."""
    others = tx.rows("outbox", {"ticket_id": row["ticket_id"], "kind": list(automatic.KINDS), "state": "sent"})
    return any(one["sent_at"] is not None and one["sent_at"] > tx.now - AUTOMATIC_PAUSE for one in others)


def _stopped(tx: Transaction, row: Row) -> bool:
    """The stop-on-send check at the first release: the reply becomes its agent's draft again, the ticket says so."""
    ticket = root_of(tx, row["ticket_id"])
    if row["kind"] not in ("reply", "new") or row["agent_id"] is None:
        return False
    if not newcomers_since_held(tx, row):
        return False
    badges = update_ticket(ticket, {"badges": with_badges(ticket, add="reply_stopped"), **OPEN_AGAIN})
    event = PlannedEvent(ticket.id, "reply_stopped", {"outbox_id": row["id"], "status": "open"})
    action_id = new_action_id()
    plan = back_to_draft(tx, row) + Plan(silent=badges, events=(event,), undoable=False)
    tx.apply(plan, WORKER, action_id)
    update_clocks(tx, [ticket.id], WORKER, action_id)
    return True


def _release(tx: Transaction, row: Row) -> None:
    """Give a claim back that came to nothing: the final dot was never written, so the server must have discarded it."""
    seen = {"state": "sending", "version": row["version"]}  # in another version it may be past the dot
    after = {"state": "deferred", "stage": "", "lease_owner": "", "lease_until": None, "next_try": tx.now}
    _apply(tx, Update("outbox", {"id": row["id"]}, seen, after))


def _apply(tx: Transaction, *changes: Change) -> None:
    """Bookkeeping that is no decision: without an event."""
    tx.apply(Plan(silent=changes, undoable=False), WORKER, new_action_id())
