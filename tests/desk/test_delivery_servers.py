"""Mail servers that refuse, fail or are paused, and each row of the table of answers through a real socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.model import Server
from supportdesk.mail.smtp import SmtpTransport
from tests.desk.delivery_round import Round, Servers, verdict
from tests.support.smtp_stub import EOF, SILENCE, SmtpStub, running_smtp_stub


def test_an_account_that_is_refused_pauses_and_its_mail_waits(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.transport.verdicts = [verdict("deferred", "", "535 5.7.8 bad credentials", account=True)]
    deliverer.deliver_next()
    round_.house.pass_time(minutes=10)
    assert not deliverer.deliver_next()
    assert round_.row(row).error == "535 5.7.8 bad credentials"
    round_.house.pass_time(minutes=6)
    assert deliverer.deliver_next()
    assert round_.row(row).state == "sent"


def test_a_server_that_keeps_failing_is_left_alone_for_a_while(round_: Round) -> None:
    for number in range(7):
        ticket_id = round_.house.customer_writes(sender=f"c{number}@example.com")
        round_.house.reply(ticket_id, undo_seconds=0)
    round_.transport.verdicts = [verdict("deferred", "connected", "timed out")] * 5
    deliverer = round_.deliverer()
    tries = 0
    while deliverer.deliver_next():
        tries += 1
    assert tries == 5
    assert round_.transport.closed == 5, "after an error no connection is used again"
    round_.house.pass_time(minutes=6)
    assert deliverer.deliver_next()


def test_a_paused_mailbox_sends_nothing(round_: Round) -> None:
    row = round_.held()
    round_.house.desk.save_mailbox(round_.house.giulia, {"id": row.mailbox_id, "state": "paused"})
    assert not round_.deliverer().deliver_next()
    assert round_.row(row).state == "held"


def test_a_paused_mailbox_does_not_keep_the_others_waiting(round_: Round) -> None:
    house = round_.house
    for number in range(25):
        house.reply(house.customer_writes(sender=f"c{number}@example.com"), undo_seconds=0)
    values = {"address": "help@bottega.example", "smtp": Server("localhost", 2525, "none", "help")}
    other = house.desk.save_mailbox(house.giulia, values)
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "state": "paused"})
    ticket_id = house.customer_writes(sender="zoe@example.fr")
    house.desk.perform("move", house.giulia, [ticket_id], {"mailbox": other.id})
    row = house.reply(ticket_id, undo_seconds=0)
    assert round_.deliverer().deliver_next()
    assert round_.row(row).state == "sent"


@pytest.fixture
def stub() -> Iterator[SmtpStub]:
    with running_smtp_stub() as running:
        yield running


@pytest.mark.parametrize(
    ("script", "state"),
    [
        ({}, "sent"),
        ({"quit": EOF}, "sent"),
        ({"mail": "421 4.3.2 closing"}, "deferred"),
        ({"rcpt": EOF}, "deferred"),
        ({"rcpt": "550 5.1.1 no such user"}, "failed"),
        ({"rcpt": "452 4.2.2 full"}, "deferred"),
        ({"dot": EOF}, "uncertain"),
        ({"dot": SILENCE}, "uncertain"),
        ({"dot": "hello?"}, "uncertain"),
        ({"dot": "451 4.3.0 disk full"}, "deferred"),
        ({"dot": "554 5.7.1 spam"}, "failed"),
    ],
)
def test_each_row_of_the_table_through_a_socket(
    round_: Round, stub: SmtpStub, script: dict[str, str], state: str
) -> None:
    """OUT-5."""
    stub.script.update(script)
    row = round_.held()
    transport = SmtpTransport(Server("127.0.0.1", stub.port, "none", ""), "", after_dot_seconds=0.3)
    deliverer = Deliverer(round_.house.desk, Servers(transport), owner="w/1", epoch=1)
    assert deliverer.deliver_next()
    deliverer.close()
    assert round_.row(row).state == state
    assert (round_.house.ticket(row.ticket_id).waiting_since is None) == (state in ("sent", "deferred"))
