"""A note that is being written is a draft like any other, until it is put on its ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow, TicketId
    from tests.support.desk import House


def begun(house: House, ticket_id: TicketId, text: str = "Chiesto al magazzino") -> OutboxRow:
    row = house.desk.open_draft(house.giulia, ticket_id, kind="note")
    return house.desk.save_draft(house.giulia, row.id, row.version, body=text)


def test_a_note_is_a_draft_of_its_own_beside_the_reply(house: House) -> None:
    ticket_id = house.customer_writes()
    reply, note = house.draft(ticket_id), begun(house, ticket_id)
    assert note.id != reply.id
    assert (note.kind, note.recipients) == ("note", ())
    assert house.desk.open_draft(house.giulia, ticket_id, kind="note").id == note.id
    assert {row.id for row in house.desk.drafts(house.giulia)} == {reply.id, note.id}


def test_adding_the_note_takes_its_draft_away_in_the_same_commit(house: House) -> None:
    ticket_id = house.customer_writes()
    note = begun(house, ticket_id)
    house.desk.add_note(house.giulia, ticket_id, note.body, draft=note.id)
    assert [entry.text for entry in house.desk.read.thread(ticket_id)][-1] == "Chiesto al magazzino"
    assert house.desk.drafts(house.giulia) == []
    with pytest.raises(NotFound):
        house.desk.add_note(house.giulia, ticket_id, note.body, draft=note.id)
    assert len(house.desk.read.thread(ticket_id)) == 2


def test_a_note_that_cannot_be_written_keeps_its_draft(house: House) -> None:
    ticket_id = house.customer_writes()
    note = begun(house, ticket_id)
    with pytest.raises(UsageError):
        house.desk.add_note(house.giulia, ticket_id, "  ", draft=note.id)
    assert [row.id for row in house.desk.drafts(house.giulia)] == [note.id]


def test_a_colleague_adopts_a_note_before_he_adds_it(house: House) -> None:
    ticket_id = house.customer_writes()
    note = begun(house, ticket_id)
    with pytest.raises(NotAllowed):
        house.desk.add_note(house.luca, ticket_id, note.body, draft=note.id)
    adopted = house.desk.adopt_draft(house.luca, note.id)
    house.desk.add_note(house.luca, ticket_id, adopted.body, draft=adopted.id)
    assert house.desk.drafts(house.luca) == []


def test_a_note_is_never_sent_and_takes_no_files(house: House) -> None:
    ticket_id = house.customer_writes()
    note = begun(house, ticket_id)
    with pytest.raises(UsageError):
        house.desk.send(house.giulia, note.id, seen_seq=note.seen_seq)
    with pytest.raises(UsageError):
        house.desk.attach(house.giulia, note.id, "foto.jpg", "image/jpeg", b"x")
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_note_can_be_begun_on_spam(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("spam", house.giulia, [ticket_id])
    assert begun(house, ticket_id).kind == "note"


def test_a_reply_draft_is_not_consumed_by_a_note(house: House) -> None:
    ticket_id = house.customer_writes()
    reply = house.draft(ticket_id)
    with pytest.raises(UsageError):
        house.desk.add_note(house.giulia, ticket_id, "nota", draft=reply.id)
    assert house.desk.outbox_row(reply.id).state == "draft"


def test_giving_up_an_empty_draft_leaves_nothing_to_undo(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("take", house.giulia, [ticket_id])
    row = house.desk.open_draft(house.giulia, ticket_id)
    assert not house.desk.discard_draft(house.giulia, row.id).undoable
    with pytest.raises(NotFound):
        house.desk.outbox_row(row.id)
    house.desk.undo(house.giulia)
    assert house.ticket(ticket_id).assignee_id is None


def test_a_discarded_note_comes_back_with_an_undo(house: House) -> None:
    ticket_id = house.customer_writes()
    note = begun(house, ticket_id)
    house.desk.discard_draft(house.giulia, note.id)
    with pytest.raises(Conflict):
        house.desk.add_note(house.giulia, ticket_id, note.body, draft=note.id)
    house.desk.undo(house.giulia)
    assert [row.body for row in house.desk.drafts(house.giulia)] == ["Chiesto al magazzino"]
