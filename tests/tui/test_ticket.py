"""A ticket shows its conversation, what is unsent, who else is here; and its neighbours are one key away."""

from __future__ import annotations

import time
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Plan
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.outbox import OutboxScreen
from supportdesk.tui.screens.ticket import TicketScreen
from supportdesk.tui.widgets.thread import ItemKind
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

FIRST, SECOND = TicketId(1), TicketId(2)


async def ticket(pilot) -> TicketScreen:
    await list_shown(pilot)
    await pilot.press("enter")
    screen = await screen_of(pilot, TicketScreen)
    await until(pilot, lambda: screen.thread_view.items, "the conversation")
    return screen


async def test_the_conversation_has_notes_replies_and_the_customer_beside_it(shop: Shop) -> None:
    shop.house.desk.add_note(shop.house.luca, FIRST, "Ho chiesto al magazzino")
    shop.house.reply(FIRST, shop.house.anna)
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot, 3)
        await pilot.press("g", "a")
        await until(pilot, lambda: len(queue.tickets.spine) == 4, "all tickets")
        queue.tickets.move_to_id(FIRST)
        await pilot.press("enter")
        screen = await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: screen.thread_view.items, "the conversation")
        kinds = [item.kind for item in screen.thread_view.items]
        assert kinds == [ItemKind.INCOMING, ItemKind.NOTE, ItemKind.OUTBOX]
        await until(pilot, lambda: "giulia@example.it" in shown(app), "the customer")
        assert "Ho chiesto al magazzino" in shown(app)
        assert "goes out at" in shown(app)
        assert "with customer" in shown(app)


async def test_next_and_previous_follow_the_list(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await ticket(pilot)
        await until(pilot, lambda: SECOND in screen.session.tickets, "the neighbour is read ahead")
        await pilot.press("J")
        await until(pilot, lambda: "Rückgabe" in shown(app), "the next")
        await pilot.press("K", "K")
        await until(pilot, lambda: "no other ticket" in notices(app), "the end")
        assert screen.current_id() == FIRST
        await pilot.press("q")
        await list_shown(pilot)


@pytest.mark.parametrize("step", ["J", "K"])
async def test_after_an_answer_no_ticket_is_passed_over(shop: Shop, step: str) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("j", "enter")
        screen = await screen_of(pilot, TicketScreen)
        await until(pilot, lambda: screen.current_id() == SECOND, "the second")
        await pilot.press("r")
        await screen_of(pilot, ComposeScreen)
        await pilot.press(*"Gern", "ctrl+s")
        await until(pilot, lambda: "ready to send" in shown(app), "the review")
        await pilot.press("y")
        await until(pilot, lambda: list(queue.tickets.spine) == [1, 3, 4], "it has left the list")
        assert app.screen is screen
        assert screen.current_id() == SECOND, "what was answered is still shown"
        await pilot.press(step)
        await until(pilot, lambda: screen.current_id() != SECOND, "another ticket")
        assert screen.current_id() == {"J": 3, "K": 1}[step]
        assert queue.current_id() == screen.current_id()


async def test_a_new_mail_appears_while_the_ticket_is_open(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await ticket(pilot)
        shop.house.customer_writes("Allora?", sender="giulia@example.it", ticket=FIRST)
        await until(pilot, lambda: "Allora?" in shown(app), "the mail")


async def test_a_colleague_who_writes_is_named_above_the_conversation(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await ticket(pilot)
        shop.house.desk.presence(shop.house.luca, FIRST, "another", "replying")
        await until(pilot, lambda: "Luca Neri writes" in shown(app), "Luca")


async def test_the_timeline_says_what_happened(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await ticket(pilot)
        await pilot.press("i")
        await until(pilot, lambda: shop.house.ticket(FIRST).assignee_id, "taken")
        await pilot.press("E")
        await until(pilot, lambda: "What happened to #1" in shown(app), "the timeline")
        assert "Giulia" in shown(app)
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, TicketScreen), "the ticket again")


async def test_spam_is_undone_with_the_same_key(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await ticket(pilot)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shop.house.ticket(FIRST).status == "spam", "spam")
        await until(pilot, lambda: screen.current_status() == "spam", "shown")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: shop.house.ticket(FIRST).status != "spam", "no spam")


async def test_what_could_not_be_delivered_waits_in_the_outbox_for_a_decision(shop: Shop) -> None:
    row = shop.house.reply(FIRST)
    shop.house.deliver(row.id, "uncertain")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "1 reply needs you" in shown(app), "the status line")
        await pilot.press("g", "o")
        await until(pilot, lambda: isinstance(app.screen, OutboxScreen) and "in doubt" in shown(app), "the outbox")
        await pilot.press("m")
        await until(pilot, lambda: shop.house.desk.outbox_row(row.id).state == "sent", "marked as sent")
        await until(pilot, lambda: "Everything is sent." in shown(app), "nothing is left")


async def test_times_are_the_shops_wherever_the_console_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        until_then = shop.house.desk.clock.now() + timedelta(days=3)
        shop.house.desk.perform("snooze", shop.house.giulia, (FIRST,), {"until": until_then, "after_deadline": True})
        app = shop.console()
        async with app.run_test(size=(120, 40)) as pilot:
            await list_shown(pilot, 3)
            app.open_ticket(FIRST)
            await screen_of(pilot, TicketScreen)
            local = until_then.astimezone(ZoneInfo("Europe/Rome"))
            await until(pilot, lambda: f"{local:%H:%M}" in shown(app), "the shop's time")
            assert app.session is not None
            arrived = app.session.tickets[FIRST].entries[0].at.astimezone(ZoneInfo("Europe/Rome"))
            assert f"{arrived:%H:%M}" in shown(app)
    time.tzset()


async def test_the_banner_says_which_keys_answer_what_it_asks(shop: Shop) -> None:
    house = shop.house
    with house.store.transaction() as tx:
        changes = update_ticket(tx.ticket(FIRST), {"badges": [f"possible_duplicate:{SECOND}", "external"]})
        tx.apply(Plan(silent=changes, undoable=False), MAIL, new_action_id())
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await ticket(pilot)
        assert screen.current_id() == FIRST
        await until(pilot, lambda: "duplicate of #2?" in shown(app), "the banner")
        assert all(hint in shown(app) for hint in ("+ joins it", "- does not", "= the same customer"))
        await pilot.press("minus")
        await until(pilot, lambda: house.ticket(FIRST).badges == ("external",), "the suggestion is forgotten")
        await until(pilot, lambda: "joins it" not in shown(app), "the banner without it")
        await pilot.press("?")
        await until(pilot, lambda: "decide about the sender" in shown(app), "the help")
