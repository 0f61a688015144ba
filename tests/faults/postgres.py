"""A07: `pg_ctl restart -m immediate` again and again while two workers take mail over and deliver, and agents answer.

Each of them says what was acknowledged. An outcome that was not known is asked for again, never repeated blindly; at
the end everything is there once, and no reply was given to the mail server twice.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from supportdesk.desk.accounts import SendingAccounts
from supportdesk.desk.delivery import WORKER_LEASE, Deliverer
from supportdesk.desk.model import Server
from supportdesk.errors import StoreError
from supportdesk.mail.model import BuiltMail, SendResult
from tests.faults import work
from tests.support.postgres import PostgresServer, missing_for_postgres, running_postgres

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import TicketId

WORKERS, AGENTS, DELIVERERS = 2, 8, 2
MAILS_A_RESTART = 3
LIFE = (0.1, 1.0)  # of what the last restart took: on a busy machine whoever works is slow as well
PATIENCE = 600.0  # seconds, for work that meets one restart after the other
LEASE_SECONDS = 30.0
LOOKS = (5, 20)  # into the outbox, until a worker leaves the lease to the other one


@dataclass
class Said(work.Said):
    """And how often the mail server took which Message-ID, and how often it was a new worker's turn to deliver."""

    accepted: Counter[str] = field(default_factory=Counter)
    leases: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class CountingServer:
    """A mail server that takes everything; what it took is said before anybody can know that it did."""

    say: work.Say

    def transport(self, mailbox_id: Any) -> CountingServer:
        return self

    def source(self, mailbox_id: Any) -> Any:
        raise AssertionError("mail comes in another way here")

    def send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        for stage in ("connected", "mail", "rcpt", "data_started", "dot_sent"):
            on_stage(stage)
        self.say("accepted", [mail.message_id])
        return SendResult("sent", "dot_sent", "250 2.0.0 Ok")

    def close(self) -> None: ...


def missing() -> str:
    return missing_for_postgres()


def run(runs: int, seed: int, *, workers: int = WORKERS, agents: int = AGENTS) -> dict[str, Any]:
    """Restart the server so many times under that load, on a server of our own."""
    with running_postgres() as server:
        return run_on(server, runs, seed, workers=workers, agents=agents)


