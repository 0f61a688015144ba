"""What was typed on the `:` line: brought back with the arrows, and kept for the next console of this agent.

The file is private, on this machine, and holds no text of anybody: a line that carries one is remembered by this
console alone.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from supportdesk.desk.actions import BY_ID
from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.tui.command_line import read_command
from supportdesk.tui.own_files import agents_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from supportdesk.tui.session import Session

KEPT: Final = 200
FREE_TEXT: Final = frozenset({"text", "body", "address", "customer"})
"""Arguments that may be a customer's words or address."""


class CommandHistory:
    """The lines of one console, the newest last."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_read = False

    def put_before(self, earlier: Iterable[str]) -> None:
        """What was kept stands before what this console has heard so far."""
        self.is_read = True
        self.lines[:] = _each_once([*earlier, *self.lines])

    def add(self, line: str) -> None:
        self.lines[:] = _each_once([*self.lines, line])


def read_history(session: Session) -> list[str]:
    """The lines that were kept. Reads a file."""
    path = agents_directory(session) / "commands"
    try:
        return path.read_text(encoding="utf-8").splitlines()[-KEPT:]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SupportdeskError(_("{path} cannot be read: {why}").format(path=path, why=error)) from None


def keep_command(session: Session, line: str) -> None:
    """Keep a line behind those of every console of this agent. Writes a file, for nobody else's eyes."""
    if not is_kept(line):
        return
    directory = agents_directory(session)
    path, written = directory / "commands", directory / f"commands-{os.getpid()}.new"
    lines = _each_once([*read_history(session), line])
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("".join(f"{one}\n" for one in lines))
        written.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise SupportdeskError(_("{path} cannot be written: {why}").format(path=path, why=why)) from None


def is_kept(line: str) -> bool:
    """Whether a line that can be read carries neither a text nor words that were searched for."""
    command = read_command(line)
    spec = BY_ID.get(command.action) if command is not None else None
    if command is None or spec is None:
        return command is not None and (not command.rest or command.rest.lstrip("#").isdigit())
    kinds = {param.name: param.kind for param in spec.params}
    return not any(kinds[name] in FREE_TEXT for name in command.params)


def _each_once(lines: list[str]) -> list[str]:
    """The newest of equal lines, at most so many."""
    return list(reversed(dict.fromkeys(reversed(lines))))[-KEPT:]
