"""Values between Python and the two databases, by kind of column: times, JSON, flags, bytes. No SQLAlchemy."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final


def time_to_text(value: datetime) -> str:
    """The fixed-width form of an aware time in SQLite, so that text order is time order."""
    if value.tzinfo is None:
        raise ValueError(f"a naive time must not reach the database: {value!r}")
    return _utc_text(value if value.tzinfo is UTC else value.astimezone(UTC))


@lru_cache(maxsize=256)  # a transaction writes the same few moments over and over
def _utc_text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def to_time(value: Any) -> datetime | None:
    """A time column of either database as an aware UTC time."""
    if value is None:
        return None
    return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


def to_json_text(value: Any) -> str:
    return _write_json(value)


_write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def clean_text(value: str) -> str:
    """Text that both databases take: without NUL and lone surrogates (architecture.md, rule 13)."""
    if "\0" in value:
        value = value.replace("\0", "")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def _to_text(value: Any) -> Any:
    return clean_text(value) if isinstance(value, str) else value


def _to_aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError(f"a naive time must not reach the database: {value!r}")
    return value


def _to_json(value: Any) -> str:
    return clean_text(to_json_text(value))


ENCODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "text": _to_text,
    "int": lambda value: value if value is None else int(value),
    "flag": lambda value: value if value is None else bool(value),
    "time": _to_aware,
    "json": _to_json,
    "bytes": lambda value: value,
}
"""From a Python value to a parameter; the connection turns times into its own form."""

DECODERS: Final[dict[str, Callable[[Any], Any] | None]] = {
    "text": None,
    "int": None,
    "flag": lambda value: value if value is None else bool(value),
    "time": to_time,
    "json": lambda value: None if value is None else json.loads(value),
    "bytes": lambda value: value if value is None else bytes(value),
}
"""From a column's raw value to a Python value; None where it is one already."""


def to_plain(kind: str, value: Any) -> Any:
    """A column's value as plain JSON, for the event detail; `from_plain` gives it back."""
    if value is None:
        return None
    if kind == "time":
        return time_to_text(value)
    if kind == "bytes":
        return base64.b64encode(value).decode()
    return value


def from_plain(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "time":
        return datetime.fromisoformat(value)
    if kind == "bytes":
        return base64.b64decode(value)
    return value
