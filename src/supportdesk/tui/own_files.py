"""Where a console keeps files of its own: on this machine, for nobody but the user that it runs as."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from supportdesk.config import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from supportdesk.config import Config
    from supportdesk.tui.session import Session


def own_directory(config: Config) -> Path:
    """Beside an embedded database, else where this user's data are."""
    from supportdesk.bootstrap import database_path, is_file

    return database_path(config).parent if is_file(config.database) else data_dir()


def agents_directory(session: Session) -> Path:
    """For what one agent has not finished or has typed on one desk; it is there once something was written."""
    from supportdesk.bootstrap import database_path, is_file

    config = session.config
    desk = str(database_path(config).resolve()) if is_file(config.database) else config.database
    return own_directory(config) / f"unsaved-{os.getuid()}" / digest(desk, session.agent.login)


def digest(*parts: str) -> str:
    """A name that tells nothing of what it is made of."""
    return sha256("\n".join(parts).encode()).hexdigest()[:32]
