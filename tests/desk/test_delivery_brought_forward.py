"""An account that works again: what waited for it goes at once, what its own server put off keeps its time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.delivery import bring_forward
from tests.desk.delivery_round import Round, verdict

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow
    from supportdesk.mail.model import SendResult

REFUSED = verdict("deferred", "", "535 5.7.8 bad credentials", account=True)
UNREACHABLE = verdict("deferred", "connected", "timed out")
GREYLISTED = verdict("deferred", "rcpt", "451 4.7.1 come back in an hour")


def waiting(round_: Round, sender: str, answer: SendResult, attempts: int) -> OutboxRow:
    """A reply that got this answer so many times; its next try is some time away."""
    row = round_.house.reply(round_.house.customer_writes(sender=sender), undo_seconds=0)
    for _attempt in range(attempts):
        round_.transport.verdicts = [answer]
        assert round_.deliverer().deliver_next()
        round_.house.pass_time(minutes=61)
    round_.transport.verdicts = [answer]
    assert round_.deliverer().deliver_next()
    next_try = round_.row(row).next_try
    assert next_try is not None
    assert next_try > round_.house.clock.now()
    return row


@pytest.mark.parametrize("answer", [REFUSED, UNREACHABLE], ids=["refused", "unreachable"])
def test_after_a_new_login_what_waited_for_the_account_is_due(round_: Round, answer: SendResult) -> None:
    row = waiting(round_, "rosa@example.com", answer, attempts=3)
    assert not round_.deliverer().deliver_next()
    assert bring_forward(round_.house.desk, [row.mailbox_id]) == 1
    assert round_.deliverer().deliver_next()
    assert round_.row(row).state == "sent"
    assert bring_forward(round_.house.desk, [row.mailbox_id]) == 0


def test_a_mail_that_its_own_server_put_off_is_not_due_before_its_time(round_: Round) -> None:
    row = waiting(round_, "rosa@example.com", GREYLISTED, attempts=3)
    assert bring_forward(round_.house.desk, [row.mailbox_id]) == 0
    assert not round_.deliverer().deliver_next()


def test_the_first_mail_that_an_account_takes_again_brings_the_others_with_it(round_: Round) -> None:
    rows = [waiting(round_, f"c{number}@example.com", REFUSED, attempts=0) for number in range(3)]
    put_off = waiting(round_, "zoe@example.com", GREYLISTED, attempts=0)
    fresh = round_.house.reply(round_.house.customer_writes(sender="ugo@example.com"), undo_seconds=0)
    deliverer, tried = round_.deliverer(), 0
    while deliverer.deliver_next():
        tried += 1
    assert tried == 4
    assert [round_.row(row).state for row in (fresh, *rows)] == ["sent"] * 4
    assert round_.row(put_off).state == "deferred"


def test_another_mailboxs_mail_keeps_its_time(round_: Round) -> None:
    row = waiting(round_, "rosa@example.com", REFUSED, attempts=0)
    assert bring_forward(round_.house.desk, [row.mailbox_id + 1]) == 0
