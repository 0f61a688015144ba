"""kill -9 of the worker at random moments, against real Dovecot and Postfix: `./desk kill --runs 200 --seed 7`.

While customers write and agents answer, the worker is killed again and again; then it may finish. What must hold at the
end is in `verdict_on`: nothing lost, nothing doubled, and what is in doubt is listed. The seed and the counts are
printed as JSON; the exit code is 1 if anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.mail_servers import MailServers, running_mail_servers
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor

SHOP = "help@example.test"
FOLLOW_UP_EVERY, TWICE_EVERY = 10, 25
KILLED_EARLY, LONGEST_START = 0.2, 1.0  # some die within that second of their start, the rest while they work
LONGEST_WORK = 0.7  # seconds after the lease was taken
MAILS_ARE_IN_BY, REPLIES_FROM, REPLIES_ARE_OUT_BY = 0.7, 0.1, 0.95  # of all runs
DRAIN_SECONDS = 120.0


@dataclass
class Tally:
    """What was asked for, what happened, and what is wrong with it."""

    seed: int
    runs: int
    mails: int = 0
    replies: int = 0
    kills: int = 0
    killed_while: Counter[str] = field(default_factory=Counter)
    tickets: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    in_doubt: int = 0
    in_doubt_but_arrived: int = 0
    lost_mails: list[str] = field(default_factory=list)
    doubled_tickets: list[str] = field(default_factory=list)
    lost_replies: list[str] = field(default_factory=list)
    doubled_replies: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def clean(self) -> bool:
        return not (
            self.lost_mails or self.doubled_tickets or self.lost_replies or self.doubled_replies or self.unlisted
        )

    def as_json(self) -> str:
        body = {**self.__dict__, "killed_while": dict(self.killed_while), "outcomes": dict(self.outcomes)}
        return json.dumps({**body, "ok": self.clean}, indent=2)


@dataclass
class Shop:
    """A desk with one mailbox on the servers, the process that works for it, and what was written to it so far."""

    desk: Desk
    agent: Actor
    servers: MailServers
    home: Path
    environment: dict[str, str]
    written: int = 0
    delivered: int = 0  # with those that came twice

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """The real program in its own process; killed when the block ends, unless it has ended by itself."""
        with (self.home / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "supportdesk", "worker"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def customers_write(self, count: int) -> None:
        for _unused in range(count):
            number = self.written = self.written + 1
            mail = customer_mail(number)
            for _time in range(2 if number % TWICE_EVERY == 0 else 1):
                self.servers.deliver(mail, sender=f"customer+{number}@customer.test", recipients=[SHOP])
                self.delivered += 1

    def agents_answer(self, count: int) -> int:
        """Answer tickets that nobody has answered before, not even in doubt; how many there were."""
        answered = {row["ticket_id"] for row in self.desk.read.rows("outbox")}
        now = self.desk.clock.now()
        queue = self.desk.read.queue_ids("needs_reply", agent_id=self.agent.id, now=now)
        ids = [ticket_id for ticket_id in queue if ticket_id not in answered][:count]
        for ticket_id in ids:
            draft = self.desk.open_draft(self.agent, ticket_id)
            draft = self.desk.save_draft(
                self.agent, draft.id, draft.version, body=f"Il pacco arriva domani. #{ticket_id}"
            )
            self.desk.send(
                self.agent, draft.id, seen_seq=self.desk.read.ticket(ticket_id).seq, undo_seconds=0, anyway=True
            )
        return len(ids)

    def is_worked_for_by(self, process: subprocess.Popen[bytes]) -> bool:
        leases = self.desk.read.rows("lease", {"name": "worker"})
        return any(row["owner"] and row["info"].get("pid") == process.pid for row in leases)

    def is_quiet(self) -> bool:
        """Whether every mail on the server has its outcome and no reply is on its way any more."""
        on_its_way = self.desk.read.rows("outbox", {"state": ["held", "sending", "deferred"]}, limit=1)
        audit = self.desk.read.audit()
        rows = sum(row["rows"] for row in audit if row["role"] == "inbox")
        return not on_its_way and rows >= self.delivered and not any(row["unprocessed"] for row in audit)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="desk kill", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=200, help="how often the worker is killed")
    parser.add_argument("--seed", type=int, default=None, help="of the random moments (default: a new one)")
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--replies", type=int, default=100)
    parser.add_argument("--database", default="", help="a Postgres URL instead of a file")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    tally = run(given.runs, seed, mails=given.mails, replies=given.replies, database=given.database)
    print(tally.as_json())
    return 0 if tally.clean else 1


def run(runs: int, seed: int, *, mails: int, replies: int, database: str = "") -> Tally:
    """Kill the worker `runs` times while that many mails come in and replies go out; then let it finish, and count."""
    chance, tally, started = random.Random(seed), Tally(seed, runs), time.monotonic()
    with running_mail_servers() as servers, open_shop(servers, database) as shop:
        for number in range(runs):
            done = (number + 1) / runs
            with shop.worker() as worker:
                if chance.random() < KILLED_EARLY:
                    time.sleep(chance.uniform(0, LONGEST_START))
                else:
                    wait_until(lambda: shop.is_worked_for_by(worker), seconds=60, what="the worker to take its lease")
                end = time.monotonic() + chance.uniform(0, LONGEST_WORK)
                shop.customers_write(share(mails, done / MAILS_ARE_IN_BY) - shop.written)
                due = share(replies, (done - REPLIES_FROM) / (REPLIES_ARE_OUT_BY - REPLIES_FROM)) - tally.replies
                tally.replies += shop.agents_answer(due) if due > 0 else 0
                time.sleep(max(0.0, end - time.monotonic()))
                worker.send_signal(signal.SIGKILL)
                worker.wait()
            tally.kills += 1
            tally.killed_while.update(what_was_under_way(shop.desk))
        finish(shop, mails, replies, tally)
        verdict_on(shop, tally)
    tally.seconds = round(time.monotonic() - started, 1)
    return tally


def share(total: int, part: float) -> int:
    return round(total * min(1.0, max(0.0, part)))


def finish(shop: Shop, mails: int, replies: int, tally: Tally) -> None:
    """Let a worker live until everything has its end, answer what is left to answer, and stop it as systemd would."""
    with shop.worker() as worker:
        wait_until(lambda: shop.is_worked_for_by(worker), seconds=60, what="the worker to take its lease")
        shop.customers_write(mails - shop.written)
        wait_until(
            lambda: shop.is_quiet() or worker.poll() is not None, seconds=DRAIN_SECONDS, what="the worker to catch up"
        )
        while tally.replies < replies and (answered := shop.agents_answer(replies - tally.replies)):
            tally.replies += answered
        wait_until(shop.is_quiet, seconds=DRAIN_SECONDS, what="the outbox to empty itself")
        worker.send_signal(signal.SIGTERM)
        if worker.wait(timeout=30) != 0:
            tally.unlisted.append(f"the worker ended with {worker.returncode}")
    wait_until(lambda: not shop.servers.queue().strip(), seconds=60, what="Postfix's queue to empty itself")
    tally.mails = shop.delivered


def what_was_under_way(desk: Desk) -> list[str]:
    """Where the kill hit: the stages of replies that were being sent, and mail that was taken over and not read yet."""
    stages = [row["stage"] or "claimed" for row in desk.read.rows("outbox", {"state": "sending"})]
    unread = any(row["unprocessed"] for row in desk.read.audit())
    return [*stages, *(["unread mail"] if unread else []), *([] if stages or unread else ["nothing"])]


def verdict_on(shop: Shop, tally: Tally) -> None:
    """Compare the desk with what the servers hold."""
    read = shop.desk.read
    with shop.servers.imap(SHOP.partition("@")[0]) as connection:
        connection.select("INBOX", readonly=True)
        on_server = {int(uid) for uid in connection.uid("SEARCH", "ALL")[1][0].split()}
    inbox = read.rows("folder", {"role": "inbox"})[0]
    rows = read.rows("delivery", {"folder_id": inbox["id"]})
    tally.outcomes.update(row["outcome"] or "none" for row in rows)
    tally.lost_mails += [f"UID {uid} has no row" for uid in sorted(on_server - {row["uid"] for row in rows})]
    tally.lost_mails += [f"UID {row['uid']} has no outcome" for row in rows if not row["outcome"]]
    known = Counter(row["message_id_norm"] for row in read.rows("message_mail"))
    for number in range(1, shop.written + 1):
        if known[message_id(number)] != 1:
            (tally.doubled_tickets if known[message_id(number)] else tally.lost_mails).append(message_id(number))
    tally.tickets = len(read.rows("ticket"))
    expected = sum(1 for number in range(1, shop.written + 1) if root(number) == number)
    if tally.tickets != expected:
        tally.doubled_tickets.append(f"{tally.tickets} tickets instead of {expected}")
    arrived = Counter(
        re.findall(r"(?im)^message-id:\s*(<sd\.\S+>)", b"\n".join(shop.servers.messages("customer")).decode("latin-1"))
    )
    tally.doubled_replies += [one for one, times in arrived.items() if times > 1]
    listed = {row["ticket_id"] for row in read.unanswered(now=shop.desk.clock.now())}
    for row in read.rows("outbox"):
        name = row["message_id_header"]
        if row["state"] == "sent":
            tally.sent += 1
            if not arrived[name]:
                tally.lost_replies.append(f"{name} is sent and did not arrive")
        elif row["state"] == "uncertain":
            tally.in_doubt += 1
            tally.in_doubt_but_arrived += arrived[name]
            if row["ticket_id"] not in listed:
                tally.unlisted.append(name)
        else:
            tally.lost_replies.append(f"{name} is {row['state']}")


def customer_mail(number: int) -> bytes:
    first = root(number)
    answer = "" if first == number else f"In-Reply-To: {message_id(first)}\r\n"
    return (
        f"From: Cliente {first} <customer+{first}@customer.test>\r\nTo: {SHOP}\r\nSubject: Ordine {first}\r\n"
        f"Message-ID: {message_id(number)}\r\n{answer}Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n\r\n"
        f"Buongiorno, il mio ordine {first} non arriva. Potete dirmi qualcosa? ({number})\r\n"
    ).encode()


def message_id(number: int) -> str:
    return f"<kill-{number}@customer.test>"


def root(number: int) -> int:
    """Some mails answer the one before them: they belong to its ticket."""
    return number - 1 if number % FOLLOW_UP_EVERY == 0 else number


@contextmanager
def open_shop(servers: MailServers, database: str) -> Iterator[Shop]:
    from supportdesk.bootstrap import create_desk
    from supportdesk.config import Credential, load_config, save_credential
    from supportdesk.desk.model import Actor, Server

    with tempfile.TemporaryDirectory(prefix="supportdesk-kill-") as directory:
        home = Path(directory)
        settings = home / "config.toml"
        settings.write_text(f'database = "{database or home / "desk.db"}"\nagent = "giulia"\n')
        save_credential(load_config(settings), SHOP, Credential(password=servers.password))
        desk = create_desk(load_config(settings))
        agent: Any = desk.add_agent(Actor("worker", None, "kill"), "giulia", name="Giulia", languages=["it"]).actor()
        certificate = str(servers.certificate)
        desk.save_mailbox(
            agent,
            {
                "address": SHOP, "name": "Bottega", "shop_name": "Bottega", "language": "it", "zone": "Europe/Rome",
                "imap": Server(servers.host, servers.imaps_port, "implicit", "help", certificate),
                "smtp": Server(servers.host, servers.smtps_port, "implicit", "help", certificate),
            },
        )  # fmt: skip
        environment = {**os.environ, "SUPPORTDESK_CONFIG": str(settings), "XDG_DATA_HOME": directory}
        try:
            yield Shop(desk, agent, servers, home, environment)
        except BaseException:
            sys.stderr.write((home / "worker.log").read_text("utf-8", "replace")[-4000:])
            raise
        finally:
            desk.store.close()


if __name__ == "__main__":
    sys.exit(main())
