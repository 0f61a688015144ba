"""Every rule of the mail engine has a test that names it, in its name (`test_sync_4_…`) or in words (SYNC-4)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# CONDSTORE and QRESYNC (SYNC-7) may be used and are not: nothing depends on them. The desk mails no agents (AUTO-7).
RULES = [
    *(f"INGEST-{number}" for number in range(1, 9)),
    *(f"SYNC-{number}" for number in range(1, 16) if number != 7),
    *(f"OUT-{number}" for number in range(1, 11)),
    *(f"PARSE-{number}" for number in range(1, 15)),
    *(f"THREAD-{number}" for number in range(1, 8)),
    *(f"AUTO-{number}" for number in range(1, 7)),
    *(f"SEC-{number}" for number in range(1, 9)),
]
NAME = re.compile(r"(?i)(?<![a-z])(ingest|sync|out|parse|thread|auto|sec)[-_](\d+)(?!\d)")


@pytest.fixture(scope="module")
def named() -> set[str]:
    """The rules that the tests name, this file aside; `SYNC-4 and 5` names the first alone."""
    found: set[str] = set()
    for file in TESTS.rglob("test_*.py"):
        if file.name != Path(__file__).name:
            for kind, number in NAME.findall(file.read_text()):
                found.add(f"{kind.upper()}-{number}")
    return found


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_named_by_a_test(rule: str, named: set[str]) -> None:
    assert rule in named
