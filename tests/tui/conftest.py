"""A shop with customers who have written, and consoles on it: the desk and its database are the real ones."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from supportdesk.config import Config
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.model import AgentId
from supportdesk.store import create_or_upgrade
from supportdesk.tui.app import Console
from supportdesk.tui.screens.queue import QueueScreen
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import App
    from textual.pilot import Pilot

ScreenKind = TypeVar("ScreenKind")
PATIENCE = 20.0
MAIL = (
    ("Giulia Rossi", "giulia@example.it", "it", "Ordine 5521 non arrivato", "Buongiorno, dove è il mio ordine 5521?"),
    ("Hans Meier", "hans@example.de", "de", "Rückgabe: falsche Größe", "Guten Tag, die Schuhe sind zu klein."),
    ("Zoé Lefèvre", "zoe@example.fr", "fr", "Facture pour la commande 5533", "Bonjour, la facture s’il vous plaît."),
    ("Mary O’Neil", "mary@example.ie", "en", "re: [/b] Where is my [@click=app.quit]order[/]?", "Where?\x1b]0;x\x07"),
)


@dataclass
class Shop:
    """The house and what a console needs to come in."""

    house: House
    database: str

    def console(self, agent: str = "giulia") -> Console:
        return Console(Config(source=None, database=self.database, agent=agent), start_worker=False)

    def environment(self) -> dict[str, Any]:
        """For a console in a process of its own."""
        return {"SUPPORTDESK_DATABASE": self.database, "SUPPORTDESK_AGENT": "giulia", "PYTHONPATH": str(SOURCE)}


SOURCE = Path(__file__).resolve().parents[2] / "src"
PROGRAM = (
    "import sys; from supportdesk.config import load_config; from supportdesk.tui.app import run_console;"
    "sys.exit(run_console(load_config(), start_worker=False))"
)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with its schema, made once."""
    path = tmp_path_factory.mktemp("prepared") / "desk.db"
    create_or_upgrade(str(path))
    return path


@pytest.fixture
def shop(tmp_path: Path, prepared: Path) -> Iterator[Shop]:
    """Four customers wait, each for half an hour less than the one before; the canned responses are there."""
    path = tmp_path / "desk.db"
    path.write_bytes(prepared.read_bytes())
    clock = FakeClock(datetime.now(UTC) - timedelta(hours=3))
    house = furnish(str(path), clock)
    house.desk.import_canned(house.giulia, starter_set())
    house.desk.set_agent(house.giulia, AgentId(house.giulia.id or 0), languages=("it", "en", "de", "fr"))
    for name, address, language, subject, text in MAIL:
        house.customer_writes(text, sender=address, name=name, language=language, subject=subject)
        house.pass_time(minutes=30)
    clock.set_wall(datetime.now(UTC))
    yield Shop(house, str(path))
    house.store.close()


@pytest.fixture
def empty_shop(tmp_path: Path, prepared: Path) -> Iterator[Shop]:
    """A desk with a mailbox to which nobody has written yet."""
    path = tmp_path / "desk.db"
    path.write_bytes(prepared.read_bytes())
    house = furnish(str(path), FakeClock(datetime.now(UTC)))
    yield Shop(house, str(path))
    house.store.close()


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "") -> None:
    """Wait until the console has come so far; the error names what never happened."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never: {what or condition}"
        await pilot.pause(0.01)


async def screen_of(pilot: Pilot[int], kind: type[ScreenKind]) -> ScreenKind:
    """The screen of that kind, as soon as it is the one in front and has its widgets."""
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted, kind.__name__)
    screen = pilot.app.screen
    assert isinstance(screen, kind)
    return screen


async def list_shown(pilot: Pilot[int], count: int = 4) -> QueueScreen:
    """The queue, as soon as it shows that many tickets, all hydrated."""
    queue = await screen_of(pilot, QueueScreen)
    await until(pilot, lambda: len(queue.tickets.spine) == count, f"{count} tickets")
    await until(pilot, lambda: not count or queue.tickets.cursor_row is not None, "hydrated rows")
    return queue


def shown(app: App[int]) -> str:
    """The text of the screen, line by line."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def notices(app: Console) -> str:
    """The toasts that are on the screen."""
    return "\n".join(notification.message for notification in app._notifications)
