"""Two agents act on one ticket at the same moment, in two processes: every pair of fourteen actions (B04).

Both have read the same version of the ticket. Exactly one of two decisions is written; whoever was second is told who
was first and what he did. A note changes no decision, and a reply none but whether it may go: both may stand beside a
colleague's action. What one wrote in a reply that did not go is kept as his draft.
"""

from __future__ import annotations

import multiprocessing
import queue
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from supportdesk.desk.clocks import recompute
from supportdesk.desk.desk import Desk
from supportdesk.desk.model import Actor, TicketId
from supportdesk.desk.ports import Plan
from supportdesk.errors import Conflict, ReplyStopped, SupportdeskError
from supportdesk.store import open_store
from tests.faults.houses import on_each_kind
from tests.support.clock import FakeClock
from tests.support.desk import House

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Barrier

PATIENCE: Final = 60.0
ACTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "assign": {"assignee": "anna"},
    "take": {},
    "tag": {"tags": "reso"},
    "priority": {"priority": "urgent"},
    "snooze": {"until": timedelta(hours=3), "after_deadline": True},
    "solve": {"dismiss": "no_action"},
    "status": {"status": "on_hold"},
    "dismiss": {"reason": "no_action"},
    "spam": {},
    "merge": {},
    "split": {},
    "language": {"language": "de"},
    "note": {"text": "visto"},
    "reply": {},
}
BESIDE: Final = frozenset({"note", "reply"})
"""What is written beside a decision of somebody else, not instead of it."""


@dataclass(frozen=True, slots=True)
class Try:
    """What one agent is about to do: everything that he knows of the ticket is of before."""

    action: str
    ticket: TicketId
    params: Mapping[str, Any]
    version: int
    draft: int = 0
    seen_seq: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: `done`, or refused because of whom and what."""

    done: bool
    who: str = ""
    what: str = ""
    told: str = ""


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """So many pairs, all 196 in turns, on each kind of database, on a desk of its own."""

    def work(house: House) -> dict[str, Any]:
        wrong, firsts = act_at_once(house, runs, seed)
        return {"first": firsts, "wrong": wrong}

    return {"part": "pairs", "runs": runs, "seed": seed, **on_each_kind(work)}


def act_at_once(house: House, runs: int, seed: int) -> tuple[list[str], dict[str, int]]:
    """What went wrong in so many pairs, and how often each agent was the only one to get his way."""
    pairs = list(product(ACTIONS, ACTIONS))
    random.Random(seed).shuffle(pairs)
    chosen = [pairs[number % len(pairs)] for number in range(runs)]
    tries = [_prepare(house, *pair) for pair in chosen]
    outcomes = _race(house, tries)
    wrong, firsts = [], {"giulia": 0, "luca": 0, "both": 0}
    for pair, both, ended in zip(chosen, tries, outcomes, strict=True):
        wrong += [f"{' and '.join(pair)}: {line}" for line in _look(house, both, ended)]
        one, other = (outcome.done for outcome in ended)
        firsts["both" if one and other else "giulia" if one else "luca"] += 1
    wrong += _counters(house)
    return wrong, firsts


def _prepare(house: House, *actions: str) -> tuple[Try, Try]:
    """A ticket with two messages, and with what the actions need."""
    ticket = house.customer_writes(sender=f"c{house.clock.monotonic():.0f}@example.com")
    house.pass_time(seconds=1)
    house.customer_writes("Allora?", ticket=ticket)
    other = house.customer_writes() if "merge" in actions else ticket
    drafts = [
        house.draft(ticket, actor, body=f"Buongiorno da {actor.name}") if action == "reply" else None
        for action, actor in zip(actions, (house.giulia, house.luca), strict=True)
    ]
    now = house.ticket(ticket)
    made = []
    for action, draft in zip(actions, drafts, strict=True):
        params = dict(ACTIONS[action])
        if action == "merge":
            params |= {"into": other, "different_customers": True}
        if action == "split":
            params["first"] = house.newest_message(ticket)
        if action == "snooze":
            params["until"] = house.clock.now() + params["until"]
        made.append(Try(action, ticket, params, now.version, draft.id if draft else 0, now.seq))
    return made[0], made[1]


def _race(house: House, tries: Sequence[tuple[Try, Try]]) -> list[tuple[Outcome, Outcome]]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    processes = [
        context.Process(
            target=_act, args=(house.url, at, (house.giulia, house.luca)[at], [both[at] for both in tries],
                               house.clock.now(), barrier, results), daemon=True,
        ) for at in (0, 1)
    ]  # fmt: skip
    for process in processes:
        process.start()
    found: dict[int, list[Outcome]] = {}
    try:
        while len(found) < len(processes):
            at, outcomes = results.get(timeout=PATIENCE)
            if not isinstance(outcomes, list):
                raise RuntimeError(f"an agent's process ended: {outcomes}")  # noqa: TRY004 — it is a message of it
            found[at] = outcomes
    except queue.Empty:
        raise RuntimeError("an agent's process ended without a word") from None
    finally:
        for process in processes:
            process.join(5)
            process.kill()
    return list(zip(found[0], found[1], strict=True))


def _act(url: str, at: int, actor: Actor, tries: list[Try], now: Any, barrier: Barrier, results: Queue[Any]) -> None:
    """One agent's process: meet the other at the line before each action."""
    clock = FakeClock(now)
    desk = Desk(open_store(url, clock), clock)
    outcomes = []
    try:
        for one in tries:
            barrier.wait(PATIENCE)
            outcomes.append(_try(desk, actor, one))
    except BaseException as error:
        barrier.abort()
        results.put((at, repr(error)))
        raise
    desk.store.close()
    results.put((at, outcomes))


