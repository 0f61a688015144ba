"""Following, notices, the translator, finding, and the `:` line: key by key, as an agent uses them."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from textual import events

from supportdesk.desk.model import TicketId
from supportdesk.l10n.catalog import use_language
from supportdesk.tui.app import Console
from supportdesk.tui.bell import BellRinger
from supportdesk.tui.command_completion import Known, complete_command
from supportdesk.tui.command_line import VIEW_COMMANDS, Command, localized_names, read_command
from supportdesk.tui.screens.notices import NoticesScreen
from supportdesk.tui.screens.queue import QueueScreen
from supportdesk.tui.screens.text import TextScreen
from supportdesk.tui.screens.ticket import TicketScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, SECOND = TicketId(1), TicketId(2)


def burst(app: Console, keys: str) -> None:
    """Keys that come in one packet, as over a slow line."""
    for key in keys:
        name = {"\n": "enter", " ": "space"}.get(key, key)
        app.post_message(events.Key(name, key if key != "\n" else "\r"))


def is_shown(app: Console, text: str) -> bool:
    return text in shown(app)


async def test_a_followed_ticket_and_a_mention_are_told_until_they_are_looked_at(shop: Shop) -> None:
    house = shop.house
    app = shop.console("luca")
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("j", "W")  # Luca reads German: #2 stands above #1
        await until(pilot, lambda: "You follow #1" in notices(app), "followed")
        house.desk.perform("take", house.giulia, [FIRST])
        house.desk.add_note(house.giulia, SECOND, "@luca puoi guardare?")
        await until(pilot, lambda: "2 notices: g n" in shown(app), "the status line")
        await pilot.press("g", "n")
        await screen_of(pilot, NoticesScreen)
        await until(pilot, lambda: "names you in a note" in shown(app) and "took it" in shown(app), "both notices")
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        assert ticket.current_id() == SECOND
        luca = house.luca.id
        assert luca is not None
        await until(pilot, lambda: len(house.desk.notices(luca)) == 1, "looked at")
        await pilot.press("q")
        await screen_of(pilot, NoticesScreen)
        await until(pilot, lambda: "names you" not in shown(app), "the notice is gone")
        await pilot.press("x")
        await until(pilot, lambda: "Nothing is new." in shown(app), "the last one is gone")
        await pilot.press("q")
        await list_shown(pilot)
        await pilot.press("W")
        await until(pilot, lambda: "no more" in notices(app), "followed no more")


async def test_the_message_is_shown_through_the_admins_command_and_made_safe(shop: Shop, tmp_path: Path) -> None:
    program = tmp_path / "translate.py"
    program.write_text("import sys; print('HELLO \\x1b]52;c;eA==\\x07', sys.stdin.read().upper())")
    config = replace(shop.console().config, translator=f"{sys.executable} {program}")
    app = Console(config, start_worker=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("|")
        await screen_of(pilot, TextScreen)
        await until(pilot, lambda: "BUONGIORNO, DOVE È IL MIO ORDINE" in shown(app), "the translation")
        assert "\x1b" not in shown(app)
        assert "#1 through" in shown(app)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "No command is set"),
        ("/no/such/program", "cannot be started"),
        ("sh -c 'echo broken >&2; exit 3'", "broken"),
        ("'", "cannot be read"),
    ],
)
async def test_a_translator_that_fails_says_why(shop: Shop, command: str, said: str) -> None:
    app = Console(replace(shop.console().config, translator=command), start_worker=False)
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("|")
        await until(pilot, lambda: said in notices(app), said)
        assert app.screen is queue


async def test_finding_goes_on_and_back_and_ends_with_escape(shop: Shop) -> None:
    for number in range(3):
        shop.house.customer_writes(f"Ancora il pacco numero {number}", ticket=FIRST, sender="giulia@example.it")
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        await pilot.press("ctrl+f")
        await pilot.press(*"pacco")
        for key, place in (("", "3 of 3"), ("enter", "1 of 3"), ("down", "2 of 3"), ("up", "1 of 3")):
            if key:
                await pilot.press(key)
            await until(pilot, partial(is_shown, app, place), place)
        await pilot.press(*"xyz")
        await until(pilot, lambda: "not in this conversation" in shown(app), "nothing")
        await pilot.press("escape")
        await until(pilot, lambda: not ticket.prompt.purpose, "closed")


async def test_a_line_whose_focus_was_taken_away_is_not_deaf(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        await pilot.press("ctrl+f")
        await until(pilot, lambda: ticket.prompt.purpose == "find", "the line")
        ticket.set_focus(ticket.thread_view)
        await pilot.press(*"mio")
        await until(pilot, lambda: ticket.prompt.value == "mio", "the words")
        ticket.set_focus(ticket.thread_view)
        await pilot.press("escape")
        await until(pilot, lambda: not ticket.prompt.purpose, "closed")
        await pilot.press("s")
        await until(pilot, lambda: ticket.prompt.purpose == "when", "the line")
        await pilot.press(*"2h")
        ticket.set_focus(ticket.thread_view)
        await pilot.press("enter")
        await until(pilot, lambda: not ticket.prompt.purpose, "taken")


async def test_a_question_that_follows_another_at_once_keeps_the_focus(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        queue.ask_line("first", "First:", lambda _text: None)
        queue.prompt.close()
        queue.ask_line("second", "Second:", lambda _text: None)
        await pilot.pause()
        assert queue.prompt.has_the_focus, "the next key would go elsewhere"


@pytest.mark.parametrize("wish", ["stay", "next", "list"])
async def test_a_ticket_that_is_dealt_with_is_followed_by_what_the_agent_has_set(shop: Shop, wish: str) -> None:
    app = Console(replace(shop.console().config, after_action=wish), start_worker=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        ticket = await screen_of(pilot, TicketScreen)
        await pilot.press("!")
        await until(pilot, lambda: shop.house.ticket(FIRST).status == "spam", "spam")
        if wish == "list":
            await screen_of(pilot, QueueScreen)
        else:
            await until(pilot, lambda: ticket.current_id() == (FIRST if wish == "stay" else SECOND), wish)
            assert app.screen is ticket


async def test_what_is_typed_in_one_packet_reaches_the_line_that_it_opens(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        burst(app, ":open 3\n")
        ticket = await screen_of(pilot, TicketScreen)
        assert ticket.current_id() == 3
        burst(app, "qtfragile vetro\n")
        await until(pilot, lambda: shop.house.desk.read.tags(FIRST) == ("fragile", "vetro"), "the tags")
        burst(app, "aluca\n")
        await until(pilot, lambda: shop.house.ticket(FIRST).assignee_id == shop.house.luca.id, "assigned")


async def test_the_arrows_bring_earlier_commands_back(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        for line in ("tag uno", "priority high"):
            await pilot.press(":")
            await until(pilot, lambda: queue.prompt.purpose == "command", "the line")
            await pilot.press(*line.replace(" ", "~"))
            queue.prompt.query_one("SafeInput").value = line  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, lambda: not queue.prompt.purpose, "done")
        await pilot.press(":", "up")
        await until(pilot, lambda: queue.prompt.value == "priority high", "the last one")
        await pilot.press("up")
        await until(pilot, lambda: queue.prompt.value == "tag uno", "the one before")
        await pilot.press("down", "down")
        await until(pilot, lambda: queue.prompt.value == "", "back")


@pytest.fixture
def italian() -> Iterator[None]:
    use_language("it")
    yield
    use_language("en")


def test_commands_have_their_italian_names_beside_the_identifiers(shop: Shop, italian: None) -> None:
    assert read_command("assegna luca") == Command("assign", {"assignee": "luca"}, "luca", None)
    offered = [(str(one.value), str(one.help)) for one in complete_command("assegn", Known())]
    assert offered[0] == ("assegna ", "Affida il ticket a un operatore"), "no English beside it"
    [first, *_rest] = [str(one.help) for one in complete_command("assign", Known())]
    assert first.startswith("assegna · ")
    assert localized_names().keys() >= VIEW_COMMANDS.keys(), "every command has a name that is translated"
    everything = complete_command("", Known())
    assert not {str(one.value).strip() for one in everything} & {"assign", "take", "go_mine", "attachments"}
    assert [str(one.value) for one in everything] == sorted(str(one.value) for one in everything)


class Heard:
    """A driver that keeps what it is given."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def write(self, text: str) -> None:
        self.said.append(text)

    def flush(self) -> None: ...


