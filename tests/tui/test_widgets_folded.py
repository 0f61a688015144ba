"""What a line or a row has no room for stands whole beside it."""

from __future__ import annotations

from supportdesk.safetext import safe
from supportdesk.tui.screens.saved_views import SavedViewsScreen
from supportdesk.tui.widgets.folded import FoldedText
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until

QUERY = "lang:it status:pending tag:reso tag:ceramica -tag:spam assignee:me waiting:>4h grazie"


async def test_a_query_that_its_row_cuts_is_told_whole_and_asked_for_whole(shop: Shop) -> None:
    shop.house.desk.add_view(shop.house.giulia, "Resi", QUERY)
    shop.house.desk.add_view(shop.house.giulia, "Tedeschi", "lang:de")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "V")
        screen = await screen_of(pilot, SavedViewsScreen)
        whole = lambda: QUERY in " ".join(shown(app).split())  # noqa: E731
        await until(pilot, whole, "all of the query below the list")
        height = screen.rows.size.height
        await pilot.press("j")
        await until(pilot, lambda: not whole(), "nothing to tell of a short one")
        assert screen.rows.size.height == height, "the list stands still"
        await pilot.press("k", "e")
        await until(pilot, lambda: screen.prompt.purpose == "query", "the question")
        above = screen.prompt.query_one(FoldedText)
        await until(pilot, lambda: above.size.height == 2, "all of it above the line")
        await pilot.press("ctrl+u", *"lang:fr")
        await until(pilot, lambda: above.size.height == 0, "a short one needs no room")


def test_what_is_too_long_shows_its_end() -> None:
    text = FoldedText(most=2)
    text._text = safe("one two three four five six")
    assert text.get_content_height(None, None, 12) == 2
    assert text._lines(text._text, 12) == ["three four", "five six"]
