"""The admin's own command that a text is shown through: a translator, as a rule. It reads the text and prints another.

It is started without a shell, in no terminal, with an environment of its own; what it prints is untrusted like a mail.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from typing import Final

from supportdesk.errors import ConfigError, SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe

PATIENCE: Final = 20.0
MOST_OCTETS: Final = 1_000_000
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE")


def translated(command: str, text: str, *, patience: float = PATIENCE) -> str:
    """What the command prints for the text. Raises SupportdeskError with its own words when it fails or takes long."""
    arguments = program_of(command)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complained:
        given.write(text.encode("utf-8", "replace"))
        given.seek(0)
        try:
            process = subprocess.Popen(
                arguments, stdin=given, stdout=printed, stderr=complained, env=environment, cwd="/",
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise ConfigError(
                _("{program} cannot be started: {why}").format(program=arguments[0], why=error.strerror)
            ) from None
        try:
            code = process.wait(patience)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            raise SupportdeskError(
                _("{program} took longer than {seconds:.0f} seconds").format(program=arguments[0], seconds=patience)
            ) from None
        printed.seek(0)
        complained.seek(0)
        if code:
            words = complained.read(400).decode("utf-8", "replace").strip() or _("exit code {code}").format(code=code)
            raise SupportdeskError(f"{arguments[0]}: {safe(words)}")
        return printed.read(MOST_OCTETS).decode("utf-8", "replace")


def program_of(command: str) -> list[str]:
    """The program and its arguments. Raises ConfigError where none is set, or it cannot be read."""
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise ConfigError(_("translator cannot be read: {error}").format(error=error)) from None
    if not arguments:
        raise ConfigError(
            _("No command is set to show texts through."),
            hint=_("`translator` in the settings names it: a program that reads a text and prints its translation"),
        )
    return arguments
