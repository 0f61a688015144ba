"""What is left behind when the console breaks: a private log with the traceback, and one sentence on the terminal."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe
from supportdesk.tui.own_files import own_directory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from supportdesk.config import Config

LOG = "console.log"


def report(config: Config, error: BaseException | None, unsaved: Sequence[BaseException], *, is_saved: bool) -> Text:
    """Write the story down and say so; `unsaved`: what went wrong while the texts were saved before."""
    told = "while saving:\n".join(story(one) for one in (error, *unsaved))
    saved = _("Your drafts are saved.") if is_saved else _("What you typed last is not saved.")
    path = own_directory(config) / LOG
    try:
        write_log(path, told)
        where = _("What happened is in {path}.").format(path=safe(str(path)))
    except OSError as failure:
        why = failure.strerror or str(failure)
        where = _("What happened could not be written to {path}: {why}").format(path=safe(str(path)), why=why)
    return Text(" ".join((_("The console broke."), saved, where)))


def write_log(path: Path, story: str) -> None:
    """Append the traceback, which has code and no values of variables, to a file that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{safe(story, multiline=True)}\n\n")


def story(error: BaseException | None) -> str:
    """The tracebacks of an error and its causes by their kinds: what an error says may be a customer's words."""
    told: list[str] = []
    while error is not None:
        told += [*traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n"]
        error = error.__cause__ or error.__context__
        told += ["because of\n"] if error is not None else []
    return "".join(told)
