"""The rules of reading, one by one, on the cases that they were made for (mail.md 2.4); the tables are next door."""

from __future__ import annotations

import base64
import socket
from datetime import UTC, datetime

import pytest

from supportdesk.mail import limits
from supportdesk.mail.parse import cut_part, parse

MIXED = "Content-Type: multipart/mixed; boundary="
JAPANESE = "注文した商品がまだ届いていません。いつ発送されますか。お返事をお待ちしております。"
HEAD = "From: Rosa Bianchi <rosa@example.com>\nTo: shop@bottega.example\nSubject: x\n"


def read(text: str | bytes, head: str = HEAD):
    raw = text if isinstance(text, bytes) else text.encode()
    return parse(head.encode() + raw)


def codes(mail) -> set[str]:
    return {defect.code for defect in mail.defects}


def parts(kind: str, *contents: str) -> str:
    body = "".join(f"--b\n{content}\n" for content in contents)
    return f'MIME-Version: 1.0\nContent-Type: {kind}; boundary="b"\n\n{body}--b--\n'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("X: " + "a" * (limits.MAX_FIELD + 1) + "\n\nx", "field-too-long"),
        ("X: a\n" * (limits.MAX_HEADER_LINES + 1) + "\nx", "header-lines"),
        ("Cc: " + "a@b.example, " * (limits.MAX_ADDRESSES + 1) + "\n\nx", "addresses"),
        ("".join(f"{MIXED}b{n}\n\n--b{n}\n" for n in range(limits.MAX_DEPTH + 2)), "depth"),
        (parts("multipart/mixed", *["\nx"] * (limits.MAX_PARTS + 1)), "parts"),
        ("Content-Type: text/plain" + "; a=b" * (limits.MAX_PARAMETERS + 1) + "\n\nx", "parameters"),
    ],
)  # fmt: skip
def test_parse_1_what_is_beyond_a_limit_is_cut_and_said(text: str, code: str) -> None:
    mail = read(text)
    assert code in codes(mail)
    assert mail.from_[0].addr == "rosa@example.com"


@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("before", ["", "\n\n", "From rosa Fri Nov 20 09:00:00 2026\n", "\ufeff"])
def test_parse_2_any_line_end_and_any_preamble(newline: str, before: str) -> None:
    raw = f"{before}{HEAD}\nuno\ndue\x00\n".replace("\n", newline).encode()
    mail = parse(raw)
    assert (mail.subject, mail.text.strip()) == ("x", "uno\ndue\ufffd")


def test_parse_3_a_line_that_is_no_field_continues_the_one_before_and_the_first_singleton_wins() -> None:
    mail = read("Subject: second\nthis line is none\nFrom: eve@evil.example\nContent-Type: text/html\n\n<b>hi</b>")
    assert (mail.subject, mail.text, mail.from_[0].addr) == ("x", "hi", "rosa@example.com")
    assert {"header-line", "field-repeated", "from-repeated"} <= codes(mail)
    assert mail.header_all("Subject") == ("x", "second this line is none")


def test_parse_4_a_name_is_decoded_after_the_addresses_were_told_apart() -> None:
    mail = parse(b"From: =?utf-8?q?Bianchi=2C_Rosa_=3Ceve=40evil.example=3E?= <rosa@example.com>\n\nx")
    assert [one.addr for one in mail.from_] == ["rosa@example.com"]
    assert mail.from_[0].name == "Bianchi, Rosa <eve@evil.example>"
    assert "from-spoofed" in codes(mail)


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("undisclosed-recipients:;", []),
        ("Friends: a@b.example, c@d.example;", ["a@b.example", "c@d.example"]),
        ("a@b.example,,c@d.example,", ["a@b.example", "c@d.example"]),
        ("Rosa <a@b.example", ["a@b.example"]),
        ("<@relay.example:a@b.example>", ["a@b.example"]),
        ('"a b"@c.example', ['"a b"@c.example']),
    ],
)
def test_parse_5_addresses_as_they_are_found(value: str, addresses: list[str]) -> None:
    assert [one.addr for one in parse(f"From: r@x.example\nTo: {value}\n\nx".encode()).to] == addresses


def test_parse_5_a_mail_of_nobody_is_still_a_mail() -> None:
    mail = parse(b"Return-Path: <rosa@example.com>\nSubject: x\n\nx")
    assert [one.addr for one in mail.from_] == ["rosa@example.com"]
    assert parse(b"Subject: x\n\nx").from_ == ()


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename*0*=utf-8''ma; filename*1*=%C3%B1ana.pdf", "mañana.pdf"),
        ("attachment; filename=plain.pdf; filename*=utf-8''ma%C3%B1ana.pdf", "mañana.pdf"),
        ('attachment; filename="=?utf-8?q?ma=C3=B1ana.pdf?="', "mañana.pdf"),
        ("attachment; filename=my file (1).pdf", "my file (1).pdf"),
        ("attachment", "part-1.pdf"),
    ],
)
def test_parse_6_the_name_of_a_file(disposition: str, name: str) -> None:
    part = f"Content-Type: application/pdf\nContent-Disposition: {disposition}\n\nx"
    assert [file.name for file in read(parts("multipart/mixed", part)).attachments] == [name]