def run_on(server: PostgresServer, runs: int, seed: int, *, workers: int, agents: int) -> dict[str, Any]:
    chance, started = random.Random(seed), time.monotonic()
    url, total = server.create_database(), runs * MAILS_A_RESTART
    work.furnish(url)
    _give_a_mail_server(url)
    spawn = multiprocessing.get_context("spawn")
    heard, stop, gate = spawn.Queue(), spawn.Event(), spawn.Barrier(workers + agents + 1)
    said: dict[str, Said] = {}
    listener = threading.Thread(target=_listen, args=(heard, said))
    listener.start()
    people = [
        spawn.Process(target=work_as_worker, args=(url, number, workers, total, seed, heard, stop, gate))
        for number in range(workers)
    ] + [spawn.Process(target=work_as_agent, args=(url, number, agents, heard, stop, gate)) for number in range(agents)]
    for person in people:
        person.start()
    gate.wait(PATIENCE)  # a restart that strikes an interpreter at its start proves nothing
    took = 0.25
    for _unused in range(runs):
        time.sleep(took * chance.uniform(*LIFE))  # the server lives for a random while: that is the test
        before = time.monotonic()
        server.restart_immediately()
        took = time.monotonic() - before
    stop.set()
    wrong = list[str]()
    for person in people:
        person.join(PATIENCE)
        if person.exitcode != 0:
            wrong.append(f"{person.name} ended with {person.exitcode}")
            person.kill()
    heard.put(None)
    listener.join(30)
    everything, refused = Said(), Counter[str]()
    for one in said.values():
        everything.fetched |= one.fetched
        everything.read |= one.read
        everything.held |= one.held
        everything.accepted += one.accepted
        everything.leases |= one.leases
        refused.update(words.partition(":")[0] for words in one.refused)
    under_load = everything.accepted.total()
    desk = work.open_desk(url)
    _drain(desk, work.recorder(everything))
    wrong += work.wrong_with(desk, everything, range(1, total + 1))
    wrong += wrong_with_replies(desk, everything)
    if len(everything.read) != total:
        wrong.append(f"{total - len(everything.read)} mails were never read")
    uncertain = len(desk.read.outbox(states=("uncertain",)))
    desk.store.close()
    server.drop_database(url)
    return {
        "part": "postgres", "seed": seed, "runs": runs, "workers": workers, "agents": agents, "mails": total,
        "replies": len(everything.held), "delivered": everything.accepted.total(), "delivered_under_load": under_load,
        "uncertain": uncertain, "leases": len(everything.leases), "refused": dict(refused), "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip


def wrong_with_replies(desk: Desk, said: Said) -> list[str]:
    """Which replies went out twice, or neither went out nor are shown to somebody; after the last delivery."""
    listed = {row.id for row in desk.read.outbox(states=("uncertain",))}
    wrong, known = list[str](), set[str]()
    for row in desk.read.rows("outbox", {"state": work.ACKNOWLEDGED}):
        times = said.accepted[row["message_id_header"]]
        known.add(row["message_id_header"])
        settled = (row["state"] == "sent" and times == 1) or (row["state"] == "uncertain" and row["id"] in listed)
        if times > 1 or not settled:
            wrong.append(f"reply {row['id']} is {row['state']} and was accepted {times} times")
        in_thread = len(desk.read.rows("message_mail", {"message_id_norm": row["message_id_header"]}))
        if in_thread != 1:
            wrong.append(f"reply {row['id']} is in its conversation {in_thread} times")
    wrong += [f"{each} was accepted and is no reply" for each in sorted(set(said.accepted) - known)]
    return wrong


def work_as_worker(
    url: str, number: int, workers: int, total: int, seed: int, heard: Any, stop: Any, gate: Any
) -> None:
    """Take over and read the mails, and deliver beside it; all workers read all of them, each begins somewhere else."""
    logging.getLogger("supportdesk").addHandler(logging.NullHandler())  # who is fenced off says so
    desk = work.open_desk(url)
    say = _sayer(heard, f"worker {number}")
    gate.wait(PATIENCE)
    with ThreadPoolExecutor(1) as beside:
        delivering = beside.submit(_deliver_in_turn, desk, f"worker {number}", random.Random(seed + number), say, stop)
        groups = [range(first, min(first + work.BATCH, total + 1)) for first in range(1, total + 1, work.BATCH)]
        share = len(groups) * number // workers
        for group in groups[share:] + groups[:share]:
            work.take_over_and_read(desk, say, group, patience=PATIENCE)
            if not stop.is_set():
                time.sleep(0.02)  # so that the work lasts as long as the restarts
        delivering.result(PATIENCE)
    desk.store.close()


def work_as_agent(url: str, number: int, agents: int, heard: Any, stop: Any, gate: Any) -> None:
    """Answer every so-many-th ticket that waits, until it is over."""
    desk = work.open_desk(url)
    say = _sayer(heard, f"agent {number}")

    def answer(ticket: TicketId) -> None:
        work.hold_reply(desk, ticket, say, undo_seconds=0)

    done: set[int] = set()
    gate.wait(PATIENCE)
    while not stop.is_set():
        mine = work.insist(lambda: _waiting(desk), say, PATIENCE)
        for ticket in [ticket for ticket in mine if ticket % agents == number and ticket not in done][:3]:
            work.insist(lambda ticket=ticket: answer(ticket), say, PATIENCE)  # type: ignore[misc]
            done.add(ticket)
        time.sleep(0.05)  # an agent reads between two answers
    desk.store.close()


def _deliver_in_turn(desk: Desk, owner: str, chance: random.Random, say: work.Say, stop: Any) -> None:
    """Deliver for a while whenever the lease can be had.

    Now and then it is given away while the deliverers still work, as by a worker that slept through it: what they have
    begun is the successor's then.
    """
    store, server = desk.store, CountingServer(say)

    def let_go() -> None:
        work.insist(lambda: store.release_lease(WORKER_LEASE, owner), say, PATIENCE)

    while not stop.is_set():
        epoch = work.insist(lambda: store.acquire_lease(WORKER_LEASE, owner, LEASE_SECONDS, {}), say, PATIENCE)
        if epoch is None:
            stop.wait(0.05)
            continue
        say("leases", [epoch])
        accounts, looks = SendingAccounts(server, desk.clock), chance.randint(*LOOKS)
        with ThreadPoolExecutor(DELIVERERS) as crew:
            delivering = [
                crew.submit(_deliver, desk, server, accounts, f"{owner}/{number}", epoch, looks)
                for number in range(DELIVERERS)
            ]
            if chance.random() < 0.25:
                let_go()
            for each in delivering:
                each.result(PATIENCE)
        let_go()


def _deliver(desk: Desk, server: CountingServer, accounts: SendingAccounts, owner: str, epoch: int, looks: int) -> None:
    """Look into the outbox so many times; after each failure begin like a new deliverer of that name."""
    done = 0
    while done < looks:
        deliverer = Deliverer(desk, server, owner=owner, epoch=epoch, accounts=accounts)
        try:
            deliverer.recover()
            while done < looks:
                done += 1
                if not deliverer.deliver_next():
                    time.sleep(0.02)
        except StoreError as error:
            server.say("refused", f"{type(error).__name__}: {error.message}")
            time.sleep(0.02)


def _drain(desk: Desk, say: work.Say) -> None:
    """Deliver what is left, as the next worker would: the lease is free, or nobody who lives has it."""
    epoch = desk.store.acquire_lease(WORKER_LEASE, "the last worker", LEASE_SECONDS, {})
    assert epoch is not None, "the lease is still held"
    deliverer = Deliverer(desk, CountingServer(say), owner="the last worker", epoch=epoch)
    deliverer.recover()
    while deliverer.deliver_next():
        pass
    deliverer.close()


def _give_a_mail_server(url: str) -> None:
    desk = work.open_desk(url)
    server = Server("localhost", 2525, "none", "help")
    desk.save_mailbox(desk.agent_by_login("giulia").actor(), {"id": desk.mailboxes()[0].id, "smtp": server})
    desk.store.close()


def _waiting(desk: Desk) -> list[TicketId]:
    return list(desk.read.queue_ids("needs_reply", agent_id=None, now=desk.clock.now()))


def _sayer(heard: Any, who: str) -> work.Say:
    return lambda kind, what: heard.put((who, kind, what))


def _listen(heard: Any, said: dict[str, Said]) -> None:
    for who, kind, what in _words(heard):
        work.recorder(said.setdefault(who, Said()))(kind, what)


def _words(heard: Any) -> Iterator[tuple[str, str, Any]]:
    with contextlib.suppress(EOFError):
        while (word := heard.get()) is not None:
            yield word
