"""The console on each kind of database: it lists, replies, notes, and sees what a colleague does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from supportdesk.config import Config
from supportdesk.desk.model import TicketId
from supportdesk.store import create_or_upgrade
from supportdesk.tui.app import Console
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.note import NoteScreen
from tests.support.clock import FakeClock
from tests.support.desk import furnish
from tests.tui.conftest import list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from tests.support.databases import Database

FIRST = TicketId(1)


async def test_a_reply_a_note_and_a_colleague_on_every_database(database: Database) -> None:
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
        house.desk.perform("take", house.luca, [TicketId(3)])
        await until(pilot, lambda: "Luca" in shown(app), "what Luca did")
    house.store.close()
