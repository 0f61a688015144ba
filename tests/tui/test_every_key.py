"""Every key of the list and of the ticket is pressed and does what it says, on both kinds of database (issue 4).

A key that is bound there and not pressed here fails the walk, and so does an effect that was there before.
"""

# ruff: noqa: F401, F811 — fixtures are imported

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Change, Insert, Plan, PlannedEvent
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.tui.screens.calendar import CalendarScreen
from supportdesk.tui.screens.canned import CannedScreen
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.screens.drafts import DraftsScreen
from supportdesk.tui.screens.note import NoteScreen
from supportdesk.tui.screens.notices import NoticesScreen
from supportdesk.tui.screens.outbox import OutboxScreen
from supportdesk.tui.screens.parked import ParkedScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.saved_views import SavedViewsScreen
from supportdesk.tui.screens.team_settings import TeamSettingsScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import screen_of
from tests.tui.walking import OTHER, PIA, Walk, at_the_list, filled, house, keys_of, the_list, url

if TYPE_CHECKING:
    from supportdesk.tui.screens.on_tickets import OnTickets
    from tests.support.desk import House

GIULIAS = TicketId(3)
TRANSLATOR = f'{sys.executable} -c "import sys; print(sys.stdin.read().swapcase())"'


async def test_every_key_of_the_list(url: str, house: House) -> None:
    async with at_the_list(url, house, translator=TRANSLATOR) as (walk, queue):
        await move_in_the_list(walk, queue)
        await go_elsewhere(walk, queue)
        await narrow(walk, queue)
        await select(walk, queue)
        await look(walk, queue)
        await act(walk, queue)
        await write(walk, queue)
        await walk.leaves()
    assert walk.pressed == keys_of("list")


async def test_every_key_of_the_ticket(url: str, house: House) -> None:
    async with at_the_list(url, house, translator=TRANSLATOR, after_action="stay") as (walk, queue):
        await walk.pilot.press("enter")
        ticket = await screen_of(walk.pilot, TicketScreen)
        await walk.until(lambda: ticket.thread_view.items, "the conversation")
        await move_in_the_ticket(walk, ticket)
        await look(walk, ticket)
        await act(walk, ticket)
        await write(walk, ticket)
        await go_elsewhere(walk, ticket)
        await back_to_the_list(walk, queue)
        await walk.leaves()
    assert walk.pressed == keys_of("ticket")


# ---- moving ----------------------------------------------------------------------------------------------------------


async def move_in_the_list(walk: Walk, queue: QueueScreen) -> None:
    tickets = queue.tickets
    last = len(tickets.spine) - 1
    for keys, place in (("j", 1), ("down", 2), ("J", 3), ("k", 2), ("up", 1), ("K", 0), ("G", last), ("g g", 0)):
        await walk(keys, lambda place=place: tickets.cursor_index == place)  # type: ignore[misc]
    for keys, place in (("end", last), ("home", 0)):
        await walk(keys, lambda place=place: tickets.cursor_index == place)  # type: ignore[misc]
    for down, up in (("^d", "^u"), ("pagedown", "pageup")):
        await walk(down, lambda: tickets.cursor_index >= 4)
        await walk(up, lambda: tickets.cursor_index == 0)
    await walk.opens("enter", TicketScreen, "q")
    await walk.opens("o", TicketScreen, "escape")


async def move_in_the_ticket(walk: Walk, ticket: TicketScreen) -> None:
    thread = ticket.thread_view

    def at_start() -> bool:
        return "dove si trova" in walk.shown

    def further_down() -> bool:
        return not at_start()

    await walk("g g", lambda: thread.cursor_item is thread.items[0])
    await walk("j", lambda: thread.cursor_item is thread.items[1])
    for keys in ("enter", "o", "space"):
        before = walk.shown
        await walk(keys, lambda before=before: walk.shown != before, "the folds")  # type: ignore[misc]
    await walk("k", lambda: thread.cursor_item is thread.items[0])
    await walk("down", lambda: thread.cursor_item is thread.items[1])
    await walk("up", lambda: thread.cursor_item is thread.items[0])
    await walk("w", lambda: not thread.display)
    await walk.then("w", until=lambda: thread.display)
    for down, up in (("G", "g g"), ("end", "home"), ("^d", "^u"), ("pagedown", "pageup")):
        await walk(down, further_down)
        await walk(up, at_start)
    await walk("J", lambda: ticket.current_id() == OTHER)
    await walk("K", lambda: ticket.current_id() == PIA)