@pytest.mark.parametrize(
    ("declared", "octets", "text"),
    [
        ("us-ascii", "più".encode(), "più"),
        ("iso-8859-1", "più".encode(), "più"),
        ("iso-8859-1", b"pi\xf9 \x80", "più €"),
        ("gb2312", "價格".encode("gb18030"), "價格"),
        ("x-unknown", JAPANESE.encode("cp932"), JAPANESE),
        ("unicode-1-1-utf-7", b"+AOQ-", "ä"),
        ("utf-8", b"+AOQ-", "+AOQ-"),
    ],
)
def test_parse_7_the_chain_of_charsets(declared: str, octets: bytes, text: str) -> None:
    assert read(f"Content-Type: text/plain; charset={declared}\n\n".encode() + octets).text.strip() == text


@pytest.mark.parametrize(
    ("encoding", "content", "text"),
    [
        ("BASE64 (a comment)", base64.b64encode(b"hello").decode() + "\n--footer of a list", "hello"),
        ("quoted-printable", "hel= \nlo", "hello"),
        ("x-unknown", "hello", "hello"),
        ("8bit", "hello", "hello"),
    ],
)
def test_parse_8_transfer_encodings(encoding: str, content: str, text: str) -> None:
    assert read(f"Content-Transfer-Encoding: {encoding}\n\n{content}").text.strip() == text


@pytest.mark.parametrize(
    "text",
    [
        "Content-Type: multipart/mixed\n\n--b\n\nhello\n--b--",  # no boundary is named
        "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nhello",  # none closes
        "Content-Type: multipart/mixed; boundary=b\n\nhello",  # none begins
        "Content-Type: text\n\nhello",
        "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nhello\n--b--",
        "Content-Type: multipart/mixed; boundary=b\n\n--bb\n\n--b\n\nhello\n--b--",
    ],
)
def test_parse_9_broken_structures_still_have_their_text(text: str) -> None:
    assert "hello" in read(text).text.splitlines()


def test_parse_10_of_an_alternative_the_stub_gives_way_and_an_empty_mail_keeps_its_file() -> None:
    stub = parts("multipart/alternative", "\nView this in HTML", "Content-Type: text/html\n\n<p>" + "Ciao Rosa. " * 40)
    assert read(stub).text.startswith("Ciao Rosa.")
    empty = read(parts("multipart/mixed", "Content-Type: image/png; name=a.png\n\nx"))
    assert (empty.text, [file.name for file in empty.attachments]) == ("", ["a.png"])


def test_parse_11_flowed_lines_are_joined_and_signatures_are_not() -> None:
    head = "Content-Type: text/plain; format=flowed; delsp={}\n\n"
    text = "> uno \n> due\n from me \nto you\n-- \nRosa"
    assert read(head.format("no") + text).text == "> uno due\nfrom me to you\n-- \nRosa"
    assert read(head.format("yes") + text).text == "> unodue\nfrom meto you\n-- \nRosa"


def test_parse_12_every_leaf_that_is_not_the_text_is_an_attachment() -> None:
    html = 'Content-Type: text/html\n\n<p>Ecco <img src="cid:one"></p>'
    one = "Content-Type: image/png; name=one.png\nContent-ID: <one>\n\nx"
    other = "Content-Type: image/png; name=one.png\nContent-ID: <other>\nContent-Disposition: inline\n\ny"
    nested = "Content-Type: message/rfc822\n\nSubject: inner\r\n\r\nDear all,\r\n"
    raw = (HEAD + parts("multipart/related", html, one, other, nested)).encode()
    mail = parse(raw)
    files = {file.name: file for file in mail.attachments}
    assert "[image: one.png]" in mail.text
    assert set(files) == {"one.png", "one (2).png", "inner.eml"}
    assert (files["one.png"].inline, files["one (2).png"].inline) == (True, False)
    assert cut_part(raw, files["inner.eml"].part) == b"Subject: inner\r\n\r\nDear all,\r\n"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ('multipart/signed; protocol="application/pgp-signature"', "signed"),
        ('multipart/encrypted; protocol="application/pgp-encrypted"', "encrypted"),
        ("application/pkcs7-mime; smime-type=enveloped-data", "encrypted"),
        ("application/pkcs7-mime; smime-type=signed-data", "signed"),
    ],
)
def test_parse_12_what_is_signed_or_encrypted_is_named(kind: str, code: str) -> None:
    assert code in codes(read(f"Content-Type: {kind}; boundary=b\n\n--b\n\nx\n--b--"))


@pytest.mark.parametrize(
    "date",
    ["", "Date: yesterday\n", "Date: Fri, 20 Nov 2099 09:00:00 +0000\n", "Date: 1 Jan 1990 00:00\n"],
)
def test_parse_14_a_date_that_cannot_be_gives_way_to_the_servers(date: str) -> None:
    at = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    assert parse((HEAD + date + "\nx").encode(), at).date == at


def test_sec_5_nothing_of_a_mail_is_ever_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_given: object) -> None:
        raise AssertionError("a mail made the reader connect")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    html = (
        'Content-Type: text/html\n\n<link rel=stylesheet href="http://t.example/a.css"><style>@import "http://t.example";'
        '</style><img src="http://t.example/p.gif"><iframe src="http://t.example"></iframe><p>Ciao</p>'
    )
    outside = 'Content-Type: message/external-body; access-type=URL; URL="http://t.example/x"\n\nContent-ID: <x>'
    mail = read(parts("multipart/mixed", html, outside), HEAD + "List-Unsubscribe: <http://t.example/u>\n")
    assert mail.text.strip() == "Ciao"
    assert "external-body" in codes(mail)
