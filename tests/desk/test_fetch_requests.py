"""What somebody asked to be fetched beside the new mail: the Junk folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.fetch_requests import ask_for_junk, fulfilled, list_junk, wants_junk
from supportdesk.desk.intake import Intake
from tests.desk.test_fetch import NEW, ScriptedSource
from tests.desk.test_parked import QUESTION, PlainParser

if TYPE_CHECKING:
    from supportdesk.desk.model import Mailbox
    from tests.support.desk import House

RAW = QUESTION.strip().replace("\n", "\r\n").encode()


@pytest.fixture
def server(house: House) -> ScriptedSource:
    from supportdesk.desk.model import Server

    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "imap": Server("localhost", 1, "none", "aiuto")})
    return ScriptedSource({"INBOX": {}, "Junk": {3: (RAW, NEW)}})


def the_mailbox(house: House) -> Mailbox:
    return next(box for box in house.desk.mailboxes() if box.id == house.mailbox_id)


def test_what_lies_in_junk_is_counted_in_the_status(house: House, server: ScriptedSource) -> None:
    Fetcher(house.store.ledger, the_mailbox(house)).run_pass(server)
    assert [(one.folder, one.count) for one in list_junk(house.desk.read)] == [("Junk", 1)]
    assert house.desk.status().junk == 1
    assert house.store.ledger.unprocessed(10) == []


def test_a_wish_for_junk_stays_with_the_mailbox_until_it_is_fulfilled(house: House, server: ScriptedSource) -> None:
    Fetcher(house.store.ledger, the_mailbox(house)).run_pass(server)
    assert ask_for_junk(house.desk, house.luca) == 1
    assert ask_for_junk(house.desk, house.luca) == 1  # once is enough
    assert wants_junk(the_mailbox(house))
    fulfilled(house.store, house.mailbox_id, ["junk"])
    assert not wants_junk(the_mailbox(house))
    assert "wanted" not in the_mailbox(house).settings


def test_nothing_is_wished_for_where_nothing_lies_in_junk(house: House) -> None:
    assert ask_for_junk(house.desk, house.luca) == 0
    assert not wants_junk(the_mailbox(house))


def test_mail_from_junk_is_a_ticket_that_waits_is_flagged_and_never_acknowledged(
    house: House, server: ScriptedSource
) -> None:
    settings = {**the_mailbox(house).settings, "acknowledge": True, "automatic_language": "it"}
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "settings": settings})
    Fetcher(house.store.ledger, the_mailbox(house), take_junk=True).run_pass(server)
    Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
    [row] = house.desk.read.rows("ticket")
    assert (row["status"], "junk" in row["badges"]) == ("new", True)
    assert row["waiting_since"] is not None
    [message] = house.desk.read.rows("message")
    assert "junk" in message["badges"]
    assert message["evidence"]["no_ack_reason"] == "junk"
    assert house.desk.read.rows("outbox") == []
    assert house.desk.status().junk == 0
