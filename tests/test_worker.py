"""The background process: one works, a second waits; failures are said and survived; it ends between two steps."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from supportdesk import worker as worker_module
from supportdesk.__main__ import main
from supportdesk.bootstrap import create_desk
from supportdesk.config import Config
from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.model import Actor, Server
from supportdesk.engine import Engine, open_engine
from supportdesk.errors import ConnectionFailed, LoginRefused, StoreError, TryAgain
from supportdesk.mail.model import FolderInfo, FolderState, SendResult
from supportdesk.worker import Backoff, Worker
from tests.support.processes import wait_until

SECONDS = 30


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(None, str(tmp_path / "desk.db"))
    desk = create_desk(made)
    admin = desk.add_agent(Actor("worker", None, "test"), "giulia", name="Giulia").actor()
    values = {"address": "help@example.test", "name": "B", "shop_name": "B", "language": "it", "zone": "Europe/Rome"}
    desk.save_mailbox(admin, {**values, "imap": Server("localhost", 1, "none", "help")})
    desk.store.close()
    return made


@contextmanager
def running(engine: Engine, **options: Any) -> Iterator[Worker]:
    worker = Worker(engine, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(SECONDS)
        assert not thread.is_alive()


@dataclass
class Source:
    """A mail server whose folders can be read; `breaks` is raised by the first passes."""

    breaks: list[Exception] = field(default_factory=list)
    passes: int = 0

    def source(self, mailbox_id: Any) -> Source:
        return self

    def transport(self, mailbox_id: Any) -> Any:
        raise AssertionError("nothing is sent here")

    def folders(self) -> list[FolderInfo]:
        self.passes += 1
        if self.breaks:
            raise self.breaks.pop(0)
        return [FolderInfo("INBOX", "inbox")]

    def select(self, folder: str) -> FolderState:
        return FolderState(7, 1, 0)

    def uids_from(self, uid: int) -> list[int]:
        return []

    def idle(self, seconds: float, stop: Any) -> bool:
        wait_until(stop, seconds=SECONDS, what="the end of the listening")
        return False

    def close(self) -> None: ...


def engine_with(config: Config, source: Source) -> Engine:
    engine = open_engine(config)
    engine.servers = source  # type: ignore[assignment]
    return engine


def mailbox_error(engine: Engine) -> str:
    return str(engine.desk.read.rows("mailbox")[0]["error"])


def test_a_second_worker_waits_until_the_first_one_is_gone(config: Config) -> None:
    with running(engine_with(config, Source())) as first:
        wait_until(lambda: first.epoch > 0, seconds=SECONDS, what="the first lease")
        with running(engine_with(config, Source())) as second:
            assert second.epoch == 0
            first.stop()
            wait_until(lambda: second.epoch > first.epoch, seconds=SECONDS, what="the second lease")


def test_a_server_that_is_away_is_tried_again_and_the_mailbox_says_so(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "BACKOFF_FIRST", 0.01)
    source = Source([ConnectionFailed("the server is away")] * 2)
    engine, seen = engine_with(config, source), set[str]()
    watching = open_engine(config)

    def recovered() -> bool:
        seen.add(mailbox_error(watching))
        return source.passes >= 3 and mailbox_error(watching) == ""

    with running(engine):
        wait_until(recovered, seconds=SECONDS, what="the server to be read again")
    assert "the server is away" in seen
    watching.close()


def test_i02_a_heartbeat_says_since_when_the_disk_is_low(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_with(config, Source([]))
    worker, measured = Worker(engine), engine.store.gauges()
    assert worker._info()["since"] == {}
    monkeypatch.setattr(type(engine.store), "gauges", lambda _store: {**measured, "disk_free_bytes": 1e6})
    first = worker._info()["since"]
    assert isinstance(first, dict)
    assert set(first) == {"disk.low"}
    assert worker._info()["since"] == first

    def unreadable(_store: object) -> dict[str, float]:
        raise FileNotFoundError("the disk is gone")

    monkeypatch.setattr(type(engine.store), "gauges", unreadable)
    assert worker._info()["since"] == first, "the heart beats on"
    engine.close()


def test_sync_9_g03_a_login_that_is_refused_is_not_tried_in_a_storm(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source([LoginRefused("wrong password")] * 99)
    waits: list[float] = []
    told: list[object] = []
    engine = engine_with(config, source)
    worker = Worker(engine)
    listener = worker_module._Listener(worker, engine.desk.mailboxes()[0])
    worker._listeners[listener.mailbox.id] = listener

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        told.append(worker._info()["next_tries"])
        if len(waits) == 5:
            listener.stop()
        return False

    monkeypatch.setattr(listener._stopped, "wait", wait)
    listener.run()
    assert waits[0] < 10
    assert waits[1:] == [worker_module.REFUSED_SECONDS] * 4
    assert all(isinstance(tries, dict) and list(tries) == [str(listener.mailbox.id)] for tries in told), "when it tries"
    assert worker._info()["next_tries"] == {}
    assert mailbox_error(engine) == "wrong password"
    engine.close()


def test_a_busy_database_does_not_end_the_worker_and_a_lost_lease_does(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.02)
    engine = engine_with(config, Source())
    real, busy, lost = engine.store.acquire_lease, threading.Event(), threading.Event()
    refused: list[int] = []

    def acquire(*arguments: Any) -> int | None:
        if lost.is_set():
            return None
        if busy.is_set():
            refused.append(1)
            raise TryAgain("the database is busy")
        return real(*arguments)

    monkeypatch.setattr(engine.store, "acquire_lease", acquire)
    with running(engine) as worker:
        wait_until(lambda: worker.epoch > 0, seconds=SECONDS, what="the lease")
        busy.set()
        wait_until(lambda: len(refused) > 3, seconds=SECONDS, what="refused renewals")
        assert not worker.stopping.is_set()
        lost.set()
        wait_until(worker.stopping.is_set, seconds=SECONDS, what="the worker to see that it lost its lease")


def test_a_database_that_cannot_be_read_for_a_while_does_not_end_the_worker(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.02)
    engine = engine_with(config, Source())
    real, away, asked = engine.desk.mailboxes, threading.Event(), threading.Semaphore(0)

    def mailboxes() -> Any:
        asked.release()
        if away.is_set():
            raise StoreError("the connection to the database is lost")
        return real()

    monkeypatch.setattr(engine.desk, "mailboxes", mailboxes)
    with running(engine) as worker:
        wait_until(lambda: bool(worker._listeners), seconds=SECONDS, what="the listener")
        away.set()
        for _ in range(20):
            assert asked.acquire(timeout=SECONDS)
        assert not worker.stopping.is_set()


def test_a_database_that_is_busy_at_the_start_is_waited_for(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_with(config, Source())
    real, answers = engine.store.acquire_lease, [TryAgain("the database is busy")]

    def acquire(*arguments: Any) -> int | None:
        if answers:
            raise answers.pop()
        return real(*arguments)

    monkeypatch.setattr(engine.store, "acquire_lease", acquire)
    with running(engine) as worker:
        wait_until(lambda: worker.epoch > 0, seconds=SECONDS, what="the lease")


def test_a_changed_account_is_used_for_what_is_sent_next(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.02)
    engine = engine_with(config, Source())
    refused = SendResult("deferred", "", "535 5.7.8 no", account_problem=True)
    with running(engine) as worker:
        wait_until(lambda: bool(worker._listeners), seconds=SECONDS, what="the listener")
        old = engine.desk.read.rows("mailbox")[0]
        with engine.accounts.turn(old, 1) as turn:
            assert turn is not None
            turn.note(refused, 1)
        assert not engine.accounts.may_send(old)
        admin = engine.desk.agent_by_login("giulia").actor()
        engine.desk.save_mailbox(admin, {"id": 1, "smtp": Server("localhost", 2, "none", "new")})
        wait_until(lambda: engine.accounts.may_send(old), seconds=SECONDS, what="the end of the pause")


def test_what_waited_for_an_account_is_tried_at_once_after_a_new_login(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "HEARTBEAT_SECONDS", 0.02)
    engine, stamps, brought = engine_with(config, Source()), ["before"], list[list[int]]()

    def bring_forward(mailboxes: Any) -> None:
        brought.append(list(mailboxes))
        if brought.count([1]) == 1:
            raise StoreError("the database is away at that moment")

    monkeypatch.setattr(engine, "login_stamp", lambda: tuple(stamps))
    monkeypatch.setattr(engine, "bring_forward", bring_forward)
    with running(engine) as worker:
        wait_until(lambda: bool(worker._listeners), seconds=SECONDS, what="the listener")
        assert [one for one in brought if one] == [], "a start is no new login"
        stamps.append("after")
        wait_until(lambda: brought.count([1]) == 2, seconds=SECONDS, what="a second try, when the database is back")


@pytest.mark.parametrize("name", ["INBOX", "Inbox"])
def test_uids_that_another_client_used_up_are_no_news_to_listen_less_for(config: Config, name: str) -> None:
    class Growing(Source):
        """Another client puts a draft there and takes it away, between any two looks."""

        uidnext = 1

        def folders(self) -> list[FolderInfo]:
            return [FolderInfo(name, "inbox")]

        def select(self, folder: str) -> FolderState:
            self.uidnext += 1
            return FolderState(7, self.uidnext, 0)

        def idle(self, seconds: float, stop: Any) -> bool:
            listening.set()
            return super().idle(seconds, stop)

    listening = threading.Event()
    with running(engine_with(config, Growing())):
        wait_until(listening.is_set, seconds=SECONDS, what="the listening")


def test_while_nothing_is_due_no_deliverer_asks_the_database(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "DUE_SECONDS", 0.02)
    asked: list[str] = []
    deliver_next = Deliverer.deliver_next

    def counted(deliverer: Deliverer) -> bool:
        asked.append(deliverer._owner)
        return deliver_next(deliverer)

    monkeypatch.setattr(Deliverer, "deliver_next", counted)
    engine = engine_with(config, Source())
    waits: list[float] = []
    wait_for_change = engine.store.read.wait_for_change

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return wait_for_change(seconds)

    monkeypatch.setattr(engine.store.read, "wait_for_change", wait)
    with running(engine) as worker:
        wait_until(lambda: len(set(asked)) == worker_module.DELIVERERS, seconds=SECONDS, what="the first look of each")
        wait_until(lambda: bool(worker._listeners) and not worker.outgoing.is_set(), seconds=SECONDS, what="quiet")
        before, seen = len(asked), len(waits)
        wait_until(lambda: len(waits) > seen + 10, seconds=SECONDS, what="ten chances to be woken")
        assert len(asked) - before <= worker_module.DELIVERERS, "at most the wake-up that was under way"


def test_what_a_failing_thread_says_names_no_row(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "supportdesk")  # at DEBUG the places come with it, and the log leaves their values out
    engine = engine_with(config, Source([ValueError("key broken\nDETAIL: Key (value)=(anna@customer.test) exists")]))
    with running(engine):
        wait_until(lambda: "key broken" in caplog.text, seconds=SECONDS, what="the failure in the log")
    assert "anna" not in caplog.text


def test_a_policy_for_processed_mail_that_cannot_be_followed_is_said_and_does_not_stop_the_fetching(
    config: Config,
) -> None:
    source = Source()
    engine = engine_with(config, source)
    admin = engine.desk.agent_by_login("giulia").actor()
    engine.desk.save_mailbox(admin, {"id": 1, "settings": {"processed": "move:Altrove"}})
    with running(engine):
        wait_until(lambda: "Altrove" in mailbox_error(engine), seconds=SECONDS, what="the words on the mailbox")
        assert source.passes >= 1


def test_what_hangs_on_a_server_does_not_keep_the_worker_from_ending(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "STOP_SECONDS", 0.2)
    engine, reached, release = engine_with(config, Source()), threading.Event(), threading.Event()

    def hang(_mailbox_id: Any) -> Any:
        reached.set()
        release.wait(SECONDS)
        raise ConnectionFailed("too late")

    monkeypatch.setattr(engine.servers, "source", hang)
    with running(engine):
        assert reached.wait(SECONDS)
    listener = next(thread for thread in threading.enumerate() if thread.name.startswith("mailbox-"))
    release.set()
    listener.join(SECONDS)
    assert not listener.is_alive()


def test_a_companion_ends_when_its_console_is_gone_and_nothing_is_due(config: Config) -> None:
    console = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = Worker(engine_with(config, Source()), companion_of=console.pid)
    thread = threading.Thread(target=worker.run)
    thread.start()
    wait_until(lambda: worker.epoch > 0, seconds=SECONDS, what="the lease")
    assert thread.is_alive()
    console.kill()
    console.communicate()
    thread.join(SECONDS)
    assert not thread.is_alive()


@contextmanager
def real_process(config: Config, directory: Path, program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of its own, which has its lease."""
    settings = directory / "config.toml"
    settings.write_text(f'database = "{config.database}"\n')
    environment = {**os.environ, "SUPPORTDESK_CONFIG": str(settings), "XDG_DATA_HOME": str(directory)}
    watching = open_engine(config)
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", program, "worker"], env=environment, stderr=log)
        try:
            wait_until(
                lambda: any(row["owner"] for row in watching.desk.read.rows("lease")), seconds=SECONDS, what="the lease"
            )
            yield process
        finally:
            process.kill()
            process.wait()
            watching.close()