async def back_to_the_list(walk: Walk, queue: QueueScreen) -> None:
    """What leads from a ticket to the list below it: back, its views and its filter."""
    app = walk.app

    async def in_a_ticket() -> None:
        await walk.until(lambda: app.screen is queue and queue.tickets.spine, "the list")
        await walk.pilot.press("enter")
        await screen_of(walk.pilot, TicketScreen)

    for keys in ("q", "esc"):
        await walk(keys, lambda: app.screen is queue)
        await in_a_ticket()
    for keys, view in (("g a", "all"), ("g u", "unassigned"), ("g m", "mine"), ("g s", "snoozed")):
        await walk(keys, lambda view=view: app.screen is queue and queue.listing.view == view)  # type: ignore[misc]
        await walk.pilot.press("g", "a")
        await in_a_ticket()
    for number, view in enumerate(queue.keyed_views(), start=1):
        await walk(str(number), lambda view=view: app.screen is queue and queue.listing.view == view)  # type: ignore[misc]
        await walk.pilot.press("g", "a")
        await in_a_ticket()
    await walk("g v", lambda: "Which view?" in walk.shown)
    await walk.go_back(queue, "escape")
    for keys in ("/", "g /"):
        await in_a_ticket()
        await walk(keys, lambda: app.screen is queue and queue.prompt.purpose == "filter")
        await walk.then("escape", until=lambda: not queue.prompt.purpose)


# ---- going and narrowing ---------------------------------------------------------------------------------------------


async def go_elsewhere(walk: Walk, screen: OnTickets) -> None:
    for keys, kind in (
        ("g d", DraftsScreen), ("g t", CannedScreen), ("g n", NoticesScreen), ("g o", OutboxScreen),
        ("g p", ParkedScreen), ("g c", CalendarScreen), ("g ,", TeamSettingsScreen),
    ):  # fmt: skip
        await walk.opens(keys, kind, "q")
    await walk.opens("?", TextScreen, "q")
    await walk.opens("^p", ChooseScreen, "escape")
    await walk.asks(":", "command")
    await walk.then(*"priority high", "enter", until=lambda: walk.house.ticket(PIA).priority == "high")


async def narrow(walk: Walk, queue: QueueScreen) -> None:
    def is_view(view: str) -> Any:
        return lambda: queue.listing.view == view

    def saved() -> list[str]:
        return [view.name for view in walk.house.desk.saved_views(walk.house.giulia.id)]

    first, *others = queue.keyed_views()
    for number, view in enumerate(others, start=2):
        await walk(str(number), is_view(view))
    await walk("1", is_view(first))
    for keys, view in (("g m", "mine"), ("g u", "unassigned"), ("g s", "snoozed"), ("g a", "all")):
        await walk(keys, is_view(view))
    await walk("q", is_view(first))
    await walk.then("2", until=is_view("mine"))
    await walk("esc", is_view(first))
    await walk.opens("g v", ChooseScreen, "escape")
    await the_list(walk)
    await walk.asks("/", "filter")
    await walk.then(*"zoé", until=lambda: len(queue.tickets.spine) == 1)
    await walk.then("enter", until=lambda: not queue.prompt.purpose)
    await walk.asks("g +", "name")
    await walk.then(*"Francia", "enter", until=lambda: "Francia" in saved())
    await walk.opens("g V", SavedViewsScreen, "q")
    await walk.then("1", until=lambda: len(queue.tickets.spine) > 1)
    await walk.asks("g /", "filter")
    await walk.then(*"fattura", until=lambda: queue.listing.text == "fattura")
    await walk.then("escape", until=lambda: not queue.prompt.purpose and not queue.listing.text)
    queue = await the_list(walk)
    walk.house.customer_writes(sender="neu@example.it", name="Nuova")
    await walk.until(walk.shows("1 new"), "the news")
    await walk.then("j", until=lambda: queue.tickets.cursor_index == 1)
    before = len(queue.tickets.spine)
    await walk("^l", lambda: len(queue.tickets.spine) == before + 1)
    await walk.then("k", until=lambda: queue.current_id() == PIA)


