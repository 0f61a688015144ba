"""The `:` line offers what can stand there, and knows from the last console what was typed, but no text of anybody."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.tui.command_completion import Known, complete_command
from supportdesk.tui.command_history import KEPT, CommandHistory, is_kept
from supportdesk.tui.command_line import read_command
from supportdesk.tui.widgets.prompt import PromptLine
from tests.tui.conftest import Shop, list_shown, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

KNOWN = Known(tags=("reso", "reclamo", "urgente"), tickets=(("7", "solved · Una tazza"), ("12", "open · Un piatto")))


def offered(text: str) -> list[str]:
    return [str(one.value) for one in complete_command(text, KNOWN)]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("tag re", ["tag reso", "tag reclamo"]),
        ("tag reso u", ["tag reso urgente"]),
        ("tag #7 reso u", ["tag #7 reso urgente"]),
        ("untag urg", ["untag urgente"]),
        ("language d", ["language de", "language da"]),
        ("merge 1", ["merge 12"]),
        ("merge #1", ["merge 12"]),
        ("merge ", ["merge 7", "merge 12", "merge different_customers="]),
        ("merge 12 di", ["merge 12 different_customers="]),
        ("merge 12 different_customers=", ["merge 12 different_customers=yes"]),
        ("status on_hold u", ["status on_hold until="]),
        ("status #7 on_hold until=mon di", ["status #7 on_hold until=mon dismiss="]),
        ("snooze mode=", ["snooze mode=until_reply", "snooze mode=regardless"]),
        ('snooze reason="mode=', []),
        ("priority h", ["priority high"]),
        ("hand", ["hand_over "]),
    ],
)
def test_what_can_stand_there_is_offered(typed: str, values: list[str]) -> None:
    found = offered(typed)
    assert found[: len(values)] == values if values else not found, found


def test_a_name_that_was_given_is_not_offered_again() -> None:
    assert "snooze tomorrow mode=" in offered("snooze tomorrow ")
    assert "snooze tomorrow mode=until_reply mode=" not in offered("snooze tomorrow mode=until_reply ")


@pytest.mark.parametrize("name", ["hand_over", "hand-over", "handover", "Hand_Over"])
def test_handing_over_is_assigning(name: str) -> None:
    command = read_command(f"{name} luca")
    assert command is not None
    assert (command.action, command.params) == ("assign", {"assignee": "luca"})


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("take", True),
        ("tag #7 reso", True),
        ("snooze tomorrow 9am", True),
        ("open 7", True),
        ("1042", True),
        ("go_mine", True),
        ("note Mi ha detto che la scatola era vuota", False),
        ("call ha chiamato", False),
        ("reply Buongiorno", False),
        ("snooze tomorrow reason='la signora è in viaggio'", False),
        ("split 3 subject=Fattura", False),
        ("merge_customer rosa@example.it", False),
        ("search Rosa Bianchi", False),
        ("go_mine Rosa Bianchi", False),
    ],
)
def test_no_text_is_kept(line: str, kept: bool) -> None:
    assert is_kept(line) is kept


def test_the_last_two_hundred_lines_are_remembered_each_once() -> None:
    history = CommandHistory()
    history.add("take")
    history.put_before([f"open {number}" for number in range(KEPT)] + ["take"])
    assert history.lines[-2:] == [f"open {KEPT - 1}", "take"]
    assert (len(history.lines), history.lines[0]) == (KEPT, "open 1")


async def enter(pilot: Pilot[int], line: str) -> None:
    await pilot.press(":")
    prompt = pilot.app.screen.query_one(PromptLine)
    await until(pilot, lambda: prompt.purpose == "command", "the line")
    await pilot.press(*("space" if letter == " " else letter for letter in line), "enter")


async def test_the_next_console_knows_what_was_typed_in_the_last(shop: Shop) -> None:
    desk = shop.house.desk
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        await enter(pilot, "tag reso")
        await until(pilot, lambda: desk.read.tags(TicketId(1)) == ("reso",), "tagged")
        await enter(pilot, "note la scatola era vuota")
        await until(pilot, lambda: "note" in {one.kind for one in desk.read.thread(TicketId(1))}, "noted")
        assert app.commands.lines == ["tag reso", "note la scatola era vuota"]
        app.save_everything()
    [file] = Path(shop.database).parent.glob("unsaved-*/*/commands")
    assert file.read_text() == "tag reso\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = shop.console()
    async with again.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press(":")
        await until(pilot, lambda: again.commands.lines == ["tag reso"], "what was kept")
        await until(pilot, lambda: "what was typed before" in shown(again), "the hint")
        await pilot.press("up")
        await until(pilot, lambda: queue.prompt.value == "tag reso", "the line of the other console")


async def test_the_tags_of_the_desk_and_the_customers_tickets_are_offered(shop: Shop) -> None:
    house = shop.house
    house.desk.perform("tag", house.luca, [TicketId(3)], {"tags": ["reclamo"]})
    other = house.customer_writes("Ancora", sender="giulia@example.it", subject="Una tazza blu")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        queue = await list_shown(pilot, 5)
        queue.tickets.move_to_id(TicketId(1))
        await pilot.press(":")
        await until(pilot, lambda: app.commands.is_read, "what was read for it")
        await pilot.press(*"tag", "space", *"rec", "tab")
        await until(pilot, lambda: queue.prompt.value == "tag reclamo", "the tag")
        await pilot.press("ctrl+a", "ctrl+k", *"merge", "space")
        await until(pilot, lambda: "new · Una tazza blu" in shown(app), "the other ticket")
        await pilot.press("tab")
        await until(pilot, lambda: queue.prompt.value == f"merge {other}", "its number")
