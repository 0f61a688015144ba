"""winmail.dat: what is in it comes out exactly, and no count in it is believed."""

from __future__ import annotations

import struct

import pytest

from supportdesk.mail.limits import MAX_CONTAINED_FILES, DefectLog
from supportdesk.mail.tnef import ContainedFile, Contents, read_tnef

HEAD = b"\x78\x9f\x3e\x22\x01\x00"
MANY = 0xFFFFFFFF


def attribute(level: int, name: int, data: bytes) -> bytes:
    return struct.pack("<BHHI", level, name, 6, len(data)) + data + b"\0\0"


def text_property(name: int, text: str, kind: int = 0x1F) -> bytes:
    octets = f"{text}\0".encode("utf-16-le") if kind == 0x1F else f"{text}\0".encode("cp1252")
    return struct.pack("<HHII", kind, name, 1, len(octets)) + octets + b"\0" * (-len(octets) % 4)


def properties(*given: bytes, count: int | None = None) -> bytes:
    return struct.pack("<I", len(given) if count is None else count) + b"".join(given)


def read(*attributes: bytes) -> tuple[Contents, list[str]]:
    log = DefectLog()
    return read_tnef(HEAD + b"".join(attributes), log), [one.detail for one in log.result()]


FILE = attribute(2, 0x9002, b"") + attribute(2, 0x8010, b"ORDINE~1.PDF\0") + attribute(2, 0x800F, b"%PDF\0\0")


def test_a_file_has_its_long_name_and_all_its_octets() -> None:
    named = attribute(2, 0x9005, properties(text_property(0x3707, "Ordine n° 7.pdf")))
    assert read(FILE, named) == (Contents((ContainedFile("Ordine n° 7.pdf", b"%PDF\0\0"),)), [])


def test_the_text_of_the_mail_is_read_by_its_code_page_or_as_unicode() -> None:
    page = attribute(1, 0x9007, struct.pack("<II", 1252, 0))
    assert read(page, attribute(1, 0x800C, "Perché?\0".encode("cp1252")))[0].text == "Perché?"
    both = attribute(
        1, 0x9003, properties(text_property(0x1000, "Perché?"), text_property(0x1013, "<p>Ciao</p>", 0x1E))
    )
    assert read(both)[0] == Contents((), "Perché?", "<p>Ciao</p>")


def test_an_embedded_message_is_a_file_without_the_sign_before_it() -> None:
    inner = bytes.fromhex("0703020000000000c000000000000046") + HEAD
    data = struct.pack("<HHII", 0x0D, 0x3701, 1, len(inner)) + inner + b"\0\0"
    contents, defects = read(attribute(2, 0x9002, b""), attribute(2, 0x9005, properties(data)))
    assert (contents.files, defects) == ((ContainedFile("", HEAD),), [])


@pytest.mark.parametrize(
    "hostile",
    [
        attribute(1, 0x9003, properties(count=MANY)),
        attribute(1, 0x9003, properties(text_property(0x3FFF, "x") * 9, count=MANY)),
        attribute(1, 0x9003, properties(struct.pack("<HHI", 0x1003, 0x3FFF, MANY) + b"\0" * 64)),
        attribute(1, 0x9003, properties(struct.pack("<HHI", 0x101E, 0x3FFF, MANY) + b"\0" * 4_000)),
        attribute(1, 0x9003, properties(struct.pack("<HHII", 0x1E, 0x1000, 1, MANY))),
        attribute(1, 0x9003, properties(struct.pack("<HH16xII", 0x1E, 0x8001, 1, MANY))),
        attribute(1, 0x9003, properties(struct.pack("<HHI", 0x77, 0x1000, 1))),
        attribute(1, 0x9003, b"\x01"),
        struct.pack("<BHHI", 1, 0x800C, 6, MANY) + b"Ciao",
        attribute(1, 0x8000, b"") * 30_000,
        attribute(2, 0x9002, b"") * (MAX_CONTAINED_FILES + 1),
    ],
)
def test_sec_4_no_count_in_a_stream_is_believed_and_what_stood_before_it_is_kept(hostile: bytes) -> None:
    contents, defects = read(FILE, hostile)
    assert contents.files[0] == ContainedFile("ORDINE~1.PDF", b"%PDF\0\0")
    assert len(defects) == 1


def test_what_follows_the_last_attribute_and_what_is_no_stream_are_no_files() -> None:
    assert read(FILE, b"\xff" * 40)[0] == read(FILE)[0]
    log = DefectLog()
    assert read_tnef(b"PK\x03\x04", log) == Contents()
    assert [one.code for one in log.result()] == ["tnef"]
