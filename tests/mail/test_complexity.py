"""Complexity bombs (reliability.md C04, C05): what a reader does grows with the size of the mail, and not faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from supportdesk.mail.child import MailParserPool, ParseFailed
from supportdesk.mail.limits import MAX_ADDRESSES, MAX_PARTS
from supportdesk.mail.model import ParsedMail
from supportdesk.mail.parse import parse
from supportdesk.mail.quotes import find_folds
from tests.fuzz.bombs import BOMBS, FOLDED, KIB
from tests.support.timing import quickest_of_three


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_reading_grows_with_the_size_and_not_faster(bomb: Callable[[int], bytes]) -> None:
    """SEC-4 and PARSE-1, C04."""
    small, large = bomb(256 * KIB), bomb(1024 * KIB)
    assert len(parse(large).to) <= MAX_ADDRESSES
    assert len(parse(large).attachments) <= MAX_PARTS
    assert_linear(lambda: parse(small), lambda: parse(large))


@pytest.mark.parametrize("bomb", FOLDED.values(), ids=FOLDED.keys())
def test_folding_grows_with_the_size_and_not_faster(bomb: Callable[[int], str]) -> None:
    small, large = bomb(256 * KIB), bomb(1024 * KIB)
    assert_linear(lambda: find_folds(small), lambda: find_folds(large))


@pytest.mark.slow
def test_a_bomb_of_25_mb_costs_its_child_at_most() -> None:
    with MailParserPool(1) as pool:
        for name, bomb in BOMBS.items():
            (read,) = pool.parse_many([(bomb(25 << 20), None)])
            given_up = isinstance(read, ParseFailed) and read.reason in ("timeout", "memory")
            assert given_up or (isinstance(read, ParsedMail) and read.size >= 20 << 20), name
        assert pool.parse(b"Subject: next\n\n").subject == "next"


def assert_linear(small: Callable[[], object], large: Callable[[], object]) -> None:
    """Four times the size must not take ten times the work: quadratic is sixteen. What is too quick to tell is fine."""
    for _ in range(3):
        one, four = quickest_of_three(small), quickest_of_three(large)
        if four < 0.03 or four <= 10 * one:
            return
    raise AssertionError(f"{one:.3f} s for a quarter, {four:.3f} s for the whole")
