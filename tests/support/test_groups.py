"""The report about the server groups, and what CI makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest
def test_of_no_group(): pass
@pytest.mark.tmux
def test_that_runs(): pass
@pytest.mark.dovecot
def test_that_cannot_run(): pytest.skip("no such server")
@pytest.mark.corpus
def test_without_the_corpus(): pytest.skip("no corpus")
"""


def run_suite(directory: Path, *arguments: str, ci: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_groups_of_their_own.py").write_text(TESTS)
    (directory / "pytest.ini").write_text("[pytest]\nmarkers =\n tmux: t\n dovecot: d\n corpus: c\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.groups", "-p", "no:cacheprovider", *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "with xdist"])
def test_each_group_says_how_many_ran_and_why_not(tmp_path: Path, workers: tuple[str, ...]) -> None:
    result = run_suite(tmp_path, *workers, ci="")
    assert result.returncode == 0, result.stdout
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["tmux", "1", "ran", "0", "skipped"] in lines
    assert ["dovecot", "0", "ran", "1", "skipped", "because:", "no", "such", "server", "(1)"] in lines
    assert ["postfix", "0", "ran", "0", "skipped"] in lines


@pytest.mark.skipif(os.geteuid() != 0, reason="only root owes the servers")
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "with xdist"])
def test_in_ci_a_skipped_server_fails_the_run_but_a_missing_corpus_does_not(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    refused = run_suite(tmp_path, *workers, ci="true")
    assert refused.returncode == 1
    assert "CI as root must not skip: dovecot" in refused.stdout
    accepted = run_suite(tmp_path, *workers, "-k", "not cannot_run", ci="true")
    assert accepted.returncode == 0, accepted.stdout
