"""The table of mail providers, and what an address makes of it."""

from __future__ import annotations

import re
import struct

import pytest

from supportdesk.cli import probe
from supportdesk.desk.model import Server
from supportdesk.desk.providers import APP_PASSWORD, PROVIDERS, SWITCH_ON, guess_servers, read_server, write_server
from supportdesk.errors import UsageError


@pytest.mark.parametrize(
    ("address", "mx", "provider", "imap", "smtp"),
    [
        ("shop@gmail.com", (), "Google", "imap.gmail.com:993/implicit", "smtp.gmail.com:465/implicit"),
        ("a@bottega.it", ("mx.b.it.aruba.it",), "Aruba", "imaps.aruba.it:993/implicit", "smtps.aruba.it:465/implicit"),
        ("shop@Pec.IT", (), "Aruba PEC", "imaps.pec.aruba.it:993/implicit", "smtps.pec.aruba.it:465/implicit"),
        ("hallo@laden.de", ("mx00.ionos.de",), "IONOS", "imap.ionos.de:993/implicit", "smtp.ionos.de:465/implicit"),
        (
            "a@b.com", ("b-com.mail.protection.outlook.com.",), "Microsoft 365", "outlook.office365.com:993/implicit",
            "smtp.office365.com:587/starttls",
        ),
        ("a@web.de", (), "WEB.DE", "imap.web.de:993/implicit", "smtp.web.de:587/starttls"),
        ("a@tim.it", (), "TIM", "imap.tim.it:143/starttls", "smtp.tim.it:587/starttls"),
        ("a@xs4all.nl", (), "KPN", "imap.kpnmail.nl:993/implicit", "smtp.kpnmail.nl:465/implicit"),
        ("a@hotmail.co.uk", (), "Outlook.com", "outlook.office365.com:993/implicit",
         "smtp-mail.outlook.com:587/starttls"),
        ("a@bottega.it", ("mx.servercliente.it",), "IONOS", "imap.ionos.it:993/implicit", "smtp.ionos.it:465/implicit"),
    ],
)  # fmt: skip
def test_a_known_provider_is_found_by_the_address_or_its_mx(
    address: str, mx: tuple[str, ...], provider: str, imap: str, smtp: str
) -> None:
    guess = guess_servers(address, mx)
    assert guess.provider == provider
    assert ([write_server(one) for one in guess.imap], [write_server(one) for one in guess.smtp]) == ([imap], [smtp])
    assert guess.imap[0].login == address


def test_what_a_provider_asks_for_is_known() -> None:
    """One of each shape: browser only, browser or app password, app password, switched on first, the name alone."""
    outlook, google, yahoo, gmx, free, arsys = (
        guess_servers(address, mx)
        for address, mx in (
            ("a@outlook.de", ()), ("a@b.it", ("aspmx.l.google.com",)), ("a@yahoo.it", ()), ("a@gmx.at", ()),
            ("anna@free.fr", ()), ("a@tienda.es", ("mx.serviciodecorreo.es",)),
        )
    )  # fmt: skip
    assert (outlook.service, outlook.takes_passwords) == ("microsoft", False)
    assert (google.service, google.takes_passwords) == ("google", True) and google.app_passwords.startswith("https://")
    assert (yahoo.service, yahoo.hint) == ("", APP_PASSWORD) and yahoo.app_passwords
    assert gmx.hint == SWITCH_ON
    assert [free.imap[0].login, free.smtp[0].login] == ["anna", "anna"]
    assert (arsys.provider, arsys.hint, arsys.imap[0].login) == ("Arsys", "", "a@tienda.es")


def test_the_table_holds_more_than_the_thirty_most_used() -> None:
    assert len({provider.name for provider in PROVIDERS}) >= 40
    assert all(provider.domains or provider.mx for provider in PROVIDERS), "each can be recognised"
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains))


def test_a_domain_that_only_ends_like_a_providers_is_not_his() -> None:
    assert guess_servers("a@example.com", ("mx.notgoogle.com", "google.com.evil.example")).provider == ""
    assert guess_servers("a@evil-gmail.com").provider == ""


def test_an_own_domain_gets_the_usual_names_with_tls_at_once_first() -> None:
    guess = guess_servers("info@bottega.example")
    assert [write_server(one) for one in guess.imap] == [
        "imap.bottega.example:993/implicit", "mail.bottega.example:993/implicit",
        "imap.bottega.example:143/starttls", "mail.bottega.example:143/starttls",
    ]  # fmt: skip
    assert [one.port for one in guess.smtp] == [465, 465, 587, 587]


def test_the_table_is_readable_and_names_no_domain_twice() -> None:
    domains = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(domains) == len(set(domains)) > 70
    for provider in PROVIDERS:
        assert provider.domains or provider.mx
        for text, kind in ((provider.imap, "imap"), (provider.smtp, "smtp")):
            server = read_server(text, kind, "x")  # type: ignore[arg-type]
            assert re.fullmatch(r"[a-z0-9.-]+\.[a-z]+", server.host) and server.tls in ("implicit", "starttls")


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("mail.example.com", "imap", ("mail.example.com", 993, "implicit")),
        ("mail.example.com:143", "imap", ("mail.example.com", 143, "starttls")),
        ("mail.example.com/starttls", "smtp", ("mail.example.com", 587, "starttls")),
        ("localhost:1143/none", "imap", ("localhost", 1143, "none")),
        ("[::1]:2525/none", "smtp", ("::1", 2525, "none")),
    ],
)
def test_a_server_is_written_as_host_port_and_tls(text: str, kind: str, expected: tuple[str, int, str]) -> None:
    server = read_server(text, kind, "me")  # type: ignore[arg-type]
    assert (server.host, server.port, server.tls) == expected
    assert read_server(write_server(server), kind, "me") == server  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "host name", "host:0", "host:99999", "host/ssl", "imaps://host", "host:x"])
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_server(text, "imap", "me")


@pytest.mark.parametrize("address", ["", "nobody", "@example.com", "a@", "a b@c d", "a@b..c"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(UsageError):
        guess_servers(address)


def test_an_mx_answer_is_read_by_preference_and_a_hostile_one_ends() -> None:
    name = b"\x07example\x03com\x00"
    question = struct.pack(">HHHHHH", 7, 0x8180, 1, 2, 0, 0) + name + struct.pack(">HH", 15, 1)

    def record(preference: int, host: bytes) -> bytes:
        data = struct.pack(">H", preference) + host
        return b"\xc0\x0c" + struct.pack(">HHIH", 15, 1, 60, len(data)) + data

    answer = question + record(20, b"\x03mx2\xc0\x0c") + record(10, b"\x03mx1\xc0\x0c")
    hosts = [
        host for _preference, host in sorted(probe._read_answer(answer, b"\x00\x07", probe.MX, probe._read_exchanger))
    ]
    assert hosts == ["mx1.example.com", "mx2.example.com"]
    with pytest.raises(ValueError, match="another question"):
        probe._read_answer(answer, b"\x00\x08", probe.MX, probe._read_exchanger)
    pointing_at_itself = question + record(10, b"\xc0" + bytes([len(question) + 14]))
    assert isinstance(probe._read_name(pointing_at_itself, len(question) + 14), str)


def test_without_a_resolver_or_a_server_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_resolvers", list)
    assert probe.mail_exchangers("example.com") == ()
    assert probe.answers(Server("127.0.0.1", 1, "implicit", "x")) is False
