"""Behind every widget stands a filter: what somebody forgot to make safe still does not reach the terminal."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from supportdesk.tui.widgets.guard import ControlFilter, SafeApp
from tests.tui.hostile import FORBIDDEN, PAYLOADS


class Careless(Widget):
    """A widget that paints what it is given."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.raw = text

    def render_line(self, y: int) -> Strip:
        return Strip([Segment(self.raw)])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_passes_the_filter(payload: str) -> None:
    [segment] = ControlFilter().apply([Segment(payload)], Color(0, 0, 0))
    assert not FORBIDDEN.search(segment.text.replace("\u200d", "").replace("\ufe0f", ""))


def test_clean_segments_are_passed_on_untouched() -> None:
    segments = [Segment("plain"), Segment("Größe")]
    assert ControlFilter().apply(segments, Color(0, 0, 0)) is segments


async def test_a_careless_widget_cannot_reach_the_terminal() -> None:
    class App(SafeApp[None]):
        def compose(self):
            yield Careless("x\x1b]0;owned\x07\x9b31m\u202ey")

    app = App()
    async with app.run_test(size=(60, 4)) as pilot:
        await pilot.pause()
        drawn = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "x]0;owned31my" in drawn
        assert not FORBIDDEN.search(drawn.replace("\n", ""))


async def test_a_notice_is_text_and_never_markup() -> None:
    app = SafeApp[None]()
    async with app.run_test(size=(60, 10), notifications=True) as pilot:
        app.notify("re: [/b] \x1b[31m[@click=app.quit]x[/]", title="[bold]t")
        await pilot.pause()
        [notice] = app._notifications
        assert notice.message == "re: [/b] [@click=app.quit]x[/]"
        assert notice.markup is False
