"""RFC 2047, charsets, parameters, addresses and dates: tables of octets and what they mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from supportdesk.mail.addresses import parse_addresses
from supportdesk.mail.charset import decode
from supportdesk.mail.dates import parse_date
from supportdesk.mail.params import parse_parameters, safe_file_name
from supportdesk.mail.transfer import decode_base64, decode_quoted_printable
from supportdesk.mail.words import decode_unstructured


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?ISO-8859-1?B?R3L832U=?=", "Grüße"),
        ("=?utf-8?b?R3LDvMOfZQ?=", "Grüße"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("x=?utf-8?q?a?=y", "xay"),
        ("=?utf-8*de?q?a_b?=", "a b"),
        ("=?utf-8?q?with raw spaces?=", "with raw spaces"),
        ("=?no-such?q?abc?=", "abc"),
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a  Bcc: x"),
        ("=?utf-8?q?never closed", "never closed"),
        ("=?utf-8?q?broken =?utf-8?q?mended?=", "brokenmended"),
        ("=?iso-8859-1?Q?ganci_e_viti_=E8_pronta and prose", "ganci e viti è pronta and prose"),
        ("Re: =?utf-8?b?R3LDvMOfZQ", "Re: Grüße"),
        ("=?utf-8?b?YQ==?==?utf-8?b?Yg==?=", "ab"),
        ("=?utf-8?q?", ""),
        ("=?iso-2022-jp?b?GyRCJDMkcxsoQg==?=", "こん"),
        ("=?utf-7?q?+2AA-x?=", "�x"),
        ("=?utf-8?Q?=3D=3Futf-8=3FQ=3FR=3DC3=3DBCckgabe=3F=3D?=", "Rückgabe"),
        ("=?utf-8?Q?a_=3D=3Futf-8=3FQ=3FR=3F=3D?=", "a =?utf-8?Q?R?="),
        (b"R\xfcckgabe f\xc3\xbcr Gr\xf6\xdfe".decode("latin-1"), "Rückgabe für Größe"),
        (b"Gr\xc3\xbc\xc3\x9fe".decode("latin-1"), "Grüße"),
        ("a\x1b]52;x\x07b\x00", "a]52;xb"),
    ],
)
def test_encoded_words(value: str, text: str):
    assert decode_unstructured(value) == text


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        (b"Gr\xfc\xdfe", "iso-8859-1", "Grüße"),
        (b"\x93quoted\x94 \x80", "iso-8859-1", "“quoted” €"),
        ("Grüße".encode(), "iso-8859-1", "Grüße"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "", "Grüße"),
        ("안녕하세요".encode("cp949"), "ks_c_5601-1987", "안녕하세요"),
        ("你好，世界".encode("gb18030"), "gb2312", "你好，世界"),
        ("①ツール".encode("cp932"), "shift_jis", "①ツール"),
        ("ツール".encode("cp932"), "iso-2022-jp", "ツール"),
        ("退貨碁".encode("cp950"), "big5", "退貨碁"),
        ("退貨啫".encode("big5hkscs"), "big5", "退貨啫"),
        ("ツール".encode("iso-2022-jp"), "", "ツール"),
        (b"\x1b(I\x4a\x5d\x36\x38\x1b(B \x1b$B-!-j\x1b(B", "iso-2022-jp", "ﾊﾝｶｸ ①㈱"),
        (b"\x1b$B$3$s\x1b(B\n\x1b$B-!\x1b(B", "", "こん\n①"),
        (b"\x1b$B$3$s \x1b(x", "", "\x1b$B$3$s \x1b(x"),
        (b"+AGE-", "utf-8", "+AGE-"),
        (b"+AOQ-", "unicode-1-1-utf-7", "ä"),
        (b"a\x00b", "utf-8", "a\ufffdb"),
        (b"\xff broken", "utf-8", "\ufffd broken"),
        (b"\\u0041", "unicode_escape", "\\u0041"),
    ],
)
def test_charsets(data: bytes, declared: str, text: str):
    assert decode(data, declared).text == text


def test_what_was_replaced_is_counted():
    decoded = decode(b"only one \xff here, the rest is fine \xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", "utf-8")
    assert (decoded.charset, decoded.replaced) == ("utf-8", 1)


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        ('attachment; filename="a b.pdf"', "filename", "a b.pdf"),
        ("attachment; filename=a b.pdf; size=3", "filename", "a b.pdf"),
        ("attachment; filename*=utf-8''na%C3%AFve.txt", "filename", "naïve.txt"),
        ("attachment; filename*0*=utf-8''na%C3; filename*1*=%AFve; filename*2=.txt", "filename", "naïve.txt"),
        ("attachment; filename*1=b; filename*0=a", "filename", "ab"),
        ("attachment; filename=x.txt; filename*=utf-8''y.txt", "filename", "y.txt"),
        ('attachment; filename="=?utf-8?q?na=C3=AFve?=.txt"', "filename", "naïve.txt"),
        ('attachment; filename="C:\\temp\\a.txt"', "filename", "C:\\temp\\a.txt"),
        ('attachment; filename="a\\"b.txt"', "filename", 'a"b.txt'),
        ('attachment; filename="unclosed.txt; size=3', "filename", "unclosed.txt"),
        (b"attachment; filename=na\xefve.txt".decode("latin-1"), "filename", "naïve.txt"),
        ("text/plain; charset=us-ascii (Plain text)", "charset", "us-ascii"),
        ("text/plain;; charset=utf-8", "charset", "utf-8"),
    ],
)
def test_parameters(value: str, name: str, text: str):
    assert parse_parameters(value)[1][name] == text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\a.exe", "a.exe"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("con.txt", "_con.txt"),
        ("in\u202etxt.exe", "intxt.exe"),
        ("a\x00b\x1b.txt", "ab.txt"),
        ("...", ""),
        ("ä" * 200 + ".pdf", "ä" * 73 + ".pdf"),
    ],
)
def test_file_names_are_safe_to_save_under(name: str, safe: str):
    assert safe_file_name(name) == safe
    assert len(safe_file_name(name).encode()) <= 150


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("A B <a@B.Example>", [("A B", "a@b.example")]),
        ('"B, A" <a@b.example>, c@d.example', [("B, A", "a@b.example"), ("", "c@d.example")]),
        ("=?utf-8?q?M=C3=BCller=2C_A?= <a@b.example>", [("Müller, A", "a@b.example")]),
        ("=?utf-8?Q?Müller, A?= <a@b.example>".encode().decode("latin-1"), [("Müller, A", "a@b.example")]),
        ("a@b.example (A B)", [("A B", "a@b.example")]),
        ("(c(nested)) a@b.example", [("c(nested)", "a@b.example")]),
        ("Team: a@b.example, C <c@d.example>;", [("", "a@b.example"), ("C", "c@d.example")]),
        ("undisclosed-recipients:;", []),
        ("<@relay.example,@other.example:a@b.example>", [("", "a@b.example")]),
        ("A B a@b.example", [("A B", "a@b.example")]),
        ("A <a@b.example, C <c@d.example>", [("A", "a@b.example"), ("C", "c@d.example")]),
        ("a@b.example,,, ,", [("", "a@b.example")]),
        ('"odd local"@b.example', [("", '"odd local"@b.example')]),
        ('"unclosed <a@b.example>', [("unclosed", "a@b.example")]),
        ("<<a@b.example>>", [("", "a@b.example")]),
        ("mailto:a@b.example", [("", "a@b.example")]),
        ("nobody", []),
        ("", []),
        ("李 <a@例え.example>".encode().decode("latin-1"), [("李", "a@例え.example")]),
    ],
)
def test_addresses(value: str, expected: list[tuple[str, str]]):
    assert [(one.name, one.addr) for one in parse_addresses(value)] == expected


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Fri, 20 Nov 2026 12:00:00 +0100", datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("20 Nov 26 12:00 EST", datetime(2026, 11, 20, 17, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 12:00:00 GMT (comment)", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("Fri Nov 20 12:00:00 2026", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T12:00:00+01:00", datetime(2026, 11, 20, 11, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 01:00:00 PM -0500", datetime(2026, 11, 20, 18, tzinfo=UTC)),
        ("Thursday, April 09, 2003 9:00 AM", datetime(2003, 4, 9, 9, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 23:59:60 +0000", datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)),
        ("Fri, 31 Feb 2026 12:00:00 +0000", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(value: str, moment: datetime | None):
    assert parse_date(value) == moment


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"aGVsbG8=", b"hello"),
        (b"aGVsbG8", b"hello"),
        (b"aGVs\r\n !bG8=\r\n", b"hello"),
        (b"aGVsbG8=\r\n--\r\nlist footer", b"hello"),
        (b"aGVsbG8hX", b"hello!"),
        (b"", b""),
    ],
)
def test_base64(data: bytes, content: bytes):
    assert decode_base64(data) == content


def test_base64_in_pieces_is_the_same_as_at_once():
    from base64 import encodebytes

    content = bytes(range(256)) * 12_000
    assert decode_base64(encodebytes(content)) == content


@pytest.mark.parametrize(
    ("data", "content"),
    [(b"a=3Db", b"a=b"), (b"soft=  \r\nbreak", b"softbreak"), (b"bad=ZZ", b"bad=ZZ"), (b"end=", b"end")],
)
def test_quoted_printable(data: bytes, content: bytes):
    assert decode_quoted_printable(data) == content
