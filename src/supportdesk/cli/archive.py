"""`supportdesk mail import`: an archive on disk becomes history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from supportdesk.cli.agreement import YES, is_agreed
from supportdesk.cli.inputs import find_mailbox
from supportdesk.cli.interruption import interruptible
from supportdesk.cli.output import StageMeter
from supportdesk.cli.session import Session
from supportdesk.errors import EXIT_INTERRUPTED, NotFound, UsageError
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from supportdesk.desk.importing import Archive, Imported, Progress

SHOWN = 20  # files that could not be read, and folders


def import_mail(
    session: Session,
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH…", help=N_("mbox files, Maildirs, .eml files or folders"))
    ],
    mailbox: Annotated[
        str, typer.Option("--mailbox", metavar="MAILBOX", help=N_("Whose mail it is; needed if there are several"))
    ] = "",
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help=N_("Only mail from this day on: 2024-01-31"))
    ] = "",
    everything: Annotated[bool, typer.Option("--everything", help=N_("Drafts, junk and trash as well"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only count; nothing is written"))] = False,
    yes: Annotated[bool, YES] = False,
) -> int:
    from supportdesk.bootstrap import open_archive, open_parser
    from supportdesk.desk.importing import Importer
    from supportdesk.desk.intake import Intake

    box = find_mailbox(session.desk, mailbox)
    start = _day(since, box.zone) if since else None
    archive = open_archive([_existing(path) for path in paths], now=session.desk.clock.now(), everything=everything)
    actor = session.actor
    question = _("Take this archive over as history of {mailbox}? It cannot be taken back; --dry-run counts it first.")
    if not dry_run and not is_agreed(question.format(mailbox=box.address), yes=yes):
        return EXIT_INTERRUPTED
    labels = {"taking": _("taking over, KB"), "reading": _("reading, mails")}
    with interruptible() as stop, StageMeter(labels) as meter:

        def show(at: Progress) -> None:
            unit = 1024 if at.stage == "taking" else 1
            meter.show(at.stage, at.done // unit, at.total // unit, at.folder)

        importer = Importer(session.desk, box, archive, since=start, stop=stop, progress=show)
        if dry_run:
            result = importer.look()
        else:
            parser = open_parser()
            try:
                result = importer.run(actor, Intake(session.desk, parser))
            finally:
                parser.close()
    session.out.answer(
        {"mailbox": box.address, "dry_run": dry_run, **_as_value(result, archive)},
        _lines(result, archive, dry_run=dry_run),
    )
    if not result.complete:
        session.out.say(_("stopped; run the same command again to go on"))
        return EXIT_INTERRUPTED
    return 1 if archive.unreadable else 0


def _existing(word: str) -> Path:
    path = Path(word).expanduser()
    if not path.exists():
        raise NotFound(_("there is nothing at {path}").format(path=word))
    return path


def _day(word: str, zone: str) -> datetime:
    from zoneinfo import ZoneInfo

    try:
        return datetime.fromisoformat(word).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    except ValueError:
        raise UsageError(_("{value} is no date").format(value=word), hint="--since 2024-01-31") from None


def _as_value(result: Imported, archive: Archive) -> dict[str, Any]:
    return {
        "complete": result.complete,
        "found": sum(source.found for source in result.sources),
        "new": result.new,
        "known": sum(source.known for source in result.sources),
        "older": sum(source.older for source in result.sources),
        "left_out": _left_out(result),
        "processed": result.processed,
        "waiting": result.waiting,
        "outcomes": dict(result.outcomes),
        "sources": result.sources,
        "folders_left_out": [{"path": one.path, "role": one.role, "octets": one.size} for one in archive.left_out],
        "unreadable": [{"path": one.path, "error": one.error} for one in archive.unreadable],
        "other_files": archive.others,
    }


def _left_out(result: Imported) -> dict[str, int]:
    return dict(sum((source.left_out for source in result.sources), Counter[str]()))


def _lines(result: Imported, archive: Archive, *, dry_run: bool) -> Iterator[str]:
    for source in result.sources[:SHOWN]:
        yield _("{path}: {found} found, {new} new").format(path=source.path, found=source.found, new=source.new)
    if len(result.sources) > SHOWN:
        yield _("and {count} more folders").format(count=len(result.sources) - SHOWN)
    roles = {"drafts": _("drafts"), "junk": _("junk"), "trash": _("trash"), "empty": _("empty")}
    for role, count in sorted(_left_out(result).items()):
        yield _("left out: {count} ({what})").format(count=count, what=roles[role])
    for folder in archive.left_out[:SHOWN]:
        yield _("left out: {path} ({what}); name it, or use --everything").format(
            path=folder.path, what=roles[folder.role]
        )
    if older := sum(source.older for source in result.sources):
        yield _("older than asked for: {count}").format(count=older)
    for file in archive.unreadable[:SHOWN]:
        yield _("cannot be read: {path}: {error}").format(path=file.path, error=file.error)
    if len(archive.unreadable) > SHOWN:
        yield _("and {count} more that cannot be read").format(count=len(archive.unreadable) - SHOWN)
    if dry_run:
        yield ngettext("{count} mail would be imported", "{count} mails would be imported", result.new).format(
            count=result.new
        )
        return
    yield ngettext("{count} mail imported", "{count} mails imported", result.new).format(count=result.new)
    if result.outcomes:
        told = ", ".join(f"{name} {count}" for name, count in result.outcomes.items())
        yield _("of these folders: {outcomes}").format(outcomes=told)
    if result.waiting:
        yield _("not read yet: {count}").format(count=result.waiting)
