"""Bounces, receipts and complaints: who did not get the mail, and why. And ordinary mail that only talks about them."""

from __future__ import annotations

import pytest

from supportdesk.mail.bounce_words import is_hard
from supportdesk.mail.model import ReportedRecipient
from supportdesk.mail.parse import parse


def report_mail(
    kind: str,
    machine_type: str,
    machine: str,
    returned: str = "Message-ID: <out@shop.example>\nTo: hans@customer.example",
) -> bytes:
    return "\n".join(
        (
            "From: Mail Delivery System <MAILER-DAEMON@mx.example>",
            "Return-Path: <>",
            f"Content-Type: multipart/report; report-type={kind}; boundary=B",
            "",
            "--B",
            "",
            "For people.",
            "--B",
            f"Content-Type: {machine_type}",
            "",
            machine,
            "--B",
            "Content-Type: text/rfc822-headers",
            "",
            returned,
            "",
            "--B--",
        )
    ).encode()


def test_a_delivery_report_names_recipient_status_and_the_original_mail():
    """AUTO-1."""
    machine = (
        "Reporting-MTA: dns; mx.example\nOriginal-Envelope-Id: e7\n\n"
        "Final-Recipient: rfc822; alias@inner.example\nOriginal-Recipient: "
        "rfc822;hans@customer.example\nAction: failed\nStatus: 5.1.1\n"
        "Diagnostic-Code: smtp; 550 5.1.1 unknown"
    )
    report = parse(report_mail("delivery-status", "message/delivery-status", machine)).report
    assert report is not None
    assert (report.kind, report.original_message_id, report.original_envelope_id) == ("dsn", "<out@shop.example>", "e7")
    assert report.recipients == (
        ReportedRecipient("hans@customer.example", "failed", "5.1.1", "smtp; 550 5.1.1 unknown"),
    )


@pytest.mark.parametrize("action", ["failed", "delayed", "delivered", "relayed", "expanded"])
def test_the_action_is_kept(action: str):
    machine = "Reporting-MTA: dns; mx.example\n\n"
    machine += f"Final-Recipient: rfc822; a@b.example\nAction: {action} (to somebody)\nStatus: 4.2.0"
    report = parse(report_mail("delivery-status", "message/delivery-status", machine)).report
    assert report is not None and [one.action for one in report.recipients] == [action]


def test_several_recipients_are_several_blocks():
    machine = (
        "Reporting-MTA: dns; x\n\n\nFinal-Recipient: rfc822; a@b.example\n"
        "Action: failed\nStatus: 5.0.0\n\nFinal-Recipient: rfc822; c@d.example\n"
        "Action: delayed\nStatus: 4.0.0\n\n"
    )
    report = parse(report_mail("delivery-status", "message/delivery-status", machine)).report
    assert report is not None and [(one.address, one.action) for one in report.recipients] == [
        ("a@b.example", "failed"),
        ("c@d.example", "delayed"),
    ]


def test_a_read_receipt_is_an_mdn():
    machine = (
        "Final-Recipient: rfc822; hans@customer.example\nOriginal-Message-ID: "
        "<out@shop.example>\nDisposition: manual-action/MDN-sent-manually;"
        " displayed"
    )
    report = parse(report_mail("disposition-notification", "message/disposition-notification", machine)).report
    assert report is not None
    assert (report.kind, report.original_message_id, report.recipients[0].action) == (
        "mdn",
        "<out@shop.example>",
        "displayed",
    )


def test_a_complaint_names_who_complained():
    """AUTO-3."""
    machine = "Feedback-Type: abuse\nUser-Agent: x/1\nOriginal-Rcpt-To: <hans@customer.example>"
    report = parse(report_mail("feedback-report", "message/feedback-report", machine)).report
    assert report is not None
    assert (report.kind, report.original_message_id) == ("arf", "<out@shop.example>")
    assert [(one.address, one.action, one.diagnostic) for one in report.recipients] == [
        ("hans@customer.example", "complained", "abuse")
    ]


@pytest.mark.parametrize(
    ("text", "address", "action", "status"),
    [
        (
            "I'm afraid I wasn't able to deliver your message.\n\n<hans@customer.example>:\n550 5.1.1 no such user",
            "hans@customer.example",
            "failed",
            "5.1.1",
        ),
        (
            "The following address failed:\n  hans@customer.example\n    mailbox is full",
            "hans@customer.example",
            "failed",
            "5.2.2",
        ),
        (
            "Warning: your message to hans@customer.example has been delayed.\nDo not need to resend.",
            "hans@customer.example",
            "delayed",
            "4.0.0",
        ),
    ],
)
def test_a_bounce_in_plain_words_is_understood(text: str, address: str, action: str, status: str):
    """AUTO-2."""
    raw = f"From: MAILER-DAEMON@mx.example\nReturn-Path: <>\nSubject: failure notice\n\n{text}\n\n"
    raw += "--- Below this line is a copy of the message.\nMessage-ID: <out@shop.example>\nFrom: help@shop.example\n"
    report = parse(raw.encode()).report
    assert report is not None
    assert [(one.address, one.action, one.status) for one in report.recipients] == [(address, action, status)]
    assert report.original_message_id == "<out@shop.example>"


@pytest.mark.parametrize(
    "raw",
    [
        "From: hans@customer.example\nReturn-Path: <hans@b.example>\nSubject: Delivery failed\n\n550 user unknown.",
        "From: hans@customer.example\nSubject: Re: Undelivered Mail\n\nI got this: <x@y.example>: user unknown",
        "Return-Path: <>\nSubject: Away\nAuto-Submitted: auto-replied\n\nx@y.example is full.",
    ],
)
def test_a_person_who_writes_about_a_bounce_is_no_bounce(raw: str):
    assert parse(raw.encode()).report is None


@pytest.mark.parametrize(
    ("status", "words", "hard"),
    [
        ("5.1.1", "", True),
        ("5.0.0", "550 no such user here", True),
        ("5.0.0", "550 sender rejected", False),
        ("5.0.0", "554 message rejected as spam", False),
        ("5.1.1", "550 5.1.1 mailbox is full", False),
        ("5.2.2", "no such user", False),
        ("4.1.1", "User unknown in virtual alias table", True),
        ("4.4.7", "", False),
        ("", "no such user", False),
        ("5.4.1", "Recipient address rejected: Access denied", True),
    ],
)
def test_words_say_whether_the_address_is_wrong(status: str, words: str, hard: bool):
    assert is_hard(status, words) is hard


def test_a_gateway_is_believed_by_its_subject_and_its_sentence_together():
    head = b"From: imss@gateway.example\nTo: shop@bottega.example\nSubject: %s\n\n"
    text = b"Unable to deliver message to <anna@customer.example>.\n"
    report = parse(head % b"Mail could not be delivered" + text).report
    assert report and [one.address for one in report.recipients] == ["anna@customer.example"]
    assert parse(head % b"My parcel" + text).report is None
    assert parse(head % b"Fwd: Mail could not be delivered" + text).report is None


def test_whom_a_bounce_was_sent_to_is_not_whom_it_names():
    raw = (
        b"Return-Path: <>\nFrom: mailer-daemon@x.example\nTo: shop@bottega.example\nSubject: Delivery failure\n\n"
        b"An email from shop@bottega.example to\n\n-- anna@customer.example\n\ncould not be delivered.\n"
    )
    report = parse(raw).report
    assert report and [one.address for one in report.recipients] == ["anna@customer.example"]
