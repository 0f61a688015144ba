"""The fetch side's helpers: folders, and the ledger with one row for each UID that was ever seen (desk.ports.Ledger).

Raw bytes go in before their ledger row, in the same transaction when they are small; the cursor moves in the last one
and only as far as the caller vouches that every UID below has its row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.model import MailboxId
from supportdesk.desk.ports import Identity, LedgerItem
from supportdesk.errors import Conflict, NotFound
from supportdesk.store.blobs import compress, has_blob, put_small
from supportdesk.store.connect import Connection
from supportdesk.store.statements import groups, insert_if_absent, marks, select_rows
from supportdesk.store.values import clean_text, to_time

if TYPE_CHECKING:
    from supportdesk.store.sql import SqlStore
    from supportdesk.store.write.transaction import WriteTransaction

Row = Mapping[str, Any]
Prepared = tuple[LedgerItem, str, list[tuple[int, bytes]] | None]
"""An item with its sha, and the frames of its blob where that is still to be written."""

BATCH_MAILS: Final = 50
BATCH_BYTES: Final = 2 * 1024 * 1024
SMALL: Final = 512 * 1024
"""Mail up to this size is stored inside the batch; bigger mail before it, in transactions of its own."""

PARTIAL: Final = "partial"
"""`delivery.reason` of a mail whose first parts alone were taken."""


class SqlLedger:
    """The ledger of one store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def folder(self, mailbox_id: MailboxId, name: str, role: str) -> Row:
        """The row of that folder, made if it is not known yet; a changed role is taken over."""
        with self._store.transaction() as tx:
            key = {"mailbox_id": mailbox_id, "name": name}
            found = tx.row("folder", key)
            if found is None:
                insert_if_absent(tx.connection, "folder", {**key, "role": role})
            elif found["role"] != role:
                tx.connection.change("UPDATE folder SET role = ? WHERE id = ?", (role, found["id"]))
            row = tx.row("folder", key)
            assert row is not None
            return row

    def record_fetched(self, folder_id: int, uidvalidity: int, items: Sequence[LedgerItem], *, advance_to: int) -> None:
        """Write ledger rows with their raw mail, and the cursor with the last of them. Running it again adds nothing.

        `advance_to` is the end of the contiguous prefix, 0 to stay; the cursor never goes back. Raises Conflict when
        the folder has another UIDVALIDITY by now.
        """
        batches = list(_batches(items)) or [[]]
        for at, batch in enumerate(batches):
            prepared = [self._prepare(item) for item in batch]
            last = at == len(batches) - 1
            self._store.run(partial(_enter, folder_id, uidvalidity, prepared, advance_to if last else 0))

    def record_gone(self, folder_id: int, uidvalidity: int, uids: Sequence[int], *, advance_to: int) -> None:
        """Note UIDs whose mail vanished before it could be stored; a row that holds a mail stays as it is."""
        with self._store.transaction() as tx:
            tx.wrote = True
            _check_epoch(tx.connection, folder_id, uidvalidity)
            for some in groups(uids):
                tx.connection.change(
                    "UPDATE delivery SET outcome = 'gone', processed_at = ? WHERE folder_id = ?"
                    f" AND uidvalidity = ? AND outcome = '' AND raw_sha = '' AND uid IN ({marks(some)})",
                    (tx.now, folder_id, uidvalidity, *some),
                )
            for uid in uids:
                row = {"folder_id": folder_id, "uidvalidity": uidvalidity, "uid": uid, "fetched_at": tx.now}
                insert_if_absent(tx.connection, "delivery", {**row, "outcome": "gone", "processed_at": tx.now})
            _advance(tx, folder_id, advance_to)

    def finish_pass(self, folder_id: int, *, missing: int, error: str = "") -> None:
        """Note a pass over the folder: complete, or why it broke off and since when that is so."""
        with self._store.transaction() as tx:
            tx.wrote = True
            if error:
                tx.connection.change(
                    "UPDATE folder SET missing = ?, error = ?, error_since = coalesce(error_since, ?) WHERE id = ?",
                    (missing, clean_text(error), tx.now, folder_id),
                )
            else:
                tx.connection.change(
                    "UPDATE folder SET missing = ?, error = '', error_since = NULL, last_pass_at = ? WHERE id = ?",
                    (missing, tx.now, folder_id),
                )

    def known_uids(self, folder_id: int, uidvalidity: int, first: int, last: int) -> set[int]:
        """The UIDs between the two (both included) that have a ledger row."""
        with self._store.connection() as connection:
            rows = connection.execute(
                "SELECT uid FROM delivery WHERE folder_id = ? AND uidvalidity = ? AND uid BETWEEN ? AND ?",
                (folder_id, uidvalidity, first, last),
            )
        return {uid for (uid,) in rows}

    def identities(self, folder_id: int) -> Iterator[Identity]:
        """What tells each mail from the others that the folder ever held."""
        with self._store.connection() as connection:
            rows = connection.execute(
                "SELECT coalesce(message_mail.message_id_norm, ''), delivery.size, delivery.internal_date FROM delivery"
                " LEFT JOIN message_mail ON message_mail.message_id = delivery.message_id"
                " WHERE delivery.folder_id = ? AND delivery.raw_sha <> ''",
                (folder_id,),
            )
        return ((message_id, size, None if at is None else to_time(at)) for message_id, size, at in rows)

    def link_known(self, folder_id: int, uidvalidity: int, listed: Mapping[int, Identity]) -> int:
        """Enter UIDs of a new numbering whose mail has its outcome under an earlier one; how many."""
        known = self._settled_mails(folder_id)
        linked = [(uid, known[identity]) for uid, identity in listed.items() if known.get(identity) is not None]
        first_strange = min((uid for uid, identity in listed.items() if known.get(identity) is None), default=None)
        below = [uid for uid in listed if first_strange is None or uid < first_strange]
        for some in groups(linked):
            with self._store.transaction() as tx:
                tx.wrote = True
                _check_epoch(tx.connection, folder_id, uidvalidity)
                for uid, row in some:
                    now = {"uidvalidity": uidvalidity, "uid": uid, "fetched_at": tx.now, "processed_at": tx.now}
                    insert_if_absent(tx.connection, "delivery", {**row, **now})
        with self._store.transaction() as tx:
            _advance(tx, folder_id, max(below, default=0))
        return len(linked)

    def _settled_mails(self, folder_id: int) -> dict[Identity, Row | None]:
        """The row of a duplicate of each mail that has become a message; None where several mails look alike."""
        with self._store.connection() as connection:
            rows = connection.execute(
                "SELECT message_mail.message_id_norm, delivery.size, delivery.internal_date, delivery.raw_sha,"
                " delivery.message_id, delivery.historic FROM delivery"
                " JOIN message_mail ON message_mail.message_id = delivery.message_id"
                " WHERE delivery.folder_id = ? AND delivery.raw_sha <> '' AND delivery.outcome <> ''"
                " AND delivery.internal_date IS NOT NULL AND message_mail.message_id_norm <> ''",
                (folder_id,),
            )
        known: dict[Identity, Row | None] = {}
        for name, size, at, sha, message, historic in rows:
            row = {
                "folder_id": folder_id, "raw_sha": sha, "size": size, "internal_date": to_time(at),
                "historic": bool(historic), "outcome": "duplicate", "reason": "renumbered", "message_id": message,
            }  # fmt: skip
            identity = name, size, to_time(at)
            same = known.setdefault(identity, row)
            if same is not None and same["raw_sha"] != sha:
                known[identity] = None
        return known

    def unprocessed(self, limit: int, *, mailbox_id: MailboxId | None = None, imported: bool = False) -> list[Row]:
        """Rows without an outcome, oldest internal date first, each with its `folder`, `role` and `mailbox_id`.

        With `imported` only those of archives on disk, without it all others: no new mail waits behind an archive.
        """
        where, params = ("", []) if mailbox_id is None else (" AND folder.mailbox_id = ?", [mailbox_id])
        with self._store.connection() as connection:
            found = connection.execute(
                "SELECT delivery.id, folder.name, folder.role, folder.mailbox_id FROM delivery"
                " JOIN folder ON folder.id = delivery.folder_id"
                f" WHERE delivery.outcome = '' AND delivery.imported = ?{where}"
                " ORDER BY delivery.internal_date, delivery.id LIMIT ?",
                [imported, *params, limit],
            )
            rows = {row["id"]: row for row in select_rows(connection, "delivery", {"id": [item[0] for item in found]})}
        return [
            {**rows[row], "folder": name, "role": role, "mailbox_id": mailbox}
            for row, name, role, mailbox in found
            if row in rows
        ]

    def note_failure(self, delivery_id: int, error: str) -> int:
        """Count a failed attempt at processing, with its reason; how many there were."""
        with self._store.transaction() as tx:
            rows = tx.connection.execute(
                "UPDATE delivery SET attempts = attempts + 1, error = ? WHERE id = ? RETURNING attempts",
                (clean_text(error), delivery_id),
            )
        if not rows:
            raise NotFound(f"there is no delivery {delivery_id}")
        return int(rows[0][0])

    def new_epoch(self, folder_id: int, uidvalidity: int) -> None:
        """The server numbers this folder anew: the cursor starts again, the rows of earlier numberings stay."""
        with self._store.transaction() as tx:
            tx.connection.change(
                "UPDATE folder SET uidvalidity = ?, last_uid = 0 WHERE id = ?"
                " AND (uidvalidity IS NULL OR uidvalidity <> ?)",
                (uidvalidity, folder_id, uidvalidity),
            )

    def _prepare(self, item: LedgerItem) -> Prepared:
        """The item with its sha and the frames still to be written: compressing happens outside the lock."""
        if item.raw is None:
            return item, "", None
        if len(item.raw) > SMALL:
            return item, self._store.blobs.put(item.raw), None
        sha = hashlib.sha256(item.raw).hexdigest()
        with self._store.connection() as connection:
            known = has_blob(connection, sha)
        return item, sha, None if known else compress(item.raw)


