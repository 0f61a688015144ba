"""`./desk bench [PART…]`: measures and prints; `--write` and `--page` make a document of it.

Nothing here is a test: bytes, counts and growth are for reading, ratios are against a peer in the same run. A row above
its limit is named at the end, and the exit code is 6 (1: something could not be measured).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Final

from supportdesk.errors import SupportdeskError
from tests.bench.given import BadInput, read_mails, write_mails
from tests.bench.measure import Options, say
from tests.bench.report import BenchFailed, Part, document, page, table

PARTS: Final = ("mime", "ingest", "search", "queue", "cli", "console", "send", "crowd", "copy", "language", "clock")
ON_ONE_DESK: Final = ("search", "queue")
READ_MAIL: Final = ("mime", "ingest", "send")
MAILS_OUT: Final = 1000
PROFILED: Final = 12
ON_A_PAGE: Final = 5
PLACES: Final = {"--database": "URL", "--desk": "DB"}
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def main(arguments: Sequence[str]) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    wanted = [part for part in PARTS if part in given.parts] or list(PARTS)
    if given.write and len(wanted) < len(PARTS):
        parser.error("--write is for all parts together; some of them go to a page of their own (--page FILE)")
    profile = _profile_lines(given)
    options = Options(
        size=given.size, runs=given.runs, database=given.database, profile=profile, desk=given.desk,
        messages=given.messages, body=given.body,
    )  # fmt: skip
    if given.parts and given.mails and not set(READ_MAIL) & set(given.parts):
        parser.error(f"--mails is for {', '.join(READ_MAIL)}")
    command = " ".join(["./desk bench", *_without_places(arguments)])
    with tempfile.TemporaryDirectory(prefix="supportdesk-bench-") as directory:
        try:
            if given.mails_out:
                written = write_mails(given.mails_out, given.size or MAILS_OUT, Path(directory))
                print(f"{given.mails_out}: {written.described}")
                return 0
            if given.mails:
                options = replace(options, mails=read_mails(given.mails, Path(directory), given.size))
        except BadInput as error:
            parser.error(str(error))
        return _measure(wanted, options, given, command)


def _measure(wanted: Sequence[str], options: Options, given: argparse.Namespace, command: str) -> int:
    found: list[Part] = []
    failures: list[str] = []
    for names, measure in _groups(wanted):
        say(f"measuring {', '.join(names)} …")
        start = time.perf_counter()
        try:
            parts = measure(options)
        except (BenchFailed, SupportdeskError) as error:
            failures.append(f"{', '.join(names)}: {error}")
            continue
        finally:
            say("")
        seconds = (time.perf_counter() - start) / len(parts)
        for part in parts:
            found.append(replace(part, seconds=round(seconds, 1)))
            if not given.json:
                print(table(found[-1]), end="\n\n", flush=True)
    if given.json:
        print(document(found, command))
    for failure in failures:
        print(f"could not be measured: {failure}", file=sys.stderr)
    target = given.page or (PAGE if given.write else None)
    if target and not failures:
        target.write_text(page(found, command, _server_version(options.database)), "utf-8")
        print(f"wrote {target}", file=sys.stderr)
    broken = [f"{part.name}: {' '.join(row.cells()).strip()}" for part in found for row in part.rows if row.is_broken]
    for promise in broken:
        print(f"above its limit: {promise}", file=sys.stderr)
    return 1 if failures else 6 if broken else 0


def _profile_lines(given: argparse.Namespace) -> int:
    """How many lines each list of a profile has: many for who asked, the first few on a page, none otherwise."""
    if given.profile is not None:
        return PROFILED if given.profile else 0
    return ON_A_PAGE if given.write or given.page else PROFILED if given.parts else 0


def _without_places(arguments: Sequence[str]) -> list[str]:
    """The arguments as a page shows them: which server and which file it was is nobody's business there."""
    shown: list[str] = []
    for argument in arguments:
        name, given, _value = argument.partition("=")
        if shown and shown[-1] in PLACES:
            shown.append(PLACES[shown[-1]])
        else:
            shown.append(f"{name}={PLACES[name]}" if given and name in PLACES else argument)
    return shown


def _server_version(database: str) -> str:
    if not database:
        return ""
    import psycopg

    with psycopg.connect(database) as connection:
        [version] = connection.execute("SHOW server_version").fetchone() or ("",)
    return str(version).partition(" ")[0]


def _groups(wanted: Sequence[str]) -> Iterator[tuple[list[str], Callable[[Options], list[Part]]]]:
    """The parts in order, each with what measures it; those that share a filled desk go together."""
    shared = [name for name in wanted if name in ON_ONE_DESK]
    for name in wanted:
        if name not in shared:
            yield [name], lambda options, name=name: [import_module(f"tests.bench.{name}").run(options)]  # type: ignore[misc]
        elif name == shared[0]:
            yield shared, lambda options: import_module("tests.bench.filled").run(options, shared)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./desk bench", description="Measures ours against peers in the same run.")
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", type=_part, help=f"{', '.join(PARTS)}; without one: all of them")
    add("--size", type=_positive, metavar="N", help="mails or tickets; each part has a small default of its own")
    add("--runs", type=_positive, metavar="N", default=5, help="repetitions that a median is taken of (5)")
    add("--database", metavar="URL", default="", help="a PostgreSQL server for scratch databases (SQLite in $TMPDIR)")
    add(
        "--desk",
        type=_database,
        metavar="DB",
        default="",
        help="a desk for search, queue, cli, console: filled up to the size, kept",
    )
    add("--mails", type=_path, metavar="PATH", help="what mime, ingest and send read: .eml files, an mbox, a Maildir")
    add("--mails-out", type=_path, metavar="DIR", help="write the generated mails as a Maildir, and measure nothing")
    add("--messages", type=_positive, metavar="N", default=1, help="messages of each ticket of a filled desk (1)")
    add("--body", type=_positive, metavar="N", default=0, help="characters of each of those messages (some 280)")
    add(
        "--profile", action=argparse.BooleanOptionalAction, default=None,
        help="say where the time of ingest and mime goes (when they are asked for by name; the first lines on a page)",
    )  # fmt: skip
    add("--json", action="store_true", help="one JSON document instead of tables")
    add("--write", action="store_true", help="write docs/performance.md (all parts)")
    add("--page", type=_path, metavar="FILE", help="write what was asked for to this page (Markdown)")
    return parser


def _part(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(PARTS)}")
    return text


def _path(text: str) -> Path:
    """`./desk` runs in the project's directory; a path is meant from where it was called."""
    return Path(os.environ.get("DESK_CALLER", ""), text)


def _database(text: str) -> str:
    return text if not text or "://" in text else str(_path(text))


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
