"""What every test can ask for; the fixtures themselves live in tests/support."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.calendars",
    "tests.support.clock",
    "tests.support.corpus",
    "tests.support.databases",
    "tests.support.groups",
    "tests.support.mail_servers",
    "tests.support.postgres",
    "tests.support.terminal",
]
