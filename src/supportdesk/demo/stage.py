"""The stage of the demo: a directory, the servers, the desk, its worker and what has already happened in the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from supportdesk.demo import customers, shop
from supportdesk.demo.children import Child
from supportdesk.demo.imap_server import SENT
from supportdesk.demo.mail_set import DemoMail, read_scripts, write_mails
from supportdesk.desk.model import Server, TicketId
from supportdesk.mail.imap import ImapSource

Progress = Callable[[str], None]


class Stage:
    """Everything that the demo runs on. Leaving the `with` block ends every process that it started."""

    def __init__(self, directory: Path, *, language: str, undo_seconds: int, progress: Progress) -> None:
        self.directory = directory
        self.now = datetime.now(UTC)
        self.mails = write_mails(read_scripts(), self.now)
        self._progress = progress
        self._ending = ExitStack()
        try:
            self._open(language, undo_seconds)
        except BaseException:
            self._ending.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    @property
    def earlier(self) -> tuple[DemoMail, ...]:
        """What lies in the mailbox when the desk opens it for the first time."""
        return tuple(mail for mail in self.mails if not mail.script.live)

    @property
    def coming(self) -> tuple[DemoMail, ...]:
        return tuple(mail for mail in self.mails if mail.script.live)

    def start(self, name: str, settings: Mapping[str, Any]) -> Child:
        child = Child(name, settings, self.directory / f"{name}.log")
        self._ending.callback(child.stop)
        return child

    def start_worker(self) -> Child:
        return self.start("worker", {"config": str(self.config.source)})

    def put_into_mailbox(self) -> Mapping[str, int]:
        """Put the earlier mail where a mail server has it, with the time at which it came; how many in each folder."""
        box = self._open_mailbox()
        counts = {"INBOX": 0, SENT: 0}
        try:
            for mail in self.earlier:
                folder = SENT if mail.script.ours else "INBOX"
                for address in (shop.SHOP.addr, shop.ALIASES[0])[: 2 if mail.script.twice else 1]:
                    # A delivery agent says for which address it was: the same mail to two of ours is two deliveries.
                    trace = b"" if mail.script.ours else f"Delivered-To: {address}\r\n".encode()
                    box.append(folder, trace + mail.raw, mail.at)
                    counts[folder] += 1
        finally:
            box.close()
        return counts

    def count_on_server(self) -> int:
        """How many mails the shop's inbox holds, as the mail server counts them."""
        box = self._open_mailbox()
        try:
            return box.select("INBOX").exists
        finally:
            box.close()

    def ticket_of(self, message_id: str) -> TicketId | None:
        """The ticket that a mail became part of."""
        rows = self.desk.read.rows("message", {"external_id": message_id}, limit=1)
        return TicketId(rows[0]["ticket_id"]) if rows else None

    def play_earlier_days(self) -> None:
        """What the colleagues did before you came: owners, notes, tags, a snooze."""
        actor = shop.giulia(self.desk).actor()
        for mail in self.mails:
            script, ticket = mail.script, self.ticket_of(mail.message_id)
            if ticket is None:
                continue
            if script.owner:
                self.desk.perform("assign", actor, [ticket], {"assignee": script.owner})
            if script.tags:
                self.desk.perform("tag", actor, [ticket], {"tags": script.tags})
            if script.note:
                self.desk.perform("note", self.desk.agent_by_login("luca").actor(), [ticket], {"text": script.note})
            if script.snooze:
                until = self.now.replace(microsecond=0) + days(script.snooze)
                self.desk.perform("snooze", actor, [ticket], {"until": until, "after_deadline": True})

    def _open_mailbox(self) -> ImapSource:
        return ImapSource(Server("127.0.0.1", self.imap_port, "none", shop.ACCOUNT), shop.PASSWORD)

    def _open(self, language: str, undo_seconds: int) -> None:
        self._progress("starting an IMAP and an SMTP server on 127.0.0.1")
        accounts = {shop.ACCOUNT: shop.PASSWORD, customers.ACCOUNT: customers.PASSWORD}
        self.imap_port: int = self.start("imap", {"accounts": accounts}).ready["port"]
        shop_account = {
            "account": shop.ACCOUNT,
            "password": shop.PASSWORD,
            "addresses": [shop.SHOP.addr, *shop.ALIASES],
        }
        world = {"account": customers.ACCOUNT, "password": customers.PASSWORD}
        office = {"imap_port": self.imap_port, "shop": shop_account, "world": world, "refused": customers.REFUSED}
        self.smtp_port: int = self.start("smtp", office).ready["port"]
        self._progress(f"making the desk of {shop.SHOP.name}")
        self.config = shop.write_settings(self.directory, language)
        self.desk = shop.make_desk(
            self.config,
            imap_port=self.imap_port,
            smtp_port=self.smtp_port,
            undo_seconds=undo_seconds,
            now=self.now,
        )
        self._ending.callback(self.desk.store.close)


def days(text: str) -> timedelta:
    """ "+3" as a span of days."""
    return timedelta(days=int(text))
