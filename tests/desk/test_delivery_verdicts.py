"""What a delivery attempt writes: the message in the thread, the recipients' states, the ticket, the badges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.delivery_verdicts import confirm_delivered, write_verdict
from supportdesk.desk.model import OutboxId
from supportdesk.mail.model import Address, SendResult

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow
    from tests.support.desk import House


def give(house: House, row: OutboxRow, verdict: str, words: str = "words") -> None:
    give_result(house, row, SendResult(verdict, "dot_sent", words))


def give_result(house: House, row: OutboxRow, result: SendResult) -> None:
    with house.store.transaction() as tx:
        stored = tx.row("outbox", {"id": row.id})
        assert stored is not None
        write_verdict(tx, stored, result)


def test_the_message_of_a_reply_in_doubt_is_there_once_and_becomes_the_sent_one(house: House) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    give(house, row, "uncertain")
    assert len(house.desk.read.rows("message", {"outbox_id": row.id})) == 1
    with house.store.transaction() as tx:
        assert confirm_delivered(tx, row.id, "found")
        assert not confirm_delivered(tx, row.id, "found again")
        assert not confirm_delivered(tx, OutboxId(999), "unknown")
    (message,) = house.desk.read.rows("message", {"outbox_id": row.id})
    (recipient,) = house.desk.read.rows("message_recipient", {"message_id": message["id"]})
    assert (house.desk.outbox_row(row.id).state, recipient["state"]) == ("sent", "accepted")
    assert message["seq"] == 2, "the place that it took when it was held"


def test_a_server_that_will_not_talk_to_us_fails_no_mail_however_often_it_says_so(house: House) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    words = "550 5.7.1 too many connections from your address, try again later"
    for _ in range(3):
        give_result(house, row, SendResult("deferred", "", words, account_problem=True))
        assert house.desk.outbox_row(row.id).state == "deferred"


@pytest.mark.parametrize("verdict", ["deferred", "failed"])
def test_what_has_not_left_is_no_message(house: House, verdict: str) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    give(house, row, verdict)
    assert house.desk.read.rows("message", {"outbox_id": row.id}) == []
    assert [entry.state for entry in house.desk.read.thread(row.ticket_id)][-1] == verdict


def test_badges_follow_the_delivery_and_end_with_it(house: House) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    badges = []
    for verdict in ("deferred", "uncertain", "sent"):
        give(house, row, verdict)
        badges.append(house.ticket(row.ticket_id).badges)
    assert badges[0] == ("deferred",)
    assert "uncertain" in badges[1]
    assert badges[2] == ()


def test_a_sent_reply_is_found_by_its_text_and_threads_what_it_answered(house: House) -> None:
    ticket_id = house.customer_writes()
    draft = house.draft(ticket_id, body="Il corriere passa giovedì.")
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, cc=(Address("Otto", "otto@example.net"),))
    house.desk.send(house.giulia, draft.id, seen_seq=house.ticket(ticket_id).seq, undo_seconds=0)
    give(house, draft, "sent")
    assert house.desk.search("giovedi corriere") == [ticket_id]
    assert house.desk.search("otto@example.net") == [ticket_id]
    question, reply = house.desk.read.rows("message_mail", order="message_id")
    assert reply["in_reply_to"] == question["message_id_norm"]
    assert reply["references"][-1] == question["message_id_norm"]
    assert reply["message_id_norm"] == house.desk.outbox_row(draft.id).message_id_header


def test_each_verdict_is_one_event_that_names_the_attempt(house: House) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    give(house, row, "deferred")
    give(house, row, "failed")
    kinds = [event.kind for event in house.desk.read.events(ticket_id=row.ticket_id) if event.actor_kind == "worker"]
    assert kinds == ["reply_deferred", "reply_failed"]
