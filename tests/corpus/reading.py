"""Every mail through the contained reader, as the worker does it: what failed, what cannot be stored, how long."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

from supportdesk.mail.child import WALL_SECONDS, MailParserPool, ParseFailed
from supportdesk.mail.model import ParsedMail
from tests.corpus.findings import Finding, Group, none_of
from tests.corpus.folder import Folder
from tests.support.readers import cpu_seconds, peak_mib, reader_ids

MEMORY_MIB: Final = 256


@dataclass
class Reading:
    """The mails as they were read, by name; `failed` says why of those that were not."""

    mails: dict[str, ParsedMail] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: float = 0.0


def read_all(folder: Folder, names: Sequence[str]) -> Reading:
    """One child, one mail after the other: the time on the clock has the way there and back in it."""
    reading = Reading()
    spent: dict[int, float] = {}
    with MailParserPool(1) as pool:
        pool.parse(b"Subject: warm\n\n")
        for name in names:
            raw = folder.raw(name)
            start = time.perf_counter()
            try:
                reading.mails[name] = pool.parse(raw)
            except ParseFailed as failure:
                reading.failed[name] = failure.reason
            reading.seconds[name] = time.perf_counter() - start
            for pid in reader_ids(pool):
                reading.peak_mib = max(reading.peak_mib, peak_mib(pid))
                before, spent[pid] = spent.get(pid, 0.0), cpu_seconds(pid)
                reading.cpu_seconds[name] = spent[pid] - before
    return reading


def measure(reading: Reading) -> Group:
    total = sum(reading.seconds.values())
    cpu = reading.cpu_seconds
    slowest = sorted(cpu, key=lambda name: -cpu[name])[:5]
    failed = reading.failed
    return Group(
        "reading",
        f"{len(reading.seconds):,} mails, each contained ({WALL_SECONDS:.0f} s, {MEMORY_MIB} MB)",
        (
            none_of("exceptions and dead children", [f"{n}: {r}" for n, r in failed.items() if r != "timeout"]),
            none_of("timeouts", [name for name, reason in failed.items() if reason == "timeout"]),
            none_of("texts with a NUL or a lone surrogate", unstorable(reading.mails)),
            Finding(
                "peak memory of a parsing child",
                f"{reading.peak_mib:.0f} MB",
                f"≤ {MEMORY_MIB} MB",
                reading.peak_mib <= MEMORY_MIB,
            ),
            Finding(
                "total time of a core",
                f"{sum(cpu.values()):.2f} s, {len(cpu) / sum(cpu.values()):,.0f} messages/s/core",
            ),
            Finding("total time on the clock", f"{total:.2f} s, {len(reading.seconds) / total:,.0f} messages/s"),
            Finding(
                "slowest, of a core",
                f"{cpu[slowest[0]] * 1000:.0f} ms",
                details=tuple(f"{cpu[name] * 1000:.0f} ms {name}" for name in slowest),
            ),
        ),
    )


def unstorable(mails: Mapping[str, ParsedMail]) -> list[str]:
    """The mails of which some text could not be stored."""
    return [name for name, mail in mails.items() if not _is_storable("".join(_texts(mail)))]


def _is_storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text if char > "\ud7ff")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for one in fields(value) for text in _texts(getattr(value, one.name))]
    return [text for one in value for text in _texts(one)] if isinstance(value, tuple) else []
