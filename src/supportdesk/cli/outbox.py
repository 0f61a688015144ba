"""`supportdesk outbox`: replies on their way out, and the decisions that only a person can take about them."""

from __future__ import annotations

from typing import Annotated

import typer

from supportdesk.cli.actions import tell_done
from supportdesk.cli.agreement import YES, is_agreed
from supportdesk.cli.inputs import check_limit
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.model import OUTBOX_STATES, OutboxId
from supportdesk.errors import EXIT_INTERRUPTED, UsageError
from supportdesk.l10n.catalog import N_, _

app = group()
AUTOMATIC = ("acknowledgement", "bump")
UNSENT = ("held", "sending", "deferred", "uncertain", "failed")
NUMBER = typer.Argument(metavar="NUMBER", help=N_("Its number in the outbox"))


@verb(app, "list", N_("List what is not delivered, with the server's words"), restricted=True)
def list_outbox(
    session: Session,
    state: Annotated[
        str, typer.Option("--state", metavar="|".join(OUTBOX_STATES), help=N_("Only this state; also sent and bounced"))
    ] = "",
    limit: Annotated[int, typer.Option("--limit", help=N_("At most so many; 0 for all"))] = 100,
) -> None:
    if state and state not in OUTBOX_STATES:
        raise UsageError(_("there is no state {state}").format(state=state), hint=", ".join(OUTBOX_STATES))
    rows = session.desk.read.outbox(states=(state,) if state else UNSENT, limit=check_limit(limit))
    session.out.table(
        rows,
        (_("number"), "#", _("state"), _("to"), _("subject"), _("next try"), _("error")),
        (
            (row.id, row.ticket_id, labels.word(labels.OUTBOX, row.state),
             [one.address for one in row.recipients if one.role == "to"], row.subject,
             session.time(row.next_try or row.not_before, row.mailbox_id), row.error)
            for row in rows
        ),
    )  # fmt: skip


@verb(app, "retry", N_("Send a refused reply again"), restricted=True)
def retry(session: Session, number: Annotated[int, NUMBER]) -> int:
    return tell_done(session, session.desk.retry_failed(session.actor, OutboxId(number)))


@verb(app, "resend", N_("Send a reply in doubt again: the customer may get it twice"), restricted=True)
def resend(session: Session, number: Annotated[int, NUMBER], yes: Annotated[bool, YES] = False) -> int:
    row = session.desk.outbox_row(OutboxId(number))
    if row.state == "uncertain":
        to = ", ".join(one.address for one in row.recipients if one.role == "to")
        question = _("Send it to {address} again? It may be there already.").format(address=to)
        if not is_agreed(question, yes=yes):
            return EXIT_INTERRUPTED
    return tell_done(session, session.desk.resolve_uncertain(session.actor, OutboxId(number), "resend"))


@verb(app, "mark-sent", N_("Decide that a reply in doubt was delivered"), restricted=True)
def mark_sent(session: Session, number: Annotated[int, NUMBER]) -> int:
    return tell_done(session, session.desk.resolve_uncertain(session.actor, OutboxId(number), "mark_sent"))


@verb(app, "cancel", N_("Make a reply that is not on the wire a draft again"), restricted=True)
def cancel(session: Session, number: Annotated[int, NUMBER]) -> None:
    row = session.desk.cancel_send(session.actor, OutboxId(number))
    if row.kind in AUTOMATIC:
        line = _("The automatic mail to #{ticket} is not sent").format(ticket=row.ticket_id)
        session.out.answer(row, [line])
        return
    session.out.answer(row, [_("draft {id} on #{ticket}").format(id=row.id, ticket=row.ticket_id)])
