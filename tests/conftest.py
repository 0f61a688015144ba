"""What every test can ask for (the fixtures live in tests/support), and what every test must leave as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

pytest_plugins = [
    "tests.support.calendars",
    "tests.support.clock",
    "tests.support.corpus",
    "tests.support.databases",
    "tests.support.groups",
    "tests.support.mail_servers",
    "tests.support.plans",
    "tests.support.postgres",
    "tests.support.private_logs",
    "tests.support.terminal",
]


@pytest.fixture(autouse=True)
def _unchanged_environment() -> Iterator[None]:
    """A variable left behind is found by all that this process runs next, down to the command that stops a server."""
    before = _environment()
    yield
    assert _environment() == before


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
