"""The program as a whole: what it loads, how it ends, what it says when something goes wrong, and under SSH."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest import mock
from zoneinfo import ZoneInfo

import pytest

from supportdesk import __version__
from supportdesk.__main__ import main
from supportdesk.cli import app as command_line
from supportdesk.cli import look, reference
from supportdesk.cli.actions import option_name
from supportdesk.cli.app import COMMANDS, command_named
from supportdesk.cli.verb import GLOBALS
from supportdesk.desk.actions import ACTIONS
from supportdesk.desk.desk import Desk
from tests.test_imports import HEAVY, PROJECT, loaded_by

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.databases import Database
    from tests.support.desk import House


@pytest.fixture(params=["sqlite"])
def database(database: Database) -> Database:
    """Pipes, settings and exit codes are the same on each kind: one will do."""
    return database


def test_the_version_is_printed_on_standard_output(supportdesk: Run) -> None:
    assert supportdesk("--version") == (type(supportdesk("--version")))(0, f"supportdesk {__version__}\n", "")
    assert supportdesk("--language", "en", "--version").out == f"supportdesk {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["ticket", "list", "--json"],
        ["ticket", "list"],
        ["search", "ordine"],
        ["status"],
        ["unanswered", "--older", "900000h"],
    ],
    ids=" ".join,
)
def test_the_verbs_of_every_day_load_nothing_heavy(shop: House, home: Path, arguments: list[str]) -> None:
    shop.customer_writes()
    database = os.environ["SUPPORTDESK_DATABASE"]
    loaded = loaded_by([*arguments, "--database", database, "--agent", "giulia"], home)
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_and_option_tells_what_it_does(name: str) -> None:
    waiting = [command_named(name)]
    while waiting:
        command = waiting.pop()
        assert command.help, command.name
        waiting += getattr(command, "commands", {}).values()
        for param in command.params:
            assert param.help or param.hidden, f"{command.name} {param.name}"


def test_the_reference_says_what_the_program_does() -> None:
    page = PROJECT / "docs" / "cli.md"
    hint = "python -m supportdesk.cli.reference --update docs/cli.md"
    assert page.read_text("utf-8") == reference.reference(), hint


def test_the_help_speaks_the_agents_language(supportdesk: Run) -> None:
    from supportdesk.l10n.catalog import _, use_language

    use_language("it")
    expected = _("Find tickets by their words and by what they are")
    shown = supportdesk("--language", "it", "--help").out
    assert expected in shown
    assert expected != "Find tickets by their words and by what they are"


def test_without_a_desk_it_says_how_to_make_one(supportdesk: Run) -> None:
    result = supportdesk("ticket", "list")
    assert result.code == 4 and result.out == ""
    assert "supportdesk init" in result.err


def test_without_a_command_the_console_starts(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[str, bool]] = []

    def console(config, restricted):
        started.append((config.agent, restricted))
        return 0

    programs = command_line.Programs(console=console, worker=lambda config, companion: 0)
    assert command_line.run([], programs) == 0
    assert command_line.run(["--as", "luca"], programs) == 0
    assert started == [("giulia", False), ("luca", False)]


def test_only_an_admin_acts_as_somebody_else(shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = shop.customer_writes()
    assert supportdesk("ticket", "take", str(ticket), "--as", "luca").code == 0
    assert shop.ticket(ticket).assignee_id == shop.luca.id
    monkeypatch.setenv("SUPPORTDESK_AGENT", "luca")
    assert supportdesk("ticket", "take", str(ticket), "--as", "giulia").code == 1
    assert shop.ticket(ticket).assignee_id == shop.luca.id


def test_an_unexpected_error_is_told_without_values_and_its_place_is_kept(
    shop: House, supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self, secret="hunter2-in-a-local"):
        raise RuntimeError("rosa@example.com\x1b[2J")

    monkeypatch.setattr(Desk, "status", fail)
    result = supportdesk("status")
    assert result.code == 1 and "Traceback" not in result.err and "\x1b" not in result.err
    log = home / "data" / "supportdesk" / "crash.log"
    assert str(log) in result.err
    kept = log.read_text("utf-8")
    assert "RuntimeError" in kept and " fail\n" in kept
    assert "rosa@example.com" not in kept and "hunter2" not in kept
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("raised", [KeyboardInterrupt, EOFError])
def test_an_interrupt_ends_quietly(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    def interrupted(self):
        raise raised

    monkeypatch.setattr(Desk, "status", interrupted)
    result = supportdesk("status")
    assert (result.code, result.out) == (130, "")


def test_a_reader_that_closes_the_pipe_ends_the_program_quietly(shop: House, home: Path) -> None:
    for number in range(40):
        shop.customer_writes(sender=f"c{number}@example.com")
    command = f"{sys.executable} -m supportdesk ticket list --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[" and done.stderr == ""


def test_unanswered_exits_6_only_if_somebody_waits(shop: House, supportdesk: Run) -> None:
    assert supportdesk("unanswered").code == 0
    ticket = shop.customer_writes()
    waiting = supportdesk("unanswered", "--older", "24h", "--json")
    assert waiting.code == 6
    assert [row["ticket_id"] for row in waiting.json()] == [ticket]
    assert supportdesk("unanswered", "--older", "3650d").code == 0
    assert supportdesk("unanswered", "--older", "yesterday").code == 2


def test_search_finds_by_words_in_any_order(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes("La giacca è strappata", subject="Reclamo")
    assert [row["id"] for row in supportdesk("search", "strappata", "giacca", "--json").json()] == [ticket]
    assert supportdesk("search", "cappello", "--json").json() == []


def test_why_and_status_and_follow_answer_as_json(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    assert supportdesk("why", str(ticket), "--json").json()["sentences"]
    status = supportdesk("status", "--check", "--json")
    assert status.code == 6 and status.json()["delivering"] is False
    lines = supportdesk("follow", "--jsonl", "--after", "0", "--once").out.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert ticket in {event["ticket_id"] for event in events}
    assert look.app is not None


# ---- under a forced SSH command


@pytest.fixture
def forced(shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch):
    """What sshd runs for luca's key when he asks for a command."""

    def ask(command: str, stdin: bytes = b""):
        monkeypatch.setenv("SSH_ORIGINAL_COMMAND", command)
        database = os.environ.get("SUPPORTDESK_DATABASE") or shop.url
        return supportdesk("--restricted", "--as", "luca", "--database", database, stdin=stdin)

    return ask