def _enter(
    folder_id: int, uidvalidity: int, prepared: Sequence[Prepared], advance_to: int, tx: WriteTransaction
) -> None:
    """Rows with their raw mail, once each, whoever else enters the same ones at this moment (INGEST-8)."""
    _check_epoch(tx.connection, folder_id, uidvalidity)
    for item, sha, frames in prepared:
        if frames is not None:
            put_small(tx.connection, sha, frames, len(item.raw or b""), tx.now)
        row = {
            "folder_id": folder_id, "uidvalidity": uidvalidity, "uid": item.uid, "raw_sha": sha, "size": item.size,
            "internal_date": item.internal_date, "fetched_at": tx.now, "historic": item.historic,
            "imported": item.imported, "reason": PARTIAL if item.partial else "",
        }  # fmt: skip
        insert_if_absent(tx.connection, "delivery", row)
    _advance(tx, folder_id, advance_to)
    tx.wrote = True


def _batches(items: Sequence[LedgerItem]) -> Iterator[list[LedgerItem]]:
    batch: list[LedgerItem] = []
    size = 0
    for item in items:
        weight = len(item.raw) if item.raw is not None and len(item.raw) <= SMALL else 0
        if batch and (len(batch) >= BATCH_MAILS or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += weight
    if batch:
        yield batch


def _advance(tx: WriteTransaction, folder_id: int, advance_to: int) -> None:
    tx.connection.change(
        "UPDATE folder SET last_uid = ? WHERE id = ? AND last_uid < ?", (advance_to, folder_id, advance_to)
    )


def _check_epoch(connection: Connection, folder_id: int, uidvalidity: int) -> None:
    lock = " FOR SHARE" if connection.is_postgres else ""
    found = connection.execute(f"SELECT uidvalidity FROM folder WHERE id = ?{lock}", (folder_id,))
    if not found:
        raise NotFound(f"there is no folder {folder_id}")
    if found[0][0] != uidvalidity:
        raise Conflict(
            f"folder {folder_id} has UIDVALIDITY {found[0][0]} by now, not {uidvalidity}", what="uidvalidity"
        )
