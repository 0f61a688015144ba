"""`supportdesk backup` and `supportdesk restore`: one verified file that holds the whole desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.agreement import YES, is_agreed
from supportdesk.cli.output import Meter
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.errors import EXIT_INTERRUPTED
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.bootstrap import BackupReport

app = group()


@verb(app, "backup", N_("Write a verified copy of the whole desk into one file"))
def backup(
    session: Session,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help=N_("Where to; it is replaced only when the copy is complete"))
    ],
    yes: Annotated[bool, YES] = False,
) -> int:
    from supportdesk.bootstrap import back_up, replaces_no_backup

    if replaces_no_backup(Path(file)):
        question = _("{file} is no backup. Write over it?").format(file=file)
        without = _("{file} is there and is no backup: say --yes to write over it").format(file=file)
        if not is_agreed(question, yes=yes, without=without):
            return EXIT_INTERRUPTED
    with Meter(_("copied")) as meter:
        report = back_up(session.config, Path(file), meter.show)
    session.out.answer(
        {"file": report.file, "schema": report.revision, "size": report.size, "rows": report.rows},
        [_verified(report)],
    )
    return 0


@verb(app, "restore", N_("Make the desk from a backup; what is there now is kept aside"))
def restore(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help=N_("The backup"))],
    yes: Annotated[bool, YES] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only look; nothing is written"))] = False,
) -> int:
    from supportdesk import bootstrap

    config = session.config
    if dry_run:
        found = bootstrap.verify_backup(Path(file))
        session.out.answer(
            {"dry_run": True, "file": found.file, "schema": found.revision, "size": found.size, "rows": found.rows},
            [_verified(found)],
        )
        return 0
    there = not bootstrap.is_file(config.database) or bootstrap.database_path(config).exists()
    question = _("Replace the desk at {database}? What is there now is kept aside.").format(database=config.database)
    if there and not is_agreed(question, yes=yes, without=_("there is a desk already: say --yes to replace it")):
        return EXIT_INTERRUPTED
    report = bootstrap.restore(config, Path(file))
    value = {"schema": report.revision, "rows": report.rows, "uncertain": report.uncertain, "aside": report.aside}
    rows = sum(report.rows.values())
    lines = [ngettext("restored {rows} row", "restored {rows} rows", rows).format(rows=rows)]
    if report.aside is not None:
        lines.append(_("what was there before is in {file}").format(file=report.aside))
    if report.uncertain:
        lines.append(
            ngettext(
                "{count} reply was not delivered in the backup: it waits for a decision",
                "{count} replies were not delivered in the backup: each waits for a decision",
                report.uncertain,
            ).format(count=report.uncertain)
        )
    session.out.answer(value, lines)
    return 0


def _verified(report: BackupReport) -> str:
    rows = sum(report.rows.values())
    return _("{file}: {size} bytes, {rows} rows, verified").format(file=report.file, size=report.size, rows=rows)
