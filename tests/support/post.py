"""The post of a desk under test: mails are put into its ledger and go through the real intake, read in this process."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from supportdesk.desk.delivery_verdicts import write_verdict
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import MailboxId, Ticket, TicketId
from supportdesk.desk.ports import LedgerItem, Row
from supportdesk.errors import SupportdeskError
from supportdesk.mail.model import ParsedMail, SendResult
from supportdesk.mail.parse import parse
from tests.support.desk import SHOP, House

ROSA = "Rosa Bianchi <rosa@example.com>"
_numbers = itertools.count(1)


class Parser:
    """Our own reader without its child process; what `unreadable` says of a mail's bytes cannot be read."""

    def __init__(self) -> None:
        self.unreadable: set[bytes] = set()

    def parse(self, raw: bytes, received_at: datetime | None = None) -> ParsedMail:
        if any(piece in raw for piece in self.unreadable):
            raise SupportdeskError("the mail could not be parsed: timeout")
        return parse(raw, received_at)

    def parse_many(self, mails: Iterable[tuple[bytes, datetime | None]]) -> Iterator[ParsedMail | SupportdeskError]:
        for raw, received_at in mails:
            try:
                yield self.parse(raw, received_at)
            except SupportdeskError as error:
                yield error

    def cut_part(self, raw: bytes, part: str) -> bytes:
        raise AssertionError("the intake cuts nothing")


@dataclass
class Post:
    """What lies in the mailboxes of a house, and the intake that reads it."""

    house: House
    parser: Parser = field(default_factory=Parser)
    uids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def arrives(
        self,
        *mails: bytes,
        folder: str = "INBOX",
        mailbox_id: MailboxId | None = None,
        at: datetime | None = None,
        historic: bool = False,
        partial: bool = False,
        read: bool = True,
    ) -> Row:
        """Enter the mails as fetched (`at`: the server's date, now by default) and read them; the last ledger row."""
        ledger = self.house.store.ledger
        row = ledger.folder(mailbox_id or self.house.mailbox_id, folder, "sent" if folder == "Sent" else "inbox")
        if row["uidvalidity"] is None:
            ledger.new_epoch(row["id"], 1)
        items = [
            LedgerItem(next(self.uids), mail, len(mail), at or self.house.clock.now(), historic, partial)
            for mail in mails
        ]
        ledger.record_fetched(row["id"], 1, items, advance_to=items[-1].uid)
        if read:
            self.read()
        return self.rows("delivery", {"folder_id": row["id"], "uid": items[-1].uid})[0]

    def read(self) -> int:
        return Intake(
            self.house.desk, self.parser, detect=lambda text: "it" if "ordine" in text else None
        ).process_all()

    def writes(self, text: str = "Dove è il mio ordine 5521?", **options: Any) -> Ticket:
        """A customer's mail; the ticket that it came to. Options of `mail`, and `at`, `historic` of `arrives`."""
        how = {name: options.pop(name) for name in ("at", "historic", "mailbox_id") if name in options}
        return self.ticket_of(self.arrives(mail(text, **options), **how))

    def ticket_of(self, delivery: Row) -> Ticket:
        assert delivery["message_id"] is not None, f"it became {delivery['outcome']}: {delivery['reason']}"
        (message,) = self.rows("message", {"id": delivery["message_id"]})
        return self.house.ticket(TicketId(message["ticket_id"]))

    def answered(self, ticket: Ticket, verdict: str = "sent", **options: Any) -> str:
        """An agent answers and the server takes it (or whatever the verdict is); the Message-ID that it was given."""
        held = self.house.reply(ticket.id, undo_seconds=0, **options)
        with self.house.store.transaction() as tx:
            row = tx.row("outbox", {"id": held.id})
            assert row is not None
            write_verdict(tx, row, SendResult(verdict, "dot_sent", "250 2.0.0 Ok"))
            return str(row["message_id_header"])

    def becomes(self, ticket: Ticket, status: str) -> Ticket:
        """The ticket in that status, as an agent would bring it there (`closed`: as time does)."""
        if status == "spam":
            self.house.desk.perform("spam", self.house.giulia, [ticket.id])
        elif status == "open":
            self.house.desk.perform("take", self.house.giulia, [ticket.id])
        elif status != "new":
            self.answered(ticket, after="solved" if status == "closed" else status)
        if status == "closed":
            self.house.pass_time(days=5)
            keep_house(self.house.desk)
        found = self.house.ticket(ticket.id)
        assert found.status == status
        return found

    def rows(self, table: str, where: Mapping[str, Any] | None = None) -> list[Row]:
        return self.house.desk.read.rows(table, where, order="id" if table not in ("message_mail", "parked") else "")

    def messages(self, ticket: Ticket) -> list[Row]:
        return self.rows("message", {"ticket_id": ticket.id})

    def outcomes(self) -> list[str]:
        return [row["outcome"] for row in self.rows("delivery")]

    def unanswered(self) -> set[int]:
        return {
            row["ticket_id"] for row in self.house.desk.read.unanswered(now=self.house.clock.now()) if row["ticket_id"]
        }


def mail(
    text: str = "Dove è il mio ordine 5521?",
    *,
    sender: str = ROSA,
    to: str = SHOP,
    subject: str = "Ordine 5521",
    message_id: str | None = None,
    answers: str = "",
    headers: str = "",
) -> bytes:
    """A plain mail; `answers` is the Message-ID it replies to, `headers` more lines, each ending in a newline."""
    named = f"<post-{next(_numbers)}@example.com>" if message_id is None else message_id
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", "Date: Wed, 4 Mar 2026 10:00:00 +0100"]
    lines += [f"Message-ID: {named}"] if named else []
    lines += [f"In-Reply-To: {answers}"] if answers else []
    lines += headers.splitlines()
    if "content-type" not in headers.casefold():
        lines.append("Content-Type: text/plain; charset=utf-8")
    return ("\r\n".join(lines) + "\r\n\r\n" + text + "\r\n").encode()


def delivery_report(
    original: str,
    address: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    to: str = SHOP,
    words: str = "no such user",
) -> bytes:
    """A multipart/report (RFC 3464) about the mail with that Message-ID."""
    return (
        f"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.com\r\nTo: {to}\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <dsn-{next(_numbers)}@mx.example.com>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 550 {status} {words}\r\n"
        + (
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {original}\r\nTo: {address}\r\n"
            if original
            else ""
        )
        + "--b--\r\n"
    ).encode()


@pytest.fixture
def post(house: House) -> Post:
    """The post of a furnished desk."""
    return Post(house)
