"""What a store remembers of the shared rows is true: whoever writes one of them, and however."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import supportdesk
from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, Plan
from supportdesk.store import open_store
from supportdesk.store.columns import table
from supportdesk.store.statements import insert_row
from supportdesk.store.write.remembered import (
    GROWING_TABLES,
    REMEMBERED_TABLES,
    SHARED_TABLES,
    read_shared_rows,
    wording_statement,
)
from tests.store.desk import action, apply

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from supportdesk.store.write.transaction import WriteTransaction
    from tests.support.clock import FakeClock

NEW: dict[str, dict[str, Any]] = {
    "setting": {"key": "shop_name", "value": "Bottega"},
    "mailbox": {"address": "second@shop.test", "name": "Second"},
    "calendar": {"name": "Summer", "body": {}},
    "market": {"code": "DE", "locale": "de-DE", "zone": "Europe/Berlin"},
    "signing_key": {"secret": b"k" * 32},
    "agent": {"login": "carla", "name": "Carla"},
    "sla_snapshot": {"digest": "0" * 64, "body": {}},
}


class Undone(Exception):
    """What ends a transaction or a savepoint without a trace."""


def new_row(store: SqlStore, name: str) -> dict[str, Any]:
    made = {"created_at": store.clock.now()} if "created_at" in table(name).kinds else {}
    return NEW[name] | made


def logins(tx: WriteTransaction, asked: list[int]) -> list[str]:
    """Through `remember`; `asked` grows when the rows were read for it."""

    def find() -> list[str]:
        asked.append(1)
        return sorted(row["login"] for row in tx.rows("agent"))

    return tx.remember("logins", find)


def test_what_nobody_changed_is_not_asked_for_again(store: SqlStore) -> None:
    asked: list[int] = []
    for _ in range(3):
        with store.transaction() as tx:
            assert logins(tx, asked) == []
    assert len(asked) == 1


@pytest.mark.parametrize("name", sorted(REMEMBERED_TABLES))
def test_a_new_row_of_another_program_is_another_wording(
    store: SqlStore, desk_url: str, clock: FakeClock, name: str
) -> None:
    with store.connection() as connection:
        before = read_shared_rows(connection)
        assert read_shared_rows(connection) == before
        other = open_store(desk_url, clock)
        try:
            with other.transaction() as tx:
                insert_row(tx.connection, name, new_row(store, name))
        finally:
            other.close()
        assert read_shared_rows(connection) != before


@pytest.mark.parametrize("name", sorted(SHARED_TABLES))
def test_a_row_that_another_program_changes_is_another_wording(store: SqlStore, name: str) -> None:
    columns = {"setting": "value", "calendar": "body", "market": "currency", "signing_key": "retired_at"}
    column = columns.get(name, "name")
    value = {"body": '{"zone": "UTC"}', "retired_at": store.clock.now(), "currency": "EUR"}.get(column, '"other"')
    with store.transaction() as tx:
        insert_row(tx.connection, name, new_row(store, name))
    with store.connection() as connection:
        before = read_shared_rows(connection)
        assert connection.change(f'UPDATE "{name}" SET "{column}" = ?', (value,))
        assert read_shared_rows(connection) != before


def test_every_column_is_part_of_the_wording_on_sqlite() -> None:
    """On Postgres a row is read whole by its nature."""
    for name in SHARED_TABLES:
        missing = [column for column in table(name).kinds if f'quote("{column}")' not in wording_statement(False)]
        assert not missing, name


def test_what_only_grows_is_never_changed_or_taken_away() -> None:
    texts = [path.read_text("utf-8") for path in Path(supportdesk.__file__).parent.rglob("*.py")]
    for name in GROWING_TABLES:
        assert any(f'Insert("{name}"' in text for text in texts)
        assert not [text for text in texts if f'Update("{name}"' in text or f'Delete("{name}"' in text]


def test_a_row_that_another_program_wrote_counts_in_the_next_transaction(
    store: SqlStore, desk_url: str, clock: FakeClock
) -> None:
    asked: list[int] = []
    other = open_store(desk_url, clock)
    try:
        for login in ("dora", "emil"):
            apply(other, Plan(silent=(Insert("agent", {"login": login, "name": login, "created_at": clock.now()}),)))
            with store.transaction() as tx:
                assert login in logins(tx, asked)
    finally:
        other.close()
    assert len(asked) == 2


def test_a_row_written_in_the_transaction_counts_in_it_and_not_after_its_rollback(store: SqlStore) -> None:
    asked: list[int] = []
    with suppress(Undone), store.transaction() as tx:
        assert logins(tx, asked) == []
        tx.apply(Plan(silent=(Insert("agent", new_row(store, "agent")),)), MAIL, action())
        assert logins(tx, asked) == ["carla"]
        raise Undone
    with store.transaction() as tx:
        assert logins(tx, asked) == []
        with suppress(Undone), tx.savepoint():
            tx.apply(Plan(silent=(Insert("agent", new_row(store, "agent")),)), MAIL, action())
            assert logins(tx, asked) == ["carla"]
            raise Undone
        assert logins(tx, asked) == []
