"""The red line over every screen: what keeps mail from coming, how old the last complete fetch is, a full disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from supportdesk.desk.model import MailboxId
from supportdesk.desk.results import DeskStatus, MailboxStatus
from supportdesk.errors import OutcomeUnknown, StoreFailed
from supportdesk.tui.present_queue import trouble
from tests.tui.conftest import Shop, list_shown, shown, until

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REFUSED = MailboxStatus(MailboxId(1), "help@shop.test", "active", NOW - timedelta(hours=3), "login refused", NOW)
WELL = DeskStatus(
    delivering=True, worker_seen_at=NOW, worker={}, mailboxes=(replace(REFUSED, error=""),), outbox={},
    oldest_unsent=None, parked=0, junk=0, uncertain=0, failed=0, unprocessed=0, attention=(),
)  # fmt: skip


def test_it_says_how_old_the_last_complete_fetch_is() -> None:
    assert trouble(WELL, NOW) == trouble(None, NOW) == ""
    assert trouble(replace(WELL, mailboxes=(REFUSED,)), NOW) == "help@shop.test: last fetched 3h ago: login refused"
    never = replace(REFUSED, last_pass_at=None)
    assert trouble(replace(WELL, mailboxes=(never,)), NOW) == "help@shop.test: login refused"


def test_a_full_disk_stands_before_everything_else() -> None:
    full = replace(WELL, disk_full=True, mailboxes=(REFUSED,))
    assert trouble(full, NOW, "refused").startswith("The disk of the database is full")
    assert trouble(WELL, NOW, "the connection is lost") == "the connection is lost"


@pytest.mark.parametrize("failure", [StoreFailed("the disk is full"), OutcomeUnknown("the disk is full")])
async def test_whoever_is_refused_by_the_database_it_stands_there_until_the_next_minute(
    shop: Shop, failure: Exception
) -> None:
    app = shop.console()
    async with app.run_test(size=(80, 24)) as pilot:
        queue = await list_shown(pilot)

        def fail() -> None:
            raise failure

        queue.call("read", fail, lambda _none: None)
        await until(pilot, lambda: "the disk is full" in shown(app).splitlines()[1], "the banner")
        app._minute()
        await until(pilot, lambda: "the disk is full" not in shown(app).splitlines()[1], "it is gone again")
