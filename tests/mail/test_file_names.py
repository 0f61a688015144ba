"""File names (reliability.md C07): whatever a sender calls a file, it is a name and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supportdesk.mail.params import is_disguised, safe_file_name
from supportdesk.mail.parse import parse
from tests.fuzz.names import HOSTILE, PIECES, fault, names

PIECES_OF_NAMES = st.sampled_from(PIECES)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_made_safe(name: str) -> None:
    assert fault(name) == ""


@settings(max_examples=3_000, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(PIECES_OF_NAMES, max_size=40).map("".join)))
def test_any_name_is_made_safe_and_stays_as_it_is_then(name: str) -> None:
    """SEC-3, C07; `./desk fuzz --names 1000000` asks for many more."""
    assert fault(name) == ""


def test_the_names_of_the_fuzzer_are_safe() -> None:
    listed = list(names(7, range(3_000)))
    assert listed == list(names(7, range(3_000)))
    assert len(set(listed)) > 2_500
    assert [name for name in listed if fault(name)] == []


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
    assert fault(attachment.name) == ""
    assert safe_file_name(attachment.name) == attachment.name


@pytest.mark.parametrize(
    "name",
    [
        "Rechnung\u202efdp.exe",
        "ordine.pdf.exe",
        "foto.jpg          .scr",
        "fattura.docx.js",
        "A.PDF.Exe.",
        "x.\u200bpdf.bat",
    ],
)
def test_sec_3_a_program_in_disguise_is_named(name: str) -> None:
    assert is_disguised(name)
    raw = f'Content-Type: application/octet-stream; name="{name}"\n\nMZ'.encode()
    (defect,) = (one for one in parse(raw).defects if one.code == "file-disguised")
    assert "\u202e" not in defect.detail


@pytest.mark.parametrize(
    "name", ["a.pdf", "setup.exe", "v1.2.exe", "a.tar.gz", "\u202ea.pdf", "report.2026.pdf", ".exe", ""]
)
def test_sec_3_an_ordinary_name_is_no_disguise(name: str) -> None:
    assert not is_disguised(name)
