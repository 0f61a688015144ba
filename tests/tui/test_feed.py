"""Whatever is committed, and whenever, is told to the console: between what it read and what it follows lies no gap."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.config import Config
from supportdesk.desk.model import TicketId
from supportdesk.errors import StoreFailed
from supportdesk.tui import app as app_module
from supportdesk.tui import feed as feed_module
from supportdesk.tui.app import Console
from supportdesk.tui.feed import Changed, Feed
from supportdesk.tui.session import Session, open_session
from tests.support.processes import wait_until
from tests.tui.conftest import Shop, list_shown, notices, shown, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.desk.model import EventRow
    from supportdesk.tui.screens.base import DeskScreen


class Told:
    """Stands for the app: notes what it is told."""

    def __init__(self) -> None:
        self.messages: list[Changed] = []

    def post_message(self, message: Changed) -> bool:
        self.messages.append(message)
        return True

    @property
    def seqs(self) -> list[int]:
        return [event.seq for message in self.messages for event in message.events]


class Log:
    """Stands for the reader: an event log whose wake-ups and failures the test decides."""

    def __init__(self, events: list[EventRow]) -> None:
        self.all = events
        self.visible = 0
        self.wake = threading.Semaphore(0)
        self.fails_at: set[int] = set()  # which looks at the log fail, counted from 1
        self.looks = 0

    def wait_for_change(self, timeout: float) -> bool:
        return self.wake.acquire(timeout=min(timeout, 0.01))

    def events(self, *, after: int, limit: int) -> list[EventRow]:
        self.looks += 1
        if self.looks in self.fails_at:
            raise StoreFailed("the connection is lost")
        return [event for event in self.all[: self.visible] if event.seq > after][:limit]


@pytest.fixture
def log(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Log:
    for name in ("PACE", "PATIENCE"):
        monkeypatch.setattr(feed_module, name, 0.001)
    return Log(shop.house.desk.read.events())


def follow(log: Log, until_told: Callable[[Told], object]) -> Told:
    """What a feed tells, from the first event on, until the test has seen what it waits for."""
    told = Told()
    feed = Feed(told, log, 0)  # type: ignore[arg-type]
    feed.start()
    try:
        wait_until(lambda: bool(until_told(told)), seconds=20, what="what is told")
    finally:
        feed.stop()
        feed.join(timeout=20)
    assert not feed.is_alive()
    return told


def calls_of(screen: object, name: str, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the method is called with from now on, each entry made when it has done its work."""
    method, calls = getattr(screen, name), []

    def noted(*arguments: Any, **options: Any) -> None:
        method(*arguments, **options)
        calls.append(arguments)

    monkeypatch.setattr(screen, name, noted)
    return calls


def test_what_is_there_when_the_feed_begins_is_told_though_nobody_wakes_it(log: Log) -> None:
    log.visible = 3
    told = follow(log, lambda told: told.seqs)
    assert told.seqs == [event.seq for event in log.all[:3]]


def test_a_failure_at_the_first_look_or_amid_the_pages_loses_nothing(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PAGE", 2)
    log.visible, log.fails_at = 5, {1, 3}
    told = follow(log, lambda told: len(told.seqs) >= 5)
    assert told.seqs == [event.seq for event in log.all[:5]], "each once, in order"


def test_a_wake_up_whose_look_failed_is_told_though_it_left_no_event(log: Log) -> None:
    log.fails_at = {1}
    log.wake.release()
    told = follow(log, lambda told: told.messages)
    assert [message.events for message in told.messages] == [()]
    assert log.looks > 1


def test_what_an_older_transaction_held_back_is_told_when_that_one_wakes_nobody(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "LOOK_SECONDS", 0.05)
    log.wake.release()

    def end_of_the_older_one(told: Told) -> bool:
        if told.messages:
            log.visible = 2
        return bool(told.seqs)

    told = follow(log, end_of_the_older_one)
    assert told.messages[0].events == ()
    assert told.seqs == [event.seq for event in log.all[:2]]


async def test_what_is_committed_while_the_console_begins_is_shown(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the opening of the session and the first breath of the feed."""

    def opened(config: Config, *, restricted: bool = False) -> Session:
        session = open_session(config, restricted=restricted)
        shop.house.desk.add_view(shop.house.giulia, "Dringend", "is:open sort:due", shared=True)
        return session

    monkeypatch.setattr(app_module, "open_session", opened)
    app = shop.console("luca")
    shop.house.draft(TicketId(1), shop.house.luca)
    status_is_known = threading.Event()
    first_page, put_status = Session.ids, Console.desk_screens

    def late(session: Session, *listing: Any, **options: Any) -> object:
        """The first page comes after whatever that news has set in motion."""
        assert status_is_known.wait(30)
        return first_page(session, *listing, **options)

    def watched(console: Console) -> list[DeskScreen[object]]:
        if console.desk_status is not None:
            status_is_known.set()
        return put_status(console)

    monkeypatch.setattr(Session, "ids", late)
    monkeypatch.setattr(Console, "desk_screens", watched)
    async with app.run_test(size=(140, 40)) as pilot:
        await until(pilot, lambda: "7 Dringend 4" in shown(app), "the new view")
        await until(pilot, lambda: "Your draft for #1 waits" in notices(app), "what comes after the first list")


async def test_mail_that_comes_while_an_older_order_is_on_its_way_to_the_list_is_counted(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, may_go_on, has_read = Session.spine, threading.Event(), threading.Event()

    def late(session: Session, view: str, text: str) -> object:
        found = read(session, view, text)
        has_read.set()
        assert may_go_on.wait(30)
        return found

    app = shop.console("luca")
    async with app.run_test(size=(140, 40)) as pilot:
        queue = await list_shown(pilot)
        await pilot.press("j")
        monkeypatch.setattr(Session, "spine", late)
        queue._load()
        await until(pilot, has_read.is_set, "the order is read")
        told, orders = calls_of(queue, "on_news", monkeypatch), calls_of(queue, "_show_order", monkeypatch)
        shop.house.customer_writes("Dov’è?", sender="nuova@example.it", name="Nuova", language="it", subject="Dov’è?")
        await until(pilot, lambda: any(TicketId(5) in changed.tickets for (changed,) in told), "the news")
        await pilot.pause(0.3)
        may_go_on.set()
        await until(pilot, lambda: orders, "the older order")
        await until(pilot, lambda: "1 new" in shown(app), "the count")


def test_a_ticket_that_was_read_before_the_news_of_it_is_not_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session(Config(source=None, database=shop.database, agent="giulia"))
    session.load_ticket(TicketId(1))
    session.load_ticket(TicketId(2))
    assert set(session.tickets) == {TicketId(1), TicketId(2)}
    session.forget_changed([TicketId(1)])
    assert set(session.tickets) == {TicketId(2)}
    tags = session.desk.read.tags
    news: list[list[TicketId] | None] = [[TicketId(1)], None, [], [TicketId(3)]]

    def meanwhile(ticket_id: TicketId) -> tuple[str, ...]:
        session.forget_changed(news.pop(0))
        return tags(ticket_id)

    monkeypatch.setattr(session.desk.read, "tags", meanwhile)
    kept = []
    while news:
        session.load_ticket(TicketId(1))
        kept.append(TicketId(1) in session.tickets)
    assert kept == [False, False, True, True], "news of nothing and of others leaves it"
    assert not session._loads
    session.desk.store.close()