@pytest.mark.parametrize(("how", "said"), [("off", []), ("bell", ["\a"]), ("notify", ["\x1b]9;supportdesk: 2\a"])])
def test_the_bell_rings_at_most_once_a_minute(shop: Shop, how: str, said: list[str]) -> None:
    app, heard, now = shop.console(), Heard(), [0.0]
    app._driver = heard  # type: ignore[assignment]
    ringer = BellRinger(app, how, clock=lambda: now[0])
    ringer.ring("2\x1b]0;x\a" if how == "bell" else "2")
    now[0] = 59.0
    ringer.ring("3")
    assert heard.said == said
    now[0] = 60.5
    ringer.ring("2")
    assert heard.said == said * 2


async def test_what_keeps_mail_from_coming_stands_over_the_list_with_the_servers_words(shop: Shop) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)
        await until(pilot, lambda: app.desk_status is not None, "the status")
        status = app.desk_status
        assert status is not None and app.trouble() == ""
        assert not app.screen.query_one("#trouble").display
        broken = replace(status.mailboxes[0], error="LOGIN failed: \x1b[31mno such password")
        app.desk_status = replace(status, mailboxes=(broken,))
        queue.show_status()
        await until(pilot, lambda: "LOGIN failed" in shown(app), "the banner")
        assert "\x1b" not in shown(app)


