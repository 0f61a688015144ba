"""The desk that the kill harness torments: who writes to it and answers on it, and the verdict on what came of it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.work import integrity
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import Actor
    from tests.e2e.kill import Tally
    from tests.support.mail_servers import MailServers

FOLLOW_UP_EVERY, TWICE_EVERY = 10, 25


@dataclass
class Shop:
    """A desk with one mailbox on the servers, the process that works for it, and what was written to it so far."""

    desk: Desk
    agent: Actor
    servers: MailServers
    home: Path
    settings: Path
    environment: dict[str, str]
    user: str = "help"
    written: int = 0
    delivered: int = 0  # with those that came twice
    answered: set[int] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"{self.user}@example.test"

    @property
    def customer(self) -> str:
        """The name on the servers under which all replies arrive; each customer is a sub-address of it."""
        return f"customer-{self.user}"

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
            mail = self.customer_mail(number)
            for _time in range(2 if number % TWICE_EVERY == 0 else 1):
                sender = f"{self.customer}+{number}@customer.test"
                self.servers.deliver(mail, sender=sender, recipients=[self.address])
                self.delivered += 1

    def agents_answer(self, count: int) -> int:
        """Answer tickets that nobody has answered before, not even in doubt; how many there were."""
        now = self.desk.clock.now()
        queue = self.desk.read.queue_ids("needs_reply", agent_id=self.agent.id, now=now)
        ids = [ticket_id for ticket_id in queue if ticket_id not in self.answered][:count]
        for ticket_id in ids:
            draft = self.desk.open_draft(self.agent, ticket_id)
            draft = self.desk.save_draft(
                self.agent, draft.id, draft.version, body=f"Il pacco arriva domani. #{ticket_id}"
            )
            self.desk.send(
                self.agent, draft.id, seen_seq=self.desk.read.ticket(ticket_id).seq, undo_seconds=0, anyway=True
            )
            self.answered.add(ticket_id)
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

    def what_was_under_way(self) -> list[str]:
        """Where a kill hit: the stages of replies that were being sent, and mail that was taken over and not read."""
        stages = [row["stage"] or "claimed" for row in self.desk.read.rows("outbox", {"state": "sending"})]
        unread = bool(self.desk.read.rows("delivery", {"outcome": ""}, limit=1))
        return [*stages, *(["unread mail"] if unread else []), *([] if stages or unread else ["nothing"])]

    def customer_mail(self, number: int) -> bytes:
        first = root(number)
        answer = "" if first == number else f"In-Reply-To: {self.message_id(first)}\r\n"
        return (
            f"From: Cliente {first} <{self.customer}+{first}@customer.test>\r\nTo: {self.address}\r\n"
            f"Subject: Ordine {first}\r\n"
            f"Message-ID: {self.message_id(number)}\r\n{answer}Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n\r\n"
            f"Buongiorno, il mio ordine {first} non arriva. Potete dirmi qualcosa? ({number})\r\n"
        ).encode()

    def message_id(self, number: int) -> str:
        return f"<{self.user}-{number}@customer.test>"


def root(number: int) -> int:
    """Some mails answer the one before them: they belong to its ticket."""
    return number - 1 if number % FOLLOW_UP_EVERY == 0 else number


@contextmanager
def open_shop(servers: MailServers, database: str = "", user: str = "help", **changes: Any) -> Iterator[Shop]:
    """A desk of its own, in a file unless `database` names another place; `changes` are for its mailbox."""
    from supportdesk.bootstrap import create_desk
    from supportdesk.config import Credential, load_config, save_credential
    from supportdesk.desk.model import Actor, Server

    with tempfile.TemporaryDirectory(prefix="supportdesk-kill-") as directory:
        home = Path(directory)
        settings, address = home / "config.toml", f"{user}@example.test"
        settings.write_text(f'database = "{database or home / "desk.db"}"\nagent = "giulia"\n')
        save_credential(load_config(settings), address, Credential(password=servers.password))
        desk = create_desk(load_config(settings))
        agent: Any = desk.add_agent(Actor("worker", None, "kill"), "giulia", name="Giulia", languages=["it"]).actor()
        certificate = str(servers.certificate)
        desk.save_mailbox(
            agent,
            {
                "address": address, "name": "Bottega", "shop_name": "Bottega", "language": "it", "zone": "Europe/Rome",
                "imap": Server(servers.host, servers.imaps_port, "implicit", user, certificate),
                "smtp": Server(servers.host, servers.smtps_port, "implicit", user, certificate),
                **changes,
            },
        )  # fmt: skip
        environment = {**os.environ, "SUPPORTDESK_CONFIG": str(settings), "XDG_DATA_HOME": directory}
        try:
            yield Shop(desk, agent, servers, home, settings, environment, user)
        except BaseException:
            if (home / "worker.log").exists():
                sys.stderr.write((home / "worker.log").read_text("utf-8", "replace")[-4000:])
            raise
        finally:
            desk.store.close()


def wait_for_the_queue(servers: MailServers) -> None:
    wait_until(lambda: not servers.queue().strip(), seconds=60, what="Postfix's queue to empty itself")


def verdict_on(shop: Shop, tally: Tally) -> None:
    """Compare the desk with what the servers hold."""
    read = shop.desk.read
    tally.mails = shop.delivered
    with shop.servers.imap(shop.user) as connection:
        connection.select("INBOX", readonly=True)
        on_server = {int(uid) for uid in connection.uid("SEARCH", "ALL")[1][0].split()}
    inbox = read.rows("folder", {"role": "inbox"})[0]
    rows = read.rows("delivery", {"folder_id": inbox["id"], "uidvalidity": inbox["uidvalidity"]})
    tally.outcomes.update(row["outcome"] or "none" for row in rows)
    tally.lost_mails += [f"UID {uid} has no row" for uid in sorted(on_server - {row["uid"] for row in rows})]
    tally.lost_mails += [f"UID {row['uid']} has no outcome" for row in rows if not row["outcome"]]
    known = Counter(row["message_id_norm"] for row in read.rows("message_mail"))
    for number in range(1, shop.written + 1):
        name = shop.message_id(number)
        if known[name] != 1:
            (tally.doubled_tickets if known[name] else tally.lost_mails).append(name)
    tally.tickets = len(read.rows("ticket"))
    expected = sum(1 for number in range(1, shop.written + 1) if root(number) == number)
    if tally.tickets != expected:
        tally.doubled_tickets.append(f"{tally.tickets} tickets instead of {expected}")
    _verdict_on_replies(shop, tally)
    if shop.desk.store.recount_views():
        tally.torn.append("the counters of the views were wrong")
    if not shop.desk.store.address.is_postgres:  # type: ignore[attr-defined]
        tally.torn += integrity(Path(shop.desk.store.address.file))  # type: ignore[attr-defined]


def _verdict_on_replies(shop: Shop, tally: Tally) -> None:
    read = shop.desk.read
    arrived = our_ids(shop.servers.messages(shop.customer))
    copies = our_ids(shop.servers.messages(shop.user, "Sent"))
    tally.copies = copies.total()
    tally.doubled_replies += [one for one, times in arrived.items() if times > 1]
    tally.doubled_replies += [f"{one} is in Sent {times} times" for one, times in copies.items() if times > 1]
    listed = {row["ticket_id"] for row in read.unanswered(now=shop.desk.clock.now())}
    rows = read.rows("outbox")
    tally.doubled_replies += [
        f"ticket {ticket} has {count} replies"
        for ticket, count in Counter(row["ticket_id"] for row in rows).items()
        if count > 1
    ]
    for row in rows:
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
        elif row["state"] == "draft":  # stopped, because its customer wrote again before it was claimed
            tally.stopped += 1
            if row["ticket_id"] not in listed:
                tally.unlisted.append(f"the stopped reply of ticket {row['ticket_id']}")
        else:
            tally.lost_replies.append(f"{name} is {row['state']}")


def our_ids(mails: list[bytes]) -> Counter[str]:
    return Counter(re.findall(r"(?im)^message-id:\s*(<sd\.\S+>)", b"\n".join(mails).decode("latin-1")))
