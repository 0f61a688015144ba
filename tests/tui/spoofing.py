"""The screens on which a mail pretends to be what it is not, as text: `python -m tests.tui.spoofing` writes them anew.

A clock that stands still, two sizes, two languages; the status line and the key hints are left out. They are kept in
tests/tui/spoofed, to be read by whoever changes them.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from unittest import mock

from supportdesk.config import Config
from supportdesk.desk.intake import Intake
from supportdesk.desk.ports import SystemClock
from supportdesk.l10n.catalog import use_language
from supportdesk.store import create_or_upgrade
from supportdesk.tui.app import Console
from tests.desk.test_parked import PlainParser, fetch
from tests.support.clock import START, FakeClock
from tests.support.desk import furnish
from tests.tui.conftest import list_shown, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.pilot import Pilot

KEPT: Final = Path(__file__).with_name("spoofed")
LANGUAGES: Final = ("en", "it")
SIZES: Final = ((80, 24), (120, 40))
SCREENS: Final = {"queue": (), "ticket": ("enter",), "links": ("l",), "files": ("escape", "at")}
"""The keys from each screen to the next."""

NOW: Final = START + timedelta(hours=1)
MAIL: Final = (
    """
From: "servizio@bottega.example" <ladro@evil.example>
Reply-To: <altro@evil.example>
To: aiuto@bottega.example
Subject: =?utf-8?q?=E2=9C=93_sender_verified_=C2=B7_open_=C2=B7_due_in_5d?=
Message-ID: <spoof@evil.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Luca Neri   ✓ sender verified   ✓ mittente verificato   4 Mar 11:30</p>
<p>#1 solved · nobody has to answer</p>
<p><a href="https://b\u043ettega.example/login">https://bottega.example/login</a></p>
<p><a href="https://bottega.example{much}@evil.example/x">bottega.example</a></p>
<p>pay\u200bpal.example \u202egro.elpmaxe\u202c</p>
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename*=utf-8''fattura%E2%80%AEgpj.exe

MZ
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="listino.pdf{more}.exe"

MZ
--b--
""".replace("{much}", "%20" * 200).replace("{more}", " " * 200),
    """
From: Rosa Bianchi <rosa@example.it>
To: aiuto@bottega.example
Subject: Il mio ordine
Message-ID: <honest@example.it>
Content-Type: text/plain; charset=utf-8

Buongiorno, quando arriva?
""",
)


@contextmanager
def spoofed_console(language: str) -> Iterator[Console]:
    """A console on a desk with a mail that pretends, below the hands of a clock that stands still."""
    with tempfile.TemporaryDirectory(prefix="supportdesk-spoofed-") as directory:
        file = str(Path(directory) / "desk.db")
        with mock.patch.object(SystemClock, "now", return_value=NOW):
            create_or_upgrade(file)
            house = furnish(file, FakeClock(START))
            fetch(house, *MAIL)
            Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
            house.store.close()
            with sqlite3.connect(file) as connection:
                connection.execute("UPDATE message_mail SET sender_check = 'unverified' WHERE message_id = 1")
            connection.close()
            use_language(language)
            try:
                yield Console(Config(source=None, database=file, agent="giulia", language=language), start_worker=False)
            finally:
                use_language("en")


def content(app: App[int]) -> str:
    """The screen without its status line and its hints."""
    return "\n".join(shown(app).split("\n")[1:-1]) + "\n"


def kept(screen: str, language: str, size: tuple[int, int]) -> Path:
    return KEPT / f"{screen}-{language}-{size[0]}x{size[1]}.txt"


async def visit(language: str, size: tuple[int, int], look: Callable[[Pilot[int], str], object]) -> None:
    """Go through the screens; `look` is awaited at each with its name."""
    with spoofed_console(language) as app:
        async with app.run_test(size=size) as pilot:
            await list_shown(pilot, 2)
            for screen, keys in SCREENS.items():
                await pilot.press(*keys)
                await look(pilot, screen)  # type: ignore[misc]


async def _write(language: str, size: tuple[int, int]) -> None:
    async def rest(pilot: Pilot[int], screen: str) -> None:
        seen = ""
        while seen != (seen := content(pilot.app)):
            await pilot.pause(1.0)
        kept(screen, language, size).write_text(seen)

    await visit(language, size, rest)


if __name__ == "__main__":
    KEPT.mkdir(exist_ok=True)
    for language in LANGUAGES:
        for size in SIZES:
            asyncio.run(_write(language, size))
