"""What the keys of writing do with a selection: one note for all, one answer for all, and no forward of many."""

from __future__ import annotations

from supportdesk.desk.model import TicketId
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.note import NoteScreen
from supportdesk.tui.screens.queue import QueueScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

SELECTED = (TicketId(1), TicketId(2))
CURRENT = TicketId(3)


def notes_on(shop: Shop, ticket: TicketId) -> list[str]:
    return [entry.text for entry in shop.house.desk.read.thread(ticket) if entry.kind == "note"]


async def test_one_note_is_written_on_every_selected_ticket_and_on_no_other(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("x", "x")
        await until(pilot, lambda: "2 selected" in shown(app), "the selection")
        assert (queue.targets(), queue.current_id()) == (SELECTED, CURRENT)
        await pilot.press("n")
        await until(pilot, lambda: queue.prompt.purpose == "text", "one line for all")
        assert "2 tickets: The note" in shown(app)
        await pilot.press(*"il corriere", "space", *"sciopera", "enter")
        await until(pilot, lambda: notes_on(shop, SELECTED[1]), "the notes")
        assert [notes_on(shop, ticket) for ticket in SELECTED] == [["il corriere sciopera"]] * 2
        assert notes_on(shop, CURRENT) == []
        noted = shop.house.desk.read.rows("event", {"ticket_id": list(SELECTED), "kind": "note"})
        assert (len(noted), len({row["action_id"] for row in noted})) == (2, 1)


async def test_a_note_goes_to_the_one_selected_ticket_wherever_the_cursor_is(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("x")
        await until(pilot, lambda: "1 selected" in shown(app) and queue.current_id() == 2, "the cursor beside it")
        await pilot.press("n")
        screen = await screen_of(pilot, NoteScreen)
        assert screen.bundle.ticket.id == 1


async def test_a_forward_of_a_selection_is_refused(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("x", "x")
        await until(pilot, lambda: "2 selected" in shown(app), "the selection")
        await pilot.press("f")
        await until(pilot, lambda: "Forward takes one ticket at a time." in notices(app), "the refusal")
        assert isinstance(app.screen, QueueScreen)
        assert queue.targets() == SELECTED
        assert shop.house.desk.drafts(shop.house.giulia) == []


async def test_a_reply_and_a_forward_are_about_the_one_selected_ticket(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("x")
        await until(pilot, lambda: "1 selected" in shown(app) and queue.current_id() == 2, "the cursor beside it")
        for key in ("f", "r"):
            await pilot.press(key)
            screen = await screen_of(pilot, ComposeScreen)
            assert screen.bundle.ticket.id == 1
            await pilot.press("escape")
            await list_shown(pilot)
