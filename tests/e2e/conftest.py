"""End-to-end tests may take their time, but none may hang: after ten minutes each is ended with all stacks."""

from __future__ import annotations

import faulthandler
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 600


@pytest.fixture(autouse=True)
def _ended_when_stuck() -> Iterator[None]:
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()
