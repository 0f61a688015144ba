"""Stopwatch, medians and memory: the few tools that every part measures with."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.bench.given import GivenMails

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for. `size` is None for a part's own default; `profile`: lines of each of its lists.

    `desk`: a database that is filled where it is smaller, and kept; `messages` a ticket with `body` characters each.
    `mails`: what the parts that read mail are given instead of the generator's.
    """

    size: int | None = None
    runs: int = 5
    database: str = ""
    profile: int = 0
    desk: str = ""
    messages: int = 1
    body: int = 0
    mails: GivenMails | None = None

    def sized(self, default: int) -> int:
        return self.size or default


class Stopwatch:
    """Time that passes only while it is not paused: on the wall, and on this process's processors."""

    def __init__(self) -> None:
        self._start, self._cpu_start = time.perf_counter(), time.process_time()
        self._paused = self._cpu_paused = 0.0

    def seconds(self) -> float:
        return time.perf_counter() - self._start - self._paused

    def cpu_seconds(self) -> float:
        return time.process_time() - self._cpu_start - self._cpu_paused

    @contextmanager
    def paused(self) -> Iterator[None]:
        start, cpu_start = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self._paused += time.perf_counter() - start
            self._cpu_paused += time.process_time() - cpu_start


def median_ms(work: Callable[[], Any], runs: int, *, warm: int = 1) -> float:
    """The median time of one call in milliseconds, after `warm` calls that do not count."""
    return statistics.median(times_ms(work, runs, warm=warm))


def times_ms(work: Callable[[], Any], runs: int, *, warm: int = 1) -> list[float]:
    for _ in range(warm):
        work()
    return [_once(work) * 1000 for _ in range(runs)]


def cpu_ms(work: Callable[[], Any], runs: int) -> float:
    """The median processor time of one call in milliseconds: what else the machine does is not in it."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1000


def alternate(contenders: dict[str, Callable[[], Any]], runs: int) -> dict[str, float]:
    """The median seconds of each, taken in turns, so that a slow moment of the machine meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(runs):
        for name, work in contenders.items():
            times[name].append(_once(work))
    return {name: statistics.median(taken) for name, taken in times.items()}


def percentile(values: Sequence[float], share: float) -> float:
    listed = sorted(values)
    return listed[min(len(listed) - 1, int(len(listed) * share))]


def peak_memory_mib(pid: int | None = None) -> float:
    """The largest resident size that a process has had since its start of program (Linux), 0 where unknown."""
    return _memory(pid, "VmHWM:")


def forget_peak_memory() -> None:
    """Let the peak of this process begin anew (Linux 4.0)."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", "ascii")


def memory_mib(pid: int | None = None) -> float:
    """The resident size of a process now (Linux), 0 where unknown."""
    return _memory(pid, "VmRSS:")


def cpu_of_ended_children() -> float:
    """Processor seconds of all children that have ended and were waited for, with their own children."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process that runs (Linux), to a hundredth; 0 where unknown."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def proportional_memory_mib(pids: Iterable[int]) -> float:
    """What these processes hold together, shared pages counted once (Linux), 0 where unknown."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii", "replace")
        except OSError:
            continue
        found = next((line for line in rollup.splitlines() if line.startswith("Pss:")), "")
        total += int(found.split()[1]) * 1024 if found else 0
    return total / MIB


def say(words: str) -> None:
    """Progress, for whoever waits: on stderr, so that --json stays clean."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{words}")
        sys.stderr.flush()


def _memory(pid: int | None, field: str) -> float:
    status = Path(f"/proc/{pid or os.getpid()}/status")
    if not status.exists():
        return 0.0
    found = next((line for line in status.read_text("ascii", "replace").splitlines() if line.startswith(field)), "")
    return int(found.split()[1]) * 1024 / MIB if found else 0.0


def _once(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
