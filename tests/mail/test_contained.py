"""What lies inside a part: files of an attached mail, of certified mail, of what a signature encloses (PARSE-12)."""

from __future__ import annotations

from base64 import encodebytes

import pytest

from supportdesk.mail.contained import signed_content
from supportdesk.mail.forwarded import read_forward
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import cut_part, parse

SIGNED, DATA = bytes.fromhex("06092a864886f70d010702"), bytes.fromhex("06092a864886f70d010701")
HEAD = b"From: anna@customer.example\r\nDate: Fri, 20 Nov 2026 12:00:00 +0100\r\n"
LETTER = (
    b"Content-Type: multipart/mixed; boundary=I\r\n\r\n--I\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    b"Dov'\xc3\xa8 il mio pacco?\r\n--I\r\nContent-Type: application/pdf; name=ordine.pdf\r\n\r\n%PDF-1.7\r\n--I--\r\n"
)


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes((size,)) if size < 128 else bytes((0x82,)) + size.to_bytes(2, "big")
    return bytes((tag,)) + length + content


def endless(tag: int, content: bytes) -> bytes:
    """The same in BER, with a mark instead of a length."""
    return bytes((tag, 0x80)) + content + b"\0\0"


def signature(content: bytes | None) -> bytes:
    held = der(0xA0, der(0x04, content)) if content is not None else b""
    return der(0x30, SIGNED + der(0xA0, der(0x30, der(2, b"\1") + der(0x31, b"") + der(0x30, DATA + held))))


def streamed(content: bytes) -> bytes:
    pieces = b"".join(der(0x04, content[at : at + 100]) for at in range(0, len(content), 100))
    held = endless(0xA0, endless(0x24, pieces))
    algorithms = endless(0x31, der(0x30, b"\x05\0"))
    return endless(0x30, SIGNED + endless(0xA0, endless(0x30, der(2, b"\1") + algorithms + endless(0x30, DATA + held))))


def part(kind: str, content: bytes, name: str = "") -> bytes:
    named = f'; name="{name}"' if name else ""
    return (
        f"Content-Type: {kind}{named}\r\n".encode()
        + b"Content-Transfer-Encoding: base64\r\n\r\n"
        + encodebytes(content)
    )


def mixed(*parts: bytes) -> bytes:
    return (
        b"Content-Type: multipart/mixed; boundary=M\r\n\r\n"
        + b"".join(b"--M\r\n" + one + b"\r\n" for one in parts)
        + b"--M--\r\n"
    )


def listed(mail: ParsedMail) -> list[tuple[str, str, int]]:
    return [(one.part, one.name, one.size) for one in mail.attachments]


@pytest.mark.parametrize("enclose", [signature, streamed])
@pytest.mark.parametrize("kind", ["application/pkcs7-mime", "application/x-pkcs7-mime; smime-type=signed-data"])
def test_what_an_opaque_signature_encloses_is_the_mail(enclose, kind: str):
    raw = HEAD + part(kind, enclose(LETTER), "smime.p7m")
    read = parse(raw)
    assert read.text == "Dov'è il mio pacco?"
    assert listed(read)[1:] == [("1.p7m.2", "ordine.pdf", 8)]
    assert cut_part(raw, "1.p7m.2") == b"%PDF-1.7"
    assert [defect.code for defect in read.defects] == ["signed"], "and nobody is told that it is encrypted"


def test_what_is_encrypted_is_said_and_stays_a_file():
    enveloped = der(0x30, bytes.fromhex("06092a864886f70d010703") + der(0xA0, der(0x30, der(2, b"\1"))))
    read = parse(HEAD + part("application/pkcs7-mime", enveloped, "smime.p7m"))
    assert (read.text, [defect.code for defect in read.defects]) == ("", ["encrypted"])
    assert [one.name for one in read.attachments] == ["smime.p7m"]


def test_a_signed_document_is_listed_with_the_document_inside():
    raw = HEAD + mixed(
        b"\r\nIn allegato.", part("application/pkcs7-mime", signature(b"%PDF-1.7 contratto"), "contratto.pdf.p7m")
    )
    read = parse(raw)
    assert [(one.name, one.content_type) for one in read.attachments] == [
        ("contratto.pdf.p7m", "application/pkcs7-mime"),
        ("contratto.pdf", "application/pdf"),
    ]
    assert cut_part(raw, "2.p7m.1") == b"%PDF-1.7 contratto"
    assert read.text == "In allegato." and read.defects == ()


