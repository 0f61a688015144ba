"""Notes that are being written, each in a private file until it is saved: a draft row holds only what is mailed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.bootstrap import database_path, is_file
from supportdesk.config import data_dir

if TYPE_CHECKING:
    from supportdesk.desk.model import TicketId
    from supportdesk.tui.session import Session


def read_note(session: Session, ticket_id: TicketId) -> str:
    """The note that was begun on this ticket and never saved; empty if there is none."""
    path = _path(session, ticket_id)
    return path.read_text(encoding="utf-8") if path.exists() else ""


def keep_note(session: Session, ticket_id: TicketId, text: str) -> None:
    """Keep the text, durable before it replaces what was kept; an empty one removes it."""
    path = _path(session, ticket_id)
    if not text.strip():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _path(session: Session, ticket_id: TicketId) -> Path:
    database = session.config.database
    directory = database_path(session.config).parent if is_file(database) else data_dir()
    return directory / "notes" / f"{session.agent.id}-{ticket_id}.txt"
