"""The migrations make the schema that the tables describe, lose no row, and let only one migrator in."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.query import read_query
from supportdesk.errors import StoreError
from supportdesk.store import create_or_upgrade, open_store
from supportdesk.store.address import parse_url
from supportdesk.store.backup import verify
from supportdesk.store.columns import TABLES
from supportdesk.store.connect import connect
from supportdesk.store.copy_rows import count_rows
from supportdesk.store.schema import HEAD, REVISIONS
from supportdesk.store.upgrade import MIGRATIONS, Upgrade, foresee_upgrade
from supportdesk.store.upgrade import create_or_upgrade as upgrade_to
from tests.store.desk import add_ticket, fill

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.store.desk import SmallDesk

SECOND = '''"""Only for a test: every ticket gets a mood, and its table is rebuilt."""

import sqlalchemy as sa
from alembic import op

revision = "0002_test"
down_revision = "0001_first"
branch_labels = None
depends_on = None


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    kept = {"sqlite_autoincrement": True}
    with op.batch_alter_table("ticket", recreate="always" if sqlite else "never", table_kwargs=kept) as batch:
        batch.add_column(sa.Column("mood", sa.Text(), server_default="calm", nullable=False))
'''


@pytest.fixture
def next_scripts(tmp_path: Path) -> str:
    """A copy of the migrations with one more revision."""
    scripts = tmp_path / "scripts"
    shutil.copytree(MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "0002_test.py").write_text(SECOND)
    return str(scripts)


def test_the_known_revisions_are_those_of_the_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    assert [item.revision for item in reversed(list(script.walk_revisions()))] == list(REVISIONS)
    assert script.get_heads() == [HEAD]


def test_the_column_map_is_that_of_the_tables() -> None:
    import sqlalchemy as sa

    from supportdesk.store.tables import Table
    from supportdesk.store.types import Json, UtcTime

    kinds: list[tuple[type, str]] = [
        (Json, "json"), (UtcTime, "time"), (sa.Boolean, "flag"), (sa.LargeBinary, "bytes"), (sa.Integer, "int"),
    ]  # fmt: skip
    assert set(TABLES) == set(Table.metadata.tables)
    for name, columns in TABLES.items():
        table = Table.metadata.tables[name]
        assert columns.kinds == {
            column.name: next((kind for cls, kind in kinds if isinstance(column.type, cls)), "text")
            for column in table.columns
        }, name
        assert set(columns.key) == {column.name for column in table.primary_key}
        assert columns.identity == next((column.name for column in table.columns if column.identity is not None), "")


def test_the_migrated_schema_is_the_one_that_the_tables_describe(desk_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from supportdesk.store.tables import Table
    from supportdesk.store.upgrade import _engine

    address = parse_url(desk_url)
    connection = connect(address)

    def ours(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        extras = {"search", "ix_message_text_search", "ix_event_feed"}
        return name not in extras and not (kind == "table" and (name or "").startswith("message_search"))

    with _engine(connection, address).connect() as bound:
        context = MigrationContext.configure(bound, opts={"include_object": ours, "compare_type": False})
        assert compare_metadata(context, Table.metadata) == []
    connection.raw.rollback()
    connection.close()


def test_an_upgrade_loses_no_child_row_and_search_still_works(
    store: SqlStore, desk: SmallDesk, next_scripts: str, tmp_path: Path
) -> None:
    gone = add_ticket(store, "highest")
    store.fold_view_counts()
    with store.connection() as connection:
        before = count_rows(connection)
    store.close()
    saved = upgrade_to(store.address.url, to="0002_test", scripts=next_scripts, backup_to=tmp_path)
    assert saved is not None
    assert verify(saved).rows == before
    connection = connect(store.address)
    assert count_rows(connection) == before
    assert connection.execute("SELECT mood, count(*) FROM ticket GROUP BY 1") == [("calm", 6)]
    with pytest.raises(StoreError, match="append-only"):
        connection.execute("DELETE FROM event")
    connection.rollback()
    for change in ("status = 'nonsense'", "priority = 'nonsense'", "kind = 'nonsense'", "assignee_id = 999"):
        with pytest.raises(StoreError, match=r"CHECK|check|FOREIGN|foreign"):
            connection.execute(f"UPDATE ticket SET {change}")
        connection.rollback()
    if not store.address.is_postgres:
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ticket'")[0][0]
        assert "AUTOINCREMENT" in sql
        assert connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'ticket'") == [(gone,)]
        assert connection.execute("PRAGMA foreign_key_check") == []
        assert connection.execute("PRAGMA integrity_check") == [("ok",)]
        assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'ix_ticket_%'")[0][0] >= 9
    from supportdesk.store.read.search import search_tickets

    for text, found in (("paket", []), ("pacc", [desk.tickets[0]])):
        asked = read_query(text)
        assert search_tickets(connection, asked, agent_id=None, now=store.clock.now(), limit=10) == found
    connection.close()


def test_an_upgrade_is_foreseen_and_nothing_is_touched(
    store: SqlStore, desk: SmallDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = store.address.url
    add_ticket(store, "Prima")
    assert foresee_upgrade(url) == Upgrade(HEAD, (), None)
    monkeypatch.setattr("supportdesk.store.upgrade.REVISIONS", (*REVISIONS, "0002_test"))
    monkeypatch.chdir(tmp_path)
    with store.connection() as connection:
        before = count_rows(connection)
    found = foresee_upgrade(url)
    where = tmp_path if store.address.is_postgres else store.address.file.parent
    assert found == Upgrade(HEAD, ("0002_test",), where)
    with store.connection() as connection:
        assert count_rows(connection) == before
        connection.execute("UPDATE alembic_version SET version_num = '9999_future'")
    with pytest.raises(StoreError, match="newer supportdesk"):
        foresee_upgrade(url)


def test_a_newer_schema_is_refused_by_reader_writer_and_migrator(
    store: SqlStore, desk: SmallDesk, next_scripts: str, tmp_path: Path
) -> None:
    store.read.rows("ticket")
    upgrade_to(store.address.url, to="0002_test", scripts=next_scripts, backup_to=tmp_path)
    with pytest.raises(StoreError, match="newer supportdesk"):
        add_ticket(store, "an old console is read-only after an upgrade")
    assert len(store.read.rows("ticket")) == 5
    fresh = open_store(store.address.url)
    with pytest.raises(StoreError, match="newer supportdesk"):
        fresh.read.rows("ticket")
    with pytest.raises(StoreError, match="newer supportdesk"):
        create_or_upgrade(store.address.url)


def test_a_migration_that_would_orphan_rows_changes_nothing(
    store: SqlStore, desk: SmallDesk, next_scripts: str, tmp_path: Path
) -> None:
    script = Path(next_scripts) / "versions" / "0002_test.py"
    script.write_text(SECOND + '\n    op.execute("DELETE FROM ticket WHERE id = 1")\n')
    with pytest.raises(Exception, match=r"parents|foreign key"):
        upgrade_to(store.address.url, to="0002_test", scripts=next_scripts, backup_to=tmp_path)
    assert len(store.read.rows("ticket")) == 5
    add_ticket(store, "the old schema goes on")


# On Postgres the sequence stays with its column.
@pytest.mark.parametrize("database", ["sqlite", "sqlite-stdlib"], indirect=True)
def test_a_migration_that_forgets_to_keep_ids_unique_for_ever_is_refused(
    store: SqlStore, desk: SmallDesk, next_scripts: str, tmp_path: Path
) -> None:
    script = Path(next_scripts) / "versions" / "0002_test.py"
    script.write_text(SECOND.replace("True", "False"))
    with pytest.raises(StoreError, match="AUTOINCREMENT"):
        upgrade_to(store.address.url, to="0002_test", scripts=next_scripts, backup_to=tmp_path)
    add_ticket(store, "the old schema goes on")


def test_two_programs_that_make_the_desk_at_once_make_one(store_url: str) -> None:
    failures: list[BaseException] = []

    def make() -> None:
        try:
            create_or_upgrade(store_url)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=make) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    store = open_store(store_url)
    assert len(fill(store).tickets) == 5
    store.close()


def test_nothing_is_made_by_opening(store_url: str) -> None:
    store = open_store(store_url)
    with pytest.raises(StoreError, match="no desk"):
        store.read.rows("ticket")
    store.close()
    if store_url.startswith("sqlite"):
        assert not Path(store_url.removeprefix("sqlite:///")).exists()
