"""The opening hours in the console: days with their reasons, and changes that move deadlines and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.l10n.catalog import use_language
from supportdesk.tui.screens.calendar import CalendarScreen
from supportdesk.tui.screens.team_settings import TeamSettingsScreen
from supportdesk.tui.widgets.month_grid import weeks_of
from tests.tui.conftest import Shop, list_shown, notices, screen_of, shown, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.pilot import Pilot

NINE_TO_SIX = ((540, 1080),)
LUNCH = ((540, 780), (900, 1140))
WEEK = (LUNCH,) * 5 + (((540, 780),), ())
FERIE = CalendarException(date(2027, 8, 9), date(2027, 8, 20), (), {"it": "Chiusi per ferie", "de": "Betriebsferien"})


@pytest.fixture
def kept(shop: Shop) -> Shop:
    """A shop with lunch, Italian holidays and a closure in August 2027, that serves Italians and Germans."""
    desk, giulia = shop.house.desk, shop.house.giulia
    desk.save_mailbox(giulia, {"id": shop.house.mailbox_id, "languages": ("it", "de")})
    opening = Calendar("Europe/Rome", WEEK, "IT", "", (FERIE,))
    desk.change_hours(giulia, desk.hours(), lambda _before: opening, "set")
    return shop


@pytest.fixture
def italian() -> Iterator[None]:
    use_language("it")
    yield
    use_language("en")


def hours(shop: Shop) -> Calendar:
    return shop.house.desk.hours().hours


async def calendar(pilot: Pilot[int], day: date | None = None) -> CalendarScreen:
    """The calendar, opened from the list, with the cursor on that day."""
    await list_shown(pilot)
    await pilot.press("g", "c")
    screen = await screen_of(pilot, CalendarScreen)
    if day is not None:
        screen._go(day)
    return screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_month_shows_what_is_open_and_why_not(kept: Shop, size: tuple[int, int], italian: None) -> None:
    app = kept.console()
    async with app.run_test(size=size) as pilot:
        screen = await calendar(pilot, date(2027, 8, 15))
        await until(pilot, lambda: "agosto 2027" in shown(app).casefold(), "the month")
        await until(pilot, lambda: "Chiusi per" in shown(app), "the closure")
        text = shown(app)
        assert "9-13" in text and "domenica 15 agosto 2027" in text
        assert "Chiusi per ferie" in text and "Betriebsferien" in text
        assert "12 giorni" in text and "lun-ven" in text
        assert not [word for word in ("close", "open", "week", "days", "mon-fri") if word in text.split()]
        screen._go(date(2027, 11, 1))
        await until(pilot, lambda: "Ognissanti" in shown(app), "the holiday in words")
        assert "festivo" in shown(app)


async def test_a_closure_is_planned_with_its_notice_in_each_language_and_taken_back(kept: Shop) -> None:
    app = kept.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await calendar(pilot, date(2027, 12, 23))
        await pilot.press("c")
        await until(pilot, lambda: screen.prompt.purpose == "days", "the days")
        assert screen.prompt.value == "2027-12-23"
        await pilot.press(*"..2027-12-31")
        await until(pilot, lambda: "9 days" in shown(app), "what it means")
        await pilot.press("enter")
        await until(pilot, lambda: screen.prompt.purpose == "notice it", "the first language")
        written = "Siamo chiusi da giovedì 23 dicembre 2027 a venerdì 31 dicembre 2027."
        assert screen.prompt.value == written
        await until(pilot, lambda: written in shown(app), "the whole sentence, above the line that it is too long for")
        await pilot.press("ctrl+u", *"Buone feste", "enter")
        await until(pilot, lambda: screen.prompt.purpose == "notice de", "the second language")
        await pilot.press("ctrl+u", *"Frohe Feste", "enter")
        await until(pilot, lambda: len(hours(kept).exceptions) == 2, "the closure")
        added = hours(kept).exceptions[-1]
        assert (added.first, added.last, added.intervals) == (date(2027, 12, 23), date(2027, 12, 31), ())
        assert added.notices == {"it": "Buone feste", "de": "Frohe Feste"}
        await until(pilot, lambda: "u undoes it" in notices(app), "the notice")
        await pilot.press("u")
        await until(pilot, lambda: hours(kept).exceptions == (FERIE,), "taken back")


async def test_a_special_opening_the_week_and_the_holidays_are_changed(kept: Shop) -> None:
    app = kept.console()
    async with app.run_test(size=(120, 40)) as pilot:
        screen = await calendar(pilot, date(2027, 12, 19))
        await pilot.press("o", "enter")
        await until(pilot, lambda: screen.prompt.purpose == "hours", "the hours")
        screen.prompt.query_one("SafeInput").value = "10-13 15-18"  # type: ignore[attr-defined]
        await pilot.press("enter", "enter", "enter")
        await until(pilot, lambda: len(hours(kept).exceptions) == 2, "the opening")
        assert hours(kept).exceptions[-1].intervals == ((600, 780), (900, 1080))
        await pilot.press("x")
        await until(pilot, lambda: hours(kept).exceptions == (FERIE,), "removed")
        await pilot.press("w")
        await until(pilot, lambda: screen.prompt.purpose == "week", "the week")
        screen.prompt.query_one("SafeInput").value = "mon-fri 9-18"  # type: ignore[attr-defined]
        await pilot.press("enter")
        await until(pilot, lambda: hours(kept).week[0] == NINE_TO_SIX, "the week")
        await pilot.press("p")
        await until(pilot, lambda: screen.prompt.purpose == "holidays", "the holidays")
        await pilot.press(*"-RM", "enter")
        await until(pilot, lambda: hours(kept).holidays_region == "RM", "the region")


async def test_what_is_no_day_is_refused_and_nothing_is_lost(kept: Shop) -> None:
    app = kept.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await calendar(pilot, date(2027, 12, 23))
        await pilot.press("c", *"..2027-12-01", "enter")
        await until(pilot, lambda: "ends before it begins" in shown(app), "the reason")
        assert screen.prompt.purpose == "days"
        assert screen.prompt.value == "2027-12-23..2027-12-01"


async def test_days_weeks_and_months_are_walked_with_keys(kept: Shop) -> None:
    app = kept.console()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await calendar(pilot, date(2027, 1, 31))
        for keys, day in (("l", (2, 1)), ("h", (1, 31)), ("pagedown", (2, 28)), ("j", (3, 7)), ("k", (2, 28)),
                          ("left", (2, 27)), ("right", (2, 28)), ("pageup", (1, 28))):  # fmt: skip
            await pilot.press(keys)
            assert (screen._day.month, screen._day.day) == day, keys


async def test_an_agent_sees_the_hours_and_changes_nothing(kept: Shop) -> None:
    app = kept.console("luca")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await calendar(pilot)
        assert not screen.can("close_days") and screen.can("day_after")
        await pilot.press("c")
        assert screen.prompt.purpose == ""


async def test_a_change_elsewhere_is_shown(kept: Shop) -> None:
    app = kept.console()
    async with app.run_test(size=(120, 40)) as pilot:
        await calendar(pilot, date(2027, 5, 3))
        other = CalendarException(date(2027, 5, 3), date(2027, 5, 3), (), {"en": "Stocktaking"})
        desk = kept.house.desk
        edit = lambda calendar: replace(calendar, exceptions=(*calendar.exceptions, other))  # noqa: E731
        desk.change_hours(kept.house.giulia, desk.hours(), edit, "Closed")
        await until(pilot, lambda: "Stocktaking" in shown(app), "the closure of another console")


def test_a_month_is_made_of_whole_weeks_from_the_locales_first_day() -> None:
    monday, sunday = weeks_of(date(2026, 11, 15), 0), weeks_of(date(2026, 11, 15), 6)
    assert (monday[0][0], monday[-1][-1], len(monday)) == (date(2026, 10, 26), date(2026, 12, 6), 6)
    assert (sunday[0][0], len(sunday)) == (date(2026, 11, 1), 5)
    assert all(b - a == timedelta(days=1) for week in monday for a, b in pairwise(week))


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_what_the_team_shares_is_changed_in_the_console(shop: Shop, size: tuple[int, int]) -> None:
    app = shop.console()
    async with app.run_test(size=size) as pilot:
        await list_shown(pilot)
        await pilot.press("g", "comma")
        screen = await screen_of(pilot, TeamSettingsScreen)
        await until(pilot, lambda: "15s" in shown(app), "the undo window")
        await pilot.press("j")
        whole = "How long a reply can be taken back: 0, 5, 10, 15, 30 or 60 seconds"
        await until(pilot, lambda: whole in shown(app), "all of what it does")
        await pilot.press("enter")
        await until(pilot, lambda: screen.prompt.purpose == "setting", "the question")
        await pilot.press(*["backspace"] * 3, *"7s", "enter")
        await until(pilot, lambda: "one of 0, 5, 10" in notices(app), "refused")
        assert shop.house.desk.settings().undo_seconds == 15
        await pilot.press("enter")
        await until(pilot, lambda: screen.prompt.purpose == "setting", "the question again")
        await pilot.press(*["backspace"] * 3, *"30", "enter")
        await until(pilot, lambda: shop.house.desk.settings().undo_seconds == 30, "set")
        await until(pilot, lambda: "30s" in shown(app), "shown")
        await pilot.press("u")
        await until(pilot, lambda: shop.house.desk.settings().undo_seconds == 15, "taken back")
