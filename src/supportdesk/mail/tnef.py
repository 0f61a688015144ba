"""winmail.dat (MS-OXTNEF): the files and the text inside, in one pass over the stream, however long it says it is.

Only what a desk shows is read. A stream that breaks off gives what stood before the break, with a defect.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from supportdesk.mail.charset import decode
from supportdesk.mail.limits import MAX_CONTAINED_FILES, MAX_TEXT, DefectLog

_SIGNATURE = b"\x78\x9f\x3e\x22"
# Attributes (2.1.3.2): the low half of their ids.
_BODY, _FILE_DATA, _FILE_TITLE, _FILE_BEGINS = 0x800C, 0x800F, 0x8010, 0x9002
_PROPERTIES, _FILE_PROPERTIES, _CODE_PAGE = 0x9003, 0x9005, 0x9007
_OF_A_FILE = 2  # the level of an attribute
# Properties (MS-OXPROPS).
_TEXT, _PLAIN_TEXT, _HTML, _TEXT_CODE_PAGE = 0x1000, 0x3FD9, 0x1013, 0x3FDE
_DISPLAY_NAME, _FILE_OBJECT, _FILE_NAME, _LONG_FILE_NAME = 0x3001, 0x3701, 0x3704, 0x3707
_READ = frozenset(
    (_TEXT, _PLAIN_TEXT, _HTML, _TEXT_CODE_PAGE, _DISPLAY_NAME, _FILE_OBJECT, _FILE_NAME, _LONG_FILE_NAME)
)
_SIZES = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_LONG, _UNICODE = 0x03, 0x1F
_WITH_LENGTH = frozenset((0x00, 0x0D, 0x1E, _UNICODE, 0x102))
_MANY, _NAMED, _NAMED_BY_TEXT = 0x1000, 0x8000, 1
_MESSAGE_OBJECT = bytes.fromhex("0703020000000000c000000000000046")  # before an embedded message, itself a TNEF stream
_PAGES = {20127: "ascii", 20866: "koi8-r", 28591: "iso-8859-1", 50220: "iso-2022-jp", 65001: "utf-8"}
_MAX_DEFINITIONS = 20_000  # attributes of a stream, and properties of an attribute


@dataclass(frozen=True, slots=True)
class ContainedFile:
    """One file inside a winmail.dat."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    """What a winmail.dat holds; `text` and `html` are its body, "" when absent."""

    files: tuple[ContainedFile, ...] = ()
    text: str = ""
    html: str = ""


def looks_like_tnef(content_type: str, name: str) -> bool:
    return "tnef" in content_type or name.casefold().endswith(".dat")


def is_tnef(content_type: str, name: str, content: bytes) -> bool:
    return content[:4] == _SIGNATURE and (
        looks_like_tnef(content_type, name) or content_type == "application/octet-stream"
    )


def read_tnef(content: bytes, log: DefectLog) -> Contents:
    """The contents of a TNEF stream; what cannot be read is a defect and the original stays an attachment."""
    reading = _Reading()
    if content[:4] != _SIGNATURE:
        log.add("tnef", "signature")
        return Contents()
    try:
        for level, name, data in _attributes(content):
            reading.take(level, name, data)
    except (struct.error, ValueError) as error:
        log.add("tnef", str(error)[:80])
    return reading.contents()


@dataclass(slots=True)
class _File:
    """A file as far as its attributes have come; names by how good they are."""

    names: dict[int, str] = field(default_factory=dict)
    data: memoryview = field(default_factory=lambda: memoryview(b""))

    def done(self) -> ContainedFile:
        best = (_LONG_FILE_NAME, _FILE_TITLE, _FILE_NAME, _DISPLAY_NAME)
        return ContainedFile(next((self.names[one] for one in best if self.names.get(one)), ""), bytes(self.data))


@dataclass(slots=True)
class _Reading:
    files: list[_File] = field(default_factory=list)
    page: str = ""
    text_page: str = ""
    text: bytes | str = ""
    html: bytes | str = ""

    def take(self, level: int, name: int, data: memoryview) -> None:
        if name == _FILE_BEGINS:
            if len(self.files) >= MAX_CONTAINED_FILES:
                raise ValueError("too many files")
            self.files.append(_File())
        elif level == _OF_A_FILE and self.files:
            self._take_of_file(self.files[-1], name, data)
        elif name == _CODE_PAGE:
            self.page = _page(struct.unpack_from("<I", data)[0])
        elif name == _BODY:
            self.text = bytes(data[:MAX_TEXT])
        elif name == _PROPERTIES:
            for one, kind, value in _properties(data):
                if one == _TEXT_CODE_PAGE and kind == _LONG:
                    self.text_page = _page(struct.unpack_from("<I", value)[0])
                elif one in (_TEXT, _PLAIN_TEXT):
                    self.text = _value(kind, value)
                elif one == _HTML:
                    self.html = _value(kind, value)

    def _take_of_file(self, file: _File, name: int, data: memoryview) -> None:
        if name == _FILE_DATA:
            file.data = data
        elif name == _FILE_TITLE:
            file.names[_FILE_TITLE] = self._words(bytes(data[:1_000]))
        elif name == _FILE_PROPERTIES:
            for one, kind, value in _properties(data):
                if one == _FILE_OBJECT:
                    file.data = value[16:] if value[:16] == _MESSAGE_OBJECT else value
                elif one in (_LONG_FILE_NAME, _FILE_NAME, _DISPLAY_NAME):
                    file.names[one] = self._words(_value(kind, value[:1_000]))

    def contents(self) -> Contents:
        files = tuple(file.done() for file in self.files)
        return Contents(files, self._words(self.text, self.text_page), self._words(self.html, self.text_page))

    def _words(self, value: bytes | str, page: str = "") -> str:
        if isinstance(value, bytes):
            value = decode(value.rstrip(b"\0"), page or self.page).text
        return value.rstrip("\0").replace("\0", "\ufffd")


def _attributes(content: bytes) -> Iterator[tuple[int, int, memoryview]]:
    """Level, name and data of each attribute of a stream; ValueError where it breaks off."""
    view, at = memoryview(content), 6
    for _ in range(_MAX_DEFINITIONS):
        if at + 9 > len(view):
            return
        level, name, _kind, size = struct.unpack_from("<BHHI", view, at)
        if level not in (1, _OF_A_FILE):
            return  # what follows the last attribute is not ours
        if at + 9 + size > len(view):
            raise ValueError("an attribute breaks off")
        yield level, name, view[at + 9 : at + 9 + size]
        at += 9 + size + 2
    raise ValueError("too many attributes")


def _properties(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Id, type and first value of each property that is of use here; ValueError where they break off."""
    (count,) = struct.unpack_from("<I", data)
    at = 4
    for _ in range(min(count, _MAX_DEFINITIONS)):
        kind, name = struct.unpack_from("<HH", data, at)
        at += 4
        if name >= _NAMED:
            at = _after_name(data, at)
        many, kind = kind & _MANY, kind & ~_MANY
        size = _SIZES.get(kind)
        values = 1
        if many or size is None:
            (values,) = struct.unpack_from("<I", data, at)
            at += 4
        if size is not None:
            first, at = data[at : at + size], at + size * values
        elif kind in _WITH_LENGTH:
            first = data[:0]
            for number in range(values):
                (length,) = struct.unpack_from("<I", data, at)
                first = data[at + 4 : at + 4 + length] if number == 0 else first
                at += 4 + length + -length % 4
        else:
            raise ValueError(f"a property of type {kind:#06x}")
        if at > len(data) + 3:  # the padding of the last one may be missing
            raise ValueError("a property breaks off")
        if name in _READ:
            yield name, kind, first


def _after_name(data: memoryview, at: int) -> int:
    """Where the value of a property begins that has a name of its own: a set (GUID), and a number or a text."""
    (kind,) = struct.unpack_from("<I", data, at + 16)
    (number,) = struct.unpack_from("<I", data, at + 20)
    return at + 24 + (number + -number % 4 if kind == _NAMED_BY_TEXT else 0)


def _value(kind: int, value: memoryview) -> bytes | str:
    octets = bytes(value[:MAX_TEXT])
    return octets.decode("utf-16-le", "replace") if kind == _UNICODE else octets


def _page(number: int) -> str:
    return _PAGES.get(number) or (f"cp{number}" if number <= 1258 else "")
