"""The filter line reads the query language, and what it shows can be saved as a view with a key of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.tui.present_queue import TABS, keyed_views
from supportdesk.tui.screens.saved_views import SavedViewsScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from supportdesk.tui.app import Console


def line_of(app: Console, text: str) -> tuple[int, str]:
    lines = shown(app).splitlines()
    return next((number, line) for number, line in enumerate(lines) if text in line)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_query_narrows_while_it_is_typed_and_tab_completes_it(shop: Shop, size: tuple[int, int]) -> None:
    shop.house.desk.perform("tag", shop.house.giulia, [TicketId(2)], {"tags": "reso"})
    app = shop.console()
    async with app.run_test(size=size) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("slash", *"ta")
        await until(pilot, lambda: "its tags" in shown(app), "the key")
        await pilot.press("tab")
        assert queue.prompt.value == "tag:"
        await until(pilot, lambda: any("reso" in line for line in shown(app).splitlines()[-8:]), "the tag")
        await pilot.press("r", "tab")
        assert queue.prompt.value == "tag:reso "
        await until(pilot, lambda: list(queue.tickets.spine) == [2], "the tagged one")
        await pilot.press(*"-from:hans")
        await until(pilot, lambda: not queue.tickets.spine, "nothing")
        await pilot.press("escape")
        await list_shown(pilot)


async def test_an_error_stands_under_its_character_and_keeps_the_list(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("slash", *"lang:de is:opne ")
        await until(pilot, lambda: "did you mean open?" in shown(app), "the suggestion")
        number, line = line_of(app, "is:opne")
        caret = shown(app).splitlines()[number + 1]
        assert caret.index("^") == line.index("opne")
        assert list(queue.tickets.spine) == [2]
        await pilot.press("enter")
        assert queue.prompt.purpose == "filter"
        await pilot.press(*["backspace"] * 5, *"open", "enter")
        await until(pilot, lambda: not queue.prompt.purpose, "taken")
        assert queue.listing.text == "lang:de is:open"
        assert "^ " not in shown(app).splitlines()[-2]


async def test_what_is_only_unfinished_is_told_when_it_is_entered(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("slash", *"assignee:gi")
        await until(pilot, lambda: "Giulia" in "\n".join(shown(app).splitlines()[-6:]), "the agent")
        assert "no agent" not in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: "no agent gi" in shown(app), "the error")
        assert queue.prompt.purpose == "filter"


async def test_a_number_jumps_to_its_ticket(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("slash", *"#3")
        await until(pilot, lambda: "enter opens #3" in shown(app), "what enter does")
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        assert ticket.current_id() == 3
        await pilot.press("q", "escape", "slash", *"#99", "enter")
        await until(pilot, lambda: "There is no ticket #99." in notices(app), "no such ticket")


async def test_a_filter_is_saved_as_a_view_with_key_and_count_changed_and_taken_back(shop: Shop) -> None:
    app, desk = shop.console(), shop.house.desk
    me = shop.house.giulia.id
    async with app.run_test(size=(140, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("slash", *"lang:de", "enter")
        await until(pilot, lambda: list(queue.tickets.spine) == [2], "narrowed")
        await pilot.press("g", "plus")
        await until(pilot, lambda: queue.prompt.purpose == "name", "the question")
        await pilot.press(*"Deutsch", "enter")
        await until(pilot, lambda: "7 Deutsch 1" in shown(app), "its tab")
        assert [view.query for view in desk.saved_views(me)] == ["in:needs_reply lang:de"]
        await pilot.press("1")
        await list_shown(pilot)
        await pilot.press("7")
        await list_shown(pilot, 1)
        await pilot.press("g", "V")
        views = await screen_of(pilot, SavedViewsScreen)
        await until(pilot, lambda: views.chosen() is not None, "the view")
        await pilot.press("x")
        await until(pilot, lambda: not desk.saved_views(me), "removed")
        await pilot.press("u")
        await until(pilot, lambda: desk.saved_views(me), "it is back")
        await until(pilot, lambda: views.chosen() is not None, "the view is listed")
        await pilot.press("enter")
        await list_shown(pilot, 1)
        assert queue.view_names()[6] == "Deutsch"


async def test_the_shared_view_of_a_colleague_appears_by_itself(shop: Shop) -> None:
    app = shop.console("luca")
    async with app.run_test(size=(140, 40)) as pilot:
        await list_shown(pilot)
        shop.house.desk.add_view(shop.house.giulia, "Dringend", "is:open sort:due", shared=True)
        await until(pilot, lambda: "7 Dringend 4" in shown(app), "the new view")
        await pilot.press("g", "v")
        await until(pilot, lambda: "Which view?" in shown(app), "the picker")
        await pilot.press(*"dring", "enter")
        await until(pilot, lambda: app.screen.listing.view.startswith("saved:"), "the view")  # type: ignore[attr-defined]


def test_saved_views_take_the_keys_after_those_of_every_day() -> None:
    assert keyed_views([]) == TABS
    assert keyed_views(["saved:1"]) == (*TABS[:6], "saved:1", *TABS[6:8])
    assert keyed_views([f"saved:{n}" for n in range(5)]) == (*TABS[:6], "saved:0", "saved:1", "saved:2")


async def test_an_error_at_the_far_end_of_the_line_is_told_whole_below_its_caret(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("slash", *"lang:de is:open waiting:>1h assignee:giula x")
        await until(pilot, lambda: "there is no agent giula (did you mean giulia?)" in shown(app), "the error")
        number, line = line_of(app, "assignee:giula")
        assert shown(app).splitlines()[number + 1].index("^") == line.index("giula")
