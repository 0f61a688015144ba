"""`./desk test`: fetches Debian's servers where it can, then runs the whole suite."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import debian

PROJECT = Path(__file__).resolve().parent.parent
AT_ONCE = 3
"""On two cores: a third of the suite's time is spent waiting for servers, terminals and leases."""


def main(arguments: list[str]) -> int:
    # A failed installation is no failure of its own: the group that wanted the server is skipped, and CI refuses that.
    debian.main()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    workers = (
        []
        if any(argument.startswith(("-n", "--pdb")) for argument in arguments)
        else ["-n", str(AT_ONCE), "--dist", "worksteal"]
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *workers, *arguments], cwd=PROJECT, env=environment
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
