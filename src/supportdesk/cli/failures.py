"""What the command line says when something went wrong: one clear line, a hint, an exit code. Never a traceback.

Typer is not needed here: an error must be told even where Typer could not be loaded.
"""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.config import data_dir
from supportdesk.l10n.catalog import _
from supportdesk.safetext import safe

if TYPE_CHECKING:
    from supportdesk.errors import StoreError, SupportdeskError


def say(error: SupportdeskError) -> int:
    """Print the error and its hint on stderr; returns its exit code."""
    complain(error.message, error.hint)
    return error.exit_code


def complain(message: str, hint: str = "") -> None:
    """`supportdesk: MESSAGE` and, on a line of its own, the hint."""
    sys.stderr.write(f"supportdesk: {safe(message)}\n")
    if hint:
        sys.stderr.write("  " + _("hint: {hint}").format(hint=safe(hint)) + "\n")


def about_file(error: OSError) -> StoreError:
    """A file or directory that the machine refuses: what, why, and where another one is named."""
    from supportdesk.errors import StoreError

    reason = error.strerror or type(error).__name__
    return StoreError(
        _("{file} cannot be used: {reason}").format(file=error.filename, reason=reason),
        hint=_("look who may read and write it and its directory; --database and --config name other places"),
    )


def crash(error: Exception) -> int:
    """An error that nobody expected: where it happened goes to a file of the user's own, without values of any kind.

    Its words may be a customer's, and the worker's standard error is a log: what it is and its place are enough.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    summary = f"{type(error).__name__}{place}"
    try:
        path = _write_places(error)
    except OSError:
        complain(_("something went wrong that should not: {summary}").format(summary=summary))
        return 1
    complain(
        _("something went wrong that should not: {summary}").format(summary=summary),
        _("where it happened is in {path}; please report it").format(path=path),
    )
    return 1


def _write_places(error: BaseException) -> Path:
    """Append type and frames of the error: no message, no locals, no arguments, for they may be a customer's words."""
    path = data_dir() / "crash.log"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [f"{datetime.now(UTC).isoformat(timespec='seconds')} {type(error).__module__}.{type(error).__qualname__}\n"]
    cause: BaseException | None = error
    while cause is not None:
        lines += [
            f"  {frame.filename}:{frame.lineno} {frame.name}\n" for frame in traceback.extract_tb(cause.__traceback__)
        ]
        cause = cause.__cause__ or cause.__context__
        if cause is not None:
            lines.append(f" because of {type(cause).__qualname__}\n")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.writelines(lines)
    return path
