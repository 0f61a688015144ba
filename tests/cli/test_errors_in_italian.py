"""What goes wrong is told in the agent's language, whichever room of the program found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.databases import Database
    from tests.support.desk import House


@pytest.fixture(params=["sqlite"])
def database(database: Database) -> Database:
    """The words are the same on each kind: one will do."""
    return database


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ticket", "show", "4711"), 4, "il ticket 4711 non esiste"),
        (("--config", "/nope.toml", "status"), 2, "/nope.toml: il file non esiste"),
        (("--database", "mongo://x", "status"), 2, "non è un database che supportdesk conosce"),
        (("--database", "/nope/desk.db", "ticket", "list"), 4, "non c'è nessun desk"),
        (("restore", "/nope.db", "--yes"), 1, "il backup /nope.db non esiste"),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, tuple) else "",
)
def test_errors_of_the_store_and_the_settings_are_italian(
    shop: House, supportdesk: Run, arguments: tuple[str, ...], code: int, said: str
) -> None:
    told = supportdesk("--language", "it", *arguments)
    assert (told.code, said in told.err) == (code, True), told.err
