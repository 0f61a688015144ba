"""A terminal that answers, stalls, is taken away or killed: no word lost, all put back, nothing obeyed (D07, D09, D10).

In a real pseudo-terminal; `./desk faults --part terminal` does what is random here at length.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from tests.support.processes import wait_until
from tests.tui.conftest import PROGRAM, Shop
from tests.tui.pty_session import PtySession
from tests.tui.replies import terminal_reply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST = TicketId(1)
PATIENCE = 60.0
REPLIES = 150
PUT_BACK = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?2004l", b"\x1b[?25h")
"""What leaves the second screen, the mouse and the marked paste, and shows the cursor."""


def console(shop: Shop, **variables: str) -> PtySession:
    return PtySession([sys.executable, "-c", PROGRAM], **shop.environment() | variables)


def has_ended(running: PtySession) -> bool:
    return os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def drafts(shop: Shop) -> list[str]:
    return [row.body for row in shop.house.desk.read.outbox(states=["draft"])]


@pytest.fixture
def writing(shop: Shop) -> Iterator[PtySession]:
    """A console in which a reply is being written."""
    with console(shop) as running:
        begin_a_reply(running)
        yield running


def begin_a_reply(running: PtySession) -> None:
    running.read_until(b"Hans Meier", PATIENCE)
    running.read_until_quiet(0.5)
    running.send(b"r")
    running.read_until(b"Subject", PATIENCE)
    running.read_until_quiet(0.5)


def test_what_a_terminal_answers_is_no_key_and_no_text(shop: Shop) -> None:
    """D07: in the list nothing is done, and in a field nothing is written."""
    chance = random.Random(20261122)
    before = events(shop)
    with console(shop) as running:
        running.read_until(b"Hans Meier", PATIENCE)
        running.read_until_quiet(0.5)
        for _unused in range(REPLIES):
            running.send(terminal_reply(chance))
        running.read_until_quiet(1.0)
        assert events(shop) == before
        running.send(b"\x1b")
        running.read_until_quiet(0.5)
        begin_in(running)
        for _unused in range(REPLIES):
            running.send(terminal_reply(chance))
        running.send(b"Ciao")
        wait_until(lambda: drafts(shop) == ["Ciao"], seconds=PATIENCE, what=f"nothing but the text: {drafts(shop)}")
        assert events(shop) == before


def begin_in(running: PtySession) -> None:
    running.send(b"r")
    running.read_until(b"Subject", PATIENCE)
    running.read_until_quiet(0.5)


def events(shop: Shop) -> int:
    return len(shop.house.desk.read.rows("event", {"actor_kind": "agent"}))


def test_a_paste_that_ends_itself_is_text_to_its_end(shop: Shop, writing: PtySession) -> None:
    """The breakout: what stands after a forged end of the paste is typed by nobody."""
    writing.send(b"\x1b[200~uno \x1b[201~")
    writing.read_until_quiet(0.3)
    writing.send(b"\x1b[200~due\x1b[20\x1b[201~")
    wait_until(lambda: any("uno" in text and "due" in text for text in drafts(shop)), seconds=PATIENCE, what="the text")
    assert not any("\x1b" in text for text in drafts(shop))


def test_a_stalled_terminal_loses_no_word(shop: Shop, writing: PtySession) -> None:
    """Nothing is read for four seconds while more is typed than the line holds."""
    words = [f"parola{number} " for number in range(160)]
    end = time.monotonic() + 4.0
    for word in words:
        writing.send(word.encode())
        time.sleep(0.025)
    while time.monotonic() < end:
        time.sleep(0.05)
    writing.read_until_quiet(1.0)
    text = "".join(words)
    wait_until(lambda: drafts(shop) == [text], seconds=PATIENCE, what="every word in the draft")


def test_a_killed_console_loses_at_most_two_seconds(shop: Shop, tmp_path: Path) -> None:
    """By the console's own clock it is killed two seconds after the first letter, while somebody types on."""
    noted = tmp_path / "noted"
    program = [sys.executable, "-m", "tests.tui.killed_console", str(noted)]
    with PtySession(program, **shop.environment()) as running:
        begin_a_reply(running)
        type_until_killed(running)
    [stored] = drafts(shop)
    assert noted.read_text() and stored.startswith(noted.read_text())


def type_until_killed(running: PtySession) -> None:
    for number in range(2_000):
        if has_ended(running):
            break
        running.send(f"p{number} ".encode())
        running.read_until_quiet(0.05)
    ended = os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None and ended.si_status == signal.SIGKILL


