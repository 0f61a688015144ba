"""Where a console keeps files of its own: on this machine, for nobody but the user that it runs as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.config import data_dir

if TYPE_CHECKING:
    from pathlib import Path

    from supportdesk.config import Config


def own_directory(config: Config) -> Path:
    """Beside an embedded database, else where this user's data are."""
    from supportdesk.bootstrap import database_path, is_file

    return database_path(config).parent if is_file(config.database) else data_dir()
