"""A shop on real mail servers: a desk with a mailbox of its own, a worker in a thread, customers who write and read."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supportdesk.bootstrap import create_desk
from supportdesk.config import Config, Credential
from supportdesk.desk.model import Actor, Server, TicketId
from supportdesk.engine import Engine, open_engine
from supportdesk.worker import Worker
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import OutboxRow
    from supportdesk.desk.ports import Row
    from tests.support.mail_servers import MailServers

SECONDS = 30
_numbers = itertools.count(1)


@dataclass
class Shop:
    """What the tests of the mail path talk to."""

    engine: Engine
    servers: MailServers
    user: str  # the mailbox's name on the servers
    agent: Actor
    mailbox_id: Any

    @property
    def desk(self) -> Desk:
        return self.engine.desk

    @property
    def address(self) -> str:
        return f"{self.user}@example.test"

    @property
    def customer(self) -> str:
        """A customer's name on the servers that no other test uses; his address is NAME@customer.test."""
        return f"rosa-{self.user}"[:60]

    @contextmanager
    def worker(self) -> Iterator[Worker]:
        """The real worker in a thread; stopped at the end, and joined."""
        worker = Worker(open_engine(self.engine.config))
        thread = threading.Thread(target=worker.run, name="worker")
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(60)
            assert not thread.is_alive()

    def fetch(self) -> int:
        """One pass over the mailbox and the whole intake, as `mail fetch` does."""
        source = self.engine.servers.source(self.mailbox_id)
        try:
            taken = self.engine.fetcher(self.desk.mailbox(self.mailbox_id), stop=lambda: False).run_pass(source)
        finally:
            source.close()
        self.engine.intake().process_all()
        return taken.fetched

    def customer_writes(
        self, text: str, *, subject: str = "Ordine 5521", answers: bytes = b"", sender: str = ""
    ) -> str:
        """Mail from outside through Postfix; its Message-ID. `answers` is the mail that it replies to."""
        address = sender or f"{self.customer}@customer.test"
        message_id = f"<e2e-{next(_numbers)}-{self.user}@customer.test>"
        lines = [f"From: Rosa Bianchi <{address}>", f"To: {self.address}", f"Subject: {subject}"]
        lines.append(f"Message-ID: {message_id}")
        if answers:
            replied = header(answers, "Message-ID")
            lines += [f"In-Reply-To: {replied}", f"References: {header(answers, 'References')} {replied}"]
        mail = "\r\n".join([*lines, "Content-Type: text/plain; charset=utf-8", "", text, ""]).encode()
        self.servers.send_from_outside(mail, sender=address, recipients=[self.address])
        return message_id

    def ticket_of(self, message_id: str) -> TicketId:
        """The ticket of a mail, as soon as the worker has read it."""
        found: list[Row] = []

        def there() -> bool:
            found[:] = self.desk.read.rows("message_mail", {"message_id_norm": message_id})
            return bool(found)

        wait_until(there, seconds=SECONDS, what=f"the ticket of {message_id}")
        return TicketId(self.desk.read.rows("message", {"id": found[0]["message_id"]})[0]["ticket_id"])

    def answer(self, ticket_id: TicketId, text: str, **changes: Any) -> OutboxRow:
        draft = self.desk.open_draft(self.agent, ticket_id)
        draft = self.desk.save_draft(self.agent, draft.id, draft.version, body=text, **changes)
        seen = self.desk.read.ticket(ticket_id).seq
        self.desk.send(self.agent, draft.id, seen_seq=seen, undo_seconds=0, anyway=True)
        return draft

    def wait_for_state(self, row: OutboxRow, *states: str) -> OutboxRow:
        what = f"the reply to be {' or '.join(states)}"
        wait_until(lambda: self.desk.outbox_row(row.id).state in states, seconds=SECONDS, what=what)
        return self.desk.outbox_row(row.id)

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
        wait_until(condition, seconds=seconds, what=what)


@contextmanager
def open_shop(
    servers: MailServers, user: str, directory: Path, *, database: str = "", mailbox: Mapping[str, Any] | None = None
) -> Iterator[Shop]:
    """A desk of its own, in a file unless `database` names another place."""
    address = f"{user}@example.test"
    config = Config(None, database or str(directory / "desk.db"))
    config = replace(config, credentials={address: Credential(password=servers.password)})
    desk = create_desk(config)
    agent = desk.add_agent(Actor("worker", None, "test"), "giulia", name="Giulia", languages=("it",)).actor()
    certificate = str(servers.certificate)
    values = {
        "address": address, "name": "Bottega", "shop_name": "Bottega", "language": "it", "zone": "Europe/Rome",
        "imap": Server(servers.host, servers.imaps_port, "implicit", user, certificate),
        "smtp": Server(servers.host, servers.submission_port, "starttls", user, certificate),
    }  # fmt: skip
    mailbox_id = desk.save_mailbox(agent, {**values, **(mailbox or {})}).id
    engine = Engine(config, desk)
    try:
        yield Shop(engine, servers, user, agent, mailbox_id)
    finally:
        engine.close()


def header(mail: bytes, name: str) -> str:
    """A header field as the standard library reads it."""
    from email import message_from_bytes

    return str(message_from_bytes(mail)[name] or "")
