"""`supportdesk db`: the schema of the database, and the desk's way into another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.agreement import YES, is_agreed
from supportdesk.cli.interruption import interruptible
from supportdesk.cli.output import StageMeter, as_json
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.errors import EXIT_INTERRUPTED
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.bootstrap import CopyReport, Upgrade

app = group()
DRY_RUN = typer.Option("--dry-run", help=N_("Only look; nothing is written"))


@verb(app, "upgrade", N_("Bring the schema up to date; a verified backup is taken first"))
def upgrade(session: Session, dry_run: Annotated[bool, DRY_RUN] = False) -> None:
    from supportdesk.bootstrap import foresee_upgrade
    from supportdesk.bootstrap import upgrade as bring_up_to_date

    if dry_run:
        found = foresee_upgrade(session.config)
        session.out.answer({"dry_run": True, **as_json(found)}, [_foreseen(found)])
        return
    saved = bring_up_to_date(session.config)
    line = _("upgraded; the backup is {file}").format(file=saved) if saved else _("the schema is up to date")
    session.out.answer({"backup": saved}, [line])


@verb(app, "facts", N_("What the database is: kind, version, driver, schema"))
def facts(session: Session) -> None:
    from supportdesk.bootstrap import database_facts

    found = database_facts(session.config)
    session.out.answer(found, [f"{found.kind} {found.version} ({found.driver}), {found.shown}, {found.revision}"])


@verb(app, "copy", N_("Copy the whole desk into another database, or move it there; every row is compared"))
def copy(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="FROM", help=N_("The desk: a file or a database URL"))],
    target: Annotated[str, typer.Argument(metavar="TO", help=N_("The empty database that it goes into"))],
    move: Annotated[
        bool, typer.Option("--move", help=N_("The desk goes on there, and the old one is closed for every program"))
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help=N_("Replace the desk that is there; it is kept aside"))
    ] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    yes: Annotated[bool, YES] = False,
) -> int:
    from supportdesk import bootstrap

    if move and not dry_run:
        question = _("Move the desk to {target} and close it here?").format(target=target)
        if not is_agreed(question, yes=yes, without=_("a move closes the old desk: say --yes")):
            return EXIT_INTERRUPTED
    elif replace and not dry_run:
        question = _("Replace the desk at {database}? What is there now is kept aside.").format(database=target)
        if not is_agreed(question, yes=yes):
            return EXIT_INTERRUPTED
    labels = {"copied": _("copied, rows"), "compared": _("compared, rows")}
    with interruptible() as stop, StageMeter(labels) as meter:
        report = bootstrap.copy_desk(
            source, target, move=move, replace=replace, dry_run=dry_run, progress=meter.show, stop=stop
        )
    session.out.answer(report, _lines(report))
    return 0 if report.complete else EXIT_INTERRUPTED


@verb(app, "reopen", N_("Open a desk again that has moved to another database"))
def reopen(
    session: Session,
    database: Annotated[str, typer.Argument(metavar="DATABASE", help=N_("The desk that was closed"))],
    yes: Annotated[bool, YES] = False,
) -> int:
    from supportdesk import bootstrap

    without = _("two open desks would answer the same customers: say --yes if the other one is gone")
    if not is_agreed(_("Is the desk that it moved to gone for good?"), yes=yes, without=without):
        return EXIT_INTERRUPTED
    uncertain = bootstrap.reopen(database)
    lines = [_("{database} is open again").format(database=database)]
    session.out.answer({"uncertain": uncertain}, [*lines, *_in_doubt(uncertain)])
    return 0


def _foreseen(found: Upgrade) -> str:
    if not found.steps:
        return _("the schema is up to date")
    if not found.found:
        return _("would make the schema: {steps}").format(steps=", ".join(found.steps))
    return _("would upgrade from {found}: {steps}; a verified backup would go to {folder} first").format(
        found=found.found, steps=", ".join(found.steps), folder=found.backup_in
    )


def _lines(report: CopyReport) -> Iterator[str]:
    if not report.complete:
        yield _("stopped; nothing was changed")
        return
    for name, table in report.tables.items():
        yield f"{name:20} {table.rows:>10}  {table.hash}".rstrip()
    rows = sum(table.rows for table in report.tables.values())
    if report.dry_run:
        yield _("{rows} rows would be copied from {source} to {target}").format(
            rows=rows, source=report.source, target=report.target
        )
        return
    yield _("{rows} rows copied from {source} to {target}; both have these hashes").format(
        rows=rows, source=report.source, target=report.target
    )
    if report.aside is not None:
        yield _("what was there before is in {file}").format(file=report.aside)
    if report.moved:
        yield _("{source} is closed; name {target} in the settings and start the worker").format(
            source=report.source, target=report.target
        )
        return
    yield from _in_doubt(report.uncertain)
    if report.paused:
        yield ngettext(
            "{count} mailbox is paused in the copy: both desks would answer its mail",
            "{count} mailboxes are paused in the copy: both desks would answer their mail",
            report.paused,
        ).format(count=report.paused)


def _in_doubt(uncertain: int) -> Iterator[str]:
    if uncertain:
        yield ngettext(
            "{count} reply was not delivered yet: it waits for a decision here",
            "{count} replies were not delivered yet: each waits for a decision here",
            uncertain,
        ).format(count=uncertain)
