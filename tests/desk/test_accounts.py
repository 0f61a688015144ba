"""The accounts that mail is sent with: one pause, rate and set of connections for all deliverers (OUT-8, OUT-9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.accounts import Bucket, Limits, SendingAccounts, limits_of
from supportdesk.desk.delivery import Deliverer
from supportdesk.mail.model import BuiltMail, SendResult

if TYPE_CHECKING:
    from supportdesk.desk.model import MailboxId
    from tests.support.clock import FakeClock
    from tests.support.desk import House

SENT = SendResult("sent", "dot_sent", "250 2.0.0 Ok")
REFUSED = SendResult("deferred", "", "535 5.7.8 bad credentials", account_problem=True)
BROKEN = SendResult("deferred", "connected", "timed out")


class Transport:
    def __init__(self, answers: list[SendResult]) -> None:
        self.answers = answers
        self.closed = False

    def send(self, mail: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        return self.answers.pop(0) if self.answers else SENT

    def close(self) -> None:
        self.closed = True


class Servers:
    def __init__(self) -> None:
        self.answers: list[SendResult] = []
        self.made: list[Transport] = []

    def transport(self, mailbox_id: MailboxId) -> Transport:
        self.made.append(Transport(self.answers))
        return self.made[-1]

    def source(self, mailbox_id: MailboxId) -> Any:
        raise AssertionError("nobody reads mail here")


def mailbox(number: int = 1, host: str = "smtp.example.com", **settings: Any) -> dict[str, Any]:
    return {"id": number, "smtp": {"host": host}, "settings": settings}


@pytest.fixture
def accounts(clock: FakeClock) -> SendingAccounts:
    return SendingAccounts(Servers(), clock)


def send(accounts: SendingAccounts, result: SendResult = SENT, recipients: int = 1, **box: Any) -> bool:
    with accounts.turn(mailbox(**box), recipients) as turn:
        if turn is None:
            return False
        turn.transport()
        turn.note(result, recipients)
        return True


def test_out_9_g03_a_refused_login_is_tried_once_whoever_delivers(house: House) -> None:
    servers = Servers()
    accounts = SendingAccounts(servers, house.clock)
    servers.answers += [REFUSED] * 20
    for number in range(8):
        house.reply(house.customer_writes(sender=f"c{number}@example.com"), undo_seconds=0)
    four = [Deliverer(house.desk, servers, owner=f"w/{n}", epoch=1, accounts=accounts) for n in range(4)]
    tried = 0
    for _minute in range(10):
        tried += sum(deliverer.deliver_next() for deliverer in four)
        house.pass_time(minutes=1)
    assert tried == 1
    servers.answers.clear()
    house.pass_time(minutes=16)
    assert all(deliverer.deliver_next() for deliverer in four)


def test_out_9_until_an_account_has_taken_a_mail_one_deliverer_at_a_time_tries_it(accounts: SendingAccounts) -> None:
    with accounts.turn(mailbox(), 1) as first:
        assert first is not None
        assert not send(accounts)
        first.note(SENT, 1)
    with ExitStack() as stack:
        assert all(stack.enter_context(accounts.turn(mailbox(), 1)) for _ in range(4))


def test_out_9_after_five_failures_in_a_row_the_account_rests(accounts: SendingAccounts, clock: FakeClock) -> None:
    assert [send(accounts, BROKEN) for _ in range(6)] == [True] * 5 + [False]
    assert send(accounts, number=2), "another account is not held up"
    clock.advance(timedelta(minutes=5, seconds=1))
    assert send(accounts)


def test_out_9_the_published_rate_of_microsoft_365_is_kept(accounts: SendingAccounts, clock: FakeClock) -> None:
    host = "smtp.office365.com"
    assert sum(send(accounts, host=host) for _ in range(40)) == 30
    clock.advance(timedelta(seconds=10))
    assert sum(send(accounts, host=host) for _ in range(40)) == 5


def test_out_9_its_three_connections_are_kept_too(accounts: SendingAccounts) -> None:
    host = "smtp.office365.com"
    assert send(accounts, host=host)
    with ExitStack() as stack:
        turns = [stack.enter_context(accounts.turn(mailbox(host=host), 1)) for _ in range(4)]
        assert [turn is not None for turn in turns] == [True, True, True, False]


def test_out_9_a_server_that_says_we_are_too_fast_gets_a_minute(accounts: SendingAccounts, clock: FakeClock) -> None:
    words = "432 4.3.2 Concurrent connections limit exceeded; STOREDRV.ClientSubmit; sender thread limit exceeded"
    assert send(accounts, SendResult("deferred", "dot_sent", words))
    assert not send(accounts)
    clock.advance(timedelta(seconds=61))
    assert send(accounts)


def test_out_9_recipients_of_a_day_are_counted(clock: FakeClock) -> None:
    bucket = Bucket(10_000, 86_400, clock.monotonic())
    bucket.take(9_999)
    assert bucket.has(1, clock.monotonic())
    assert not bucket.has(2, clock.monotonic())
    assert bucket.has(2, clock.monotonic() + 10)


@pytest.mark.parametrize(
    ("box", "limits"),
    [
        (mailbox(), Limits()),
        (mailbox(host="SMTP.Office365.com"), Limits(30, 10_000, 3)),
        (mailbox(mails_per_minute=5), Limits(5)),
        (mailbox(host="smtp.office365.com", mails_per_minute=0), Limits(0, 10_000, 3)),
        (mailbox(host="notoffice365.com"), Limits()),
    ],
)
def test_out_9_a_mailbox_may_have_a_rate_of_its_own(box: dict[str, Any], limits: Limits) -> None:
    assert limits_of(box) == limits


def test_out_8_one_connection_serves_all_deliverers_one_after_the_other(clock: FakeClock) -> None:
    servers = Servers()
    accounts = SendingAccounts(servers, clock)
    assert all(send(accounts) for _ in range(3))
    assert len(servers.made) == 1
    clock.advance(timedelta(seconds=61))
    accounts.close_idle()
    assert servers.made[0].closed, "after a minute without mail"
    send(accounts, BROKEN)
    assert servers.made[1].closed, "after any error"
    send(accounts)
    accounts.forget()
    assert servers.made[2].closed, "when the account was changed"


def test_out_8_a_connection_that_is_in_use_while_its_account_is_changed_is_closed_after(clock: FakeClock) -> None:
    servers = Servers()
    accounts = SendingAccounts(servers, clock)
    with accounts.turn(mailbox(), 1) as turn:
        assert turn is not None
        turn.transport()
        accounts.forget()
        turn.note(SENT, 1)
        assert not servers.made[0].closed
    assert servers.made[0].closed
