"""`supportdesk trace`: the life of one conversation, from the UID on the server to the words of the one it left by."""

from __future__ import annotations

from typing import Annotated

import typer

from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.l10n.catalog import N_

app = group()


@verb(app, "trace", N_("The whole life of a mail: UID, ticket, reply, the server's answer"), restricted=True)
def trace(
    session: Session,
    what: Annotated[str, typer.Argument(metavar="TICKET|MESSAGE-ID", help=N_("A ticket's number, or a Message-ID"))],
) -> None:
    from supportdesk.desk.trace import trace as follow

    found = follow(session.desk, what)
    session.out.answer(found, (f"{session.time(step.at)}  {step.text}" for step in found.steps))