async def test_a_long_action_on_all_in_the_view_is_told_of_and_stopped_and_is_one_undo(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supportdesk.desk.desk import Desk

    house, gate = shop.house, threading.Event()
    perform = Desk.perform

    def slow(desk: Desk, action: str, *given: object, progress, cancelled, **named: object):
        def step(done: int, of: int) -> None:
            progress(done, of)
            gate.wait(20)

        return perform(desk, action, *given, progress=step, cancelled=cancelled, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Desk, "perform", slow)
    monkeypatch.setattr("supportdesk.tui.triage.BULK", 1)
    monkeypatch.setattr("supportdesk.tui.progress.UNTOLD_SECONDS", 0)
    monkeypatch.setattr("supportdesk.desk.turns.MOST_IN_A_TURN", 1)
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("*", "a")
        await until(pilot, lambda: len(queue.targets()) == 4, "all of them")
        await pilot.press("i")
        await until(pilot, lambda: "1 of 4 · esc stops" in notices(app), "how far it has come")
        await pilot.press("escape")
        gate.set()
        await until(pilot, lambda: "u undoes it" in notices(app), "ended")
        taken = [row["id"] for row in house.desk.read.rows("ticket", {"assignee_id": house.giulia.id})]
        await pilot.press("u")
        await until(pilot, lambda: not house.desk.read.rows("ticket", {"assignee_id": house.giulia.id}), "undone")
        assert len(taken) == 1


async def test_merging_offers_the_customers_other_tickets(shop: Shop) -> None:
    other = shop.house.customer_writes("E poi ancora", sender="giulia@example.it", subject="Di nuovo io")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot, 5)
        await pilot.press("m")
        await until(pilot, lambda: queue.prompt.purpose == "into", "the question")
        await until(pilot, lambda: "new · Di nuovo io" in shown(app), "the other ticket")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: shop.house.ticket(FIRST).merged_into == other, "merged")
        await pilot.press("u")
        await until(pilot, lambda: shop.house.ticket(FIRST).merged_into is None, "undone")


async def test_a_split_takes_the_message_under_the_cursor_and_is_undone(shop: Shop) -> None:
    shop.house.customer_writes("Un’altra cosa", ticket=FIRST, sender="giulia@example.it")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await pilot.press("enter")
        await screen_of(pilot, TicketScreen)
        burst(app, ":split\n")
        await until(pilot, lambda: shop.house.desk.read.rows("ticket", {"split_from": FIRST}), "the new ticket")
        [made] = shop.house.desk.read.rows("ticket", {"split_from": FIRST})
        bodies = [row["body"] for row in shop.house.desk.read.rows("message", {"ticket_id": made["id"]})]
        assert bodies == ["Un’altra cosa"]
        await pilot.press("u")
        await until(pilot, lambda: shop.house.ticket(TicketId(made["id"])).merged_into == FIRST, "undone")
