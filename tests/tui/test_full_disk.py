"""A05: the disk of the database fills up under somebody who writes; with space again all goes on by itself."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.faults.disk import fill, is_mounted_small, limit
from tests.tui.composing import composer, stored
from tests.tui.conftest import Shop, shown, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIZE = 24 << 20
BEGUN, GOES_ON, AND_ON = "Buongiorno", ", il pacco", " arriva domani."


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """Where the shop's database is: a small file system of its own, where one can be mounted."""
    with ExitStack() as stack:
        is_mounted_small(tmp_path, stack, SIZE)
        yield tmp_path


@dataclass
class Disk:
    """`fill` takes the space, what comes back gives it back; `words`: what is said of it then."""

    fill: Callable[[], Callable[[], None]]
    words: str


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    if tmp_path.is_mount():
        return Disk(lambda: fill(tmp_path, 0), "The disk of the database is full")
    return Disk(lambda: limit(tmp_path / "desk.db", 0), "the database failed")


async def test_the_banner_comes_and_goes_with_the_space_and_the_text_is_saved(shop: Shop, disk: Disk) -> None:
    app = shop.console()
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await composer(pilot)
        await pilot.press(*BEGUN)
        await until(pilot, lambda: [row.body for row in stored(shop)] == [BEGUN], "the draft")
        assert "database" not in shown(app)
        make_space = disk.fill()
        try:
            await pilot.press(*GOES_ON)
            await until(pilot, lambda: disk.words in shown(app).splitlines()[1], "the banner")
            await pilot.press(*AND_ON)
            assert screen.body.text == BEGUN + GOES_ON + AND_ON
            assert "not saved yet" in shown(app)
            assert [row.body for row in stored(shop)] == [BEGUN]
            await pilot.press("ctrl+q")
            await until(pilot, lambda: "cannot be saved now" in shown(app), "the question")
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is screen, "the text again")
        finally:
            make_space()
        await until(pilot, lambda: "database" not in shown(app).splitlines()[1], "it is gone again")
        await until(pilot, lambda: "not saved yet" not in shown(app), "the text is saved")
        assert [(row.id, row.body) for row in stored(shop)] == [(screen.keeper.row.id, BEGUN + GOES_ON + AND_ON)]
