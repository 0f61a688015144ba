"""Which reports about a sender are believed (SEC-6), and what is said where a name may deceive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.mail.authentication import check_sender, reported_dmarc, warnings_about
from supportdesk.mail.model import Address
from supportdesk.mail.parse import parse

if TYPE_CHECKING:
    from tests.support.corpus import Corpus

OURS = "mx.shop.example"
PASS = "Authentication-Results: mx.shop.example; dmarc=pass header.from=example.com"
BOUNDARY = "Received: from mail.example.com by mx.shop.example with ESMTPS; Fri, 20 Nov 2026 09:00:00 +0000"
INSIDE = "Received: from mx.shop.example by store.local with LMTP; Fri, 20 Nov 2026 09:00:01 +0000"
FOREIGN = "Received: from laptop by mail.example.com; Fri, 20 Nov 2026 08:59:59 +0000"


def read(*fields: str, sender: str = "rosa@example.com"):
    return parse("\r\n".join((*fields, f"From: {sender}", "Subject: x", "", "x", "")).encode())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ((), ""),
        (("mx.shop.example; spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com",), "pass"),
        (("mx.shop.example; dmarc=fail header.from=example.com",), "fail"),
        (("mx.shop.example; spf=none; dmarc=none",), "none"),
        (("mx.shop.example 1; spf=pass",), "none"),
        (("evil.example; dmarc=pass",), ""),
        (("evil.example; dmarc=fail",), "fail"),
        (("mx.shop.example; dmarc=none", "mx.shop.example; dmarc=pass"), "none"),
        (('mx.shop.example; spf=pass reason="dmarc=fail"',), "none"),
    ],
)
def test_a_failure_is_believed_of_anybody_the_rest_of_our_own_server(fields: tuple[str, ...], said: str) -> None:
    assert reported_dmarc(read(*(f"Authentication-Results: {field}" for field in fields)), OURS) == said


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ((PASS, BOUNDARY), "pass"),
        ((INSIDE, PASS, BOUNDARY, FOREIGN), "pass"),
        ((BOUNDARY, PASS), ""),  # it came with the mail
        ((INSIDE, BOUNDARY, PASS, FOREIGN), ""),
        ((BOUNDARY, FOREIGN, PASS), ""),
        ((INSIDE.replace("mx.shop", "mx.other"), PASS), ""),  # no Received names the boundary: the first one is ours
        ((PASS.replace("mx.shop", "evil"), BOUNDARY), ""),
        ((PASS.replace("pass", "fail"), BOUNDARY, PASS), "fail"),
        ((PASS.replace("dmarc=pass", "dmarc=none"), BOUNDARY), "unverified"),
        (("Authentication-Results: mx.shop.example; spf=pass", BOUNDARY), "unverified"),
        ((PASS.replace("example.com", "evil.example"), BOUNDARY), "unverified"),  # another domain passed
        ((PASS.replace("mx.shop", "MX.Shop"), BOUNDARY), "pass"),
        ((PASS.replace(" mx", " (our own; dmarc=pass) mx"), BOUNDARY), "pass"),
        (("Authentication-Results: mx.shop.example; spf=fail (dmarc=pass; really)", BOUNDARY), "unverified"),
        (("Authentication-Results: mx.shop.example; spf=pass", PASS, BOUNDARY), "pass"),  # one field a method
        ((PASS, BOUNDARY, "From: other@example.com"), "unverified"),
    ],
)
def test_sec_6_only_what_our_boundary_wrote_is_believed(fields: tuple[str, ...], check: str) -> None:
    assert check_sender(read(*fields), OURS) == check


def test_sec_6_several_mailboxes_in_from_are_never_verified() -> None:
    assert check_sender(read(PASS, BOUNDARY, sender="rosa@example.com, boss@example.com"), OURS) == "unverified"


def test_sec_6_a_server_that_reports_below_its_own_received_is_known() -> None:
    report = PASS.replace("mx.shop.example", "mx.google.com")
    inside = "Received: by 2002:a17:906 with SMTP id x; Fri, 20 Nov 2026 09:00:01 +0000"
    boundary = BOUNDARY.replace("mx.shop.example", "mx.google.com")
    assert check_sender(read(inside, boundary, report, FOREIGN), "mx.google.com") == "pass"
    assert check_sender(read(inside, boundary, FOREIGN, report), "mx.google.com") == ""


def test_sec_6_a_mailbox_may_have_several_servers_and_without_one_nothing_is_said() -> None:
    assert check_sender(read(PASS, BOUNDARY), "mx2.shop.example, mx.shop.example") == "pass"
    assert check_sender(read(PASS, BOUNDARY), "") == ""


def test_sec_6_forged_reports_of_the_real_world_are_not_believed(corpus: Corpus) -> None:
    forged = [path for path in corpus.paths() if "forged-authres-added" in path.name]
    assert len(forged) >= 8
    for path in forged:
        mail = parse(path.read_bytes())
        ids = "mxpostfix01.mail.de mx.google.com posteo.de mx.zohomail.eu atlas206.aol.mail.ne1.yahoo.com"
        assert "aaa.com" in " ".join(mail.header_all("Authentication-Results"))
        assert check_sender(mail, ids) in ("", "unverified")


@pytest.mark.parametrize(
    ("fields", "sender", "warned"),
    [
        ((), "Rosa <rosa@example.com>", []),
        ((), "rosa@example.com, boss@example.com", [("several_from", "rosa@example.com, boss@example.com")]),
        ((), '"boss@shop.example" <x@evil.example>', [("name_is_address", "boss@shop.example <x@evil.example>")]),
        (("Reply-To: rosa@example.com",), "rosa@example.com", []),
        (("Reply-To: x@evil.example",), "rosa@example.com", [("answers_elsewhere", "x@evil.example")]),
    ],
)
def test_sec_6_what_may_deceive_is_named(fields: tuple[str, ...], sender: str, warned: list[tuple[str, str]]) -> None:
    mail = read(*fields, sender=sender)
    assert [(one.code, one.value) for one in warnings_about(mail, mail.from_[0])] == warned


def test_sec_6_a_forms_visitor_is_where_the_answers_go() -> None:
    mail = read("Reply-To: rosa@example.com", sender="no-reply@shop.example")
    assert list(warnings_about(mail, Address("", "rosa@example.com"))) == []
