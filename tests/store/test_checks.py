"""H05: each fault that can be seeded inside a database is found by its id; what can be mended is, and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.cli.doctor_words import FAULTS
from supportdesk.errors import NotFound
from supportdesk.store.checks import CHECKS, find_faults, mend
from tests.store.test_backup import hold_reply

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk
    from tests.support.databases import Database

LONG_AGO, LATER = datetime.now(UTC) - timedelta(days=3), datetime.now(UTC) + timedelta(days=3)
FOLDER = "INSERT INTO folder (id, mailbox_id, name, role, missing) VALUES (1, 1, 'INBOX', 'inbox', {})"
DELIVERY = (
    "INSERT INTO delivery (id, folder_id, uidvalidity, uid, raw_sha, size, fetched_at, outcome)"
    " VALUES (1, 1, 1, 1, '{}', 1, ?, '{}')"
)

LEASE = "INSERT INTO lease (name, owner, epoch, until, heartbeat_at, info) VALUES ('worker', 'gone', 1, ?, ?, '{}')"
PRESENCE = "INSERT INTO presence (ticket_id, agent_id, console, mode, at) VALUES (1, 1, 'x', 'viewing', ?)"
EVENT = "INSERT INTO event (action_id, actor_kind, kind, at, data) VALUES ('x', 'worker', 'x', LATER, '{}')"

SEEDS: dict[str, tuple[str, ...]] = {
    "lease.expired": (LEASE,),
    "presence.stale": (PRESENCE,),
    "chunks.orphaned": ("INSERT INTO blob_chunk (sha256, n, data) VALUES ('ab', 0, 'x')",),
    "blob.incomplete": ("INSERT INTO blob (sha256, size, chunks, created_at) VALUES ('ab', 9, 1, ?)",),
    "delivery.without_mail": (FOLDER.format(0), DELIVERY.format("ab", "parked")),
    "delivery.stuck": (FOLDER.format(0), DELIVERY.format("", "")),
    "message.without_text": ("DELETE FROM message_text WHERE message_id = 1",),
    "ticket.merge_cycle": ("UPDATE ticket SET merged_into = 3 - id WHERE id < 3",),
    "customer.merge_cycle": ("UPDATE customer SET merged_into = id WHERE id = 1",),
    "ticket.of_disabled_agent": (
        "UPDATE agent SET state = 'disabled' WHERE id = 1", "UPDATE ticket SET assignee_id = 1"
    ),
    "outbox.sending_stuck": ("UPDATE outbox SET state = 'sending', lease_until = ?",),
    "outbox.uncertain_old": ("UPDATE outbox SET state = 'uncertain', updated_at = ?",),
    "outbox.failed_old": ("UPDATE outbox SET state = 'failed', updated_at = ?",),
    "outbox.overdue": ("UPDATE outbox SET not_before = ?",),
    "outbox.without_recipient": (),
    "outbox.bytes_lost": ("UPDATE outbox SET built_sha = 'ab'",),
    "parked.unseen": (FOLDER.format(0), DELIVERY.format("", "parked"),
                      "INSERT INTO parked (delivery_id, received_at) VALUES (1, ?)"),
    "agent.no_admin": ("UPDATE agent SET role = 'agent'",),
    "key.missing": ("UPDATE outbox SET message_id_header = '<x@y>'",),
    "folder.missing_mail": (FOLDER.format(3),),
    "event.future": (EVENT,),
    "index.missing": ("DROP INDEX ix_event_ticket", "DROP INDEX ix_outbox_state"),
}  # fmt: skip
ONLY_SQLITE = {
    "file.not_a_desk": ("PRAGMA application_id = 7",),
    "trigger.missing": ("DROP TRIGGER event_not_updated",),
    "rows.orphaned": ("PRAGMA foreign_keys = OFF", "INSERT INTO ticket_tag (ticket_id, tag) VALUES (4711, 'x')"),
}
ONLY_POSTGRES = {
    "trigger.missing": ("DROP TRIGGER event_append_only ON event",),
    "sequence.behind": ("SELECT setval(pg_get_serial_sequence('ticket', 'id'), 1)",),
    "server.superuser": (),
}


SEEDS_ON = {
    "sqlite": {**SEEDS, **ONLY_SQLITE},
    "sqlite-stdlib": {**SEEDS, **ONLY_SQLITE},
    "postgres": {**SEEDS, **ONLY_POSTGRES},
}


def seed(store: SqlStore, statements: tuple[str, ...]) -> None:
    with store.connection() as connection:
        for statement in statements:
            given = LATER if "LATER" in statement else LONG_AGO
            connection.execute(statement.replace("LATER", "?"), [given] * statement.replace("LATER", "?").count("?"))
        if not store.address.is_postgres:
            connection.execute("PRAGMA foreign_keys = ON")


@pytest.mark.parametrize(
    ("database", "fault"),
    [(kind, fault) for kind, seeds in SEEDS_ON.items() for fault in sorted(seeds)],
    indirect=["database"],
)
def test_a_seeded_fault_is_found_by_its_id_and_mended_where_that_is_safe(
    database: Database, store: SqlStore, desk: SmallDesk, fault: str
) -> None:
    hold_reply(store, desk, "held")
    url = store.address.url
    standing = {"server.superuser", "server.no_idle_timeout", "agent.no_admin", "outbox.without_recipient"}
    assert {one.id for one in find_faults(url, deep=True)} <= standing
    seed(store, SEEDS_ON[database.kind][fault])
    found = {one.id: one for one in find_faults(url, deep=True)}
    assert fault in found
    assert found[fault].count >= 1
    if not found[fault].mendable:
        with pytest.raises(NotFound):
            mend(url, fault)
        return
    mend(url, fault)
    mend(url, fault)
    assert fault not in {one.id for one in find_faults(url, deep=True)}


def test_every_check_has_its_words() -> None:
    structural = {"index.missing", "trigger.missing", "sequence.behind"}
    assert set(FAULTS) == {check.id for check in CHECKS} | structural
