"""A screen that is left while a thread still reads for it: the thread ends in peace, and its result is dropped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from supportdesk.tui.screens.drafts import DraftsScreen
from tests.tui.conftest import list_shown, screen_of, until

if TYPE_CHECKING:
    import pytest

    from supportdesk.tui.widgets.columns import ListRow
    from tests.tui.conftest import Shop


async def test_a_screen_left_before_its_rows_were_read_breaks_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, read = threading.Event(), threading.Event()
    read_rows = DraftsScreen.read_rows

    def read_late(self: DraftsScreen) -> list[ListRow]:
        left.wait(20)
        try:
            return read_rows(self)
        finally:
            read.set()

    monkeypatch.setattr(DraftsScreen, "read_rows", read_late)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "d")
        await screen_of(pilot, DraftsScreen)
        await pilot.press("q")
        queue = await list_shown(pilot)
        left.set()
        await until(pilot, read.is_set, "the late reading")
        await pilot.press("j")
        await until(pilot, lambda: queue.tickets.cursor_index == 1, "a key that works")
    assert app.return_code is None or app.return_code == 0
