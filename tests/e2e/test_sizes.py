"""A mail of 200 MB and a box of 50,000 messages on a real Dovecot: neither fills memory (must-have 7 of mail).

Both lie in the Maildir as Dovecot keeps it, written there directly: what is proved is how they are taken over.
"""

from __future__ import annotations

import os
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.cut_mail import cut_mails, find_cut
from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import Server, TicketId
from supportdesk.errors import UsageError
from supportdesk.mail.imap import ImapSource
from tests.desk.test_parked import PlainParser
from tests.support.desk import furnish

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from supportdesk.desk.model import Mailbox
    from supportdesk.mail.model import FetchedMail
    from tests.support.clock import FakeClock
    from tests.support.desk import House
    from tests.support.mail_servers import MailServers

pytestmark = pytest.mark.dovecot
MEGABYTE = 1 << 20
HEAD = (
    b"From: Rosa <rosa@example.com>\r\nTo: aiuto@bottega.example\r\nSubject: Il video\r\n"
    b"Message-ID: <video@example.com>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nEcco il video.\r\n"
    b"--b\r\nContent-Type: video/mp4; name=video.mp4\r\nContent-Transfer-Encoding: base64\r\n\r\n"
)


class WatchedSource(ImapSource):
    """A connection that notes the UIDs whose mail was asked for, and from where it listed."""

    def __init__(self, server: Server, secret: str) -> None:
        super().__init__(server, secret)
        self.asked: list[int] = []

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        self.asked += uids
        return super().fetch(uids, max_size=max_size)


@pytest.fixture
def house(tmp_path: Path, clock: FakeClock) -> Iterator[House]:
    """On one kind of database: the ledger of each is proved elsewhere, and these sizes take their time."""
    from supportdesk.store import create_or_upgrade

    url = f"sqlite:///{tmp_path / 'desk.db'}"
    create_or_upgrade(url)
    made = furnish(url, clock)
    yield made
    made.store.close()


@pytest.fixture
def source(mail_servers: MailServers, mail_user: str) -> Iterator[WatchedSource]:
    server = Server(mail_servers.host, mail_servers.imaps_port, "implicit", mail_user, str(mail_servers.certificate))
    made = WatchedSource(server, mail_servers.password)
    made.select("INBOX")  # Dovecot makes the Maildir
    yield made
    made.close()


@pytest.fixture
def maildir(mail_servers: MailServers, mail_user: str, source: WatchedSource) -> Path:
    return mail_servers.directory / "mail" / mail_user


def the_mailbox(house: House) -> Mailbox:
    return next(box for box in house.desk.mailboxes() if box.id == house.mailbox_id)


def put(maildir: Path, names: Sequence[str], pieces: Any) -> None:
    """Write files as a delivery does: the same pieces into each, owned by whom Dovecot runs as."""
    owner = maildir.stat()
    for name in names:
        path = maildir / "new" / name
        with path.open("wb") as file:
            for piece in pieces(name):
                file.write(piece)
        os.chown(path, owner.st_uid, owner.st_gid)


def test_inv_ingest_7_a_mail_of_200_mb_is_a_ticket_and_never_in_memory(
    house: House, maildir: Path, source: WatchedSource
) -> None:
    line = b"QUJD" * 19 + b"\r\n"
    block = line * (MEGABYTE // len(line))
    put(maildir, ["1.big.host"], lambda _name: [HEAD, *[block] * 201, b"--b--\r\n"])
    tracemalloc.start()
    try:
        assert Fetcher(house.store.ledger, the_mailbox(house)).run_pass(source).fetched == 1
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEGABYTE
    Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
    [ticket] = house.desk.read.rows("ticket")
    [message] = house.desk.read.rows("message")
    assert ("Ecco il video." in message["body"], message["badges"]) == (True, ["partial"])
    [cut] = cut_mails(house.desk.read, TicketId(ticket["id"]))
    assert cut.size > 200 * MEGABYTE
    with pytest.raises(UsageError, match="at most 100 MB"):
        find_cut(house.desk.read, TicketId(ticket["id"]))


BOX, NEW = 50_000, 3


def test_sync_1_in_a_box_of_50000_only_what_is_new_is_fetched(
    house: House, maildir: Path, source: WatchedSource
) -> None:
    put(
        maildir,
        [f"{number:06d}.n.host" for number in range(1, BOX + 1)],
        lambda name: [f"Subject: {name}\r\nMessage-ID: <{name}@example.com>\r\n\r\nciao\r\n".encode()],
    )
    ledger = house.store.ledger
    folder = ledger.folder(house.mailbox_id, "INBOX", "inbox")
    state = source.select("INBOX")
    assert state.exists == BOX
    ledger.new_epoch(folder["id"], state.uidvalidity)
    ledger.record_gone(folder["id"], state.uidvalidity, range(1, BOX - NEW + 1), advance_to=BOX - NEW)
    tracemalloc.start()
    try:
        fetcher = Fetcher(ledger, the_mailbox(house))
        assert fetcher.run_pass(source).fetched == NEW
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert source.asked == list(range(BOX - NEW + 1, BOX + 1))
    assert peak < 64 * MEGABYTE
    assert fetcher.run_pass(source).fetched == 0
    assert house.desk.read.rows("folder", {"id": folder["id"]})[0]["last_uid"] == BOX
