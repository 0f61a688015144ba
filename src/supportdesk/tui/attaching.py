"""How a file comes to a draft: by its path on this machine, or sent from the agent's own through SSH."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.complete_path import complete_path
from supportdesk.tui.screens.choose import DialogScreen
from supportdesk.tui.ticket_looks import own_address

if TYPE_CHECKING:
    from collections.abc import Callable

    from supportdesk.desk.model import OutboxRow
    from supportdesk.tui.screens.compose import ComposeScreen


def ask_for_file(screen: ComposeScreen, row: OutboxRow, attach: Callable[[str], None]) -> None:
    """Ask for a path; over SSH show first the command that sends a file from the agent's machine.

    Restricted agents have no path here, and only the command.
    """
    session = screen.session
    command = sending_command(row, session.config.ssh_host)

    def ask_path() -> None:
        screen.ask_line("attach", _("Attach the file:"), attach, value="~/", complete=complete_path)

    def pressed(key: str | None) -> None:
        if key == "c":
            shown = safe(command)
            screen.console.copy_to_clipboard(shown)
            screen.tell(_("Copied the command") + f": {shown}")
        elif key == "f":
            ask_path()

    if command:
        here = [] if session.restricted else [("f", _("a file of this machine"))]
        text = _("To attach a file of your own machine, run there:") + f"\n{command}\n\n"
        text += _("FILE is its name. It stands here as soon as it has come.")
        keys = [("c", _("copy the command")), *here, ("esc", _("back"))]
        screen.put_question(DialogScreen(_("Attach a file"), text, keys), pressed)
    elif session.restricted:
        screen.tell(_("Files of this machine cannot be attached here."), severity="warning")
    else:
        ask_path()


def sending_command(row: OutboxRow, host: str) -> str:
    """What sends a file from the agent's own machine to this draft; nothing where this is that machine."""
    if not os.environ.get("SSH_CONNECTION"):
        return ""
    which = [] if row.kind == "reply" else ["--draft", str(row.id)]
    words = ["ssh", host or own_address(), "supportdesk", "draft", "attach", *which, str(row.ticket_id)]
    return f"{shlex.join(words)} FILE < FILE"
