"""Every screen on a desk whose every text is hostile: nothing of it is obeyed, neither as an escape sequence nor as
markup (D01, D02, D03). One pack; `./desk faults --part screens` has them all. A new screen without a way here fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.desk import Desk
from supportdesk.mail.model import Picture
from supportdesk.store import open_store
from supportdesk.tui.screens.picture import PictureScreen
from tests.support.clock import FakeClock
from tests.support.desk import House
from tests.tui.conftest import Shop, until
from tests.tui.hostile import MARKUP, PAYLOADS
from tests.tui.hostile_desk import make_hostile
from tests.tui.hostile_walk import (
    WAYS,
    WITHIN,
    bytes_of_all_screens,
    click_every_cell,
    foreign_bytes,
    look_at_cells,
    look_everywhere,
    queue_shown,
    screens,
    watch,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_every_screen_has_its_way_here() -> None:
    assert screens() == {*WAYS, "PictureScreen"}
    assert WITHIN.keys() <= WAYS.keys()


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Path:
    """The file of a desk with one of everything, all of it hostile."""
    path = tmp_path_factory.mktemp("spoilt") / "desk.db"
    path.write_bytes(prepared.read_bytes())
    make_hostile(str(path), PAYLOADS + MARKUP)
    return path


@pytest.fixture
def hostile(tmp_path: Path, spoilt: Path) -> Iterator[Shop]:
    path = tmp_path / "desk.db"
    path.write_bytes(spoilt.read_bytes())
    store = open_store(str(path))
    desk = Desk(store, store.clock)
    giulia, luca, anna = (agent.actor() for agent in desk.agents())
    yield Shop(House(desk, FakeClock(), str(path), giulia, luca, anna, desk.mailboxes()[0].id), str(path))
    store.close()


@pytest.mark.parametrize("name", WAYS)
async def test_no_cell_of_a_screen_is_markup_or_a_control(
    hostile: Shop, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, text = await look_everywhere(hostile.console(), name, monkeypatch)
    assert wrong == []
    assert text


async def test_the_name_of_a_picture_is_neither(hostile: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    obeyed = watch(monkeypatch)
    app = hostile.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await queue_shown(pilot, app)
        app.show_picture(" ".join(PAYLOADS), Picture(80, 44, bytes(range(240)) * 44))
        await until(pilot, lambda: isinstance(app.screen, PictureScreen), "the picture")
        await pilot.pause(0.3)
        assert not look_at_cells(app)
        assert await click_every_cell(app, pilot, monkeypatch) >= 80 * 24
        assert app.return_code is None
        assert obeyed == []


def test_no_byte_of_a_hostile_desk_reaches_the_terminal(tmp_path: Path, prepared: Path) -> None:
    file = tmp_path / "desk.db"
    file.write_bytes(prepared.read_bytes())
    make_hostile(str(file), PAYLOADS)
    output = bytes_of_all_screens(file, within=False)
    assert len(output) > 100_000
    assert foreign_bytes(output, PAYLOADS) == []


def test_the_oracle_sees_what_it_must() -> None:
    own = b"\x1b[1;31mRossi\x1b[0m\r\n"
    assert foreign_bytes(own, PAYLOADS) == []
    assert [payload for payload in PAYLOADS if not payload.isprintable() and payload[:1] < " "
            and foreign_bytes(own + payload.encode(errors="replace"), PAYLOADS) == []] == []  # fmt: skip
