"""The console on each kind of database: it lists, replies, notes, and sees what a colleague does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from supportdesk.config import Config
from supportdesk.desk.model import TicketId
from supportdesk.store import create_or_upgrade
from supportdesk.store.read.feed import POLL_SECONDS, Watcher
from supportdesk.tui.app import Console
from supportdesk.tui.feed import PACE
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.note import NoteScreen
from tests.support.clock import FakeClock
from tests.support.desk import furnish
from tests.tui.conftest import list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from tests.support.databases import Database

FIRST = TicketId(1)


class Looks:
    """Whether each look of a console for what was committed found something, of those that began after a commit."""

    def __init__(self) -> None:
        self.committed = False
        self.found: list[bool] = []


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    noted, look = Looks(), Watcher._changed

    def watched(watcher: Watcher, seconds: float) -> bool:
        began_after = noted.committed
        if (found := look(watcher, seconds)) or began_after:
            noted.found.append(found)
        return found

    monkeypatch.setattr(Watcher, "_changed", watched)
    return noted


async def test_a_reply_a_note_and_a_colleague_on_every_database(database: Database, looks: Looks) -> None:
    url = database.copy_of("schema", create_or_upgrade)
    house = furnish(url, FakeClock(datetime.now(UTC)))
    for number in range(3):
        house.customer_writes(sender=f"c{number}@example.it", name=f"Cliente {number}")
    app = Console(Config(source=None, database=url, agent="giulia"), start_worker=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot, 3)
        await pilot.press("n")
        note = await screen_of(pilot, NoteScreen)
        await until(pilot, lambda: note.body.has_focus, "the note")
        await pilot.press(*"Sentito", "ctrl+s")
        await until(pilot, lambda: len(house.desk.read.thread(FIRST)) == 2, "the note on the ticket")
        await list_shown(pilot, 3)
        await pilot.press("r")
        await screen_of(pilot, ComposeScreen)
        await pilot.press(*"Arriva domani.", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("y")
        await until(pilot, lambda: house.desk.read.outbox(states=("held",)), "held")
        await list_shown(pilot, 2)
        looks.found.clear()
        house.desk.perform("take", house.luca, [TicketId(3)])
        looks.committed = True
        await until(pilot, lambda: "Luca" in shown(app), "what Luca did")
        await until(pilot, lambda: looks.found, "a look")  # rows that were read for other news show it as well
        assert looks.found[0], "the first look after the commit sees it"
        apart, within = (PACE, 0.3) if "postgres" in url else (POLL_SECONDS + PACE, 1.0)
        assert apart < within, "and there is always one in time"
    house.store.close()
