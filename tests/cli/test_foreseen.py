"""`--dry-run` of what changes many things at once: it tells them in the agent's language, and nothing is changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_folder import starter_set
from supportdesk.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run
    from tests.support.desk import House


@pytest.mark.parametrize("verb", [("undo",), ("ticket", "undo")], ids="-".join)
def test_an_undo_says_what_it_would_take_back(shop: House, supportdesk: Run, verb: tuple[str, ...]) -> None:
    one, other = (shop.customer_writes(sender=f"{name}@example.com") for name in "ab")
    action = shop.desk.perform("priority", shop.giulia, (one, other), {"priority": "high"}).action_id
    shop.desk.perform("priority", shop.luca, (other,), {"priority": "low"})
    told = supportdesk(*verb, "--dry-run")
    assert told.code == 5
    assert told.out.startswith(f"would take back {action}: Giulia Verdi set the priority: high, ")
    assert f"would change #{one}\nwould leave #{other} alone: " in told.out
    value = supportdesk(*verb, action, "--dry-run", "--json").json()
    assert (value["dry_run"], value["kinds"], value["tickets"]) == (True, ["priority"], [one])
    assert list(value["left_alone"]) == [str(other)] and value["deadlines"] == []
    italian = supportdesk(*verb, "--dry-run", "--language", "it").out
    assert "annullerebbe" in italian and f"cambierebbe #{one}" in italian
    assert shop.ticket(one).priority == "high"


def test_the_undo_of_a_reply_says_whether_the_customer_has_it(shop: House, supportdesk: Run) -> None:
    row = shop.reply(shop.customer_writes())
    assert "is a draft again" in supportdesk("undo", "--dry-run").out
    shop.deliver(row.id)
    told = supportdesk("undo", "--dry-run", "--language", "it")
    assert told.code == 0 and "direbbe: La risposta è già partita" in told.out
    assert shop.ticket(row.ticket_id).status == "pending"


def test_hours_say_which_deadlines_they_would_move(shop: House, supportdesk: Run) -> None:
    assert supportdesk("hours", "set", "mon-fri 9-18", "--zone", "Europe/Rome", "--holidays", "IT").code == 0
    tickets = [shop.customer_writes(sender=f"c{number}@example.com") for number in range(12)]
    due = shop.ticket(tickets[0]).due_at
    assert due is not None
    day = (due.date()).isoformat()
    told = supportdesk("hours", "close", day, "--dry-run")
    assert (told.code, told.out.splitlines()[0]) == (0, "12 deadlines would move")
    assert told.out.count(" → ") == 10 and "and 2 more" in told.out
    value = supportdesk("hours", "close", day, "--dry-run", "--json").json()
    assert (value["dry_run"], value["changes"], len(value["deadlines"])) == (True, True, 12)
    assert [shop.ticket(ticket).due_at for ticket in tickets] == [due] * 12
    assert supportdesk("hours", "remove", day, "--dry-run").code == 4, "nothing was planned"
    assert supportdesk("hours", "close", day).code == 0
    assert shop.ticket(tickets[0]).due_at == due + timedelta(days=1)

    again = supportdesk("hours", "close", day, "--dry-run", "--language", "it")
    assert (again.code, again.out) == (0, "Gli orari erano già così\n")
    opened = supportdesk("hours", "open", day, "9-18", "--dry-run", "--language", "it").out
    assert opened.startswith("Si sposterebbero 12 scadenze")
    assert supportdesk("hours", "remove", day, "--dry-run").out.startswith("12 deadlines would move")
    assert supportdesk("undo", "--dry-run").out.count(" → ") == 10
    assert supportdesk("hours", "set", "sat 9-13", "--holidays", "none", "--dry-run", "--json").json()["changes"]
    assert supportdesk("hours", "set", "--zone", "Europe/Rome", "--dry-run").code == 0


def test_an_export_shows_what_it_would_write_and_delete(shop: House, supportdesk: Run, home: Path) -> None:
    shop.desk.import_canned(shop.giulia, starter_set())
    folder = home / "canned"
    files = supportdesk("canned", "export", str(folder), "--dry-run", "--json").json()["changes"]
    assert {one["kind"] for one in files} == {"new"} and not folder.exists()
    assert supportdesk("canned", "export", str(folder)).code == 0
    same = supportdesk("canned", "export", str(folder), "--dry-run")
    assert (same.out, "nothing differs" in same.err) == ("", True)

    text, gone = folder / "thanks" / "it.md", folder / "thanks" / "eo.md"
    text.write_text("Altro.\n")
    gone.write_text("Dankon.\n")
    (folder / "old").mkdir()
    (folder / "old" / "response.toml").write_text('[title]\nit = "Vecchia"\n')
    kept = supportdesk("canned", "export", str(folder), "--dry-run")
    assert kept.out.splitlines() == [f"{text}: changed", f"{gone}: gone"] and "old (--delete" in kept.err
    whole = supportdesk("canned", "export", str(folder), "--delete", "--dry-run")
    assert whole.out.splitlines()[-1] == f"{folder / 'old' / 'response.toml'}: gone"
    assert text.read_text() == "Altro.\n" and gone.exists() and (folder / "old").is_dir()
    done = supportdesk("canned", "export", str(folder), "--delete", "--json").json()
    assert (done["gone"], done["deleted"]) == ([str(gone)], [str(folder / "old")])
    assert not (folder / "old").exists()


def test_an_upgrade_names_the_steps_before_it_takes_them(
    shop: House, supportdesk: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    current = supportdesk("db", "upgrade", "--dry-run")
    assert (current.code, current.out) == (0, "the schema is up to date\n")
    shop.store.close()
    monkeypatch.chdir(home)  # where the backup of a desk on Postgres goes
    monkeypatch.setattr("supportdesk.store.upgrade.REVISIONS", ("0001_first", "0002_second", "0003_third"))
    value = supportdesk("db", "upgrade", "--dry-run", "--json").json()
    assert (value["found"], value["steps"]) == ("0001_first", ["0002_second", "0003_third"])
    assert value["backup_in"] == str(home)
    told = supportdesk("db", "upgrade", "--dry-run", "--language", "it").out
    assert "0002_second, 0003_third" in told and str(home) in told
    assert [file for file in home.iterdir() if "backup" in file.name] == []


def test_a_schema_of_a_newer_program_is_refused_by_the_dry_run_too(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_unused: object) -> None:
        raise StoreError("written by a newer supportdesk")

    monkeypatch.setattr("supportdesk.store.upgrade.refuse_newer_schema", refuse)
    assert supportdesk("db", "upgrade", "--dry-run").code == 1


def test_a_reindex_that_is_only_tried_says_so(shop: House, supportdesk: Run) -> None:
    shop.customer_writes()
    told = supportdesk("reindex", "--dry-run")
    assert told.code == 0 and "would change: 1" in told.out, "the shop's texts are folded by the test itself"
    value = supportdesk("reindex", "--dry-run", "--json").json()
    assert (value["dry_run"], value["complete"], value["changed"]) == (True, True, 1)
    assert "changed: 1" in supportdesk("reindex").out
    assert "cambierebbero: 0" in supportdesk("reindex", "--dry-run", "--language", "it").out
