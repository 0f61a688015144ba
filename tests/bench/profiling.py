"""Where the time of a part goes: what cProfile found, as lines for a person."""

from __future__ import annotations

import cProfile
import pstats
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final


def profile_summary(profiler: cProfile.Profile, lines: int) -> list[str]:
    """Where a thread spent its time: by room, in which of our functions, and in whose own code.

    Profiling makes calls dearer than what they do: the shares guide, the seconds do not add up to the rates above.
    """
    stats: Any = pstats.Stats(profiler)
    calls = [
        (_place(*place), count, own, whole, _room(*place))
        for place, (_primitive, count, own, whole, _callers) in stats.stats.items()
    ]
    rooms: Counter[str] = Counter()
    for _name, _count, own, _whole, room in calls:
        rooms[room] += own
    total = sum(rooms.values()) or 1.0
    ours = sorted((call for call in calls if call[4].startswith("supportdesk.")), key=lambda call: -call[3])
    dearest = sorted(calls, key=lambda call: -call[2])
    return [
        f"by room, own time of {total:.2f} s:",
        *(f"{own / total:7.1%}  {room}" for room, own in rooms.most_common(lines)),
        "our functions, with all that they call:",
        *(f"{whole / total:7.1%} {count:10,} calls  {name}" for name, count, _, whole, _ in ours[: 2 * lines]),
        "functions by their own time:",
        *(f"{own / total:7.1%} {count:10,} calls  {name}" for name, count, own, _, _ in dearest[:lines]),
    ]


@contextmanager
def profiled(profiler: cProfile.Profile | None) -> Iterator[None]:
    with profiler if profiler is not None else nullcontext():
        yield


def _place(file: str, line: int, name: str) -> str:
    return f"{'/'.join(Path(file).parts[-3:])}:{line} {name}" if line else name


def _room(file: str, _line: int, name: str) -> str:
    for marker, room in _BUILT_IN.items():
        if marker in name:
            return room
    _, found, path = file.partition("src/supportdesk/")
    if found:
        return "supportdesk." + path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return "the standard library and built-ins"


_BUILT_IN: Final = {
    "sqlite3": "SQLite (inside execute)",
    "psycopg": "PostgreSQL's driver",
    "lock' objects": "waiting for a lock",
    "select.poll": "waiting for the parsing children",
    "_zstd": "zstd",
    "Zstd": "zstd",
    "openssl_sha256": "sha256",
    "flock": "the turnstile's flock",
}
