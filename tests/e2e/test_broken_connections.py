"""Connections that break while mail is taken over, at 1,000 places of a mail, and when nothing seems to happen."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from supportdesk import worker as worker_module
from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.model import Server
from supportdesk.errors import ConnectionFailed
from supportdesk.mail import imap, imap_wire
from supportdesk.mail.imap import ImapSource
from tests.e2e.shop import Shop, open_shop
from tests.support.fault_proxy import running_fault_proxy

if TYPE_CHECKING:
    from tests.support.mail_servers import MailServers

OFFSETS = 1000
SIZE = 1 << 20


@pytest.fixture
def shop(mail_servers: MailServers, mail_user: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(mail_servers, mail_user, tmp_path) as opened:
        yield opened


@pytest.mark.slow
def test_a_mail_that_breaks_off_at_any_of_1000_places_is_never_half_stored(shop: Shop) -> None:
    mail = b"Subject: lungo\r\nMessage-ID: <lungo@customer.test>\r\n\r\n"
    mail += b"".join(
        b"%08d di molte righe che finiscono prima o poi, e questa ne fa parte.\r\n" % n for n in range(14_500)
    )
    assert len(mail) >= SIZE
    shop.servers.append(shop.user, mail)
    mailbox, ledger = shop.desk.mailbox(shop.mailbox_id), shop.engine.store.ledger
    with running_fault_proxy(shop.servers.imap_port) as proxy:
        proxy.after = b"BODY[] {"
        server = Server("127.0.0.1", proxy.port, "none", shop.user)
        for number in range(OFFSETS):
            proxy.cut_at = len(mail) * number // OFFSETS
            proxy.by = "end" if number % 2 else "reset"
            source = ImapSource(server, shop.servers.password)
            with pytest.raises(ConnectionFailed):
                Fetcher(ledger, mailbox).run_pass(source)
            source.close()
            if number % 50 == 0:
                assert shop.desk.read.rows("delivery") == []
        assert proxy.struck == OFFSETS
        assert shop.desk.read.rows("delivery") == []
        assert shop.engine.store.read.rows("blob") == []
        proxy.cut_at = None
        source = ImapSource(server, shop.servers.password)
        assert Fetcher(ledger, mailbox).run_pass(source).fetched == 1
        source.close()
    (row,) = shop.desk.read.rows("delivery")
    assert row["raw_sha"] == hashlib.sha256(mail).hexdigest()


def test_one_fetcher_goes_on_after_each_break_and_takes_every_mail_once(shop: Shop) -> None:
    count = 30
    mails = [
        b"Subject: %d\r\nMessage-ID: <b%d@customer.test>\r\n\r\n%s\r\n" % (n, n, b"x" * 5_000) for n in range(count)
    ]
    shop.servers.append(shop.user, *mails)
    fetcher = Fetcher(shop.engine.store.ledger, shop.desk.mailbox(shop.mailbox_id))
    breaks = 0
    with running_fault_proxy(shop.servers.imap_port) as proxy:
        server = Server("127.0.0.1", proxy.port, "none", shop.user)
        for attempt in range(60):
            proxy.cut_at = 4_000 + 7_000 * attempt
            try:
                with closing(ImapSource(server, shop.servers.password)) as source:
                    fetcher.run_pass(source)
                break
            except ConnectionFailed:
                breaks += 1
    assert breaks > 1
    rows = shop.desk.read.rows("delivery", order="uid")
    assert [row["raw_sha"] for row in rows] == [hashlib.sha256(mail).hexdigest() for mail in mails]


@pytest.mark.slow
def test_a_server_that_hangs_half_open_is_left_and_mail_comes_over_a_new_connection(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LISTEN_SECONDS", 2.0)
    monkeypatch.setattr(imap_wire, "READ_SECONDS", 2.0)
    monkeypatch.setattr(imap, "READ_SECONDS", 2.0)
    with shop.worker():
        shop.ticket_of(shop.customer_writes("Uno", subject="A"))
        stopped = _imap_processes(shop)
        assert stopped, "the worker listens"
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            shop.ticket_of(shop.customer_writes("Due", subject="B"))
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


def test_a_mail_that_another_client_expunges_meanwhile_stops_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails = [b"Subject: %d\r\nMessage-ID: <x%d@customer.test>\r\n\r\nciao\r\n" % (n, n) for n in range(1, 7)]
    shop.servers.append(shop.user, *mails)
    read_sizes = ImapSource._sizes

    def sizes_then_expunge(self: ImapSource, uids: list[int]):
        found = read_sizes(self, uids)
        if 3 in found:
            shop.servers.doveadm("expunge", "-u", shop.user, "mailbox", "INBOX", "uid", "3,5")
        return found

    monkeypatch.setattr(ImapSource, "_sizes", sizes_then_expunge)
    shop.fetch()
    shop.fetch()
    rows = {row["uid"]: row["outcome"] for row in shop.desk.read.rows("delivery")}
    assert {uid for uid, outcome in rows.items() if outcome == "message"} == {1, 2, 4, 6}
    assert set(rows) <= {1, 2, 3, 4, 5, 6}
    assert {rows.get(3, "gone"), rows.get(5, "gone")} == {"gone"}


def test_a_folder_that_is_made_anew_under_its_old_name_loses_and_doubles_nothing(
    shop: Shop,
) -> None:
    def mail(number: int) -> bytes:
        return b"Subject: %d\r\nMessage-ID: <f%d@customer.test>\r\nFrom: a@b.example\r\n\r\nciao %d\r\n" % (
            (number,) * 3
        )

    shop.desk.save_mailbox(shop.agent, {"id": shop.mailbox_id, "settings": {"folders": ["Ordini"]}})
    shop.servers.append(shop.user, *map(mail, range(1, 5)), mailbox="Ordini")
    shop.fetch()
    with shop.servers.imap(shop.user) as connection:
        connection.delete("Ordini")
    shop.fetch()
    shop.servers.append(shop.user, *map(mail, range(3, 7)), mailbox="Ordini")
    shop.fetch()
    known = sorted(row["message_id_norm"] for row in shop.desk.read.rows("message_mail"))
    assert known == [f"<f{number}@customer.test>" for number in range(1, 7)]
    assert len(shop.desk.read.rows("ticket")) == 6


def _imap_processes(shop: Shop) -> list[int]:
    """Dovecot's own processes for that user's connections."""
    who = shop.servers.doveadm("-f", "tab", "who", "-1", shop.user).splitlines()[1:]
    pids = [int(word) for line in who for word in line.split("\t") if word.isdigit() and int(word) > 1]
    return [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).name() == "imap"]


@pytest.mark.parametrize("kept", [0, 2, 4])
def test_a_renumbered_folder_brings_each_mail_once_whatever_part_of_it_is_known(shop: Shop, kept: int) -> None:
    def mail(number: int) -> bytes:
        return b"Subject: %d\r\nMessage-ID: <u%d@customer.test>\r\nFrom: a@b.example\r\n\r\nciao %d\r\n" % (
            (number,) * 3
        )

    shop.servers.append(shop.user, *map(mail, range(1, 5)))
    assert shop.fetch() == 4
    if kept < 4:
        gone = f"1:{4 - kept}"
        shop.servers.doveadm("expunge", "-u", shop.user, "mailbox", "INBOX", "uid", gone)
        shop.servers.append(shop.user, *map(mail, range(5, 9 - kept)))
    for uidvalidity in ("4242", "7"):  # up, and down again
        shop.servers.doveadm("mailbox", "update", "-u", shop.user, "--uid-validity", uidvalidity, "INBOX")
        shop.fetch()
    known = sorted(row["message_id_norm"] for row in shop.desk.read.rows("message_mail"))
    assert known == [f"<u{number}@customer.test>" for number in range(1, 9 - kept)]
    assert len(shop.desk.read.rows("ticket")) == 8 - kept
    assert not any(row["unprocessed"] for row in shop.desk.read.audit())
