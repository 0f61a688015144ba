"""The recipe of docs/postgres.md, run as it is written: its roles do their work, and `doctor` finds nothing to mend.

On a server of its own, because roles and settings are the server's. What `doctor` checks of a server is seen here too.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from supportdesk.desk.desk import Desk
from supportdesk.store import checks, create_or_upgrade, open_store
from supportdesk.store.checks import find_faults
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish
from tests.support.postgres import SUPERUSER, missing_for_postgres, running_postgres
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

RECIPE = Path(__file__).parents[2] / "docs" / "postgres.md"
CONNECTIONS = 40
"""Enough for the three agents of the shop, and soon used up."""


def blocks() -> list[list[str]]:
    """The statements of each block of SQL in the recipe."""
    found = re.findall(r"^```sql\n(.*?)^```", RECIPE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [[one.strip() for one in re.sub(r"--.*", "", block).split(";") if one.strip()] for block in found]


class Shop:
    """A server on which the recipe was followed, and the shop of the tests on it."""

    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, role: str, database: str = "supportdesk") -> str:
        return f"postgresql://{role}@127.0.0.1:{self._port}/{database}"

    def run(self, role: str, *statements: str, database: str = "supportdesk") -> None:
        with self.session(role, database) as session:
            for statement in statements:
                session.execute(statement.encode())

    @contextmanager
    def session(self, role: str, database: str = "supportdesk") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url(role, database), autocommit=True, connect_timeout=10) as session:
            yield session

    def faults(self, role: str = "supportdesk", database: str = "supportdesk") -> dict[str, int]:
        """What `doctor` finds wrong with the server."""
        found = find_faults(self.url(role, database))
        return {one.id: one.count for one in found if one.id.startswith("server.")}


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    if reason := missing_for_postgres():
        pytest.skip(reason)
    roles, rights, settings = blocks()
    with running_postgres(connections=CONNECTIONS) as server:
        made = Shop(server.port)
        made.run(SUPERUSER, "CREATE ROLE postgres SUPERUSER LOGIN", database="postgres")
        made.run("postgres", f"ALTER ROLE {SUPERUSER} RENAME TO founder", *roles, *settings, database="postgres")
        server.restart_immediately()
        create_or_upgrade(made.url("supportdesk"))
        furnish(made.url("supportdesk"), FakeClock()).store.close()
        made.run("supportdesk", *rights)
        yield made


@pytest.fixture
def annas(shop: Shop, clock: FakeClock) -> Iterator[House]:
    """The desk as it is to Anna, who logs in with the role of an agent."""
    desk = Desk(open_store(shop.url("anna"), clock), clock)
    giulia, luca, anna = (desk.agent_by_login(login).actor() for login in ("giulia", "luca", "anna"))
    yield House(desk, clock, shop.url("anna"), giulia, luca, anna, desk.mailboxes()[0].id)
    desk.store.close()


def test_an_agent_of_the_recipe_replies_and_reads_what_happened(annas: House) -> None:
    ticket = annas.customer_writes()
    reply = annas.reply(ticket, annas.anna)
    assert annas.desk.outbox_row(reply.id).state == "held"
    assert annas.desk.search("ordine") == [ticket]
    annas.desk.add_note(annas.anna, ticket, "@luca guarda")
    assert annas.desk.read.events(ticket_id=ticket)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE event SET kind = 'x'", "DELETE FROM event", "TRUNCATE event", "DROP TABLE event",
     "ALTER TABLE event DISABLE TRIGGER ALL", "UPDATE alembic_version SET version_num = 'x'"],
)  # fmt: skip
def test_an_agent_of_the_recipe_cannot_change_what_happened(shop: Shop, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        shop.run("anna", statement)


def test_the_doctor_finds_nothing_wrong_with_the_server_of_the_recipe(shop: Shop) -> None:
    assert shop.faults() == {}


def test_a_transaction_that_an_agent_forgot_is_seen_by_who_may_and_else_that_it_is_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "OLD", timedelta(minutes=-10))  # so that all of them are old
    with shop.session("anna") as session, session.transaction():
        session.execute("SELECT 1")
        assert shop.faults() == {"server.idle_in_transaction": 1}
        shop.run("postgres", "REVOKE pg_read_all_stats FROM supportdesk")
        assert shop.faults() == {"server.activity_unseen": 1}
        shop.run("postgres", "GRANT pg_read_all_stats TO supportdesk")


def test_too_few_connections_for_the_agents_are_told_and_so_is_when_they_are_used_up(
    shop: Shop, clock: FakeClock
) -> None:
    with ExitStack() as all_of_them:
        for _number in range(CONNECTIONS * 9 // 10):
            all_of_them.enter_context(shop.session("postgres"))
        assert shop.faults() == {"server.connections_full": 1}
    desk = Desk(open_store(shop.url("supportdesk"), clock), clock)
    giulia = desk.agent_by_login("giulia").actor()
    new = [desk.add_agent(giulia, login, name=login) for login in ("dora", "emil")]
    assert shop.faults() == {"server.few_connections": 40}
    for agent in new:
        desk.set_agent(giulia, agent.id, state="disabled")
    desk.store.close()
    assert shop.faults() == {}


@pytest.mark.parametrize(
    ("setting", "value", "fault"),
    [
        ("fsync", "off", "server.fsync_off"),
        ("full_page_writes", "off", "server.fsync_off"),
        ("idle_in_transaction_session_timeout", "0", "server.no_idle_timeout"),
    ],
)
def test_a_setting_that_loses_mail_or_keeps_transactions_is_told(
    shop: Shop, setting: str, value: str, fault: str
) -> None:
    with shop.session("postgres") as session:
        [(before,)] = session.execute(f"SHOW {setting}".encode()).fetchall()
        _set(session, setting, value)
        wait_until(lambda: shop.faults() == {fault: 1}, seconds=30, what=fault)
        _set(session, setting, before)
        wait_until(lambda: not shop.faults(), seconds=30, what=before)


def _set(session: psycopg.Connection, setting: str, value: str) -> None:
    session.execute(f"ALTER SYSTEM SET {setting} = '{value}'".encode())
    session.execute("SELECT pg_reload_conf()")


def test_a_database_that_is_not_in_utf8_and_a_superuser_are_told(shop: Shop) -> None:
    shop.run(
        "postgres", "CREATE DATABASE latin OWNER supportdesk ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
        database="postgres",
    )  # fmt: skip
    create_or_upgrade(shop.url("supportdesk", "latin"))
    assert shop.faults(database="latin") == {"server.not_utf8": 1}
    assert shop.faults("postgres") == {"server.superuser": 1}
