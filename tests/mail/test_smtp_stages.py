"""Twelve stages of an SMTP delivery, seven ways to break each: 84 outcomes (reliability.md A12, mail.md OUT-5)."""

from __future__ import annotations

import gc
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supportdesk.desk.model import Server
from supportdesk.mail import smtp
from supportdesk.mail.model import BuiltMail
from supportdesk.mail.smtp import SmtpTransport
from tests.support.smtp_stub import EOF, RESET, SILENCE, SmtpStub, running_smtp_stub

ROSA = "rosa@example.com"
STALL_SECONDS = 0.3
FAULTS = {
    "4xx": "451 4.3.0 later",
    "5xx": "554 5.7.1 never",
    "garbage": "hello?",
    "100 kB line": "250 " + "x" * 100_000,
    "stall": SILENCE,
    "reset": RESET,
    "end": EOF,
}
# What becomes of the mail: one letter a fault, in the order of FAULTS.
# d deferred, p deferred and the account pauses, f failed, u uncertain, s sent, 2 sent over a second connection
OUTCOMES = {
    "banner": "dpddddd",
    "ehlo": "dpddddd",
    "starttls": "dpddddd",
    "ehlo-tls": "dpddddd",
    "auth": "dpddddd",
    "mail": "dfddddd",
    "rcpt": "dfddddd",
    "data": "dfddddd",
    "mid-data": "ssssddd",
    "dot": "dfuuuuu",
    "rset": "2222222",
    "quit": "sssssss",
}
NAMES = {"d": "deferred", "p": "deferred", "f": "failed", "u": "uncertain", "s": "sent", "2": "sent"}
# A server that is silent takes no part in the end of TLS either: that socket is closed by the collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
CELLS = [
    pytest.param(stage, fault, letter, id=f"{stage}, {fault}")
    for stage, letters in OUTCOMES.items()
    for fault, letter in zip(FAULTS, letters, strict=True)
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, in one file."""
    directory = tmp_path_factory.mktemp("tls")
    made = directory / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "only.pem",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    made.write_bytes((directory / "only.pem").read_bytes() + (directory / "key.pem").read_bytes())
    return made


@pytest.fixture(scope="module")
def server(certificate: Path) -> Iterator[SmtpStub]:
    with running_smtp_stub() as running:
        running.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        running.tls.load_cert_chain(certificate)
        yield running


@pytest.fixture
def stub(server: SmtpStub) -> Iterator[SmtpStub]:
    server.script.clear()
    server.mails.clear()
    server.commands.clear()
    server.connections = 0
    yield server
    gc.collect()


def test_there_are_84_cells() -> None:
    assert len(CELLS) == 12 * 7 == 84


@pytest.mark.parametrize(("stage", "fault", "letter"), CELLS)
def test_each_stage_and_fault_has_its_outcome(
    stub: SmtpStub, certificate: Path, monkeypatch: pytest.MonkeyPatch, stage: str, fault: str, letter: str
) -> None:
    if fault == "stall":
        monkeypatch.setattr(smtp, "CONNECT_SECONDS", STALL_SECONDS)
        monkeypatch.setattr(smtp, "COMMAND_SECONDS", STALL_SECONDS)
    account = Server("localhost", stub.port, "starttls", "shop", str(certificate))
    transport = SmtpTransport(account, "secret", after_dot_seconds=STALL_SECONDS if fault == "stall" else 10)
    expected = 1
    if stage == "rset":  # stands between two mails on one connection
        assert transport.send(_mail(), [ROSA], lambda _stage: None).verdict == "sent"
        expected = 2
    stub.script[stage] = FAULTS[fault]
    reached: list[str] = []
    lines = 300_000 if stage == "mid-data" else 1  # more than the kernel takes while nobody reads
    result = transport.send(_mail(lines), [ROSA], reached.append)
    transport.close()
    assert result.verdict == NAMES[letter], result
    assert result.account_problem == (letter == "p"), result
    assert result.detail
    if letter in "s2":
        assert len(stub.mails) == expected
    if letter in "dpf":
        assert len(stub.mails) == (stage == "dot"), "deferred and failed: the server said no, or never got the end"
    assert (letter == "u") <= (reached[-1:] == ["dot_sent"]), "in doubt only after the final dot"
    assert stub.connections == (2 if letter == "2" else 1)


def test_a_large_mail_goes_out_over_tls_as_fast_as_the_server_takes_it(
    stub: SmtpStub, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "COMMAND_SECONDS", 10)
    transport = SmtpTransport(Server("localhost", stub.port, "starttls", "shop", str(certificate)), "secret")
    mail = _mail(lines=50_000)
    assert len(mail.data) > 5 * smtp.WRITE_CHUNK
    assert transport.send(mail, [ROSA], lambda _stage: None).verdict == "sent"
    assert stub.mails == [mail.data]
    transport.close()


def _mail(lines: int = 1) -> BuiltMail:
    data = b"Subject: x\r\n\r\n" + b"Una riga di testo che non finisce mai.\r\n" * lines
    return BuiltMail("<sd.abc.1.mac@bottega.example>", "aiuto@bottega.example", (ROSA,), data)
