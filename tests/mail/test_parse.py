"""The reader as a whole: our own invented messages, one for each way in which real mail is broken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from supportdesk.mail.model import Address
from supportdesk.mail.parse import cut_part, parse

RECEIVED = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def mail(*lines: str | bytes) -> bytes:
    return b"\r\n".join(line.encode() if isinstance(line, str) else line for line in lines)


PLAIN = mail(
    "From: Hans Meier <hans@customer.example>",
    "To: Support <support@shop.example>",
    "Subject: Wo ist mein Paket?",
    "Message-ID: <1@customer.example>",
    "Date: Fri, 20 Nov 2026 12:00:00 +0100",
    "",
    "Guten Tag,",
    "wo bleibt es?",
)


def test_an_ordinary_mail_is_read_without_a_defect():
    read = parse(PLAIN, RECEIVED)
    assert read.from_ == (Address("Hans Meier", "hans@customer.example"),)
    assert read.to == (Address("Support", "support@shop.example"),)
    assert (read.subject, read.message_id) == ("Wo ist mein Paket?", "<1@customer.example>")
    assert read.date == datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
    assert (read.text, read.text_source) == ("Guten Tag,\nwo bleibt es?", "plain")
    assert read.defects == () and read.attachments == () and read.size == len(PLAIN)


@pytest.mark.parametrize(
    "raw",
    [
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"\r\n", b"\r"),
        b"\xef\xbb\xbf" + PLAIN,
        b"\r\n\r\n" + PLAIN,
        b"From hans Fri Nov 20 12:00:00 2026\r\n" + PLAIN,
        b">From hans Fri Nov 20 12:00:00 2026\n" + PLAIN,
        b" " + PLAIN,
    ],
    ids=["LF", "CR", "byte order mark", "blank lines", "mbox", "quoted mbox", "indented first field"],
)
def test_whatever_stands_before_or_ends_its_lines_the_mail_is_the_same(raw: bytes):
    read, plain = parse(raw, RECEIVED), parse(PLAIN, RECEIVED)
    assert (read.headers, read.text, read.from_, read.date) == (plain.headers, plain.text, plain.from_, plain.date)


def test_a_line_that_is_no_field_does_not_end_the_header():
    read = parse(mail("Subject: one", "this is broken", "From: a@b.example", "", "body"))
    assert read.from_ == (Address("", "a@b.example"),)
    assert read.text == "body"
    assert "header-line" in {defect.code for defect in read.defects}


def test_a_header_without_an_empty_line_ends_where_prose_begins():
    read = parse(mail("From: a@b.example", "Subject: one", "Hello there", "second line"))
    assert (read.subject, read.text) == ("one", "Hello there\nsecond line")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0",
        b"\r\n",
        b"just text",
        b":",
        b"From",
        b"\xff\xfe\x00",
        b"=?",
        b"Content-Type: multipart/mixed; boundary=",
    ],
)
def test_hardly_anything_is_still_a_mail(raw: bytes):
    read = parse(raw, RECEIVED)
    assert read.date == RECEIVED
    assert read.from_ == ()
    assert "\0" not in read.text


def test_a_mail_without_from_takes_its_sender_from_the_next_best_field():
    assert parse(mail("Reply-To: r@b.example", "Return-Path: <p@b.example>", "", "x")).from_ == (
        Address("", "r@b.example"),
    )
    assert parse(mail("From: Nobody", "Return-Path: <p@b.example>", "", "x")).from_ == (Address("", "p@b.example"),)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('From: "boss@corp.example" <x@evil.example>', "from-spoofed"),
        ("From: a@b.example\r\nFrom: c@d.example", "from-repeated"),
        ("From: nobody", "from-missing"),
    ],
)
def test_a_doubtful_sender_is_named(line: str, code: str):
    assert code in {defect.code for defect in parse(mail(line, "", "x")).defects}


@pytest.mark.parametrize(
    "date", ["", "Date: soon", "Date: Fri, 20 Nov 2026 14:30:00 +0000", "Date: Mon, 20 Nov 2006 12:00:00 +0000"]
)
def test_a_date_that_cannot_be_true_gives_way_to_the_time_of_receipt(date: str):
    read = parse(mail("From: a@b.example", *([date] if date else []), "", "x"), RECEIVED)
    assert read.date == RECEIVED
    assert any(defect.code.startswith("date-") for defect in read.defects)


def test_the_null_return_path_differs_from_a_missing_one():
    assert parse(mail("Return-Path: <>", "", "x")).return_path == ""
    assert parse(mail("Subject: x", "", "x")).return_path is None


def test_message_ids_are_read_from_junk():
    read = parse(
        mail(
            "Message-ID: < >",
            "In-Reply-To: Your message of <1@a.example>",
            "References: <1@a.example>",
            "\t<2@",
            " a.example> junk <> <3@a.example>",
            "",
            "x",
        )
    )
    assert read.message_id == ""
    assert read.in_reply_to == ("<1@a.example>",)
    assert read.references == ("<1@a.example>", "<2@a.example>", "<3@a.example>")


def alternative(plain: str, html: str) -> bytes:
    return mail(
        "From: a@b.example",
        "Content-Type: multipart/alternative; boundary=B",
        "",
        "--B",
        "Content-Type: text/plain; charset=utf-8",
        "",
        plain,
        "--B",
        "Content-Type: text/html; charset=utf-8",
        "",
        html,
        "--B--",
    )


def test_of_an_alternative_the_plain_text_is_shown_and_nothing_is_attached():
    read = parse(alternative("Hello plain", "<p>Hello html</p>"))
    assert (read.text, read.text_source, read.attachments) == ("Hello plain", "plain", ())


def test_a_plain_stub_gives_way_to_the_html():
    read = parse(alternative("View in HTML", f"<p>{'A long letter. ' * 40}</p>"))
    assert read.text_source == "html"
    assert read.text.startswith("A long letter.")


def test_text_parts_around_an_attachment_are_one_text_in_order():
    read = parse(
        mail(
            "Content-Type: multipart/mixed; boundary=B",
            "",
            "--B",
            "",
            "before",
            "--B",
            "Content-Type: application/pdf; name=a.pdf",
            "",
            "%PDF",
            "--B",
            "",
            "after",
            "--B--",
        )
    )
    assert read.text == "before\n\nafter"
    assert [(one.part, one.name, one.size) for one in read.attachments] == [("2", "a.pdf", 4)]


def test_a_mail_with_an_attachment_and_no_text_keeps_it():
    read = parse(
        mail("Content-Type: image/png; name=photo.png", "Content-Transfer-Encoding: base64", "", "iVBORw0KGgo=")
    )
    assert (read.text, read.text_source) == ("", "none")
    assert [(one.part, one.name, one.size) for one in read.attachments] == [("1", "photo.png", 8)]


def test_pictures_of_the_html_are_named_in_the_text_and_marked_inline():
    picture = ("Content-Type: image/png; name={0}.png", "Content-ID: <{0}@x>", "", "png")
    read = parse(
        mail(
            "Content-Type: multipart/related; boundary=B",
            "",
            "--B",
            "Content-Type: text/html",
            "",
            '<p>See <img src="cid:shown@x"></p>',
            "--B",
            *(line.format("shown") for line in picture),
            "--B",
            *(line.format("unseen") for line in picture),
            "--B--",
        )
    )
    assert read.text == "See [image: shown.png]"
    assert [(one.name, one.inline) for one in read.attachments] == [("shown.png", True), ("unseen.png", False)]


def test_a_nested_mail_is_cut_byte_for_byte():
    inner = b"Subject: inner  \r\nX-Odd:   spaces\r\n\r\nbody\r\n.\r\n"
    raw = (
        b"Subject: Fwd: inner\r\nContent-Type: multipart/mixed; boundary=B\r\n"
        b"\r\n--B\r\n\r\nnote\r\n--B\r\nContent-Type: message/rfc822\r\n"
        b"\r\n" + inner + b"\r\n--B--\r\n"
    )
    read = parse(raw)
    assert [(one.part, one.name) for one in read.attachments] == [("2", "inner.eml")]
    assert cut_part(raw, "2") == inner
    assert read.inner is not None and (read.inner.kind, read.inner.subject, read.inner.part) == (
        "forward",
        "inner",
        "2",
    )


def test_certified_mail_shows_the_mail_inside():
    raw = mail(
        "From: Per conto di: anna@pec.example <posta-certificata@gestore.example>",
        "X-Trasporto: posta-certificata",
        "Subject: POSTA CERTIFICATA: reclamo",
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B",
        "",
        "Messaggio di posta certificata",
        "--B",
        'Content-Type: message/rfc822; name="postacert.eml"',
        "",
        "From: Anna <anna@pec.example>",
        "Subject: reclamo",
        "Message-ID: <7@pec.example>",
        "",
        "Il pacco manca.",
        "--B--",
    )
    inner = parse(raw).inner
    assert inner is not None
    assert (inner.kind, inner.from_, inner.subject, inner.message_id, inner.text) == (
        "pec",
        (Address("Anna", "anna@pec.example"),),
        "reclamo",
        "<7@pec.example>",
        "Il pacco manca.",
    )
    read = parse(raw)
    assert (read.subject, read.fresh_text) == ("reclamo", "Il pacco manca."), "what the human wrote is read first"
    assert read.text.endswith("Messaggio di posta certificata"), "the gateway's words are folded, not lost"
    receipt = parse(raw.replace(b"X-Trasporto: posta-certificata", b"X-Ricevuta: avvenuta-consegna"))
    assert receipt.text == "Messaggio di posta certificata"


def test_an_invitation_is_a_card_and_a_file():
    raw = mail(
        "Content-Type: multipart/mixed; boundary=B",
        "",
        "--B",
        "",
        "Please come.",
        "--B",
        "Content-Type: text/calendar; method=REQUEST",
        "",
        "BEGIN:VCALENDAR",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "SUMMARY:Fitting\\, second",
        "DTSTART;TZID=Europe/Rome:20261120T090000",
        "END:VEVENT",
        "END:VCALENDAR",
        "--B--",
    )
    read = parse(raw)
    assert read.text == "Please come.\n\n[calendar REQUEST: Fitting, second, 2026-11-20 09:00 Europe/Rome]"
    assert [one.name for one in read.attachments] == ["part-2.ics"]


def test_uuencoded_files_leave_the_text_and_can_be_cut():
    raw = mail("Subject: x", "", "See the file:", "begin 644 note.txt", "#0V%T", "`", "end", "Bye")
    read = parse(raw)
    assert read.text == "See the file:\nBye"
    assert [(one.part, one.name, one.size) for one in read.attachments] == [("1.uu.1", "note.txt", 3)]
    assert cut_part(raw, "1.uu.1") == b"Cat"


@pytest.mark.parametrize("path", ["", "9", "1.uu.1", "1.tnef.1", "2.uu.x"])
def test_a_part_that_is_not_there_is_a_key_error(path: str):
    with pytest.raises(KeyError):
        cut_part(b"Content-Type: multipart/mixed; boundary=B\n\n--B\n\nx\n--B--" if not path else PLAIN, path or "2")


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ('multipart/encrypted; protocol="application/pgp-encrypted"; boundary=B', "encrypted"),
        ('multipart/signed; protocol="application/pkcs7-signature"; boundary=B', "signed"),
        ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "encrypted"),
        ("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", "signed"),
        ("message/partial; number=1; total=3", "partial"),
        ("message/external-body; access-type=URL", "external-body"),
    ],
)
def test_what_cannot_be_opened_is_said(content_type: str, code: str):
    assert code in {
        defect.code for defect in parse(mail(f"Content-Type: {content_type}", "", "--B", "", "x", "--B--")).defects
    }


class TestFingerprint:
    def test_relays_do_not_change_it(self):
        relayed = b"Received: by mx\r\nDelivered-To: x@y.example\r\nX-Spam: no\r\n" + PLAIN.replace(b"\r\n", b"\n")
        assert parse(relayed).fingerprint == parse(PLAIN).fingerprint

    def test_another_transfer_encoding_does_not_change_it(self):
        encoded = PLAIN.replace(
            b"\r\n\r\nGuten Tag,", b"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGuten=20Tag,"
        )
        assert parse(encoded).fingerprint == parse(PLAIN).fingerprint

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b"bleibt", b"bleibts"),
            (b"Wo ist", b"Wo war"),
            (b"<1@", b"<2@"),
            (b"hans@", b"hanna@"),
            (b"12:00:00", b"12:00:01"),
        ],
    )
    def test_other_content_does(self, old: bytes, new: bytes):
        assert parse(PLAIN.replace(old, new)).fingerprint != parse(PLAIN).fingerprint


def test_lone_crs_end_lines_even_where_one_lf_ends_the_mail():
    mail = parse(b"From: a@b.example\rSubject: old\rX: y\r\rhello\rworld\r\n")
    assert (mail.subject, mail.text.split()) == ("old", ["hello", "world"])


def test_a_multipart_that_never_begins_is_its_text():
    mail = parse(b"Content-Type: multipart/mixed; boundary=B\n\nhello\n")
    assert (mail.content_type, mail.text.strip(), mail.attachments) == ("multipart/mixed", "hello", ())


def test_a_part_with_its_parents_boundary_holds_what_follows_until_it_is_closed():
    inner = b"--B\nContent-Type: text/plain\n\nplain\n--B\nContent-Type: text/html\n\n<p>plain</p>\n--B--\n"
    raw = b"Content-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: multipart/alternative; boundary=B\n\n"
    mail = parse(raw + inner + b"--B\nContent-Type: image/gif\n\nGIF\n--B--\n")
    assert mail.text.strip() == "plain"
    assert [(one.part, one.content_type) for one in mail.attachments] == [("2", "image/gif")]


def test_blanks_around_the_dots_of_a_domain_are_no_part_of_it():
    assert [one.addr for one in parse(b"To: jdoe@test   . example\n\n").to] == ["jdoe@test.example"]
