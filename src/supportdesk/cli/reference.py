"""The reference of the command line, made from its declarations: docs/cli.md.

python -m supportdesk.cli.reference --update FILE    write it
python -m supportdesk.cli.reference --check FILE     exit 1 when the file says something else
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from supportdesk.cli.app import COMMANDS, command_named, root
from supportdesk.errors import EXIT_INTERRUPTED
from supportdesk.l10n.catalog import use_language

HEAD = """# The command line

Made by `python -m supportdesk.cli.reference --update docs/cli.md`; a test keeps it so.

`supportdesk` alone opens the console. Every verb takes `--json`; what it prints then is ASCII on standard output, one
document, with the names of the data model. Tables line up with blanks, without tabs or colour, when they are piped.
Narration, progress and errors go to standard error. Where a verb takes ticket numbers, `-` reads them from standard
input: one a line (what follows the number is ignored, so a table can be piped in) or as JSON.

```
supportdesk ticket list refund --json | supportdesk ticket tag - --tags refund
ssh desk supportdesk ticket attachment 1042 2 > foto.jpg
supportdesk unanswered --older 24h || notify-send "somebody waits"
```

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong call or setting |
| 3 | a server could not be reached: try again |
| 4 | no such ticket, mailbox, agent … |
| 5 | conflict: somebody was first, or something new arrived on the ticket |
| 6 | a threshold: somebody waits (`unanswered`), something needs a person (`status --check`, `doctor`) |
"""


def main(arguments: list[str]) -> int:
    """Print, `--update FILE` or `--check FILE`."""
    text = reference()
    match arguments:
        case ["--update", file]:
            Path(file).write_text(text, encoding="utf-8")
        case ["--check", file]:
            if Path(file).read_text(encoding="utf-8") != text:
                sys.stderr.write(f"{file} is old: python -m supportdesk.cli.reference --update {file}\n")
                return 1
        case _:
            sys.stdout.write(text)
    return 0


def reference() -> str:
    """The whole page, in English."""
    use_language("en")
    parts = [HEAD + f"| {EXIT_INTERRUPTED} | interrupted |\n", "## Options of the program\n", *_table(root().params)]
    for name in COMMANDS:
        parts += ["", *_command(command_named(name), f"supportdesk {name}", 2)]
    return "\n".join(parts).rstrip("\n") + "\n"


def _command(command: Any, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}\n"
    yield f"{command.help}.\n"
    params = [param for param in command.params if not getattr(param, "hidden", False) and param.name != "global_json"]
    below = getattr(command, "commands", {})
    if not below or params:
        yield f"`{_usage(command, path)}`\n"
        yield from _table(params)
    for name, one in below.items():
        yield ""
        yield from _command(one, f"{path} {name}", level + 1)


def _usage(command: Any, path: str) -> str:
    context = typer.Context(command, info_name=path)
    pieces = command.collect_usage_pieces(context)
    return " ".join([path, *(piece.replace("{", "").replace("}", "") for piece in pieces)])


def _table(params: list[Any]) -> Iterator[str]:
    rows = [(_written(param), param.help or "") for param in params]
    if not rows:
        return
    yield "| | |"
    yield "|---|---|"
    for written, text in rows:
        yield f"| `{written}` | {text.replace('|', chr(92) + '|')} |"


def _written(param: Any) -> str:
    """How the parameter is typed; a bar would end the cell of the table."""
    metavar: str = (param.metavar or param.name).replace("|", "/")
    if param.param_type_name == "argument":
        return metavar
    names = ", ".join([*param.opts, *param.secondary_opts])
    return names if param.is_flag else f"{names} {metavar if param.metavar else metavar.upper()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
