"""The review bar: all that is odd about a mail can be read in nine lines, and the verdict always stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.results import Review, ReviewWarning
from supportdesk.mail.model import Address
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.review_bar import LINES_AT_MOST, ReviewBar

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Recorder(SafeApp[None]):
    def __init__(self, bar: ReviewBar) -> None:
        super().__init__()
        self.bar = bar

    def compose(self) -> ComposeResult:
        yield self.bar


async def test_a_long_review_is_scrolled_and_its_verdict_stays() -> None:
    bar = ReviewBar()
    warnings = tuple(ReviewWarning("spelling", f"warning {number}") for number in range(12))
    review = Review((), warnings, (Address("Anna", "anna@example.com"),), "Ordine", "", "shop@example.com")
    async with Recorder(bar).run_test(size=(80, 24)) as pilot:
        bar.show(review, ask_again=True)
        await pilot.pause()

        def lines() -> str:
            return "\n".join(bar.render_line(y).text for y in range(bar.size.height))

        assert bar.size.height == LINES_AT_MOST
        assert "warning 0" in lines() and "warning 11" not in lines() and "of 14" in lines()
        for _ in range(20):
            bar.scroll_lines(1)
        assert "warning 11" in lines() and "warning 0" not in lines()
        assert "Press the same key once more" in lines()
        bar.show(review, say_how=True)
        assert "warning 11" in lines(), "the same review stays where it was"
