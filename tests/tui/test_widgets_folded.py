"""What a line or a row has no room for stands whole beside it."""

from __future__ import annotations

import pytest

from supportdesk.safetext import SafeText, safe
from supportdesk.tui.screens.saved_views import SavedViewsScreen
from supportdesk.tui.widgets import folded
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


def test_the_room_for_a_thousand_texts_is_measured_once_for_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key in a list asks for the height anew."""
    text = FoldedText()
    wrapped: list[SafeText] = []

    def wrap(one: SafeText, width: int) -> list[str]:
        wrapped.append(one)
        return [str(one)] * (width // 10)

    monkeypatch.setattr(folded, "wrap", wrap)
    text.make_room([safe(f"row {number}") for number in range(1_000)])
    text._text = safe("chosen")
    assert [text.get_content_height(None, None, width) for width in (42, 42, 42, 82)] == [4, 4, 4, 8]
    assert len(wrapped) == 2 * 1_000 + 4
    text.make_room([])
    assert text.get_content_height(None, None, 42) == 4
