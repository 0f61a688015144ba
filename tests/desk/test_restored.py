"""Backup, wipe, restore: the desk goes on, nothing is sent a second time, nobody is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from supportdesk import bootstrap
from supportdesk.config import Config
from supportdesk.desk.delivery import due_rows
from supportdesk.desk.desk import Desk
from supportdesk.desk.restored import flag_replies_in_doubt
from supportdesk.engine import Engine
from supportdesk.errors import ConnectionFailed
from supportdesk.store import open_store
from supportdesk.store.backup import backup, restore
from tests.support.databases import Database
from tests.support.desk import House


def test_a_reply_that_was_on_its_way_is_in_doubt_after_a_restore_and_its_customer_waits(
    house: House, database: Database, tmp_path: Path
) -> None:
    answered, waiting = house.customer_writes(), house.customer_writes(sender="ugo@example.com")
    on_its_way = house.reply(answered)
    assert house.ticket(answered).waiting_since is None
    file = tmp_path / "desk.backup"
    backup(house.url, file)
    house.deliver(on_its_way.id)  # it went out after the backup was made

    fresh = database.new()
    restore(file, fresh)
    desk = Desk(open_store(fresh, house.clock), house.clock)
    assert flag_replies_in_doubt(desk) == 1

    row = desk.outbox_row(on_its_way.id)
    house.pass_time(hours=3)
    assert row.state == "uncertain"
    assert due_rows(desk.read, house.clock.now()) == []
    ticket = desk.read.ticket(answered)
    assert ticket.waiting_since is not None
    assert "uncertain" in ticket.badges
    listed = {(line["kind"], line["ticket_id"]) for line in desk.unanswered()}
    assert {("waiting", waiting), ("waiting", answered)} <= listed

    desk.resolve_uncertain(house.giulia, row.id, "mark_sent")
    assert [(entry.direction, entry.state) for entry in desk.read.thread(answered)] == [("in", ""), ("out", "sent")]
    assert desk.read.ticket(answered).waiting_since is None
    next_reply = desk.open_draft(house.luca, waiting)
    next_reply = desk.save_draft(house.luca, next_reply.id, next_reply.version, body="Arriva domani.")
    desk.send(house.luca, next_reply.id, seen_seq=next_reply.seen_seq)
    assert desk.read.ticket(waiting).waiting_since is None
    desk.store.close()


@dataclass
class Nobody:
    """No server is asked anything."""

    def source(self, mailbox_id: object) -> Any:
        raise ConnectionFailed("no server here")

    transport = source


@pytest.mark.parametrize("repair", ["the worker", "a person"])
def test_a_restore_that_died_before_it_told_the_tickets_is_finished_by_whoever_comes_next(
    house: House, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repair: str
) -> None:
    answered = house.customer_writes()
    on_its_way = house.reply(answered)
    file = tmp_path / "desk.backup"
    backup(house.url, file)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    fresh = database.new()
    monkeypatch.setattr(bootstrap, "_flag_replies_in_doubt", die)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.restore(Config(None, fresh), file)
    desk = Desk(open_store(fresh, house.clock), house.clock)
    if repair == "the worker":
        engine = Engine(Config(None, fresh), desk)
        engine.servers = Nobody()
        for _minute in range(2):
            engine.keep_house(engine.deliverer("w/1", 1), stop=lambda: False)
        ticket = desk.read.ticket(answered)
        assert ticket.waiting_since is not None
        assert "uncertain" in ticket.badges
        told = [event.kind for event in desk.read.events(ticket_id=answered) if event.kind == "reply_uncertain"]
        assert len(told) == 1
    desk.resolve_uncertain(house.giulia, on_its_way.id, "mark_sent")
    assert [(entry.direction, entry.state) for entry in desk.read.thread(answered)] == [("in", ""), ("out", "sent")]
    assert desk.read.ticket(answered).waiting_since is None
    desk.store.close()
