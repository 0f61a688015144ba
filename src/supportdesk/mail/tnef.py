"""winmail.dat (MS-OXTNEF): the files and the text inside, read by tnefparse under our own limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from supportdesk.mail.charset import decode, storable
from supportdesk.mail.limits import MAX_CONTAINED_FILES, DefectLog

_SIGNATURE = b"\x78\x9f\x3e\x22"


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
    from tnefparse import TNEF

    try:
        stream: Any = TNEF(content, do_checksum=False)
        files = tuple(
            ContainedFile(_name(file), bytes(file.data or b"")) for file in stream.attachments[:MAX_CONTAINED_FILES]
        )
        return Contents(files, _text(stream.body), _text(stream.htmlbody))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - on damaged streams the library raises anything, even NameError
        log.add("tnef", type(error).__name__)
        return Contents()


def _name(file: Any) -> str:
    try:
        return _text(file.long_filename() or file.name)
    except (UnicodeError, AttributeError, TypeError, IndexError, KeyError):
        return ""


def _text(value: object) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        return decode(value.rstrip(b"\0")).text
    return storable(value.rstrip("\0")) if isinstance(value, str) else ""
