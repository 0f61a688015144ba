"""What cannot be taken back is asked for on a terminal, and done by a script that says --yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_folder import starter_set

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that were put on a terminal, where everything is declined."""
    questions: list[str] = []

    def decline(question: str, *, default: bool) -> bool:
        assert default is False, "who only presses enter has agreed to nothing"
        questions.append(question)
        return False

    monkeypatch.setattr("supportdesk.cli.agreement.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.agreement.confirm", decline)
    return questions


def test_a_reply_in_doubt_is_not_sent_again_by_a_slip(shop: House, supportdesk: Run, asked: list[str]) -> None:
    row = shop.reply(shop.customer_writes())
    shop.deliver(row.id, "uncertain")
    assert supportdesk("outbox", "resend", str(row.id)).code == 130
    assert "rosa@example.com" in asked[0] and shop.desk.outbox_row(row.id).state == "uncertain"
    assert supportdesk("outbox", "resend", str(row.id), "--yes").code == 0
    assert supportdesk("outbox", "resend", str(row.id)).code == 5, "there is nothing in doubt to ask about"
    assert len(asked) == 1


def test_an_archive_is_not_taken_over_by_a_slip(
    shop: House, supportdesk: Run, asked: list[str], tmp_path: Path
) -> None:
    mail = tmp_path / "one.eml"
    mail.write_text("From: a@example.com\nMessage-ID: <a@example.com>\nSubject: Ciao\n\nCiao\n")
    assert supportdesk("mail", "import", str(mail)).code == 130
    assert "--dry-run" in asked[0] and shop.desk.read.rows("delivery") == []
    assert supportdesk("mail", "import", str(mail), "--dry-run").code == 0
    assert len(asked) == 1


def test_a_file_that_is_no_mail_is_not_imported(shop: House, supportdesk: Run, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    refused = supportdesk("mail", "import", str(picture))
    assert refused.code == 1 and "picture.png" in refused.out
    assert shop.desk.read.rows("delivery") == []
    broken = tmp_path / "1700000000.M1.host"
    broken.write_bytes(b"From: a@example.com\nSubject: Ciao\n\nCi\0ao\n")
    assert supportdesk("mail", "import", str(broken)).code == 0, "a mail is one, whatever is in it"


def test_an_export_does_not_write_over_a_translators_work_by_a_slip(
    shop: House, supportdesk: Run, asked: list[str], tmp_path: Path
) -> None:
    shop.desk.import_canned(shop.giulia, starter_set())
    folder, text = tmp_path / "canned", tmp_path / "canned" / "thanks" / "de.md"
    assert supportdesk("canned", "export", str(folder)).code == 0
    text.write_text("Herzlichen Dank!\n")
    assert supportdesk("canned", "export", str(folder)).code == 130
    assert text.read_text() == "Herzlichen Dank!\n" and [str(text) in one for one in asked] == [True]
    assert supportdesk("canned", "export", str(folder), "--yes").code == 0
    assert text.read_text() != "Herzlichen Dank!\n"


def test_a_desk_that_is_replaced_by_a_copy_is_asked_about(
    shop: House, supportdesk: Run, asked: list[str], tmp_path: Path
) -> None:
    source, target = shop.url.removeprefix("sqlite:///"), str(tmp_path / "copy.db")
    assert supportdesk("db", "copy", source, target).code == 0
    shop.customer_writes()
    assert supportdesk("db", "copy", source, target, "--replace").code == 130
    assert supportdesk("db", "copy", source, target, "--replace", "--dry-run").code == 0
    assert len(asked) == 1 and target in asked[0]
    assert supportdesk("db", "copy", source, target, "--replace", "--yes").code == 0


def test_a_backup_replaces_backups_only(shop: House, supportdesk: Run, tmp_path: Path) -> None:
    file, notes = tmp_path / "desk.backup", tmp_path / "notes.txt"
    assert [supportdesk("backup", str(file)).code for _ in "12"] == [0, 0], "every night under the same name"
    notes.write_text("mine")
    refused = supportdesk("backup", str(notes))
    assert refused.code == 2 and "--yes" in refused.err and notes.read_text() == "mine"
    assert supportdesk("backup", str(notes), "--yes").code == 0
    assert supportdesk("backup", str(tmp_path)).code == 2
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith(".part")] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_never_replaces_the_desk_itself(shop: House, supportdesk: Run) -> None:
    assert supportdesk("backup", shop.url.removeprefix("sqlite:///"), "--yes").code == 2


def test_the_desk_of_somebody_else_is_no_backup(shop: House, supportdesk: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    assert supportdesk("db", "copy", shop.url.removeprefix("sqlite:///"), str(other)).code == 0
    assert supportdesk("ticket", "list", "--database", str(other)).code == 0
    refused = supportdesk("backup", str(other))
    assert refused.code == 2 and "no backup" in refused.err


def test_a_response_that_is_not_there_is_named_before_any_ticket_is_looked_at(shop: House, supportdesk: Run) -> None:
    refused = supportdesk("ticket", "reply-all", str(shop.customer_writes()), "--canned", "nope", "--count", "1")
    assert refused.code == 4 and "supportdesk canned list" in refused.err


@pytest.mark.parametrize(
    "typed",
    [
        ("undo", "nope"),
        ("undo", "nope", "--dry-run"),
        ("outbox", "resend", "99"),
        ("outbox", "retry", "99"),
        ("outbox", "mark-sent", "99"),
        ("outbox", "cancel", "99"),
        ("draft", "send", "99"),
        ("draft", "discard", "99"),
        ("mail", "parked", "look", "99"),
        ("mail", "parked", "release", "99"),
        ("market", "set", "nope", "--currency", "EUR"),
        ("hours", "remove", "2026-01-01"),
        ("view", "remove", "nope"),
        ("canned", "remove", "nope"),
        ("agent", "disable", "nobody"),
        ("mailbox", "pause", "nope"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_told_with_where_to_look(shop: House, supportdesk: Run, typed: tuple[str, ...]) -> None:
    refused = supportdesk(*typed)
    assert refused.code == 4 and "hint: " in refused.err
