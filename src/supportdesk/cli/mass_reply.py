"""`supportdesk ticket reply-all`: one canned response to many tickets, sent once the count was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.draft import ANYWAY
from supportdesk.cli.inputs import ask, assignments, is_interactive, ticket_ids
from supportdesk.cli.session import Session
from supportdesk.desk.results import AnswerNeeded
from supportdesk.errors import AlreadySent, Conflict, UsageError
from supportdesk.l10n.catalog import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.mass_reply import Sample

HELP = N_("Answer many tickets with one canned response, each in its language")


def reply_all(
    session: Session,
    tickets: Annotated[
        list[str], typer.Argument(metavar="TICKETS", help=N_("Their numbers; - reads them from standard input"))
    ],
    canned: Annotated[str, typer.Option("--canned", metavar="KEY", help=N_("The key of a canned response"))],
    asked: Annotated[
        list[str] | None,
        typer.Option("--ask", metavar="NAME=VALUE", help=N_("A value that it asks for")),
    ] = None,
    after: Annotated[str, typer.Option("--after", metavar="STATUS", help=N_("What the tickets become"))] = "pending",
    count: Annotated[
        int, typer.Option("--count", metavar="N", help=N_("How many replies you expect to send; asked for without it"))
    ] = 0,
    anyway: Annotated[bool, ANYWAY] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=N_("Only show what each would get"))] = False,
) -> int:
    values = assignments(asked or ())
    samples = session.desk.reply_samples(session.actor, ticket_ids(tickets), canned, values, again=anyway)
    if dry_run:
        return _tell_samples(session, samples)
    wanted = sum(not sample.refused for sample in samples)
    if not wanted:
        _tell_samples(session, samples)
        raise Conflict(_("None of these tickets can be answered with it."), what="count")
    _check_warnings(samples, anyway=anyway)
    _check_count(session, samples, wanted, count)
    done = session.desk.reply_to_all(session.actor, samples, canned, values, after=after, again=anyway)
    for sample in samples:
        if sample.refused:
            session.out.say(_("left out #{ticket}: {reason}").format(ticket=sample.ticket_id, reason=sample.refused))
    code = tell_done(session, done)
    return AlreadySent.exit_code if any(sample.repeated for sample in samples) else code


def _check_warnings(samples: Sequence[Sample], *, anyway: bool) -> None:
    """What the console would ask a second key for stops a command."""
    told = [f"#{one.ticket_id}: {text}" for one in samples if not one.refused for text in one.warnings]
    if told and not anyway:
        raise AnswerNeeded("; ".join(told), param="anyway", hint="--anyway")


def _check_count(session: Session, samples: Sequence[Sample], wanted: int, count: int) -> None:
    """Whoever sends to many says how many: a wrong selection is seen before it is mailed."""
    if not count and is_interactive():
        _tell_samples(session, samples)
        question = ngettext(
            "{count} reply will be sent; type the number", "{count} replies will be sent; type the number", wanted
        )
        typed = ask(question.format(count=wanted))
        count = int(typed) if typed.isdecimal() else -1
    if count != wanted:
        raise UsageError(
            ngettext("it would send {count} reply", "it would send {count} replies", wanted).format(count=wanted),
            hint=_("look with --dry-run, then say --count {count}").format(count=wanted),
        )


def _tell_samples(session: Session, samples: Sequence[Sample]) -> int:
    """Each text under its ticket; 5 if one would be left out."""
    lines: list[str] = []
    for number, sample in enumerate(samples, start=1):
        said = _("left out: {reason}").format(reason=sample.refused) if sample.refused else sample.language
        lines.append(f"{number}/{len(samples)} · #{sample.ticket_id} · {sample.customer} · {said}")
        lines += [f"! {warning}" for warning in sample.warnings]
        if sample.text:
            lines += ["", *(f"  {line}" for line in sample.text.rstrip("\n").split("\n")), ""]
    session.out.answer({"dry_run": True, "samples": samples}, lines)
    return Conflict.exit_code if any(sample.refused for sample in samples) else 0
