"""A desk whose every text field that data can reach holds what a terminal must not get: written behind the desk's back.

Whatever column of text is not listed here as an identifier is spoilt, so that a new column is hostile by itself.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from supportdesk.desk.model import TicketId
from supportdesk.safetext import storable
from supportdesk.store.columns import TABLES
from tests.tui.hostile import PAYLOADS

if TYPE_CHECKING:
    from tests.support.desk import House

KEPT: Final = frozenset(
    f"{table}.{column}"
    for table, columns in {
        "agent": "login role state",
        "attachment": "part content_type content_id blob_sha",
        "blob": "sha256",
        "blob_chunk": "sha256",
        "canned": "key",
        "canned_variant": "tag",
        "customer": "language language_source region register zone",
        "customer_identity": "kind value_norm verdict",
        "delivery": "raw_sha outcome",
        "dismissal": "reason",
        "event": "action_id actor_kind kind",
        "folder": "role",
        "lease": "name owner",
        "mailbox": "state languages language register zone canned_set order_pattern",
        "market": "code locale register currency zone",
        "message": "channel direction kind author_kind external_id body_source language",
        "message_mail": "raw_sha message_id_norm fingerprint sender_check",
        "message_recipient": "role state",
        "outbox": "kind state stage language canned_key canned_sha after_status message_id_header built_sha action_id"
        " lease_owner sent_copy",
        "outbox_recipient": "role state",
        "parked": "reason",
        "participant": "role",
        "presence": "console mode",
        "saved_view": "query",
        "setting": "key",
        "sla_snapshot": "digest body",
        "ticket": "status priority kind language language_source snooze_mode",
        "ticket_tag": "",
        "view_count": "view",
        "view_count_delta": "view",
    }.items()
    for column in columns.split()
)
"""Identifiers, enumerations and hashes: the desk itself writes them, and refuses others."""

COLUMNS: Final = {
    f"{table.name}.{column}"
    for table in TABLES.values()
    for column, kind in table.kinds.items()
    if kind == "text" and f"{table.name}.{column}" not in KEPT
}


def spoil(house: House, file: str) -> None:
    """Fill the desk with one of everything, then put a payload into every field of text."""
    for number in range(len(PAYLOADS)):
        house.customer_writes(f"Riga {number}", sender=f"h{number}@example.com", name=f"Ospite {number}")
    first = TicketId(1)
    house.desk.add_note(house.luca, first, "@giulia visto")
    house.desk.perform("tag", house.luca, [first], {"tags": "reso"})
    house.deliver(house.reply(first).id, "failed")
    house.reply(TicketId(2))  # held: whoever leaves is asked
    house.draft(TicketId(5))
    house.desk.add_view(house.giulia, "Resi", "tag:reso")
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("INSERT INTO folder (mailbox_id, name, role) VALUES (1, 'INBOX', 'inbox')")
        connection.execute(
            "INSERT INTO delivery (folder_id, uidvalidity, uid, fetched_at, outcome, size) "
            "VALUES (1, 1, 1, '2026-03-04T09:00:00.000000Z', 'parked', 1)"
        )
        connection.execute(
            "INSERT INTO parked (delivery_id, reason, sender, subject, received_at)"
            " VALUES (1, 'loop', 'x', 'y', '2026-03-04T09:00:00.000000Z')"
        )
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for number, name in enumerate(sorted(COLUMNS)):
            table, _, column = name.partition(".")
            if table not in tables or table in ("event", "event_detail", "message_text"):
                continue
            for (row,) in connection.execute(f"SELECT rowid FROM {table}").fetchall():
                payload = storable(PAYLOADS[(row + number) % len(PAYLOADS)])
                # The payload before and after: some only bite at the start, some only at the end.
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || coalesce({column}, '') || ? WHERE rowid = ?",
                    (payload, payload, row),
                )
    connection.close()