def test_the_files_inside_certified_mail_are_listed_and_can_be_saved():
    inner = b"From: Anna <anna@pec.example>\r\nSubject: reclamo\r\n" + LETTER
    raw = b"From: Per conto di: anna@pec.example <posta-certificata@gestore.example>\r\n"
    raw += b"X-Trasporto: posta-certificata\r\n"
    raw += mixed(
        b"\r\nMessaggio di posta certificata", b"Content-Type: message/rfc822; name=postacert.eml\r\n\r\n" + inner
    )
    read = parse(raw)
    assert listed(read) == [("2", "postacert.eml", len(inner)), ("2.eml.2", "ordine.pdf", 8)]
    assert cut_part(raw, "2.eml.2") == b"%PDF-1.7"
    assert read.fresh_text == "Dov'è il mio pacco?"
    assert "from-spoofed" not in {defect.code for defect in read.defects}, "the gateway says whom it speaks for"


def test_a_mail_that_is_forwarded_as_a_file_and_without_a_word_is_read():
    inner = b"From: Anna <anna@customer.example>\r\nSubject: Paket\r\n" + LETTER
    raw = b"From: Ben <ben@customer.example>\r\nSubject: Fwd: Paket\r\n"
    raw += mixed(b"\r\n", b"Content-Type: message/rfc822\r\n\r\n" + inner)
    read = parse(raw)
    assert read.text == "From: Anna <anna@customer.example>\nSubject: Paket\n\nDov'è il mio pacco?"
    assert [one.name for one in read.attachments] == ["Paket.eml", "ordine.pdf"]
    forward = read_forward(read)
    assert forward is not None and (forward.text, forward.note) == ("Dov'è il mio pacco?", "")


def test_what_a_report_returns_is_ours_and_not_opened():
    raw = b"Content-Type: multipart/report; report-type=delivery-status; boundary=M\r\n\r\n--M\r\n\r\nfailed\r\n--M\r\n"
    raw += b"Content-Type: message/rfc822\r\n\r\nSubject: ours\r\n" + LETTER + b"\r\n--M--\r\n"
    assert [one.name for one in parse(raw).attachments] == ["ours.eml"]


def test_signatures_in_mails_in_signatures_end():
    raw, deepest = LETTER, ""
    for _ in range(12):
        raw = part(
            "application/pkcs7-mime", signature(mixed(b"Content-Type: message/rfc822\r\n\r\n" + raw)), "smime.p7m"
        )
        deepest += "1.p7m.1.eml."
    assert len(parse(raw).attachments) < 12
    with pytest.raises(KeyError):
        cut_part(raw, deepest + "2")


@pytest.mark.parametrize("path", ["1.p7m.9", "1.p7m", "1.eml.1", "1.p7m.", "2.p7m.1", "1.p7m.2.uu.1"])
def test_what_is_not_inside_is_a_key_error(path: str):
    with pytest.raises(KeyError):
        cut_part(part("application/pkcs7-mime", signature(LETTER), "smime.p7m"), path)


def test_what_is_no_signed_content_is_none():
    whole = signature(LETTER)
    assert signed_content(whole) == LETTER and signed_content(streamed(LETTER)) == LETTER
    assert signed_content(encodebytes(whole)) == LETTER, "some programs encode it twice"
    assert signed_content(signature(None)) is None, "signed apart"
    for broken in (
        b"",
        b"0",
        b"0\x80",
        whole[:40],
        b"\x1f" * 50,
        b"0\x84\xff\xff\xff\xff",
        b"0\x80" * 5_000,
        b"M" * 99,
    ):
        assert signed_content(broken) is None
    for at in range(0, len(whole), 3):
        signed_content(whole[:at] + b"\x80" + whole[at + 1 :])


def test_what_is_too_large_to_be_held_twice_stays_closed():
    large = HEAD + part("application/pkcs7-mime", b"", "contratto.pdf.p7m") + b"QUJD" * (9 << 20)
    assert [one.name for one in parse(large).attachments] == ["contratto.pdf.p7m"]
    inner = b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n" + LETTER + b"x" * (33 << 20)
    assert [one.name for one in parse(HEAD + mixed(inner)).attachments] == ["x.eml"]
