"""Every mail through the real intake on a temporary store: exactly one outcome each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from supportdesk.bootstrap import open_parser
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import OUTCOMES
from supportdesk.desk.ports import LedgerItem
from tests.bench.desks import scratch_desk
from tests.corpus.findings import Finding, Group, none_of
from tests.corpus.folder import Folder

BATCH: Final = 50
FIRST: Final = datetime(2026, 3, 1, tzinfo=UTC)


def measure(folder: Folder, names: Sequence[str]) -> Group:
    noted = _Noted()
    log = logging.getLogger("supportdesk")
    log.addHandler(noted)
    try:
        with scratch_desk() as made, open_parser() as parser:
            ledger = made.store.ledger
            inbox = ledger.folder(made.mailbox.id, "INBOX", "inbox")
            ledger.new_epoch(inbox["id"], 1)
            for start in range(0, len(names), BATCH):
                items = [_item(folder, uid, name) for uid, name in enumerate(names[start : start + BATCH], start + 1)]
                ledger.record_fetched(inbox["id"], 1, items, advance_to=items[-1].uid)
            Intake(made.desk, parser).process_all()
            deliveries = made.desk.read.rows("delivery")
            stubs = made.desk.read.rows("message", {"kind": "stub"})
            again = Intake(made.desk, parser).process_all()
    finally:
        log.removeHandler(noted)
    outcomes = Counter(str(row["outcome"]) for row in deliveries)
    uids = Counter(int(row["uid"]) for row in deliveries)
    wrong = [name for uid, name in enumerate(names, 1) if uids[uid] != 1]
    wrong += [names[row["uid"] - 1] for row in deliveries if row["outcome"] not in OUTCOMES or not row["outcome"]]
    return Group(
        "intake",
        f"{len(names):,} mails into an empty desk",
        (
            none_of("mails without exactly one outcome", wrong),
            none_of("stubs (mail that could not be read)", [str(row["id"]) for row in stubs]),
            none_of("mails that a second run takes in again", [""] * again),
            none_of("warnings and errors in the log", noted.lines),
            *(Finding(f"outcome: {name}", f"{count:,}") for name, count in outcomes.most_common()),
        ),
    )


def _item(folder: Folder, uid: int, name: str) -> LedgerItem:
    raw = folder.raw(name)
    return LedgerItem(uid, raw, len(raw), FIRST + timedelta(minutes=uid))


class _Noted(logging.Handler):
    """Keeps what the desk logs while it works."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
