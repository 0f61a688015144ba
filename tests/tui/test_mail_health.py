"""The first words of the status line: whether mail comes, since when not, and how much is still on its way in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from supportdesk.desk.results import MOST_UNPROCESSED
from supportdesk.tui.present_queue import health
from tests.tui.test_trouble import NOW, REFUSED, WELL


@pytest.mark.parametrize(
    ("unprocessed", "last_pass", "words"),
    [
        (0, None, "mail not fetched yet"),
        (49, timedelta(0), "mail ok"),
        (730, None, "taking mail in: 730 to go"),
        (MOST_UNPROCESSED, timedelta(0), "taking mail in: 1000+ to go"),
        (0, timedelta(hours=3), "mail not fetched since 09:00"),
    ],
)
def test_the_health_of_the_mail_says_what_is_going_on(
    unprocessed: int, last_pass: timedelta | None, words: str
) -> None:
    at = NOW - last_pass if last_pass is not None else None
    status = replace(WELL, unprocessed=unprocessed, mailboxes=(replace(REFUSED, error="", last_pass_at=at),))
    assert health(status, {}, 1, NOW)[0].text == words
