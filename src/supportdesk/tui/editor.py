"""The agent's own editor for the text of a reply: $VISUAL, $EDITOR, nano, vi, whichever there is.

The file is private and is trusted more than the exit code. No exception leaves Textual's `suspend`, which would hang,
and what the keyboard tells the editor to end (`^C`, `^\\`) ends no console.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.tui.editor_files import EditorFile, hold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App

EDITORS = ("nano", "vi")
KEYBOARD_SIGNALS = (signal.SIGINT, signal.SIGQUIT)


def find_editor() -> list[str]:
    """The command line of the editor. Raises UsageError where there is none."""
    for variable in ("VISUAL", "EDITOR"):
        command = os.environ.get(variable, "")
        try:
            words = shlex.split(command)
        except ValueError:
            message = _("{variable} is no command, a quotation mark is not closed: {command}")
            raise UsageError(message.format(variable=variable, command=command), hint=_("set EDITOR")) from None
        if words and shutil.which(words[0]):
            return words
    for name in EDITORS:
        if shutil.which(name):
            return [name]
    raise UsageError(_("no editor was found"), hint=_("set EDITOR"))


def edit_text(app: App[object], text: str, file: EditorFile | None = None) -> str:
    """What the agent made of `text`. The console is suspended meanwhile and paints nothing.

    `file`: where the text is until the caller has saved it; without one it is gone when this returns.
    Raises UsageError; then `text` is still what was written.
    """
    if file is not None:
        return _edit(app, text, file)
    try:
        own = TemporaryDirectory(prefix="supportdesk-", ignore_cleanup_errors=True)  # 0700 by its contract
    except OSError as error:
        raise UsageError(_("There is no room for the editor's file: {why}").format(why=error.strerror)) from None
    with own as directory:
        file = hold(Path(directory))
        try:
            return _edit(app, text, file)
        finally:
            file.release()


def _edit(app: App[object], text: str, file: EditorFile) -> str:
    command = find_editor()
    file.write(text)
    code, problem = 0, ""
    try:
        with _keyboard_is_the_editors(), app.suspend():
            try:
                code = subprocess.run([*command, str(file.path)], check=False, pass_fds=(file.lock,)).returncode
            except OSError as error:
                problem = str(error.strerror)
    except SuspendNotSupported:
        problem = _("this terminal cannot be suspended")
    if problem:
        raise UsageError(_("{editor} could not run: {why}").format(editor=command[0], why=problem))
    try:
        made = file.read()
    except OSError as error:
        why = error.strerror or str(error)
        raise _left_nothing(command[0], why) from None
    if code and text and not made:  # it broke after it had emptied the file and before it could write
        raise _left_nothing(command[0], _("it failed and its file is empty"))
    return made


@contextmanager
def _keyboard_is_the_editors() -> Iterator[None]:
    """The editor is in the console's process group: what `^C` tells it, the console hears too, and has to overhear.

    With functions instead of SIG_IGN, which the editor would inherit.
    """
    kept = {number: signal.signal(number, lambda _number, _frame: None) for number in KEYBOARD_SIGNALS}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _left_nothing(editor: str, why: str) -> UsageError:
    return UsageError(_("{editor} left no text ({why}): yours is as it was before.").format(editor=editor, why=why))