@pytest.mark.parametrize(("language", "waits", "offers"), [
    ("en", "A canned response that you edited is not saved", "An unsaved edit of"),
    ("it", "risposta pronta modificata e non salvata", "Modifica non salvata di"),
])  # fmt: skip
def test_a_killed_console_loses_at_most_two_seconds_of_an_unsaved_response(
    shop: Shop, tmp_path: Path, language: str, waits: str, offers: str
) -> None:
    noted = tmp_path / "noted"
    before = shop.house.desk.canned_entries()
    environment = shop.environment() | {"SUPPORTDESK_LANGUAGE": language}
    with PtySession([sys.executable, "-m", "tests.tui.killed_console", str(noted)], **environment) as running:
        running.read_until(b"Hans Meier", PATIENCE)
        running.send(b"gt\re")  # the first response, and its text
        running.read_until(b"{{ customer", PATIENCE)
        running.read_until_quiet(0.5)
        type_until_killed(running)
    assert shop.house.desk.canned_entries() == before, "customers and colleagues see nothing of it"
    typed = noted.read_text()
    with console(shop, SUPPORTDESK_LANGUAGE=language) as running:
        running.read_until(waits.encode(), PATIENCE)
        running.send(b"gt\re")
        running.read_until(offers.encode(), PATIENCE)
        running.send(b"c")
        running.read_until(typed.rpartition("\n")[2].encode(), PATIENCE)
        running.read_until_quiet(0.5)
        running.send(b"\x1b")
        running.read_until_quiet(0.5)
        running.send(b"d")  # discard
        wait_until(lambda: not [*tmp_path.glob("unsaved-*/*/*")], seconds=PATIENCE, what="it is gone")
    assert typed


@pytest.mark.parametrize("term", ["xterm-256color", "xterm", "screen", "linux", "dumb"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_put_back_and_the_draft_is_kept(shop: Shop, term: str, number: signal.Signals) -> None:
    with PtySession([sys.executable, "-c", f"import os; os.environ['TERM'] = {term!r}; {PROGRAM}"],
                    **shop.environment()) as running:  # fmt: skip
        before = termios.tcgetattr(running.handle)
        begin_a_reply(running)
        running.send(b"Ultima parola")
        running.read_until(b"parola", PATIENCE)
        os.kill(running.pid, number)
        output = running.read_until(b"\x1b[?1049l", PATIENCE) + running.read_until_quiet(1.0)
        wait_until(lambda: has_ended(running), seconds=PATIENCE, what="the end")
        assert [name for name in PUT_BACK if name not in output] == []
        after = termios.tcgetattr(running.handle)
        assert after[3] & (termios.ECHO | termios.ICANON | termios.ISIG), "the line is read as before"
        assert after[3] == before[3] or before[3] & termios.ICANON == 0
    assert drafts(shop) == ["Ultima parola"]
    looks = shop.house.desk.read.rows("presence")
    assert [row for row in looks if row["mode"] == "replying"] == []


@pytest.mark.parametrize("is_writing", [False, True])
def test_a_crash_leaves_the_terminal_as_it_was_loses_no_word_and_tells_no_secret(shop: Shop, is_writing: bool) -> None:
    """D10: what stands in local variables, in a customer's mail and in the error reaches neither screen nor line."""
    program = (
        "from supportdesk.tui.screens.queue import QueueScreen\n"
        "def broken(self):\n"
        "    password = 'correct horse battery'\n"
        "    customer = 'giulia@example.it'\n"
        "    raise RuntimeError(f'cannot log in as {customer} with {password}')\n"
        "QueueScreen.do_help = broken\n"
        "from supportdesk.tui.screens.compose import ComposeScreen\n"
        "ComposeScreen.do_help = broken\n"
    ) + PROGRAM.replace("; ", ";").replace(";", "\n")
    with PtySession([sys.executable, "-c", program], **shop.environment()) as running:
        if is_writing:
            begin_a_reply(running)
            running.send(b"Ultima parola\x1bOP")  # and f1, before anything is saved
        else:
            running.read_until(b"Hans Meier", PATIENCE)
            running.read_until_quiet(0.5)
            running.send(b"?")
        output = running.read_until(b"The console broke. Your drafts are saved.", PATIENCE)
        output += running.read_until_quiet(1.0)
    assert b"console.log" in output.replace(b"\r\n", b""), "a long path goes on in the next line"
    assert [name for name in PUT_BACK if name not in output] == []
    after = output[output.rindex(b"\x1b[?1049l") :]
    for secret in (b"correct horse", b"giulia@example.it", b"RuntimeError", b"Traceback"):
        assert secret not in after, secret
    assert drafts(shop) == ["Ultima parola"] * is_writing