def test_a_forced_command_lets_an_agent_work_as_himself(shop: House, forced) -> None:
    ticket = shop.customer_writes()
    assert forced(f"supportdesk ticket take {ticket}").code == 0
    assert shop.ticket(ticket).assignee_id == shop.luca.id
    assert forced(f"supportdesk draft attach {ticket} a.txt", b"text").code == 0
    forward = shop.desk.open_draft(shop.luca, ticket, kind="forward").id
    assert forced(f"supportdesk draft attach --draft {forward} {ticket} b.txt", b"text").code == 0
    assert [one.name for one in shop.desk.outbox_row(forward).attachments] == ["b.txt"]
    stranger = shop.desk.open_draft(shop.giulia, ticket).id
    assert forced(f"supportdesk draft attach --draft {stranger} {ticket} c.txt", b"text").code != 0


@pytest.mark.parametrize(
    "command",
    [
        "supportdesk ticket list --as giulia",
        "supportdesk --as giulia ticket list",
        "supportdesk ticket list --database /tmp/other.db",
        "supportdesk ticket list --agent giulia",
        "supportdesk agent add mallory",
        "supportdesk backup /tmp/all.db",
        "supportdesk canned export /tmp/out",
        "supportdesk canned lint --folder /etc",
        "supportdesk ticket note 1 --file /etc/passwd",
        "supportdesk worker",
        "supportdesk worker install",
        "bash -i",
        "supportdesk; bash",
        "supportdesk ticket 'unclosed",
    ],
)
def test_a_forced_command_lets_nothing_else_through(shop: House, forced, command: str) -> None:
    shop.customer_writes()
    result = forced(command)
    assert result.code in (1, 2), result
    assert result.out == ""


