"""What goes out is exactly what was meant: headers, recipients, text and files, on a wire with no way to smuggle."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportdesk.mail import compose
from supportdesk.mail.compose import ComposeError, build, kept_references, reply_subject
from supportdesk.mail.model import Address, BuiltMail, OutgoingAttachment, OutgoingMail
from supportdesk.mail.parse import parse
from supportdesk.mail.replybody import clean_text

PLAIN = OutgoingMail(
    message_id="<sd.a7k2.12.abcdefghijklmnopqrst@shop.example>",
    date=datetime(2026, 11, 20, 17, 30, 5, tzinfo=UTC),
    from_=Address("Bottega Rossi", "support@shop.example"),
    to=(Address("Hans Meier", "hans@customer.example"),),
    cc=(),
    bcc=(),
    subject="Re: Mein Paket",
    text="Guten Tag,\n\ndas Paket ist unterwegs.",
    language="de",
)
FULL = replace(
    PLAIN,
    cc=(Address("Jörg, Müller", "joerg@customer.example"),),
    bcc=(Address("Secret", "secret@boss.example"),),
    reply_to=Address("", "support+t.4.abcdefghijklmnopqrst@shop.example"),
    in_reply_to="<q2@customer.example>",
    references=("<q1@customer.example>",),
    signature="Anna\nBottega Rossi",
    attribution="Am 20. November schrieb Hans Meier:",
    quoted="Wo ist mein Paket?\n> alt",
    attachments=(OutgoingAttachment("Rücksendung.pdf", "application/pdf", b"%PDF\x00\r\n.\r\n"),),
)


def header_block(built: BuiltMail) -> bytes:
    return built.data.split(b"\r\n\r\n", 1)[0]


def header_names(built: BuiltMail) -> list[str]:
    """Read by hand, so that no parser's leniency hides a header."""
    return re.findall(r"^([^\s:]+):", header_block(built).decode("utf-8"), re.MULTILINE)


