"""Finding the servers of an address with a resolver on this machine, and asking how it logs in."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.cli import probe
from supportdesk.config import Credential
from supportdesk.desk.providers import PROVIDERS, ServiceRecord, guess_by_records, oauth_client, provider_at
from supportdesk.errors import ConnectionFailed

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.databases import Database
    from tests.support.desk import House

Answers = dict[tuple[str, int], list[bytes]]
SHOP = "info@bottega.example"


def name(host: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in host.split(".") if label) + b"\0"


def srv(port: int, host: str, priority: int = 0, weight: int = 0) -> bytes:
    return struct.pack(">HHH", priority, weight, port) + name(host)


def mx(host: str) -> bytes:
    return struct.pack(">H", 10) + name(host)


@pytest.fixture(params=["sqlite"])
def database(database: Database) -> Database:
    """What is looked for is not in the database: one kind will do."""
    return database


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """A resolver that gives what is put into the table, and says nothing of the rest."""
    answers: Answers = {}
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            data, peer = link.recvfrom(4096)
            if not data:
                return
            end = data.index(b"\0", 12) + 1
            asked, kind = data[12:end], struct.unpack(">H", data[end : end + 2])[0]
            found = next((rows for (host, one), rows in answers.items() if name(host) == asked and one == kind), [])
            records = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(row)) + row for row in found)
            head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, len(found), 0, 0)
            link.sendto(head + data[12 : end + 4] + records, peer)

    thread = threading.Thread(target=serve)
    thread.start()
    monkeypatch.setattr(probe, "_resolvers", lambda: ["127.0.0.1"])
    monkeypatch.setattr(probe, "DNS_PORT", link.getsockname()[1])
    yield answers
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stop:
        stop.sendto(b"", link.getsockname())
    thread.join(10)
    link.close()


def test_a_domain_that_names_its_servers_is_believed_in_the_order_of_the_rfc(dns: Answers) -> None:
    dns["_imap._tcp.bottega.example", probe.SRV] = [srv(143, "posta.bottega.example")]
    dns["_imaps._tcp.bottega.example", probe.SRV] = [
        srv(993, "due.bottega.example", 20), srv(993, "tre.bottega.example", 10, 1),
        srv(9993, "uno.bottega.example", 10, 9),
    ]  # fmt: skip
    dns["_submission._tcp.bottega.example", probe.SRV] = [srv(587, "posta.bottega.example")]
    dns["_submissions._tcp.bottega.example", probe.SRV] = [srv(0, ".")]  # decidedly not offered
    guess = probe.look_up(SHOP)
    assert [(one.host, one.port, one.tls) for one in guess.imap] == [
        ("uno.bottega.example", 9993, "implicit"), ("tre.bottega.example", 993, "implicit"),
        ("due.bottega.example", 993, "implicit"), ("posta.bottega.example", 143, "starttls"),
    ]  # fmt: skip
    assert [(one.host, one.tls) for one in guess.smtp] == [("posta.bottega.example", "starttls")]
    assert guess.outside == () and guess.provider == ""


def test_a_known_provider_behind_the_domains_mx_comes_first(dns: Answers) -> None:
    dns["bottega.example", probe.MX] = [mx("bottega-example.mail.protection.outlook.com")]
    dns["_imaps._tcp.bottega.example", probe.SRV] = [srv(993, "imap.elsewhere.test")]
    dns["_submissions._tcp.bottega.example", probe.SRV] = [srv(465, "smtp.elsewhere.test")]
    guess = probe.look_up(SHOP)
    assert (guess.provider, guess.service, guess.takes_passwords) == ("Microsoft 365", "microsoft", False)


def test_servers_outside_the_domain_wait_for_a_word_before_any_password_goes_there(
    dns: Answers, shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from supportdesk import bootstrap

    dns["_imaps._tcp.bottega.example", probe.SRV] = [srv(993, "imap.elsewhere.test")]
    dns["_submissions._tcp.bottega.example", probe.SRV] = [srv(465, "smtp.elsewhere.test")]
    assert probe.find_guess(SHOP).outside == ("imap.elsewhere.test", "smtp.elsewhere.test")
    tried: list[str] = []

    def connect(server: Any, _secret: object) -> None:
        tried.append(server.host)
        raise ConnectionFailed("away")

    monkeypatch.setattr(bootstrap, "open_source", connect)
    done = supportdesk("mailbox", "add", "ordini@bottega.example", "--password-file", "-", stdin="geheim\n")
    assert done.code == 2
    assert "imap.elsewhere.test" in done.err and "--imap" in done.err
    assert tried == []


def test_a_resolver_that_says_nothing_costs_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setattr(probe, "_resolvers", lambda: ["127.0.0.1"])
        monkeypatch.setattr(probe, "DNS_PORT", silent.getsockname()[1])
        monkeypatch.setattr(probe, "DNS_SECONDS", 0.2)
        start = time.monotonic()
        guess = probe.look_up(SHOP)
        assert time.monotonic() - start < 5  # five questions of one resolver, asked at once
    assert [one.host for one in guess.imap][:2] == ["imap.bottega.example", "mail.bottega.example"]


@pytest.mark.parametrize("left_out", ["_imaps._tcp", "_submissions._tcp"])
def test_half_a_set_of_records_is_no_guess(left_out: str) -> None:
    records = [
        ServiceRecord(service, 0, 0, port, "mail.bottega.example")
        for service, port in (("_imaps._tcp", 993), ("_submissions._tcp", 465))
        if service != left_out
    ]
    assert guess_by_records(SHOP, records) is None


def test_at_least_thirty_providers_are_known_and_each_is_found_by_its_server() -> None:
    assert len({provider.name for provider in PROVIDERS}) >= 30
    for provider in PROVIDERS:
        found = provider_at(provider.imap.partition(":")[0], "info@example.com")
        assert found is not None and found.imap


def test_the_shops_own_client_is_asked_for_the_scopes_of_mail() -> None:
    microsoft = oauth_client("microsoft", "id", tenant="a/b")
    assert microsoft.token_url == "https://login.microsoftonline.com/a%2Fb/oauth2/v2.0/token"
    assert "IMAP.AccessAsUser.All" in microsoft.scope and "offline_access" in microsoft.scope and microsoft.device_url
    google = oauth_client("google", "id", "installed")
    assert (google.device_url, google.scope) == ("", "https://mail.google.com/")
    assert "installed" not in repr(google)


# ---- asking how to log in


@pytest.mark.parametrize(
    ("address", "typed", "way", "shown"),
    [
        ("info@gmail.com", "1\n", "password", "myaccount.google.com/apppasswords"),
        ("info@gmail.com", "\n", "password", "app password"),
        ("info@gmail.com", "3\n2\nthe-client\n", "oauth", "console.cloud.google.com"),
        ("info@outlook.it", "the-client\n", "oauth", "entra.microsoft.com"),
        ("info@posteo.de", "", "password", ""),
        ("info@gmx.de", "", "password", "switched on"),
    ],
)
def test_an_app_password_is_offered_first_and_the_own_client_id_is_explained(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch, address: str, typed: str, way: str, shown: str
) -> None:
    saved: list[Any] = []

    def stop(_session: object, _desk: object, _actor: object, wanted: Any) -> int:
        saved.append(wanted.login_by)
        return 0

    monkeypatch.setattr("supportdesk.cli.mailbox.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.login.is_interactive", lambda: True)
    monkeypatch.setattr("supportdesk.cli.setup.set_up_mailbox", stop)
    monkeypatch.setattr("getpass.getpass", lambda *_given, **_named: "geheim")
    monkeypatch.setattr("supportdesk.cli.login._with_code", lambda _session, _address, at: at.client.device_url)
    monkeypatch.setattr(
        "supportdesk.cli.login._with_redirect", lambda _session, _address, at: at.client.authorization_url
    )
    done = supportdesk("mailbox", "add", address, stdin=typed)
    assert done.code == 0, done.err
    assert shown in done.err
    credential: Credential = saved[0].credential
    if way == "password":
        assert credential == Credential(password="geheim")
    else:
        assert credential.oauth is not None and credential.oauth.client_id == "the-client"
        assert saved[0].tokens
    assert "geheim" not in done.err
