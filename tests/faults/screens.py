"""Every screen on a desk whose every text is hostile, at length: D01 and D03 of reliability.md.

A run is a pack: each place of the desk has another payload in each, so that after sixty of them every place had every
escape sequence, and after forty every piece of markup. Of each pack the bytes that all screens and what opens over them
send to a pseudo-terminal are looked through, and each cell of each screen is looked at and clicked (what the button
does when it goes down and up is the suite's part).
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from textual.events import Click

from supportdesk.config import Config
from supportdesk.safetext import safe
from supportdesk.store import create_or_upgrade
from supportdesk.tui.app import Console
from tests.tui.hostile import MARKUP, PAYLOADS
from tests.tui.hostile_desk import make_hostile
from tests.tui.hostile_walk import WAYS, bytes_of_all_screens, foreign_bytes, look_everywhere

SIZES: Final = ((120, 40), (80, 24))
TOLD: Final = 20
STORY: Final = 3_000
"""Characters of a broken console's log that are told."""
SEEN: Final = 8
"""Letters of a payload by which it is found on a screen, where a column may cut it."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one pack showed."""

    sent: int = 0
    cells: int = 0
    verbatim: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = ()


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """So many packs of each kind from the seed's on; several at once, since most of the time is waiting for silence."""
    started = time.monotonic()
    numbers = range(seed, seed + runs)
    with ProcessPoolExecutor(2 * (os.cpu_count() or 1)) as pool:
        walks = [pool.submit(walk, number % len(PAYLOADS)) for number in numbers]
        clicks = [pool.submit(click, number % len(MARKUP)) for number in numbers[: len(MARKUP)]]
        found: list[Found] = []
        wrong: list[str] = []
        for packed in as_completed([*walks, *clicks]):
            found.append(packed.result())
            wrong += found[-1].wrong
            for one in found[-1].wrong:
                print(f"screens: {one}", file=sys.stderr)
            print(f"screens: {len(found)} of {len(walks) + len(clicks)} packs, {len(wrong)} findings", file=sys.stderr)
    never = set(MARKUP).difference(*(one.verbatim for one in found))
    if never and runs >= len(MARKUP):
        wrong.append(f"not there as it was written: {sorted(never)}")
    return {
        "part": "screens", "seed": seed, "runs": runs, "screens": len(WAYS), "bytes": sum(one.sent for one in found),
        "cells": sum(one.cells for one in found), "seconds": round(time.monotonic() - started, 1),
        "wrong": wrong[:TOLD],
    }  # fmt: skip


def walk(pack: int) -> Found:
    """D01 with one pack of escape sequences, at one of the two sizes."""
    columns, rows = SIZES[pack % len(SIZES)]
    with hostile_desk(PAYLOADS, pack) as file:
        try:
            output = bytes_of_all_screens(file, columns=columns, rows=rows)
        except AssertionError as error:
            log = file.with_name("console.log")
            story = log.read_text()[-STORY:] if log.exists() else ""
            return Found(wrong=(f"pack {pack}: {error} {story}",))
    return Found(sent=len(output), wrong=tuple(f"pack {pack}: {one}" for one in foreign_bytes(output, PAYLOADS)))


def click(pack: int) -> Found:
    """D03 with one pack of markup: nothing obeyed on any screen, and everything there as it was written."""
    wrong: list[str] = []
    texts = []
    with hostile_desk(MARKUP, pack) as file:
        for name in WAYS:
            app = Console(Config(source=None, database=str(file), agent="giulia"), start_worker=False)
            with pytest.MonkeyPatch.context() as patch:
                said, text = asyncio.run(look_everywhere(app, name, patch, presses=(Click,)))
            wrong += said
            texts.append(text)
    shown = "\n".join(texts)
    verbatim = frozenset(payload for payload in MARKUP if safe(payload)[:SEEN] in shown)
    if len(verbatim) < len(MARKUP) // 2:
        wrong.append(f"only these are there as they were written: {sorted(verbatim)}")
    return Found(cells=len(WAYS) * 80 * 24, verbatim=verbatim, wrong=tuple(f"pack {pack}: {one}" for one in wrong))


@contextmanager
def hostile_desk(payloads: Sequence[str], pack: int) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="supportdesk-hostile-") as directory:
        file = Path(directory) / "desk.db"
        create_or_upgrade(str(file))
        make_hostile(str(file), payloads, pack)
        yield file
