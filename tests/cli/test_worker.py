"""The worker's unit, and the command that hands over to the worker."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from supportdesk.cli import worker

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.databases import Database
    from tests.support.desk import House


@pytest.fixture(params=["sqlite"])
def database(database: Database) -> Database:
    """What is printed and started is the same on each kind: one will do."""
    return database


def test_the_unit_starts_the_worker_on_this_desk(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "has_systemd", lambda: True)
    told = supportdesk("worker", "install", "--dry-run", "--json").json()
    [start] = [line for line in told["text"].splitlines() if line.startswith("ExecStart=")]
    assert start.endswith(f"--database {shop.url} worker")
    assert ["loginctl", "enable-linger"] in [command[:2] for command in told["commands"]]
    assert not os.path.exists(told["unit"])  # noqa: PTH110


def test_an_installed_worker_speaks_the_language_of_whoever_installed_it(shop: House, supportdesk: Run) -> None:
    told = supportdesk("--language", "it", "worker", "install", "--dry-run", "--json").json()
    assert f" -m supportdesk --language it --database {shop.url} worker" in told["cron"]


def test_without_systemd_cron_looks_after_the_worker(
    shop: House, supportdesk: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "has_systemd", lambda: False)
    line = supportdesk("worker", "install", "--dry-run", "--json").json()["cron"]
    minute, rest = line.split(" ", 1)
    assert (minute, "flock -n" in rest, shop.url in rest) == ("*", True, True)
    assert f"/usr/bin/env XDG_CONFIG_HOME={os.environ['XDG_CONFIG_HOME']} " in rest
    command = rest.split("flock -n ")[1].removesuffix(worker.LINE)
    assert subprocess.run(["sh", "-n", "-c", command]).returncode == 0


def test_a_percent_sign_and_a_blank_survive_systemds_quoting() -> None:
    assert worker._systemd_quoted("/srv/my desk/100%.db") == '"/srv/my desk/100%%.db"'
    assert worker._systemd_quoted("/srv/desk.db") == "/srv/desk.db"


def test_the_worker_command_hands_over_to_the_worker(shop: House) -> None:
    from supportdesk.cli.app import Programs, run

    started: list[tuple[str, int]] = []

    def work(config, companion):
        started.append((config.database, companion))
        return 0

    programs = Programs(console=lambda config, restricted: 1, worker=work)
    assert run(["worker", "--companion", "4711"], programs) == 0
    assert run(["--database", shop.url, "worker"], programs) == 0
    assert started == [(shop.url, 4711), (shop.url, 0)]
