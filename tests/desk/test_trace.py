"""A trace tells the life of a mail from what was stored: where it came from, what it became, what was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, NewRef, Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.trace import trace
from supportdesk.errors import NotFound

if TYPE_CHECKING:
    from supportdesk.desk.model import TicketId
    from tests.support.desk import House


def delivered_as(house: House, ticket_id: TicketId) -> None:
    """The ledger row of the ticket's newest message, as UID 77 of the inbox."""
    message = house.newest_message(ticket_id)
    folder = house.store.ledger.folder(house.mailbox_id, "INBOX", "inbox")
    now = house.clock.now()
    values = {
        "folder_id": folder["id"], "uidvalidity": 5, "uid": 77, "raw_sha": "ab" * 32, "size": 900,
        "fetched_at": now, "processed_at": now, "outcome": "message", "message_id": message,
    }  # fmt: skip
    row = Insert("delivery", values, NewRef("delivery"))
    house.store.run(lambda tx: tx.apply(Plan(silent=(row,), undoable=False), MAIL, new_action_id()))


def test_the_uid_the_ticket_the_reply_and_the_servers_words_stand_in_order(house: House) -> None:
    ticket_id = house.customer_writes()
    delivered_as(house, ticket_id)
    house.pass_time(minutes=5)
    reply = house.reply(ticket_id)
    house.pass_time(minutes=1)
    house.deliver(reply.id)
    said = Update("outbox", {"id": reply.id}, {}, {"server_reply": "250 2.0.0 Ok: queued as 4XYZ"})
    house.store.run(lambda tx: tx.apply(Plan(silent=(said,), undoable=False), MAIL, new_action_id()))
    found = trace(house.desk, str(ticket_id))
    told = [step.what for step in found.steps]
    assert [what for what in told if what != "event"] == [
        "fetched", "processed", "held", "tried", "outcome", "recipient"
    ]  # fmt: skip
    words = "\n".join(step.text for step in found.steps)
    assert "UID 77 of INBOX at aiuto@bottega.example was taken over" in words
    assert "250 2.0.0 Ok: queued as 4XYZ" in words
    assert [step.at for step in found.steps] == sorted(step.at for step in found.steps)
    by_id = trace(house.desk, house.desk.outbox_row(reply.id).message_id_header)
    assert by_id == found


def test_a_merged_ticket_is_told_with_the_one_that_it_went_into(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes()
    delivered_as(house, first)
    house.desk.perform("merge", house.giulia, [first], {"into": second})
    found = trace(house.desk, f"#{first}")
    assert found.ticket_id == second
    assert "fetched" in [step.what for step in found.steps]


def test_what_is_not_there_is_said(house: House) -> None:
    for wanted in ("4711", "<nobody@nowhere.example>"):
        with pytest.raises(NotFound):
            trace(house.desk, wanted)
