"""What a piece of work costs this process, measured so that a busy machine does not count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def quickest_of_three(work: Callable[[], object]) -> float:
    """CPU seconds of the best of three runs: what others do on this machine is not asked for."""
    taken = []
    for _ in range(3):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)
