"""The bars say as much as fits, whole words only."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from supportdesk.safetext import safe
from supportdesk.tui.widgets.bars import Hint, HintBar, StatusLine, StatusPart, Tab, ViewTabs, hints_that_fit
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.key_strip import in_columns
from tests.tui.hostile import FORBIDDEN, PAYLOADS
from tests.tui.painting import record_painting

HINTS = (
    Hint("j/k", safe("move"), 4),
    Hint("⏎", safe("open"), 1),
    Hint("r", safe("reply"), 1),
    Hint("n", safe("note"), 2),
    Hint("?", safe("help"), 1),
)
TABS = (
    Tab("needs_reply", "1", safe("Needs reply"), 42),
    Tab("mine", "2", safe("Mine"), 7),
    Tab("unassigned", "3", safe("Unassigned"), 18),
)


class BarsApp(SafeApp[None]):
    def __init__(self) -> None:
        super().__init__()
        self.tabs = ViewTabs()
        self.status = StatusLine()
        self.hints = HintBar()
        self.chosen: list[str] = []

    def compose(self):
        yield self.tabs
        yield self.status
        yield self.hints

    def on_view_tabs_chosen(self, message: ViewTabs.Chosen) -> None:
        self.chosen.append(message.tab_id)


@pytest.mark.parametrize(
    ("width", "labels"),
    [
        (80, ["move", "open", "reply", "note", "help"]),
        (30, ["open", "reply", "note"]),
        (8, ["open"]),
        (3, []),
    ],
)
def test_the_best_hints_that_fit_are_shown_in_their_order(width: int, labels: list[str]) -> None:
    shown = hints_that_fit(HINTS, width)
    line = "  ".join(f"{hint.keys} {hint.label}" for hint in shown)
    assert cell_len(line) <= width
    assert [hint for hint in HINTS if hint in shown] == shown
    if width != 30:
        assert [hint.label for hint in shown] == labels
    else:
        assert {"open", "reply", "help"} <= {hint.label for hint in shown}


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
async def test_no_bar_is_longer_than_the_screen(width: int) -> None:
    app = BarsApp()
    async with app.run_test(size=(width, 5)) as pilot:
        app.tabs.show(TABS, "mine")
        app.status.show(
            [StatusPart(safe("mail ok"), "good"), StatusPart(safe("outbox 1"))], [StatusPart(safe("giulia"))]
        )
        app.hints.show(HINTS)
        await pilot.pause()
        for bar in (app.tabs, app.status, app.hints):
            assert cell_len(bar.render_line(0).text) == width
        words = app.hints.render_line(0).text.split()
        assert set(words) <= {"j/k", "⏎", "r", "n", "?", "move", "open", "reply", "note", "help"}
        if width >= 60:
            assert "1 Needs reply 42" in app.tabs.render_line(0).text
            assert app.status.render_line(0).text.rstrip().endswith("giulia")


MANY = tuple(Tab(f"view{key}", str(key), safe(f"With customer {key}"), 10 * key) for key in range(1, 10))


@pytest.mark.parametrize(
    ("active", "shown"),
    [
        ("view1", "1 With customer 1 10  2 With customer 2 20  3 With customer 3 30  … 4-9 ?"),
        ("view7", "1 With customer 1 10  2 With customer 2 20  7 With customer 7 70  … 3-6, 8-9 ?"),
    ],
)
def test_views_are_named_whole_and_the_rest_are_counted_by_their_keys(active: str, shown: str) -> None:
    tabs = ViewTabs()
    tabs.show(MANY, active)
    assert "  ".join(text for _, text in tabs.labels(80)) == shown
    everything = [text for _, text in tabs.labels(300)]
    assert len(everything) == 9
    assert not any("…" in text for text in everything)


def test_what_is_filtered_and_selected_stays_and_the_active_view_does_too() -> None:
    tabs = ViewTabs()
    tabs.show([*MANY, Tab("filter", "/", safe("a long word that is looked for"), stays=True)], "view2")
    assert [tab_id for tab_id, _ in tabs.labels(66)] == ["view2", ViewTabs.MORE, "filter"]


async def test_a_click_on_a_view_chooses_it() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 5)) as pilot:
        app.tabs.show(TABS, "mine")
        await pilot.pause()
        at = app.tabs.render_line(0).text.index("Unassigned")
        await pilot.click(ViewTabs, offset=(at, 0))
        await pilot.pause()
        assert app.chosen == ["unassigned"]


async def test_the_same_content_is_not_painted_again() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 5)) as pilot:
        app.hints.show(HINTS)
        await pilot.pause()
        painted = record_painting(app.hints)
        app.hints.show(HINTS)
        await pilot.pause()
        assert painted == []


async def test_hostile_labels_are_harmless() -> None:
    app = BarsApp()
    async with app.run_test(size=(80, 5)) as pilot:
        for payload in PAYLOADS:
            app.tabs.show([Tab("x", "1", safe(payload), 1)], "x")
            app.status.show([StatusPart(safe(payload))])
            app.hints.show([Hint("x", safe(payload))])
            await pilot.pause()
            for bar in (app.tabs, app.status, app.hints):
                assert not FORBIDDEN.search(bar.render_line(0).text)


CONTINUATIONS = tuple(Hint(key, safe(f"what the key {key} goes on with")) for key in "abcdefghijklmnopqrs")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_prefix_key_shows_everything_that_it_goes_on_with(width: int) -> None:
    rows = in_columns(CONTINUATIONS, width - 2)
    shown = [hint for row in rows for hint, _cells in row]
    assert sorted(shown, key=CONTINUATIONS.index) == list(CONTINUATIONS)
    assert all(sum(cells + 2 for _hint, cells in row) - 2 <= width - 2 for row in rows)
    assert [row[0][0].keys for row in rows] == list("abcdefghijklmnopqrs"[: len(rows)]), "read downwards"
