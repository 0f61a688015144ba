"""The worker's log: text or JSON lines, without addresses, and at most one line a minute for the same cause.

An address becomes `<addr:1f2e3d4c>`: the same one each time, so that lines about one person can be found together by
whoever knows the address, and by nobody else.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Final, TextIO

from supportdesk.safetext import safe

QUIET_SECONDS: Final = 60.0
ADDRESS: Final = re.compile(r"[^\s<>()\[\]{},;:\"'=]+@[^\s<>()\[\]{},;:\"']+")
OTHERS: Final = ("imapclient", "asyncio", "aiosmtplib", "alembic", "sqlalchemy", "psycopg")
"""Libraries whose own lines quote addresses and subjects."""


def set_up(*, verbose: bool, as_json: bool) -> None:
    """Log to stderr from here on."""
    handler = Lines(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else TextLines())
    handler.addFilter(OncePerMinute())
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.DEBUG if verbose else logging.INFO)
    for name in OTHERS:
        logging.getLogger(name).setLevel(logging.ERROR)


def hide_addresses(text: str) -> str:
    """Every mail address in the text as a short hash of itself."""
    return ADDRESS.sub(_hashed, text) if "@" in text else text


class Lines(logging.StreamHandler[TextIO]):
    """A line that cannot be written, on a full disk, is left out.

    The standard library would write its own words about that, and with them the line's values as they are.
    """

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 — the name is logging's
        pass


class OncePerMinute(logging.Filter):
    """Lets a warning or an error of the same place and about the same thing through once a minute, then counts."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[tuple[str, object, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        record.__dict__["more"] = 0
        if record.levelno < logging.WARNING:
            return True
        first = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        cause, now = (record.name, record.msg, str(first)), time.monotonic()
        since, more = self._heard.get(cause, (-QUIET_SECONDS, 0))
        if now - since < QUIET_SECONDS:
            self._heard[cause] = since, more + 1
            return False
        self._heard[cause] = now, 0
        record.__dict__["more"] = more
        return True


class TextLines(logging.Formatter):
    """`2026-11-21T18:02:11Z WARNING words`, and where a failure happened below it, without its values."""

    def format(self, record: logging.LogRecord) -> str:
        left_out = getattr(record, "more", 0)
        more = f" (and {left_out} more like it)" if left_out else ""
        lines = [f"{_at(record)} {record.levelname} {_words(record)}{more}", *_places(record)]
        return "\n  ".join(lines)


class JsonLines(logging.Formatter):
    """One object a line: at, level, logger, thread, id of the cause, words, more (left out since), places."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "at": _at(record), "level": record.levelname.lower(), "logger": record.name,
                "thread": record.threadName, "cause": _hash(f"{record.name} {record.msg}"), "words": _words(record),
                "more": getattr(record, "more", 0), "places": _places(record),
            },
            ensure_ascii=True,
        )  # fmt: skip


def _at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _words(record: logging.LogRecord) -> str:
    return hide_addresses(safe(record.getMessage()))


def _places(record: logging.LogRecord) -> list[str]:
    """File, line and function of a traceback, and the kind of the error: its words may quote a row."""
    if not record.exc_info or record.exc_info[1] is None:
        return []
    import traceback

    frames = traceback.extract_tb(record.exc_info[2])
    return [*(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames), type(record.exc_info[1]).__name__]


def _hashed(found: re.Match[str]) -> str:
    return f"<addr:{_hash(found[0].casefold())}>"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
