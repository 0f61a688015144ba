"""R5, A07: a COMMIT whose answer was lost on the way from Postgres is settled, so that the caller learns what is so."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, Plan
from supportdesk.errors import OutcomeUnknown, TryAgain
from supportdesk.store import create_or_upgrade, lost_commit, open_store
from supportdesk.store.connect import Connection
from supportdesk.store.lost_commit import CommitMark, was_committed
from tests.store.desk import action, fill

if TYPE_CHECKING:
    from supportdesk.store import SqlStore
    from tests.support.clock import FakeClock
    from tests.support.postgres import PostgresServer


@dataclass
class Relay:
    """Between a client and Postgres; once armed it breaks the connection at the next message, before or after it."""

    port: int = 0
    armed: str = ""  # "", "before", "after": whether the server gets the message
    broken: list[str] = field(default_factory=list)
    refuses: bool = False

    def carry(self, client: socket.socket, to: int) -> None:
        if self.refuses:
            client.close()
            return
        server = socket.create_connection(("127.0.0.1", to))
        threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
        with suppress(OSError):
            while data := client.recv(65536):
                if self.armed:
                    self.broken.append(self.armed)
                    client.shutdown(socket.SHUT_RDWR)
                    if self.armed == "after":
                        server.sendall(data)
                    self.armed = ""
                    break
                server.sendall(data)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)
        client.close()

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError), server:
            while data := server.recv(65536):
                client.sendall(data)


@contextmanager
def running_relay(to: int) -> Iterator[Relay]:
    relay, listening = Relay(), socket.create_server(("127.0.0.1", 0))
    relay.port = listening.getsockname()[1]

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _address = listening.accept()
                threading.Thread(target=relay.carry, args=(client, to), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@pytest.fixture
def relayed(postgres_server: PostgresServer, clock: FakeClock) -> Iterator[tuple[Relay, SqlStore]]:
    def make(url: str) -> None:
        create_or_upgrade(url)

    url = postgres_server.create_from("schema", make)
    with running_relay(postgres_server.port) as relay:
        store = open_store(url.replace(f":{postgres_server.port}/", f":{relay.port}/"), clock)
        try:
            yield relay, store
        finally:
            store.close()
    postgres_server.drop_database(url)


def lose_next_commit(relay: Relay, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arm the relay when the next COMMIT is about to leave (on the wire it may be the name of a prepared statement)."""
    execute = Connection.execute

    def execute_and_lose(self: Connection, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if sql == "COMMIT" and not relay.broken:
            relay.armed = moment
        return execute(self, sql, params)

    monkeypatch.setattr(Connection, "execute", execute_and_lose)


def add_label(store: SqlStore, key: str) -> None:
    with store.transaction() as tx:
        tx.apply(Plan(silent=(Insert("setting", {"key": key, "value": "x"}),), undoable=False), MAIL, action())


def test_a_commit_that_went_through_is_no_error_to_its_caller(
    relayed: tuple[Relay, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, store = relayed
    fill(store)
    lose_next_commit(relay, "after", monkeypatch)
    add_label(store, "lost.answer")
    assert relay.broken == ["after"]
    assert store.read.rows("setting", {"key": "lost.answer"})


def test_a_commit_that_never_arrived_may_be_tried_again(
    relayed: tuple[Relay, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, store = relayed
    fill(store)
    lose_next_commit(relay, "before", monkeypatch)
    with pytest.raises(TryAgain, match="nothing was written"):
        add_label(store, "lost.commit")
    assert not store.read.rows("setting", {"key": "lost.commit"})


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_is_run_again_by_itself_is_written_once(
    relayed: tuple[Relay, SqlStore], moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, store = relayed
    fill(store)
    lose_next_commit(relay, moment, monkeypatch)
    blocks: list[Callable[..., object]] = []

    def block(tx: Any) -> None:
        blocks.append(block)
        tx.apply(Plan(silent=(Insert("setting", {"key": "once", "value": "x"}),), undoable=False), MAIL, action())

    store.run(block)
    assert len(store.read.rows("setting", {"key": "once"})) == 1
    assert len(blocks) == {"before": 2, "after": 1}[moment]


def test_what_nobody_can_tell_stays_unknown(relayed: tuple[Relay, SqlStore], monkeypatch: pytest.MonkeyPatch) -> None:
    relay, store = relayed
    fill(store)
    monkeypatch.setattr(lost_commit, "SECONDS", 0.2)
    lose_next_commit(relay, "after", monkeypatch)
    relay.refuses = True
    with pytest.raises(OutcomeUnknown):
        add_label(store, "who.knows")


def test_after_a_crash_only_our_own_event_proves_a_commit(relayed: tuple[Relay, SqlStore]) -> None:
    _relay, store = relayed
    fill(store)
    with store.connection() as connection:
        xid, action = connection.execute("SELECT txid::text, action_id FROM event ORDER BY seq DESC LIMIT 1")[0]
        started = connection.execute("SELECT pg_postmaster_start_time() - interval '1 hour'")[0][0]
    here = store._connect
    assert was_committed(CommitMark(xid, started, (action,)), here) is True
    assert was_committed(CommitMark(xid, started, ("another's",)), here) is False
    assert was_committed(CommitMark(xid, started, ()), here) is None
    assert was_committed(CommitMark(str(int(xid) + 10**6), started, (action,)), here) is False
