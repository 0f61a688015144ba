"""`supportdesk hours`: the opening hours, and the arithmetic of a deadline day by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.inputs import find_mailbox, read_span
from supportdesk.cli.output import span
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.cli.week import read_week, write_week
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import N_, _, current_language

if TYPE_CHECKING:
    from supportdesk.desk.calendar import Calendar
    from supportdesk.desk.model import Mailbox

app = group()
MAILBOX = typer.Option("--mailbox", metavar="ADDRESS", help=N_("Whose hours; not needed where there is one mailbox"))


@verb(app, "show", N_("Print the opening hours of a mailbox"), restricted=True)
def show(session: Session, mailbox: Annotated[str, MAILBOX] = "") -> None:
    box, calendar = _calendar(session, mailbox)
    lines = [f"{box.address}: {write_week(calendar.week)}", _("zone: {zone}").format(zone=calendar.zone)]
    if calendar.holidays_country:
        where = f"{calendar.holidays_country} {calendar.holidays_region}".strip()
        lines.append(_("closed on the public holidays of {where}").format(where=where))
    for item in calendar.exceptions:
        days = item.first.isoformat() if item.first == item.last else f"{item.first} – {item.last}"
        hours = ", ".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in item.intervals)
        lines.append(f"{days}: {hours or _('closed')} {item.notice(current_language())}".rstrip())
    session.out.answer({"mailbox": box.address, **calendar.to_json()}, lines)


@verb(app, "set", N_("Set the opening hours of a mailbox"))
def set_hours(
    session: Session,
    week: Annotated[
        str, typer.Argument(metavar="WEEK", help=N_("mon-fri 9:00-13:00 15:00-19:00; sat 9:00-13:00"))
    ] = "",
    mailbox: Annotated[str, MAILBOX] = "",
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help=N_("The time zone: Europe/Rome"))] = "",
    holidays: Annotated[
        str, typer.Option("--holidays", metavar="COUNTRY", help=N_("Closed on its holidays: IT, DE-BY, none"))
    ] = "",
    closed: Annotated[
        str, typer.Option("--closed", metavar="DAYS", help=N_("Closed: 2026-12-24 or 2026-08-10..2026-08-21"))
    ] = "",
    notice: Annotated[
        list[str] | None, typer.Option("--notice", metavar="LANG=TEXT", help=N_("What customers read of it"))
    ] = None,
) -> None:
    from dataclasses import replace

    from supportdesk.cli.inputs import assignments
    from supportdesk.desk.calendar import CalendarException, validate
    from supportdesk.desk.clocks import always_open

    if not (week or zone or holidays or closed):
        raise UsageError(_("say what to change"), hint="WEEK --zone --holidays --closed")
    box = find_mailbox(session.desk, mailbox)
    calendar = session.desk.calendar(box.calendar_id) or always_open(box.zone)
    if week:
        calendar = replace(calendar, week=read_week(week))
    if zone:
        calendar = replace(calendar, zone=zone)
    if holidays:
        country, _dash, region = ("", "", "") if holidays == "none" else holidays.upper().partition("-")
        calendar = replace(calendar, holidays_country=country, holidays_region=region)
        validate(calendar)
    if closed:
        first, last = _days(closed)
        exception = CalendarException(first, last, (), assignments(notice or ()))
        calendar = replace(calendar, exceptions=(*calendar.exceptions, exception))
    calendar_id = session.desk.save_calendar(session.actor, _name_of(session, box), calendar)
    if box.calendar_id != calendar_id or zone:
        session.desk.save_mailbox(
            session.actor, {"id": box.id, "version": box.version, "calendar_id": calendar_id, "zone": calendar.zone}
        )
    session.out.answer({"mailbox": box.address, **calendar.to_json()}, [f"{box.address}: {write_week(calendar.week)}"])


@verb(app, "explain", N_("Show how a deadline is counted, day by day"), restricted=True)
def explain(
    session: Session,
    time: Annotated[str, typer.Argument(metavar="TIME", help=N_("From when: 2026-11-20T18:00; without it, now"))] = "",
    mailbox: Annotated[str, MAILBOX] = "",
    hours: Annotated[str, typer.Option("--hours", metavar="SPAN", help=N_("How much opening time: 8h"))] = "8h",
) -> None:
    from zoneinfo import ZoneInfo

    from supportdesk.desk.hours import explain as steps_of
    from supportdesk.desk.hours import next_open_day_same_time

    box, calendar = _calendar(session, mailbox)
    zone = ZoneInfo(calendar.zone)
    start = _read_time(time, zone) if time else session.desk.clock.now()
    steps = steps_of(calendar, start, int(read_span(hours).total_seconds()), current_language())
    promised = next_open_day_same_time(calendar, start)
    lines = [f"{box.address}, {calendar.zone}: {start.astimezone(zone):%a %Y-%m-%d %H:%M} + {hours}"]
    for step in steps:
        opened = " ".join(f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in step.hours.intervals)
        what = opened or _("closed")
        name = f" ({step.hours.name})" if step.hours.name else ""
        lines.append(f"{step.hours.day:%a %Y-%m-%d} · {what}{name} · +{span(step.seconds)} = {span(step.total)}")
    due = steps[-1].due if steps else None
    ending = f"{due.astimezone(zone):%a %Y-%m-%d %H:%M}" if due else _("no opening within 400 days")
    lines.append(f"= {ending}")
    if promised is not None:
        lines.append(_("promise of 24 h: {time}").format(time=f"{promised.astimezone(zone):%a %Y-%m-%d %H:%M}"))
    session.out.answer({"start": start, "due": due, "promise_24h": promised, "steps": steps}, lines)


def _calendar(session: Session, mailbox: str) -> tuple[Mailbox, Calendar]:
    box = find_mailbox(session.desk, mailbox)
    calendar = session.desk.calendar(box.calendar_id)
    if calendar is None:
        raise NotFound(_("{address} has no opening hours: it is always open").format(address=box.address),
                       hint="supportdesk hours set")  # fmt: skip
    return box, calendar


def _name_of(session: Session, box: Mailbox) -> str:
    rows = session.desk.read.rows("calendar", {"id": box.calendar_id}) if box.calendar_id is not None else []
    return str(rows[0]["name"]) if rows else box.address


def _days(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        return date.fromisoformat(first), date.fromisoformat(last if dots else first)
    except ValueError:
        raise UsageError(_("{text} is no day").format(text=text), hint="2026-12-24, 2026-08-10..2026-08-21") from None


def _read_time(text: str, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(_("{text} is no time").format(text=text), hint="2026-11-20T18:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
