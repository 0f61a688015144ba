"""The proof that nothing was dropped: for each folder, rows = the sum of outcomes, and no UID without a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supportdesk.desk.fetch import watched_folders
from supportdesk.desk.model import OUTCOMES, Mailbox

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailSource, Row

SHOWN_UIDS = 20


@dataclass(frozen=True, slots=True)
class FolderAudit:
    """One folder in one UIDVALIDITY. `on_server` is None for an earlier one, which cannot be asked for any more."""

    mailbox: str
    folder: str
    role: str
    uidvalidity: int
    rows: int
    outcomes: Mapping[str, int]
    unprocessed: int
    on_server: int | None
    without_row: tuple[int, ...]  # UIDs, at most 20 of them
    without_row_count: int

    @property
    def sound(self) -> bool:
        return self.unprocessed == 0 and self.without_row_count == 0 and self.rows == sum(self.outcomes.values())


def audit(desk: Desk, mailbox: Mailbox, open_source: Callable[[Mailbox], MailSource]) -> list[FolderAudit]:
    """Audit one mailbox, asking its server. Raises ConnectionFailed; nothing is written and nothing is fetched."""
    ledger = {(row["folder"], row["uidvalidity"]): row for row in desk.read.audit() if row["mailbox_id"] == mailbox.id}
    found: list[FolderAudit] = []
    source = open_source(mailbox)
    try:
        for info in watched_folders(source.folders(), mailbox):
            uidvalidity = source.select(info.name).uidvalidity
            uids = source.uids_from(1)
            row = ledger.pop((info.name, uidvalidity), None)
            known: set[int] = set()
            if row is not None and uids:
                known = desk.store.ledger.known_uids(row["folder_id"], uidvalidity, uids[0], uids[-1])
            without = [uid for uid in uids if uid not in known]
            found.append(_folder(mailbox, info.name, info.role, uidvalidity, row, len(uids), without))
    finally:
        source.close()
    return [*found, *_earlier(mailbox, ledger)]


def _earlier(mailbox: Mailbox, ledger: Mapping[tuple[str, int], Row]) -> Iterator[FolderAudit]:
    """Rows of folders that are not watched any more, and of UIDVALIDITYs that are over."""
    for (name, uidvalidity), row in ledger.items():
        if row["rows"]:
            yield _folder(mailbox, name, row["role"], uidvalidity, row, None, [])


def _folder(
    mailbox: Mailbox, name: str, role: str, uidvalidity: int, row: Row | None, on_server: int | None, without: list[int]
) -> FolderAudit:
    return FolderAudit(
        mailbox=mailbox.address,
        folder=name,
        role=role,
        uidvalidity=uidvalidity,
        rows=row["rows"] if row is not None else 0,
        outcomes={outcome: row[outcome] if row is not None else 0 for outcome in OUTCOMES},
        unprocessed=row["unprocessed"] if row is not None else 0,
        on_server=on_server,
        without_row=tuple(without[:SHOWN_UIDS]),
        without_row_count=len(without),
    )
