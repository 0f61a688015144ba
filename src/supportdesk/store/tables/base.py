"""What all table modules share: the metadata with its naming convention, and the kinds of columns."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Integer, MetaData, Text, text
from sqlmodel import Field, SQLModel

from supportdesk.store.types import Json, UtcTime

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(SQLModel):
    """The base of all tables: one metadata with one naming convention."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over the rows that meet `where`; a query must repeat that condition word for word to use it."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def identity() -> Any:
    return Field(default=None, sa_column=Column(Integer, Identity(), primary_key=True))


def reference(target: str, *, nullable: bool = True, index: bool = False, key: bool = False) -> Any:
    return Field(
        default=None,
        sa_column=Column(Integer, ForeignKey(target), nullable=nullable and not key, index=index, primary_key=key),
    )


def words(default: str = "") -> Any:
    return Field(default=default, sa_type=Text, sa_column_kwargs={"server_default": default})


def column(name: str) -> Any:
    """A text column whose name SQLModel keeps for itself as an attribute."""
    return Field(default="", sa_column=Column(name, Text, nullable=False, server_default=""))


def number(default: int = 0) -> Any:
    return Field(default=default, sa_column_kwargs={"server_default": text(str(default))})


def big(default: int | None = 0) -> Any:
    """Sizes and IMAP's unsigned 32-bit numbers, which do not fit Postgres' integer."""
    if default is None:
        return Field(default=None, sa_type=BigInteger)
    return Field(default=default, sa_type=BigInteger, sa_column_kwargs={"server_default": text(str(default))})


def flag(default: bool = False) -> Any:
    return Field(default=default, sa_column_kwargs={"server_default": text("true" if default else "false")})


def time(*, nullable: bool = True) -> Any:
    return Field(default=None, sa_type=UtcTime, nullable=nullable)


def json(default: str = "{}") -> Any:
    return Field(default=None, sa_column=Column(Json, nullable=False, server_default=default))


AUTOINCREMENT = {"sqlite_autoincrement": True}
