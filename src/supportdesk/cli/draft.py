"""`supportdesk draft`: replies that are being written, and files for them from the agent's own machine."""

from __future__ import annotations

import mimetypes
import sys
from pathlib import Path
from typing import Annotated

import typer

from supportdesk.cli.inputs import one_ticket
from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.desk import labels
from supportdesk.desk.model import OutboxId
from supportdesk.errors import NotFound, UsageError
from supportdesk.l10n.catalog import N_, _
from supportdesk.safetext import safe_filename

app = group()
ANYWAY = typer.Option("--anyway", help=N_("Although a warning stands"))


@verb(app, "list", N_("List your drafts"), restricted=True)
def list_drafts(
    session: Session,
    everybody: Annotated[bool, typer.Option("--all", help=N_("Everybody's, to read and adopt"))] = False,
) -> None:
    drafts = session.desk.drafts(session.actor, everybody=everybody)
    logins = {agent.id: agent.login for agent in session.desk.agents()}
    session.out.table(
        drafts,
        (_("draft"), "#", _("agent"), _("kind"), _("subject"), _("changed")),
        (
            (one.id, one.ticket_id, logins.get(one.agent_id, "") if one.agent_id else "",
             labels.word(labels.WRITTEN, one.kind), one.subject,
             session.time(one.updated_at, one.mailbox_id))
            for one in drafts
        ),
    )  # fmt: skip


@verb(app, "show", N_("Print a draft"), restricted=True)
def show(
    session: Session,
    draft: Annotated[int, typer.Argument(metavar="DRAFT", help=N_("Its number"))],
) -> None:
    row = session.desk.outbox_row(OutboxId(draft))
    if session.json:
        session.out.document(row)
        return
    to = ", ".join(one.address for one in row.recipients if one.role == "to")
    session.out.line(f"#{row.ticket_id} · {labels.word(labels.OUTBOX, row.state)} · {_('to')}: {to}")
    session.out.line(f"{_('subject')}: {row.subject}")
    session.out.line()
    session.out.text(row.body)
    for item in row.attachments:
        session.out.line(f"@ {item.name} · {item.content_type} · {item.size}")


@verb(app, "attach", N_("Attach a file from standard input to your reply on a ticket"), restricted=True)
def attach(
    session: Session,
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help=N_("Whose draft; it is made if there is none"))],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help=N_("What the file is called; its content comes on standard input"))
    ],
    draft: Annotated[
        int, typer.Option("--draft", metavar="DRAFT", help=N_("To this draft of yours: a forward, a new conversation"))
    ] = 0,
) -> None:
    if sys.stdin.isatty():
        path = Path(name)
        hint = f"supportdesk draft attach {ticket} {safe_filename(path.name)} < {name}"
        raise UsageError(_("the file comes on standard input"), hint=hint)
    data = sys.stdin.buffer.read()
    if not data:
        raise UsageError(_("standard input is empty"))
    clean = safe_filename(name)
    content_type = mimetypes.guess_type(clean)[0] or "application/octet-stream"
    draft_id = OutboxId(draft) if draft else session.desk.open_draft(session.actor, one_ticket(ticket)).id
    row = session.desk.attach(session.actor, draft_id, clean, content_type, data)
    line = _("{name} ({size} bytes) is attached to draft {draft} on #{ticket}").format(
        name=clean, size=len(data), draft=row.id, ticket=row.ticket_id
    )
    session.out.answer(row, [line])


@verb(app, "adopt", N_("Make a colleague's draft yours"), restricted=True)
def adopt(
    session: Session,
    draft: Annotated[int, typer.Argument(metavar="DRAFT", help=N_("Its number"))],
) -> None:
    row = session.desk.adopt_draft(session.actor, OutboxId(draft))
    session.out.answer(row, [_("draft {id} on #{ticket}").format(id=row.id, ticket=row.ticket_id)])


@verb(app, "discard", N_("Throw a draft away"), restricted=True)
def discard(
    session: Session,
    draft: Annotated[int, typer.Argument(metavar="DRAFT", help=N_("Its number"))],
) -> int:
    from supportdesk.cli.actions import tell_done

    return tell_done(session, session.desk.discard_draft(session.actor, OutboxId(draft)))


@verb(app, "send", N_("Send a draft as it is"), restricted=True)
def send(
    session: Session,
    draft: Annotated[int, typer.Argument(metavar="DRAFT", help=N_("Its number"))],
    seen: Annotated[int, typer.Option("--seen", metavar="SEQ", help=N_("Up to where you have read the ticket"))] = -1,
    after: Annotated[str, typer.Option("--after", metavar="STATUS", help=N_("What the ticket becomes"))] = "",
    at: Annotated[str, typer.Option("--at", metavar="WHEN", help=N_("Send it then: tomorrow 9am, mon 15:00, 3d"))] = "",
    anyway: Annotated[bool, ANYWAY] = False,
    ask_again: Annotated[
        bool, typer.Option("--ask-again", help=N_("Remind a customer who does not answer, on business days 4 and 6"))
    ] = False,
) -> int:
    from supportdesk.cli.actions import send_draft
    from supportdesk.desk.arguments import read_when

    row = session.desk.outbox_row(OutboxId(draft))
    if row.state != "draft":
        raise NotFound(
            _("{id} is no draft: it is {state}").format(id=draft, state=labels.word(labels.OUTBOX, row.state))
        )
    return send_draft(
        session, row, seen=seen, anyway=anyway, after=after or row.after_status or "pending",
        at=read_when(session.desk, at, (row.ticket_id,)) if at else None,
        ask_again=ask_again,
    )  # fmt: skip
