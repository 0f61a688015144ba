"""Column types that behave the same on SQLite and Postgres: times, JSON, enums as text.

SQLite keeps a time as `YYYY-MM-DDTHH:MM:SS.ffffffZ` (fixed width, so that text order is time order), Postgres as
`timestamptz`. JSON is text on both: it is never searched inside.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Dialect, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine

from supportdesk.store import values


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time to the microsecond."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True, precision=6))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return value if value is None or dialect.name == "postgresql" else values.time_to_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return values.to_time(value)


class Json(TypeDecorator[Any]):
    """A small JSON value, stored as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return values.to_json_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """A named CHECK that keeps a text column to its enum."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