def test_the_real_process_ends_cleanly_on_a_signal_and_gives_its_lease_back(config: Config, tmp_path: Path) -> None:
    with real_process(config, tmp_path, "from supportdesk.__main__ import main; main()") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    watching = open_engine(config)
    assert [row["owner"] for row in watching.desk.read.rows("lease")] == [""]
    watching.close()


def test_i01_a_worker_that_is_killed_is_missed_within_its_lease(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert worker_module.LEASE_SECONDS <= 30, "what is promised"
    program = (
        "import supportdesk.worker as worker; worker.LEASE_SECONDS = 2.0\nfrom supportdesk.__main__ import main; main()"
    )

    def status() -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["--database", config.database, "--agent", "giulia", "status", "--check", "--json"])
        return code, json.loads(capsys.readouterr().out)

    with real_process(config, tmp_path, program) as process:
        wait_until(lambda: status()[1]["delivering"], seconds=SECONDS, what="the worker to be seen")
        process.kill()
        process.wait()
        wait_until(lambda: not status()[1]["delivering"], seconds=SECONDS, what="the lease to lapse")
    code, said = status()
    [absent] = [one for one in said["troubles"] if one["id"] == "worker.absent"]
    assert code == 6 and said["troubles"][0] == absent
    assert absent["since"] == said["worker_seen_at"] is not None
    assert said["gauges"]["worker_silent_seconds"] >= 2
    assert absent["do"] == "supportdesk worker install"
    assert absent["what"] in said["attention"][0]


def test_waiting_times_grow_and_start_again_after_a_long_life(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("supportdesk.worker.time.monotonic", lambda: now[0])
    monkeypatch.setattr("supportdesk.worker.random.uniform", lambda low, high: high)
    backoff = Backoff(1.0, 300.0)
    waits = []
    for _unused in range(12):
        backoff.start()
        waits.append(backoff.next())
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == 300.0
    backoff.start()
    now[0] += worker_module.HEALTHY_SECONDS
    assert backoff.next() == 1.0
