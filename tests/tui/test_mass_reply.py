"""`r` on a selection: one canned response, each in its language, sent only after the count was typed."""

from __future__ import annotations

from tests.tui.conftest import Shop, list_shown, notices, shown, until


async def test_a_selection_is_answered_each_in_his_language_after_the_count(shop: Shop) -> None:
    house = shop.house
    finnish = house.customer_writes("Hei", sender="aino@example.fi", name="Aino", language="fi", subject="Hei")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot, 5)
        await pilot.press("*", "a", "r")
        await until(pilot, lambda: "One answer for 5 tickets" in shown(app), "the responses")
        await pilot.press(*"thank", "enter")
        await until(pilot, lambda: "4 replies to send · 1 left out" in shown(app), "a look at each")
        assert f"#{finnish} Aino" in shown(app)
        await pilot.press("down")
        await until(pilot, lambda: "2 / 5" in shown(app), "the next one")
        await pilot.press("enter")
        await until(pilot, lambda: queue.prompt.purpose == "count", "the count")
        await pilot.press("5", "enter")
        await until(pilot, lambda: "that is not 4" in shown(app), "not that many")
        assert house.desk.read.outbox(states=("held",)) == []
        await pilot.press("backspace", "4", "enter")
        await until(pilot, lambda: len(house.desk.read.outbox(states=("held",))) == 4, "all are held")
        await until(pilot, lambda: "u takes all of them back" in notices(app), "the notice")
        await pilot.press("u")
        await until(pilot, lambda: house.desk.read.outbox(states=("held",)) == [], "all are back")