def _try(desk: Desk, actor: Actor, one: Try) -> Outcome:
    try:
        if one.action == "reply":
            desk.send(actor, one.draft, seen_seq=one.seen_seq)  # type: ignore[arg-type]
        else:
            done = desk.perform(one.action, actor, [one.ticket], dict(one.params), expect={one.ticket: one.version})
            if not done.tickets:
                return Outcome(False, told="nothing was changed, and nothing said")
    except ReplyStopped as stopped:
        return Outcome(False, stopped.who, stopped.newcomers[0].kind, str(stopped))
    except Conflict as conflict:
        return Outcome(False, conflict.who, conflict.what, str(conflict))
    except SupportdeskError as error:
        return Outcome(False, told=f"{type(error).__name__}: {error}")
    return Outcome(True)


# ---- what must hold afterwards ---------------------------------------------------------------------------------------


def _look(house: House, both: tuple[Try, Try], ended: tuple[Outcome, Outcome]) -> list[str]:
    wrong = []
    names = (house.giulia.name, house.luca.name)
    beside = BESIDE & {one.action for one in both}
    if not any(outcome.done for outcome in ended):
        wrong.append(f"nobody won: {ended}")
    if all(outcome.done for outcome in ended) and not beside:
        wrong.append("both won")
    for at, outcome in enumerate(ended):
        if not outcome.done and (outcome.who != names[1 - at] or not outcome.what):
            wrong.append(f"{names[at]} was not told who and what: {outcome}")
        if not outcome.done and both[at].draft:
            row = house.desk.outbox_row(both[at].draft)  # type: ignore[arg-type]
            if row.state != "draft" or names[at] not in row.body or row.agent_id != (house.giulia, house.luca)[at].id:
                wrong.append(f"the text of {names[at]} is not his draft: {row}")
    ticket = both[0].ticket
    homes = [ticket, *(one.params["into"] for one in both if one.action == "merge")]  # a later note is the survivor's
    acted = {row["action_id"] for row in house.desk.read.rows("event", {"ticket_id": homes, "actor_kind": "agent"})}
    if len(acted) != sum(outcome.done for outcome in ended):
        wrong.append(f"{len(acted)} actions in the log, {ended}")
    with house.store.transaction() as tx:
        if (left := recompute(tx, ticket)) != Plan():
            wrong.append(f"the clocks are not what the messages say: {left}")
    return wrong


def _counters(house: House) -> list[str]:
    """The counters of the views against the views."""
    read, agent, now = house.desk.read, house.giulia.id, house.clock.now()
    counts = read.counts(agent_id=agent, now=now)
    found = {
        view: len(read.queue_ids(view, agent_id=agent, now=now)) for view in ("needs_reply", "mine", "all", "spam")
    }
    return [
        f"{view}: counted {counts[view]}, listed {listed}" for view, listed in found.items() if counts[view] != listed
    ]
