"""Taking over an archive on disk: its mails go into the ledger first, then through the very intake of all mail.

An archive becomes history: closed tickets with their own dates, nobody waits, nothing is answered. A mail's number in
the ledger is made of its content, so running an import again, after a break or on a moved file, adds nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from supportdesk.desk.agents import check_actor
from supportdesk.desk.model import OUTCOMES
from supportdesk.desk.ports import LedgerItem
from supportdesk.mail.archived import content_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from supportdesk.desk.desk import Desk
    from supportdesk.desk.intake import Intake
    from supportdesk.desk.model import Actor, Mailbox
    from supportdesk.desk.ports import Row
    from supportdesk.mail.archived import ArchivedMail, Source, Unreadable

PREFIX: Final = "archive:"  # of a folder's name in the ledger; its path on disk follows
EPOCH: Final = 1
BATCH_MAILS: Final = 200
BATCH_BYTES: Final = 8 * 1024 * 1024


class Archive(Protocol):
    """What lies on disk, ready to be read (mail.on_disk)."""

    sources: list[Source]
    left_out: list[Source]
    unreadable: list[Unreadable]
    others: int

    def read(self, source: Source) -> Iterator[ArchivedMail]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: `stage` taking (octets of the files) or reading (mails)."""

    stage: str
    done: int
    total: int
    folder: str = ""


@dataclass(slots=True)
class SourceCount:
    """What one folder of the archive held: `new` to this desk, `known` to it, `older` than asked for, `left_out`."""

    path: str
    kind: str
    role: str
    octets: int
    found: int = 0
    new: int = 0
    known: int = 0
    older: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do. `outcomes`: of all mail of these folders by now; `waiting`: not yet read."""

    sources: tuple[SourceCount, ...]
    processed: int
    outcomes: Mapping[str, int]
    waiting: int
    complete: bool

    @property
    def new(self) -> int:
        return sum(source.new for source in self.sources)


class Importer:
    """One import into one mailbox. It stops between two transactions when `stop` says so, and nothing is half done."""

    def __init__(
        self,
        desk: Desk,
        mailbox: Mailbox,
        archive: Archive,
        *,
        since: datetime | None = None,
        stop: Callable[[], bool] = lambda: False,
        progress: Callable[[Progress], None] = lambda _at: None,
    ) -> None:
        self._desk = desk
        self._mailbox = mailbox
        self._archive = archive
        self._since = since
        self._stop = stop
        self._progress = progress
        self._octets = 0
        self._size = sum(source.size for source in archive.sources)

    def look(self) -> Imported:
        """Count what an import would bring; nothing is written."""
        counts = [self._take_over(source, write=False) for source in self._archive.sources if not self._stop()]
        return Imported(tuple(counts), 0, {}, 0, complete=not self._stop())

    def run(self, actor: Actor, intake: Intake) -> Imported:
        """Enter everything into the ledger, then bring it to its outcome in the order of its dates.

        Raises NotAllowed below admin.
        """
        with self._desk.store.transaction() as tx:
            check_actor(tx, actor, "admin")
        counts = [self._take_over(source, write=True) for source in self._archive.sources if not self._stop()]
        # Everything is in the ledger before anything is read: an answer may lie in another file than its question.
        processed = self._process(intake)
        folders = [row for row in self._desk.read.audit() if self._is_ours(row, counts)]
        outcomes = Counter[str]()
        for row in folders:
            outcomes.update({name: row[name] for name in OUTCOMES if row[name]})
        waiting = sum(row["unprocessed"] for row in folders)
        return Imported(tuple(counts), processed, outcomes, waiting, complete=not self._stop())

    def _take_over(self, source: Source, *, write: bool) -> SourceCount:
        count = SourceCount(str(source.path), source.kind, source.role, source.size)
        folder = self._folder(source, write=write)
        batch: list[ArchivedMail] = []
        weight = 0
        for mail in self._archive.read(source):
            if self._stop():
                return count
            self._octets += mail.octets
            count.found += 1
            if mail.left_out:
                count.left_out[mail.left_out] += 1
            elif self._since is not None and (mail.at is None or mail.at < self._since):
                count.older += 1
            else:
                _note_date(count, mail.at)
                batch.append(mail)
                weight += len(mail.raw)
            if len(batch) >= BATCH_MAILS or weight >= BATCH_BYTES:
                self._record(folder, batch, count, write=write)
                batch, weight = [], 0
            self._report(source)
        self._record(folder, batch, count, write=write)
        self._report(source)
        return count

    def _folder(self, source: Source, *, write: bool) -> int | None:
        name = f"{PREFIX}{source.path}"
        if not write:
            rows = self._desk.read.rows("folder", {"mailbox_id": self._mailbox.id, "name": name})
            return int(rows[0]["id"]) if rows else None
        ledger = self._desk.store.ledger
        row = ledger.folder(self._mailbox.id, name, "sent" if source.role == "sent" else "other")
        ledger.new_epoch(row["id"], EPOCH)
        return int(row["id"])

    def _record(self, folder: int | None, batch: Sequence[ArchivedMail], count: SourceCount, *, write: bool) -> None:
        numbered = self._numbered(folder, batch)
        count.new += len(numbered)
        count.known += len(batch) - len(numbered)
        if write and folder is not None and numbered:
            items = [
                LedgerItem(uid, mail.raw, mail.size, mail.at, historic=True, partial=mail.partial, imported=True)
                for uid, mail in numbered.items()
            ]
            self._desk.store.ledger.record_fetched(folder, EPOCH, items, advance_to=0)

    def _numbered(self, folder: int | None, batch: Sequence[ArchivedMail]) -> dict[int, ArchivedMail]:
        """Those that the ledger does not know, by their number; the same mail twice is one."""
        found: dict[int, ArchivedMail] = {}
        for mail in batch:
            found.setdefault(content_number(mail), mail)
        if folder is not None and found:
            key = {"folder_id": folder, "uidvalidity": EPOCH, "uid": list(found)}
            for row in self._desk.read.rows("delivery", key):
                del found[row["uid"]]
        return found

    def _process(self, intake: Intake) -> int:
        done = 0
        rows = self._desk.read.audit()
        total = sum(row["unprocessed"] for row in rows if self._is_of_archive(row))

        def tell(some: int) -> None:
            nonlocal done
            done += some
            self._progress(Progress("reading", min(done, total), total))

        intake.process_archive(self._mailbox.id, stop=self._stop, progress=tell)
        return done

    def _is_of_archive(self, row: Row) -> bool:
        return bool(row["mailbox_id"] == self._mailbox.id and row["folder"].startswith(PREFIX))

    def _is_ours(self, row: Row, counts: Sequence[SourceCount]) -> bool:
        names = {PREFIX + count.path for count in counts}
        return self._is_of_archive(row) and row["folder"] in names

    def _report(self, source: Source) -> None:
        self._progress(Progress("taking", min(self._octets, self._size), self._size, source.path.name))


def _note_date(count: SourceCount, at: datetime | None) -> None:
    if at is not None:
        count.oldest = min(count.oldest or at, at)
        count.newest = max(count.newest or at, at)
