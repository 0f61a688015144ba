"""The verbs that look at the whole desk: search, unanswered, due, why, follow, status; and undo."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.inputs import check_limit, one_ticket, query_text, read_query, read_span, ticket_ids
from supportdesk.cli.output import span
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.errors import ThresholdBreached
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.gauges import Gauges, Trouble
    from supportdesk.desk.results import DeskStatus

app = group()


@verb(app, "search", N_("Find tickets by their words and by what they are"), restricted=True, queried=True)
def search(
    session: Session,
    query: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY",
            help=N_(
                "Words in any order, and conditions: tag:return before:2026-11-01; sort:relevance for the best first"
            ),
        ),
    ],
    limit: Annotated[int, typer.Option("--limit", help=N_("At most so many; 0 for all"))] = 50,
) -> None:
    from supportdesk.cli.ticket import show_queue

    desk, now = session.desk, session.desk.clock.now()
    wanted = read_query(session, query_text(query))
    ids = desk.read.search(wanted, agent_id=session.acting_agent.id, now=now, limit=check_limit(limit) or 2**31)
    show_queue(session, ids, now)


@verb(app, "unanswered", N_("Customers who wait for an answer; exits 6 if there are any"), restricted=True)
def unanswered(
    session: Session,
    older: Annotated[str, typer.Option("--older", metavar="SPAN", help=N_("Only those beyond it: 24h, 3d"))] = "",
    calendar: Annotated[bool, typer.Option("--calendar", help=N_("Count plain hours, closed days too"))] = False,
) -> int:
    rows = session.desk.unanswered(read_span(older) if older else None, calendar=calendar)
    now = session.desk.clock.now()
    headings = ("#", _("what"), _("since"), _("waits"), _("customer"), _("subject"))
    cells = [
        (
            row.get("ticket_id") or "",
            labels.word(labels.UNANSWERED, row["kind"]),
            session.time(row["since"], row.get("mailbox_id")),
            span((now - row["since"]).total_seconds()),
            row.get("customer") or row.get("customer_name") or "",
            row.get("subject") or "",
        )
        for row in rows
    ]
    if cells or session.json:
        session.out.table(rows, headings, cells)
    if not rows:
        session.out.say(_("nobody waits") if not older else _("nobody has waited that long"))
        return 0
    session.out.say(ngettext("{count} waits", "{count} wait", len(rows)).format(count=len(rows)))
    return ThresholdBreached.exit_code


@verb(app, "due", N_("Deadlines that are over, or will be soon; exits 6 if there are any"), restricted=True)
def due(
    session: Session,
    within: Annotated[
        str, typer.Option("--within", metavar="SPAN", help=N_("Those of so much time from now too: 2h, 1d"))
    ] = "",
) -> int:
    now = session.desk.clock.now()
    rows = session.desk.due(read_span(within) if within else timedelta())
    headings = ("#", _("target"), _("due"), _("left"), _("status"), _("owner"), _("customer"), _("subject"))
    cells = [
        (
            row.ticket_id,
            labels.word(labels.TARGET, row.target),
            session.time(row.due_at, row.mailbox_id),
            span((row.due_at - now).total_seconds()),
            labels.word(labels.STATUS, row.status),
            row.owner,
            row.customer,
            row.subject,
        )
        for row in rows
    ]
    if cells or session.json:
        session.out.table(rows, headings, cells)
    if not rows:
        session.out.say(_("nothing is due"))
        return 0
    over = sum(row.due_at <= now for row in rows)
    session.out.say(
        ngettext("{count} deadline is over", "{count} deadlines are over", over).format(count=over)
        + (" · " + _("{count} near").format(count=len(rows) - over) if len(rows) > over else "")
    )
    return ThresholdBreached.exit_code


@verb(app, "why", N_("Why a ticket is as it is: how it was threaded, which rule, which deadline"), restricted=True)
def why(
    session: Session,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help=N_("Its number"))],
) -> None:
    found = session.desk.why(one_ticket(ticket))
    session.out.answer({"sentences": found.sentences, "data": found.data}, found.sentences)


@verb(app, "notices", N_("What you are told and have not looked at"), restricted=True)
def notices(
    session: Session,
    done: Annotated[str, typer.Option("--done", metavar="TICKETS", help=N_("Take these away, or `all`"))] = "",
) -> None:
    from supportdesk.desk.following import sentence

    desk, agent = session.desk, session.acting_agent
    if done:
        count = desk.mark_told(session.actor, () if done == "all" else ticket_ids([done]))
        line = ngettext("{count} notice taken away", "{count} notices taken away", count).format(count=count)
        session.out.answer({"count": count}, [line])
        return
    found = desk.notices(agent.id)
    headings = (_("when"), "#", _("what happened"), _("subject"))
    cells = ((session.time(one.at), one.ticket_id, sentence(one), one.subject) for one in found)
    session.out.table(found, headings, cells)


@verb(app, "undo", N_("Take back your last action, or the one that you name"), restricted=True)
def undo(
    session: Session,
    action: Annotated[str, typer.Argument(metavar="ACTION", help=N_("The action's id"))] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
) -> int:
    from supportdesk.cli.actions import tell_done
    from supportdesk.cli.foreseen import tell_undo
    from supportdesk.desk.model import ActionId

    if dry_run:
        return tell_undo(session, action)
    return tell_done(session, session.desk.undo(session.actor, ActionId(action) if action else None))


@verb(app, "status", N_("How the desk is doing"), restricted=True)
def status(
    session: Session,
    check: Annotated[bool, typer.Option("--check", help=N_("Exit 6 if something needs a person"))] = False,
) -> int:
    from supportdesk.desk.gauges import read_gauges, read_troubles

    found = session.desk.status()
    gauges = read_gauges(session.desk, found)
    troubles = read_troubles(session.desk, found, gauges)
    value = {item.name: getattr(found, item.name) for item in fields(found)}
    lines = [] if session.json else [*_status_lines(session, found), *_gauge_lines(gauges)]
    session.out.answer({**value, "gauges": gauges, "troubles": troubles}, lines)
    if troubles and not session.json:
        session.out.text("\n".join(_trouble_line(session, one) for one in troubles))
    return ThresholdBreached.exit_code if check and (troubles or found.attention) else 0


@verb(app, "follow", N_("Print every change as it happens, one JSON object a line"))
def follow(
    session: Session,
    jsonl: Annotated[bool, typer.Option("--jsonl", help=N_("One JSON object a line: what it prints anyway"))] = False,
    after: Annotated[
        int, typer.Option("--after", metavar="SEQ", help=N_("Begin after this event; 0 is the beginning"))
    ] = -1,
    once: Annotated[bool, typer.Option("--once", help=N_("End when everything has been printed"))] = False,
) -> None:
    del jsonl  # said for whoever reads the script: the log has no other form
    reader = session.desk.read
    position = reader.feed_position() if after < 0 else after
    while True:
        while events := reader.events(after=position):
            for event in events:
                session.out.event(event)
            position = events[-1].seq
        if once:
            return
        reader.wait_for_change(5.0)


def _gauge_lines(gauges: Gauges) -> list[str]:
    def of(value: float | None, unit: str, scale: float = 1) -> str:
        return "—" if value is None else f"{value / scale:.0f} {unit}"

    unsent = gauges.oldest_unsent_seconds
    values = {
        _("disk free"): of(gauges.disk_free_bytes, "MB", 1 << 20),
        _("write-ahead log"): of(gauges.wal_bytes, "MB", 1 << 20),
        _("clock off by"): of(gauges.clock_skew_seconds, "s"),
        _("lock wait p99"): of(gauges.lock_wait_p99_ms, "ms"),
        _("parsing p99"): of(gauges.parse_p99_ms, "ms"),
        _("oldest unsent"): "—" if unsent is None else span(unsent),
    }
    told = [f"{name}: {value}" for name, value in values.items()]
    return [" · ".join(told[:3]), " · ".join(told[3:])]


def _trouble_line(session: Session, one: Trouble) -> str:
    """What, since when, when it is tried again, what to do."""
    parts = [f"! {one.what}"]
    if one.since is not None:
        parts.append(_("since {time}").format(time=session.time(one.since)))
    if one.next_try is not None:
        parts.append(_("next try {time}").format(time=session.time(one.next_try)))
    return f"{' · '.join(parts)} → {one.do}"


def _status_lines(session: Session, found: DeskStatus) -> list[str]:
    seen = session.time(found.worker_seen_at)
    worker = (
        _("delivering, last seen {time}").format(time=seen)
        if found.delivering
        else _("nobody is delivering, last seen {time}").format(time=seen)
        if seen
        else _("nobody is delivering")
    )
    lines = [f"{_('worker')}: {worker}"]
    for mailbox in found.mailboxes:
        seen = session.time(mailbox.last_pass_at, mailbox.id) or "—"
        line = _("{address}: {state}, last looked at {time}").format(
            address=mailbox.address, state=labels.word(labels.MAILBOX, mailbox.state), time=seen
        )
        if mailbox.error:
            since = session.time(mailbox.error_since, mailbox.id) or "—"
            line += " · " + _("{error} (since {time})").format(error=mailbox.error, time=since)
        lines.append(line)
    unsent = ", ".join(f"{labels.word(labels.OUTBOX, state)} {count}" for state, count in found.outbox.items()) or "0"
    lines.append(f"{_('outbox')}: {unsent}")
    counts = ((_("parked"), found.parked), (_("in Junk"), found.junk), (_("unprocessed"), found.unprocessed))
    lines.append(" · ".join(f"{name}: {count}" for name, count in counts))
    return lines
