"""What a desk does while faults strike: mail is taken over and read, drafts are written and held, and each thing that
was acknowledged is said aloud, after the call has returned. What was said must be there afterwards, and nothing half.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from supportdesk.errors import StoreError
from supportdesk.mail.parse import parse

if TYPE_CHECKING:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.model import TicketId
    from supportdesk.mail.model import ParsedMail

Result = TypeVar("Result")
Say = Callable[[str, Any], None]
SHOP = "help@example.test"
MAILS, BATCH, REPLIES = 4, 2, 1
TRIES = 6
PATIENCE = 60.0  # seconds, for work that waits until a fault is over
UIDVALIDITY = 7
ACKNOWLEDGED = ["held", "sending", "deferred", "sent", "uncertain", "failed", "bounced"]
"""What a reply may be once its agent was told that it goes out."""

RECEIVED = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


@dataclass
class Said:
    """What was acknowledged, and how often the database refused."""

    fetched: set[int] = field(default_factory=set)
    read: set[int] = field(default_factory=set)
    held: set[int] = field(default_factory=set)  # tickets
    refused: list[str] = field(default_factory=list)


def recorder(said: Said) -> Say:
    """Writes down what is said; `ended` is a refusal that ended the work."""

    def record(kind: str, what: Any) -> None:
        if kind in ("refused", "ended"):
            said.refused.append(what)
        else:
            getattr(said, kind).update(what)

    return record


class Reader:
    """The parser without its child: the faults are meant for the database."""

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail:
        return parse(raw, received_at)

    def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Iterator[ParsedMail]:
        return (parse(raw, at) for raw, at in mails)

    def cut_part(self, raw: bytes, part: str) -> bytes:
        raise AssertionError("nobody saves an attachment here")


def mail(number: int) -> bytes:
    return (
        f"From: Cliente {number} <c{number}@customer.test>\r\nTo: {SHOP}\r\nSubject: Ordine {number}\r\n"
        f"Message-ID: <fault-{number}@customer.test>\r\nDate: Wed, 4 Mar 2026 09:00:00 +0000\r\n\r\n"
        f"Il mio ordine {number} non arriva. {'Potete dirmi qualcosa? ' * (20 * number)}\r\n"
    ).encode()


def furnish(database: str) -> None:
    """A desk with one agent and one mailbox; its connections are closed again."""
    from supportdesk.bootstrap import create_desk
    from supportdesk.config import Config
    from supportdesk.desk.model import Actor

    desk = create_desk(Config(None, database))
    agent = desk.add_agent(Actor("worker", None, "faults"), "giulia", name="Giulia", languages=("it",)).actor()
    desk.save_mailbox(
        agent, {"address": SHOP, "name": "Bottega", "shop_name": "Bottega", "language": "it", "zone": "Europe/Rome"}
    )
    desk.store.close()


def open_desk(database: str) -> Desk:
    from supportdesk.desk.desk import Desk
    from supportdesk.desk.ports import SystemClock
    from supportdesk.store import open_store

    return Desk(open_store(database), SystemClock())


def work(desk: Desk, say: Say, mails: range = range(1, MAILS + 1), *, patience: float = 0.0) -> None:
    """Do everything once; what is done already is done no second time. Each refusal is said, and tried again.

    `patience`: how long each step is tried, in seconds; without it, a few times.
    """
    for first in range(mails.start, mails.stop, BATCH):
        take_over_and_read(desk, say, range(first, min(first + BATCH, mails.stop)), patience=patience)
    for number in list(mails)[:REPLIES]:
        ticket = insist(partial(_ticket_of, desk, number), say, patience)
        insist(partial(hold_reply, desk, ticket, say), say, patience)
    insist(desk.store.checkpoint, say, patience)


def take_over_and_read(desk: Desk, say: Say, numbers: range, *, patience: float) -> None:
    """What the worker does with new mail, in its two durable steps."""
    from supportdesk.desk.intake import Intake
    from supportdesk.desk.ports import LedgerItem

    ledger, mailbox = desk.store.ledger, insist(desk.mailboxes, say, patience)[0]
    folder = insist(lambda: ledger.folder(mailbox.id, "INBOX", "inbox"), say, patience)["id"]
    insist(lambda: ledger.new_epoch(folder, UIDVALIDITY), say, patience)
    items = [LedgerItem(number, mail(number), len(mail(number)), RECEIVED) for number in numbers]
    insist(lambda: ledger.record_fetched(folder, UIDVALIDITY, items, advance_to=0), say, patience)
    say("fetched", list(numbers))
    insist(Intake(desk, Reader(), detect=lambda _text: "it").process_all, say, patience)
    say("read", list(numbers))


def hold_reply(desk: Desk, ticket: TicketId, say: Say, *, undo_seconds: int = 15) -> None:
    """Hold one reply, unless an earlier attempt has done it: its outcome was not known."""
    agent = desk.agent_by_login("giulia").actor()
    if not desk.read.rows("outbox", {"ticket_id": ticket, "state": ACKNOWLEDGED}):
        draft = desk.open_draft(agent, ticket)
        draft = desk.save_draft(agent, draft.id, draft.version, body="Il pacco arriva domani.")
        desk.send(agent, draft.id, seen_seq=desk.read.ticket(ticket).seq, undo_seconds=undo_seconds, anyway=True)
    say("held", [ticket])


def insist(attempt: Callable[[], Result], say: Say, patience: float = 0.0) -> Result:
    """Try again after each refusal of the database, for so many seconds, at least a few times."""
    end, tries = time.monotonic() + patience, 0
    while True:
        tries += 1
        try:
            return attempt()
        except StoreError as error:
            say("refused", f"{type(error).__name__}: {error.message}")
            if tries >= TRIES and time.monotonic() >= end:
                raise
            time.sleep(0.02 if patience else 0.001)  # the next attempt is the look whether it works again


def _ticket_of(desk: Desk, number: int) -> TicketId:
    message = desk.read.rows("message_mail", {"message_id_norm": f"<fault-{number}@customer.test>"})[0]["message_id"]
    ticket: TicketId = desk.read.rows("message", {"id": message})[0]["ticket_id"]
    return ticket


def wrong_with(desk: Desk, said: Said, mails: range = range(1, MAILS + 1)) -> list[str]:
    """What is missing of what was acknowledged, what is there twice, and what does not add up."""
    read = desk.read
    rows = {row["uid"]: row for row in read.rows("delivery")}
    wrong = [f"mail {number} was acknowledged and is not stored" for number in sorted(said.fetched - set(rows))]
    for uid, row in rows.items():
        with suppress(StoreError):
            if desk.store.blobs.get(row["raw_sha"]) != mail(uid):
                wrong.append(f"mail {uid} is stored with other bytes")
            continue
        wrong.append(f"mail {uid} has lost its bytes")
    wrong += [f"mail {n} was read and has no outcome" for n in sorted(said.read) if not rows.get(n, {}).get("outcome")]
    ids = [row["message_id_norm"] for row in read.rows("message_mail")]
    known = Counter(each for each in ids if each.startswith("<fault-"))
    for number in mails:
        times = known[f"<fault-{number}@customer.test>"]
        if times > 1 or (times == 0 and number in said.read):
            wrong.append(f"mail {number} is a message {times} times")
    stubs = [row["id"] for row in read.rows("message") if row["kind"] == "stub"]
    wrong += [f"message {number} is a stub although its mail can be read" for number in stubs]
    if len(read.rows("ticket")) != sum(known.values()) + len(stubs):
        wrong.append(f"{len(read.rows('ticket'))} tickets for {sum(known.values())} messages")
    held = Counter(row["ticket_id"] for row in read.rows("outbox", {"state": ACKNOWLEDGED}))
    wrong += [f"the reply on ticket {ticket} was acknowledged and is gone" for ticket in sorted(said.held - set(held))]
    wrong += [f"ticket {ticket} has {times} replies" for ticket, times in held.items() if times > 1]
    if views := desk.store.recount_views():
        wrong.append(f"the counters of {', '.join(views)} are wrong")
    return wrong


def integrity(database: Path) -> list[str]:
    """What SQLite's own check and the foreign keys say against a database file."""
    from supportdesk.store.connect import sqlite_driver

    driver = sqlite_driver()
    connection = driver.connect(str(database))
    try:
        said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
        torn = [line for line in said if line != "ok"]
        return torn + [f"a broken foreign key: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
    except driver.DatabaseError as error:
        return [str(error)]
    finally:
        connection.close()
