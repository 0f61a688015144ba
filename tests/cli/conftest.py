"""A furnished desk on each kind of database, and the command line run on it in this process."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from unittest import mock

import pytest

from supportdesk.__main__ import main
from supportdesk.l10n.catalog import use_language
from tests.support.clock import FakeClock
from tests.support.desk import House, furnish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.databases import Database


@dataclass(frozen=True)
class Result:
    """How one command ended and what it printed."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Run(Protocol):
    def __call__(self, *arguments: str, stdin: str | bytes = "") -> Result: ...


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory without settings, and no setting in the environment."""
    for name in list(os.environ):
        if name.startswith("SUPPORTDESK_") and name != "SUPPORTDESK_SQLITE":
            monkeypatch.delenv(name)
    monkeypatch.delenv("SSH_ORIGINAL_COMMAND", raising=False)
    for name, value in (
        ("HOME", tmp_path),
        ("XDG_CONFIG_HOME", tmp_path / "config"),
        ("XDG_DATA_HOME", tmp_path / "data"),
    ):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    return tmp_path


@pytest.fixture(params=["sqlite", "postgres"])
def database(database: Database) -> Database:
    """A maker of databases; what is about files, or about no database, asks for one kind by parametrization."""
    return database


@pytest.fixture
def shop(home: Path, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """The shop of the tests, with its desk configured for whoever runs `supportdesk` as giulia."""
    url = database.copy_of("empty-schema", _make_schema)
    house = furnish(url, FakeClock())
    monkeypatch.setenv("SUPPORTDESK_DATABASE", url)
    monkeypatch.setenv("SUPPORTDESK_AGENT", "giulia")
    yield house
    house.store.close()


@pytest.fixture
def supportdesk(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run one command; standard input is a pipe that holds what is given."""

    def run(*arguments: str, stdin: str | bytes = "") -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        capsys.readouterr()
        with mock.patch.dict(os.environ):  # a forced command cleans the environment of its own process
            code = main(list(arguments))
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    yield run
    use_language("en")


def _make_schema(url: str) -> None:
    from supportdesk.store import create_or_upgrade

    create_or_upgrade(url)
