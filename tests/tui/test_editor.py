"""The agent's own editor: whatever becomes of it or of the console meanwhile, no word is lost and colleagues see it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, cast

import pytest

from supportdesk.desk.model import OutboxId, TicketId
from supportdesk.errors import UsageError
from supportdesk.tui.editor import edit_text
from supportdesk.tui.editor_files import EditorFiles, hold
from supportdesk.tui.screens.compose import ComposeScreen
from supportdesk.tui.unsaved_edits import what_was_begun
from tests.support.processes import wait_until
from tests.tui.conftest import PATIENCE, PROGRAM, Shop, list_shown, notices, screen_of, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import App

    from tests.support.terminal import Terminal

FIRST = TicketId(1)


@pytest.fixture
def editor(tmp_path: Path) -> Callable[[str], str]:
    """Makes an editor of a line of shell; `$1` is its file, `$PPID` the console."""

    def make(line: str) -> str:
        path = tmp_path / "editor"
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return str(path)

    return make


def drafts(shop: Shop) -> list[str]:
    return [row.body for row in shop.house.desk.read.outbox(states=["draft"])]


def start(terminal: Terminal, shop: Shop, editor: str, program: str = PROGRAM) -> None:
    environment = {**shop.environment(), "VISUAL": editor}
    terminal.start([sys.executable, "-c", program], columns=80, lines=24, environment=environment)
    terminal.wait_for("Hans Meier", seconds=30)


def write_a_reply(terminal: Terminal, text: str) -> None:
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.type(text)
    terminal.wait_for(text)
    terminal.press("C-g")


@pytest.mark.tmux
def test_an_interrupt_is_the_editors_and_costs_the_console_nothing(
    terminal: Terminal, shop: Shop, tmp_path: Path, editor: Callable[[str], str]
) -> None:
    ignored = tmp_path / "ignored"
    interrupts = "kill -INT $PPID; " * 2 + "kill -QUIT $PPID"
    kept = f"sed -n s/SigIgn://p /proc/$$/status > {ignored}"
    start(terminal, shop, editor(f"{kept}; printf 'Scritto fuori' > \"$1\"; {interrupts}"))
    write_a_reply(terminal, "Prima")
    wait_until(lambda: drafts(shop) == ["Scritto fuori"], seconds=PATIENCE, what="the draft")
    terminal.type(" e dentro")
    terminal.wait_for("^ Scritto fuori e dentro")
    assert int(ignored.read_text(), 16) & 0b110 == 0, "the editor itself can be interrupted"


@pytest.mark.tmux
def test_what_an_editor_wrote_is_back_after_the_console_was_killed(
    terminal: Terminal, shop: Shop, tmp_path: Path, editor: Callable[[str], str]
) -> None:
    start(terminal, shop, editor("printf 'Scritto fuori' > \"$1\"; kill -KILL $PPID"))
    terminal.press("r")
    terminal.wait_for("Subject +Re: Ordine 5521")
    terminal.press("C-g")
    assert terminal.wait_for_exit() == 128 + signal.SIGKILL
    assert drafts(shop) == [""]
    start(terminal, shop, "true")
    terminal.wait_for("Your draft for #1 waits")
    terminal.press("g", "d")
    terminal.wait_for("Drafts, yours first")
    terminal.press("Enter")
    terminal.wait_for("^ Scritto fuori")
    wait_until(lambda: drafts(shop) == ["Scritto fuori"], seconds=PATIENCE, what="the draft")
    wait_until(lambda: not [*tmp_path.glob("unsaved-*/*/*")], seconds=PATIENCE, what="nothing is kept twice")


@pytest.mark.tmux
def test_colleagues_see_who_writes_also_while_he_writes_in_his_editor(
    terminal: Terminal, shop: Shop, tmp_path: Path, editor: Callable[[str], str]
) -> None:
    goes_on = tmp_path / "goes on"
    goes_on.touch()
    beats_often = f"import supportdesk.tui.presence as presence; presence.HEARTBEAT = 0.05; {PROGRAM}"
    waits = f"touch '{tmp_path}/began'; while test -e '{goes_on}'; do sleep 0.05; done"
    start(terminal, shop, editor(waits), beats_often)
    write_a_reply(terminal, "Prima")
    wait_until((tmp_path / "began").exists, seconds=PATIENCE, what="the editor")
    seen: set[object] = set()

    def beats() -> bool:
        seen.update(row["at"] for row in shop.house.desk.read.rows("presence") if row["mode"] == "replying")
        return len(seen) > 3

    wait_until(beats, seconds=PATIENCE, what="the heartbeat")
    goes_on.unlink()
    terminal.wait_for("^ Prima")


class Suspended:
    """A console that an editor can take the place of."""

    suspend = staticmethod(nullcontext)


@pytest.mark.parametrize(("program", "said"), [
    ('rm "$1"', "No such file"),
    ('mv "$1" "$1.moved"', "No such file"),
    ('rm "$1"; mkdir "$1"', "Is a directory"),
    (': > "$1"; exit 1', "its file is empty"),
    (': > "$1"; kill -9 $$', "its file is empty"),
])  # fmt: skip
def test_an_editor_that_leaves_nothing_is_told_and_the_text_stays(
    monkeypatch: pytest.MonkeyPatch, editor: Callable[[str], str], program: str, said: str
) -> None:
    monkeypatch.setenv("VISUAL", editor(program))
    with pytest.raises(UsageError, match=f"left no text .*{said}.* yours is as it was before"):
        edit_text(cast("App[object]", Suspended()), "Prima")


@pytest.mark.parametrize(("program", "text"), [
    (': > "$1"', ""),
    ('printf "Dopo\n" > "$1"; exit 1', "Dopo"),
    ('printf "Salvato" > "$1.save"; kill -HUP $$', "Salvato"),  # nano, whose terminal was taken away
])  # fmt: skip
def test_the_file_is_trusted_more_than_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, editor: Callable[[str], str], program: str, text: str
) -> None:
    monkeypatch.setenv("VISUAL", editor(program))
    assert edit_text(cast("App[object]", Suspended()), "Prima") == text


def test_a_command_that_cannot_be_read_and_a_disk_without_room_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = cast("App[object]", Suspended())
    monkeypatch.setenv("VISUAL", "vi 'x")
    with pytest.raises(UsageError, match="VISUAL is no command, a quotation mark is not closed: vi 'x"):
        edit_text(app, "Prima")
    monkeypatch.setenv("VISUAL", "true")
    (tmp_path / "text.txt").symlink_to("/dev/full")
    with pytest.raises(UsageError, match="cannot be used"):
        edit_text(app, "Prima", hold(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="no room"):
        edit_text(app, "Prima")


async def test_what_was_left_behind_stands_below_what_was_written_since(shop: Shop) -> None:
    row = shop.house.draft(FIRST, body="Prima")
    app = shop.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await list_shown(pilot)
        assert app.session is not None
        files = EditorFiles(app.session)
        left = files.hold(row.id)
        left.write("Prima, altrove")
        left.path.write_text("Fuori\n")
        with pytest.raises(UsageError, match="another console"):
            files.hold(row.id)
        assert files.find(row.id) is None, "while somebody holds it, it is his"
        left.release()
        (left.path.parent / ".text.txt.swp").touch()  # of vi, whose terminal went away
        await pilot.press("r")
        screen = await screen_of(pilot, ComposeScreen)
        await until(pilot, lambda: drafts(shop) == ["Prima\n\nFuori"], "both texts, saved")
        assert screen.body.text == "Prima\n\nFuori"
        await until(pilot, lambda: not files.has_left(row.id), "nothing is left")
        await pilot.press("ctrl+g")
        await until(pilot, lambda: "cannot be suspended" in notices(app), "no editor in here")
        assert screen.body.text == "Prima\n\nFuori"
        await pilot.press("escape")
        await list_shown(pilot)
        await pilot.press("r")
        await until(pilot, lambda: "Your editor kept text of this draft" in notices(app), "what vi can recover")


def test_what_vi_can_recover_is_kept_for_it(tmp_path: Path) -> None:
    file = hold(tmp_path / "draft-1")
    file.write("Prima")
    swap = tmp_path / "draft-1" / ".text.txt.swp"
    swap.touch()
    (tmp_path / "draft-1" / "text.txt~").touch()
    file.forget()
    assert [*(tmp_path / "draft-1").iterdir()] == [swap]


async def test_words_of_a_draft_that_is_gone_do_not_stay_for_ever(shop: Shop) -> None:
    kept = shop.house.draft(FIRST, body="Prima").id
    gone, fresh = OutboxId(kept + 1), OutboxId(kept + 2)
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        await list_shown(pilot)
        assert app.session is not None
        files = EditorFiles(app.session)
        for draft in (kept, gone, fresh):
            left = files.hold(draft)
            left.write("Prima")
            left.path.write_text("Fuori")
            (left.path.parent / ".text.txt.swp").touch()
            if draft != fresh:
                os.utime(left.path.parent, (0, 0))
            left.release()
        what_was_begun(app.session)
        assert [files.has_left(draft) for draft in (kept, gone, fresh)] == [True, False, True]
        assert not (left.path.parents[1] / f"draft-{gone}").exists()
