"""`python -m tests.demo.screens`: takes the README's screens from the running demo and writes them in their places.

A place is a code block after a line `<!-- screen: NAME -->`. The demo's servers, worker and console are the real ones;
what is on the screen is what a terminal of 100 columns shows.
"""

from __future__ import annotations

import re
import smtplib
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyte

from supportdesk.demo.letters import Original
from supportdesk.demo.mail_set import answer_to
from supportdesk.demo.run import wait_for_tickets
from supportdesk.demo.shop import SHOP, leave_the_users_settings_alone
from supportdesk.demo.stage import Stage
from tests.support.processes import wait_until
from tests.tui.pty_session import PtySession

if TYPE_CHECKING:
    from supportdesk.demo.mail_set import DemoMail

README = Path(__file__).resolve().parents[2] / "README.md"
PLACE = re.compile(r"(<!-- screen: (?P<name>[a-z-]+) -->\n```\n).*?(```\n)", re.DOTALL)
COLUMNS, ROWS = 100, 28
WRITER = "dove-ordine-ferrari"
LIMIT_SECONDS = 30.0


class Terminal:
    """The console in a pseudo-terminal, and the screen that it paints."""

    def __init__(self, session: PtySession) -> None:
        self._session = session
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    def press(self, *keys: str) -> None:
        for key in keys:
            self._session.send(key.encode())
            self._stream.feed(self._session.read_until_quiet(0.25))

    def wait_for(self, words: str) -> None:
        end = time.monotonic() + LIMIT_SECONDS
        while words not in self.text():
            if time.monotonic() > end:
                sys.exit(f"{words!r} never came; the screen shows:\n{self.text()}")
            self._stream.feed(self._session.read_until_quiet(0.3))

    def text(self) -> str:
        """The lines as they stand, without the empty ones at the end."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip() + "\n"


def take(stage: Stage, terminal: Terminal) -> Iterator[tuple[str, str]]:
    """Walk from the queue to a stopped reply; each screen with its name."""
    mail = next(one for one in stage.mails if one.script.id == WRITER)
    ticket = stage.ticket_of(mail.message_id)
    terminal.wait_for("1 Needs reply 6")
    terminal.press("j", "j", "j")
    yield "queue", terminal.text()
    terminal.press("\r")
    terminal.wait_for("È normale?")
    yield "ticket", terminal.text()
    terminal.press("r")
    terminal.wait_for("saved")
    terminal.press("\x12", "ritardo")
    terminal.wait_for("enter take")
    terminal.press("\r")
    terminal.wait_for("Order number:")
    terminal.press("\r")
    terminal.wait_for("New delivery date:")
    terminal.press((stage.now + timedelta(days=5)).date().isoformat(), "\r")
    terminal.wait_for("purtroppo")
    yield "composer", terminal.text()
    seq = stage.desk.read.ticket(ticket).seq if ticket is not None else 0
    write_again(stage, mail)
    wait_until(
        lambda: ticket is not None and stage.desk.read.ticket(ticket).seq > seq,
        seconds=LIMIT_SECONDS,
        what="the customer's second mail to become part of his ticket",
    )
    terminal.press("\x13")
    terminal.wait_for("y send")
    terminal.press("y")
    terminal.wait_for("send anyway")
    yield "stopped", terminal.text()


def write_again(stage: Stage, mail: DemoMail) -> None:
    """The customer adds a line while his answer is being written."""
    first = Original(
        message_id=mail.message_id,
        references=(),
        author=SHOP,
        to=mail.sender,
        date=mail.at,
        subject=mail.script.subject,
        text="",
    )
    raw = answer_to(mail, first, "Aggiungo: domani sono a casa solo fino alle 13.", datetime.now(UTC), "once more")
    with smtplib.SMTP("127.0.0.1", stage.smtp_port, local_hostname="localhost") as server:
        server.sendmail(mail.sender.addr, [SHOP.addr], raw)


def main() -> int:
    readme = README.read_text("utf-8")
    wanted = {match["name"] for match in PLACE.finditer(readme)}
    with running_demo() as (stage, terminal):
        screens = dict(take(stage, terminal))
    if missing := wanted - screens.keys():
        sys.exit(f"README.md asks for screens that nobody takes: {', '.join(sorted(missing))}")
    README.write_text(PLACE.sub(lambda match: f"{match[1]}{screens[match['name']]}{match[3]}", readme), "utf-8")
    print(f"README.md: {len(wanted)} screens; also taken: {', '.join(sorted(screens.keys() - wanted)) or 'none'}")
    return 0


@contextmanager
def running_demo() -> Iterator[tuple[Stage, Terminal]]:
    leave_the_users_settings_alone()
    with (
        tempfile.TemporaryDirectory() as directory,
        Stage(
            Path(directory), language="en", undo_seconds=15, progress=lambda text: print(text, file=sys.stderr)
        ) as stage,
    ):
        counts = stage.put_into_mailbox()
        stage.start_worker()
        wait_for_tickets(stage, sum(counts.values()))
        stage.play_earlier_days()
        program = [str(Path(sys.executable).parent / "supportdesk"), "--config", str(stage.config.source)]
        with PtySession(program, columns=COLUMNS, rows=ROWS) as session:
            yield stage, Terminal(session)


if __name__ == "__main__":
    sys.exit(main())
