"""What transactions made of the rows that the whole team shares, for as long as those rows stay as they are.

Settings, mailboxes, calendars and their like are few and hardly ever change, and every mail needs them. A transaction
reads them as one statement's text; where the text is that of an earlier transaction, so is everything that was made of
them. Nothing has to be told when a row changes, by whomever: another text is another answer.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final

from supportdesk.store.columns import table
from supportdesk.store.connect import Connection

Wording = tuple[tuple[Any, ...], ...]

SHARED_TABLES: Final = ("setting", "mailbox", "calendar", "market", "signing_key", "agent")
GROWING_TABLES: Final = ("sla_snapshot",)
"""Rows are added and never changed: how many there are says whether they are the same."""

REMEMBERED_TABLES: Final = frozenset((*SHARED_TABLES, *GROWING_TABLES))
"""What `Transaction.remember` may be a function of, and of nothing else."""


class Remembered:
    """The newest wording of the shared rows that a store has seen, with what was made of it. For any thread."""

    def __init__(self) -> None:
        self._newest: tuple[Wording, dict[Hashable, Any]] = (), {}

    def of(self, wording: Wording) -> dict[Hashable, Any]:
        """What is known of rows that read so; the caller's own to add to."""
        known, made = self._newest
        return dict(made) if known == wording else {}

    def keep(self, wording: Wording, made: dict[Hashable, Any]) -> None:
        self._newest = wording, dict(made)


def read_shared_rows(connection: Connection) -> Wording:
    """All shared rows as text, as the caller's transaction sees them; one statement."""
    return tuple(connection.execute(wording_statement(connection.is_postgres)))


@lru_cache(maxsize=2)
def wording_statement(is_postgres: bool) -> str:
    """The statement that reads every column of every shared row."""
    pieces = [f'SELECT {at}, {_row_text(name, is_postgres)} FROM "{name}"' for at, name in enumerate(SHARED_TABLES)]
    pieces += [
        f"SELECT {at}, CAST(coalesce(max(id), 0) AS text) || ' ' || CAST(count(*) AS text) FROM \"{name}\""
        for at, name in enumerate(GROWING_TABLES, start=len(SHARED_TABLES))
    ]
    return " UNION ALL ".join(pieces)


def _row_text(name: str, is_postgres: bool) -> str:
    if is_postgres:
        return f'CAST("{name}" AS text)'
    return " || ' ' || ".join(f'quote("{column}")' for column in table(name).kinds)
