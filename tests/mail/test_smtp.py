"""One delivery attempt against a server that breaks at every stage; what goes over the wire (OUT-5, A12, C10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import ConfigError, ConnectionFailed
from supportdesk.mail.model import BuiltMail, SendResult
from supportdesk.mail.smtp import SmtpTransport, stuff_dots
from tests.support.smtp_stub import EHLO, EOF, SILENCE, SmtpStub, running_smtp_stub

ROSA, OTTO = "rosa@example.com", "otto@example.net"
LONG_LINE = "500 " + "x" * 100_000


@pytest.fixture
def stub() -> Iterator[SmtpStub]:
    with running_smtp_stub() as running:
        yield running


@pytest.fixture
def transport(stub: SmtpStub) -> Iterator[SmtpTransport]:
    made = SmtpTransport(Server("127.0.0.1", stub.port, "none", ""), "", after_dot_seconds=0.3)
    yield made
    made.close()


def built(data: bytes = b"Subject: x\r\n\r\nciao\r\n", *recipients: str) -> BuiltMail:
    return BuiltMail("<sd.abc.1.mac@bottega.example>", "aiuto@bottega.example", recipients or (ROSA,), data)


class Stages(list[str]):
    """Hears the stages, as the desk does that makes them durable."""

    def __call__(self, stage: str) -> None:
        self.append(stage)


def send(transport: SmtpTransport, mail: BuiltMail | None = None, recipients: Sequence[str] = (ROSA,)) -> SendResult:
    return transport.send(mail or built(), recipients, Stages())


def test_an_address_that_cannot_be_written_is_refused_and_breaks_nothing(
    stub: SmtpStub, transport: SmtpTransport
) -> None:
    result = send(transport, built(b"Subject: x\r\n\r\nciao\r\n", "perché@example.com"), ["perché@example.com"])
    assert (result.verdict, [one.state for one in result.recipients]) == ("failed", ["failed"])
    assert send(transport).verdict == "sent"


@pytest.mark.parametrize(
    ("stage", "answer", "verdict", "reached"),
    [
        ("banner", EOF, "deferred", ""),
        ("banner", "421 4.3.2 busy", "deferred", ""),
        ("banner", "554 5.7.1 go away", "deferred", ""),
        ("banner", "hello?", "deferred", ""),
        ("ehlo", EOF, "deferred", ""),
        ("ehlo", "421 no", "deferred", ""),
        ("mail", "421 4.3.2 shutting down", "deferred", "mail"),
        ("mail", "451 4.7.1 later", "deferred", "mail"),
        ("mail", "550 5.7.1 not you", "failed", "mail"),
        ("mail", "530 5.7.0 log in first", "deferred", "mail"),
        ("mail", "hello?", "deferred", "mail"),
        ("mail", LONG_LINE, "deferred", "mail"),
        ("mail", EOF, "deferred", "mail"),
        ("rcpt", "421 4.3.2 shutting down", "deferred", "rcpt"),
        ("rcpt", "451 4.7.1 greylisted", "deferred", "rcpt"),
        ("rcpt", "552 too many recipients", "deferred", "rcpt"),
        ("rcpt", "550 5.1.1 no such user", "failed", "rcpt"),
        ("rcpt", "hello?", "deferred", "rcpt"),
        ("rcpt", EOF, "deferred", "rcpt"),
        ("data", "421 4.3.2 shutting down", "deferred", "data_started"),
        ("data", "451 4.3.0 later", "deferred", "data_started"),
        ("data", "554 5.5.1 no valid recipients", "failed", "data_started"),
        ("data", "hello?", "deferred", "data_started"),
        ("data", EOF, "deferred", "data_started"),
        ("dot", "421 4.3.2 shutting down", "deferred", "dot_sent"),
        ("dot", "451 4.3.0 disk full", "deferred", "dot_sent"),
        ("dot", "554 5.7.1 spam", "failed", "dot_sent"),
        ("dot", "hello?", "uncertain", "dot_sent"),
        ("dot", LONG_LINE, "uncertain", "dot_sent"),
        ("dot", EOF, "uncertain", "dot_sent"),
        ("dot", SILENCE, "uncertain", "dot_sent"),
        ("quit", EOF, "sent", "dot_sent"),
        ("quit", "554 never", "sent", "dot_sent"),
        ("rset", EOF, "sent", "dot_sent"),
    ],
)
def test_each_break_has_its_verdict(
    stub: SmtpStub, transport: SmtpTransport, stage: str, answer: str, verdict: str, reached: str
) -> None:
    stub.script[stage] = answer
    result = send(transport)
    assert (result.verdict, result.stage) == (verdict, reached)
    assert result.detail
    assert len(stub.mails) == (1 if reached == "dot_sent" else 0)


def test_a_connection_that_ends_within_the_mail_defers_it(stub: SmtpStub, transport: SmtpTransport) -> None:
    stub.script["mid-data"] = EOF
    result = send(transport, built(b"Subject: x\r\n\r\n" + b"line\r\n" * 2_000_000))
    assert (result.verdict, stub.mails) == ("deferred", [])


def test_nobody_listening_defers_the_mail() -> None:
    with running_smtp_stub() as stub:
        port = stub.port
    transport = SmtpTransport(Server("127.0.0.1", port, "none", ""), "")
    assert send(transport).verdict == "deferred"
    with pytest.raises(ConnectionFailed):
        transport.check()
    transport.close()


def test_stages_are_announced_before_they_happen(stub: SmtpStub, transport: SmtpTransport) -> None:
    stages, seen = Stages(), dict[str, list[str]]()
    stub.before = lambda stage: seen.update({stage: list(stages)})
    assert transport.send(built(), [ROSA], stages).verdict == "sent"
    assert stages == ["connected", "mail", "rcpt", "data_started", "dot_sent"]
    assert "data_started" in seen["data"]
    assert "dot_sent" in seen["dot"]


@pytest.mark.parametrize("fence", ["data_started", "dot_sent"])
def test_whoever_listens_can_stop_the_attempt_before_a_stage(
    stub: SmtpStub, transport: SmtpTransport, fence: str
) -> None:
    def refuse(stage: str) -> None:
        if stage == fence:
            raise RuntimeError("not any more")

    with pytest.raises(RuntimeError):
        transport.send(built(), [ROSA], refuse)
    assert stub.mails == []
    assert ("DATA" in stub.commands) == (fence == "dot_sent")
    assert send(transport).verdict == "sent", "the next attempt has a connection of its own"
    assert stub.connections == 2


def test_each_refused_recipient_has_its_words_and_the_others_get_the_mail(
    stub: SmtpStub, transport: SmtpTransport
) -> None:
    stub.refused = {OTTO: "550 5.1.1 no such user", "full@example.org": "452 4.2.2 full"}
    result = send(
        transport,
        built(b"Subject: x\r\n\r\nciao\r\n", ROSA, OTTO, "full@example.org"),
        [ROSA, OTTO, "full@example.org"],
    )
    assert result.verdict == "sent"
    states = {one.address: (one.state, one.detail) for one in result.recipients}
    assert states[OTTO] == ("failed", "550 5.1.1 no such user")
    assert states["full@example.org"] == ("deferred", "452 4.2.2 full")
    assert states[ROSA][0] == "accepted"
    assert stub.envelopes == [[ROSA]]


def test_if_any_recipient_may_still_take_it_the_mail_is_deferred(stub: SmtpStub, transport: SmtpTransport) -> None:
    stub.refused = {OTTO: "550 5.1.1 no such user", ROSA: "451 4.7.1 greylisted"}
    assert send(transport, None, [OTTO, ROSA]).verdict == "deferred"
    assert "DATA" not in stub.commands


def test_one_connection_serves_several_mails_and_a_dead_one_is_replaced(
    stub: SmtpStub, transport: SmtpTransport
) -> None:
    assert [send(transport).verdict for _unused in range(3)] == ["sent"] * 3
    assert (stub.connections, len(stub.mails)) == (1, 3)
    stub.script["rset"] = EOF
    assert send(transport).verdict == "sent"
    assert stub.connections == 2


def test_a_mail_that_is_too_large_is_not_offered(stub: SmtpStub, transport: SmtpTransport) -> None:
    stub.script["ehlo"] = "250-stub\r\n250 SIZE 1000"
    result = send(transport, built(b"x" * 1001))
    assert (result.verdict, stub.mails) == ("failed", [])
    assert [one.state for one in result.recipients] == ["failed"]
    assert not any(command.startswith("MAIL") for command in stub.commands)


@pytest.mark.parametrize(("ehlo", "verdict"), [("250 stub", "failed"), (EHLO, "sent")])
def test_only_a_server_with_smtputf8_is_given_such_an_address(
    stub: SmtpStub, transport: SmtpTransport, ehlo: str, verdict: str
) -> None:
    stub.script["ehlo"] = ehlo
    mail = BuiltMail("<a@b>", "aiuto@bottega.example", ("josé@example.com",), b"Subject: x\r\n\r\nx\r\n", smtputf8=True)
    assert send(transport, mail, mail.recipients).verdict == verdict
    assert ("RCPT TO:<josé@example.com>" in stub.commands) == (verdict == "sent")


def test_plain_text_is_for_this_machine_only() -> None:
    with pytest.raises(ConfigError):
        SmtpTransport(Server("mail.example.com", 25, "none", ""), "")


def test_a_certificate_file_that_is_not_there_defers_and_says_so() -> None:
    transport = SmtpTransport(Server("127.0.0.1", 1, "implicit", "", "/nowhere/ca.pem"), "")
    result = send(transport)
    assert (result.verdict, result.account_problem) == ("deferred", True)
    assert "/nowhere/ca.pem" in result.detail
    transport.close()


def test_a_server_without_starttls_gets_no_password(stub: SmtpStub) -> None:
    transport = SmtpTransport(Server("127.0.0.1", stub.port, "starttls", "shop"), "geheim")
    assert send(transport).verdict == "deferred"
    assert not any("AUTH" in command or "MAIL" in command for command in stub.commands)
    transport.close()


# ---- the wire --------------------------------------------------------------------------------------------------------

SMUGGLED = b"MAIL FROM:<evil@example.com>"


@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\r", b"\r\n.\n", b"\n.\r", b"\r.\r\n", b"\r\n.\r\n", b"\0.\n"]
)
def test_no_end_within_a_mail_ends_it(stub: SmtpStub, transport: SmtpTransport, end: bytes) -> None:
    result = send(transport, built(b"Subject: x\r\n\r\nciao" + end + SMUGGLED + b"\r\n"))
    assert result.verdict == "sent"
    (mail,) = stub.mails
    assert SMUGGLED in mail
    assert not any(SMUGGLED.decode() in command for command in stub.commands)
    assert mail.count(b"\r") == mail.count(b"\n") == mail.count(b"\r\n")
    assert not any(line == b"." for line in mail.split(b"\r\n"))


@pytest.mark.parametrize(
    ("data", "wire"),
    [
        (b".\r\n", b"..\r\n"),
        (b"..a\r\n", b"...a\r\n"),
        (b"a", b"a\r\n"),
        (b"a\rb\nc\r\n", b"a\r\nb\r\nc\r\n"),
        (b"", b""),
    ],
)
def test_dots_are_doubled_and_lines_end_properly(data: bytes, wire: bytes) -> None:
    assert stuff_dots(data) == wire
