"""The opening hours as a calendar: open and closed days with the reason, and keys that change what is planned.

Every change is one action of the desk, which `u` takes back; deadlines that were counted by the hours move with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from supportdesk.desk import labels
from supportdesk.desk.calendar import CalendarException, Interval, hours_of, load_zone
from supportdesk.desk.hours_editing import (
    exception_on,
    list_keepers,
    starter_notices,
    with_exception,
    without_exception,
)
from supportdesk.desk.week import read_days, read_intervals, read_week, write_intervals, write_week
from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _, current_language, ngettext
from supportdesk.safetext import EMPTY, SafeText, safe
from supportdesk.tui.screens.base import READ, WRITE, DeskScreen
from supportdesk.tui.screens.choose import ChooseScreen
from supportdesk.tui.widgets.bars import StatusLine, StatusPart
from supportdesk.tui.widgets.month_grid import GridDay, MonthGrid, weeks_of
from supportdesk.tui.widgets.picker import PickerEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from supportdesk.desk.calendar import DayHours, Week
    from supportdesk.desk.hours_editing import Edit, Keeper
    from supportdesk.desk.results import Done
    from supportdesk.tui.feed import Changed

EDITS = frozenset({"close_days", "open_days", "remove_planned", "edit_week", "edit_holidays", "edit_zone", "undo"})
TONES = {"open": "", "closed": "muted", "holiday": "warning", "closure": "warning", "opening": "good"}
ALWAYS_OPEN = ((0, 1440),)


class CalendarScreen(DeskScreen[None]):
    """A month of a mailbox's or a market's hours, and the day under the cursor in words."""

    CONTEXT: ClassVar[str] = "calendar"

    def __init__(self) -> None:
        super().__init__()
        self._keepers: tuple[Keeper, ...] = ()
        self._keeper: Keeper | None = None
        self._day = date.min

    def compose_body(self) -> ComposeResult:
        yield StatusLine(id="title")
        yield MonthGrid(id="month")
        yield StatusLine(id="day")
        yield StatusLine(id="notices")
        yield StatusLine(id="week")

    def on_mount(self) -> None:
        self._day = self.session.local_now().date()
        self.query_one(MonthGrid).focus()
        with self.console.typed_ahead.following():
            self.reload()

    def on_news(self, changed: Changed) -> None:
        if any(event.kind in ("calendar", "undo", "market", "mailbox") and event.ticket_id is None
               for event in changed.events):  # fmt: skip
            self.reload()

    def can(self, action: str) -> bool:
        """Who may not change the hours sees them all the same."""
        return super().can(action) and (action not in EDITS or self.session.agent.role == "admin")

    def reload(self) -> None:
        self.call(READ, lambda: list_keepers(self.session.desk.read), self._loaded, replaces="hours", is_rows=True)

    def _loaded(self, keepers: tuple[Keeper, ...]) -> None:
        kept = self._keeper
        self._keepers = keepers
        same = [one for one in keepers if kept is not None and (one.kind, one.id) == (kept.kind, kept.id)]
        self._keeper = next(iter(same or keepers), None)
        self.show_month()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        if self.is_ready:
            self.query_one(MonthGrid).refresh()

    # ---- showing

    def show_month(self) -> None:
        """The grid, and the day under the cursor below it."""
        keeper = self._keeper
        if keeper is None:
            self._line("title", safe(_("There is no mailbox yet whose hours could be shown.")))
            return
        from supportdesk.l10n.format import babel_locale

        language = current_language()
        locale = babel_locale(language)
        weeks = weeks_of(self._day, locale.first_week_day)
        days = {day: self._grid_day(hours_of(keeper.hours, day, language)) for week in weeks for day in week}
        names = locale.days["stand-alone"]["abbreviated"]
        weekdays = [safe(names[(locale.first_week_day + at) % 7]) for at in range(7)]
        today = self.session.now().astimezone(load_zone(keeper.hours.zone)).date()
        self.query_one(MonthGrid).show(weeks, days, weekdays, month=self._day, chosen=self._day, today=today)
        month = locale.months["stand-alone"]["wide"][self._day.month]
        parts = [StatusPart(safe(f"{month} {self._day.year}"), "strong"), StatusPart(safe(keeper.name))]
        if keeper.calendar is None:
            parts.append(StatusPart(safe(_("no hours were set: always open")), "warning"))
        self.query_one("#title", StatusLine).show(parts, [StatusPart(safe(keeper.hours.zone), "muted")])
        self._show_day(keeper, hours_of(keeper.hours, self._day, language))

    def _grid_day(self, day: DayHours) -> GridDay:
        glyphs = self.console.glyphs
        signs = {"open": "", "closed": glyphs.missing, "holiday": glyphs.changed, "closure": glyphs.failed,
                 "opening": glyphs.attachment}  # fmt: skip
        return GridDay(SafeText(signs[day.kind]), safe(_short_hours(day.intervals)), safe(day.name), TONES[day.kind])

    def _show_day(self, keeper: Keeper, day: DayHours) -> None:
        from supportdesk.l10n.format import date as localized_date

        shown = localized_date(day.day, current_language(), style="full")
        words = [labels.word(labels.DAY, day.kind), write_intervals(day.intervals)]
        self._line("day", safe(shown), *(safe(word) for word in (*words, day.name) if word), tone=TONES[day.kind])
        planned = exception_on(keeper.hours, day.day)
        said = [safe(f"{tag}: {text}") for tag, text in sorted(planned.notices.items())] if planned else []
        if planned is not None and planned.first != planned.last:
            said.insert(0, safe(_days_shown(planned.first, planned.last)))
        self._line("notices", *said)
        country = f"{keeper.hours.holidays_country} {keeper.hours.holidays_region}".strip()
        holidays = _("holidays: {where}").format(where=country or _("none"))
        self._line("week", safe(_week_shown(keeper.hours.week) or _("closed")), safe(holidays), tone="muted")

    def _line(self, name: str, *texts: SafeText, tone: str = "") -> None:
        tones = ["strong", *[tone] * len(texts)] if name == "day" else [tone] * len(texts)
        self.query_one(f"#{name}", StatusLine).show([StatusPart(*pair) for pair in zip(texts, tones, strict=False)])

    # ---- moving

    def do_day_before(self) -> None:
        self._go(self._day - timedelta(days=1))

    def do_day_after(self) -> None:
        self._go(self._day + timedelta(days=1))

    def do_up(self) -> None:
        self._go(self._day - timedelta(days=7))

    def do_down(self) -> None:
        self._go(self._day + timedelta(days=7))

    def do_month_before(self) -> None:
        self._go(_month_away(self._day, -1))

    def do_month_after(self) -> None:
        self._go(_month_away(self._day, 1))

    def do_today(self) -> None:
        self._go(self.session.local_now().date())

    def on_month_grid_chosen(self, message: MonthGrid.Chosen) -> None:
        message.stop()
        self._go(message.day)

    def _go(self, day: date) -> None:
        self._day = day
        self.show_month()

    def do_other_hours(self) -> None:
        """Choose whose hours are shown."""
        entries = [
            PickerEntry(f"{one.kind} {one.id}", safe(one.name), safe(_("market") if one.kind == "market" else ""))
            for one in self._keepers
        ]

        def chosen(key: str | None) -> None:
            self._keeper = next((one for one in self._keepers if f"{one.kind} {one.id}" == key), self._keeper)
            self.show_month()

        self.put_question(ChooseScreen(_("Whose hours?"), entries, glyphs=self.console.glyphs), chosen)

    def do_back(self) -> None:
        self.dismiss()

    # ---- changing

    def do_close_days(self) -> None:
        """Plan a closure, from the day under the cursor."""
        self._ask_days(_("Closed:"), lambda first, last: self._ask_notices(first, last, ()))

    def do_open_days(self) -> None:
        """Plan a special opening."""

        def ask_hours(first: date, last: date) -> None:
            keeper = self._keeper
            assert keeper is not None
            usual = next((hours for hours in keeper.hours.week if hours and hours != ALWAYS_OPEN), ((540, 780),))
            before = hours_of(keeper.hours, first).intervals or usual
            self._ask(
                "hours", _("Open from – to:"), lambda text: self._ask_notices(first, last, read_intervals(text)),
                read=read_intervals, shown=write_intervals, value=write_intervals(before),
            )  # fmt: skip

        self._ask_days(_("Special opening:"), ask_hours)

    def do_remove_planned(self) -> None:
        """Take away what is planned on the day."""
        said = _("Removed what was planned on {day}").format(day=self._day.isoformat())
        self._change(without_exception(self._day), said)

    def do_edit_week(self) -> None:
        if self._keeper is not None:
            self._ask(
                "week", _("Each week:"),
                lambda text: self._change(_with(week=read_week(text)), _("Changed the hours")),
                read=read_week, shown=_week_shown, value=_week_shown(self._keeper.hours.week),
            )  # fmt: skip

    def do_edit_holidays(self) -> None:
        """Whose public holidays close the shop."""
        if self._keeper is None:
            return
        hours = self._keeper.hours
        value = "-".join(filter(None, (hours.holidays_country, hours.holidays_region)))

        def answered(text: str) -> None:
            country, _dash, region = text.strip().upper().partition("-")
            self._change(_with(holidays_country=country, holidays_region=region), _("Changed the hours"))

        hint = safe(_("a country, or a region of it: IT, DE-BY; nothing: none"))
        self.ask_line(
            "holidays", _("Closed on the public holidays of:"), answered, value=value, hint=lambda _text: hint
        )

    def do_edit_zone(self) -> None:
        if self._keeper is not None:
            self._ask(
                "zone", _("Time zone:"),
                lambda text: self._change(_with(zone=text.strip()), _("Changed the hours")),
                read=lambda text: load_zone(text.strip()), shown=str, value=self._keeper.hours.zone,
            )  # fmt: skip

    def do_undo(self) -> None:
        session = self.session
        self._perform(lambda: session.desk.undo(session.actor))

    def _ask_days(self, label: str, then: Callable[[date, date], None]) -> None:
        if self._keeper is None:
            return
        planned = exception_on(self._keeper.hours, self._day)
        first, last = (planned.first, planned.last) if planned is not None else (self._day, self._day)
        value = first.isoformat() if first == last else f"{first}..{last}"

        def read(text: str) -> tuple[date, date]:
            days = read_days(text, current_language(), self._day)
            CalendarException(*days)
            return days

        self._ask(
            "days", label, lambda text: then(*read(text)), read=read, shown=lambda days: _days_shown(*days), value=value
        )

    def _ask_notices(self, first: date, last: date, intervals: tuple[Interval, ...]) -> None:
        """What customers read of it, language by language; shift+tab goes back by one."""
        from supportdesk.l10n.format import language_name

        keeper = self._keeper
        assert keeper is not None
        planned = exception_on(keeper.hours, first)
        notices = dict(planned.notices) if planned is not None else {}
        if planned is None and not intervals:
            notices = starter_notices(first, last, keeper.languages, self.session.local_now().date())
        languages = list(dict.fromkeys((*keeper.languages, *notices))) or [current_language()]

        def ask(at: int) -> None:
            if at == len(languages):
                kept = {tag: text for tag, text in notices.items() if text}
                exception = CalendarException(first, last, intervals, kept)
                said = _("Open: {days}") if intervals else _("Closed: {days}")
                self._change(with_exception(exception), said.format(days=_days_shown(first, last)))
                return
            tag = languages[at]

            def answered(text: str) -> None:
                notices[tag] = text.strip()
                ask(at + 1)

            label = _("Notice ({language}):").format(language=language_name(tag, current_language()))
            self.ask_line(
                f"notice {tag}", label, answered,
                value=notices.get(tag, ""), went_back=lambda _text: ask(max(0, at - 1)),
            )  # fmt: skip

        ask(0)

    def _ask(
        self, purpose: str, label: str, then: Callable[[str], None], *,
        read: Callable[[str], Any], shown: Callable[[Any], str], value: str,
    ) -> None:  # fmt: skip
        """Ask for a line that is read while it is typed: what it means stands beside it, or why it means nothing."""

        def meant(text: str) -> SafeText:
            try:
                return safe(shown(read(text)))
            except SupportdeskError as error:
                return safe(error.message)

        def refused(text: str) -> SafeText:
            try:
                read(text)
            except SupportdeskError as error:
                return safe(" · ".join(part for part in (error.message, error.hint) if part))
            return EMPTY

        self.ask_line(purpose, label, then, value=value, hint=meant, refusal=refused)

    def _change(self, edit: Edit, said: str) -> None:
        session, keeper = self.session, self._keeper
        if keeper is not None:
            self._perform(lambda: session.desk.change_hours(session.actor, keeper, edit, said))

    def _perform(self, work: Callable[[], Done]) -> None:
        def done(result: Done) -> None:
            self.tell(result.notice + (f"  ·  {_('u undoes it')}" if result.undoable else ""))
            self.reload()

        self.call(WRITE, work, done)


def _with(**changes: Any) -> Edit:
    return lambda calendar: replace(calendar, **changes)


def _week_shown(week: Week) -> str:
    return write_week(week, current_language())


def _month_away(day: date, step: int) -> date:
    """The same day of another month, or its last one."""
    months = day.year * 12 + day.month - 1 + step
    year, month = divmod(months, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))


def _days_shown(first: date, last: date) -> str:
    from supportdesk.l10n.format import date as localized_date

    language = current_language()
    if first == last:
        return localized_date(first, language, style="medium")
    count = (last - first).days + 1
    text = ngettext("{first} – {last} ({count} day)", "{first} – {last} ({count} days)", count)
    return text.format(
        first=localized_date(first, language, style="medium"),
        last=localized_date(last, language, style="medium"),
        count=count,
    )


def _short_hours(intervals: tuple[Interval, ...]) -> str:
    """`9-13 15-19:30`: as short as a cell of a month wants it."""
    if intervals == ALWAYS_OPEN:
        return "0-24"
    return " ".join(f"{_short_time(opens)}-{_short_time(closes)}" for opens, closes in intervals)


def _short_time(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}" if minute % 60 else str(minute // 60)