async def select(walk: Walk, queue: QueueScreen) -> None:
    tickets, house = queue.tickets, walk.house

    def owners() -> set[object]:
        return {house.ticket(ticket).assignee_id for ticket in chosen}

    await walk("x", lambda: tickets.selected_ids == (PIA,))
    await walk("v", lambda: len(tickets.selected_ids) == 2)
    await walk.then("j", "j", until=lambda: len(tickets.selected_ids) == 4)
    chosen = queue.targets()
    await walk.then("i", until=lambda: owners() == {house.giulia.id}, what="all of them as one step")
    await walk.then("u", until=lambda: owners() == {None}, what="one undo for all")
    await walk("* a", lambda: len(tickets.selected_ids) == len(tickets.spine))
    await walk("* n", lambda: not tickets.selected_ids)
    await walk.then("home", until=lambda: queue.current_id() == PIA)


# ---- looking ---------------------------------------------------------------------------------------------------------


async def look(walk: Walk, screen: OnTickets) -> None:
    app = walk.app
    for keys, kind in (
        ("R", TextScreen), ("E", TextScreen), ("h", ChooseScreen), ("l", ChooseScreen), ("@", ChooseScreen),
    ):  # fmt: skip
        await walk.opens(keys, kind, "escape")
    await walk.opens("|", TextScreen)
    await walk.until(walk.shows("lUNGA"), "what the command made of it")
    await walk.go_back(screen, "q")
    await walk.says("y w", "no mail of which a part is missing")
    await walk("y n", lambda: app.clipboard == "#1")
    await walk("y t", lambda: app.clipboard == "Foto e misure")
    await walk("y a", lambda: app.clipboard == "pia@example.it")
    await walk("^f", lambda: isinstance(app.screen, TicketScreen) and app.screen.prompt.purpose == "find")
    await walk.then(*"scatola", until=walk.shows("1 of 1"))
    await walk.pilot.press("escape")
    if isinstance(screen, QueueScreen):
        await walk.until(lambda: not app.screen.prompt.purpose, "found")  # type: ignore[attr-defined]
        await walk.go_back(screen, "q")
    else:
        assert isinstance(screen, TicketScreen)
        await walk.until(lambda: not screen.prompt.purpose, "found")
        before = screen._bundle
        await walk("^l", lambda: screen._bundle is not before, "the ticket is read again")


# ---- acting ----------------------------------------------------------------------------------------------------------


async def act(walk: Walk, screen: OnTickets) -> None:
    house = walk.house

    def pia() -> Any:
        return house.ticket(PIA)

    async def undone(keys: str, condition: Any) -> None:
        await walk.until(lambda: walk.app.screen is screen and not screen.prompt.purpose, "the place")
        await walk(keys, condition)
        await on_pia()

    async def on_pia() -> None:
        if isinstance(screen, QueueScreen):
            await walk.until(lambda: PIA in screen.tickets.spine, "Pia's ticket in the list")
            screen.tickets.move_to_id(PIA)
        await walk.until(lambda: screen.seen_versions((PIA,)) == {PIA: pia().version}, "the ticket as it is")

    async def chooses(keys: str, letters: str, condition: Any) -> None:
        await walk.opens(keys, ChooseScreen)
        await walk.then(*letters, "enter", until=condition)

    async def enters(keys: str, purpose: str, line: str, condition: Any) -> None:
        await walk.asks(keys, purpose)
        await walk.then(*line, "enter", until=condition)

    await chooses("a", "luca", lambda: pia().assignee_id == house.luca.id)
    await undone("u", lambda: pia().assignee_id is None)
    await walk("i", lambda: pia().assignee_id == house.giulia.id)
    await undone("z", lambda: pia().assignee_id is None)
    await enters("s", "when", "2h", lambda: pia().snoozed_until is not None)
    await undone("u", lambda: pia().snoozed_until is None)
    await chooses("e", "", lambda: pia().status == "solved")
    await undone("u", lambda: pia().status != "solved")
    await chooses("N", "", lambda: pia().waiting_since is None)
    await undone("u", lambda: pia().waiting_since is not None)
    await enters("t", "tags", "fragile", lambda: house.desk.read.tags(PIA) == ("fragile",))
    await undone("u", lambda: house.desk.read.tags(PIA) == ())
    await chooses("p", "urgent", lambda: pia().priority == "urgent")
    await undone("u", lambda: pia().priority != "urgent")
    await chooses("S", "hold", lambda: pia().status == "on_hold")
    await undone("u", lambda: pia().status != "on_hold")
    await enters("m", "into", "2", lambda: pia().merged_into == OTHER)
    await undone("u", lambda: pia().merged_into is None)
    await walk("!", lambda: pia().status == "spam")
    await undone("u", lambda: pia().status != "spam")
    await enters("L", "language", "de", lambda: pia().language == "de")
    await undone("u", lambda: pia().language == "it")
    followed = {"agent_id": house.giulia.id, "ticket_id": PIA, "following": True}
    await walk("W", lambda: house.desk.read.rows("ticket_follow", followed))
    await undone("u", lambda: not house.desk.read.rows("ticket_follow", followed))

    def verdict() -> str:
        [identity] = house.desk.read.rows("customer_identity", {"value_norm": "pia@example.it"})
        return str(identity["verdict"])

    def joined() -> list[str]:
        rows = house.desk.read.rows("participant", {"ticket_id": PIA}, order="id")
        return [row["role"] for row in rows if row["role"] != "cc"]

    await chooses("V", "park", lambda: verdict() == "park")
    await undone("u", lambda: verdict() == "")
    put_in_doubt(house)
    await on_pia()
    await walk("+", lambda: pia().merged_into == OTHER)
    await undone("u", lambda: pia().merged_into is None)
    await walk("-", lambda: "possible_duplicate:2" not in pia().badges)
    await undone("u", lambda: "possible_duplicate:2" in pia().badges)
    await walk("=", lambda: joined() == ["requester", "requester"])
    await undone("u", lambda: joined() == ["requester", "external"])
    await walk.then("=", until=lambda: "external" not in pia().badges)
    await on_pia()

    def mine() -> set[int]:
        return {row["id"] for row in house.desk.read.rows("ticket", {"assignee_id": house.giulia.id})}

    before = mine()
    await walk("T", lambda: mine() - before)
    await screen_of(walk.pilot, TicketScreen)
    if isinstance(screen, QueueScreen):
        await walk.go_back(screen, "q")
    await walk.until(lambda: walk.app.screen is screen, "the place")
    await on_pia()


