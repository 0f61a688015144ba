"""What OUT-3, OUT-8 and OUT-9 ask of the wire: SIZE, DSN, SMTPUTF8, one connection, servers that babble (C15)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supportdesk.desk.model import Server
from supportdesk.mail.model import BuiltMail, SendResult
from supportdesk.mail.smtp import SmtpTransport
from tests.support.smtp_stub import EHLO, SmtpStub, running_smtp_stub

ROSA, ZOE = "rosa@customer.test", "zoë@customer.test"
WITH_DSN = EHLO.replace("250 ENHANCEDSTATUSCODES", "250-ENHANCEDSTATUSCODES\r\n250 DSN")


@pytest.fixture
def stub() -> Iterator[SmtpStub]:
    with running_smtp_stub() as running:
        yield running


def send(
    stub: SmtpStub, *recipients: str, data: bytes = b"Subject: x\r\n\r\nciao\r\n", utf8: bool = False
) -> SendResult:
    mail = BuiltMail("<sd.abc.7.mac@shop.test>", "shop@shop.test", recipients or (ROSA,), data, smtputf8=utf8)
    transport = SmtpTransport(Server("127.0.0.1", stub.port, "none", ""), "")
    try:
        return transport.send(mail, mail.recipients, lambda stage: None)
    finally:
        transport.close()


def said(stub: SmtpStub, verb: str) -> list[str]:
    return [line for line in stub.commands if line.upper().startswith(verb)]


def test_out_8_reports_are_asked_for_where_the_server_offers_them(stub: SmtpStub) -> None:
    stub.script["ehlo"] = WITH_DSN
    assert send(stub).verdict == "sent"
    (mail,), (rcpt,) = said(stub, "MAIL"), said(stub, "RCPT")
    assert "RET=HDRS" in mail
    assert "ENVID=sd.abc.7.mac" in mail, "by which a report names the reply (AUTO-1)"
    assert "NOTIFY=FAILURE,DELAY" in rcpt


def test_out_8_and_not_asked_for_where_it_does_not(stub: SmtpStub) -> None:
    assert send(stub).verdict == "sent"
    assert not any(word in line for line in stub.commands for word in ("RET=", "ENVID=", "NOTIFY="))


def test_out_3_the_size_is_told_and_checked_before_anything_is_offered(stub: SmtpStub) -> None:
    data = b"Subject: x\r\n\r\n" + b"x" * 998 + b"\r\n"
    assert send(stub, data=data).verdict == "sent"
    assert f"SIZE={len(data)}" in said(stub, "MAIL")[0]
    stub.script["ehlo"] = "250-stub\r\n250 SIZE 500"
    refused = send(stub, data=data)
    assert (refused.verdict, len(said(stub, "MAIL"))) == ("failed", 1)
    assert "500" in refused.detail
    assert [one.state for one in refused.recipients] == ["failed"]


def test_out_3_smtputf8_is_asked_for_only_by_a_mail_that_needs_it(stub: SmtpStub) -> None:
    assert send(stub).verdict == "sent"
    assert "SMTPUTF8" not in said(stub, "MAIL")[0]
    assert send(stub, ZOE, utf8=True).verdict == "sent"
    assert "SMTPUTF8" in said(stub, "MAIL")[1]
    assert ZOE in said(stub, "RCPT")[1]


def test_out_3_a_server_without_smtputf8_refuses_it_by_name_and_hears_nothing(stub: SmtpStub) -> None:
    stub.script["ehlo"] = "250 stub"
    refused = send(stub, ZOE, utf8=True)
    assert (refused.verdict, said(stub, "MAIL")) == ("failed", [])
    assert [(one.address, one.state) for one in refused.recipients] == [(ZOE, "failed")]


@pytest.mark.parametrize("stage", ["banner", "ehlo", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize(
    "babble",
    [
        "\r\n".join(["250-x"] * 20_000) + "\r\n250 ok",
        "250 " + "x" * 1_000_000,
        "x" * 2_000_000,
        "\0\x1b[31m\r\n" * 9000,
    ],
    ids=["lines without end", "one long line", "no reply at all", "controls"],
)
def test_c15_an_answer_beyond_all_measure_has_the_verdict_of_its_stage(stub: SmtpStub, stage: str, babble: str) -> None:
    stub.script[stage] = babble
    result = send(stub)
    assert result.verdict == ("uncertain" if stage == "dot" else "deferred")
    assert len(result.detail) < 40_000
