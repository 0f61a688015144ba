"""`supportdesk mail automatic`: what the acknowledgement and the reminders say, in each language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from supportdesk.cli.inputs import find_mailbox
from supportdesk.cli.session import Session
from supportdesk.cli.verb import verb
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_, _

TEXTS = ("acknowledgement", "reminder", "last-reminder")


def add_automatic(app: typer.Typer) -> None:
    """Put the verb among those of `supportdesk mail`."""
    verb(app, "automatic", N_("Print what automatic mail says, in each language"), restricted=True)(automatic)


def automatic(
    session: Session,
    mailbox: Annotated[str, typer.Argument(metavar="MAILBOX", help=N_("Its address or number"))] = "",
    text: Annotated[
        str, typer.Option("--text", metavar="|".join(TEXTS), help=N_("Which automatic mail"))
    ] = "acknowledgement",
    variant: Annotated[str, typer.Option("--variant", metavar="TAG", help=N_("Only this variant: it, de@formal"))] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="TIME", help=N_("As if a mail came then: 2026-11-20T18:00; without it, now"))
    ] = "",
) -> int:
    from supportdesk.desk.automatic_preview import preview

    box = find_mailbox(session.desk, mailbox)
    moment = _read_time(at, box.zone) if at else session.desk.clock.now()
    found = preview(session.desk, box, text=text, tag=variant, at=moment)
    switched_on = bool(box.settings.get("acknowledge"))
    fallback = str(box.settings.get("automatic_language") or "")
    if session.json:
        session.out.document(
            {"mailbox": box.address, "acknowledge": switched_on, "automatic_language": fallback, "texts": found}
        )
    else:
        state = _("acknowledgements are switched on") if switched_on else _("acknowledgements are switched off")
        session.out.line(f"{box.address}: {state}")
        if fallback:
            session.out.line(_("customers in whose language none is written get it in: {tag}").format(tag=fallback))
        else:
            session.out.line(_("customers in whose language none is written get no automatic mail"))
        for one in found:
            session.out.line(f"── {one.variant} ── {one.subject or one.error}")
            session.out.text(one.body.rstrip("\n"))
    return 1 if any(one.error for one in found) else 0


def _read_time(text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(_("{text} is no time").format(text=text), hint="2026-11-20T18:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
