"""What a command would do, told before it does it; what deserves a second look, told before it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("solve",), "still waits"),
        (("snooze", "--until", "6d"), "deadline"),
        (("merge", "--into", "{other}"), "different customers"),
        (("merge", "--into", "{own}"), "itself"),
    ],
    ids=lambda item: item[0] if isinstance(item, tuple) else "",
)
def test_a_dry_run_foresees_what_the_action_would_refuse(
    shop: House, supportdesk: Run, arguments: tuple[str, ...], why: str
) -> None:
    ticket, other = shop.customer_writes(sender="a@example.com"), shop.customer_writes(sender="b@example.com")
    verb, *options = (word.format(other=other, own=ticket) for word in arguments)
    foreseen = supportdesk("ticket", verb, str(ticket), *options, "--dry-run", "--json")
    assert (foreseen.code, foreseen.json()["tickets"]) == (5, [])
    assert why in foreseen.json()["left_alone"][str(ticket)]
    assert supportdesk("ticket", verb, str(ticket), *options).code != 0


def test_a_dry_run_leaves_out_what_is_so_already_and_writes_nothing(shop: House, supportdesk: Run) -> None:
    ticket, other = shop.customer_writes(sender="a@example.com"), shop.customer_writes(sender="b@example.com")
    assert supportdesk("ticket", "tag", str(ticket), "--tags", "vip").code == 0
    foreseen = supportdesk("ticket", "tag", str(ticket), str(other), "--tags", "vip", "--dry-run", "--json")
    assert (foreseen.code, foreseen.json()["tickets"]) == (0, [other])
    assert shop.desk.read.tags(other) == ()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("assign", "--assignee", "nobody"), 4),
        (("priority", "--priority", "sky-high"), 2),
        (("snooze", "--until", "never"), 2),
        (("move", "--mailbox", "x@example.com"), 4),
    ],
    ids=lambda item: item[0] if isinstance(item, tuple) else "",
)
def test_a_dry_run_refuses_what_the_action_could_not_read(
    shop: House, supportdesk: Run, arguments: tuple[str, ...], code: int
) -> None:
    verb, *options = arguments
    assert supportdesk("ticket", verb, str(shop.customer_writes()), *options, "--dry-run").code == code


WRONG = "Le abbiamo spedito il pacco questa mattina, arriva domani con il corriere."


def test_a_first_mail_in_the_wrong_language_waits_for_a_second_word(shop: House, supportdesk: Run) -> None:
    begun = ("ticket", "new", "hans@example.com", "--subject", "Ihre Bestellung", "--lang", "de", WRONG)
    stopped = supportdesk(*begun)
    [draft] = shop.desk.drafts(shop.giulia)
    assert stopped.code == 2 and f"supportdesk draft send {draft.id} --anyway" in stopped.err
    assert shop.desk.read.outbox(states=("held",)) == []
    assert supportdesk("draft", "send", str(draft.id), "--anyway").code == 0
    assert supportdesk(*begun, "--anyway").code == 0
    assert len(shop.desk.read.outbox(states=("held",))) == 2


def test_a_forward_that_announces_a_file_waits_for_a_second_word(shop: House, supportdesk: Run) -> None:
    ticket = str(shop.customer_writes())
    stopped = supportdesk("ticket", "forward", ticket, "corriere@example.net", "Please see the attached label.")
    assert stopped.code == 2 and "--anyway" in stopped.err
    assert shop.desk.read.outbox(states=("held",)) == []


def test_a_backup_is_read_whole_before_anybody_relies_on_it(shop: House, supportdesk: Run, home: Path) -> None:
    ticket, backup = shop.customer_writes(), home / "desk.backup"
    assert supportdesk("backup", str(backup)).code == 0
    looked = supportdesk("restore", str(backup), "--dry-run", "--json")
    assert (looked.code, looked.json()["dry_run"], looked.json()["rows"]["ticket"]) == (0, True, 1)
    shop.customer_writes(sender="b@example.com")
    assert len(shop.desk.read.rows("ticket")) == 2, "nothing was restored"
    backup.write_bytes(backup.read_bytes()[:5000])
    assert supportdesk("restore", str(backup), "--dry-run").code == 1
    assert shop.ticket(ticket).id == ticket


def test_a_restore_that_is_declined_has_not_been_done(
    shop: House, supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = str(home / "desk.backup")
    assert supportdesk("backup", backup).code == 0
    monkeypatch.setattr("supportdesk.cli.agreement.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.agreement.confirm", lambda _question, default: default)
    assert supportdesk("restore", backup).code == 130


def test_a_release_of_mail_that_is_not_parked_is_foreseen(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mail", "parked", "release", "4711", "--dry-run").code == 4
    assert supportdesk("mail", "parked", "release", "4711").code == 4
