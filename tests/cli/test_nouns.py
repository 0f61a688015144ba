"""Agents, mailboxes, canned responses, hours, parked mail, the worker's unit, the doctor, backup and restore."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING

import pytest

from supportdesk.cli import doctor, worker
from supportdesk.desk.calendar import Calendar
from supportdesk.desk.week import read_week, write_week
from supportdesk.errors import UsageError
from supportdesk.store import SqlStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House
    from tests.support.postgres import PostgresServer

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZvb2Jhcg giulia@laptop"


# ---- agents


def test_an_agent_with_a_key_gets_the_line_of_a_forced_command(shop: House, supportdesk: Run) -> None:
    done = supportdesk("agent", "add", "rosa.verdi", "--name", "Rosa", "--ssh-key", ED25519, "--languages", "it,de")
    assert done.code == 0, done.err
    line = done.out.strip()
    assert line.startswith('command="') and "--restricted --as rosa.verdi" in line
    assert line.endswith(f'",restrict,pty {ED25519}') and line.count("\n") == 0
    assert f"--database {shop.url}" in line  # sshd knows nothing of this environment
    assert f"XDG_CONFIG_HOME={os.environ['XDG_CONFIG_HOME']}" in line
    assert shop.desk.agent_by_login("rosa.verdi").languages == ("it", "de")


@pytest.mark.parametrize(
    "key",
    ['ssh-ed25519 AAAA" command="bash', "ssh-ed25519 AAAA\ncommand=x ssh-rsa BBBB", "no-touch ssh-rsa AAAA", "rubbish"],
)
def test_what_is_no_key_never_gets_into_authorized_keys(shop: House, supportdesk: Run, key: str) -> None:
    assert supportdesk("agent", "add", "mallory", "--ssh-key", key).code == 2
    assert "mallory" not in {agent.login for agent in shop.desk.agents()}


@pytest.mark.parametrize("login", ['x" ssh', "-rf", "a b", "x\ny"])
def test_a_login_that_could_change_the_line_is_refused(shop: House, supportdesk: Run, login: str) -> None:
    assert supportdesk("agent", "add", "--ssh-key", ED25519, "--", login).code == 2


def test_agents_go_away_and_come_back_by_themselves_and_admins_disable(shop: House, supportdesk: Run) -> None:
    assert supportdesk("agent", "away", "--until", "3d", "--as", "luca").code == 0
    luca = shop.desk.agent_by_login("luca")
    assert luca.state == "away" and luca.away_until is not None
    assert supportdesk("agent", "back", "luca").code == 0
    assert supportdesk("agent", "disable", "luca").code == 0
    assert supportdesk("ticket", "list", "--agent", "luca").code == 1
    assert supportdesk("agent", "set", "luca", "--enable", "--role", "lead").code == 0
    assert shop.desk.agent_by_login("luca").role == "lead"
    assert supportdesk("agent", "disable", "giulia").code == 5  # the only admin


# ---- mailboxes


def test_a_mailbox_is_changed_and_its_login_goes_into_a_file_of_its_own(
    shop: House, supportdesk: Run, home: Path
) -> None:
    done = supportdesk(
        "mailbox", "set", "aiuto@bottega.example", "--imap", "imap.bottega.example", "--smtp",
        "mail.bottega.example:587",
        "--order-pattern", r"\bBV-\d{5}\b", "--signature", "it=Bottega Verde", "--setting", "quote_last=false",
        "--alias", "info@bottega.example", "--formal", "--password-file", "-", stdin="hunter2\n",
    )  # fmt: skip
    assert done.code == 0, done.err
    box = shop.desk.mailbox(shop.mailbox_id)
    assert box.imap is not None and (box.imap.host, box.imap.port, box.imap.tls) == (
        "imap.bottega.example",
        993,
        "implicit",
    )
    assert box.smtp is not None and (box.smtp.port, box.smtp.tls) == (587, "starttls")
    assert (box.order_pattern, box.signatures["it"], box.settings["quote_last"]) == (
        r"\bBV-\d{5}\b",
        "Bottega Verde",
        False,
    )
    assert box.register == "formal" and box.aliases == ("info@bottega.example",)
    file = home / "config" / "supportdesk" / "credentials.toml"
    assert tomllib.loads(file.read_text())["aiuto@bottega.example"] == {"password": "hunter2"}
    assert file.stat().st_mode & 0o077 == 0
    assert "hunter2" not in done.out + done.err


def test_a_mailbox_is_paused_and_resumed(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "pause").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).state == "paused"
    assert supportdesk("mailbox", "resume", "--json").json()["state"] == "active"


@pytest.mark.parametrize(
    "arguments",
    [
        ("mailbox", "set", "aiuto@bottega.example"),
        ("mailbox", "set", "aiuto@bottega.example", "--imap", "imap host"),
        ("mailbox", "set", "aiuto@bottega.example", "--order-pattern", "("),
        ("mailbox", "add", "new@bottega.example", "--start", "30d", "--password-file", "-"),
        ("mailbox", "add", "no-address", "--password-file", "-"),
        ("mailbox", "add", "new@bottega.example"),
    ],
)
def test_a_wrong_mailbox_is_refused_before_anything_is_saved(
    shop: House, supportdesk: Run, arguments: tuple[str, ...]
) -> None:
    assert supportdesk(*arguments, stdin="secret\n").code == 2
    assert len(shop.desk.mailboxes()) == 1


def test_a_second_mailbox_with_the_same_address_is_a_conflict(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "add", "AIUTO@bottega.example", "--password-file", "-", stdin="x\n").code == 5


# ---- init


def test_init_without_answers_names_what_is_missing(supportdesk: Run) -> None:
    result = supportdesk("init")
    assert result.code == 2 and "--address" in result.err


def test_init_makes_a_desk_with_hours_an_admin_and_responses_once(supportdesk: Run, home: Path) -> None:
    arguments = (
        "init", "--no-mailbox", "--shop", "Bottega", "--name", "Giulia Verdi", "--country", "it", "--zone",
        "Europe/Rome",
        "--hours", "lun-ven 9-13 15-19", "--form", "Lei", "--agent", "giulia",
    )  # fmt: skip
    assert supportdesk(*arguments).code == 0
    assert supportdesk(*arguments).code == 0
    [agent] = supportdesk("agent", "list", "--agent", "giulia", "--json").json()
    assert (agent["login"], agent["role"], agent["name"]) == ("giulia", "admin", "Giulia Verdi")
    listed = supportdesk("canned", "list", "--agent", "giulia", "--json").json()
    assert [one["kind"] for one in listed].count("response") == 20
    database = home / "data" / "supportdesk" / "desk.db"
    assert database.exists() and database.stat().st_mode & 0o007 == 0


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


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--country", "Italia"),
        ("--zone", "Europe/Roma"),
        ("--hours", "whenever"),
        ("--form", "thou"),
        ("--enter", "maybe"),
    ],
)
def test_init_refuses_a_wrong_answer_before_it_makes_anything(
    supportdesk: Run, home: Path, option: str, value: str
) -> None:
    given = {
        "--shop": "B",
        "--name": "G",
        "--country": "IT",
        "--zone": "Europe/Rome",
        "--hours": "always",
        "--form": "tu",
    }
    arguments = [word for pair in (given | {option: value}).items() for word in pair]
    assert supportdesk("init", "--no-mailbox", *arguments).code == 2
    assert not (home / "data").exists()


# ---- canned responses


def test_canned_responses_go_out_as_files_and_come_back_unchanged(shop: House, supportdesk: Run, home: Path) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    folder = str(home / "canned")
    assert supportdesk("canned", "export", folder).code == 0
    assert supportdesk("canned", "import", folder, "--dry-run", "--json").json()["changes"] == []
    text = home / "canned" / "thanks" / "it.md"
    text.write_text(text.read_text("utf-8") + "\nA presto!\n", "utf-8")
    planned = supportdesk("canned", "import", folder, "--dry-run").out
    assert planned.startswith("changed thanks\n--- a/thanks/it.md\n") and "\n+A presto!\n" in planned
    assert "A presto!" not in supportdesk("canned", "show", "thanks").out
    assert supportdesk("canned", "import", folder).code == 0
    assert "A presto!" in supportdesk("canned", "show", "thanks", "--variant", "it").out
    assert supportdesk("canned", "lint").code == 1  # the translations are older than their source now
    assert supportdesk("canned", "show", "nothing").code == 4


def test_a_canned_response_is_rendered_for_the_customer_of_a_ticket(shop: House, supportdesk: Run) -> None:
    from supportdesk.desk.canned_folder import starter_set

    shop.desk.import_canned(shop.giulia, starter_set())
    ticket = shop.customer_writes(language="de", name="Hans Meier", sender="hans@example.com")
    rendered = supportdesk("canned", "render", "thanks", "--ticket", str(ticket))
    assert rendered.code == 0, rendered.err
    assert "Hans" in rendered.out and "{{" not in rendered.out


# ---- hours


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00", "mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00"),
        ("lun-ven 9-13, 15-19", "mon-fri 9:00-13:00 15:00-19:00"),
        ("Mo-Fr 8.30-17; Sa 10-14", "mon-fri 8:30-17:00; sat 10:00-14:00"),
        ("sab-lun 10:00-12:00", "mon 10:00-12:00; sat-sun 10:00-12:00"),
        ("mercredi 9h-12h30", "wed 9:00-12:30"),
        ("24/7", "always"),
    ],
)
def test_opening_hours_are_read_as_people_write_them(typed: str, written: str) -> None:
    week = read_week(typed)
    assert write_week(week) == written
    assert read_week(written) == week
    assert read_week(write_week(week, "it")) == week
    assert Calendar("Europe/Rome", week).week == week


@pytest.mark.parametrize("typed", ["", "mon", "9-13", "mon 13-9", "mon 9-25", "noday 9-13", "mon 9:70-12"])
def test_what_are_no_opening_hours_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(UsageError):
        read_week(typed)


def test_hours_are_set_shown_and_explained_day_by_day(shop: House, supportdesk: Run) -> None:
    assert supportdesk("hours", "show").code == 4
    assert supportdesk("hours", "set", "mon-fri 9-13 15-19", "--zone", "Europe/Rome", "--holidays", "IT").code == 0
    closed = supportdesk("hours", "close", "2026-08-10..2026-08-21", "--notice", "it=Chiusi per ferie")
    assert closed.code == 0, closed.err
    opened = supportdesk("hours", "open", "2026-08-15", "10-12", "--notice", "it=Siamo aperti")
    assert opened.code == 0, opened.err
    shown = supportdesk("hours", "show", "--language", "it").out
    assert "lun-ven 9:00-13:00 15:00-19:00" in shown and "Chiusi per ferie" in shown
    days = {day["day"]: day for day in supportdesk("hours", "show", "--month", "2026-08", "--json").json()["days"]}
    assert len(days) == 31
    assert (days["2026-08-15"]["kind"], days["2026-08-15"]["intervals"]) == ("opening", ["10:00-12:00"])
    assert [days[f"2026-08-{day}"]["kind"] for day in ("08", "10", "24")] == ["closed", "closure", "open"]
    assert supportdesk("hours", "remove", "2026-08-15").code == 0
    explained = supportdesk("hours", "explain", "2026-08-07T18:00", "--hours", "2h", "--json").json()
    # An hour on Friday evening, two weeks of holidays, an hour on the Monday after.
    assert explained["due"] == "2026-08-24T08:00:00Z"
    assert explained["promise_24h"] == "2026-08-24T16:00:00Z"


def test_a_change_of_hours_is_taken_back_by_undo(shop: House, supportdesk: Run) -> None:
    assert supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT").code == 0
    done = supportdesk("hours", "set", "sat 9-13", "--json").json()
    assert done["undoable"]
    assert supportdesk("undo", done["action_id"]).code == 0
    assert supportdesk("hours", "show", "--json").json()["week"]["mon"] == ["09:00-13:00"]


def test_what_is_wrong_with_the_hours_is_named_and_exits_1(shop: House, supportdesk: Run) -> None:
    found = supportdesk("hours", "check", "--json")
    assert (found.code, [one["code"] for one in found.json()]) == (1, ["no_hours"])
    assert supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT").code == 0
    assert supportdesk("hours", "check").code == 0
    unsaid = supportdesk("hours", "close", "2030-08-10")
    assert unsaid.code == 0 and "it" in unsaid.err
    assert [one["code"] for one in supportdesk("hours", "check", "--json").json()] == ["no_notice"]


@pytest.mark.parametrize(
    "typed",
    [
        ("set",),
        ("set", "mon-fri 9-13", "--holidays", "ZZ"),
        ("set", "mon-fri 9-13", "--zone", "Europe/Roma"),
        ("close", "tomorrow-ish"),
        ("close", "2026-08-21..2026-08-10"),
        ("close", "2026-08-10", "--notice", "klingon=nope"),
        ("open", "2026-08-10", "13-9"),
        ("explain", "soon"),
        ("show", "--month", "2026-13"),
    ],
)
def test_hours_that_cannot_be_are_refused_and_nothing_is_written(
    shop: House, supportdesk: Run, typed: tuple[str, ...]
) -> None:
    keep = supportdesk("hours", "set", "mon-fri 9-13", "--holidays", "IT")
    assert keep.code == 0, keep.err
    before = shop.desk.hours().calendar
    refused = supportdesk("hours", *typed)
    assert refused.code == 2 and refused.err
    assert shop.desk.hours().calendar == before


# ---- the worker's unit


def test_the_unit_starts_the_worker_on_this_desk(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "has_systemd", lambda: True)
    told = supportdesk("worker", "install", "--dry-run", "--json").json()
    [start] = [line for line in told["text"].splitlines() if line.startswith("ExecStart=")]
    assert start.endswith(f"--database {shop.url} worker")
    assert ["loginctl", "enable-linger"] in [command[:2] for command in told["commands"]]
    assert not os.path.exists(told["unit"])  # noqa: PTH110


def test_without_systemd_cron_looks_after_the_worker(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "has_systemd", lambda: False)
    line = supportdesk("worker", "install", "--dry-run", "--json").json()["cron"]
    minute, rest = line.split(" ", 1)
    assert (minute, "flock -n" in rest, shop.url in rest) == ("*", True, True)
    assert f"/usr/bin/env XDG_CONFIG_HOME={os.environ['XDG_CONFIG_HOME']} " in rest
    command = rest.split("flock -n ")[1].removesuffix(worker.LINE)
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0


def test_a_percent_sign_and_a_blank_survive_systemds_quoting() -> None:
    assert worker._systemd_quoted("/srv/my desk/100%.db") == '"/srv/my desk/100%%.db"'
    assert worker._systemd_quoted("/srv/desk.db") == "/srv/desk.db"


def test_the_worker_command_hands_over_to_the_worker(shop: House) -> None:
    from supportdesk.cli.app import Programs, run

    started: list[tuple[str, int]] = []

    def work(config, companion):
        started.append((config.database, companion))
        return 0

    programs = Programs(console=lambda config, restricted: 1, worker=work)
    assert run(["worker", "--companion", "4711"], programs) == 0
    assert run(["--database", shop.url, "worker"], programs) == 0
    assert started == [(shop.url, 4711), (shop.url, 0)]


# ---- doctor, backup, restore


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
    assert told["gauges"]["disk_free_bytes"] > 0
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


def test_looking_at_parked_mail_marks_what_it_shows(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mail", "parked", "look").out == "0 looked at\n"
    assert supportdesk("mail", "parked", "look", "7").code == 4


def test_the_doctor_finds_an_open_file_of_logins_and_a_missing_desk(supportdesk: Run, home: Path) -> None:
    assert supportdesk("doctor").code == 6
    file = home / "config" / "supportdesk" / "credentials.toml"
    file.parent.mkdir(parents=True)
    file.write_text("")
    file.chmod(0o644)
    result = supportdesk("doctor")
    assert result.code == 6 and "chmod 600" in result.out
    assert doctor.LEAST_FREE > 0


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


def test_parked_mail_is_listed_with_and_without_the_verb(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mail", "parked", "--json").json() == []
    assert supportdesk("mail", "parked", "list", "--json").json() == []
    assert supportdesk("mail", "parked", "release", "4711").code == 4


def test_a_sender_is_decided_on_by_hand(shop: House, supportdesk: Run) -> None:
    shop.customer_writes()
    assert supportdesk("mail", "sender", "rosa@example.com", "block").code == 0
    assert shop.desk.read.rows("customer_identity", {"value_norm": "rosa@example.com"})[0]["verdict"] == "block"
    assert supportdesk("mail", "sender", "rosa@example.com", "rules").code == 0
    assert supportdesk("mail", "sender", "rosa@example.com", "hate").code == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("foo=bar", "quote_last"),
        ("qoute_last=true", "did you mean quote_last?"),
        ("quote_last=maybe", "true, false"),
        ("sent_copy=7", "auto, none"),
        ("processed=move:", "keyword"),
        ("folders=INBOX", "INBOX"),
    ],
)
def test_a_manner_that_is_none_is_refused(shop: House, supportdesk: Run, setting: str, said: str) -> None:
    before = shop.desk.mailbox(shop.mailbox_id).settings
    result = supportdesk("mailbox", "set", "1", "--setting", setting)
    assert result.code == 2 and said in result.err, result
    assert shop.desk.mailbox(shop.mailbox_id).settings == before


def test_manners_are_set(shop: House, supportdesk: Run) -> None:
    given = ["quote_last=false", 'folders=["INBOX", "Ordini"]', "processed=move:Fatto"]
    assert supportdesk("mailbox", "set", "1", *(word for one in given for word in ("--setting", one))).code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert settings["quote_last"] is False
    assert (settings["folders"], settings["processed"]) == (["INBOX", "Ordini"], "move:Fatto")


def test_an_order_pattern_that_could_run_for_ever_is_refused(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "set", "1", "--order-pattern", "(a+)+").code == 2
    assert supportdesk("mailbox", "set", "1", "--order-pattern", "IT-[0-9]{6}").code == 0
    assert shop.desk.mailbox(shop.mailbox_id).order_pattern == "IT-[0-9]{6}"


def test_init_with_defaults_names_everything_that_is_missing_at_once(supportdesk: Run, home: Path) -> None:
    result = supportdesk("init", "--defaults")
    assert result.code == 2
    for option in ("--address", "--shop", "--country", "--password-command"):
        assert option in result.err
    assert not (home / "data").exists()


def test_a_wrong_answer_is_asked_again_at_once_with_an_example(
    supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportdesk.cli.init.is_interactive", lambda: True)
    answers = "Bottega\nGiulia\nZZ\nAQX\nIT\nMars/Olympus\nEurope/Rome\n\nboh\nLei\n"
    result = supportdesk("init", "--no-mailbox", "--agent", "giulia", stdin=answers)
    assert result.code == 0, result.err
    assert result.err.count("two letters, such as IT") == 2
    assert "Mars/Olympus" in result.err
    assert supportdesk("agent", "list", "--agent", "giulia", "--json").json()[0]["name"] == "Giulia"


def test_answers_survive_a_server_that_is_away_and_a_password_that_is_wrong(
    shop: House, supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supportdesk import bootstrap
    from supportdesk.errors import ConnectionFailed, LoginRefused

    class Connected:
        def close(self) -> None:
            pass

    tried = []

    def connect(server, password):
        tried.append((server.host, password))
        if server.host == "wrong.example":
            raise ConnectionFailed("wrong.example: Connection refused")
        if password != "right":
            raise LoginRefused("right.example: login refused")
        return Connected()

    typed = iter(["wrong", "right"])
    monkeypatch.setattr(bootstrap, "open_source", connect)
    monkeypatch.setattr(bootstrap, "open_transport", connect)
    monkeypatch.setattr("supportdesk.cli.setup.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.setup.take_over_first_mail", lambda *_given: None)
    monkeypatch.setattr("supportdesk.cli.setup.try_servers", lambda *_given: None)
    monkeypatch.setattr("getpass.getpass", lambda *_given, **_named: next(typed))
    secret = secret_file(home)
    result = supportdesk(
        "mailbox", "add", "ordini@bottega.example", "--imap", "wrong.example", "--smtp", "right.example:587",
        "--password-file", str(secret),
        stdin="right.example\n\n" + "\n\n\n" * 2,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert "wrong.example:993/implicit" in result.err and "--imap HOST" in result.err
    saved = next(box for box in shop.desk.mailboxes() if box.address == "ordini@bottega.example")
    assert saved.imap is not None and saved.smtp is not None
    assert (saved.imap.host, saved.smtp.host) == ("right.example", "right.example")
    assert tried[-1] == ("right.example", "right")


def secret_file(home: Path) -> Path:
    file = home / "secret"
    file.write_text("stale\n")
    file.chmod(0o600)
    return file


# ---- automatic mail


def test_a_mailbox_acknowledges_when_it_is_told_to(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "on", "--automatic-language", "en").code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert (settings["acknowledge"], settings["automatic_language"]) == (True, "en")
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "off", "--automatic-language", "none").code == 0
    settings = shop.desk.mailbox(shop.mailbox_id).settings
    assert (settings["acknowledge"], settings["automatic_language"]) == (False, "")
    assert supportdesk("mailbox", "set", "1", "--acknowledge", "maybe").code == 2
    assert supportdesk("mailbox", "set", "1", "--automatic-language", "klingon").code == 2


def test_every_automatic_text_can_be_read_before_it_is_sent(shop: House, supportdesk: Run) -> None:
    found = supportdesk("mail", "automatic", "--at", "2026-09-05T22:00", "--json").json()
    assert (found["acknowledge"], found["automatic_language"], len(found["texts"])) == (False, "", 13)
    german = next(one for one in found["texts"] if one["variant"] == "de@formal")
    assert german["subject"] == "Wir haben Ihre Nachricht erhalten [#4711]"
    assert "bis Sonntag, 6. September, 22:00 Uhr (Mitteleuropäische Sommerzeit)" in german["body"]
    shown = supportdesk("mail", "automatic", "--variant", "it", "--text", "last-reminder", "--language", "it")
    assert "le conferme di ricezione sono disattivate" in shown.out
    assert "considereremo conclusa la richiesta 4711" in shown.out
    assert supportdesk("mail", "automatic", "--variant", "tlh").code != 0
    assert supportdesk("mail", "automatic", "--text", "poem").code == 2
    assert supportdesk("mail", "automatic", "--at", "soon").code == 2


def test_a_reply_asks_again_only_when_it_says_so(shop: House, supportdesk: Run) -> None:
    plain, asking = shop.customer_writes(), shop.customer_writes(sender="otto@example.com")
    assert supportdesk("ticket", "reply", str(plain), "Quale taglia desidera?").code == 0
    assert supportdesk("ticket", "reply", str(asking), "Quale taglia desidera?", "--ask-again").code == 0
    rows = {row.ticket_id: row.ask_again for row in shop.desk.read.outbox(states=("held",))}
    assert rows == {plain: False, asking: True}
    solved = shop.customer_writes(sender="emma@example.com")
    refused = supportdesk("ticket", "reply", str(solved), "Fatto.", "--ask-again", "--after", "solved")
    assert (refused.code, "can ask again" in refused.err) == (2, True)
