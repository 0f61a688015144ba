"""Attachments, links, files on a reply, parked mail: looked at, saved and decided; little of it in restricted mode."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.config import Config
from supportdesk.desk.fetch_requests import wants_junk
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import Server, TicketId
from supportdesk.tui.app import Console
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.parked import ParkedScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.desk.test_parked import ABSENCE, PlainParser, fetch
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

FIRST, WITH_FILES = TicketId(1), TicketId(5)
MAIL = """
From: Pia Neri <pia@example.it>
To: aiuto@bottega.example
Subject: Foto e misure
Message-ID: <files@example.it>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Ecco le misure. <a href="https://evil.example/login">www.bottega.example</a>
<a href="https://corriere.example/track/77">dove si trova</a></p>
--b
Content-Type: text/plain; name="../../misure.txt"
Content-Disposition: attachment; filename="../../misure.txt"

larghezza 120
--b
Content-Type: application/octet-stream; name="foto.bin"
Content-Disposition: attachment; filename="foto.bin"
Content-Transfer-Encoding: base64

AAECAw==
--b--
"""


@pytest.fixture
def post(shop: Shop) -> Shop:
    """The shop after a mail with files and links and an absence that was parked."""
    fetch(shop.house, MAIL, ABSENCE)
    Intake(shop.house.desk, PlainParser(), lambda _text: "it").process_all()
    return shop


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def files_in(directory: Path) -> list[tuple[str, str, int]]:
    """Name, text and mode of each file."""
    return [(path.name, path.read_text().strip(), stat.S_IMODE(path.stat().st_mode)) for path in directory.iterdir()]


def telling(app: Console, words: str) -> Callable[[], bool]:
    return lambda: words in notices(app)


async def with_files(pilot: Pilot[int]) -> TicketScreen:
    queue = await list_shown(pilot, 5)
    assert queue.tickets.move_to_id(WITH_FILES)
    await pilot.press("enter")
    return await screen_of(pilot, TicketScreen)


async def chosen_file(pilot: Pilot[int], name: str) -> None:
    await pilot.press("@")
    await until(pilot, lambda: "Which attachment?" in shown(pilot.app), "the list of files")
    await pilot.press(*name, "enter")
    await until(pilot, lambda: "view as text" in shown(pilot.app), "the question")


async def test_a_text_attachment_is_read_in_place(post: Shop) -> None:
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await with_files(pilot)
        await chosen_file(pilot, "misure")
        await pilot.press("v")
        await until(pilot, lambda: "larghezza 120" in shown(app), "the text")
        await pilot.press("q")
        await chosen_file(pilot, "foto")
        await pilot.press("v")
        await until(pilot, lambda: "This is no text" in notices(app), "the refusal")


async def test_an_attachment_is_saved_under_a_safe_name_and_never_over_a_file(post: Shop, home: Path) -> None:
    app = post.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await with_files(pilot)
        for notice in ("Saved", "exists already"):
            await chosen_file(pilot, "misure")
            await pilot.press("s")
            await until(pilot, lambda: screen.prompt.purpose == "save", "the path")
            await pilot.press("enter")
            await until(pilot, telling(app, notice), notice)
        assert files_in(home) == [("misure.txt", "larghezza 120", 0o600)]


async def test_a_link_is_copied_and_a_disguised_one_is_marked(post: Shop) -> None:
    app = post.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await with_files(pilot)
        await pilot.press("l")
        await until(pilot, lambda: "Copy which link?" in shown(app), "the links")
        await until(pilot, lambda: "looks like www.bottega.example" in shown(app), "what it pretends to be")
        assert "https://evil.example/login" in shown(app)
        assert "! evil.example" in shown(app)
        await pilot.press(*"track", "enter")
        await until(pilot, lambda: app.clipboard == "https://corriere.example/track/77", "copied")


async def test_a_file_is_attached_and_taken_off_again(post: Shop, home: Path) -> None:
    (home / "label.pdf").write_bytes(b"%PDF-1.4")
    app = post.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot, 5)
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        for path, notice in (("nothing.pdf", "is no file"), ("label.pdf", "")):
            await pilot.press("ctrl+t")
            await until(pilot, lambda: screen.prompt.purpose == "attach", "the path")
            await pilot.press(*path, "enter")
            await until(pilot, telling(app, notice), notice)
        await until(pilot, lambda: "label.pdf" in shown(app), "the file")
        [row] = post.house.desk.drafts(post.house.giulia)
        assert [(one.name, one.content_type) for one in row.attachments] == [("label.pdf", "application/pdf")]
        await pilot.press("ctrl+y")
        await until(pilot, lambda: "Take off which?" in shown(app), "the choice")
        await pilot.press("enter")
        await until(pilot, lambda: not post.house.desk.drafts(post.house.giulia)[0].attachments, "taken off")


async def test_parked_mail_is_looked_at_and_made_a_ticket(post: Shop) -> None:
    house = post.house
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "parked 1" in shown(app), "the status line")
        await list_shown(pilot, 5)
        await pilot.press("g", "p")
        parked = await screen_of(pilot, ParkedScreen)
        await until(pilot, lambda: "an automatic" in shown(app), "the reason")
        await pilot.press("enter")
        await until(pilot, lambda: "Auto-Submitted: auto-replied" in shown(app), "the mail as it came")
        assert house.desk.read.rows("parked")[0]["looked_at"] is not None
        await pilot.press("q")
        await until(pilot, lambda: app.screen is parked, "the list")
        await pilot.press("r")
        await until(pilot, lambda: "Nothing is parked." in shown(app), "released")
        Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
        await pilot.press("q")
        queue = await screen_of(pilot, QueueScreen)
        await until(pilot, lambda: "1 new" in shown(app) or len(queue.tickets.spine) == 6, "the ticket")


async def test_what_lies_in_junk_is_counted_and_asked_for_with_one_key(post: Shop) -> None:
    house = post.house
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "imap": Server("localhost", 1, "none", "aiuto")})
    junk = house.store.ledger.folder(house.mailbox_id, "Junk", "junk")
    house.store.ledger.finish_pass(junk["id"], missing=3)
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 5)
        await pilot.press("g", "p")
        await screen_of(pilot, ParkedScreen)
        await until(pilot, lambda: "3 mails lie in Junk" in shown(app), "the count")
        await pilot.press("f")
        await until(pilot, telling(app, "3 mails in Junk become tickets"), "what was asked for")
        [box] = [one for one in house.desk.mailboxes() if one.id == house.mailbox_id]
        assert wants_junk(box)


async def test_a_restricted_console_touches_no_file_and_starts_nothing(post: Shop, monkeypatch, home: Path) -> None:
    started: list[object] = []
    monkeypatch.setattr("subprocess.Popen", lambda *given, **_named: started.append(given))
    config = Config(source=None, database=post.database, agent="giulia")
    app = Console(config, start_worker=False, restricted=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 5)
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "No editor can be started here." in notices(app), "no editor")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "cannot be attached here" in notices(app), "no file")
        assert screen.prompt.purpose == ""
        await pilot.press("escape")
        await with_files(pilot)
        await chosen_file(pilot, "misure")
        assert "save" not in shown(app)
        await pilot.press("s")
        assert files_in(home) == []
    assert started == []


def test_a_restricted_console_brings_no_worker_along(post: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from supportdesk.tui import app as console

    made: list[Console] = []

    def run(self: Console, **_options: object) -> int:
        made.append(self)
        return 0

    monkeypatch.setattr(Console, "run", run)
    config = Config(source=None, database=post.database, agent="giulia")
    assert console.run_console(config, restricted=True) == 0
    assert console.run_console(config) == 0
    assert [one._start_worker for one in made] == [False, True]
