"""The clocks from stored rows: calls, our own mail in Sent, mail without a sender, merged families (domain.md 1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from supportdesk.desk.bulk import update_clocks
from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Delete, Insert, NewRef, Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.sla import OpeningTime, Policy

if TYPE_CHECKING:
    from tests.support.desk import House


def found_in_sent(house: House, ticket_id: TicketId, sent_at: datetime, to: str = "rosa@example.com") -> None:
    """Our own mail, written in another program, fetched now."""
    with house.store.transaction() as tx:
        ticket, ref = tx.ticket(ticket_id), NewRef("message")
        values = {
            "ticket_id": ticket_id, "seq": ticket.seq + 1, "direction": "out", "kind": "mail", "author_kind": "agent",
            "received_at": sent_at, "created_at": tx.now, "body": "Già spedito",
        }  # fmt: skip
        changes = (
            Insert("message", values, ref),
            Insert("message_recipient", {"message_id": ref, "role": "to", "address": to}),
            Update("ticket", {"id": ticket_id}, {"seq": ticket.seq}, {"seq": ticket.seq + 1}),
        )
        tx.apply(Plan(silent=changes), MAIL, new_action_id())
        update_clocks(tx, [ticket_id], MAIL, new_action_id())


def test_our_mail_found_in_sent_answers_what_came_before_it(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(hours=1)
    found_in_sent(house, ticket_id, house.clock.now())
    assert house.ticket(ticket_id).waiting_since is None
    assert house.ticket(ticket_id).first_response_at == house.clock.now()


def test_our_mail_found_in_sent_does_not_answer_what_was_written_after_it(house: House) -> None:
    sent_at = house.clock.now() - timedelta(hours=1)
    ticket_id = house.customer_writes()
    written = house.clock.now()
    house.pass_time(minutes=5)
    found_in_sent(house, ticket_id, sent_at)
    assert house.ticket(ticket_id).waiting_since == written


def test_our_mail_to_somebody_else_answers_nobody(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(hours=1)
    found_in_sent(house, ticket_id, house.clock.now(), to="corriere@example.net")
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_reply_to_another_address_of_the_same_customer_answers(house: House) -> None:
    ticket_id = house.customer_writes()
    with house.store.transaction() as tx:
        customer = tx.ticket(ticket_id).customer_id
        values = {
            "customer_id": customer,
            "kind": "email",
            "value": "rosa@work.example",
            "value_norm": "rosa@work.example",
        }
        tx.apply(Plan(silent=(Insert("customer_identity", values),)), MAIL, new_action_id())
    house.pass_time(hours=1)
    found_in_sent(house, ticket_id, house.clock.now(), to="Rosa@Work.example")
    assert house.ticket(ticket_id).waiting_since is None


def test_mail_without_any_sender_waits_until_somebody_answers_on_its_ticket(house: House) -> None:
    ticket_id = house.customer_writes(kind="stub", author_kind="machine")
    key = {"message_id": house.newest_message(ticket_id)}
    with house.store.transaction() as tx:
        row = tx.row("message_mail", key)
        assert row is not None
        nobody = Update("message", {"id": key["message_id"]}, {}, {"identity_id": None})
        tx.apply(Plan(silent=(Delete("message_mail", key, row), nobody)), MAIL, new_action_id())
        update_clocks(tx, [ticket_id], MAIL, new_action_id())
    assert house.ticket(ticket_id).waiting_since is not None
    house.reply(ticket_id)
    assert house.ticket(ticket_id).waiting_since is None


def test_machines_and_third_parties_do_not_make_anybody_wait(house: House) -> None:
    for kind, author in (("notification", "machine"), ("out_of_office", "machine"), ("mail", "third_party")):
        ticket_id = house.customer_writes(kind=kind, author_kind=author)
        assert house.ticket(ticket_id).waiting_since is None


def test_an_answer_written_before_a_merge_did_not_see_the_other_ticket(house: House) -> None:
    first = house.customer_writes()
    second = house.customer_writes("Altra domanda", subject="Altro")
    house.pass_time(minutes=1)
    house.reply(first)
    house.pass_time(minutes=1)
    house.desk.perform("merge", house.giulia, [second], {"into": first})
    assert house.ticket(first).waiting_since is not None
    house.pass_time(minutes=1)
    house.reply(first)
    assert house.ticket(first).waiting_since is None


def test_a_split_does_not_push_the_customer_back(house: House) -> None:
    ticket_id = house.customer_writes()
    house.customer_writes("E un'altra cosa", ticket=ticket_id)
    due = house.ticket(ticket_id).due_at
    house.pass_time(hours=5)
    house.desk.perform("split", house.giulia, [ticket_id], {"first": house.newest_message(ticket_id)})
    (split,) = house.desk.read.rows("ticket", {"split_from": ticket_id})
    assert split["due_at"] == due


def test_next_response_runs_from_the_new_question_once_the_first_was_answered(house: House) -> None:
    ticket_id = house.customer_writes()
    first = house.ticket(ticket_id)
    assert (first.first_due, first.next_due) == (first.created_at + timedelta(days=1), None)
    house.pass_time(hours=1)
    house.reply(ticket_id)
    house.pass_time(hours=1)
    house.customer_writes("E il resto?", ticket=ticket_id)
    ticket = house.ticket(ticket_id)
    assert (ticket.first_due, ticket.next_due) == (None, house.clock.now() + timedelta(days=1))
    assert ticket.due_at == ticket.next_due


def test_resolution_pauses_while_the_customer_has_to_move(house: House) -> None:
    policy = Policy(first_response=None, next_response=None, resolution=OpeningTime(48 * 3600))
    house.desk.update_settings(house.giulia, policy=policy.to_json())
    ticket_id = house.customer_writes()
    due = house.ticket(ticket_id).resolution_due
    assert due == house.clock.now() + timedelta(hours=48)
    house.desk.perform("status", house.giulia, [ticket_id], {"status": "pending"})
    assert house.ticket(ticket_id).resolution_due is None
    house.pass_time(hours=10)
    house.desk.perform("reopen", house.giulia, [ticket_id])
    assert house.ticket(ticket_id).resolution_due == due + timedelta(hours=10)
