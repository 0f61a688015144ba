"""A shop that writes automatic mail, the server that takes it, and what its customers get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.mail.model import BuiltMail, ParsedMail, SendResult
from supportdesk.mail.parse import parse
from tests.support.post import Post, mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.model import MailboxId, OutboxRow, Ticket, TicketId
    from supportdesk.desk.ports import MailSource, MailTransport, Row
    from tests.support.desk import House

SHOP_DAYS = ((540, 1080),)
GERMAN = "Guten Abend, wo bleibt meine Bestellung? Ich warte seit zwei Wochen darauf."
JAPANESE = "注文した商品がまだ届いていません。いつ届きますか。"


@dataclass
class Server:
    """A mail server that takes everything and keeps it."""

    taken: list[tuple[BuiltMail, tuple[str, ...]]] = field(default_factory=list)
    verdict: SendResult = field(default_factory=lambda: SendResult("sent", "dot_sent", "250 2.0.0 Ok"))

    def send(self, mail_: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        for stage in ("data_started", "dot_sent"):
            on_stage(stage)
        self.taken.append((mail_, tuple(recipients)))
        return self.verdict

    def close(self) -> None:
        """Nothing is open."""

    def transport(self, mailbox_id: MailboxId) -> MailTransport:
        return self

    def source(self, mailbox_id: MailboxId) -> MailSource:
        raise AssertionError("nobody reads mail here")


@dataclass
class Desk:
    """A shop that acknowledges, its mail server, and what its customers get."""

    post: Post
    server: Server = field(default_factory=Server)
    languages: dict[str, str] = field(default_factory=lambda: {GERMAN: "de", JAPANESE: "ja"})

    @property
    def house(self) -> House:
        return self.post.house

    def configure(self, **settings: Any) -> None:
        box = self.house.desk.mailbox(self.house.mailbox_id)
        self.house.desk.save_mailbox(self.house.giulia, {"id": box.id, "settings": {**box.settings, **settings}})

    def keep_hours(self, calendar: Calendar) -> None:
        calendar_id = self.house.desk.save_calendar(self.house.giulia, "shop", calendar)
        self.house.desk.save_mailbox(self.house.giulia, {"id": self.house.mailbox_id, "calendar_id": calendar_id})

    def set_customer(self, ticket: Ticket, **values: str) -> None:
        with self.house.store.transaction() as tx:
            change = Update("customer", {"id": ticket.customer_id}, {}, values)
            tx.apply(Plan(silent=(change,), undoable=False), MAIL, new_action_id())

    def arrives(self, raw: bytes, **how: Any) -> Ticket:
        """A mail through the real intake; the ticket that it came to."""
        row = self.post.arrives(raw, read=False, **how)
        detect = lambda text: next((tag for words, tag in self.languages.items() if words in text), None)  # noqa: E731
        Intake(self.house.desk, self.post.parser, detect=detect).process_all()
        (delivery,) = self.post.rows("delivery", {"id": row["id"]})
        return self.post.ticket_of(delivery)

    def writes(self, text: str = "Dove è il mio ordine 5521?", **options: Any) -> Ticket:
        return self.arrives(mail(text, **options))

    def deliver(self) -> list[ParsedMail]:
        """Everything that is due goes out; what the server took."""
        before, deliverer = len(self.server.taken), Deliverer(self.house.desk, self.server, owner="w/1", epoch=1)
        while deliverer.deliver_next():
            pass
        return [parse(one.data) for one, _people in self.server.taken[before:]]

    def automatic(self, ticket: Ticket | TicketId) -> list[Row]:
        ticket_id = ticket if isinstance(ticket, int) else ticket.id
        rows = self.post.rows("outbox", {"ticket_id": ticket_id})
        return [row for row in rows if row["kind"] in ("acknowledgement", "bump")]

    def acknowledgement(self, ticket: Ticket) -> Row:
        (row,) = self.automatic(ticket)
        return row

    def reason(self, ticket: Ticket) -> str:
        return str(self.post.messages(ticket)[-1]["evidence"]["no_ack_reason"])

    def asks_again(self, ticket: Ticket) -> OutboxRow:
        """An agent answers, asks to be answered, and the reply arrives."""
        held = self.house.reply(ticket.id, undo_seconds=0, ask_again=True)
        self.deliver()
        assert self.house.desk.outbox_row(held.id).state == "sent"
        return held

    def day(self, number: float) -> list[ParsedMail]:
        """So many days pass, the house is kept, the mail goes out."""
        self.house.pass_time(days=number)
        keep_house(self.house.desk)
        return self.deliver()


@pytest.fixture
def desk(post: Post) -> Desk:
    found = Desk(post)
    found.configure(acknowledge=True)
    return found
