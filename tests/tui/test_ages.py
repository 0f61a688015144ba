"""Ages are short, in the agent's language, and never count seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from supportdesk.l10n.catalog import use_language
from supportdesk.tui import ages
from supportdesk.tui.keymap import shown_keys

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def italian():
    use_language("it")
    yield
    use_language("en")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=20), "20m"),
        (timedelta(hours=2, minutes=5), "2h05"),
        (timedelta(hours=3), "3h"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=2), "2d"),
        (timedelta(days=365), "365d"),
        (timedelta(days=800), "2y"),
    ],
)
def test_a_length_of_time_takes_at_most_five_cells(length: timedelta, text: str) -> None:
    assert ages.span(length.total_seconds()) == text
    assert len(text) <= 5
    assert ages.due(NOW - length, NOW) == f"-{text}"
    assert ages.age(NOW - length, NOW) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [(timedelta(minutes=20), "20min"), (timedelta(hours=3), "3h"), (timedelta(days=2), "2g")],
)
def test_an_italian_agent_reads_italian_units(italian, length: timedelta, text: str) -> None:
    assert ages.age(NOW - length, NOW) == text


def test_named_keys_are_called_as_on_the_agents_keyboard(italian) -> None:
    assert shown_keys("enter") == "invio"
    assert shown_keys("g m") == "g m"


def test_times_are_shown_in_the_zone_of_the_given_now() -> None:
    late = datetime(2026, 11, 20, 23, 30, 5, tzinfo=UTC)
    rome = NOW.astimezone(ZoneInfo("Europe/Rome"))
    assert ages.moment(NOW, rome) == "13:00"
    assert ages.moment(late, rome) == "21 Nov 00:30"
    assert ages.date(late, rome) == "21 Nov 2026"
    assert ages.clock(late, rome) == "00:30:05"
