"""The worker that a console brings along: mail never runs in the console's own process.

Where nobody holds the worker's lease, one is started in a session of its own. It outlives the console until nothing is
due any more, and what it says goes to a log file beside the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from supportdesk.bootstrap import database_path, is_file
from supportdesk.config import data_dir
from supportdesk.l10n.catalog import current_language

if TYPE_CHECKING:
    from supportdesk.config import Config
    from supportdesk.desk.desk import Desk

LOG = "worker.log"


def ensure_worker(desk: Desk, config: Config) -> int | None:
    """Start a companion unless some worker holds the lease; its process id, None if none was needed."""
    if desk.status().delivering:
        return None
    return start_companion(config, os.getpid())


def start_companion(config: Config, console: int) -> int:
    """Start `supportdesk worker --companion CONSOLE` on the same desk, detached; its process id."""
    path = log_path(config)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    environment = {**os.environ, "SUPPORTDESK_DATABASE": config.database}
    if config.source is not None:
        environment["SUPPORTDESK_CONFIG"] = str(config.source)
    program = [sys.executable, "-m", "supportdesk"]
    with os.fdopen(handle, "ab") as log:
        process = subprocess.Popen(
            [*program, "--language", current_language(), "worker", "--companion", str(console)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment,
            cwd="/",
        )
    process.returncode = 0  # nobody waits for it: it outlives this process
    return process.pid


def log_path(config: Config) -> Path:
    """Where the companion writes: beside the database if that is a file of this machine, else in the data directory."""
    return (database_path(config).parent if is_file(config.database) else data_dir()) / LOG
