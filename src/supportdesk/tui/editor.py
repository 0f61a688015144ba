"""The agent's own editor for the text of a reply: $VISUAL, $EDITOR, nano, vi, whichever there is.

The file is private and is trusted more than the exit code. No exception leaves Textual's `suspend`, which would hang.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _

if TYPE_CHECKING:
    from textual.app import App

EDITORS = ("nano", "vi")


def find_editor() -> list[str]:
    """The command line of the editor. Raises UsageError where there is none."""
    for variable in ("VISUAL", "EDITOR"):
        words = shlex.split(os.environ.get(variable, ""))
        if words and shutil.which(words[0]):
            return words
    for name in EDITORS:
        if shutil.which(name):
            return [name]
    raise UsageError(_("no editor was found"), hint=_("set EDITOR"))


def edit_text(app: App[object], text: str) -> str:
    """What the agent made of `text`. The console is suspended meanwhile and paints nothing. Raises UsageError."""
    command = find_editor()
    handle, name = tempfile.mkstemp(prefix="reply-", suffix=".txt")  # 0600 by its contract
    path = Path(name)
    problem = ""
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            with app.suspend():
                try:
                    subprocess.run([*command, name], check=False)
                except OSError as error:
                    problem = str(error.strerror)
        except SuspendNotSupported:
            problem = _("this terminal cannot be suspended")
        if problem:
            raise UsageError(_("{editor} could not run: {why}").format(editor=command[0], why=problem))
        return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
    finally:
        path.unlink(missing_ok=True)
