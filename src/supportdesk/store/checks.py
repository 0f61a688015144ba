"""What can be wrong inside a desk's database, each as one cheap question and, where it is safe, as one repair.

Counts only: what a count means and what a person should do says `doctor`. Repairs change nothing that anybody decided
and can be run again. What reads every page is asked only when `deep`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from supportdesk.errors import NotFound
from supportdesk.store.address import parse_url
from supportdesk.store.connect import APPLICATION_ID, Connection, close_connection, connect
from supportdesk.store.copy_rows import carry_used_ids, own_tables, sequences
from supportdesk.store.lock import Turnstile
from supportdesk.store.schema import HEAD, revision
from supportdesk.store.schema_extras import make_extras

OLD: Final = timedelta(hours=1)
OF_A_CONSOLE: Final = 4
OF_THE_WORKERS: Final = 20
"""Connections that a console takes at most, and two workers together."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question: SQL that answers with a count; `?` is an hour ago. `mend` repairs it, where that is safe."""

    id: str
    sql: str
    mend: str = ""
    only: str = ""  # sqlite | postgres | "" for both
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A check that found something, and whether `mend` can repair it."""

    id: str
    count: int
    mendable: bool
    detail: str = ""


_ORPHANS = "SELECT 1 FROM blob WHERE blob.sha256 = blob_chunk.sha256"

CHECKS: Final = (
    Check("lease.expired", "SELECT count(*) FROM lease WHERE owner <> '' AND until < ?",
          "UPDATE lease SET owner = '' WHERE until < ?"),
    Check("presence.stale", "SELECT count(*) FROM presence WHERE at < ?", "DELETE FROM presence WHERE at < ?"),
    Check("chunks.orphaned", f"SELECT count(DISTINCT sha256) FROM blob_chunk WHERE NOT EXISTS ({_ORPHANS})",
          f"DELETE FROM blob_chunk WHERE NOT EXISTS ({_ORPHANS})"),
    Check("blob.incomplete", "SELECT count(*) FROM blob WHERE chunks <>"
          " (SELECT count(*) FROM blob_chunk WHERE blob_chunk.sha256 = blob.sha256)", deep=True),
    Check("delivery.without_mail", "SELECT count(*) FROM delivery WHERE raw_sha <> ''"
          " AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = delivery.raw_sha)", deep=True),
    Check("delivery.stuck", "SELECT count(*) FROM delivery WHERE outcome = '' AND imported = false"
          " AND fetched_at < ?"),
    Check("message.without_text", "SELECT count(*) FROM message WHERE kind <> 'event' AND body <> '' AND NOT EXISTS"
          " (SELECT 1 FROM message_text WHERE message_text.message_id = message.id)", deep=True),
    Check("ticket.merge_cycle", "SELECT count(*) FROM ticket a JOIN ticket b ON a.merged_into = b.id"
          " WHERE b.merged_into = a.id OR a.merged_into = a.id"),
    Check("customer.merge_cycle", "SELECT count(*) FROM customer a JOIN customer b ON a.merged_into = b.id"
          " WHERE b.merged_into = a.id OR a.merged_into = a.id"),
    Check("ticket.of_disabled_agent", "SELECT count(*) FROM ticket JOIN agent ON agent.id = ticket.assignee_id"
          " WHERE agent.state = 'disabled' AND ticket.waiting_since IS NOT NULL"),
    Check("outbox.sending_stuck", "SELECT count(*) FROM outbox WHERE state = 'sending' AND"
          " (lease_until IS NULL OR lease_until < ?)"),
    Check("outbox.uncertain_old", "SELECT count(*) FROM outbox WHERE state = 'uncertain' AND updated_at < ?"),
    Check("outbox.failed_old", "SELECT count(*) FROM outbox WHERE state = 'failed' AND updated_at < ?"),
    Check("outbox.overdue", "SELECT count(*) FROM outbox WHERE state = 'held' AND not_before < ?"),
    Check("outbox.without_recipient", "SELECT count(*) FROM outbox WHERE state IN ('held', 'deferred') AND NOT EXISTS"
          " (SELECT 1 FROM outbox_recipient WHERE outbox_recipient.outbox_id = outbox.id)"),
    Check("outbox.bytes_lost", "SELECT count(*) FROM outbox WHERE state IN ('held', 'sending', 'deferred')"
          " AND built_sha <> '' AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.sha256 = outbox.built_sha)"),
    Check("parked.unseen", "SELECT count(*) FROM parked WHERE looked_at IS NULL AND released_at IS NULL"
          " AND received_at < ?"),
    Check("agent.no_admin", "SELECT CASE WHEN EXISTS (SELECT 1 FROM agent WHERE role = 'admin'"
          " AND state <> 'disabled') THEN 0 ELSE 1 END"),
    Check("key.missing", "SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM signing_key WHERE retired_at IS NULL)"
          " AND EXISTS (SELECT 1 FROM outbox WHERE message_id_header <> '') THEN 1 ELSE 0 END"),
    Check("folder.missing_mail", "SELECT count(*) FROM folder WHERE missing > 0"),
    Check("event.future", "SELECT count(*) FROM (SELECT at FROM event ORDER BY seq DESC LIMIT 1) AS newest"
          " WHERE at > ?"),
    Check("journal.not_wal", "SELECT CASE WHEN journal_mode = 'wal' THEN 0 ELSE 1 END FROM pragma_journal_mode",
          only="sqlite"),
    Check("file.not_a_desk", f"SELECT CASE WHEN application_id = {APPLICATION_ID} THEN 0 ELSE 1 END"
          " FROM pragma_application_id", f"PRAGMA application_id = {APPLICATION_ID}", only="sqlite"),
    Check("rows.orphaned", "SELECT count(*) FROM pragma_foreign_key_check", only="sqlite", deep=True),
    Check("server.fsync_off", "SELECT count(*) FROM pg_settings WHERE name IN ('fsync', 'full_page_writes')"
          " AND setting = 'off'", only="postgres"),
    Check("server.not_utf8", "SELECT CASE WHEN pg_encoding_to_char(encoding) = 'UTF8' THEN 0 ELSE 1 END"
          " FROM pg_database WHERE datname = current_database()", only="postgres"),
    Check("server.superuser", "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND rolsuper",
          only="postgres"),
    Check("server.idle_in_transaction", "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
          " AND state = 'idle in transaction' AND state_change < ?", only="postgres"),
    Check("server.connections_full", "SELECT CASE WHEN count(*) * 10 > current_setting('max_connections')::int * 9"
          " THEN 1 ELSE 0 END FROM pg_stat_activity WHERE datid IS NOT NULL", only="postgres"),
    Check("server.few_connections", "SELECT CASE WHEN needed > room THEN needed ELSE 0 END FROM (SELECT"
          f" (SELECT count(*) FROM agent WHERE state <> 'disabled') * {OF_A_CONSOLE} + {OF_THE_WORKERS} AS needed,"
          " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS room)"
          " AS connections", only="postgres"),
    Check("server.no_idle_timeout", "SELECT count(*) FROM pg_settings"
          " WHERE name = 'idle_in_transaction_session_timeout' AND setting = '0'", only="postgres"),
    Check("server.activity_unseen", "SELECT CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN 0 ELSE 1 END",
          only="postgres"),
)  # fmt: skip


def find_faults(url: str, *, deep: bool = False) -> list[Fault]:
    """Ask everything. Raises StoreError where the database cannot be read, or has another schema."""
    address = parse_url(url)
    connection = connect(address)
    try:
        if revision(connection) != HEAD:
            return []
        return [*_asked(connection, deep=deep), *_structure(connection)]
    finally:
        close_connection(connection, address)


def mend(url: str, fault: str) -> None:
    """Repair what `find_faults` called mendable; running it again changes nothing. Raises NotFound for another id."""
    address = parse_url(url)
    check = next((one for one in CHECKS if one.id == fault and one.mend), None)
    if check is None and fault not in ("index.missing", "trigger.missing", "sequence.behind"):
        raise NotFound(f"{fault} cannot be mended by itself")
    connection = connect(address)
    try:
        if address.is_postgres:
            _mend(connection, check, fault)
        else:
            with Turnstile(address.file).held():
                _mend(connection, check, fault)
    finally:
        close_connection(connection, address)


def _asked(connection: Connection, *, deep: bool) -> Iterator[Fault]:
    kind = "postgres" if connection.is_postgres else "sqlite"
    for check in CHECKS:
        if check.only not in ("", kind) or (check.deep and not deep):
            continue
        count = int(connection.execute(check.sql, [_moment(check.id)] * check.sql.count("?"))[0][0])
        if count:
            yield Fault(check.id, count, bool(check.mend))


def _moment(name: str) -> datetime:
    now = datetime.now(UTC)
    return {
        "event.future": now + timedelta(minutes=2),
        "outbox.uncertain_old": now - timedelta(hours=24),
        "outbox.failed_old": now - timedelta(hours=24),
        "parked.unseen": now - timedelta(hours=24),
        "presence.stale": now - timedelta(days=1),
    }.get(name, now - OLD)


def _structure(connection: Connection) -> Iterator[Fault]:
    """Indexes and triggers that a migration makes and somebody has dropped; numbers that would be given twice."""
    missing = [name for name in _expected_indexes() if name not in _names(connection, "index")]
    if missing:
        yield Fault("index.missing", len(missing), mendable=True, detail=", ".join(sorted(missing)))
    wanted = (
        {"event_append_only", "event_not_truncated"}
        if connection.is_postgres
        else {"event_not_updated", "event_not_deleted"}
    )
    if lost := wanted - _names(connection, "trigger"):
        yield Fault("trigger.missing", len(lost), mendable=True, detail=", ".join(sorted(lost)))
    if connection.is_postgres and (behind := list(_behind(connection))):
        yield Fault("sequence.behind", len(behind), mendable=True, detail=", ".join(behind))


def _expected_indexes() -> dict[str, Any]:
    from supportdesk.store.tables import Table

    return {str(index.name): index for table in Table.metadata.sorted_tables for index in table.indexes}


def _names(connection: Connection, kind: str) -> set[str]:
    if not connection.is_postgres:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = ?", (kind,))}
    if kind == "index":
        rows = connection.execute("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()")
    else:
        rows = connection.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
    return {row[0] for row in rows}


def _behind(connection: Connection) -> Iterator[str]:
    for name in own_tables(connection):
        for column, sequence in sequences(connection, name):
            highest = connection.execute(f'SELECT coalesce(max("{column}"), 0) FROM "{name}"')[0][0]
            last, called = connection.execute(f"SELECT last_value, is_called FROM {sequence}")[0]
            if highest > (last if called else last - 1):
                yield name


def _mend(connection: Connection, check: Check | None, fault: str) -> None:
    connection.execute("BEGIN" if connection.is_postgres else "BEGIN IMMEDIATE")
    try:
        if check is not None:
            connection.execute(check.mend, [_moment(check.id)] * check.mend.count("?"))
        elif fault == "trigger.missing":
            make_extras(connection)
        elif fault == "sequence.behind":
            carry_used_ids(connection, connection, own_tables(connection))
        else:
            _make_indexes(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _make_indexes(connection: Connection) -> None:
    from sqlalchemy.dialects import postgresql, sqlite
    from sqlalchemy.schema import CreateIndex

    dialect: Any = postgresql.dialect() if connection.is_postgres else sqlite.dialect()  # type: ignore[no-untyped-call]
    there = _names(connection, "index")
    for name, index in _expected_indexes().items():
        if name not in there:
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
