"""The demo's servers: they take mail for nobody real, deliver it where it can be read, and end with the demo."""

from __future__ import annotations

import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from supportdesk.demo import customers, shop
from supportdesk.demo.children import Child
from supportdesk.desk.model import Server
from supportdesk.errors import SupportdeskError
from supportdesk.mail.imap import ImapSource

MAIL = b"From: a@posta.example\r\nTo: ciao@bottega-vallombra.example\r\nSubject: hi\r\n\r\nhello\r\n"


class Servers:
    def __init__(self, directory: Path) -> None:
        accounts = {shop.ACCOUNT: shop.PASSWORD, customers.ACCOUNT: customers.PASSWORD}
        self.imap = Child("imap", {"accounts": accounts}, directory / "imap.log")
        office = {
            "imap_port": self.imap.ready["port"],
            "shop": {"account": shop.ACCOUNT, "password": shop.PASSWORD, "addresses": [shop.SHOP.addr]},
            "world": {"account": customers.ACCOUNT, "password": customers.PASSWORD},
            "refused": ["closed@posta.example"],
        }
        self.smtp = Child("smtp", office, directory / "smtp.log")

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.smtp.ready["port"], local_hostname="localhost", timeout=20)

    def inbox(self, account: str, password: str) -> list[bytes]:
        source = ImapSource(Server("127.0.0.1", self.imap.ready["port"], "none", account), password)
        source.select("INBOX")
        raw = [mail.raw for mail in source.fetch(source.uids_from(1), max_size=10**6)]
        source.close()
        return [one for one in raw if one is not None]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    running = Servers(tmp_path_factory.mktemp("servers"))
    yield running
    running.smtp.stop()
    running.imap.stop()


def refusal(server: smtplib.SMTP, recipient: str) -> tuple[int, str]:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        server.sendmail("a@posta.example", [recipient], MAIL)
    code, words = refused.value.recipients[recipient]
    return code, words.decode()


def test_a_customers_mail_arrives_in_the_shops_mailbox(servers: Servers):
    with servers.connect() as server:
        server.sendmail("a@posta.example", [shop.SHOP.addr], MAIL)
    delivered = servers.inbox(shop.ACCOUNT, shop.PASSWORD)
    assert len(delivered) == 1
    assert delivered[0].startswith(
        b"Return-Path: <a@posta.example>\r\nDelivered-To: ciao@bottega-vallombra.example\r\n"
    )
    assert delivered[0].endswith(MAIL)


def test_the_shops_reply_arrives_at_the_customer(servers: Servers):
    with servers.connect() as server:
        server.login(shop.ACCOUNT, shop.PASSWORD)
        server.sendmail(shop.SHOP.addr, ["anna@posta.example"], MAIL)
    assert len(servers.inbox(customers.ACCOUNT, customers.PASSWORD)) == 1


@pytest.mark.parametrize("recipient", ["someone@gmail.com", "info@example.it", "a@notexample", "a@example.com.evil.it"])
def test_nothing_leaves_the_machine_even_for_who_logs_in(servers: Servers, recipient: str):
    with servers.connect() as server:
        server.login(shop.ACCOUNT, shop.PASSWORD)
        code, words = refusal(server, recipient)
    assert (code, "nothing leaves this machine" in words) == (550, True)


def test_strangers_may_write_to_the_shop_only(servers: Servers):
    with servers.connect() as server:
        assert refusal(server, "anna@posta.example")[0] == 554


def test_a_closed_mailbox_is_refused_as_real_servers_do(servers: Servers):
    with servers.connect() as server:
        server.login(shop.ACCOUNT, shop.PASSWORD)
        code, words = refusal(server, "closed@posta.example")
    assert (code, words[:5]) == (550, "5.1.1")


def test_a_wrong_password_is_refused(servers: Servers):
    with servers.connect() as server, pytest.raises(smtplib.SMTPAuthenticationError):
        server.login(shop.ACCOUNT, "wrong")


def test_the_servers_listen_on_this_machine_only(servers: Servers):
    for child in (servers.imap, servers.smtp):
        listening = [one for one in psutil.Process(child.pid).net_connections() if one.status == psutil.CONN_LISTEN]
        assert [one.laddr.ip for one in listening] == ["127.0.0.1"]


def test_a_child_ends_with_a_demo_that_was_killed(tmp_path: Path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom supportdesk.demo.children import Child\n"
        "child = Child('imap', {'accounts': {}}, Path(sys.argv[1]))\nprint(child.pid, flush=True)\ntime.sleep(600)\n"
    )
    demo = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE)
    try:
        assert demo.stdout is not None
        child = psutil.Process(int(demo.stdout.readline()))
        demo.send_signal(signal.SIGKILL)
        child.wait(timeout=30)
    finally:
        demo.kill()
        demo.wait()
        assert demo.stdout is not None
        demo.stdout.close()
    assert not child.is_running()


def test_a_child_that_cannot_start_says_why(tmp_path: Path):
    with pytest.raises(SupportdeskError, match="nonsense") as failed:
        Child("nonsense", {}, tmp_path / "log")
    assert "KeyError" in failed.value.hint
