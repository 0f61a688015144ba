"""A desk whose every text field that data can reach holds what a terminal must not get: written behind the desk's back.

Whatever column of text is not listed here as an identifier is spoilt, so that a new column is hostile by itself. In
pack 0 each place has one of the payloads, in pack 1 the next one, and after as many packs as payloads every place had
every one.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.model import TicketId
from supportdesk.safetext import storable
from supportdesk.store.columns import TABLES
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish
from tests.tui.hostile import PAYLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


WORDS_WITHIN: Final = frozenset({"title", "group", "keywords", "label", "intro"})
"""What a canned response's description has of words; the rest are names that its text refers to."""


def make_hostile(file: str, payloads: Sequence[str] = PAYLOADS, pack: int = 0) -> None:
    """Make an empty database with its schema a desk with one of everything, all of it hostile."""
    house = furnish(file, FakeClock(datetime.now(UTC) - timedelta(hours=3)))
    house.desk.import_canned(house.giulia, starter_set())
    spoil(house, file, payloads, pack)
    house.store.close()


def spoil(house: House, file: str, payloads: Sequence[str] = PAYLOADS, pack: int = 0) -> None:
    """Fill the desk with one of everything, then put a payload into every field of text."""

    def payload(row: int, number: int) -> str:
        return storable(payloads[(row + number + pack) % len(payloads)])

    for number in range(len(PAYLOADS)):
        house.customer_writes(f"Riga {number}", sender=f"h{number}@example.com", name=f"Ospite {number}")
    first = TicketId(1)
    house.desk.add_note(house.luca, first, "@giulia visto")
    house.desk.perform("tag", house.luca, [first], {"tags": "reso"})
    house.deliver(house.reply(first).id, "failed")
    house.reply(TicketId(2))  # held: whoever leaves is asked
    house.draft(TicketId(5))
    house.desk.add_view(house.giulia, "Resi", "tag:reso")
    reason = {"until": "tomorrow 9am", "mode": "regardless", "reason": payload(1, 0), "after_deadline": True}
    house.desk.perform("snooze", house.luca, [TicketId(9)], reason)
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
                # The payload before and after: some only bite at the start, some only at the end.
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || coalesce({column}, '') || ? WHERE rowid = ?",
                    (payload(row, number), payload(row, number), row),
                )
        spoil_within(connection, payload)
    connection.close()


def spoil_within(connection: sqlite3.Connection, payload: Callable[[int, int], str]) -> None:
    """The same for the words inside of JSON."""
    for number, name in enumerate(("shop_name", "angry_tags", "avoided_words")):
        value = payload(number, 0) if name == "shop_name" else [payload(number, 0)]
        connection.execute("INSERT INTO setting (key, value) VALUES (?, ?)", (name, json.dumps(value)))
    links = json.dumps(
        [[at + 1, f"https://x.example/{payload(at, 1)}", payload(at, 2), payload(at, 3)] for at in (0, 1)]
    )
    badges = json.dumps([f"forwarded:{payload(0, 4)}"])
    connection.execute("UPDATE message SET links = ?, badges = ? WHERE kind = 'mail'", (links, badges))
    connection.execute("UPDATE message_mail SET reply_to = ?", (json.dumps([f"{payload(0, 5)} <x@example.org>"]),))
    connection.execute("UPDATE mailbox SET signatures = ?", (json.dumps({"it": payload(0, 6)}),))
    for row, meta in connection.execute("SELECT rowid, meta FROM canned").fetchall():
        worded = _with_words(json.loads(meta), lambda text, row=row: f"{payload(row, 7)}{text}")  # type: ignore[misc]
        connection.execute("UPDATE canned SET meta = ? WHERE rowid = ?", (json.dumps(worded), row))


def _with_words(value: Any, change: Callable[[str], str], *, words: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _with_words(one, change, words=key != "_order" and (words or key in WORDS_WITHIN))
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_with_words(one, change, words=words) for one in value]
    return change(value) if words and isinstance(value, str) else value
