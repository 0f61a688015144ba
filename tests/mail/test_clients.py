"""Quirks of mail programs that leave an agent with something unreadable, if nobody knows them."""

from __future__ import annotations

import pytest

from supportdesk.mail.parse import parse


def written(text: str, content_type: str = "text/plain; charset=utf-8", subject: str = "Re: Paket") -> bytes:
    head = f"From: anna@customer.example\nSubject: {subject}\nDate: Fri, 20 Nov 2026 12:00:00 +0100\n"
    return f"{head}Content-Type: {content_type}\n\n{text}".encode()


def test_parse_10_an_invitation_that_is_the_whole_mail_says_why():
    event = (
        "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Rückruf\nDTSTART:20261120T100000Z\n"
        "DESCRIPTION:Es geht um #1234.\\nBitte\\, rufen Sie an\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    alone = parse(written(event, "text/calendar; charset=utf-8; method=REQUEST"))
    card = "[calendar REQUEST: Rückruf, 2026-11-20 10:00 UTC]"
    assert alone.text == f"{card}\n\nEs geht um #1234.\nBitte, rufen Sie an"
    parts = f"--B\n\nBitte um Rückruf.\n--B\nContent-Type: text/calendar; charset=utf-8\n\n{event}\n--B--\n"
    assert parse(written(parts, "multipart/mixed; boundary=B")).text == f"Bitte um Rückruf.\n\n{card}"


def test_parse_12_a_picture_that_outlook_names_by_its_id_has_its_name():
    parts = (
        "--B\n\nsiehe [cid:image001.png@01D8] und [cid:unknown@x]\n--B\n"
        "Content-Type: image/png; name=Foto.png\nContent-ID: <image001.png@01D8>\n\nPNG\n--B--\n"
    )
    assert parse(written(parts, "multipart/related; boundary=B")).text == "siehe [image: Foto.png] und [cid:unknown@x]"


@pytest.mark.parametrize("start", ["<html><body>", "\ufeff\n<!DOCTYPE html>\n<html><body>"])
def test_parse_10_a_document_of_html_under_the_name_of_plain_text_is_rendered(start: str):
    read = parse(written(f"{start}<p>Hallo,<br>wo ist <b>mein</b> Paket?</p></body></html>\n"))
    assert read.text == "Hallo,\nwo ist mein Paket?"


def test_parse_10_a_text_about_html_stays_as_it_is():
    text = "<html> steht in der Bestätigung, und danach </html>. Warum?"
    assert parse(written(text)).text == text


def test_parse_13_what_openpgp_adds_to_a_signed_text_is_folded():
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nWo ist mein Paket?\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\n"
    )
    assert parse(written(text)).fresh_text == "Wo ist mein Paket?"
    unended = "Hallo\n-----BEGIN PGP SIGNATURE-----\nund mehr"
    assert parse(written(unended)).fresh_text == unended


def test_parse_12_a_text_that_is_encrypted_says_so():
    read = parse(written("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"))
    assert [defect.code for defect in read.defects] == ["encrypted"]


def test_parse_13_a_line_that_a_mailbox_file_escaped_is_no_quotation():
    text = "Guten Tag,\n>From the beginning it was broken.\nBitte um Ersatz."
    assert parse(written(text)).folds == ()
    quoted = "Nein.\n\n> Hallo\n>From the shop we greet\n> you"
    assert parse(written(quoted)).fresh_text == "Nein."


def test_parse_10_a_photo_without_a_word_is_named():
    parts = (
        "--A\nContent-Type: text/plain\n\n\n--A\nContent-Type: multipart/related; boundary=B\n\n--B\n"
        'Content-Type: text/html\n\n<img src="cid:foto@x">\n--B\n'
        "Content-Type: image/jpeg; name=foto.jpg\nContent-ID: <foto@x>\n\nJPEG\n--B--\n--A--\n"
    )
    assert parse(written(parts, "multipart/alternative; boundary=A")).text == "[image: foto.jpg]"


@pytest.mark.parametrize(
    ("written_as", "text"),
    [
        ("Gr=C3=BC=C3=9Fe aus K=C3=B6ln, bitte pr=C3=BCfen=\n Sie.\n", "Grüße aus Köln, bitte prüfen Sie."),
        (
            (
                "R3LDvMOfZSBhdXMgS8O2bG4sIHdvIGlzdCBtZWluIFBha2V0PyBJY2ggd2FydGUgc2VpdCB6d2Vp\n"
                "IFdvY2hlbiB1bmQgaMO2cmUgbmljaHRzLg==\n"
            ),
            "Grüße aus Köln, wo ist mein Paket? Ich warte seit zwei Wochen und höre nichts.",
        ),
        ("https://x.example/?a=3D1&b=C3", "https://x.example/?a=3D1&b=C3"),
        ("f(x)=C3=B6 steht in der Anleitung", "f(x)=C3=B6 steht in der Anleitung"),
        ("A" * 76 + "\n" + "B" * 40, "A" * 76 + "\n" + "B" * 40),
        ("deadbeef" * 20, "deadbeef" * 20),
    ],
)
def test_parse_8_a_text_that_is_encoded_and_does_not_say_so_is_read(written_as: str, text: str):
    assert parse(written(written_as)).text == text
    assert parse(written(written_as).replace(b"Date:", b"Content-Transfer-Encoding: 8bit\nDate:")).text == text
