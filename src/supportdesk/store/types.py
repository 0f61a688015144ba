"""Column types that behave the same on SQLite and Postgres: times, JSON, enums as text.

SQLite keeps a time as `YYYY-MM-DDTHH:MM:SS.ffffffZ` (fixed width, so that text order is time order), Postgres as
`timestamptz`. JSON is text on both: it is never searched inside.
"""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Dialect, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine


def time_to_text(value: datetime) -> str:
    """The fixed-width form of an aware time in SQLite."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time to the microsecond."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True, precision=6))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time must not reach the database: {value!r}")
        return value if dialect.name == "postgresql" else time_to_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value.astimezone(UTC) if value is not None else None
        return datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A small JSON value, stored as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A named CHECK that keeps a text column to its enum."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
