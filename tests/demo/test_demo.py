"""The demo as a user runs it: the whole path of a mail without a terminal, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from supportdesk.demo.report import Report

REPORT = Report(
    delivered=10, fetched=10, outcomes={"message": 8, "note": 1, "duplicate": 1}, replies=2, replies_received=2,
    answers=2, answers_threaded=2,
)  # fmt: skip


def run_demo(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In an environment that names somebody's own desk, which the demo must leave alone."""
    environment = {
        **os.environ,
        "TMPDIR": str(directory),
        "HOME": str(directory / "home"),
        "SUPPORTDESK_DATABASE": str(directory / "mine.db"),
        "SUPPORTDESK_AGENT": "nobody",
    }
    code = (
        "import sys\nfrom supportdesk.demo import run_demo\n"
        "sys.exit(run_demo(headless=True, as_json='--json' in sys.argv, keep='--keep' in sys.argv))"
    )
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, env=environment, check=False)


@pytest.mark.slow
def test_a_mail_becomes_an_answer_and_the_answer_comes_back(tmp_path: Path):
    done = run_demo(tmp_path, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert report["delivered"] == report["fetched"] == sum(report["outcomes"].values()) > 100
    assert report["outcomes"]["duplicate"] == 1
    assert report["outcomes"]["note"] >= 2
    assert report["replies"] == report["replies_received"] >= 12
    assert set(report["replies_by_language"]) == {"it", "en", "de", "fr", "es"}
    assert report["answers"] == report["answers_threaded"] == report["replies"]
    assert report["left_in_outbox"] == 0
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind, and does not touch the user's desk"


@pytest.mark.slow
def test_a_kept_desk_can_be_opened_again(tmp_path: Path):
    done = run_demo(tmp_path, "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    (kept,) = tmp_path.iterdir()
    assert f"--config {kept / 'config.toml'}" in done.stderr
    command = [sys.executable, "-m", "supportdesk", "--config", str(kept / "config.toml"), "ticket", "list", "--json"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert listed.returncode == 0, listed.stderr
    assert "Ciotola arrivata scheggiata" in listed.stdout


def test_a_report_holds_when_the_numbers_add_up():
    assert REPORT.holds
    assert not any(line.startswith("FAILED") for line in REPORT.lines())


@pytest.mark.parametrize(
    ("number", "value", "failed"),
    [
        ("fetched", 9, "every mail delivered was fetched"),
        ("outcomes", {"message": 9}, "every mail fetched has exactly one outcome"),
        ("replies_received", 1, "every customer got his reply"),
        ("answers_threaded", 1, "every answer joined its ticket"),
        ("left_in_outbox", 1, "nothing is left in the outbox"),
        ("problems", ["a reply has no HTML"], "nothing went wrong on the way"),
    ],
)
def test_a_report_names_what_does_not_hold(number: str, value: object, failed: str):
    report = Report(**{name: getattr(REPORT, name) for name in Report.__slots__} | {number: value})
    assert not report.holds
    assert f"FAILED     {failed}" in list(report.lines())
