"""A06: another program holds the database while an agent writes; when it lets go, all goes on by itself."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.store.lock import Turnstile
from supportdesk.tui import refusals
from supportdesk.tui.calls import WRITE
from supportdesk.tui.progress import told_progress
from supportdesk.tui.refusals import Refusals
from tests.faults.lock import held
from tests.tui.composing import composer, reviewed, stored
from tests.tui.conftest import Shop, list_shown, shown, until

if TYPE_CHECKING:
    from supportdesk.tui.app import Console

BEGUN, GOES_ON = "Buongiorno", ", il pacco arriva domani."


def banner(app: Console) -> str:
    return shown(app).splitlines()[1]


@pytest.mark.parametrize(
    ("kind", "late", "patience"),
    [("turnstile", 0.2, 60.0), ("sqlite", 0.2, 60.0), ("turnstile", 60.0, 1.0)],
    ids=["waits for us", "waits for SQLite", "is refused"],
)
async def test_the_agent_is_told_writes_on_and_sends_when_it_lets_go(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: str, late: float, patience: float
) -> None:
    """`late`: seconds until a write that waits is told of; `patience`: until it is refused."""
    monkeypatch.setattr(refusals, "LATE", late)
    monkeypatch.setattr(Turnstile.__init__, "__defaults__", (patience,))
    app = shop.console()
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await composer(pilot)
        await pilot.press(*BEGUN)
        await until(pilot, lambda: [row.body for row in stored(shop)] == [BEGUN], "the draft")
        with held(Path(shop.database), kind):
            await pilot.press(*GOES_ON[:5])
            await until(pilot, lambda: "database" in banner(app), "the banner")
            await pilot.press(*GOES_ON[5:])
            await until(pilot, lambda: screen.body.text == BEGUN + GOES_ON, "the text")
            assert "not saved yet" in shown(app)
            assert [row.body for row in stored(shop)] == [BEGUN]
        await until(pilot, lambda: [row.body for row in stored(shop)] == [BEGUN + GOES_ON], "the draft is saved")
        await until(pilot, lambda: "database" not in banner(app), "the banner is gone")
        await reviewed(pilot, app)
        await pilot.press("y")
        await until(pilot, lambda: [row.body for row in stored(shop, "held")] == [BEGUN + GOES_ON], "it is sent")
        assert not stored(shop)


async def test_a_long_action_that_gets_on_is_not_put_down_to_the_database(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bool] = []
    look_at = Refusals._look_at

    def looked_at(self: Refusals, call: object) -> None:
        look_at(self, call)  # type: ignore[arg-type]
        looks.append(bool(self.words))

    monkeypatch.setattr(refusals, "LATE", 0.3)
    monkeypatch.setattr(Refusals, "_look_at", looked_at)
    app, enough = shop.console(), threading.Event()
    async with app.run_test(size=(100, 30)) as pilot:
        queue = await list_shown(pilot)
        progress = told_progress(app, "Tagging")

        def tag_many() -> None:
            done = 0
            while not enough.wait(0.02):
                done += 1
                progress(done, 1_000_000)

        queue.call(WRITE, tag_many, lambda _none: None)
        try:
            await until(pilot, lambda: len(looks) > 2, "it was looked at again and again")
            assert not any(looks)
        finally:
            enough.set()
