"""Part `cli`: whole processes as a shell starts them, in turns with a minimal Typer app and with Python alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.bench.desks import described, filled_desk
from tests.bench.measure import Options, alternate, median_ms
from tests.bench.report import BenchFailed, Part, Row

SIZE: Final = 5000

# What the installed command `supportdesk` does, and the same with a count of what it loaded.
OURS: Final = "import sys; from supportdesk.__main__ import main; sys.exit(main())"
COUNTED: Final = (
    "import sys; from supportdesk.__main__ import main; code = main()\n"
    "sys.stderr.write(f'\\n{len(sys.modules)}'); sys.exit(code)"
)
PEER: Final = '''import typer

app = typer.Typer()


@app.command()
def greet(name: str = "Ada") -> None:
    """Say hello."""
    print(f"hello {name}")


if __name__ == "__main__":
    app()
'''
_IMPORTS: Final = (
    "the peer imports Typer and prints; ours imports the desk as well, and under a profiler a third of the process is"
    " Python that makes its 146 dataclasses: a list and a search load the use cases of every other verb of a ticket,"
    " too. Next: import those of a verb when that verb runs."
)
WHY: Final = dict.fromkeys(("ticket list", "ticket list --json", "search"), _IMPORTS)


@dataclass(frozen=True, slots=True)
class _Command:
    """One command line of ours, what the peer is asked meanwhile, and the aim."""

    name: str
    arguments: tuple[str, ...]
    peer: str
    aim: str


def run(options: Options) -> Part:
    size = options.sized(SIZE)
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory, filled_desk(options, size) as made:
        given = f"{described(made)}, output to a pipe, caches warm; peer: a Typer app with one command"
        peer = Path(directory, "minimal.py")
        peer.write_text(PEER)
        there = ("--database", made.url, "--agent", made.agents[0].login)
        word = f"ord-{size:07d}"
        commands = (
            _Command("--version", ("--version",), "", "≤ 60 ms"),
            _Command("--help", ("--help",), "--help", "≤ 1.2×"),
            _Command("ticket list", ("ticket", "list", *there), "", "≤ 1.3×"),
            _Command("ticket list --json", ("ticket", "list", "--json", *there), "", "≤ 1.3×"),
            _Command("search", ("search", word, *there), "", "≤ 1.3×, then lower"),
        )
        runner = _Runner(_environment(Path(directory)))
        rows = [row for command in commands for row in _measured(command, runner, peer, options.runs)]
        for name, aim in (("doctor", "≤ 5,000 ms, at 1,000,000 tickets, too"), ("status", "")):
            arguments = ["-c", OURS, name, *there[:2]]
            rows.append(Row(name, median_ms(partial(runner.run, arguments, fine=(0, 6)), options.runs), "ms", aim=aim))
        floor = alternate({"python": lambda: runner.run(["-c", "pass"])}, options.runs)["python"]
        rows.append(Row("Python alone", floor * 1000, "ms"))
    return Part("cli", given, tuple(rows), why=WHY)


def _measured(command: _Command, runner: _Runner, peer: Path, runs: int) -> list[Row]:
    ours: list[str] = ["-c", OURS, *command.arguments]
    theirs = [str(peer), *([command.peer] if command.peer else [])]
    output, _ = runner.run(ours)
    runner.run(theirs)
    _, errors = runner.run(["-c", COUNTED, *command.arguments])
    taken = alternate({"ours": lambda: runner.run(ours), "theirs": lambda: runner.run(theirs)}, runs)
    return [
        Row(command.name, taken["ours"] * 1000, "ms", "minimal Typer app", taken["theirs"] * 1000, command.aim),
        Row(f"{command.name}: output", len(output.encode()), "bytes"),
        Row(f"{command.name}: modules loaded", int(errors.splitlines()[-1]), "modules"),
    ]


@dataclass(frozen=True, slots=True)
class _Runner:
    environment: dict[str, str]

    def run(self, arguments: list[str], *, fine: Sequence[int] = (0,)) -> tuple[str, str]:
        """Run Python to its end; what it wrote. Raises BenchFailed with its words."""
        done = subprocess.run(
            [sys.executable, *arguments], env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if done.returncode not in fine:
            shown = " ".join(arguments[2:] if arguments[0] == "-c" else arguments)
            raise BenchFailed(f"`{shown}` ended with {done.returncode}: {done.stderr.strip()[-300:]}")
        return done.stdout, done.stderr


def _environment(home: Path) -> dict[str, str]:
    """Nobody's settings, one language, and our source where it is not installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUPPORTDESK_", "PYTHON"))}
    source = str(Path(__file__).resolve().parents[2] / "src")
    places = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home)}
    return {**kept, **places, "LC_ALL": "C.UTF-8", "COLUMNS": "100", "PYTHONPATH": source}
