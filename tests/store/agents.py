"""Many agents at once, each a process with a connection of its own, who write to the same tickets through the desk.

Run as a program: `python -m tests.store.agents URL AGENTS NOTES BULKS TICKET…`. Each agent writes so many notes, and
tags all of those tickets so many times, naming them in an order of its own. It prints what went wrong and ends with 1.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.desk.desk import Desk
from supportdesk.desk.model import Actor, TicketId
from supportdesk.desk.ports import SystemClock
from supportdesk.store import open_store

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket
    from supportdesk.store import SqlStore

ROOT = Path(__file__).resolve().parents[2]


def write_all_at_once(url: str, agents: int, *, writes: int, bulks: int = 0, tickets: Sequence[TicketId]) -> str:
    """Have it done; what went wrong."""
    command = [sys.executable, "-m", "tests.store.agents", url, *map(str, (agents, writes, bulks, *tickets))]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr or f"ended with {ended.returncode}"


def wrong_with(store: SqlStore, before: Sequence[Ticket], *, notes: int, bulks: int) -> list[str]:
    """What is missing of so many notes on these tickets and so many tags on each of them, and what does not add up."""
    wrong, texts = list[str](), list[str]()
    for was in before:
        ticket = store.read.ticket(was.id)
        written = store.read.rows("message", {"ticket_id": was.id, "kind": "note"}, order="seq")
        texts += [row["body"] for row in written]
        if [row["seq"] for row in written] != list(range(was.seq + 1, ticket.seq + 1)):
            wrong.append(f"#{was.id}: {len(written)} notes, but its numbers go from {was.seq} to {ticket.seq}")
        tags = store.read.tags(was.id)
        if len(tags) != bulks:
            wrong.append(f"#{was.id}: {len(tags)} of {bulks} tags")
        logged = [event.kind for event in store.read.events(ticket_id=was.id, limit=100_000)]
        told = logged.count("note") + logged.count("tag")
        if not ticket.version - was.version == told == len(written) + bulks:
            wrong.append(f"#{was.id}: version {was.version} to {ticket.version}, and {told} events")
    if len(set(texts)) != len(texts) or len(texts) != notes:
        wrong.append(f"{len(texts)} notes, {len(set(texts))} different ones, of {notes}")
    return wrong


def _work(url: str, number: int, actor: Actor, writes: int, bulks: int, tickets: Sequence[TicketId]) -> None:
    desk, order = Desk(open_store(url), SystemClock()), random.Random(number)
    for turn in range(max(writes, bulks)):
        if turn < writes:
            desk.add_note(actor, tickets[(number + turn) % len(tickets)], f"note {turn} of {number}")
        if turn < bulks:
            done = desk.perform("tag", actor, order.sample(tickets, len(tickets)), {"tags": [f"t{turn}-{number}"]})
            assert not done.conflicts, done.conflicts
    desk.store.close()


def _main(url: str, agents: int, writes: int, bulks: int, *tickets: int) -> int:
    desk = Desk(open_store(url), SystemClock())
    actors = [agent.actor() for agent in desk.agents()]
    with desk.store.transaction():
        pass  # what a transaction imports is imported once, and not by each child
    desk.store.close()
    children = []
    for number in range(agents):
        child = os.fork()
        if child == 0:
            try:
                _work(
                    url, number, actors[number % len(actors)], writes, bulks, [TicketId(ticket) for ticket in tickets]
                )
            except BaseException as error:  # noqa: BLE001 — whatever it was, the parent is told
                print(repr(error), flush=True)
                os._exit(1)
            os._exit(0)
        children.append(child)
    return max(min(1, os.waitpid(child, 0)[1]) for child in children)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], *map(int, sys.argv[2:])))
