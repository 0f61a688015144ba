"""The rows of OUT-5 that need more than one answer: no server, a mail cut off, some refused, a policy, a doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.model import Server
from supportdesk.desk.sent_folder import look_into_sent
from supportdesk.mail import smtp
from supportdesk.mail.model import Address
from supportdesk.mail.smtp import SmtpTransport
from tests.desk.delivery_round import Round, Servers
from tests.desk.test_sent_folder import SentFolder
from tests.support.smtp_stub import EOF, SILENCE, SmtpStub, running_smtp_stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supportdesk.desk.model import OutboxRow


@pytest.fixture
def stub() -> Iterator[SmtpStub]:
    with running_smtp_stub() as running:
        yield running


def attempt(round_: Round, stub: SmtpStub) -> bool:
    """One attempt over a connection of its own."""
    transport = SmtpTransport(Server("127.0.0.1", stub.port, "none", ""), "", after_dot_seconds=5)
    deliverer = Deliverer(round_.house.desk, Servers(transport), owner="w/1", epoch=1)
    tried = deliverer.deliver_next()
    transport.close()
    return tried


def states(round_: Round, row: OutboxRow) -> dict[str, str]:
    return {one.address.partition("@")[0]: one.state for one in round_.row(row).recipients}


@pytest.mark.parametrize("banner", [EOF, SILENCE], ids=["none", "too late"])
def test_out_5_without_a_banner_the_mail_waits(
    round_: Round, stub: SmtpStub, monkeypatch: pytest.MonkeyPatch, banner: str
) -> None:
    monkeypatch.setattr(smtp, "CONNECT_SECONDS", 0.3)
    stub.script["banner"] = banner
    row = round_.held()
    assert attempt(round_, stub)
    assert (round_.row(row).state, stub.mails) == ("deferred", [])


def test_out_5_a_mail_that_was_cut_off_before_its_dot_waits_and_nobody_has_it(round_: Round, stub: SmtpStub) -> None:
    ticket_id = round_.house.customer_writes()
    draft = round_.house.draft(ticket_id)
    draft = round_.house.desk.attach(round_.house.giulia, draft.id, "film.bin", "video/mp4", bytes(12_000_000))
    round_.house.desk.send(round_.house.giulia, draft.id, seen_seq=draft.seen_seq, undo_seconds=0, anyway=True)
    stub.script["mid-data"] = EOF
    assert attempt(round_, stub)
    assert (round_.row(draft).state, stub.mails) == ("deferred", [])


def test_out_5_each_recipient_has_his_own_row_and_only_who_was_put_off_is_tried_again(
    round_: Round, stub: SmtpStub
) -> None:
    house = round_.house
    draft = house.draft(house.customer_writes())
    people = tuple(Address("", f"{name}@example.com") for name in ("rosa", "otto", "full"))
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, to=people)
    house.desk.send(house.giulia, draft.id, seen_seq=draft.seen_seq, undo_seconds=0, anyway=True)
    stub.refused = {"otto@example.com": "550 5.1.1 no such user", "full@example.com": "452 4.2.2 full"}
    assert attempt(round_, stub)
    assert states(round_, draft) == {"rosa": "accepted", "otto": "failed", "full": "deferred"}
    assert round_.row(draft).state == "deferred"
    assert "failed" in house.ticket(draft.ticket_id).badges
    stub.refused = {}
    house.pass_time(minutes=2)
    assert attempt(round_, stub)
    assert states(round_, draft) == {"rosa": "accepted", "otto": "failed", "full": "accepted"}
    assert (round_.row(draft).state, stub.envelopes) == ("sent", [["rosa@example.com"], ["full@example.com"]])


def test_out_7_a_policy_after_the_dot_that_says_to_try_later_is_believed_once(round_: Round, stub: SmtpStub) -> None:
    stub.script["dot"] = "550 5.7.1 Daily limit exceeded, try again later"
    row, seen = round_.held(), []
    while attempt(round_, stub):
        seen.append(round_.row(row).state)
        round_.house.pass_time(minutes=61)
    assert seen == ["deferred", "failed"]
    assert round_.house.ticket(row.ticket_id).waiting_since is not None


@pytest.mark.parametrize("in_sent", [True, False])
def test_out_6_a_doubt_is_settled_by_the_copy_in_sent_alone_and_never_by_a_second_sending(
    round_: Round, stub: SmtpStub, in_sent: bool
) -> None:
    house = round_.house
    imap = Server("localhost", 1143, "none", "aiuto")
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "imap": imap})
    stub.script["dot"] = EOF
    row = round_.held()
    assert attempt(round_, stub)
    assert round_.row(row).state == "uncertain"
    folder = SentFolder(kept=[round_.row(row).message_id_header] if in_sent else [])
    for _minute in range(12):
        house.pass_time(minutes=1)
        look_into_sent(house.desk, folder)  # type: ignore[arg-type]
        assert not attempt(round_, stub)
    assert round_.row(row).state == ("sent" if in_sent else "uncertain")
    assert (house.ticket(row.ticket_id).waiting_since is None) == in_sent
    assert stub.commands.count("DATA") == 1
