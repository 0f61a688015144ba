"""The command `supportdesk`: hands over to the command line, the console or the worker, and says what went wrong.

It loads as little as it can: `--version` loads nothing but the package itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supportdesk.config import Config

# What a forced command keeps of the environment (R19): nothing that could start or load a program.
KEPT = frozenset({"TERM", "COLORTERM", "LANG", "TZ", "HOME", "USER", "LOGNAME", "PATH", "SHELL", "TMPDIR", "NO_COLOR"})
KEPT_PREFIXES = ("LC_", "SSH_", "XDG_")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code of errors.py. Nothing but this function decides about it."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given == ["--version"]:
        from supportdesk import __version__

        sys.stdout.write(f"supportdesk {__version__}\n")
        return 0
    from supportdesk.cli import failures
    from supportdesk.errors import EXIT_INTERRUPTED, SupportdeskError

    if "--restricted" in given:
        _clean_environment()
    try:
        from supportdesk.cli.app import Programs, run

        code = run(given, Programs(console=_console, worker=_worker))
        sys.stdout.flush()
    except SupportdeskError as error:
        return failures.say(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has seen enough; without this the interpreter complains once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return failures.say(failures.about_file(error)) if error.filename else failures.crash(error)
    except Exception as error:  # noqa: BLE001 — the last handler: says what happened without showing anybody's data
        return failures.crash(error)
    return code


def _console(config: Config, restricted: bool) -> int:
    from supportdesk.tui.app import run_console

    return run_console(config, restricted=restricted)


def _worker(config: Config, companion_of: int) -> int:
    from supportdesk.bootstrap import open_engine
    from supportdesk.worker import run_worker

    run_worker(open_engine(config), companion_of=companion_of)
    return 0


def _clean_environment() -> None:
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main())
