"""The second look at a bounce, by flufl.bounce: what it adds, where it may look, and that it can break nothing."""

from __future__ import annotations

import pytest

from supportdesk.mail.child import MailParserPool
from supportdesk.mail.classify import Facts, classify
from supportdesk.mail.model import Defect, ReportedRecipient
from supportdesk.mail.parse import parse
from supportdesk.mail.recipients import OwnAddresses
from supportdesk.mail.second_look import look_again

FACTS = Facts(own=OwnAddresses.of(["help@shop.example"]))

# An old service names its customers without their domain: no address stands anywhere.
NAMED_BY_SCREEN_NAME = (
    b"From: Mail Subsystem <postmaster@aol.com>\n"
    b"Return-Path: <>\n"
    b"To: help@shop.example\n"
    b"Subject: Returned mail\n"
    b"Content-Type: text/plain\n"
    b"\n"
    b"Your mail to the following recipients could not be delivered because they are not accepting it:\n"
    b"\n"
    b"\thansmeier\n"
    b"\tAnnaRossi\n"
    b"\n"
    b"Message-ID: <out@shop.example>\n"
)
# Its From is raw 8-bit, which the standard library hands out as an object that is no text.
RAISING = b"From: Servi\xe7o de correio <mailer-daemon@mx.example>\nReturn-Path: <>\nSubject: Returned mail\n\nSorry.\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The mails about which flufl.bounce was asked."""
    mails: list[bytes] = []

    def noting(raw, text, aside, log):
        mails.append(raw)
        return look_again(raw, text, aside, log)

    monkeypatch.setattr("supportdesk.mail.reports.look_again", noting)
    return mails


def test_a_bounce_of_a_form_that_we_do_not_know_is_known_to_the_second_reader(monkeypatch: pytest.MonkeyPatch):
    report = parse(NAMED_BY_SCREEN_NAME).report
    assert report is not None and (report.kind, report.original_message_id) == ("dsn", "<out@shop.example>")
    assert report.recipients == (
        ReportedRecipient("AnnaRossi@aol.com", "failed", "5.0.0"),
        ReportedRecipient("hansmeier@aol.com", "failed", "5.0.0"),
    )
    monkeypatch.setattr("supportdesk.mail.reports.look_again", lambda *_: ())
    alone = parse(NAMED_BY_SCREEN_NAME).report
    assert alone is None or not alone.recipients


def test_the_second_look_works_inside_the_contained_child():
    with MailParserPool(1) as pool:
        assert pool.parse(NAMED_BY_SCREEN_NAME) == parse(NAMED_BY_SCREEN_NAME)
        assert Defect("bounce-unread", "AttributeError") in pool.parse(RAISING).defects


def test_a_bounce_that_we_read_ourselves_is_not_looked_at_again(asked: list[bytes]):
    raw = (
        b"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: failure notice\n\n<hans@b.example>:\nno such user\n"
    )
    report = parse(raw).report
    assert report is not None and [one.address for one in report.recipients] == ["hans@b.example"]
    assert asked == []


def test_a_mail_on_which_the_second_reader_raises_is_read_and_says_so(
    asked: list[bytes], capfd: pytest.CaptureFixture[str]
):
    mail = parse(RAISING)
    assert asked == [RAISING]
    assert mail.text.strip() == "Sorry." and (mail.report is None or not mail.report.recipients)
    assert Defect("bounce-unread", "AttributeError") in mail.defects
    verdict = classify(mail, FACTS)
    assert verdict.kind == "bounce" and verdict.bounced == ()
    assert ("bounce_unread", "AttributeError") in [(one.code, one.value) for one in verdict.evidence]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "head",
    [
        "From: Hans <hans@customer.example>\nReturn-Path: <hans@customer.example>\nSubject: Returned mail",
        "From: Hans <hans@customer.example>\nSubject: Returned mail",
        "From: Hans <hans@customer.example>\nReturn-Path: <>\nSubject: Re: Returned mail",
        "From: Hans <hans@customer.example>\nReturn-Path: <>\nSubject: My order",
        "From: Hans <postmaster@customer.example>\nReturn-Path: <hans@customer.example>\nSubject: Returned mail",
        "From: Hans <postmaster@customer.example>\nSubject: Fwd: Returned mail",
        "From: Hans <postmaster@customer.example>\nSubject: My order",
    ],
)
def test_a_person_who_quotes_a_bounce_never_reaches_the_second_reader(asked: list[bytes], head: str):
    quoted = "\n".join(f"> {line}" for line in NAMED_BY_SCREEN_NAME.decode().split("\n"))
    parse(f"{head}\nTo: help@shop.example\n\nWhat does this mean?\n\n{quoted}\n".encode())
    assert asked == []


@pytest.mark.parametrize(
    ("temporary", "permanent", "expected"),
    [
        ({b"hans@b.example"}, set(), [("hans@b.example", "delayed", "4.0.0")]),
        (set(), {b"hans@b.example"}, [("hans@b.example", "failed", "5.0.0")]),
        ({b"hans@b.example"}, {b"hans@b.example"}, [("hans@b.example", "failed", "5.0.0")]),
        (set(), {b"<Hans@B.example>"}, [("Hans@b.example", "failed", "5.0.0")]),
        (set(), {b"", b"hans", b"hans@", b"Hello there!", b"\xff\xfe@b.example", b'{"a":"b@c.example"'}, []),
        (set(), {b"a@b.example, c@d.example"}, []),
        (set(), {b"help@shop.example", b"daemon@mx.example", b"postmaster@b.example"}, []),
    ],
)
def test_its_addresses_are_cleaned_by_our_rules(monkeypatch: pytest.MonkeyPatch, temporary, permanent, expected):
    monkeypatch.setattr("flufl.bounce.all_failures", lambda _: (frozenset(temporary), frozenset(permanent)))
    raw = b"From: daemon@mx.example\nReturn-Path: <>\nTo: help@shop.example\nSubject: Returned mail\n\nSorry.\n"
    report = parse(raw).report
    found = report.recipients if report is not None else ()
    assert [(one.address, one.action, one.status) for one in found] == expected


def test_its_addresses_are_as_many_as_a_report_may_name(monkeypatch: pytest.MonkeyPatch):
    many = frozenset(b"u%d@b.example" % number for number in range(3_000))
    monkeypatch.setattr("flufl.bounce.all_failures", lambda _: (frozenset(), many))
    report = parse(b"From: daemon@mx.example\nReturn-Path: <>\nSubject: Returned mail\n\nSorry.\n").report
    assert report is not None and len(report.recipients) == 1_000
