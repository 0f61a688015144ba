"""Two processes answer the same ticket at the same moment: never two replies that did not know of each other."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.desk import Desk
from supportdesk.desk.model import Actor, TicketId
from supportdesk.errors import ReplyStopped
from supportdesk.store import open_store
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

    from tests.support.desk import House

ROUNDS = 500
START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def answer_all(url: str, actor: Actor, tickets: list[TicketId], barrier: Barrier, results: Queue[Any]) -> None:
    """One process: write a draft on each ticket, wait for the other at the start line, send."""
    clock = FakeClock(START)
    desk = Desk(open_store(url, clock), clock)
    outcomes = []
    for ticket_id in tickets:
        row = desk.open_draft(actor, ticket_id)
        row = desk.save_draft(actor, row.id, row.version, body=f"Buongiorno da {actor.name}")
        barrier.wait(60)
        try:
            desk.send(actor, row.id, seen_seq=row.seen_seq)
            outcomes.append("sent")
        except ReplyStopped as stopped:
            outcomes.append(f"stopped by {stopped.newcomers[0].author}")
    desk.store.close()
    results.put((actor.name, outcomes))


@pytest.mark.slow
def test_two_processes_never_give_two_replies(house: House) -> None:
    tickets = [house.customer_writes(sender=f"c{number}@example.com") for number in range(ROUNDS)]
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    pair = [house.giulia, house.luca]
    processes = [
        context.Process(target=answer_all, args=(house.url, actor, tickets, barrier, results)) for actor in pair
    ]
    for process in processes:
        process.start()
    outcomes = dict(results.get(timeout=300) for _process in processes)
    for process in processes:
        process.join(60)
    both = list(zip(outcomes["Giulia Verdi"], outcomes["Luca Neri"], strict=True))
    assert len(both) == ROUNDS
    assert set(both) <= {("sent", "stopped by Giulia Verdi"), ("stopped by Luca Neri", "sent")}
    rows = house.desk.read.rows("outbox")
    held = [row["ticket_id"] for row in rows if row["state"] == "held"]
    assert sorted(held) == sorted(tickets)
    assert sum(row["state"] == "draft" for row in rows) == ROUNDS, "the stopped text is kept"