def put_in_doubt(house: House) -> None:
    """Pia's ticket seems to repeat her other one, and somebody has joined it from another address."""
    [identity] = house.desk.read.rows("customer_identity", {"value_norm": "c1@example.it"})
    outsider = Insert("participant", {"ticket_id": PIA, "identity_id": identity["id"], "role": "external"})
    badges = ["possible_duplicate:2", "external"]
    with house.store.transaction() as tx:
        changes: list[Change] = [outsider, *update_ticket(tx.ticket(PIA), {"badges": badges})]
        tx.apply(
            Plan(silent=tuple(changes), events=(PlannedEvent(PIA, "language"),), undoable=False), MAIL, new_action_id()
        )


async def write(walk: Walk, screen: OnTickets) -> None:
    app, house = walk.app, walk.house
    await walk.opens("n", NoteScreen, "escape")
    forward = await walk.opens("f", ComposeScreen)
    assert forward._row.kind == "forward"
    await walk.go_back(screen, "escape")
    await walk("c", lambda: "From which mailbox?" in walk.shown)
    await walk.then("enter", until=lambda: screen.prompt.purpose == "address")
    await walk.then(*"neu@example.de", "enter", until=lambda: screen.prompt.purpose == "subject")
    await walk.then(*"Guten Tag", "enter", until=lambda: isinstance(app.screen, ComposeScreen))
    compose = await screen_of(walk.pilot, ComposeScreen)
    assert compose._row.kind == "new"
    await walk.until(lambda: compose.is_ready, "the composer")
    await walk.go_back(screen, "escape")
    compose = await walk.opens("r", ComposeScreen)
    await walk.until(lambda: compose.body.has_focus, "the text")
    await walk.then(*"Arriva domani.", "ctrl+s", until=lambda: "ready to send" in walk.shown)
    await walk.then("y", until=lambda: house.desk.read.outbox(states=("held",), ticket_id=PIA))
    await walk.until(lambda: app.screen is screen, "the place")
    back = await walk.opens("U", ComposeScreen)
    await walk.until(lambda: back.body.text == "Arriva domani.", "the text")
    assert not house.desk.read.outbox(states=("held",), ticket_id=PIA)
    await walk.then("ctrl+s", until=lambda: "ready to send" in walk.shown)
    await walk.then("y", until=lambda: house.desk.read.outbox(states=("held",), ticket_id=PIA))
    await walk.until(lambda: app.screen is screen, "the place")
