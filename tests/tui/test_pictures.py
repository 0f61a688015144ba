"""Attached pictures in the console: the key that shows a text shows them, in blocks or in signs, or says why not."""

from __future__ import annotations

import sys
from base64 import encodebytes
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.config import Config
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import TicketId
from supportdesk.mail.model import Picture
from supportdesk.mail.pictures import available
from supportdesk.tui.app import Console
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.screens.picture import PictureScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.picture import HALF_BLOCK, PictureView
from tests.desk.test_parked import PlainParser, fetch
from tests.mail.pictures import png
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

RED, BLUE, BLACK, WHITE = (255, 0, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)
PICTURE = png([[RED, WHITE], [BLUE, BLACK], [WHITE, WHITE]])
MAIL = """
From: Pia Neri <pia@example.it>
To: aiuto@bottega.example
Subject: Foto del vaso
Message-ID: <foto@example.it>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

Ecco la foto.
--b
Content-Type: image/png; name="vaso.png"
Content-Disposition: attachment; filename="vaso.png"
Content-Transfer-Encoding: base64

{whole}
--b
Content-Type: image/png; name="rotta.png"
Content-Disposition: attachment; filename="rotta.png"
Content-Transfer-Encoding: base64

{broken}
--b--
"""
needs_pillow = pytest.mark.skipif(not available(), reason="Pillow (extra `images`) is not installed")


@pytest.fixture
def post(shop: Shop) -> Shop:
    """The shop after a mail with a picture and a broken one."""
    whole, broken = (encodebytes(data).decode() for data in (PICTURE, PICTURE[:40]))
    fetch(shop.house, MAIL.format(whole=whole, broken=broken))
    Intake(shop.house.desk, PlainParser(), lambda _text: "it").process_all()
    return shop


async def look_at(pilot: Pilot[int], name: str) -> None:
    queue = await list_shown(pilot, 5)
    assert queue.tickets.move_to_id(TicketId(5))
    await pilot.press("enter")
    await screen_of(pilot, TicketScreen)
    await pilot.press("@")
    await until(pilot, lambda: "Which attachment?" in shown(pilot.app), "the list of files")
    await pilot.press(*name, "enter")
    await until(pilot, lambda: "view the picture" in shown(pilot.app), "the question")
    await pilot.press("v")


@needs_pillow
async def test_a_picture_is_seen_in_half_blocks_and_left_again(post: Shop) -> None:
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await look_at(pilot, "vaso")
        screen = await screen_of(pilot, PictureScreen)
        view = screen.query_one(PictureView)
        await until(pilot, lambda: view.size.height == 22, "the picture below its title")
        assert "vaso.png" in shown(app)
        assert cells(view, 0) == [(HALF_BLOCK, RED, BLUE), (HALF_BLOCK, WHITE, BLACK)]
        assert [(sign, fore) for sign, fore, _back in cells(view, 1)] == [(HALF_BLOCK, WHITE)] * 2
        assert not view.render_line(2).text.strip()
        await pilot.press("q")
        await screen_of(pilot, TicketScreen)


@needs_pillow
@pytest.mark.parametrize("settings", [{"ascii": True}, {"theme": "monochrome"}], ids=["--ascii", "NO_COLOR"])
async def test_without_colours_or_blocks_a_picture_is_seen_in_signs(post: Shop, settings: dict[str, Any]) -> None:
    app = Console(Config(source=None, database=post.database, agent="giulia", **settings), start_worker=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await look_at(pilot, "vaso")
        view = (await screen_of(pilot, PictureScreen)).query_one(PictureView)
        await until(pilot, lambda: view.size.height == 22, "the picture below its title")
        assert [view.render_line(y).text.rstrip() for y in (0, 1, 2)] == [":=", "@@", ""]


@needs_pillow
async def test_of_a_broken_picture_the_ways_to_save_it_are_left(post: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await look_at(pilot, "rotta")
        await until(pilot, lambda: "This picture cannot be read" in shown(app), "the reason")
        assert isinstance(app.screen, DialogScreen)
        for way in ("s save", "c copy the command", "> rotta.png"):
            assert way in shown(app)
        assert "view the picture" not in shown(app)


async def test_without_pillow_a_sentence_says_what_to_install(post: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await look_at(pilot, "vaso")
        await until(pilot, lambda: "pip install 'supportdesk[images]'" in shown(app), "what to install")
        assert "s save" in shown(app)
        await pilot.press("escape")
        await screen_of(pilot, TicketScreen)


async def test_a_picture_shrinks_with_the_pane(post: Shop) -> None:
    app = post.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 5)
        app.show_picture("striscia", Picture(70, 40, bytes([*RED, *BLUE] * 35) * 40))
        view = (await screen_of(pilot, PictureScreen)).query_one(PictureView)
        for width, height, columns, lines in ((80, 24, 70, 20), (70, 12, 35, 10), (61, 40, 61, 17)):
            await pilot.resize_terminal(width, height)
            await until(pilot, lambda: view.size == (width, height - 2), "the pane")  # noqa: B023 - asked at once
            drawn = [len(cells(view, y)) for y in range(view.size.height)]
            assert [count for count in drawn if count] == [columns] * lines


def cells(view: PictureView, y: int) -> list[tuple[str, object, object]]:
    """The sign of each drawn cell of a line, its colour and the colour behind it."""
    return [
        (sign, colour(segment.style.color), colour(segment.style.bgcolor))
        for segment in view.render_line(y)
        if segment.style
        for sign in segment.text.rstrip()
    ]


def colour(found: object) -> object:
    triplet = getattr(found, "triplet", None)
    return tuple(triplet) if triplet else None
