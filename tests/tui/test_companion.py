"""The worker that a console brings along: started only where nobody delivers, in a session of its own."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

from supportdesk.config import Config
from supportdesk.tui.companion import ensure_worker, log_path
from tests.support.processes import wait_until
from tests.tui.conftest import SOURCE, Shop

PATIENCE = 30.0


def test_a_companion_is_started_once_and_has_its_own_session(shop: Shop, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SOURCE))
    config = Config(source=None, database=shop.database, agent="giulia")
    desk = shop.house.desk
    pid = ensure_worker(desk, config)
    assert pid is not None
    try:
        assert os.getsid(pid) == pid
        lease = f"the companion's lease; it tells its troubles in {log_path(config)}"
        wait_until(lambda: bool(desk.store.read.rows("lease")), seconds=PATIENCE, what=lease)
        shop.house.clock.set_wall(desk.store.read.rows("lease")[0]["heartbeat_at"])
        assert ensure_worker(desk, config) is None
        assert stat.S_IMODE(log_path(config).stat().st_mode) == 0o600
        assert log_path(config) == Path(shop.database).with_name("worker.log")
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
