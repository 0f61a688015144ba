"""A canned response on its way into a reply: found, previewed for this customer, asked for its values, inserted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual import events

from supportdesk.desk.markets import save_market
from supportdesk.desk.model import TicketId
from tests.tui.composing import composer
from tests.tui.conftest import Shop, shown, until


async def test_a_canned_response_is_filled_in_in_the_customers_language(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Canned response" in shown(app), "the picker")
        await pilot.press(*"invoice")
        await until(pilot, lambda: "▌Copy of the invoice" in shown(app), "the entry")
        await pilot.press("enter")
        for _ in range(6):
            await until(pilot, lambda: screen.prompt.purpose or screen.body.text, "a question or the text")
            if screen.body.text:
                break
            await pilot.press("enter" if screen.prompt.value else "1")
            if screen.prompt.purpose and screen.prompt.value == "1":
                await pilot.press("enter")
        await until(pilot, lambda: "fattura" in screen.body.text, "the Italian text")
        assert "{{" not in screen.body.text
        assert "Giulia" in screen.body.text


async def test_an_empty_answer_to_a_canned_question_is_asked_for_again_and_nothing_is_lost(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)

        async def pick() -> None:
            await until(pilot, lambda: "Canned response" in shown(app), "the picker")

        async def asked(name: str) -> None:
            await until(pilot, lambda: screen.prompt.purpose == f"ask {name}", name)

        await pilot.press("ctrl+r")
        await pick()
        await pilot.press(*"availability")
        await pilot.press("enter")
        await asked("item")
        await pilot.press("enter")
        await until(pilot, lambda: "needs this value" in shown(app), "the reason")
        assert screen.prompt.purpose == "ask item"
        await pilot.press(*"Sandali", "enter")
        await asked("size")
        await pilot.press(*"4", "shift+tab")
        await asked("item")
        assert screen.prompt.value == "Sandali"
        await pilot.press("enter")
        await asked("size")
        await pilot.press(*"2", "escape")
        await pick()
        assert "▌Available, and in which size" in shown(app)
        await pilot.press("enter")
        await asked("item")
        await pilot.press("enter")
        await asked("size")
        assert screen.prompt.value == "42"
        await pilot.press("enter")
        await until(pilot, lambda: "Sandali" in screen.body.text and "42" in screen.body.text, "the text")
        assert screen.body.has_focus


@pytest.mark.parametrize(("currency", "shown_as"), [("", "€112.00"), ("GBP", "£112.00")])
async def test_an_amount_shows_in_which_money_it_will_be(shop: Shop, currency: str, shown_as: str) -> None:
    if currency:
        house = shop.house
        market = save_market(house.desk, house.giulia, "uk", {"countries": ["GB"], "currency": currency}, new=True)
        house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "market_id": market.id})
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composer(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Canned response" in shown(app), "the picker")
        await pilot.press(*"refund-issued", "enter")
        await until(pilot, lambda: screen.prompt.purpose == "ask amount", "the question")
        await pilot.press(*"112")
        await until(pilot, lambda: shown_as in shown(app), "the amount")


async def test_canned_responses_are_found_by_their_text_and_where_none_is_the_picker_says_so(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await composer(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Canned response" in shown(app), "the picker")
        await pilot.press(*"Rechnungskopie qqqqq")
        await until(pilot, lambda: "Nothing found." in shown(app), "the sentence")


async def test_the_preview_of_a_canned_response_reads_as_this_customer_would_read_it(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await composer(pilot)
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "Canned response" in shown(app), "the picker")
        await pilot.press(*"availability")
        await until(pilot, lambda: "Giulia" in shown(app).split("Canned response")[1], "the customer's name")
        assert "‹greeting›" not in shown(app)
        assert "‹Item›" in shown(app) or "‹" in shown(app)


async def test_a_shortcut_typed_in_one_go_is_the_response_and_no_letter_is_left_in_the_text(shop: Shop) -> None:
    desk, giulia = shop.house.desk, shop.house.giulia
    thanks = next(entry for entry in desk.canned_entries() if entry.response.key == "thanks")
    desk.save_canned(giulia, replace(thanks.response, shortcut="gr"), thanks.version)
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await composer(pilot)
        for key in "std::gr ::gr":
            app.post_message(events.Key("space" if key == " " else key, key))
        app.post_message(events.Key("enter", None))
        await until(pilot, lambda: len(screen.body.text) > 20, "the response")
        wanted = desk.render_canned(giulia, TicketId(1), "thanks", {}).text
        assert screen.body.text.strip() == f"std::gr {wanted}".strip()
