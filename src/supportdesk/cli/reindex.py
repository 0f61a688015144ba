"""`supportdesk reindex`: what follows from the raw mail is made anew; what would be decided differently is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.interruption import interruptible
from supportdesk.cli.output import Meter, as_json
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.errors import EXIT_INTERRUPTED
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.reindex import Report

app = group()
SHOWN = 20


@verb(app, "reindex", N_("Make texts, attachments and the search index anew from the raw mail; decides nothing"))
def reindex(
    session: Session,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only say what would be changed"))] = False,
) -> int:
    from supportdesk.bootstrap import open_parser
    from supportdesk.desk.reindex import Reindexer

    desk, actor = session.desk.rehearsal() if dry_run else session.desk, session.actor
    parser = open_parser()
    try:
        with interruptible() as stop, Meter(_("reading, messages")) as meter:
            report = Reindexer(desk, parser, stop=stop, progress=meter.show).run(actor)
    finally:
        parser.close()
    session.out.answer({"dry_run": dry_run, **as_json(report)}, _lines(report, dry_run=dry_run))
    if not report.complete:
        session.out.say(
            _("stopped; nothing was changed") if dry_run else _("stopped; run the same command again to go on")
        )
        return EXIT_INTERRUPTED
    return 0


def _lines(report: Report, *, dry_run: bool) -> Iterator[str]:
    if report.started_at > 1:
        yield _("went on at message {id}").format(id=report.started_at)
    yield ngettext("{count} message read", "{count} messages read", report.messages).format(count=report.messages)
    changed = _("would change: {count}") if dry_run else _("changed: {count}")
    yield changed.format(count=report.changed)
    for column, count in sorted(report.columns.items()):
        yield f"  {column}: {count}"
    if report.search_mended:
        yield (
            _("the search index differs from the texts and would be made anew")
            if dry_run
            else _("the search index differed from the texts and was made anew")
        )
    if report.views_mended:
        counted = _("would be counted anew: {views}") if dry_run else _("counted anew: {views}")
        yield counted.format(views=", ".join(report.views_mended))
    if not report.counts:
        return
    kinds = {
        "thread": _("another ticket"),
        "class": _("another kind of mail"),
        "sender": _("another sender"),
        "unreadable": _("not readable any more"),
    }
    yield _("would be decided differently today, and was left as it is:")
    for what, count in sorted(report.counts.items()):
        yield f"  {kinds[what]}: {count}"
    for one in report.differences[:SHOWN]:
        place = f"#{one.ticket}" if one.ticket is not None else _("parked mail {id}").format(id=one.delivery)
        yield f"  {place}: {kinds[one.what]}: {one.was} → {one.now}"
    if len(report.differences) > SHOWN:
        more = _("and {count} more: --json lists them").format(count=len(report.differences) - SHOWN)
        yield f"  {more}"
