"""A word before what cannot be taken back: asked for on a terminal, said with `--yes` by a script."""

from __future__ import annotations

import typer

from supportdesk.cli.inputs import confirm, is_interactive
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import N_

YES = typer.Option("--yes", help=N_("Do not ask"))


def is_agreed(question: str, *, yes: bool, without: str = "") -> bool:
    """Whether it may be done. `without` is what a script is told that has not said --yes; none: it goes on."""
    if yes:
        return True
    if is_interactive():
        return confirm(question, default=False)
    if without:
        raise UsageError(without)
    return True
