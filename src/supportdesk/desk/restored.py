"""After a restore: what was on its way out is in doubt, and its customers wait again until that is settled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from supportdesk.desk.ports import Row, Transaction
from supportdesk.desk.verdicts import write_verdict
from supportdesk.mail.model import SendResult

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def flag_replies_in_doubt(desk: Desk) -> int:
    """Give every reply in doubt its message, its ticket its badge, its customer his clock; how many replies."""
    rows = desk.read.rows("outbox", {"state": "uncertain"}, order="id")
    for row in rows:
        desk.store.run(partial(_flag, outbox_id=row["id"]))
    return len(rows)


def _flag(tx: Transaction, outbox_id: int) -> None:
    row: Row | None = tx.row("outbox", {"id": outbox_id})
    if row is not None and row["state"] == "uncertain":
        write_verdict(tx, row, SendResult("uncertain", row["stage"], row["error"]))
