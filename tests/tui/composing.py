"""The composer on the shop's first ticket, for the tests that write a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supportdesk.desk.model import OutboxRow, TicketId
from supportdesk.tui.screens.compose import ComposeScreen
from tests.tui.conftest import Shop, list_shown, screen_of, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from supportdesk.tui.app import Console

FIRST = TicketId(1)


def stored(shop: Shop, *states: str) -> list[OutboxRow]:
    return shop.house.desk.read.outbox(states=states or ("draft",), ticket_id=FIRST)


async def composer(pilot) -> ComposeScreen:
    await list_shown(pilot)
    await pilot.press("r")
    screen = await screen_of(pilot, ComposeScreen)
    await until(pilot, lambda: screen.is_ready and screen.body.has_focus, "the composer")
    return screen


async def reviewed(pilot: Pilot[Any], app: Console) -> None:
    """Ask for the review; nothing stands in the way of the reply."""
    await pilot.press("ctrl+s")
    await until(pilot, lambda: "ready to send" in shown(app), "the review")
