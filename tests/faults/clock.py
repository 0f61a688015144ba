"""A10: the wall clock jumps back an hour, on a day, over a DST change, past 2038, while leases are held and mail waits.

Leases are judged by the monotonic clock, so none is taken from a worker that lives; a reply is tried at most once
between two waits, so no jump makes a storm.
"""

from __future__ import annotations

import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.desk import Desk
from supportdesk.mail.model import BuiltMail, SendResult
from supportdesk.store import create_or_upgrade, open_store
from tests.support.clock import FakeClock
from tests.support.desk import furnish

LEASE_SECONDS = 30.0
JUMPS = (
    timedelta(hours=-1), timedelta(days=1), timedelta(seconds=-30), timedelta(seconds=30), timedelta(minutes=-59),
    timedelta(days=-400),
)  # fmt: skip
MOMENTS = (
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC), datetime(2026, 12, 31, 23, 59, 60 - 1, tzinfo=UTC),
)  # fmt: skip


class Refusing:
    """A server that says later to everything; it counts."""

    def __init__(self) -> None:
        self.attempts = 0

    def transport(self, mailbox_id: Any) -> Refusing:
        return self

    def source(self, mailbox_id: Any) -> Any:
        raise AssertionError("nobody reads mail here")

    def send(self, mail: BuiltMail, recipients: Any, on_stage: Any) -> SendResult:
        self.attempts += 1
        on_stage("rcpt")
        return SendResult("deferred", "rcpt", "451 later")

    def close(self) -> None: ...


def missing() -> str:
    return ""


def run(runs: int, seed: int) -> dict[str, Any]:
    """So many steps: the clock jumps, the worker renews its lease or not, another one tries, and mail is delivered."""
    chance, started = random.Random(seed), time.monotonic()
    wrong = list[str]()
    with tempfile.TemporaryDirectory(prefix="supportdesk-clock-") as directory:
        url = str(Path(directory) / "desk.db")
        create_or_upgrade(url)
        clock = FakeClock()
        house = furnish(url, clock)
        row = house.reply(house.customer_writes(), undo_seconds=0)
        first, second, server = house.store, open_store(url, clock), Refusing()
        epoch = first.acquire_lease("worker", "first", LEASE_SECONDS, {})
        assert epoch is not None
        deliverer = Deliverer(Desk(first, clock), server, owner="first/1", epoch=epoch)
        seen, takeovers, jumps, storms = clock.monotonic(), 0, 0, 0
        second.acquire_lease("worker", "second", LEASE_SECONDS, {})
        for _unused in range(runs):
            if chance.random() < 0.5:
                jumps += 1
                moved = chance.choice(MOMENTS) if chance.random() < 0.2 else clock.now() + chance.choice(JUMPS)
                clock.set_wall(max(moved, datetime(2026, 3, 4, 10, tzinfo=UTC)))
            else:
                clock.advance(timedelta(seconds=chance.uniform(0, 20)))
            if chance.random() < 0.5:
                if first.acquire_lease("worker", "first", LEASE_SECONDS, {}) != epoch:
                    wrong.append(f"the lease was lost at {clock.now()}")
                    break
                second.acquire_lease("worker", "second", LEASE_SECONDS, {})
                seen = clock.monotonic()
            elif second.acquire_lease("worker", "second", LEASE_SECONDS, {}) is not None:
                takeovers += 1
                if clock.monotonic() - seen < LEASE_SECONDS:
                    wrong.append(f"the lease was taken after {clock.monotonic() - seen:.0f} s at {clock.now()}")
                second.release_lease("worker", "second")
                epoch = first.acquire_lease("worker", "first", LEASE_SECONDS, {})
                assert epoch is not None
                deliverer = Deliverer(Desk(first, clock), server, owner="first/1", epoch=epoch)
                second.acquire_lease("worker", "second", LEASE_SECONDS, {})
                seen = clock.monotonic()
            before = server.attempts
            for _again in range(5):
                deliverer.deliver_next()
            if server.attempts - before > 1:
                storms += 1
                wrong.append(f"{server.attempts - before} attempts at once at {clock.now()}")
        state = house.desk.outbox_row(row.id).state
        if state not in ("deferred", "failed"):
            wrong.append(f"the reply is {state}")
        second.close()
        first.close()
    return {
        "part": "clock", "seed": seed, "runs": runs, "jumps": jumps, "takeovers": takeovers,
        "attempts": server.attempts, "storms": storms, "reply": state, "wrong": wrong,
        "seconds": round(time.monotonic() - started, 1),
    }  # fmt: skip
