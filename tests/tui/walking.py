"""Walks over all keys of a place: each key is pressed, and what it does is seen. A desk where every key has work."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from supportdesk.config import Config
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.desk import Desk
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import Server, TicketId
from supportdesk.store import create_or_upgrade, open_store
from supportdesk.tui.app import Console
from supportdesk.tui.default_keys import DEFAULT_BINDINGS
from supportdesk.tui.screens.base import DeskScreen
from supportdesk.tui.screens.queue import QueueScreen
from tests.desk.test_parked import ABSENCE, PlainParser, fetch
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish
from tests.tui.conftest import MAIL, notices, screen_of, shown
from tests.tui.test_looks import MAIL as WITH_FILES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from textual.pilot import Pilot
    from textual.screen import Screen

    from tests.support.postgres import PostgresServer

ScreenKind = TypeVar("ScreenKind", bound="Screen[Any]")

NAMES = {"esc": "escape"}
PATIENCE = 60.0
CUSTOMERS = 40
PIA = TicketId(1)
"""The ticket at the top: files, links, a raw mail, three messages, and a customer with another ticket."""

OTHER = TicketId(2)
"""Pia's other ticket."""


def busy_house(url: str) -> House:
    """More tickets than fit on a screen, and one of everything that a key can be for."""
    clock = FakeClock(datetime.now(UTC) - timedelta(hours=5))
    house = furnish(url, clock)
    desk, giulia = house.desk, house.giulia
    desk.import_canned(giulia, starter_set())
    desk.save_mailbox(giulia, {"address": "resi@bottega.example", "name": "Resi", "zone": "Europe/Rome"})
    desk.save_mailbox(giulia, {"id": house.mailbox_id, "imap": Server("localhost", 1, "none", "aiuto")})
    quoted = "E la scatola?\n\n> Ecco le misure.\n> larghezza\n> altezza\n> profondità"
    fetch(house, WITH_FILES, _answer("second", quoted), _answer("third", "Lunga\n" * 90), *_absences())
    Intake(desk, PlainParser(), lambda _text: "it").process_all()
    house.pass_time(minutes=5)
    other = house.customer_writes("Un’altra cosa", subject="Di nuovo io", sender="pia@example.it", name="Pia Neri")
    assert (house.ticket(PIA).message_count, other) == (3, OTHER)
    for name, address, language, subject, text in MAIL:
        house.pass_time(minutes=1)
        house.customer_writes(text, sender=address, name=name, language=language, subject=subject)
    for number in range(CUSTOMERS):
        house.pass_time(minutes=1)
        house.customer_writes(sender=f"c{number}@example.it", name=f"Cliente {number}")
    clock.set_wall(datetime.now(UTC))
    _fill_the_lists(house)
    return house


def _fill_the_lists(house: House) -> None:
    """Three rows in every list: the outbox, the drafts, the notices, the saved views."""
    for number, state in enumerate(("failed", "uncertain", "deferred"), start=20):
        house.deliver(house.reply(TicketId(number)).id, state)
        house.draft(TicketId(number + 5), body=f"Bozza {number}")
        house.desk.add_note(house.luca, TicketId(number + 10), "@giulia guarda")
        house.desk.add_view(house.giulia, f"Vista {number}", f"tag:reso{number}")


def _absences() -> list[str]:
    return [ABSENCE.replace("auto@", f"auto{number}@").replace("ugo@", f"ugo{number}@") for number in range(3)]


def _answer(name: str, text: str) -> str:
    """Another mail of Pia's to her first."""
    return (
        f"From: Pia Neri <pia@example.it>\nTo: aiuto@bottega.example\nSubject: Re: Foto e misure\n"
        f"Message-ID: <{name}@example.it>\nIn-Reply-To: <files@example.it>\n\n{text}"
    )


def console(url: str, agent: str = "giulia", **settings: str) -> Console:
    config = Config(source=None, database=url, agent=agent, **settings)  # type: ignore[arg-type]
    return Console(config, start_worker=False)


def names_of(keys: str) -> list[str]:
    """What Textual calls the keys of a binding: `g g`, `^d`, `esc`."""
    return [f"ctrl+{key[1:]}" if len(key) == 2 and key[0] == "^" else NAMES.get(key, key) for key in keys.split(" ")]


