"""Taking mail over from a mailbox: list, fetch, store, note. Nothing is parsed or decided here.

One pass goes over each folder once. What was taken is durable before the next group is asked for, and `last_uid` moves
only over a contiguous prefix: a crash anywhere makes the next pass repeat work and lose nothing (mail.md 2.1, 2.2).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from supportdesk.desk.epochs import enter_epoch
from supportdesk.desk.model import WORKER, Mailbox, MailboxId
from supportdesk.desk.ports import Ledger, LedgerItem, MailSource, Plan, Store, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import CommandRefused, ConnectionFailed
from supportdesk.l10n.catalog import _
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState

INBOX = "INBOX"
BATCH_MAILS = 50
BATCH_BYTES = 8 * 1024 * 1024
MAX_SIZE = 50 * 1024 * 1024  # larger mail is taken by its first parts (INGEST-7)
TRIES_FOR_A_BODY = 3
RECONCILE_SECONDS = 3600.0
ASKED_SINGLY = 100  # at most what a source asks for at once: the one that broke the connection is among them


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pass is in one folder: messages done of those that are new."""

    folder: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over a mailbox did. `complete` is False if it was stopped, a body or a folder did not come.

    `bodiless` counts the bodies that did not come, or not whole: a fresh connection may bring them (SYNC-4).
    """

    fetched: int = 0
    gone: int = 0
    complete: bool = True
    bodiless: int = 0

    def __add__(self, other: Pass) -> Pass:
        return Pass(
            self.fetched + other.fetched,
            self.gone + other.gone,
            self.complete and other.complete,
            self.bodiless + other.bodiless,
        )


class Fetcher:
    """Takes over one mailbox's mail, pass after pass.

    It outlives its connections: a message on which one broke comes after all the others the next time, by itself, and
    is entered without its body when that has failed three times. It never holds up the mailbox.
    """

    def __init__(
        self,
        ledger: Ledger,
        mailbox: Mailbox,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        accept_renumbered: bool = False,
        take_junk: bool = False,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._mailbox = mailbox
        self._monotonic = monotonic
        self._accept_renumbered = accept_renumbered
        self._take_junk = take_junk
        self._counted: dict[str, FolderState] = {}  # how each Junk folder was when its mail was counted
        self.took_junk = False  # whether all that lies in Junk has been taken over
        self._reconciled: dict[str, float] = {}  # when each folder was last compared with the ledger as a whole
        self._stop = stop
        self._progress = progress
        self._uidnext: int | None = None  # the inbox's when the last pass opened it: what is beyond came later
        self._bodiless: Counter[tuple[int, int, int]] = Counter()
        self._careful: set[int] = set()  # folders in which a connection broke while mail was fetched
        self._breaking: Counter[tuple[int, int, int]] = Counter()  # connections that broke while it was asked for alone

    def run_pass(self, source: MailSource) -> Pass:
        """One pass over every folder that this mailbox watches. Raises ConnectionFailed; what was taken stays taken.

        A folder that the server will not open, or that is not there any more, says so and does not stop the others.
        """
        done, found = Pass(), source.folders()
        for info in watched_folders(found, self._mailbox):
            if self._stop():
                return done + Pass(complete=False)
            try:
                done += self._pass_over(source, info)
            except CommandRefused as refused:
                done += self._leave_out(info, refused.message)
        names = {info.name for info in found}
        for name in self._mailbox.settings.get("folders") or []:
            if name not in names:
                gone = _("there is no folder {folder} on the server any more").format(folder=name)
                done += self._leave_out(FolderInfo(name, "inbox"), gone)
        return done + self._look_into_junk(source, junk_folders(found, self._mailbox))

    def has_news(self, source: MailSource) -> bool:
        """Whether mail came to the inbox since the last pass opened it. Leaves the inbox open, to be listened to.

        UIDNEXT also grows by what another client put there and took away again: that is no news.
        """
        state = source.select(INBOX)
        if self._uidnext is None or state.uidnext <= self._uidnext:
            return False
        came = source.uids_from(self._uidnext)
        if not came:
            self._uidnext = state.uidnext
        return bool(came)

    def _look_into_junk(self, source: MailSource, folders: Sequence[FolderInfo]) -> Pass:
        """Count what lies there, or take it over where somebody asked for that. No trouble of theirs stops the rest."""
        done, self.took_junk = Pass(), self._take_junk
        for info in folders:
            if self._stop():
                self.took_junk = False
                break
            try:
                if self._take_junk:
                    taken = self._pass_over(source, info)
                    self.took_junk = self.took_junk and taken.complete
                    done += replace(taken, complete=True)
                else:
                    self._count(source, info)
            except CommandRefused as refused:
                self._leave_out(info, refused.message)
                self.took_junk = False
        return done

    def _count(self, source: MailSource, info: FolderInfo) -> None:
        """How many mails of the folder have no ledger row; asked again only when the folder has changed."""
        state = source.select(info.name)
        if self._counted.get(info.name) == state:
            return
        folder = self._ledger.folder(self._mailbox.id, info.name, info.role)
        if folder["uidvalidity"] != state.uidvalidity:
            self._ledger.new_epoch(folder["id"], state.uidvalidity)
        listed = source.uids_from(1)
        known = self._ledger.known_uids(folder["id"], state.uidvalidity, listed[0], listed[-1]) if listed else set()
        self._ledger.finish_pass(folder["id"], missing=sum(uid not in known for uid in listed))
        self._counted[info.name] = state

    def _leave_out(self, info: FolderInfo, words: str) -> Pass:
        folder = self._ledger.folder(self._mailbox.id, info.name, info.role)
        self._ledger.finish_pass(folder["id"], missing=int(folder.get("missing") or 0), error=words)
        return Pass(complete=False)

    def _pass_over(self, source: MailSource, info: FolderInfo) -> Pass:
        state = source.select(info.name)
        if info.name.upper() == INBOX:  # whatever its case on this server (RFC 9051 section 5.1)
            self._uidnext = state.uidnext
        folder = self._ledger.folder(self._mailbox.id, info.name, info.role)
        last_uid = int(folder["last_uid"])
        if folder["uidvalidity"] != state.uidvalidity:
            accepted = self._accept_renumbered
            words = enter_epoch(self._ledger, source, folder, state.uidvalidity, info.name, accepted=accepted)
            if words:
                return self._leave_out(info, words)
            last_uid = 0
        whole = self._is_to_be_reconciled(info.name)
        listed = source.uids_from(1 if whole else last_uid + 1)
        if whole:
            self._reconciled[info.name] = self._monotonic()
        if not listed:
            self._ledger.finish_pass(folder["id"], missing=0)
            return Pass()
        known = self._ledger.known_uids(folder["id"], state.uidvalidity, listed[0], listed[-1])
        taking = _Taking(folder["id"], state.uidvalidity, info.name, listed, set(known))
        missing = [uid for uid in listed if uid not in known]
        recent, historic = self._split_by_start(source, missing)
        result = self._take(source, taking, recent, historic=False, total=len(missing))
        result += self._take(source, taking, historic, historic=True, total=len(missing))
        if not self._stop():  # one that was broken off says nothing about the folder's health (SYNC-9)
            self._ledger.finish_pass(folder["id"], missing=len(taking.without_row()))
        return result

    def _is_to_be_reconciled(self, folder: str) -> bool:
        """At the start and hourly all UIDs are compared with the ledger, not only the new ones (INGEST-3)."""
        last = self._reconciled.get(folder)
        return last is None or self._monotonic() - last >= RECONCILE_SECONDS

    def _split_by_start(self, source: MailSource, uids: Sequence[int]) -> tuple[list[int], list[int]]:
        """New mail first; what is older than the chosen start is history and comes after it."""
        start = self._mailbox.start_at
        if start is None or not uids:
            return list(uids), []
        dates = source.dates(uids)
        historic = {uid for uid, at in dates.items() if at < start}
        return [uid for uid in uids if uid not in historic], [uid for uid in uids if uid in historic]

    def _take(self, source: MailSource, taking: _Taking, uids: list[int], *, historic: bool, total: int) -> Pass:
        fetched, complete, bodiless = 0, True, 0
        batch: list[LedgerItem] = []
        answered: set[int] = set()
        try:
            for mail in self._ask(source, taking, uids):
                answered.add(mail.uid)
                if (mail.raw is None or mail.short) and not self._give_up(taking, mail):
                    bodiless += 1
                    continue
                batch.append(_item(mail, historic=historic))
                if len(batch) >= BATCH_MAILS or sum(item.size for item in batch) >= BATCH_BYTES:
                    fetched += self._record(taking, batch, total)
                    batch = []
                if self._stop():
                    complete = False
                    break
        except ConnectionFailed:
            self._careful.add(taking.folder_id)
            self._record(taking, batch, total)
            raise
        fetched += self._record(taking, batch, total)
        if not complete:
            return Pass(fetched, 0, complete=False, bodiless=bodiless)
        gone = self._confirm_gone(source, taking, [uid for uid in uids if uid not in answered])
        return Pass(fetched, gone, complete=not bodiless, bodiless=bodiless)

    def _ask(self, source: MailSource, taking: _Taking, uids: list[int]) -> Iterator[FetchedMail]:
        """The messages; after a break the first ones singly, and at the end those on which a connection broke."""
        breaking = [uid for uid in uids if self._breaking[taking.key(uid)]]
        others = [uid for uid in uids if uid not in breaking]
        singly = ASKED_SINGLY if taking.folder_id in self._careful else 0
        self._careful.discard(taking.folder_id)
        for uid in others[:singly]:
            yield from self._ask_for_one(source, taking, uid)
        yield from source.fetch(others[singly:], max_size=MAX_SIZE)
        for uid in breaking:
            yield from self._ask_for_one(source, taking, uid)

    def _ask_for_one(self, source: MailSource, taking: _Taking, uid: int) -> Iterator[FetchedMail]:
        key = taking.key(uid)
        if self._breaking[key] >= TRIES_FOR_A_BODY:
            for at in source.dates([uid]).values():
                yield FetchedMail(uid, None, 0, at)
            return
        try:
            yield from source.fetch([uid], max_size=MAX_SIZE)
        except ConnectionFailed:
            self._breaking[key] += 1
            raise
        del self._breaking[key]

    def _record(self, taking: _Taking, batch: list[LedgerItem], total: int) -> int:
        if not batch:
            return 0
        taking.recorded.update(item.uid for item in batch)
        self._ledger.record_fetched(taking.folder_id, taking.uidvalidity, batch, advance_to=taking.contiguous())
        if self._progress is not None:
            done = total - len(taking.without_row())
            self._progress(Progress(taking.folder, max(done, len(batch)), total))
        return len(batch)

    def _give_up(self, taking: _Taking, mail: FetchedMail) -> bool:
        """A body that did not come, or not whole, is asked for on three passes; then what there is of it is entered."""
        key = taking.key(mail.uid)
        self._bodiless[key] += 1
        return max(self._bodiless[key], self._breaking[key]) >= TRIES_FOR_A_BODY

    def _confirm_gone(self, source: MailSource, taking: _Taking, uids: list[int]) -> int:
        """A UID that was listed and not answered is gone only if it is not listed again (SYNC-4)."""
        if not uids:
            return 0
        source.select(taking.folder)
        still_listed = set(source.uids_from(uids[0]))
        gone = [uid for uid in uids if uid not in still_listed]
        if gone:
            taking.recorded.update(gone)
            self._ledger.record_gone(taking.folder_id, taking.uidvalidity, gone, advance_to=taking.contiguous())
        return len(gone)


@dataclass(slots=True)
class _Taking:
    """The UIDs that one pass listed in one folder, and which of them have a ledger row by now."""

    folder_id: int
    uidvalidity: int
    folder: str
    listed: list[int]
    recorded: set[int]

    def key(self, uid: int) -> tuple[int, int, int]:
        return self.folder_id, self.uidvalidity, uid

    def contiguous(self) -> int:
        last = 0
        for uid in self.listed:
            if uid not in self.recorded:
                break
            last = uid
        return last

    def without_row(self) -> list[int]:
        return [uid for uid in self.listed if uid not in self.recorded]


def watched_folders(found: Sequence[FolderInfo], mailbox: Mailbox) -> list[FolderInfo]:
    """The inbox, the Sent folder (replies written elsewhere answer too) and those that the mailbox's settings name.

    The folders of the settings are `folders` (a list of names); `watch_sent: false` leaves Sent out.
    """
    named: Any = mailbox.settings.get("folders") or []
    chosen = []
    for info in found:
        if info.role == "inbox" or info.name in named:
            chosen.append(info if info.role in ("inbox", "sent") else replace(info, role="inbox"))
        elif info.role == "sent" and mailbox.settings.get("watch_sent", True):
            chosen.append(info)
    return sorted(chosen, key=lambda info: info.role != "inbox")


def junk_folders(found: Sequence[FolderInfo], mailbox: Mailbox) -> list[FolderInfo]:
    """The Junk folders that are not fetched from anyway: they are counted, and fetched when somebody asks."""
    named: Any = mailbox.settings.get("folders") or []
    return [info for info in found if info.role == "junk" and info.name not in named]


def note_health(store: Store, mailbox_id: MailboxId, error: str) -> None:
    """Remember why a mailbox cannot be read and since when, or that it can be again; writes only what changed."""
    rows = store.read.rows("mailbox", {"id": mailbox_id})
    if not rows or rows[0]["error"] == error:
        return
    with store.transaction() as tx:
        row = tx.row("mailbox", {"id": mailbox_id})
        if row is None or row["error"] == error:
            return
        since = (row["error_since"] or tx.now) if error else None
        update = Update("mailbox", {"id": mailbox_id}, {"error": row["error"]}, {"error": error, "error_since": since})
        tx.apply(Plan(silent=(update,), undoable=False), WORKER, new_action_id())


def _item(mail: FetchedMail, *, historic: bool) -> LedgerItem:
    internal_date: datetime | None = mail.internal_date
    return LedgerItem(
        mail.uid, mail.raw, mail.size, internal_date, historic=historic, partial=mail.partial or mail.short
    )
