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
    from pathlib import Path

    from supportdesk.config import Config

LOG = "console.log"


def write_log(config: Config, story: str) -> Path:
    """Append the traceback, which has code and no values of variables, to a file that only its owner can read."""
    directory = own_directory(config)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = directory / LOG
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n{safe(story, multiline=True)}\n\n")
    return path


def story(error: BaseException | None) -> str:
    """The tracebacks of an error and its causes by their kinds: what an error says may be a customer's words."""
    told: list[str] = []
    while error is not None:
        told += [*traceback.format_tb(error.__traceback__), f"{type(error).__name__}\n"]
        error = error.__cause__ or error.__context__
        told += ["because of\n"] if error is not None else []
    return "".join(told)


def sentence(path: Path) -> Text:
    return Text(_("The console broke. Your drafts are saved; what happened is in {path}.").format(path=safe(str(path))))
