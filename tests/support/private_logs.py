"""F07: whatever any test makes the desk log, at DEBUG and in the form of the real log, names nobody and quotes nothing.

A line that holds an address, a password of the test servers or what the tests' customers write fails the test.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import pytest

from supportdesk.cli.logs import JsonLines

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 4_000  # octets of a line: a body would be longer, a traceback's places are not
PRIVATE: Final = ("@", "Rosa Bianchi", "Dove \\u00e8 il mio ordine", "Il pacco arriva domani", "password=")


class Reader(logging.Handler):
    """Reads every line as the log would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.wrong: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if len(line) > LONGEST or any(words in line for words in PRIVATE):
            self.wrong.append(line)


@pytest.fixture(scope="session")
def _log_reader() -> Iterator[Reader]:
    reader, log = Reader(), logging.getLogger("supportdesk")
    before = log.level
    log.addHandler(reader)
    log.setLevel(logging.DEBUG)
    yield reader
    log.removeHandler(reader)
    log.setLevel(before)


@pytest.fixture(autouse=True)
def _private_log(_log_reader: Reader) -> Iterator[None]:
    _log_reader.wrong.clear()
    yield
    assert not _log_reader.wrong, "the log says who wrote, or what: " + "\n".join(_log_reader.wrong)