def reread(built: BuiltMail) -> EmailMessage:
    """Another reader: the standard library's new policy, which neither the writer nor its check uses."""
    message = message_from_bytes(built.data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def plain_text(built: BuiltMail) -> str:
    part = reread(built).get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html(built: BuiltMail) -> str:
    part = reread(built).get_body(("html",))
    assert part is not None
    return str(part.get_content())


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


PAYLOADS = {
    "CR": "x\rBcc: evil@x.example",
    "LF": "x\nBcc: evil@x.example",
    "CRLF": "x\r\nBcc: evil@x.example",
    "CRLF CRLF": "x\r\n\r\nevil body",
    "folded": "x\r\n Bcc: evil@x.example",
    "VT": "x\x0bBcc: evil@x.example",
    "FF": "x\x0cBcc: evil@x.example",
    "NEL": "x\x85Bcc: evil@x.example",
    "LS": "x\u2028Bcc: evil@x.example",
    "NUL": "x\x00Bcc: evil@x.example",
    "ESC": "x\x1b]0;y\x07",
    "C1": "x\x9b31m",
    "encoded word": "=?utf-8?q?x=0D=0ABcc:_evil=40x.example?=",
    "encoded word b64": "=?utf-8?b?eA0KQmNjOiBldmlsQHguZXhhbXBsZQ==?=",
    "RFC 2231": "UTF-8''x%0D%0ABcc:%20evil@x.example",
    "quote": 'x"; filename="evil.exe',
    "5,000": "x" * 5000,
    "5,000 words": "x " * 2500,
    "surrogate": "x\ud800",
    "IDN": "xn--é.example",
    "comma": "x, evil@x.example",
    "angle": "x> <evil@x.example",
}  # fmt: skip
PLACES = {
    "subject": lambda mail, evil: replace(mail, subject=evil),
    "from name": lambda mail, evil: replace(mail, from_=Address(evil, mail.from_.addr)),
    "from addr": lambda mail, evil: replace(mail, from_=Address("", evil)),
    "from local": lambda mail, evil: replace(mail, from_=Address("", f"{evil}@shop.example")),
    "from domain": lambda mail, evil: replace(mail, from_=Address("", f"support@{evil}")),
    "to name": lambda mail, evil: replace(mail, to=(Address(evil, "hans@customer.example"),)),
    "to addr": lambda mail, evil: replace(mail, to=(Address("Hans", evil),)),
    "to local": lambda mail, evil: replace(mail, to=(Address("", f"{evil}@x.example"),)),
    "to domain": lambda mail, evil: replace(mail, to=(Address("", f"hans@{evil}"),)),
    "cc name": lambda mail, evil: replace(mail, cc=(Address(evil, "c@c.example"),)),
    "cc addr": lambda mail, evil: replace(mail, cc=(Address("", evil),)),
    "bcc name": lambda mail, evil: replace(mail, bcc=(Address(evil, "b@b.example"),)),
    "bcc addr": lambda mail, evil: replace(mail, bcc=(Address("", evil),)),
    "reply-to name": lambda mail, evil: replace(mail, reply_to=Address(evil, "r@r.example")),
    "reply-to addr": lambda mail, evil: replace(mail, reply_to=Address("", evil)),
    "message-id": lambda mail, evil: replace(mail, message_id=f"<{evil}@x>"),
    "in-reply-to": lambda mail, evil: replace(mail, in_reply_to=f"<{evil}@x>"),
    "references": lambda mail, evil: replace(mail, references=(f"<{evil}@x>", evil, "<ok@x>")),
    "language": lambda mail, evil: replace(mail, language=evil),
    "automatic": lambda mail, evil: replace(mail, automatic=evil, instance="a", quoted=""),
    "instance": lambda mail, evil: replace(mail, automatic="auto-replied", instance=evil, quoted=""),
    "filename": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment(evil, "text/plain", b"x"),)),
    "extension": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment(f"a.{evil}", "text/plain", b"x"),)),
    "media type": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment("a", evil, b"x"),)),
    "subtype": lambda mail, evil: replace(mail, attachments=(OutgoingAttachment("a", f"text/{evil}", b"x"),)),
    "text": lambda mail, evil: replace(mail, text=evil),
    "signature": lambda mail, evil: replace(mail, signature=evil),
    "attribution": lambda mail, evil: replace(mail, attribution=evil),
    "quoted": lambda mail, evil: replace(mail, quoted=evil),
}
ALLOWED = {
    "Date", "From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
    "X-Auto-Response-Suppress", "X-Supportdesk-Instance", "Content-Language", "MIME-Version", "Content-Type",
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("smtputf8", [False, True])
def test_c09_no_value_injects_a_header(place: str, payload: str, smtputf8: bool) -> None:
    mail = PLACES[place](FULL, PAYLOADS[payload])
    try:
        built = build(mail, smtputf8=smtputf8)
    except ComposeError:
        return
    names = header_names(built)
    assert set(names) <= ALLOWED
    assert len(names) == len(set(names))
    assert "evil@x.example" not in built.recipients
    assert len(built.recipients) == len({address.addr for address in (*mail.to, *mail.cc, *mail.bcc)})
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", built.data)
    assert max(map(len, built.data.split(b"\r\n"))) <= 998
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", built.data.decode("utf-8"))
    parts = [part for part in reread(built).walk() if not part.is_multipart()]
    assert len(parts) == 2 + len(mail.attachments)
    assert all(
        set(part.keys()) <= {"Content-Type", "Content-Disposition", "Content-Transfer-Encoding"} for part in parts
    )


def test_c09_control_characters_in_header_values_are_refused_and_the_field_is_named() -> None:
    for place, field in (
        ("subject", "Subject"),
        ("to name", "To"),
        ("cc name", "Cc"),
        ("bcc name", "Bcc"),
        ("filename", "filename"),
    ):
        for payload in ("CR", "LF", "CRLF", "VT", "FF", "NEL", "LS", "NUL", "ESC", "C1", "surrogate"):
            with pytest.raises(ComposeError, match=field):
                build(PLACES[place](FULL, PAYLOADS[payload]))


SMUGGLED = [
    "\n.\n",
    "\r.\r",
    "\n.\r\n",
    "\r\n.\r",
    "\r\n.\r\n",
    "\0.",
    "\r\n.\r\nMAIL FROM:<x>\r\n",
    "\n.\rRCPT TO:<y>\n",
    "\x85.\x85",
    ".",
]


@pytest.mark.parametrize("body", SMUGGLED)
@pytest.mark.parametrize("place", ["text", "signature", "attribution", "quoted", "attachment"])
def test_c10_no_body_can_end_the_mail_early(body: str, place: str) -> None:
    mail = FULL
    if place == "attachment":
        mail = replace(mail, attachments=(OutgoingAttachment("a", "text/plain", f"x{body}y".encode()),))
    else:
        mail = PLACES[place](mail, f"x{body}y")
    data = build(mail).data
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert b"\r\n.\r\n" not in data
    assert b"\0" not in data
    assert data.endswith(b"\r\n")


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


def test_a_date_keeps_its_offset() -> None:
    built = build(replace(PLAIN, date=datetime(2026, 11, 20, 18, 0, tzinfo=timezone(timedelta(hours=1)))))
    assert b"Date: Fri, 20 Nov 2026 18:00:00 +0100\r\n" in built.data


def test_a_very_long_text_is_built_in_linear_steps() -> None:
    text = "word " * 100_000 + "\n" + "x" * 200_000 + "\n" + "https://x.example/" + ")" * 100_000
    assert len(build(replace(PLAIN, text=text, quoted=">" * 10_000 + "\n> > > x")).data) > 600_000


def test_the_module_offers_what_the_desk_needs() -> None:
    assert set(compose.__all__) == {"ComposeError", "build", "kept_references", "reply_subject"}
