"""Part `send`: replies out of the outbox and through SMTP, to a sink that answers at once.

The sink keeps nothing, so the figures are the sender's own cost; a real server adds its own to every mail and more to
every connection.
"""

from __future__ import annotations

import smtplib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.model import MailboxId, Server, TicketId
from supportdesk.desk.ports import MailSource, MailTransport
from supportdesk.errors import Conflict
from supportdesk.mail.model import BuiltMail
from supportdesk.mail.smtp import SmtpTransport
from supportdesk.store.write.transaction import WriteTransaction
from tests.bench.desks import BenchDesk, scratch_desk
from tests.bench.given import mails_of
from tests.bench.mails import SUPPORT
from tests.bench.measure import Options, alternate, say
from tests.bench.report import BenchFailed, Part, Row
from tests.bench.smtp_sink import running_sink

SIZE: Final = 200
CONNECTIONS: Final = 4  # as many as the worker has
WHY: Final = {
    "transport, four reused connections": (
        "all four are threads of one interpreter, and a mail costs it half a millisecond, three times what smtplib"
        " takes: asyncio's loop turns twenty times for it, and dots are looked for line by line (8 %). Next: MAIL, RCPT"
        " and DATA in one write where the server offers PIPELINING, and dots looked for in the whole text at once."
    ),
}
BODY: Final = "Buongiorno,\n\nil pacco è partito ieri e arriva domani.\n\nCordiali saluti\n"


def run(options: Options) -> Part:
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        given = mails_of(options, Path(directory), SIZE)
        mails = [_built(number, raw) for number, raw in enumerate(given.pack)]
        size, described = given.count, given.described
    rounds = max(1, options.runs // 2)
    with running_sink() as sink:
        server = Server("127.0.0.1", sink.port, "none", "")
        taken = alternate(
            {
                "a connection a mail": lambda: _standard(mails, sink.port, reuse=False),
                "one connection, smtplib": lambda: _standard(mails, sink.port, reuse=True),
                "one of ours": lambda: _ours(mails, server, 1),
                "four of ours": lambda: _ours(mails, server, CONNECTIONS),
            },
            rounds,
        )
        with scratch_desk(options.database) as made:
            delivered = _delivered(made, server, size)
    expected = size * (4 * rounds + 1)
    if sink.taken.mails != expected:
        raise BenchFailed(f"the sink took {sink.taken.mails} mails of {expected}")
    rate = {name: size / seconds for name, seconds in taken.items()}
    lone, four = rate["a connection a mail"], rate["four of ours"]
    rows = (
        Row("transport, one reused connection", rate["one of ours"], "mails/s", "a connection a mail", lone),
        Row("transport, four reused connections", four, "mails/s", "a connection a mail", lone, "≥ 1.7×"),
        Row("the same", four, "mails/s", "smtplib, reused", rate["one connection, smtplib"]),
        Row("outbox: claim, build, durable stages, verdict", delivered.rate, "mails/s", "a connection a mail", lone),
        Row("transactions a delivered reply", delivered.transactions, "transactions"),
        Row("claims that raised because another was first", delivered.conflicts, "claims", aim="≤ 0"),
        Row("connections the sink saw", sink.taken.connections, "connections"),
    )
    return Part("send", f"{described}; {size:,} short replies", rows, why=WHY)


def _built(number: int, raw: bytes) -> BuiltMail:
    return BuiltMail(f"<{number}@bench.example>", SUPPORT, (f"customer{number}@example.com",), raw)


def _standard(mails: Sequence[BuiltMail], port: int, *, reuse: bool) -> None:
    connection = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost")
    for mail in mails:
        connection.sendmail(mail.sender, mail.recipients, mail.data)
        if not reuse:
            connection.quit()
            connection = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost")
    connection.quit()


def _ours(mails: Sequence[BuiltMail], server: Server, connections: int) -> None:
    def send(some: Sequence[BuiltMail]) -> None:
        transport = SmtpTransport(server, "")
        for mail in some:
            result = transport.send(mail, mail.recipients, lambda _stage: None)
            assert result.verdict == "sent", result.detail
        transport.close()

    _in_threads([lambda some=mails[at::connections]: send(some) for at in range(connections)])  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class _SinkServers:
    """desk.ports.MailServers with the sink behind every mailbox."""

    server: Server

    def source(self, mailbox_id: MailboxId) -> MailSource:
        raise BenchFailed("nothing is fetched here")

    def transport(self, mailbox_id: MailboxId) -> MailTransport:
        return SmtpTransport(self.server, "")


@dataclass(frozen=True, slots=True)
class _Delivered:
    """Replies a second, transactions a reply, and how often a deliverer was told that another was first."""

    rate: float
    transactions: float
    conflicts: int


def _delivered(made: BenchDesk, server: Server, size: int) -> _Delivered:
    """Write so many replies, then deliver them with as many deliverers as the worker has."""
    agent = made.agents[0].actor()
    mailbox = made.desk.mailboxes()[0]
    made.desk.save_mailbox(agent, {"id": mailbox.id, "version": mailbox.version, "smtp": server})
    made.grow_to(size + size // 5 + 10)
    answerable = made.desk.read.rows("ticket", {"status": ["new", "open", "pending", "solved", "closed"]}, limit=size)
    for number, ticket in enumerate(answerable, 1):
        draft = made.desk.open_draft(agent, TicketId(ticket["id"]))
        draft = made.desk.save_draft(agent, draft.id, draft.version, body=BODY)
        made.desk.send(agent, draft.id, seen_seq=1, undo_seconds=0)
        say(f"send: {number:,} of {size:,} replies written")
    say("")
    epoch = made.store.acquire_lease("worker", "bench", 3600, {})
    assert epoch is not None
    transactions = _counted_transactions(made)

    lost: list[Conflict] = []

    def deliver(owner: str) -> None:
        deliverer = Deliverer(made.desk, _SinkServers(server), owner=owner, epoch=epoch)
        try:
            more = True
            while more:
                try:
                    more = deliverer.deliver_next()
                except Conflict as conflict:  # another deliverer was quicker; the worker tries again as well
                    lost.append(conflict)
        finally:
            deliverer.close()

    start = time.perf_counter()
    _in_threads([lambda owner=f"bench-{n}": deliver(owner) for n in range(CONNECTIONS)])  # type: ignore[misc]
    seconds = time.perf_counter() - start
    states = Counter(row["state"] for row in made.desk.read.rows("outbox"))
    if states["sent"] != size:
        raise BenchFailed(f"of {size} replies these came to a state: {dict(states)}; {lost[:1]}")
    return _Delivered(size / seconds, len(transactions) / size, len(lost))


def _counted_transactions(made: BenchDesk) -> list[None]:
    """Grows by one with every transaction of this store from now on, in whatever thread."""
    begin, begun = made.store.transaction, list[None]()

    def counted() -> AbstractContextManager[WriteTransaction]:
        begun.append(None)
        return begin()

    setattr(made.store, "transaction", counted)  # noqa: B010 - only here a method is replaced
    return begun


def _in_threads(works: Sequence[Callable[[], None]]) -> None:
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below, in the thread that asked
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
