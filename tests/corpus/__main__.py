"""`./desk corpus [DIR] [--json] [--verbose]`: prints what was found and exits with 1 when a limit is broken."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.corpus import bounces, folding, peers, reading, replay, taking_in, threads
from tests.corpus.findings import Group, table
from tests.corpus.folder import Folder
from tests.support.corpus import NoCorpus, find_corpus

GROUPS = ("reading", "intake", "dovecot", "zammad", "stalwart", "bounces", "people", "threads", "folding")
ON_SERVERS = ("mailbox",)  # only when asked for: it needs Dovecot and its time


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="./desk corpus", description="Real and nasty mail, and what others read in it."
    )
    add = parser.add_argument
    add("directory", nargs="?", type=Path, metavar="DIR", help="a folder laid out like the corpus beside the project")
    add(
        "--only",
        action="append",
        choices=(*GROUPS, *ON_SERVERS),
        default=[],
        help="one of the questions; may be repeated",
    )
    add("--verbose", action="store_true", help="list what is behind every figure")
    add("--json", action="store_true", help="one JSON document instead of tables")
    given = parser.parse_args(arguments)
    try:
        folder = Folder(given.directory or find_corpus())
    except NoCorpus as error:
        parser.error(str(error))
    if not folder.names():
        parser.error(f"no messages/**/*.eml in {folder.directory}")
    found: list[Group] = []
    for group in examine(folder, given.only or GROUPS):
        found.append(group)
        if not given.json:
            print(table(group, verbose=given.verbose), end="\n\n", flush=True)
    if given.json:
        print(json.dumps([asdict(group) | {"holds": group.holds} for group in found], ensure_ascii=False, indent=1))
    broken = [f"{group.name}: {one.measure}" for group in found for one in group.findings if not one.holds]
    for line in broken:
        print(f"broken: {line}", file=sys.stderr)
    return 1 if broken else 0


def examine(folder: Folder, wanted: Sequence[str]) -> Iterator[Group]:
    """The groups in order; what the folder has no expectations for is left out."""
    names = folder.names()
    if "mailbox" in wanted:
        yield replay.measure(folder, names)
    if not set(wanted) - set(ON_SERVERS):
        return
    read = reading.read_all(folder, names)
    asked: dict[str, tuple[str, Callable[[], Group]]] = {
        "reading": ("", lambda: reading.measure(read)),
        "intake": ("", lambda: taking_in.measure(folder, names)),
        "dovecot": ("dovecot-structure", lambda: peers.dovecot(folder, read.mails)),
        "zammad": ("zammad", lambda: peers.zammad(folder, read.mails)),
        "stalwart": ("stalwart", lambda: peers.stalwart(folder, read.mails)),
        "bounces": ("sisimai-set", lambda: bounces.bounces(folder, read.mails)),
    }
    for name, (expectation, measure) in asked.items():
        if name in wanted and (not expectation or folder.expected(expectation)):
            yield measure()
    if "people" in wanted and any(name.startswith(bounces.PEOPLE) for name in names):
        yield bounces.people(read.mails)
    if "threads" in wanted and all(folder.expected(f"threads-{name}") for name in threads.SETS):
        yield threads.measure(folder, read.mails)
    if "folding" in wanted and folder.samples():
        yield folding.measure(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
