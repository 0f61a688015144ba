"""Making a desk: all answers as options, or asked for one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


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
