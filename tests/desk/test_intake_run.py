"""What the team changes while a run of mail goes through the intake counts for the next mail of that run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.desk import Desk
from supportdesk.desk.intake import Intake
from supportdesk.store import open_store
from tests.support.post import mail

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.desk import House
    from tests.support.post import Post

    Change = Callable[[Desk, House], object]

SUNDAYS = Calendar.from_json({"zone": "Europe/Rome", "week": {"sun": ["09:00-18:00"]}})


def change_policy(desk: Desk, house: House) -> None:
    desk.update_settings(house.giulia, policy={"first_response": {"days": 3}})


def change_hours(desk: Desk, house: House) -> None:
    desk.save_mailbox(
        house.giulia, {"id": house.mailbox_id, "calendar_id": desk.save_calendar(house.giulia, "Sundays", SUNDAYS)}
    )


def change_mailbox(desk: Desk, house: House) -> None:
    desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "language": "pt"})


@pytest.mark.parametrize(
    ("change", "seen"),
    [(change_policy, "first_due"), (change_hours, "first_due"), (change_mailbox, "language")],
)
def test_a_change_between_two_mails_counts_for_the_second(
    post: Post, monkeypatch: pytest.MonkeyPatch, change: Change, seen: str
) -> None:
    monkeypatch.setattr("supportdesk.desk.intake.TRANSACTION_SECONDS", 0.0)  # a transaction a mail
    post.writes(sender="Uno <uno@example.net>")  # so that the run finds everything known
    post.writes(sender="Due <due@example.net>")
    people = ("Tre <tre@example.net>", "Quattro <quattro@example.net>")
    post.arrives(*(mail("12 34 56", sender=one) for one in people), read=False)
    before = len(post.rows("ticket"))

    def between() -> bool:
        """Called before each transaction of the run; after the first one another program is at work."""
        if len(post.rows("ticket")) == before + 1:
            other = open_store(post.house.url, post.house.clock)
            try:
                change(Desk(other, post.house.clock), post.house)
            finally:
                other.close()
        return False

    assert Intake(post.house.desk, post.parser, detect=lambda _text: None).process(stop=between) == len(people)
    first, second = post.rows("ticket")[-2:]
    assert first[seen] is not None
    assert first[seen] != second[seen]
