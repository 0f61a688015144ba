"""`supportdesk demo`: a throwaway desk of an invented shop, with its own mail servers; nothing leaves the machine."""

from __future__ import annotations

from typing import Annotated

import typer

from supportdesk.cli.session import Session
from supportdesk.cli.verb import group, verb
from supportdesk.l10n.catalog import N_

app = group()


@verb(app, "demo", N_("A throwaway desk with its own mail servers; nothing leaves the machine"))
def demo(
    session: Session,
    headless: Annotated[
        bool, typer.Option("--headless", help=N_("Play it through without a terminal and report"))
    ] = False,
    seconds_between_mails: Annotated[
        float,
        typer.Option(
            "--seconds-between-mails", metavar="N", min=1.0, help=N_("How often a mail arrives while you look")
        ),
    ] = 20.0,
    keep: Annotated[bool, typer.Option("--keep", help=N_("Keep the desk, and say how to open it again"))] = False,
) -> int:
    from supportdesk.demo import run_demo

    return run_demo(
        headless=headless,
        seconds_between_mails=seconds_between_mails,
        language=session.language,
        keep=keep,
        as_json=session.json,
    )
