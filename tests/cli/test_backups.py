"""Backup and restore, from SQLite and from Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House
    from tests.support.postgres import PostgresServer


@pytest.mark.postgres
def test_a_desk_on_postgres_answers_the_same_verbs(
    supportdesk: Run, home: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.create_database()
    monkeypatch.setenv("SUPPORTDESK_DATABASE", url)
    monkeypatch.setenv("SUPPORTDESK_AGENT", "giulia")
    given = (
        "--shop",
        "B",
        "--name",
        "G",
        "--country",
        "IT",
        "--zone",
        "Europe/Rome",
        "--hours",
        "always",
        "--form",
        "tu",
    )
    assert supportdesk("init", "--no-mailbox", *given).code == 0
    assert supportdesk("ticket", "list", "--json").json() == []
    assert supportdesk("search", "ordine", "--json").json() == []
    facts = supportdesk("db", "facts", "--json").json()
    assert (facts["kind"], facts["problems"]) == ("postgres", [])
    file = str(home / "desk.backup")
    assert supportdesk("backup", file).code == 0
    monkeypatch.setenv("SUPPORTDESK_DATABASE", str(home / "copy.db"))
    assert supportdesk("restore", file).code == 0
    assert supportdesk("agent", "list", "--json").json()[0]["login"] == "giulia"
    postgres_server.drop_database(url)


def test_a_backup_restores_what_was_there(shop: House, supportdesk: Run, home: Path) -> None:
    ticket = shop.customer_writes("Prima del backup")
    file = str(home / "desk.backup")
    assert supportdesk("backup", file).code == 0
    later = shop.customer_writes("Dopo", sender="ugo@example.com")
    shop.store.close()
    assert supportdesk("restore", file).code == 2  # not without --yes
    assert supportdesk("restore", file, "--yes").code == 0
    assert supportdesk("ticket", "show", str(ticket)).code == 0
    assert supportdesk("ticket", "show", str(later)).code == 4
    assert supportdesk("restore", str(home / "nothing"), "--yes").code == 1
    assert supportdesk("db", "upgrade", "--json").json() == {"backup": None}
