"""The command `supportdesk`: hands over to the command line, the console or the worker, and says what went wrong.

It loads as little as it can: `--version` loads nothing but the package itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supportdesk.config import Config

# What a forced command keeps of the environment (R19): nothing that could start or load a program, or name a file.
KEPT = frozenset({"TERM", "COLORTERM", "NO_COLOR", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"})
KEPT_PREFIXES = ("SSH_",)
NAMES = frozenset({"LANG", "TZ"})  # of a locale or a zone, never a path
NAME_PREFIX = "LC_"
SYSTEM_PATH = "/usr/bin:/bin"


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
    from supportdesk.engine import open_engine
    from supportdesk.worker import run_worker

    run_worker(open_engine(config), companion_of=companion_of)
    return 0


def _clean_environment() -> None:
    for name, value in list(os.environ.items()):
        is_name = (
            (name in NAMES or name.startswith(NAME_PREFIX)) and not value.startswith((":", "/")) and ".." not in value
        )
        if not is_name and name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ["PATH"] = SYSTEM_PATH


if __name__ == "__main__":
    sys.exit(main())
