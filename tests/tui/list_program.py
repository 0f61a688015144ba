"""A console of nothing but a list of 100,000 hostile tickets: `j` moves, `q` ends. Run by the byte tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.safetext import safe
from supportdesk.tui.themes import THEMES
from supportdesk.tui.widgets.columns import Column, ListRow
from supportdesk.tui.widgets.guard import SafeApp
from supportdesk.tui.widgets.virtual_list import VirtualList
from tests.tui.hostile import PAYLOADS

if TYPE_CHECKING:
    from textual import events

COLUMNS = (
    Column("due", safe("due"), 6, align_right=True),
    Column("number", safe("#"), 7, align_right=True),
    Column("customer", safe("customer"), 16, drop=1),
    Column("subject", safe("subject"), 20, flex=1),
    Column("messages", safe("msgs"), 4, drop=3),
    Column("language", safe("lang"), 4, drop=4),
    Column("owner", safe("owner"), 8, drop=2),
    Column("waits", safe("waits"), 6, tone="muted", drop=5),
)


class ListProgram(SafeApp[None]):
    def compose(self):
        yield VirtualList(COLUMNS)

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "supportdesk-dark"
        tickets = self.query_one(VirtualList)
        tickets.replace_spine(range(100_000))
        tickets.focus()

    def on_virtual_list_window_needed(self, message: VirtualList.WindowNeeded) -> None:
        self.query_one(VirtualList).put_rows(self.row(number) for number in message.ids)

    def on_key(self, event: events.Key) -> None:
        tickets = self.query_one(VirtualList)
        if event.key == "j":
            tickets.move_cursor(1)
        elif event.key == "G":
            tickets.move_to(99_999)
        elif event.key == "q":
            self.exit()

    @staticmethod
    def row(number: int) -> ListRow:
        # The first and the last page together show every payload.
        payload = safe(PAYLOADS[(number + 20 * (number > 50_000)) % len(PAYLOADS)])
        cells = {
            "due": safe("-12m"), "number": safe(str(number)), "customer": payload,
            "subject": safe(f"Rückgabe {payload}"),
            "messages": safe("3 +"), "language": safe("it"), "owner": safe("luca"), "waits": safe("3h"),
        }  # fmt: skip
        return ListRow(number, cells, {"due": "error"})


if __name__ == "__main__":
    ListProgram().run()
