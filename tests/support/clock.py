"""A clock that stands still until a test moves it (implements desk.ports.Clock)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

START = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


class FakeClock:
    """Wall and monotonic time that move together, and only by `sleep` and `advance`."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))

    def advance(self, step: timedelta) -> datetime:
        """Move time forward and return the new now."""
        assert step >= timedelta(0), "time only goes forward; use set_wall for a wrong clock"
        self._now += step
        self._monotonic += step.total_seconds()
        return self._now

    def set_wall(self, moment: datetime) -> None:
        """Move the wall clock alone, as a corrected or wrong system clock does."""
        assert moment.tzinfo is not None
        self._now = moment.astimezone(UTC)


@pytest.fixture
def clock() -> FakeClock:
    """A clock frozen on Wednesday 4 March 2026, 09:30 UTC."""
    return FakeClock()
