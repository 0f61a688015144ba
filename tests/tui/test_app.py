"""The console as a whole: how it begins, how it ends, what it says when there is no desk."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from supportdesk.config import Config
from supportdesk.desk.desk import Desk
from supportdesk.desk.model import TicketId
from supportdesk.errors import NotFound, StoreFailed
from supportdesk.tui.addresses import read_addresses
from supportdesk.tui.app import Console
from supportdesk.tui.command_line import read_command
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.widgets.composer import Composer
from tests.tui.conftest import SOURCE, Shop, list_shown, notices, screen_of, shown, until


async def test_without_a_desk_the_console_ends_and_says_what_to_do(tmp_path: Path) -> None:
    app = Console(Config(source=None, database=str(tmp_path / "none.db"), agent="giulia"), start_worker=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.failure is not None, "the failure")
    assert isinstance(app.failure, NotFound)
    assert "init" in app.failure.hint
    assert app.return_code == 4


async def test_an_empty_desk_says_what_happens_next(empty_shop: Shop) -> None:
    app = empty_shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "No mail has arrived yet" in shown(app), "the sentence")


async def test_a_draft_is_offered_at_the_next_start(shop: Shop) -> None:
    shop.house.draft(TicketId(1), body="Comincio così")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "Your draft for #1 waits" in notices(app), "the offer")
        await until(pilot, lambda: app.counts.get("drafts") == 1, "the count")
        await pilot.press("g", "d")
        await until(pilot, lambda: "Comincio così" in shown(app), "the drafts")
        await pilot.press("enter")
        await until(pilot, lambda: "Reply to #1" in shown(app), "the composer")


async def test_leaving_names_what_is_unsent_and_who_delivers_it(shop: Shop) -> None:
    shop.house.reply(TicketId(1))
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot, 3)
        await until(pilot, lambda: app.desk_status is not None, "the status")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Leave?" in shown(app), "the question")
        assert "supportdesk worker" in shown(app)
        await pilot.press("escape")
        await list_shown(pilot, 3)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "Leave?" in shown(app), "the question")
        await pilot.press("q")
    assert app.return_code == 0


def test_the_first_list_is_there_before_anything_heavy_is_imported(shop: Shop) -> None:
    program = (
        "import asyncio, sys\n"
        "from supportdesk.config import Config\n"
        "from supportdesk.tui.app import Console\n"
        f"app = Console(Config(source=None, database={shop.database!r}, agent='giulia'), start_worker=False)\n"
        "heavy = []\n"
        "def list_shown():\n"
        "    heavy.extend({'sqlalchemy', 'sqlmodel', 'pydantic', 'alembic', 'babel', 'liquid'} & set(sys.modules))\n"
        "    assert len(app.screen.tickets.spine) == 4\n"
        "    app.exit(0)\n"
        "app.list_shown = list_shown\n"
        "async def main():\n"
        "    async with app.run_test(size=(120, 40)) as pilot:\n"
        "        while app.return_value is None:\n"
        "            await pilot.pause(0.01)\n"
        "asyncio.run(main())\n"
        "print(sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": str(SOURCE)}
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


async def test_what_nobody_foresaw_leaves_a_private_log_and_no_values(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    app = shop.console()

    def broken() -> None:
        password = "correct {}".format("horse")
        raise RuntimeError(f"broken {password}") from KeyError(password)

    async def break_it() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await list_shown(pilot)
            app.call_later(broken)
            await pilot.pause()

    with pytest.raises(RuntimeError):
        await break_it()
    log = Path(shop.database).with_name("console.log")
    story = log.read_text()
    assert "in broken\n" in story and "RuntimeError\n" in story and "KeyError\n" in story
    assert "correct horse" not in story
    assert log.stat().st_mode & 0o077 == 0
    told = capsys.readouterr()
    assert "correct horse" not in told.out + told.err


@pytest.mark.parametrize(
    ("wrong", "saved", "said"),
    [
        ("", "Ultima parola", "Your drafts are saved. What happened is in"),
        ("store", "", "What you typed last is not saved. What happened is in"),
        ("screen", "", "What you typed last is not saved. What happened is in"),
        ("log", "Ultima parola", "Your drafts are saved. What happened could not be written to"),
    ],
)
async def test_a_crash_saves_what_was_written_and_is_hidden_by_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], wrong: str, saved: str, said: str
) -> None:
    log = Path(shop.database).with_name("console.log")
    app = shop.console()

    def refuse(*_args: object, **_options: object) -> None:
        raise StoreFailed("no room") if wrong == "store" else KeyError("anything")

    def broken() -> None:
        app.screen.query_one(Composer).text = "Ultima parola"
        if wrong == "store":
            monkeypatch.setattr(Desk, "save_draft", refuse)
        elif wrong == "screen":
            monkeypatch.setattr(ComposeScreen, "save_now", refuse)
        elif wrong == "log":
            log.mkdir()
        raise RuntimeError

    async def break_it() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            await list_shown(pilot)
            await pilot.press("r")
            screen = await screen_of(pilot, ComposeScreen)
            await until(pilot, lambda: screen.is_ready and screen.body.has_focus, "the composer")
            app.call_later(broken)
            await pilot.pause()

    with pytest.raises(RuntimeError):
        await break_it()
    assert [row.body for row in shop.house.desk.read.outbox(states=["draft"])] == [saved]
    assert said in " ".join(capsys.readouterr().err.split())
    if wrong != "log":
        assert ("in broken\n" in log.read_text(), "KeyError\n" in log.read_text()) == (True, wrong == "screen")


@pytest.mark.parametrize(
    ("line", "action", "params"),
    [
        ("snooze tomorrow 9am", "snooze", {"until": "tomorrow 9am"}),
        ('status on_hold until="mon 9:00"', "status", {"status": "on_hold", "until": "mon 9:00"}),
        ("merge 12 different_customers=yes", "merge", {"into": "12", "different_customers": True}),
        ("take", "take", {}),
        ("#42", "open", {}),
        ("quit", "quit", {}),
    ],
)
def test_a_command_line_is_an_action_with_its_arguments(line: str, action: str, params: dict[str, object]) -> None:
    command = read_command(line)
    assert command is not None
    assert (command.action, command.params) == (action, params)


def test_recipients_are_split_where_a_person_would() -> None:
    read = [
        str(address)
        for address in read_addresses('"Rossi, Giulia" <g@example.it>; luca@example.it, Anna <a@example.it>,')
    ]
    assert read == ["Rossi, Giulia <g@example.it>", "luca@example.it", "Anna <a@example.it>"]
