"""The keys that move the cursor of a list, and those that select tickets in the queue."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supportdesk.tui.widgets.virtual_list import VirtualList


class CursorKeys:
    """Part of a screen whose keys move the cursor of one list."""

    @property
    @abstractmethod
    def listed(self) -> VirtualList:
        """The list."""

    def do_down(self) -> None:
        self.listed.move_cursor(1)

    def do_up(self) -> None:
        self.listed.move_cursor(-1)

    def do_half_page_down(self) -> None:
        self.listed.move_page(1)

    def do_half_page_up(self) -> None:
        self.listed.move_page(-1)

    def do_first(self) -> None:
        self.listed.move_to(0)

    def do_last(self) -> None:
        self.listed.move_to(len(self.listed.spine))


class ListKeys(CursorKeys):
    """Part of a screen that has a list of tickets."""

    @property
    @abstractmethod
    def tickets(self) -> VirtualList:
        """The list."""

    @property
    def listed(self) -> VirtualList:
        return self.tickets

    def do_next_ticket(self) -> None:
        self.do_down()

    def do_previous_ticket(self) -> None:
        self.do_up()

    def do_select(self) -> None:
        self.tickets.toggle_selected()
        self.tickets.move_cursor(1)

    def do_select_range(self) -> None:
        self.tickets.toggle_range()

    def do_select_all(self) -> None:
        self.tickets.select_all()

    def do_select_none(self) -> None:
        self.tickets.select_none()
