"""A week of opening hours, read as people write it."""

from __future__ import annotations

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.week import read_week, write_week
from supportdesk.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00", "mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00"),
        ("lun-ven 9-13, 15-19", "mon-fri 9:00-13:00 15:00-19:00"),
        ("Mo-Fr 8.30-17; Sa 10-14", "mon-fri 8:30-17:00; sat 10:00-14:00"),
        ("sab-lun 10:00-12:00", "mon 10:00-12:00; sat-sun 10:00-12:00"),
        ("mercredi 9h-12h30", "wed 9:00-12:30"),
        ("24/7", "always"),
    ],
)
def test_opening_hours_are_read_as_people_write_them(typed: str, written: str) -> None:
    week = read_week(typed)
    assert write_week(week) == written
    assert read_week(written) == week
    assert read_week(write_week(week, "it")) == week
    assert Calendar("Europe/Rome", week).week == week


@pytest.mark.parametrize("typed", ["", "mon", "9-13", "mon 13-9", "mon 9-25", "noday 9-13", "mon 9:70-12"])
def test_what_are_no_opening_hours_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(UsageError):
        read_week(typed)
