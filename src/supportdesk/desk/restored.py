"""After a restore: what was on its way out is in doubt, and its customers wait again until that is settled.

The store marks those replies in the step that makes the restored desk the desk; here their tickets are told. Whoever
dies in between leaves the mark, and the next worker goes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from supportdesk.desk.delivery_verdicts import write_verdict
from supportdesk.desk.model import RESTORED
from supportdesk.desk.ports import Row, Transaction
from supportdesk.mail.model import SendResult

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk


def flag_replies_in_doubt(desk: Desk) -> int:
    """Give every such reply its message, its ticket its badge, its customer his clock; how many replies."""
    rows = desk.read.rows("outbox", {"state": "uncertain", "lease_owner": RESTORED}, order="id")
    for row in rows:
        desk.store.run(partial(_flag, outbox_id=row["id"]))
    return len(rows)


def flag_in(tx: Transaction, row: Row) -> None:
    """The same for one reply, if a restore has just put it in doubt."""
    if row["state"] == "uncertain" and row["lease_owner"] == RESTORED:
        write_verdict(tx, row, SendResult("uncertain", row["stage"], row["error"]))


def _flag(tx: Transaction, outbox_id: int) -> None:
    row = tx.row("outbox", {"id": outbox_id})
    if row is not None:
        flag_in(tx, row)