class Walk:
    """A console that is walked through; what was pressed is noted, so that no key of a place is left out."""

    def __init__(self, app: Console, pilot: Pilot[int], house: House) -> None:
        self.app, self.pilot, self.house = app, pilot, house
        self.pressed: set[str] = set()
        self.edited: list[str] = []  # what an external editor was given

    async def __call__(self, keys: str, effect: Callable[[], object], what: str = "") -> None:
        """Press the keys of a binding: the effect must not be there before, and must be there then."""
        what = what or f"what {keys} does"
        assert not effect(), f"{keys}: {what} was there before"
        self.pressed.add(keys)
        await self.pilot.press(*names_of(keys))
        await self.until(effect, what)

    async def then(self, *keys: str, until: Callable[[], object], what: str = "") -> None:
        """Answer what a key has asked."""
        assert not until(), f"{keys}: {what} was there before"
        await self.pilot.press(*keys)
        await self.until(until, what or f"what {' '.join(keys)} does")

    async def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"never: {what}; the screen:\n{self.shown}\n{notices(self.app)}")
            await self.pilot.pause(0.01)

    async def opens(self, keys: str, kind: type[ScreenKind], *back: str) -> ScreenKind:
        """The keys bring a screen of that kind in front; `back` leads from there to where they were pressed."""
        before = self.app.screen
        await self(keys, lambda: isinstance(self.app.screen, kind) and self.app.screen is not before, kind.__name__)
        screen = await screen_of(self.pilot, kind)
        await self.until(lambda: not isinstance(screen, DeskScreen) or screen.is_ready, "its widgets")
        if back:
            await self.go_back(before, *back)
        return screen

    async def go_back(self, to: Screen[Any], *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.until(lambda: self.app.screen is to, f"back with {' '.join(keys)}")

    async def asks(self, keys: str, purpose: str) -> None:
        """The keys ask for a line."""
        screen = self.app.screen
        assert isinstance(screen, DeskScreen)
        await self(keys, lambda: screen.prompt.purpose == purpose, f"the line for {purpose}")

    async def says(self, keys: str, words: str) -> None:
        """The keys lead to a notice."""
        await self.until(lambda: words not in notices(self.app), "an earlier notice is gone")
        await self(keys, lambda: words in notices(self.app), words)

    async def leaves(self) -> None:
        """`^q` asks, `q` ends the console."""
        await self("^q", self.shows("Leave?"), "the question")
        await self.then("q", until=lambda: self.app.return_code is not None)

    def shows(self, words: str) -> Callable[[], bool]:
        return lambda: words in self.shown

    @property
    def shown(self) -> str:
        return shown(self.app)


def keys_of(place: str) -> set[str]:
    """Every key of a place, as they come."""
    return {binding.keys for binding in DEFAULT_BINDINGS if place in binding.contexts}


@asynccontextmanager
async def at_the_list(url: str, house: House, **settings: str) -> AsyncIterator[tuple[Walk, QueueScreen]]:
    """A console that shows the list: 120x40 on SQLite, 80x24 on Postgres, so that both sizes are walked through."""
    app = console(url, **settings)
    async with app.run_test(size=(120, 40) if url.startswith("sqlite") else (80, 24)) as pilot:
        walk = Walk(app, pilot, house)
        yield walk, await the_list(walk)


async def the_list(walk: Walk) -> QueueScreen:
    """The queue with all who wait, the cursor on Pia's ticket."""
    queue = await screen_of(walk.pilot, QueueScreen)
    await walk.until(partial(_is_listed, queue), "the list")
    return queue


def _is_listed(queue: QueueScreen) -> bool:
    return len(queue.tickets.spine) > CUSTOMERS // 2 and queue.current_id() == PIA


def open_house(url: str) -> House:
    """The house of `busy_house`, as another process left it."""
    clock = FakeClock(datetime.now(UTC))
    desk = Desk(open_store(url, clock), clock)
    giulia, luca, anna = (desk.agent_by_login(login).actor() for login in ("giulia", "luca", "anna"))
    return House(desk, clock, url, giulia, luca, anna, desk.mailboxes()[0].id)


# ---- the desk that is walked through, once on each kind of database --------------------------------------------------


def fill(url: str) -> None:
    create_or_upgrade(url)
    busy_house(url).store.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("busy") / "desk.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A desk where every key has work: a copy of one that was filled once."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # what a console keeps for itself
    if request.param == "sqlite":
        path = tmp_path / "desk.db"
        path.write_bytes(request.getfixturevalue("filled").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    made = server.create_from("busy", fill)
    yield made
    server.drop_database(made)


@pytest.fixture
def house(url: str) -> Iterator[House]:
    found = open_house(url)
    yield found
    found.store.close()
