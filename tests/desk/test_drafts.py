"""Drafts: what a new one is filled with, and that no typed word is lost or written over (terminal.md, domain.md 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from tests.support.desk import House


def test_a_reply_is_prefilled_from_the_message_it_answers(house: House) -> None:
    ticket_id = house.customer_writes(subject="R: Re: Ordine 5521")
    row = house.desk.open_draft(house.giulia, ticket_id)
    assert (row.kind, row.state, row.subject, row.language) == ("reply", "draft", "Re: Ordine 5521", "it")
    assert row.in_reply_to == house.newest_message(ticket_id)
    assert row.seen_seq == 1
    assert [(one.role, one.address, one.name) for one in row.recipients] == [("to", "rosa@example.com", "Rosa Bianchi")]


def test_a_reply_goes_to_the_sender_of_the_message_replied_to_after_a_merge(house: House) -> None:
    rosa = house.customer_writes()
    first = house.newest_message(rosa)
    house.pass_time(minutes=1)
    otto = house.customer_writes(sender="otto@example.de", name="Otto")
    house.desk.perform("merge", house.giulia, [rosa], {"into": otto, "different_customers": True})
    row = house.desk.open_draft(house.giulia, otto, in_reply_to=first)
    assert [one.address for one in row.recipients] == ["rosa@example.com"]
    newest = house.desk.open_draft(house.luca, otto)
    assert [one.address for one in newest.recipients] == ["otto@example.de"]


def test_a_foreign_reply_to_is_where_the_answer_goes(house: House) -> None:
    ticket_id = house.customer_writes()
    key = {"message_id": house.newest_message(ticket_id)}
    with house.store.transaction() as tx:
        there = Update("message_mail", key, {}, {"reply_to": [["Rosa", "rosa@work.example"]]})
        tx.apply(Plan(silent=(there,)), MAIL, new_action_id())
    row = house.desk.open_draft(house.giulia, ticket_id)
    assert [one.address for one in row.recipients] == ["rosa@work.example"]
    house.desk.set_agent(house.giulia, house.desk.agent_by_login("luca").id, email="Rosa@example.com")
    row = house.desk.open_draft(house.luca, ticket_id)
    assert [one.address for one in row.recipients] == ["rosa@example.com"], "an agent's own is not followed"


def test_an_agent_has_one_draft_of_a_kind_on_a_ticket(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id, body="metà")
    again = house.desk.open_draft(house.giulia, ticket_id)
    assert (again.id, again.body) == (row.id, "metà")
    assert house.desk.open_draft(house.luca, ticket_id).id != row.id


def test_a_draft_saved_in_another_window_is_not_written_over(house: House) -> None:
    row = house.draft(house.customer_writes())
    house.desk.save_draft(house.giulia, row.id, row.version, body="prima")
    with pytest.raises(Conflict):
        house.desk.save_draft(house.giulia, row.id, row.version, body="seconda")
    assert house.desk.outbox_row(row.id).body == "prima"


def test_saving_the_same_text_writes_nothing(house: House) -> None:
    row = house.draft(house.customer_writes())
    assert house.desk.save_draft(house.giulia, row.id, row.version, body=row.body).version == row.version


def test_typing_a_draft_is_no_change_of_the_ticket(house: House) -> None:
    ticket_id = house.customer_writes()
    version = house.ticket(ticket_id).version
    row = house.draft(ticket_id, body="una parola")
    house.desk.save_draft(house.giulia, row.id, row.version, body="una parola in più")
    assert house.ticket(ticket_id).version == version
    house.desk.perform("take", house.luca, [ticket_id], expect={ticket_id: version})


def test_recipients_are_replaced_by_role_and_listed_once(house: House) -> None:
    row = house.draft(house.customer_writes())
    people = (Address("Otto", "otto@example.de"), Address("", "OTTO@example.de"))
    row = house.desk.save_draft(house.giulia, row.id, row.version, cc=people)
    assert [(one.role, one.address.casefold()) for one in row.recipients] == [
        ("to", "rosa@example.com"),
        ("cc", "otto@example.de"),
    ]


def test_unknown_fields_are_named(house: House) -> None:
    row = house.draft(house.customer_writes())
    with pytest.raises(UsageError, match="state"):
        house.desk.save_draft(house.giulia, row.id, row.version, state="sent")


def test_files_are_attached_and_detached(house: House) -> None:
    row = house.draft(house.customer_writes())
    row = house.desk.attach(house.giulia, row.id, "etichetta.pdf", "application/pdf", b"%PDF-1.7")
    assert house.desk.blobs.get(row.attachments[0].blob_sha) == b"%PDF-1.7"
    row = house.desk.detach(house.giulia, row.id, row.attachments[0].id)
    assert row.attachments == ()
    with pytest.raises(NotFound):
        house.desk.detach(house.giulia, row.id, 99)


def test_a_colleagues_draft_is_read_and_adopted_not_edited(house: House) -> None:
    row = house.draft(house.customer_writes())
    with pytest.raises(NotAllowed):
        house.desk.save_draft(house.luca, row.id, row.version, body="mio")
    assert [draft.id for draft in house.desk.drafts(house.luca, everybody=True)] == [row.id]
    assert house.desk.adopt_draft(house.luca, row.id).agent_id == house.luca.id


def test_adopting_keeps_the_text_of_both(house: House) -> None:
    ticket_id = house.customer_writes()
    theirs = house.draft(ticket_id, body="di Giulia")
    house.draft(ticket_id, house.luca, body="di Luca")
    adopted = house.desk.adopt_draft(house.luca, theirs.id)
    assert adopted.body == "di Giulia\n\ndi Luca"
    assert len(house.desk.drafts(house.luca)) == 1


def test_a_conversation_that_we_start_has_a_ticket_a_customer_and_a_draft(house: House) -> None:
    to = Address("Paul Klein", "paul@example.de")
    row = house.desk.start_conversation(house.giulia, house.mailbox_id, to, "Ihre Bestellung", "de")
    ticket = house.ticket(row.ticket_id)
    assert (row.kind, row.subject, row.language) == ("new", "Ihre Bestellung", "de")
    assert (ticket.status, ticket.assignee_id, ticket.waiting_since) == ("open", house.giulia.id, None)
    row = house.desk.save_draft(house.giulia, row.id, row.version, body="Guten Tag, Ihre Bestellung ist unterwegs.")
    assert house.desk.send(house.giulia, row.id, seen_seq=0).tickets == (ticket.id,)


def test_drafts_of_both_are_kept_when_tickets_are_merged(house: House) -> None:
    gone, survivor = house.customer_writes(), house.customer_writes(subject="Altro")
    first, second = house.draft(gone, body="uno"), house.draft(survivor, body="due")
    house.desk.perform("merge", house.luca, [gone], {"into": survivor})
    assert {draft.id for draft in house.desk.drafts(house.giulia)} == {first.id, second.id}


def test_spam_gets_no_reply(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("spam", house.giulia, [ticket_id])
    with pytest.raises(Conflict, match="spam"):
        house.desk.open_draft(house.giulia, ticket_id)
