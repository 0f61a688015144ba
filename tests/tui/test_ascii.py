"""`--ascii`: no sign of ours is outside ASCII, on any screen; a customer's letters stay as they are."""

from __future__ import annotations

import ast
import unicodedata
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

import supportdesk.tui
from supportdesk.config import Config
from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import LOCALE_DIR
from supportdesk.tui.app import Console
from supportdesk.tui.glyphs import ASCII, UNICODE, as_ascii
from supportdesk.tui.screens.queue import QueueScreen
from tests.tui.conftest import Shop, list_shown, shown, until
from tests.tui.hostile_walk import WAYS, screens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

WITHIN = {
    "QueueScreen": (":", "question_mark", "ctrl+p", "s", "i"),
    "ComposeScreen": ("ctrl+r", "ctrl+s"),
    "CannedScreen": ("x",),
}
"""Lines, pickers, questions, help and notices that open over a screen."""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("waits · 3 h… “soon” – now", 'waits - 3 h~ "soon" - now'),
        ("‹order› → it’s", "<order> > it's"),
        ("┌─┐│└", "+-+|+"),
        ("Rückgabe: ß, Zoé, 注文, заказ", "Rückgabe: ß, Zoé, 注文, заказ"),
        ("la col·lega", "la col·lega"),
        ("12 € · 20 £", "12 € - 20 £"),
    ],
)
def test_signs_become_plain_and_letters_stay(text: str, plain: str) -> None:
    assert as_ascii(text) == plain
    assert cell_len(plain) == cell_len(text)


def is_sign(character: str) -> bool:
    """Neither ASCII nor a letter, mark, figure, currency or control."""
    return not character.isascii() and unicodedata.category(character) not in {"Sc", "Cf"} and (
        unicodedata.category(character)[0] not in "LMNC"
    )  # fmt: skip


def sentences() -> Iterator[tuple[str, str]]:
    """Every text of the console's code and of the Italian catalogue, and where it is."""
    for path in Path(supportdesk.tui.__file__).parent.rglob("*.py"):
        if path.name not in ("glyphs.py", "guard.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value, path.name
    yield (LOCALE_DIR / "it" / "LC_MESSAGES" / "supportdesk.po").read_text(encoding="utf-8"), "supportdesk.po"
    yield "".join(asdict(UNICODE).values()), "glyphs.py"


def test_every_sign_that_the_console_writes_has_a_plain_form() -> None:
    written = list(sentences())
    assert any(is_sign(character) for text, _place in written for character in text)
    assert {(one, place) for text, place in written for one in as_ascii(text) if is_sign(one)} == set()
    assert "".join(asdict(ASCII).values()).isascii()


def fill(shop: Shop) -> None:
    """A row in each list."""
    house = shop.house
    house.desk.save_draft(
        house.giulia, (draft := house.desk.open_draft(house.giulia, TicketId(3))).id, draft.version, body="Bozza"
    )
    house.reply(TicketId(2), house.luca)
    house.desk.add_note(house.luca, TicketId(1), "@giulia guarda")
    house.desk.add_view(house.giulia, "Resi", "tag:reso")


def foreign(app: Console) -> set[str]:
    """The lines that hold a sign outside ASCII."""
    return {line for line in shown(app).splitlines() if any(is_sign(character) for character in line)}


async def go_home(pilot: Pilot[int]) -> None:
    """Back to the queue, with nothing open over it."""

    def is_home() -> bool:
        screen = pilot.app.screen
        return isinstance(screen, QueueScreen) and not screen.prompt.purpose

    while not is_home():
        await pilot.press("escape")
        await pilot.pause()


async def test_no_screen_shows_a_sign_outside_ascii(shop: Shop) -> None:
    fill(shop)
    assert set(WAYS) >= screens() - {"PictureScreen"}
    config = Config(source=None, database=shop.database, agent="giulia", ascii=True, language="en")
    app, wrong, visited = Console(config, start_worker=False), set[str](), set[str]()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot, 3)
        await until(pilot, lambda: app.desk_status is not None, "the status")
        for name, way in WAYS.items():
            for key in way:
                before = app.screen
                await pilot.press(key)
                if key != "g":
                    await until(pilot, lambda before=before: app.screen is not before, f"{name}: what {key} opens")  # type: ignore[misc]
            await until(pilot, lambda: app.screen.is_mounted, name)
            await pilot.pause()
            assert type(app.screen).__name__ == name
            visited.add(name)
            wrong |= {f"{name}: {line}" for line in foreign(app)}
            place = app.screen
            for key in WITHIN.get(name, ()):
                await pilot.press(key)
                await pilot.pause()
                wrong |= {f"{name} {key}: {line}" for line in foreign(app)}
                await pilot.press("escape")
                await pilot.pause()
                if app.screen is not place:
                    break
            await go_home(pilot)
    assert visited == set(WAYS)
    assert wrong == set()
