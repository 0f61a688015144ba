"""Over SSH a file lies on the agent's own machine: the ready command is shown, and the file stands in the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.config import Config
from supportdesk.desk.model import TicketId
from supportdesk.tui.app import Console
from supportdesk.tui.screens.compose import ComposeScreen
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from textual.pilot import Pilot

COMMAND = "ssh desk supportdesk draft attach 1 FILE < FILE"


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")


def console(shop: Shop, **options: Any) -> Console:
    config = Config(source=None, database=shop.database, agent="giulia", ssh_host="desk")
    return Console(config, start_worker=False, **options)


async def composing(pilot: Pilot[int], key: str = "r") -> ComposeScreen:
    await list_shown(pilot)
    await pilot.press(key)
    return await screen_of(pilot, ComposeScreen)


async def test_the_command_is_shown_and_copied_beside_the_path(shop: Shop, remote: None) -> None:
    app = console(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composing(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: COMMAND in shown(app), "the command")
        await pilot.press("c")
        await until(pilot, lambda: "Copied the command" in notices(app), "that it was copied")
        assert app.clipboard == COMMAND
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "f a file of this machine" in shown(app), "the other way")
        await pilot.press("f")
        await until(pilot, lambda: screen.prompt.purpose == "attach", "the path")


async def test_a_restricted_agent_has_the_command_and_no_path(shop: Shop, remote: None) -> None:
    app = console(shop, restricted=True)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composing(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: COMMAND in shown(app), "the command")
        assert "a file of this machine" not in shown(app)
        await pilot.press("f")
        await pilot.pause()
        assert screen.prompt.purpose == ""


async def test_without_ssh_a_restricted_agent_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    app = console(shop, restricted=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await composing(pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "cannot be attached here" in notices(app), "the refusal")


async def test_the_file_that_was_sent_stands_in_the_composer_and_keeps_the_draft(shop: Shop, remote: None) -> None:
    desk, giulia = shop.house.desk, shop.house.giulia
    app = console(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        await composing(pilot)
        await until(pilot, lambda: desk.drafts(giulia), "the draft")
        row = desk.open_draft(giulia, TicketId(1))  # as `draft attach` finds it
        desk.attach(giulia, row.id, "label.pdf", "application/pdf", b"%PDF-1.4")
        await until(pilot, lambda: "label.pdf" in shown(app), "the file")
        await pilot.press("escape")
        await list_shown(pilot)
        [kept] = desk.drafts(giulia)
        assert [one.name for one in kept.attachments] == ["label.pdf"]


async def test_what_was_typed_meanwhile_and_the_file_are_both_kept(shop: Shop, remote: None) -> None:
    desk, giulia = shop.house.desk, shop.house.giulia
    app = console(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        await composing(pilot)
        await pilot.press(*"Ecco")
        row = desk.open_draft(giulia, TicketId(1))
        desk.attach(giulia, row.id, "label.pdf", "application/pdf", b"%PDF-1.4")
        await pilot.press(*"la")
        await until(pilot, lambda: desk.outbox_row(row.id).body.startswith("Eccola"), "the text")
        assert [one.name for one in desk.outbox_row(row.id).attachments] == ["label.pdf"]
        assert "another window" not in notices(app)


async def test_a_forward_names_its_own_draft(shop: Shop, remote: None) -> None:
    app = console(shop)
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await composing(pilot, "f")
        await pilot.press("ctrl+t")
        number = screen.keeper.row.id
        await until(pilot, lambda: f"draft attach --draft {number} 1 FILE < FILE" in shown(app), "the command")
