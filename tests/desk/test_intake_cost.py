"""What one mail costs the database: statements counted, never time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.clocks import recompute
from supportdesk.desk.ports import Plan
from supportdesk.store import SqlStore
from supportdesk.store.connect import Connection
from tests.support.desk import SHOP
from tests.support.post import mail

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket
    from tests.support.post import Post

BATCH = 12  # less than one transaction takes in


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is run from now on."""
    run: list[str] = []

    def counting(name: str) -> Any:
        real = getattr(Connection, name)

        def count(self: Connection, sql: str, *params: Any) -> Any:
            run.append(sql)
            return real(self, sql, *params)

        return count

    for name in ("execute", "change", "change_many"):
        monkeypatch.setattr(Connection, name, counting(name))
    for name in ("change_each", "run_in_a_row"):
        monkeypatch.setattr(Connection, name, together(name, run))
    return run


def together(name: str, run: list[str]) -> Any:
    """The method, which notes the statements that it sends to Postgres at once; to SQLite they go one by one."""
    real = getattr(Connection, name)

    def count(self: Connection, *given: Any) -> Any:
        listed = [sql for sql, _params in given[0]] if name == "change_each" else list(given)
        if self.is_postgres and (name == "run_in_a_row" or len(listed) > 1):
            run.extend(listed)
        return real(self, *given)

    return count


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time that the database is waited for, from now on."""
    made: list[str] = []

    def counting(name: str) -> Any:
        real = getattr(Connection, name)

        def count(self: Connection, *given: Any) -> Any:
            made.append(name)
            before = len(made)
            answer = real(self, *given)
            del made[before:]  # a single statement of several goes its own way
            return answer

        return count

    for name in ("execute", "change", "change_many", "change_each", "run_in_a_row"):
        monkeypatch.setattr(Connection, name, counting(name))
    return made


@contextmanager
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However slow the machine is: one transaction for all the mails that wait."""
    with monkeypatch.context() as patch:
        patch.setattr("supportdesk.desk.intake.TRANSACTION_SECONDS", 600.0)
        yield


def test_a_mail_of_somebody_new_takes_about_twenty_statements(
    post: Post, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    post.writes()  # the desk's own first things: keys, instance, snapshot
    mails = [mail(f"Ordine {n}", sender=f"Nuovo {n} <n{n}@example.org>", message_id=f"<n{n}@x>") for n in range(BATCH)]
    post.arrives(*mails, read=False)
    statements.clear()
    with no_hurry(monkeypatch):
        assert post.read() == BATCH
    assert sum(sql in ("BEGIN", "BEGIN IMMEDIATE") for sql in statements) == 1
    assert len(statements) <= 23 * BATCH + 30, "\n".join(statements)
    assert sum(sql.startswith('SELECT "id", "subject"') for sql in statements) == 0, "a new ticket is not read back"
    assert sum('FROM "setting"' in sql for sql in statements) <= 4, "settings are asked once a transaction"
    assert sum("message_search" in sql for sql in statements) <= 1, "all texts of a transaction are indexed as one"


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_mail_of_somebody_new_waits_for_postgres_nine_times(
    post: Post, round_trips: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for sender in ("Uno <uno@example.net>", "Due <due@example.net>"):
        post.writes(sender=sender)
    mails = [mail(f"Ordine {n}", sender=f"Nuovo {n} <n{n}@example.org>", message_id=f"<n{n}@x>") for n in range(BATCH)]
    post.arrives(*mails, read=False)
    round_trips.clear()
    with no_hurry(monkeypatch):
        assert post.read() == BATCH
    assert len(round_trips) <= 8 * BATCH + 20, len(round_trips) / BATCH


def test_a_batch_ends_as_soon_as_an_agent_waits_to_write(
    post: Post, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    post.arrives(*(mail(f"Ordine {n}", message_id=f"<w{n}@x>") for n in range(4)), read=False)
    statements.clear()
    with no_hurry(monkeypatch):
        monkeypatch.setattr(SqlStore, "_is_awaited", lambda _store: True)
        assert post.read() == 4
    assert sum(sql in ("BEGIN", "BEGIN IMMEDIATE") for sql in statements) == 4


def test_an_answer_in_a_long_conversation_costs_no_more_than_in_a_short_one(
    post: Post, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(number: int) -> int:
        names = f"<m{number - 1}@x>"
        post.arrives(mail(f"Ancora {number}", message_id=f"<m{number}@x>", answers=names), read=False)
        statements.clear()
        with no_hurry(monkeypatch):
            assert post.read() == 1
        return len(statements)

    post.writes(sender="Otto <otto@example.net>", message_id="<w@x>")  # the desk's own first things
    post.writes("E poi?", sender="Otto <otto@example.net>", answers="<w@x>")
    post.writes("Dove è il mio ordine 5521?", message_id="<m0@x>")
    counted = [answer(number) for number in range(1, 9)]
    assert max(counted) <= counted[1] + 1, counted
    assert max(counted) <= 60, "\n".join(statements)


def test_no_conversation_is_read_with_its_bodies(post: Post, statements: list[str]) -> None:
    post.writes(message_id="<first@x>")
    statements.clear()
    post.writes("Non è ancora arrivato.", answers="<first@x>")
    read = [sql for sql in statements if 'FROM "message" WHERE "ticket_id"' in sql]
    assert read and not [sql for sql in read if '"body"' in sql]


@pytest.mark.parametrize("policy", [{}, {"resolution": {"days": 2}}])
def test_a_new_tickets_clocks_are_those_of_its_conversation(post: Post, policy: dict[str, Any]) -> None:
    post.house.desk.update_settings(post.house.giulia, policy=policy)
    made: dict[str, Ticket] = {
        "a customer": post.writes(),
        "history": post.writes("Un anno fa", sender="Otto <otto@example.net>", subject="Reso", historic=True),
        "ours": post.ticket_of(
            post.arrives(
                mail("Le scriviamo", sender=SHOP, to="ida@example.net", subject="Da noi"),
                folder="Sent",
            )
        ),
    }
    post.parser.unreadable.add(b"illeggibile")
    made["a stub"] = post.ticket_of(post.arrives(mail("illeggibile", sender="Ugo <ugo@example.net>")))
    with post.house.store.transaction() as tx:
        for what, ticket in made.items():
            assert recompute(tx, ticket.id) == Plan(), what
    assert made["a customer"].waiting_since is not None
    assert made["a stub"].waiting_since is not None
    assert made["history"].waiting_since is None
    assert made["ours"].first_response_at is not None
