"""`supportdesk hours`: the opening hours of mailboxes and markets, and the arithmetic of a deadline day by day."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.foreseen import tell_hours
from supportdesk.cli.inputs import assignments, read_span
from supportdesk.cli.output import span
from supportdesk.cli.placeholders import in_our_words
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.week import read_days, read_intervals, read_week, write_intervals, write_week
from supportdesk.errors import NotFound, SupportdeskError, UsageError
from supportdesk.l10n.catalog import N_, _, current_language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.desk.calendar import Calendar, CalendarException, DayHours
    from supportdesk.desk.hours_editing import Edit, Keeper

app = group()
MAILBOX = typer.Option("--mailbox", metavar="ADDRESS", help=N_("Whose hours; not needed where there is one mailbox"))
MARKET = typer.Option("--market", metavar="CODE", help=N_("The hours of a market instead"))
DRY_RUN = typer.Option("--dry-run", help=N_("Only say which deadlines would move"))
NOTICE = typer.Option("--notice", metavar="LANG=TEXT", help=N_("What customers read of it, once for each language"))
COMING_DAYS = 60


@verb(app, "show", N_("Print opening hours, whether it is open now, and what is planned"), restricted=True)
def show(
    session: Session,
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    month: Annotated[str, typer.Option("--month", metavar="MONTH", help=N_("Each day of it: 2026-08"))] = "",
) -> None:
    keeper, calendar = _kept(session, mailbox, market)
    now = session.desk.clock.now()
    days = _days_of(calendar, month) if month else ()
    value = {keeper.kind: keeper.name, **calendar.to_json(), **_state(calendar, now)}
    if days:
        session.out.answer({**value, "days": [_as_value(day) for day in days]}, map(_day_line, days))
        return
    week = write_week(calendar.week, current_language())
    lines = [f"{keeper.name}: {week}", _("zone: {zone}").format(zone=calendar.zone)]
    if calendar.holidays_country:
        where = f"{calendar.holidays_country} {calendar.holidays_region}".strip()
        lines.append(_("closed on the public holidays of {where}").format(where=where))
    lines.append(_now_line(calendar, now))
    lines += [_exception_line(item) for item in calendar.exceptions]
    today = now.astimezone(_zone(calendar)).date()
    coming = (_hours_of(calendar, today + timedelta(days=number)) for number in range(COMING_DAYS))
    lines += [_day_line(day) for day in coming if day.kind == "holiday"]
    session.out.answer(value, lines)


@verb(app, "explain", N_("Show how a deadline is counted, day by day"), restricted=True)
def explain(
    session: Session,
    time: Annotated[str, typer.Argument(metavar="TIME", help=N_("From when: 2026-11-20T18:00; without it, now"))] = "",
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    hours: Annotated[str, typer.Option("--hours", metavar="SPAN", help=N_("How much opening time: 8h"))] = "8h",
) -> None:
    from supportdesk.desk.hours import explain as steps_of
    from supportdesk.desk.hours import next_open_day_same_time

    keeper, calendar = _kept(session, mailbox, market)
    zone = _zone(calendar)
    start = _read_time(time, zone) if time else session.desk.clock.now()
    steps = steps_of(calendar, start, int(read_span(hours).total_seconds()), current_language())
    promised = next_open_day_same_time(calendar, start)
    lines = [f"{keeper.name}, {calendar.zone}: {_moment(start, zone)} + {hours}"]
    lines += [f"{_day_line(step.hours)} · +{span(step.seconds)} = {span(step.total)}" for step in steps]
    due = steps[-1].due if steps else None
    lines.append("= " + (_moment(due, zone) if due else _("no opening within 400 days")))
    if promised is not None:
        lines.append(_("promise of 24 h: {time}").format(time=_moment(promised, zone)))
    session.out.answer({"start": start, "due": due, "promise_24h": promised, "steps": steps}, lines)


@verb(app, "check", N_("Find what customers and deadlines would suffer from; exits 1 if there is any"), restricted=True)
def check(session: Session) -> int:
    from supportdesk.desk.hours_editing import check_hours, list_keepers

    now = session.desk.clock.now()
    findings = [finding for keeper in list_keepers(session.desk.read) for finding in check_hours(keeper, now)]
    session.out.answer(findings, (f"{finding.keeper}: {finding.text}" for finding in findings))
    if not findings:
        session.out.say(_("nothing is wrong with the opening hours"))
    return SupportdeskError.exit_code if findings else 0


@verb(app, "set", N_("Set week, time zone and holidays of a mailbox or market"))
def set_hours(
    session: Session,
    week: Annotated[
        str, typer.Argument(metavar="WEEK", help=N_("mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00"))
    ] = "",
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help=N_("The time zone: Europe/Rome"))] = "",
    holidays: Annotated[
        str, typer.Option("--holidays", metavar="COUNTRY", help=N_("Closed on its holidays: IT, DE-BY, none"))
    ] = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> int:
    if not (week or zone or holidays):
        raise UsageError(_("say what to change"), hint=in_our_words("WEEK --zone --holidays"))
    changes: dict[str, Any] = {}
    if week:
        changes["week"] = read_week(week)
    if zone:
        changes["zone"] = zone
    if holidays:
        country, _dash, region = ("", "", "") if holidays == "none" else holidays.upper().partition("-")
        changes |= {"holidays_country": country, "holidays_region": region}
    keeper = session.desk.hours(mailbox, market)
    said = _("Changed the hours")
    return _change(session, keeper, lambda calendar: replace(calendar, **changes), said, dry_run=dry_run)


@verb(app, "close", N_("Plan a closure, with what customers read of it; the same days again replace it"))
def close(
    session: Session,
    days: Annotated[str, typer.Argument(metavar="DAYS", help=N_("2026-12-24 or 2026-08-10..2026-08-21"))],
    notice: Annotated[list[str] | None, NOTICE] = None,
    unannounced: Annotated[
        bool, typer.Option("--unannounced", help=N_("Customers read nothing of it where no --notice says so"))
    ] = False,
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> int:
    return _plan_days(session, mailbox, market, days, "", notice, announced=not unannounced, dry_run=dry_run)


@verb(app, "open", N_("Plan a special opening: other hours on some days, holidays too"))
def open_specially(
    session: Session,
    days: Annotated[str, typer.Argument(metavar="DAYS", help=N_("2026-12-13 or 2026-12-18..2026-12-23"))],
    hours: Annotated[str, typer.Argument(metavar="HOURS", help=N_("10-13 15-19"))],
    notice: Annotated[list[str] | None, NOTICE] = None,
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> int:
    return _plan_days(session, mailbox, market, days, hours, notice, announced=True, dry_run=dry_run)


@verb(app, "remove", N_("Take away the closure or special opening that holds on a day"))
def remove(
    session: Session,
    day: Annotated[str, typer.Argument(metavar="DAY", help=N_("One of its days: 2026-08-15"))],
    mailbox: Annotated[str, MAILBOX] = "",
    market: Annotated[str, MARKET] = "",
    dry_run: Annotated[bool, DRY_RUN] = False,
) -> int:
    from supportdesk.desk.hours_editing import without_exception

    keeper = session.desk.hours(mailbox, market)
    found, _last = read_days(day, current_language(), _today(session, keeper))
    said = _("Removed what was planned on {day}").format(day=found.isoformat())
    return _change(session, keeper, without_exception(found), said, dry_run=dry_run)


def _plan_days(
    session: Session,
    mailbox: str,
    market: str,
    days: str,
    hours: str,
    notice: list[str] | None,
    *,
    announced: bool,
    dry_run: bool,
) -> int:
    from supportdesk.desk.arguments import clean_language
    from supportdesk.desk.calendar import CalendarException
    from supportdesk.desk.hours_editing import starter_notices, with_exception

    keeper = session.desk.hours(mailbox, market)
    today = _today(session, keeper)
    first, last = read_days(days, current_language(), today)
    notices = {clean_language(tag): text for tag, text in assignments(notice or ()).items()}
    missing = [tag for tag in keeper.languages if tag not in {one.partition("-")[0] for one in notices}]
    starters = starter_notices(first, last, missing, today) if announced and not hours else {}
    notices |= starters
    exception = CalendarException(first, last, read_intervals(hours) if hours else (), notices)
    said = _("Open: {days}") if hours else _("Closed: {days}")
    shown = first.isoformat() if first == last else f"{first} – {last}"
    code = _change(session, keeper, with_exception(exception), said.format(days=shown), dry_run=dry_run)
    for tag, text in starters.items():
        session.out.say(f"{tag}: {text}")
    if (missing := [tag for tag in missing if tag not in starters]) and not hours:
        session.out.say(
            _("customers of these languages read no notice: {languages}").format(languages=", ".join(missing))
        )
    return code


def _change(session: Session, keeper: Keeper, edit: Edit, said: str, *, dry_run: bool) -> int:
    if dry_run:
        return tell_hours(session, session.desk.foresee_hours(session.actor, keeper, edit))
    return tell_done(session, session.desk.change_hours(session.actor, keeper, edit, said))


# ---- reading and showing ---------------------------------------------------------------------------------------------


def _kept(session: Session, mailbox: str, market: str) -> tuple[Keeper, Calendar]:
    keeper = session.desk.hours(mailbox, market)
    if keeper.calendar is None:
        raise NotFound(_("{address} has no opening hours: it is always open").format(address=keeper.name),
                       hint="supportdesk hours set")  # fmt: skip
    return keeper, keeper.calendar


def _state(calendar: Calendar, now: datetime) -> dict[str, Any]:
    """Whether it is open now, and when that ends."""
    from supportdesk.desk.hours import is_open, next_closing, next_opening

    if is_open(calendar, now):
        return {"open_now": True, "until": next_closing(calendar, now)}
    return {"open_now": False, "until": next_opening(calendar, now)}


def _now_line(calendar: Calendar, now: datetime) -> str:
    state, zone = _state(calendar, now), _zone(calendar)
    if state["until"] is None:
        return _("open now, and always") if state["open_now"] else _("closed now: no opening within 400 days")
    until = _moment(state["until"], zone)
    if state["open_now"]:
        return _("open now, until {time}").format(time=until)
    reason = _hours_of(calendar, now.astimezone(zone).date()).name
    text = _("closed now ({reason}), opens {time}") if reason else _("closed now, opens {time}")
    return text.format(reason=reason, time=until)


def _days_of(calendar: Calendar, month: str) -> Iterator[DayHours]:
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise UsageError(_("{text} is no month").format(text=month), hint="2026-08") from None
    day = first
    while day.month == first.month:
        yield _hours_of(calendar, day)
        day += timedelta(days=1)


def _hours_of(calendar: Calendar, day: date) -> DayHours:
    from supportdesk.desk.calendar import hours_of

    return hours_of(calendar, day, current_language())


def _as_value(day: DayHours) -> dict[str, Any]:
    return {**asdict(day), "kind": day.kind, "intervals": write_intervals(day.intervals).split()}


def _day_line(day: DayHours) -> str:
    opened = write_intervals(day.intervals)
    kind = labels.word(labels.DAY, day.kind)
    what = " · ".join(part for part in (opened, kind if day.kind != "open" else "", day.name) if part)
    return f"{_weekday(day.day)} {day.day.isoformat()} · {what}"


def _exception_line(item: CalendarException) -> str:
    days = item.first.isoformat() if item.first == item.last else f"{item.first} – {item.last}"
    what = write_intervals(item.intervals) or _("closed")
    notices = " · ".join(f"{tag}: {text}" for tag, text in sorted(item.notices.items()))
    return f"{days} · {what}{f' · {notices}' if notices else ''}"


def _weekday(day: date) -> str:
    from supportdesk.l10n.format import babel_locale

    name: str = babel_locale(current_language()).days["format"]["abbreviated"][day.weekday()]
    return name


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{_weekday(local.date())} {local:%Y-%m-%d %H:%M}"


def _zone(calendar: Calendar) -> tzinfo:
    from supportdesk.desk.calendar import load_zone

    return load_zone(calendar.zone)


def _today(session: Session, keeper: Keeper) -> date:
    return session.desk.clock.now().astimezone(_zone(keeper.hours)).date()


def _read_time(text: str, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(_("{text} is no time").format(text=text), hint="2026-11-20T18:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
