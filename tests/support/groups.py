"""Says at the end of a run how many tests of each server group ran or were skipped, and why.

In CI as root, where every server can be had, a skipped group fails the run: green must mean that the servers were
really asked.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

SERVER_GROUPS = ("dovecot", "postfix", "postgres", "tmux")
GROUPS = (*SERVER_GROUPS, "corpus")
MARKS_OF_FIXTURE = {
    "mail_servers": ("dovecot", "postfix"),
    "postgres_server": ("postgres",),
    "postgres_url": ("postgres",),
    "terminal": ("tmux",),
    "corpus": ("corpus",),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for a server's fixture, or for a database on it, belongs to its group, marked or not."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("database") == "postgres":
            item.add_marker("postgres")
        for fixture in getattr(item, "fixturenames", ()):
            for mark in MARKS_OF_FIXTURE.get(fixture, ()):
                item.add_marker(mark)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """One line a group; with xdist this runs in the controlling process alone."""
    terminalreporter.section("servers")
    for group in GROUPS:
        ran, skipped = _outcomes(terminalreporter, group)
        reasons = "; ".join(f"{reason} ({count})" for reason, count in skipped.most_common())
        terminalreporter.write_line(
            f"{group:<9} {ran:>5} ran  {skipped.total():>5} skipped{f'  because: {reasons}' if reasons else ''}"
        )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not _servers_are_owed() or hasattr(session.config, "workerinput"):
        return
    silent = [group for group in SERVER_GROUPS if _outcomes(reporter, group)[1]]
    if silent and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        reporter.write_line(f"\nCI as root must not skip: {', '.join(silent)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _servers_are_owed() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true") and os.geteuid() == 0


def _outcomes(reporter: TerminalReporter, group: str) -> tuple[int, Counter[str]]:
    """How many tests of the group ran to an outcome, and the reasons of those that were skipped."""
    ran = {
        report.nodeid
        for outcome in ("passed", "failed", "error", "xfailed", "xpassed")
        for report in reporter.stats.get(outcome, [])
        if group in getattr(report, "keywords", ())
    }
    skipped = Counter(_reason(report) for report in reporter.stats.get("skipped", []) if group in report.keywords)
    return len(ran), skipped


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
