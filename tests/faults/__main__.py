"""`./desk faults [--part PART] [--runs N] [--seconds T] [--seed S]`: what the machine does to a desk, an object a part.

The exit code is 1 if anything was lost, doubled or torn, or if no part could be run here.
"""

from __future__ import annotations

import argparse
import importlib
import json
import secrets
import sys
from collections.abc import Sequence
from typing import Final

# and how many runs each; of `reader` the seconds that he reads
PARTS: Final = {
    "strace": 300, "power": 1000, "disk": 40, "lock": 20, "reader": 600, "clock": 2000, "postgres": 200, "undo": 1000,
    "pairs": 980, "terminal": 100_000, "screens": 60,
}  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="desk faults", description="Faults of the machine and agents at cross purposes, on a desk at work."
    )
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="how many faults (default: the part's own)")
    parser.add_argument(
        "--seconds", type=float, default=None, metavar="T", help="how long `lock` holds the database (default: 0.5)"
    )
    parser.add_argument("--seed", type=int, default=None, metavar="S", help="repeat a run (default: a new one)")
    given = parser.parse_args(arguments)
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    ran, wrong = 0, False
    for part in PARTS if given.part == "all" else [given.part]:
        module = importlib.import_module(f"tests.faults.{part}")
        if reason := module.missing():
            print(json.dumps({"part": part, "skipped": reason}), flush=True)
            continue
        longer = {"seconds": given.seconds} if part == "lock" and given.seconds else {}
        found = module.run(given.runs or PARTS[part], seed, **longer)
        ran, wrong = ran + 1, wrong or bool(found["wrong"])
        print(json.dumps({**found, "ok": not found["wrong"]}, indent=2), flush=True)
    return 1 if wrong or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
