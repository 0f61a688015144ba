"""Access tokens instead of a password, against real Dovecot and Postfix; and servers that take none (SYNC-10)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import ConnectionFailed, LoginRefused
from supportdesk.mail.imap import ImapSource
from supportdesk.mail.model import BuiltMail, Tokens
from supportdesk.mail.oauth import discover
from supportdesk.mail.smtp import SmtpTransport
from supportdesk.mail.tokens import HeldTokens, TokenFile
from tests.mail.test_imap import LOGGED_IN, cheating_server, conversation
from tests.support.issuer import Issuer, running_issuer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mail_servers import MailServers

pytestmark = [pytest.mark.dovecot, pytest.mark.postfix]
MECHANISMS = ("OAUTHBEARER", "XOAUTH2")


@pytest.fixture
def issuer(mail_user: str) -> Iterator[Issuer]:
    with running_issuer(user=mail_user) as running:
        yield running


@pytest.fixture
def file(tmp_path: Path, issuer: Issuer) -> TokenFile:
    """The tokens of the mailbox: an access token that is good, by the clock and for Dovecot."""
    client = discover(issuer.base, "desk-client", "", "mail")
    file = TokenFile(tmp_path / "shop.json", client, lambda: datetime.now(UTC))
    keep(file, issuer, issuer.token())
    return file


def keep(file: TokenFile, issuer: Issuer, access: str) -> None:
    file.write(Tokens(access, issuer.refresh_token(), datetime.now(UTC) + timedelta(hours=1)))


def imap(servers: MailServers, user: str) -> Server:
    return Server(servers.host, servers.imaps_port, "implicit", user, str(servers.certificate))


def smtp(servers: MailServers, user: str) -> Server:
    return Server(servers.host, servers.submission_port, "starttls", user, str(servers.certificate))


@pytest.fixture(params=MECHANISMS)
def mechanism(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("supportdesk.mail.sasl.BEARER_MECHANISMS", (request.param,))
    return str(request.param)


def test_both_mechanisms_log_in_and_no_token_is_logged(
    mail_servers: MailServers, mail_user: str, file: TokenFile, mechanism: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    source = ImapSource(imap(mail_servers, mail_user), file)
    assert source.select("INBOX").uidvalidity
    source.close()
    transport = SmtpTransport(smtp(mail_servers, mail_user), file)
    transport.check()
    mail = BuiltMail(
        "<a@example.test>", f"{mail_user}@example.test", (f"{mail_user}@example.test",), b"Subject: x\r\n\r\nx\r\n"
    )
    assert transport.send(mail, mail.recipients, lambda _stage: None).verdict == "sent"
    transport.close()
    mail_servers.wait_for_messages(mail_user)
    token = file.read().access
    assert "imapclient.imaplib" in caplog.text, "the protocol was logged"
    assert token not in caplog.text
    for dialogue_word in ("auth=Bearer", "dXNlcj", "bixhP"):  # in plain, and both openings in base64
        assert dialogue_word not in caplog.text


def test_a_long_token_is_given_as_an_answer(
    mail_servers: MailServers, mail_user: str, file: TokenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportdesk.mail.imap.SASL_IR_BYTES", 0)
    source = ImapSource(imap(mail_servers, mail_user), file)
    assert source.folders()
    source.close()


def test_a_token_that_the_server_refuses_is_renewed_once(
    mail_servers: MailServers, mail_user: str, issuer: Issuer, file: TokenFile, mechanism: str
) -> None:
    keep(file, issuer, issuer.token(seconds=-30))  # the server's clock says that it is over
    ImapSource(imap(mail_servers, mail_user), file).close()
    assert len(issuer.forms("refresh_token")) == 1
    keep(file, issuer, issuer.token(seconds=-30))
    transport = SmtpTransport(smtp(mail_servers, mail_user), file)
    transport.check()
    transport.close()
    assert len(issuer.forms("refresh_token")) == 2


def test_a_fresh_token_that_is_refused_too_is_for_a_person(
    mail_servers: MailServers, mail_user: str, issuer: Issuer, file: TokenFile, mechanism: str
) -> None:
    issuer.user = "somebody-else"
    keep(file, issuer, issuer.token(seconds=-30))
    with pytest.raises(LoginRefused) as refused:
        ImapSource(imap(mail_servers, mail_user), file)
    assert (refused.value.code, refused.value.exit_code) == ("token refused", 2)
    assert mail_user in refused.value.message and file.read().access not in refused.value.message
    expired = Tokens(issuer.token(seconds=-30), "none", datetime.now(UTC))
    transport = SmtpTransport(smtp(mail_servers, mail_user), HeldTokens(expired))
    with pytest.raises(LoginRefused) as again:
        transport.check()
    assert again.value.code == "token refused"
    transport.close()


def test_a_reply_waits_while_no_token_can_be_had(
    mail_servers: MailServers, mail_user: str, issuer: Issuer, file: TokenFile
) -> None:
    mail = BuiltMail("<b@example.test>", f"{mail_user}@example.test", ("x@customer.test",), b"Subject: x\r\n\r\nx\r\n")
    keep(file, issuer, issuer.token(seconds=-30))
    issuer.answers = [(503, b"")]
    transport = SmtpTransport(smtp(mail_servers, mail_user), file)
    result = transport.send(mail, mail.recipients, lambda _stage: None)
    assert (result.verdict, result.account_problem) == ("deferred", False)
    issuer.refresh_tokens.clear()
    result = transport.send(mail, mail.recipients, lambda _stage: None)
    assert (result.verdict, result.account_problem) == ("deferred", True)
    assert "ended or was withdrawn" in result.detail
    transport.close()


def test_the_complaint_of_a_server_is_answered_before_the_refusal_comes(issuer: Issuer, file: TokenFile) -> None:
    offered = b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n% OK done\r\n"

    def talk(connection, heard) -> None:
        connection.sendall(b"* OK hi\r\n")
        reader, asked = connection.makefile("rb"), b""
        while line := reader.readline():
            heard.append(line)
            if line == b"\r\n":
                connection.sendall(asked + b" NO [AUTHENTICATIONFAILED] SASL authentication failed\r\n")
                continue
            asked, _, rest = line.partition(b" ")
            if rest.startswith(b"AUTHENTICATE"):
                connection.sendall(b"+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIn0=\r\n")
            else:
                connection.sendall({**LOGGED_IN, b"CAPABILITY": offered}[rest.split()[0]].replace(b"%", asked))

    with cheating_server(talk) as (where, heard):
        with pytest.raises(LoginRefused) as refused:
            ImapSource(where, HeldTokens(file.read()))
        assert b"\r\n" in heard
    assert "SASL authentication failed" in refused.value.message


@pytest.mark.parametrize(
    ("capability", "answer", "kind", "code"),
    [
        (b"AUTH=PLAIN", b"", LoginRefused, "no token login"),
        (b"SASL-IR AUTH=XOAUTH2", b"% NO [UNAVAILABLE] later\r\n", ConnectionFailed, "login later"),
        (b"SASL-IR AUTH=XOAUTH2", b"% BAD what\r\n", ConnectionFailed, "broken"),
    ],
)
def test_a_server_that_takes_no_token_says_why(
    file: TokenFile, capability: bytes, answer: bytes, kind: type[ConnectionFailed], code: str
) -> None:
    offered = b"* CAPABILITY IMAP4rev1 " + capability + b"\r\n% OK done\r\n"
    with (
        cheating_server(conversation({**LOGGED_IN, b"CAPABILITY": offered, b"AUTHENTICATE": answer})) as (
            where,
            _heard,
        ),
        pytest.raises(ConnectionFailed) as failed,
    ):
        ImapSource(where, file)
    assert (type(failed.value).exit_code, failed.value.code) == (kind.exit_code, code)
    assert file.read().access not in failed.value.message
