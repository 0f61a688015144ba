"""Edits of canned responses that nobody has saved yet: kept on this machine, offered again, gone once they are saved.

The drafts of replies are rows of the desk, because colleagues see and take them over. An unsaved edit of what the whole
team shares is one agent's own until he saves it: it stays in a private file, which a killed console leaves behind, and
which can be written while the database takes nothing.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from supportdesk.errors import SupportdeskError
from supportdesk.l10n.catalog import _
from supportdesk.tui import ages
from supportdesk.tui.calls import WRITE
from supportdesk.tui.editor_files import EditorFiles
from supportdesk.tui.own_files import agents_directory, digest
from supportdesk.tui.screens.choose import DialogScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from supportdesk.tui.screens.base import DeskScreen
    from supportdesk.tui.session import Session

HEAD = ""
"""The tag of what is no variant: titles, fields and actions."""


@dataclass(frozen=True, slots=True)
class UnsavedEdit:
    """A text as it was typed; `version`: of the response that stood before the agent when he began."""

    key: str
    tag: str
    version: int
    text: str
    at: datetime


class UnsavedEdits:
    """Those of one agent on one desk. The methods read and write files: call them in a lane."""

    def __init__(self, session: Session) -> None:
        self._directory = agents_directory(session)

    def keep(self, edit: UnsavedEdit) -> None:
        """Write it down, in the place of what was kept of this text before. Raises SupportdeskError."""
        path = self._path(edit.key, edit.tag)
        written = path.with_suffix(".new")
        values = {"key": edit.key, "tag": edit.tag, "version": edit.version, "text": edit.text, "at": str(edit.at)}
        try:
            self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(values, file)
                file.flush()
                os.fsync(file.fileno())
            written.replace(path)
        except OSError as error:
            why = error.strerror or str(error)
            message = _("The unsaved text cannot be kept in {path}: {why}").format(path=self._directory, why=why)
            raise SupportdeskError(message) from None

    def find(self, key: str, tag: str) -> UnsavedEdit | None:
        """What was typed of this text and neither saved nor given up."""
        return _read(self._path(key, tag))

    def forget(self, key: str, tag: str) -> None:
        """It is saved, or given up."""
        self._path(key, tag).unlink(missing_ok=True)

    def every(self) -> list[UnsavedEdit]:
        """All there are, the newest first."""
        found = [edit for path in self._directory.glob("*.json") if (edit := _read(path)) is not None]
        return sorted(found, key=lambda edit: edit.at, reverse=True)

    def _path(self, key: str, tag: str) -> Path:
        return self._directory / f"{digest(key, tag)}.json"


def offer(
    screen: DeskScreen[Any], edit: UnsavedEdit, what: str, version: int, then: Callable[[UnsavedEdit | None], None]
) -> None:
    """Ask whether to go on with an edit or to give it up; `then` gets it, or None once it is given up."""
    session = screen.session
    at = ages.moment(edit.at, session.local_now())
    warning = _("The response was changed by somebody since you began.")
    text = edit.text if edit.version == version else f"{warning}\n\n{edit.text}"

    def pressed(key: str | None) -> None:
        if key == "c":
            then(edit)
        elif key == "d":
            screen.call(WRITE, lambda: UnsavedEdits(session).forget(edit.key, edit.tag), lambda _none: then(None))

    keys = [("c", _("continue")), ("d", _("discard")), ("esc", _("back"))]
    title = _("An unsaved edit of {what} from {time}").format(what=what, time=at)
    screen.put_question(DialogScreen(title, text, keys), pressed)


def what_was_begun(session: Session) -> list[str]:
    """A sentence for each kind of text that this agent began and did not finish, and the way there. Reads the desk."""
    said, files = [], EditorFiles(session)
    drafts = session.desk.drafts(session.actor)
    files.tidy({draft.id for draft in drafts})
    written = [draft for draft in drafts if draft.body.strip() or files.has_left(draft.id)]
    if written:
        said.append(_("Your draft for #{ticket} waits: g d opens it.").format(ticket=written[0].ticket_id))
    if UnsavedEdits(session).every():
        said.append(_("A canned response that you edited is not saved: g t, enter, e goes on."))
    return said


def _read(path: Path) -> UnsavedEdit | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return UnsavedEdit(**{**values, "at": datetime.fromisoformat(values["at"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SupportdeskError(_("{path} cannot be read: {why}").format(path=path, why=error)) from None
