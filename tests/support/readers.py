"""What the processes that read mail cost: the forks of a parser pool's children, not the children themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.mail.child import MailParserPool


def reader_ids(pool: MailParserPool) -> Iterator[int]:
    """The processes that read for the pool and have nothing to do now."""
    for child in pool._idle:
        process: Any = child._process
        yield from map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split())


def peak_mib(pid: int) -> float:
    """The most memory that it ever had (VmHWM); 0 of one that has ended and was not waited for yet."""
    status = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)


def cpu_seconds(pid: int) -> float:
    """What the processors gave it so far, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text("ascii").split()[0]) / 1e9
