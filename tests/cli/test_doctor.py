"""The doctor and the status: what is wrong, what can be mended, and the exit code for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.cli import doctor
from supportdesk.store import SqlStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_doctor_says_what_is_wrong_and_exits_6(shop: House, supportdesk: Run, home: Path) -> None:
    result = supportdesk("doctor", "--json")
    found = {one["name"]: one for one in result.json()}
    assert result.code == 6
    assert found["worker"]["verdict"] == "wrong"
    assert {found[name]["verdict"] for name in ("Python", "schema", "integrity")} == {"ok"}
    database = home / "desk.db"
    database.chmod(0o666)
    found = {one["id"]: one for one in supportdesk("doctor", "--json").json()}
    assert found["file.open"]["verdict"] == "wrong"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_doctor_mends_what_is_safe_and_finds_it_mended(shop: House, supportdesk: Run, home: Path) -> None:
    (home / "desk.db").chmod(0o666)
    assert isinstance(shop.store, SqlStore)
    with shop.store.connection() as connection:
        connection.execute("DROP INDEX ix_event_ticket")
        connection.execute("INSERT INTO blob_chunk (sha256, n, data) VALUES ('ab', 0, 'x')")
    before = {one["id"] for one in supportdesk("doctor", "--json").json()}
    mended = {one["id"] for one in supportdesk("doctor", "--fix", "--json").json() if one["fixed"]}
    assert mended == {"file.open", "index.missing", "chunks.orphaned"} <= before
    assert not mended & {one["id"] for one in supportdesk("doctor", "--fix", "--json").json()}


def test_status_exits_6_when_no_worker_works_and_says_since_when(shop: House, supportdesk: Run) -> None:
    result = supportdesk("status", "--check", "--json")
    assert result.code == 6
    told = result.json()
    assert told["troubles"][0]["id"] == "worker.absent"
    free = told["gauges"]["disk_free_bytes"]
    assert free is None if shop.url.startswith("postgresql") else free > 0
    assert "supportdesk worker install" in supportdesk("status").out


def test_a_mail_server_that_is_away_is_a_finding_of_the_doctor_and_told_by_status(
    shop: House, supportdesk: Run, home: Path
) -> None:
    from supportdesk.desk.fetch import note_health

    logins = home / "config" / "supportdesk" / "credentials.toml"
    logins.parent.mkdir(parents=True)
    logins.write_text('["aiuto@bottega.example"]\npassword = "x"\n')
    logins.chmod(0o600)
    error = "IMAP imap.bottega.example:993: could not connect: Connection refused"
    note_health(shop.store, shop.mailbox_id, error)
    found = {one["name"]: one for one in supportdesk("doctor", "--json").json()}
    assert found["aiuto@bottega.example"]["verdict"] == "wrong"
    assert error in found["aiuto@bottega.example"]["text"] and "since 20" in found["aiuto@bottega.example"]["text"]
    told = supportdesk("status")
    assert f"{error} (since 20" in told.out


def test_the_doctor_finds_an_open_file_of_logins_and_a_missing_desk(supportdesk: Run, home: Path) -> None:
    assert supportdesk("doctor").code == 6
    file = home / "config" / "supportdesk" / "credentials.toml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    file.chmod(0o644)
    result = supportdesk("doctor")
    assert result.code == 6 and "chmod 600" in result.out
    assert doctor.LEAST_FREE > 0
