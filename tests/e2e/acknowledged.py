"""Must-have 1 of the mail engine: a thousand customers write while the fetcher is killed; each gets one answer.

`./desk kill --acknowledged` is the whole of it. What is killed does not send, so that nothing is ever in doubt and the
count is exact: as many tickets, messages and acknowledgements as mails. Sending and being killed is what `kill` does.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Final

from tests.e2e.forks import ForkServer, running_fork_server
from tests.e2e.kill_shop import Shop, open_shop, our_ids, wait_for_the_queue
from tests.faults.work import integrity
from tests.support.mail_servers import running_mail_servers
from tests.support.processes import wait_until

BLIND: Final = 0.3  # the share of lives that end at a random moment of their start, whatever they were at
START_SECONDS, WORK_SECONDS, REACH_SECONDS = 0.2, 0.1, 5.0
CATCH_UP_SECONDS: Final = 1200.0


@dataclass
class Acknowledged:
    """What was asked for and what came of it; `wrong` is empty when all is well."""

    seed: int
    mails: int
    kills: int
    amid_work: int = 0  # kills that left mail taken over and not read
    tickets: int = 0
    messages: int = 0
    acknowledgements: int = 0
    arrived: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "ok": not self.wrong}, indent=2)


def run(mails: int, kills: int, seed: int) -> Acknowledged:
    """Let so many first mails come in while the fetcher is killed so often; then let it finish, and count."""
    chance, found, started = random.Random(seed), Acknowledged(seed, mails, kills), time.monotonic()
    with running_mail_servers() as servers, open_shop(servers, settings={"acknowledge": True}) as shop:
        with (
            (shop.home / "worker.log").open("ab") as log,
            running_fork_server(shop.settings, shop.environment, log) as forks,
        ):
            for number in range(kills):
                first, last = (mails * at // kills for at in (number, number + 1))
                servers.append(shop.user, *(_first_mail(shop, one) for one in range(first + 1, last + 1)))
                _fetch_and_die(shop, forks, chance)
                found.amid_work += "unread mail" in shop.what_was_under_way()
            forks.start()
            wait_until(lambda: _is_done(shop, mails), seconds=CATCH_UP_SECONDS, what="the worker to catch up")
            forks.kill()
        wait_for_the_queue(servers)
        _count(shop, found)
    found.seconds = round(time.monotonic() - started, 1)
    return found


def _first_mail(shop: Shop, number: int) -> bytes:
    return (
        f"From: Cliente {number} <{shop.customer}+{number}@customer.test>\r\nTo: {shop.address}\r\n"
        f"Subject: Ordine {number}\r\nMessage-ID: {shop.message_id(number)}\r\nDate: {formatdate()}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"Buongiorno, il mio ordine {number} non arriva. Potete dirmi qualcosa?\r\n"
    ).encode()


def _fetch_and_die(shop: Shop, forks: ForkServer, chance: random.Random) -> None:
    before = len(shop.desk.read.rows("delivery"))
    forks.start(delivers=False)
    if chance.random() < BLIND:
        forks.is_dead(chance.uniform(0, START_SECONDS))
    else:
        end = time.monotonic() + REACH_SECONDS
        while len(shop.desk.read.rows("delivery")) == before and time.monotonic() < end:
            forks.is_dead(0.005)
        forks.is_dead(chance.uniform(0, WORK_SECONDS))
    forks.kill()


def _is_done(shop: Shop, mails: int) -> bool:
    read = shop.desk.read
    outcomes = [row["outcome"] for row in read.rows("delivery")]
    on_its_way = read.rows("outbox", {"state": ["held", "queued", "sending", "deferred"]}, limit=1)
    return len(outcomes) >= mails and all(outcomes) and not on_its_way


def _count(shop: Shop, found: Acknowledged) -> None:
    read = shop.desk.read
    known = Counter(row["message_id_norm"] for row in read.rows("message_mail"))
    ours = [shop.message_id(number) for number in range(1, found.mails + 1)]
    rows = read.rows("outbox", {"kind": "acknowledgement"})
    arrived = our_ids(shop.servers.messages(shop.customer))
    found.tickets, found.acknowledgements = len(read.rows("ticket")), len(rows)
    found.messages, found.arrived = sum(known[one] for one in ours), arrived.total()
    found.wrong += [f"{one} is there {known[one]} times" for one in ours if known[one] != 1]
    found.wrong += [f"{one} arrived {times} times" for one, times in arrived.items() if times != 1]
    found.wrong += [f"acknowledgement {row['id']} is {row['state']}" for row in rows if row["state"] != "sent"]
    if len({row["ticket_id"] for row in rows}) != len(rows):
        found.wrong.append("a ticket has two acknowledgements")
    for name in ("tickets", "messages", "acknowledgements", "arrived"):
        if getattr(found, name) != found.mails:
            found.wrong.append(f"{getattr(found, name)} {name} of {found.mails} mails")
    found.wrong += integrity(Path(shop.desk.store.address.file))  # type: ignore[attr-defined]
