"""What was written is read again before it leaves, and our own reader reads it too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from supportdesk.mail.compose import ComposeError, build
from supportdesk.mail.parse import parse
from tests.mail.composed_mail import FULL


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda data: data.replace(b"\r\nSubject:", b"\r\nBcc: x@y.example\r\nSubject:"), "list of header fields"),
        (lambda data: data.replace(b"hans@", b"hans2@"), "To"),
        (lambda data: data.replace(b"Re: Mein", b"Re: Dein"), "Subject"),
        (lambda data: data.replace(b"unterwegs", b"verloren."), "the text"),
        (lambda data: data.replace(b"=C3=BC", b"=C3=BD").replace(b"%C3%BC", b"%C3%BD"), "name of an attachment"),
        (lambda data: data.replace(b"JVBERg", b"JVBERh"), "content of"),
        (lambda data: data.replace(b"\r\n\r\n", b"\n\n", 1), "CRLF"),
        (lambda data: data.replace(b"text/html", b"text/plain"), "HTML part"),
    ],
)
def test_the_second_reading_finds_what_differs(spoil, what: str) -> None:
    """OUT-10, R10: attachments are counted and compared with the draft before anything leaves."""
    from supportdesk.mail.replybody import Body, flowed_text
    from supportdesk.mail.reread import verify

    built = build(FULL)
    spoilt = spoil(built.data)
    assert spoilt != built.data
    text = flowed_text(Body(FULL.text, FULL.signature, FULL.attribution, FULL.quoted))
    verify(built, FULL, text)
    with pytest.raises(ComposeError, match=what):
        verify(replace(built, data=spoilt), FULL, text)
    with pytest.raises(ComposeError, match="recipients"):
        verify(replace(built, recipients=(*built.recipients, "x@y.example")), FULL, text)


def test_our_own_reader_reads_what_we_write() -> None:
    built = build(FULL)
    mail = parse(built.data)
    assert (mail.subject, mail.message_id, mail.date) == (FULL.subject, FULL.message_id, FULL.date)
    assert (mail.from_, mail.to, mail.cc) == ((FULL.from_,), FULL.to, FULL.cc)
    assert mail.reply_to == (FULL.reply_to,)
    assert (mail.in_reply_to, mail.references) == (("<q2@customer.example>",), (*FULL.references, FULL.in_reply_to))
    assert [one.name for one in mail.attachments] == ["Rücksendung.pdf"]
    assert mail.text.startswith("Guten Tag,\n\ndas Paket ist unterwegs.")