def test_a_forced_command_starts_with_a_clean_environment(shop: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "EDITOR", "PAGER", "TEXTUAL_THEME", "LD_PRELOAD", "SUPPORTDESK_CONFIG"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SSH_ORIGINAL_COMMAND", "supportdesk status")
    with mock.patch.dict(os.environ):
        main(["--restricted", "--as", "luca", "--database", shop.url])
        left = set(os.environ)
    assert left & {"PYTHONPATH", "EDITOR", "PAGER", "TEXTUAL_THEME", "LD_PRELOAD", "SUPPORTDESK_CONFIG"} == set()
    assert "HOME" in left


# ---- options and times


def test_no_option_of_a_verb_is_written_like_one_of_the_program() -> None:
    programs = {name for annotation in GLOBALS.values() for name in annotation.__metadata__[0].param_decls}
    programs |= {annotation.__metadata__[0].default for annotation in GLOBALS.values()}
    assert "--language" in programs
    checked = 0
    for spec in ACTIONS:
        for param in spec.params:
            assert option_name(param) not in programs, f"{spec.id} {param.name}"
            checked += 1
    assert checked > 10
    for name in COMMANDS:
        waiting = [command_named(name)]
        while waiting:
            command = waiting.pop()
            waiting += getattr(command, "commands", {}).values()
            written = [option for param in command.params for option in param.opts]
            assert len(written) == len(set(written)), command.name


def test_the_language_of_a_ticket_is_set(shop: House, supportdesk: Run) -> None:
    ticket = shop.customer_writes()
    assert supportdesk("ticket", "language", str(ticket), "--to", "de").code == 0
    assert shop.ticket(ticket).language == "de"


def test_times_are_those_of_the_shop_and_say_so(shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        shop.desk.save_mailbox(shop.giulia, {"id": shop.mailbox_id, "zone": "Asia/Tokyo"})
        ticket = shop.customer_writes()
        since = shop.ticket(ticket).waiting_since
        assert since is not None
        expected = since.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%d %H:%M JST")
        for arguments in (["ticket", "show", str(ticket)], ["unanswered"], ["why", str(ticket)]):
            shown = supportdesk(*arguments).out
            assert expected in shown, arguments
            assert "PST" not in shown
        assert supportdesk("ticket", "show", str(ticket), "--json").json()["ticket"]["waiting_since"].endswith("Z")
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--language", "xx", "status"], "en, it"),
        (["ticket", "list", "--limit", "-3"], "0 for all"),
        (["search", "ordine", "--limit", "-1"], "0 for all"),
        (["ticket", "language", "1", "--to", "xx"], "no language"),
        (["agent", "add", "anna maria"], "login"),
        (["agent", "add", "anna", "--ssh-key", "/nope.pub"], "No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    shop: House, supportdesk: Run, arguments: list[str], said: str
) -> None:
    shop.customer_writes()
    result = supportdesk(*arguments)
    assert result.code in (2, 4) and said in result.err, result


def test_a_directory_that_cannot_be_used_is_named_with_what_to_do(
    supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("")
    making = supportdesk("init", "--no-mailbox", "--defaults", "--country", "IT", "--shop", "B",
                         "--database", str(home / "file" / "desk.db"))  # fmt: skip
    assert making.code == 1 and str(home / "file") in making.err and "should not" not in making.err

    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.exists", refuse)
    reading = supportdesk("status")
    assert reading.code == 2 and "config.toml cannot be read: Permission denied" in reading.err
    assert "--config" in reading.err and "should not" not in reading.err


def test_a_wrong_call_is_told_in_the_agents_language(supportdesk: Run) -> None:
    assert "Missing" not in supportdesk("ticket", "take").err
    shown = supportdesk("--language", "it", "ticket", "take")
    assert shown.code == 2 and "manca" in shown.err and "suggerimento" in shown.err
    page = supportdesk("--language", "it", "ticket", "take", "--help").out
    assert page.startswith("Uso: ") and "Opzioni:" in page and "obbligatorio" in page


@pytest.mark.parametrize("name", list(COMMANDS))
def test_no_help_shows_a_python_type_or_a_default_that_means_none(supportdesk: Run, name: str) -> None:
    waiting = [([name], command_named(name))]
    while waiting:
        path, command = waiting.pop()
        waiting += [([*path, below], one) for below, one in getattr(command, "commands", {}).items()]
        page = supportdesk(*path, "--help").out
        assert page and not re.search(r"<\w+(\[\w+\])?>|default: -1|default: 0\]|\.\.\.$|\{\D", page), page
