"""What goes out is exactly what was meant: headers, recipients, text and files."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportdesk.mail import compose
from supportdesk.mail.compose import ComposeError, build, kept_references, reply_subject
from supportdesk.mail.model import Address, OutgoingAttachment
from supportdesk.mail.replybody import clean_text
from tests.mail.composed_mail import FULL, PLAIN, header_block, header_names, html, plain_text, reread


def unflowed(text: str) -> str:
    """RFC 3676 4: soft breaks joined, stuffing removed; quotes are left alone."""
    lines, joined = text.split("\n"), [""]
    for line in lines:
        bare = line.removeprefix(" ")
        joined[-1] += bare
        if not (bare.endswith(" ") and bare != "-- "):
            joined.append("")
    return "\n".join(joined[:-1])


def test_a_reply_has_exactly_the_headers_of_a_reply() -> None:
    """OUT-1."""
    assert header_names(build(FULL)) == [
        "Date", "From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References",
        "Content-Language", "MIME-Version", "Content-Type",
    ]  # fmt: skip


def test_a_first_mail_has_no_threading_headers() -> None:
    names = header_names(build(PLAIN))
    assert "In-Reply-To" not in names
    assert "References" not in names


def test_values_are_read_back_as_they_were_meant() -> None:
    message = reread(build(FULL))
    assert message["Subject"] == "Re: Mein Paket"
    assert message["Date"].datetime == FULL.date
    assert message["Message-ID"] == FULL.message_id
    assert message["In-Reply-To"] == "<q2@customer.example>"
    assert message["References"] == "<q1@customer.example> <q2@customer.example>"
    assert [(one.display_name, one.addr_spec) for one in message["Cc"].addresses] == [
        ("Jörg, Müller", "joerg@customer.example")
    ]
    assert message["Content-Language"] == "de"


def test_bcc_stands_only_in_the_envelope() -> None:
    built = build(FULL)
    assert "secret@boss.example" in built.recipients
    assert b"secret" not in built.data.lower()
    assert "Bcc" not in header_names(built)


def test_everybody_is_a_recipient_once() -> None:
    twice = replace(FULL, cc=FULL.to, bcc=(Address("", "hans@customer.example"),))
    assert build(twice).recipients == ("hans@customer.example",)


def test_the_same_mail_has_the_same_bytes() -> None:
    assert build(FULL).data == build(FULL).data
    assert build(FULL).data != build(replace(FULL, text="anders")).data


def test_an_answer_by_a_person_carries_no_mark_of_a_program() -> None:
    names = header_names(build(replace(FULL, instance="a7k2")))
    assert not {"Auto-Submitted", "X-Auto-Response-Suppress", "X-Supportdesk-Instance", "Precedence"} & set(names)


@pytest.mark.parametrize(("automatic", "sender"), [("auto-replied", ""), ("auto-generated", "support@shop.example")])
def test_automatic_mail_says_so(automatic: str, sender: str) -> None:
    """OUT-2."""
    built = build(replace(PLAIN, automatic=automatic, instance="a7k2"))
    message = reread(built)
    assert message["Auto-Submitted"] == automatic
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["X-Supportdesk-Instance"] == "a7k2"
    assert built.sender == sender


def test_automatic_mail_repeats_nothing() -> None:
    with pytest.raises(ComposeError, match="repeats nothing"):
        build(replace(PLAIN, automatic="auto-replied", instance="a7k2", quoted="buy pills"))


def test_the_text_stands_before_the_quote_and_the_signature_between() -> None:
    text = plain_text(build(FULL))
    assert text == (
        "Guten Tag,\n\ndas Paket ist unterwegs.\n\n-- \nAnna\nBottega Rossi\n\n"
        "Am 20. November schrieb Hans Meier:\n> Wo ist mein Paket?\n>> alt\n"
    )


def test_long_paragraphs_flow_and_come_back_whole() -> None:
    text = (
        "Ein langer Satz mit vielen Wörtern. " * 12
        + "\n  eingerückt\n> kein Zitat\nFrom hier\nhttps://x.example/"
        + "a" * 200
    )
    sent = plain_text(build(replace(PLAIN, text=text)))
    assert unflowed(sent) == "\n".join(line.rstrip() for line in text.split("\n")) + "\n"
    assert max(len(line) for line in sent.split("\n") if "https" not in line) <= 73


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=st.sampled_from("ab .>-\n\r\té漢\u2028\x00From"), max_size=400))
def test_any_text_comes_back_from_its_flowed_form(text: str) -> None:
    meant = "\n".join(line.rstrip(" \t") for line in clean_text(text).strip("\n").split("\n")) + "\n"
    assert unflowed(plain_text(build(replace(PLAIN, text=text)))) == meant


def test_a_soft_break_never_makes_a_signature_mark() -> None:
    assert "\n-- \n" not in plain_text(build(replace(PLAIN, text="x\n-- " + "y" * 100 + " z")))


def test_the_html_is_the_text_escaped_and_linked() -> None:
    built = build(replace(FULL, text="1 < 2 & <script>alert(1)</script>\nsiehe https://x.example/a?b=1&c=2.\n\nEnde"))
    page = html(built)
    assert "<script" not in page
    assert "1 &lt; 2 &amp; &lt;script&gt;" in page
    assert '<a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.' in page
    assert "<p>Ende</p>" in page
    assert '<blockquote class="gmail_quote" type="cite"' in page
    assert page.count("<p>") == page.count("</p>")


@pytest.mark.parametrize(
    "evil", ['https://x.example/"onmouseover="x', "https://x.example/'><img src=x>", "javascript:alert(1)"]
)
def test_a_link_cannot_break_out_of_its_attribute(evil: str) -> None:
    page = html(build(replace(PLAIN, text=f"see {evil} now", quoted=evil)))
    assert not re.search(r"<[a-z]+[^>]*\son\w+=", page)
    assert "<img" not in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    ("language", "direction"), [("it", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("fa", "rtl"), ("", "ltr")]
)
def test_the_html_has_its_language_and_direction(language: str, direction: str) -> None:
    page = html(build(replace(PLAIN, language=language)))
    assert page.count(f'dir="{direction}"') == 2
    assert page.count(f'lang="{language}"') == (2 if language else 0)


@pytest.mark.parametrize(
    "name",
    [
        "a.pdf", "Fattura 12 (copia).pdf", "Rückgabe größe.pdf", "請求書.pdf", "a" * 200 + ".pdf", "é" * 150 + ".pdf",
        'quo"te.txt', "semi;colon.txt", "per%0D%0Acent.txt", "=?utf-8?q?x=0D=0ABcc:_x?=.txt", "back\\slash.txt",
        ".hidden", "two  spaces.txt", "noextension", "😀.png", "a'b''c.txt",
    ],
)  # fmt: skip
def test_every_file_name_comes_back(name: str) -> None:
    data = bytes(range(256)) * 3
    built = build(replace(PLAIN, attachments=(OutgoingAttachment(name, "image/png", data),)))
    (attached,) = reread(built).iter_attachments()
    assert attached.get_filename() is not None
    assert attached.get_content() == data
    assert max(map(len, built.data.split(b"\r\n"))) <= 78


def test_an_attached_mail_keeps_its_octets() -> None:
    data = b"Subject: x\n\nbare LF\r\n.\r\n" + b"y" * 2000
    built = build(replace(PLAIN, attachments=(OutgoingAttachment("mail.eml", "message/rfc822", data),)))
    (attached,) = reread(built).iter_attachments()
    assert attached.get_content_type() == "application/octet-stream"
    assert attached.get_content() == data


def test_an_empty_attachment_and_two_of_one_name_stay_what_they_are() -> None:
    files = (OutgoingAttachment("a", "text/plain", b""), OutgoingAttachment("a", "text/plain", b"x"))
    assert len(list(reread(build(replace(PLAIN, attachments=files))).iter_attachments())) == 2


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Re: x",
        "Größe",
        "漢字" * 200,
        "x" * 5000,
        "a  b",
        " x ",
        "=?utf-8?q?a=0D=0ABcc:_x?=",
        "word " * 300,
        "😀" * 30,
        "=?",
        "a:b",
    ],
)
def test_every_subject_comes_back_in_short_lines(subject: str) -> None:
    built = build(replace(PLAIN, subject=subject))
    assert str(reread(built)["Subject"]) == subject or subject != subject.strip()
    assert max(map(len, header_block(built).split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "name",
    ["", "A B", "Rossi, Anna", 'A "B" C', "back\\slash", "Jörg", "漢" * 40, "x" * 300, "a@b.it", "=?x?=", "a  b"],
)
def test_every_display_name_comes_back(name: str) -> None:
    built = build(replace(PLAIN, to=(Address(name, "hans@customer.example"), Address("", "z@z.example"))))
    # The new policy of older Pythons puts a space between adjacent encoded words of a name; RFC 2047 6.2 does not.
    field = message_from_bytes(built.data)["To"].replace("\r\n", "")
    read = [(str(make_header(decode_header(display))), addr) for display, addr in getaddresses([field])]
    assert read == [
        (name, "hans@customer.example"),
        ("", "z@z.example"),
    ]


def test_a_domain_in_unicode_goes_out_as_a_labels() -> None:
    built = build(replace(PLAIN, to=(Address("", "info@straße.example"), Address("", "a@MÜLLER.example"))))
    assert built.recipients == ("info@xn--strae-oqa.example", "a@xn--mller-kva.example")
    assert header_block(built).isascii()
    assert not built.smtputf8


def test_an_address_that_needs_smtputf8_is_refused_by_name_without_it() -> None:
    accented = replace(PLAIN, to=(Address("", "josé@customer.example"),))
    with pytest.raises(ComposeError, match=re.escape("josé@customer.example")):
        build(accented)
    built = build(accented, smtputf8=True)
    assert built.smtputf8
    assert built.recipients == ("josé@customer.example",)
    assert "josé@customer.example".encode() in header_block(built)


def test_smtputf8_is_not_used_when_nobody_needs_it() -> None:
    assert not build(FULL, smtputf8=True).smtputf8


def test_references_keep_the_first_and_the_last_twenty() -> None:
    ids = tuple(f"<{number}@customer.example>" for number in range(50))
    kept = kept_references(ids, "<new@customer.example>")
    assert kept == (ids[0], *ids[-19:], "<new@customer.example>")
    assert reread(build(replace(FULL, references=ids)))["References"].split() == [*kept[:-1], "<q2@customer.example>"]


@pytest.mark.parametrize(
    "evil", ["<a\r\nBcc: x@y>", "<a b@c>", "<é@x>", "no brackets", "<>", "", "<a><b>", f"<{'x' * 1000}@y>", "<a@b\x00>"]
)
def test_a_foreign_id_that_cannot_be_repeated_is_left_out(evil: str) -> None:
    message = reread(build(replace(FULL, in_reply_to=evil, references=("<ok@x>", evil))))
    assert message["References"] == "<ok@x>"
    assert message["In-Reply-To"] is None


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Mein Paket", "Re: Mein Paket"),
        ("Re: Re: AW: Mein Paket", "Re: Mein Paket"),
        ("Re[4]: [#12] x", "Re: [#12] x"),
        ("", "Re:"),
        ("a\r\nBcc: x\x9b", "Re: a Bcc: x"),
        ("Problema: x", "Re: Problema: x"),
        ("Ordine 4711", "Re: Ordine 4711"),
        ("Re: Ordine 4711", "Re: Ordine 4711"),
        ("RE: AW: R: Ordine 4711", "Re: Ordine 4711"),
        ("Antw: SV:Ordine 4711", "Re: Ordine 4711"),
        ("Re[2]: Ordine\r\n 4711", "Re: Ordine 4711"),
        ("回复：Ordine 4711", "Re: Ordine 4711"),
        ("Rimborso: quando?", "Re: Rimborso: quando?"),
        ("Reso", "Re: Reso"),
        ("Resoconto: ordine", "Re: Resoconto: ordine"),
        ("Harry: ciao", "Re: Harry: ciao"),
    ],
)
def test_a_reply_subject_has_one_prefix(subject: str, expected: str) -> None:
    assert reply_subject(subject) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"date": datetime(2026, 1, 1)}, "time zone"),
        ({"message_id": ""}, "Message-ID"),
        ({"message_id": "<a b@c>"}, "Message-ID"),
        ({"to": ()}, "no recipient"),
        ({"to": (Address("", "nonsense"),)}, "nonsense"),
        ({"to": (Address("", "a@b@c.example"),)}, "a@b@c.example"),
        ({"to": (Address("", '"a b"@c.example'),)}, "is not an address"),
        ({"to": (Address("", "@route:a@c.example"),)}, "is not an address"),
        ({"to": (Address("", "a@[127.0.0.1]"),)}, "not a domain"),
        ({"to": (Address("", "a@-x.example"),)}, "not a domain"),
        ({"to": (Address("", "support+t.4.abcdefghijklmnopqrst@shop.example"),)}, "signed address of a ticket"),
        ({"language": "it\u00e9"}, "Content-Language"),
        ({"automatic": "yes", "instance": "a"}, "Auto-Submitted"),
        ({"automatic": "auto-replied"}, "X-Supportdesk-Instance"),
        ({"attachments": (OutgoingAttachment("", "text/plain", b""),)}, "no name"),
        ({"attachments": (OutgoingAttachment("a", "text", b""),)}, "media type"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ComposeError, match=re.escape(words)):
        build(replace(PLAIN, **changes))


def test_a_date_keeps_its_offset() -> None:
    built = build(replace(PLAIN, date=datetime(2026, 11, 20, 18, 0, tzinfo=timezone(timedelta(hours=1)))))
    assert b"Date: Fri, 20 Nov 2026 18:00:00 +0100\r\n" in built.data


def test_a_very_long_text_is_built_in_linear_steps() -> None:
    text = "word " * 100_000 + "\n" + "x" * 200_000 + "\n" + "https://x.example/" + ")" * 100_000
    assert len(build(replace(PLAIN, text=text, quoted=">" * 10_000 + "\n> > > x")).data) > 600_000


def test_the_module_offers_what_the_desk_needs() -> None:
    assert set(compose.__all__) == {"ComposeError", "build", "kept_references", "reply_subject"}
