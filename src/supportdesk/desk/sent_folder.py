"""The Sent folder: what it proves about replies in doubt, and our copies in it (mail.md OUT-6, SYNC-13).

Some providers put submitted mail into Sent by themselves: we look first and store a copy only where there is none. A
copy that cannot be stored never touches the state of the reply.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from supportdesk.desk.delivery_verdicts import confirm_delivered
from supportdesk.desk.model import WORKER, Mailbox, OutboxId
from supportdesk.desk.ports import MailSource, Plan, Row, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import ConnectionFailed, SupportdeskError

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import MailServers

PROVIDER_SECONDS = 30  # a provider that keeps submitted mail has done so by then
GIVE_UP_AFTER = timedelta(days=1)
LOOK_OFTEN_FOR = timedelta(minutes=10)  # whoever keeps submitted mail has done so by then (OUT-6)
LOOK_AGAIN_AFTER = timedelta(hours=1)
ROWS = 200


def look_into_sent(
    desk: Desk,
    servers: MailServers,
    *,
    looked: dict[int, datetime] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Mapping[str, int]:
    """Settle replies in doubt that are in Sent, and store the copies that are missing; how many of each.

    `looked` remembers from call to call when a doubtful reply was looked for: after ten minutes that is once an hour.
    """
    looked = {} if looked is None else looked
    counts: dict[str, int] = defaultdict(int)
    # One that its listener cannot reach is left to it: a refused login must not be tried here once a minute.
    reachable = {row["id"] for row in desk.read.rows("mailbox", {"state": "active", "error": ""})}
    for mailbox in desk.mailboxes():
        if stop() or mailbox.imap is None or mailbox.id not in reachable:
            continue
        rows = _waiting(desk, mailbox, looked)
        if not rows:
            continue
        try:
            source = servers.source(mailbox.id)
        except SupportdeskError:
            continue  # the listener of this mailbox reports it
        try:
            _settle_all(desk, source, rows, counts, stop)
        except ConnectionFailed:
            counts["interrupted"] += 1
        finally:
            source.close()
    return counts


def _waiting(desk: Desk, mailbox: Mailbox, looked: dict[int, datetime]) -> list[Row]:
    """Replies of the mailbox that are in doubt, and those whose copy is still to be stored."""
    of_it, now = {"mailbox_id": mailbox.id}, desk.clock.now()
    rows = []
    for row in desk.read.rows("outbox", {**of_it, "state": "uncertain"}, order="-id", limit=ROWS):
        last = looked.get(row["id"])
        if last is None or now - row["updated_at"] <= LOOK_OFTEN_FOR or now - last >= LOOK_AGAIN_AFTER:
            looked[row["id"]] = now
            rows.append(row)
    if mailbox.settings.get("sent_copy", "auto") != "none":
        sent_before = now - timedelta(seconds=PROVIDER_SECONDS)
        pending = desk.read.rows("outbox", {**of_it, "sent_copy": "pending"}, order="id", limit=ROWS)
        rows += [row for row in pending if row["sent_at"] is not None and row["sent_at"] <= sent_before]
    return rows


def _settle_all(
    desk: Desk, source: MailSource, rows: list[Row], counts: dict[str, int], stop: Callable[[], bool]
) -> None:
    folder = next((info.name for info in source.folders() if info.role == "sent"), "")
    for row in rows:
        if stop():
            return
        found = bool(folder) and bool(source.find_message_id(folder, row["message_id_header"]))
        if row["state"] == "uncertain":
            if found:
                with desk.store.transaction() as tx:
                    counts["confirmed"] += confirm_delivered(tx, OutboxId(row["id"]), "the provider's copy is in Sent")
            continue
        counts[_copy(desk, source, folder, row, found=found)] += 1


def _copy(desk: Desk, source: MailSource, folder: str, row: Row, *, found: bool) -> str:
    """Store our copy, unless the provider did; `pending` again for a day if the server would not take it."""
    outcome = "found" if found else "appended"
    if not folder:
        outcome = "failed"
    elif not found:
        try:
            source.append(folder, desk.blobs.get(row["built_sha"]), row["sent_at"])
        except ConnectionFailed:
            if desk.clock.now() - row["sent_at"] < GIVE_UP_AFTER:
                raise
            outcome = "failed"
    with desk.store.transaction() as tx:
        update = Update("outbox", {"id": row["id"]}, {"sent_copy": "pending"}, {"sent_copy": outcome})
        tx.apply(Plan(silent=(update,), undoable=False), WORKER, new_action_id())
    return outcome
