"""File names (reliability.md C07): whatever a sender calls a file, it is a name and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.mail.params import safe_file_name
from supportdesk.mail.parse import parse

HOSTILE = (
    "../../etc/passwd", "..\\..\\boot.ini", "/etc/shadow", "C:\\autoexec.bat", "a\0b.pdf", "a\r\nX: y.pdf",
    "\x1b]52;c;x\x07.txt", "\u202egpj.exe", "invoice\u202efdp.exe", "-rf", "--help", ".bashrc", "...", "..", ".",
    " ", "", "CON", "nul.txt", "com1.log", "a" * 400 + ".pdf", "\u00e9" * 200 + ".jpeg", "x." + "y", "a/b/c.txt",
    "a\u200bb\u200d.txt", "\ufeffx.txt", "file\u2028name.txt", "e\u0301.txt", "x:stream.txt", ".-. a",
    "/..\u200b/x", "\u200b.hidden", "\u202e-rf", "aux .txt", "a.txt. . .",
)  # fmt: skip
PIECES = st.sampled_from(
    [
        "/",
        "\\",
        "..",
        ".",
        "-",
        ":",
        "\0",
        "\n",
        "\u202e",
        "\u200b",
        "\ufeff",
        "\x1b[",
        " ",
        "con",
        "a",
        "é",
        "日本",
        ".pdf",
    ]
)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_made_safe(name: str) -> None:
    assert_safe(safe_file_name(name))


@settings(max_examples=3_000, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join)))
def test_any_name_is_made_safe_and_stays_as_it_is_then(name: str) -> None:
    """SEC-3, C07."""
    safe = safe_file_name(name)
    assert_safe(safe)
    assert safe_file_name(safe) == safe


def test_the_extension_of_a_long_name_is_kept() -> None:
    assert safe_file_name("r\u00e9ponse " * 60 + ".pdf").endswith(".pdf")


@pytest.mark.parametrize("name", HOSTILE)
def test_an_attachment_has_a_safe_name_however_it_is_called(name: str) -> None:
    octets = "".join(f"%{octet:02X}" for octet in name.encode())
    raw = (
        b"Content-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''%s\n\nx\n" % octets.encode()
    )
    (attachment,) = parse(raw).attachments
    assert attachment.name
    assert_safe(attachment.name)


def assert_safe(name: str) -> None:
    assert not set(name) & set("/\\:\0\r\n")
    assert not name.startswith((".", "-", " "))
    assert name not in ("..", ".")
    assert len(name.encode("utf-8", "surrogatepass")) <= 150
    assert not [char for char in name if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")], ascii(
        name
    )
    assert name.partition(".")[0].strip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT1"}
