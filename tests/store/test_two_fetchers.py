"""INGEST-8: two processes that take over the same folder at once enter every message once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supportdesk.desk.ports import LedgerItem

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_ingest_8_the_same_messages_taken_twice_at_once_have_one_row_and_one_blob(
    store: SqlStore, desk: SmallDesk
) -> None:
    folder = store.ledger.folder(desk.mailbox, "INBOX", "inbox")["id"]
    store.ledger.new_epoch(folder, 7)
    items = [LedgerItem(uid, b"mail %d" % (uid // 2), 9, AT) for uid in range(1, 61)]  # two of each content
    barrier, failures = threading.Barrier(2), list[Exception]()

    def take(backwards: bool) -> None:
        barrier.wait()
        for start in range(0, 60, 10):
            some = items[start : start + 10]
            try:
                store.ledger.record_fetched(folder, 7, some[::-1] if backwards else some, advance_to=start + 10)
            except Exception as error:  # noqa: BLE001 — told below, whatever it is
                failures.append(error)

    threads = [threading.Thread(target=take, args=(backwards,)) for backwards in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert sorted(row["uid"] for row in store.read.rows("delivery")) == list(range(1, 61))
    assert len(store.read.rows("blob")) == 31
    assert store.ledger.folder(desk.mailbox, "INBOX", "inbox")["last_uid"] == 60
