"""Two processes answer the same ticket at the same moment: one reply goes out, the other one stays a draft."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.desk import Desk
from supportdesk.errors import Conflict, ReplyStopped
from tests.support.clock import FakeClock
from tests.support.desk import furnish

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

    from supportdesk.desk.model import TicketId
    from tests.support.databases import Database

ROUNDS = {"sqlite": 500, "sqlite-stdlib": 100, "postgres": 100}


def answer_all(url: str, agent: str, tickets: list[TicketId], barrier: Barrier, results: Any) -> None:
    """One agent's process: at each beat, both send their draft, having seen the same ticket."""
    from supportdesk.desk.ports import SystemClock
    from supportdesk.store import open_store

    desk = Desk(open_store(url), SystemClock())
    actor = desk.agent_by_login(agent).actor()
    drafts = {ticket: desk.open_draft(actor, ticket) for ticket in tickets}
    ready = {
        ticket: desk.save_draft(actor, row.id, row.version, body=f"{agent} risponde.") for ticket, row in drafts.items()
    }
    told = []
    for ticket in tickets:
        barrier.wait(60)
        try:
            desk.send(actor, ready[ticket].id, seen_seq=1, undo_seconds=0)
        except ReplyStopped:
            told.append((ticket, "stopped"))
        except Conflict as conflict:
            told.append((ticket, f"conflict: {conflict.message}"))
        else:
            told.append((ticket, "sent"))
    desk.store.close()
    results.put((agent, told))


@pytest.mark.slow
def test_two_processes_never_both_answer_the_same_ticket(database: Database) -> None:
    from supportdesk.store import create_or_upgrade

    url, rounds = database.new(), ROUNDS[database.kind]
    create_or_upgrade(url)
    house = furnish(url, FakeClock())
    tickets = [
        house.customer_writes(sender=f"c{number}@example.com", subject=f"T {number}") for number in range(rounds)
    ]
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(2), spawn.Queue()
    both = [
        spawn.Process(target=answer_all, args=(url, agent, tickets, barrier, results)) for agent in ("giulia", "luca")
    ]
    for process in both:
        process.start()
    told = dict(results.get(timeout=300) for _process in both)
    for process in both:
        process.join(60)
        assert process.exitcode == os.EX_OK
    for ticket, *outcomes in zip(tickets, *(dict(told[agent]).values() for agent in ("giulia", "luca")), strict=True):
        assert sorted(outcomes) == ["sent", "stopped"], (ticket, outcomes)
    held = Counter(row["ticket_id"] for row in house.desk.read.rows("outbox", {"state": "held"}))
    assert held == dict.fromkeys(tickets, 1)
    drafts = house.desk.read.rows("outbox", {"state": "draft"})
    assert {row["ticket_id"] for row in drafts} == set(tickets), "the loser keeps his text"
    winners = Counter(agent for agent, outcomes in told.items() for _ticket, outcome in outcomes if outcome == "sent")
    assert sum(winners.values()) == rounds
    house.store.close()
