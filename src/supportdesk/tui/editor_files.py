"""The files in which an agent's own editor has a text: private, and of a draft also found again after a killed console.

Each draft has a directory of its own, locked for as long as the console or the editor that it started lives: what
stands in one that nobody holds was left behind. What was written and not yet saved to the draft is never deleted.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from supportdesk.desk.model import OutboxId
from supportdesk.errors import UsageError
from supportdesk.l10n.catalog import _
from supportdesk.tui.own_files import agents_directory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from supportdesk.tui.session import Session

TEXT, BEGUN = "text.txt", "begun.txt"
RESCUED = f"{TEXT}.save"
"""Where nano puts what nobody saved when its terminal is taken away."""

RECOVERABLE = f".{TEXT}.sw"
"""How the files begin from which vi offers, at the next edit of this text, what nobody saved."""


KEPT_SECONDS: Final = 30 * 86_400
"""For so long the words of a draft that was sent or discarded meanwhile are kept on this machine."""


class InUseError(UsageError):
    """Another console, or the editor that it started, has the text."""


class EditorFile:
    """One text in its directory, held by this process; an editor that inherits `lock` holds it too."""

    def __init__(self, directory: Path, lock: int) -> None:
        self._directory = directory
        self.lock = lock
        self.path = directory / TEXT

    def write(self, text: str) -> None:
        """Put the text there that the editor begins with. Raises UsageError."""
        with _usable(self._directory):
            for name in (TEXT, BEGUN):  # while there is only the one, nothing has been written in it yet
                handle = os.open(self._directory / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)

    def read(self) -> str:
        """What the editor has made of it. Raises OSError."""
        rescued = self._directory / RESCUED
        return _read(rescued if rescued.is_file() else self.path)

    def left(self) -> tuple[str, str] | None:
        """What was begun with and what was made of it, where there are words in that. Raises UsageError."""
        begun = self._directory / BEGUN
        if not self.path.is_file() or not begun.is_file():
            return None
        with _usable(self._directory):
            before, made = _read(begun), self.read()
        return (before, made) if made.strip() and made != before else None

    def forget(self, *, wholly: bool = False) -> None:
        """It is saved, or nothing came of it; `wholly`: nobody wants what vi may recover, either. Raises UsageError."""
        if self.lock < 0:
            return
        with _usable(self._directory):
            for path in self._directory.iterdir():
                if wholly or not path.name.startswith(RECOVERABLE):
                    path.unlink()
            if not [*self._directory.iterdir()]:
                self._directory.rmdir()
        self.release()

    def release(self) -> None:
        """Leave it as it is; whoever comes next may have it."""
        handle, self.lock = self.lock, -1
        if handle >= 0:
            os.close(handle)


def hold(directory: Path) -> EditorFile:
    """The text of a directory, made where there is none. Raises UsageError; InUseError when somebody holds it."""
    with _usable(directory):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            if isinstance(error, BlockingIOError):
                raise InUseError(_("This text is open in an editor of another console.")) from None
            raise
    return EditorFile(directory, lock)


class EditorFiles:
    """Those of the drafts of one agent on one desk."""

    def __init__(self, session: Session) -> None:
        self._directory = agents_directory(session)

    def hold(self, draft: OutboxId) -> EditorFile:
        """That of a draft. Raises UsageError; InUseError when somebody holds it."""
        return hold(self._path(draft))

    def find(self, draft: OutboxId) -> EditorFile | None:
        """That of a draft which a console left behind, with words in it; None where an editor still has it.

        Raises UsageError.
        """
        file = self._unheld(draft)
        if file is not None and file.left() is None:
            file.forget()
            return None
        return file

    def has_left(self, draft: OutboxId) -> bool:
        """Whether an editor has, or had, what is not in the draft yet. Raises UsageError."""
        return EditorFile(self._path(draft), -1).left() is not None

    def can_recover(self, draft: OutboxId) -> bool:
        """Whether vi, ended with its terminal, kept something that nobody saved: it offers that at the next edit.

        Raises UsageError.
        """
        file = self._unheld(draft)
        if file is None:
            return False
        file.release()
        return any(self._path(draft).glob(f"{RECOVERABLE}*"))

    def tidy(self, drafts: Collection[OutboxId]) -> None:
        """Delete what is of no draft any more and has been left alone for KEPT_SECONDS. Raises UsageError."""
        with _usable(self._directory):
            for path in self._directory.glob("draft-*"):
                draft = OutboxId(int(path.name.removeprefix("draft-")))
                is_old = time.time() - path.stat().st_mtime > KEPT_SECONDS
                if is_old and draft not in drafts and (file := self._unheld(draft)) is not None:
                    file.forget(wholly=True)

    def _unheld(self, draft: OutboxId) -> EditorFile | None:
        if not self._path(draft).is_dir():
            return None
        try:
            return self.hold(draft)
        except InUseError:  # whoever holds it saves it
            return None

    def _path(self, draft: OutboxId) -> Path:
        return self._directory / f"draft-{draft}"


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(_("The editor's file in {path} cannot be used: {why}").format(path=path, why=why)) from None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace").removesuffix("\n")
