"""The list stands still, asks for what it lacks, and repaints two lines when the cursor moves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from supportdesk.safetext import safe
from supportdesk.tui.glyphs import ASCII, UNICODE
from supportdesk.tui.themes import THEMES
from supportdesk.tui.widgets.columns import Column, ListRow, share_width
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.virtual_list import KEPT_ROWS, VirtualList
from tests.tui.hostile import FORBIDDEN, PAYLOADS
from tests.tui.painting import record_painting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COLUMNS = (
    Column("due", safe("due"), 6, align_right=True),
    Column("number", safe("#"), 7, align_right=True),
    Column("customer", safe("customer"), 16, drop=1),
    Column("subject", safe("subject"), 20, flex=1),
    Column("owner", safe("owner"), 8, drop=2, tone="muted"),
)


def row(row_id: int, subject: str = "Ordine non arrivato") -> ListRow:
    cells = {
        "due": safe("-12m"),
        "number": safe(str(row_id)),
        "customer": safe("Giulia Rossi"),
        "subject": safe(subject),
    }
    return ListRow(row_id, cells, {"due": "error"})


class ListApp(SafeApp[None]):
    def __init__(self, ids: Iterable[int] = (), *, answer: bool = True, plain: bool = False) -> None:
        super().__init__()
        self.ids = ids
        self.answer = answer
        self.asked: list[tuple[int, int]] = []
        self.heard: list[object] = []
        self.list = VirtualList(COLUMNS, glyphs=ASCII if plain else UNICODE)

    def compose(self):
        yield self.list

    def on_mount(self) -> None:
        self.list.replace_spine(self.ids)
        self.list.focus()

    def on_virtual_list_window_needed(self, message: VirtualList.WindowNeeded) -> None:
        self.asked.append((message.first, message.end))
        if self.answer:
            self.list.put_rows(row(row_id) for row_id in message.ids)

    def on_virtual_list_cursor_moved(self, message: VirtualList.CursorMoved) -> None:
        self.heard.append(message.row_id)

    def lines(self) -> list[str]:
        return [self.list.render_line(y).text for y in range(self.list.size.height)]


async def test_a_long_list_asks_only_for_what_is_near_the_screen() -> None:
    app = ListApp(range(100_000))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert app.asked
        assert max(end for _, end in app.asked) < 60
        app.list.move_to(99_999)
        await pilot.pause()
        assert app.list.cursor_id == 99_999
        assert "99999" in app.lines()[-1]
        assert sum(end - first for first, end in app.asked) < 200


async def test_what_is_not_there_yet_is_shown_as_missing_and_asked_for_once() -> None:
    app = ListApp(range(50), answer=False)
    async with app.run_test(size=(100, 10)) as pilot:
        await pilot.pause()
        asked = list(app.asked)
        app.list.move_cursor(1)
        app.list.move_cursor(1)
        await pilot.pause()
        assert app.asked == asked
        assert app.lines()[1].strip() == UNICODE.ellipsis


async def test_a_move_repaints_two_lines_and_nothing_else() -> None:
    app = ListApp(range(1_000))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        painted = record_painting(app.list)
        app.list.move_cursor(1)
        await pilot.pause()
        assert sorted(painted) == [1, 2]


async def test_at_the_edge_the_view_moves_half_a_page() -> None:
    app = ListApp(range(1_000))
    async with app.run_test(size=(100, 21)) as pilot:
        await pilot.pause()
        app.list.move_to(19)
        assert app.list.visible_range == (0, 20)
        app.list.move_cursor(1)
        assert app.list.visible_range == (10, 30)
        app.list.move_to(10)
        app.list.move_cursor(-1)
        assert app.list.visible_range == (0, 20)


async def test_the_ticket_under_the_cursor_stays_there_when_others_arrive() -> None:
    app = ListApp(range(100, 200))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        app.list.move_to_id(105)
        line = app.list.cursor_index - app.list.visible_range[0]
        app.list.replace_spine([*range(40, 100), *range(100, 200)])
        await pilot.pause()
        assert app.list.cursor_id == 105
        assert app.list.cursor_index - app.list.visible_range[0] == line


async def test_when_the_ticket_leaves_the_cursor_keeps_its_place_and_says_so() -> None:
    app = ListApp([1, 2, 3])
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        app.list.move_to_id(3)
        app.list.replace_spine([1, 2])
        await pilot.pause()
        assert app.list.cursor_id == 2
        assert app.heard[-1] == 2
        app.list.replace_spine([])
        await pilot.pause()
        assert app.list.cursor_id is None
        assert app.heard[-1] is None


def one_by_one(rows: VirtualList, gone: list[int]) -> None:
    for row_id in gone:
        rows.take_out([row_id])


def in_another_order(rows: VirtualList, gone: list[int]) -> None:
    """Others came at both ends meanwhile; they go again, so that the ends are the same."""
    rows.replace_spine([8, *(row_id for row_id in range(1, 6) if row_id not in gone), 9])
    rows.take_out([8, 9])


@pytest.mark.parametrize(
    ("gone", "after", "before"),
    [
        ([], 4, 2),
        ([3], 4, 2),  # it left: the next one is what stands in its place
        ([3, 4], 5, 2),
        ([3, 2], 4, 1),
        ([3, 4, 5], None, 2),  # the cursor stands on the last one, which is before it
        ([2, 3], 4, 1),
        ([1, 2, 3], 4, None),
        ([1, 3, 5], 4, 2),
        ([1, 2, 3, 4, 5], None, None),
    ],
)
@pytest.mark.parametrize("way", [one_by_one, VirtualList.take_out, in_another_order])
async def test_what_stands_beside_a_row_is_known_after_it_left(
    way: Callable[[VirtualList, list[int]], None], gone: list[int], after: int | None, before: int | None
) -> None:
    app = ListApp(range(1, 6))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.list.move_to(2)
        way(app.list, gone)
        beside = [app.list.beside(3, step) for step in (1, -1)]
        assert [app.list.spine[at] if at is not None else None for at in beside] == [after, before]
        if after is not None:
            app.list.move_to_id(after)
            at = app.list.beside(after, 1)
            assert at == (app.list.cursor_index + 1 if after != app.list.spine[-1] else None)


async def test_a_changed_row_is_marked_in_place() -> None:
    app = ListApp([1, 2, 3])
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        app.list.patch_rows([row(2, "Changed")])
        assert "Changed" in app.lines()[2]
        assert app.lines()[2][2] == UNICODE.changed
        app.list.patch_rows([row(3)])
        assert app.lines()[3][2] == " "
        app.list.clear_change_marks()
        assert app.lines()[2][2] == " "


async def test_marks_and_ranges_follow_the_list_order() -> None:
    app = ListApp([9, 8, 7, 6])
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        app.list.move_to(3)
        app.list.toggle_selected()
        app.list.move_to(0)
        app.list.toggle_range()
        app.list.move_cursor(1)
        app.list.toggle_range()
        app.list.move_cursor(1)
        assert app.list.selected_ids == (9, 8, 6)
        assert app.lines()[1][1] == UNICODE.selected
        app.list.select_all()
        assert len(app.list.selected_ids) == 4
        app.list.select_none()
        assert app.list.selected_ids == ()


async def test_the_cursor_is_a_sign_and_not_only_a_colour() -> None:
    app = ListApp([1, 2], plain=True)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert app.lines()[1][0] == ">"
        assert all(line.isascii() for line in app.lines())


async def test_rows_far_away_are_forgotten() -> None:
    app = ListApp(range(5_000))
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        app.list.put_rows(row(row_id) for row_id in range(KEPT_ROWS + 100))
        assert app.list.cursor_row is not None
        assert len(app.list._rows) <= KEPT_ROWS


@pytest.mark.parametrize("width", [20, 40, 79, 80, 100, 140])
def test_columns_give_way_and_never_exceed_the_line(width: int) -> None:
    shared = share_width(COLUMNS, width)
    total = sum(cells + 2 for _, cells in shared) - 2
    assert [column.key for column, _ in shared][:2] == ["due", "number"]
    assert total <= width or all(column.drop == 0 for column, _ in shared)


async def test_hostile_cells_reach_the_screen_as_harmless_text() -> None:
    app = ListApp(range(len(PAYLOADS)))
    async with app.run_test(size=(100, len(PAYLOADS) + 1)) as pilot:
        await pilot.pause()
        app.list.put_rows(row(at, payload) for at, payload in enumerate(PAYLOADS))
        for line in app.lines():
            assert not FORBIDDEN.search(line)
            assert cell_len(line) == 100


async def test_an_empty_list_says_what_to_do() -> None:
    app = ListApp()
    app.list.empty_text = (safe("Nothing needs a reply."),)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        assert any("Nothing needs a reply." in line for line in app.lines())
        app.list.move_cursor(1)
        app.list.toggle_selected()
        assert app.list.selected_ids == ()


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_every_theme_paints_the_list(theme) -> None:
    app = ListApp(range(30))
    async with app.run_test(size=(80, 24)) as pilot:
        app.register_theme(theme)
        app.theme = theme.name
        await pilot.pause()
        styles = [segment.style for y in range(24) for segment in app.list.render_line(y)]
        if theme.name == "monochrome":
            colours = {style.color.name for style in styles if style is not None and style.color is not None}
            assert colours <= {"default"}
        cursor_line = app.list.render_line(1)
        assert {segment.style for segment in cursor_line} != {segment.style for segment in app.list.render_line(2)}


async def test_a_number_is_never_cut_and_the_columns_beside_it_give_way() -> None:
    app = ListApp(plain=True)
    app.list.columns = (replace(COLUMNS[1], width=5, grows=True), *COLUMNS[2:])
    async with app.run_test(size=(60, 10)) as pilot:
        app.list.put_rows([row(99_999), row(12_345_678)])
        app.list.replace_spine([99_999])
        await pilot.pause()
        assert " 99999 " in app.lines()[1]
        app.list.replace_spine([12_345_678, 99_999])
        await pilot.pause()
        assert "12345678  Giulia Rossi" in app.lines()[1]
        assert "   99999  Giulia Rossi" in app.lines()[2]
        assert {cell_len(line) for line in app.lines()} == {60}
