"""Sending: what holds a reply, what stops it, how it is taken back (domain.md sections 3 and 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import OutboxId
from supportdesk.desk.replies import newcomers_since_held
from supportdesk.desk.results import AnswerNeeded
from supportdesk.errors import Conflict, NotAllowed, ReplyStopped, UsageError
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from tests.support.desk import House


def test_a_reply_is_held_for_the_undo_window_and_answers_the_customer(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.reply(ticket_id)
    ticket = house.ticket(ticket_id)
    assert row.state == "held"
    assert row.not_before == house.clock.now() + timedelta(seconds=15)
    assert row.message_id_header.startswith("<sd.")
    assert row.message_id_header.endswith("@bottega.example>")
    assert [one.address for one in row.recipients] == ["rosa@example.com"]
    assert (ticket.status, ticket.waiting_since) == ("pending", None)
    assert ticket.first_response_at == house.clock.now()
    assert ticket.due_at is None
    assert ticket.seq == 2


@pytest.mark.parametrize("after", ["open", "pending", "on_hold", "solved"])
def test_the_agent_chooses_what_the_ticket_becomes(house: House, after: str) -> None:
    ticket_id = house.customer_writes()
    house.reply(ticket_id, after=after)
    assert house.ticket(ticket_id).status == after


def test_a_reply_can_put_the_ticket_to_sleep_until_the_customer_answers(house: House) -> None:
    ticket_id = house.customer_writes()
    until = house.clock.now() + timedelta(days=2)
    house.reply(ticket_id, snooze=until)
    ticket = house.ticket(ticket_id)
    assert (ticket.snoozed_until, ticket.snooze_mode, ticket.snoozed_by) == (until, "until_reply", house.giulia.id)


def test_a_mail_that_came_while_writing_stops_the_reply(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    house.customer_writes("Ho già ricevuto il pacco, grazie", ticket=ticket_id)
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    assert [item.excerpt for item in stopped.value.newcomers] == ["Ho già ricevuto il pacco, grazie"]
    assert house.desk.outbox_row(row.id).state == "draft"
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_stopped_reply_can_be_sent_once_the_news_was_read(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    house.customer_writes("Ancora io", ticket=ticket_id)
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    house.desk.send(house.giulia, row.id, seen_seq=stopped.value.seq)
    assert house.ticket(ticket_id).waiting_since is None


def test_a_reply_sent_anyway_leaves_what_was_not_seen_unanswered(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    house.pass_time(minutes=5)
    house.customer_writes("E un'altra domanda?", ticket=ticket_id)
    second = house.clock.now()
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, anyway=True)
    assert house.ticket(ticket_id).waiting_since == second


def test_a_colleagues_reply_and_note_stop_a_reply_but_ones_own_note_does_not(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    house.desk.add_note(house.giulia, ticket_id, "chiamo il corriere")
    seen = house.ticket(ticket_id).seq - 1
    house.desk.add_note(house.luca, ticket_id, "ci penso io")
    house.reply(ticket_id, house.luca, anyway=True)
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=seen)
    assert [(item.kind, item.author) for item in stopped.value.newcomers] == [
        ("note", "Luca Neri"),
        ("reply", "Luca Neri"),
    ]


def test_u_makes_the_same_row_a_draft_again_and_the_customer_waits_as_before(house: House) -> None:
    ticket_id = house.customer_writes()
    waiting_since, due_at = house.ticket(ticket_id).waiting_since, house.ticket(ticket_id).due_at
    draft = house.draft(ticket_id)
    draft = house.desk.attach(house.giulia, draft.id, "reso.pdf", "application/pdf", b"%PDF")
    house.desk.send(house.giulia, draft.id, seen_seq=draft.seen_seq, after="solved")
    house.pass_time(seconds=3)
    row = house.desk.cancel_send(house.giulia)
    ticket = house.ticket(ticket_id)
    assert (row.id, row.state, row.body) == (draft.id, "draft", draft.body)
    assert [file.name for file in row.attachments] == ["reso.pdf"]
    assert (ticket.status, ticket.waiting_since, ticket.due_at) == ("new", waiting_since, due_at)
    assert ticket.first_response_at is None
    assert ticket.solved_at is None


def test_a_cancelled_send_leaves_a_status_that_somebody_changed_since(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id, after="pending")
    house.desk.perform("status", house.luca, [ticket_id], {"status": "on_hold"})
    house.desk.cancel_send(house.giulia, done.id)
    assert house.ticket(ticket_id).status == "on_hold"


def test_a_taken_back_reply_goes_above_the_draft_that_was_begun_since(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id)
    house.draft(ticket_id, body="Ancora una cosa")
    row = house.desk.cancel_send(house.giulia, done.id)
    assert row.body == "Il pacco arriva domani.\n\nAncora una cosa"
    assert [draft.id for draft in house.desk.drafts(house.giulia)] == [row.id]


@pytest.mark.parametrize("state", ["sending", "sent", "uncertain"])
def test_what_is_on_the_wire_cannot_be_taken_back(house: House, state: str) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id)
    house.deliver(done.id, state)
    with pytest.raises(Conflict):
        house.desk.cancel_send(house.giulia, done.id)
    assert house.desk.outbox_row(done.id).state == state


def test_a_deferred_reply_can_be_taken_back_unless_somebody_has_it(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id)
    house.deliver(done.id, "deferred", recipient="sent")
    with pytest.raises(Conflict, match=r"rosa@example\.com"):
        house.desk.cancel_send(house.giulia)
    house.deliver(done.id, "deferred")
    assert house.desk.cancel_send(house.giulia).state == "draft"


@pytest.mark.parametrize("state", ["failed", "bounced", "uncertain"])
def test_a_reply_that_did_not_arrive_brings_the_old_waiting_since_back(house: House, state: str) -> None:
    ticket_id = house.customer_writes()
    waiting_since = house.ticket(ticket_id).waiting_since
    done = house.reply(ticket_id)
    house.pass_time(minutes=1)
    house.deliver(done.id, state)
    assert house.ticket(ticket_id).waiting_since == waiting_since
    assert house.ticket(ticket_id).first_response_at is None


def test_a_delivery_in_doubt_is_decided_by_a_person(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id)
    house.deliver(done.id, "uncertain")
    header = house.desk.outbox_row(done.id).message_id_header
    house.desk.resolve_uncertain(house.luca, done.id, "resend")
    row = house.desk.outbox_row(done.id)
    assert (row.state, row.next_try, row.message_id_header) == ("deferred", house.clock.now(), header)
    house.deliver(done.id, "uncertain")
    house.desk.resolve_uncertain(house.luca, done.id, "mark_sent")
    assert house.desk.outbox_row(done.id).state == "sent"
    assert house.ticket(ticket_id).waiting_since is None


def test_a_reply_in_doubt_that_is_sent_again_cannot_become_a_draft(house: House) -> None:
    row = house.reply(house.customer_writes())
    house.deliver(row.id, "uncertain")
    house.desk.resolve_uncertain(house.giulia, row.id, "resend")
    with pytest.raises(Conflict, match="too late"):
        house.desk.cancel_send(house.giulia, row.id)


def test_a_refused_reply_can_be_tried_again(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.reply(ticket_id)
    house.deliver(done.id, "failed")
    house.desk.retry_failed(house.giulia, done.id)
    assert house.desk.outbox_row(done.id).state == "deferred"
    assert house.ticket(ticket_id).waiting_since is None
    with pytest.raises(Conflict):
        house.desk.retry_failed(house.giulia, done.id)


def test_a_second_try_has_its_own_two_days(house: House) -> None:
    row = house.reply(house.customer_writes())
    house.deliver(row.id, "failed")
    house.pass_time(days=3)
    house.desk.retry_failed(house.giulia, row.id)
    assert house.desk.read.rows("outbox", {"id": row.id})[0]["first_try_at"] is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"to": ()}, "nobody"),
        ({"body": "  "}, "empty"),
        ({"body": "Ciao {{ ask.date }}"}, "{{ ask.date }}"),
        ({"to": (Address("", "no at sign"),)}, "no at sign"),
    ],
)
def test_what_the_review_calls_an_error_stops_the_sending(house: House, fields: dict[str, Any], told: str) -> None:
    row = house.draft(house.customer_writes())
    row = house.desk.save_draft(house.giulia, row.id, row.version, **fields)
    assert any(told in error for error in house.desk.review(house.giulia, row.id).errors)
    with pytest.raises(UsageError):
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    assert house.desk.outbox_row(row.id).state == "draft"


def test_the_review_warns_of_a_wrong_language_and_a_forgotten_attachment(house: House) -> None:
    row = house.draft(house.customer_writes())
    text = "Dear customer, please find attached the invoice for your order, which was shipped yesterday."
    row = house.desk.save_draft(house.giulia, row.id, row.version, body=text)
    review = house.desk.review(house.giulia, row.id)
    assert review.sendable
    assert {warning.code for warning in review.warnings} == {"language", "attachment"}
    assert [person.addr for person in review.recipients] == ["rosa@example.com"]
    assert "> Dove è il mio ordine 5521?" in review.preview_text


def test_solving_with_a_reply_that_reaches_somebody_else_asks_for_a_reason(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    row = house.desk.save_draft(house.giulia, row.id, row.version, to=(Address("", "corriere@example.net"),))
    with pytest.raises(AnswerNeeded) as asked:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, after="solved")
    assert asked.value.param == "dismiss"
    assert house.desk.outbox_row(row.id).state == "draft"
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, after="solved", dismiss="answered_elsewhere")
    assert (house.ticket(ticket_id).status, house.ticket(ticket_id).waiting_since) == ("solved", None)


def test_a_colleagues_draft_is_not_sent_before_it_was_adopted(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    with pytest.raises(NotAllowed):
        house.desk.send(house.luca, row.id, seen_seq=row.seen_seq)
    house.desk.adopt_draft(house.luca, row.id)
    assert house.desk.send(house.luca, row.id, seen_seq=row.seen_seq).outbox_id == row.id


def test_a_reply_is_held_once(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    with pytest.raises(Conflict):
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)


def test_a_forward_quotes_the_customer_makes_a_third_party_and_answers_nobody(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.desk.open_draft(house.giulia, ticket_id, kind="forward")
    assert (row.subject, row.recipients) == ("Fwd: Ordine 5521", ())
    to = (Address("Corriere", "corriere@example.net"),)
    row = house.desk.save_draft(house.giulia, row.id, row.version, to=to, body="Potete verificare la consegna?")
    assert "> Dove è il mio ordine 5521?" in house.desk.review(house.giulia, row.id).preview_text
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, after="on_hold")
    assert house.ticket(ticket_id).waiting_since is not None
    roles = [one["role"] for one in house.desk.read.rows("participant", {"ticket_id": ticket_id}, order="id")]
    assert roles == ["requester", "third_party"]


def test_whom_an_agent_writes_to_takes_part(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    row = house.desk.save_draft(house.giulia, row.id, row.version, cc=(Address("", "marito@example.com"),))
    house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    roles = [one["role"] for one in house.desk.read.rows("participant", {"ticket_id": ticket_id}, order="id")]
    assert roles == ["requester", "cc"]


def test_a_merge_is_news_to_whoever_is_writing_on_the_survivor(house: House) -> None:
    survivor = house.customer_writes()
    row = house.draft(survivor)
    other = house.customer_writes("Stessa domanda, altro oggetto", subject="Ancora")
    house.desk.perform("merge", house.luca, [other], {"into": survivor})
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    assert stopped.value.who == "Luca Neri"
    told = [item.excerpt for item in stopped.value.newcomers]
    assert told == [f"merged #{other} into #{survivor}", "Stessa domanda, altro oggetto"]
    house.pass_time(seconds=1)
    house.desk.send(house.giulia, row.id, seen_seq=stopped.value.seq)
    assert house.ticket(survivor).waiting_since is None


def test_whoever_writes_on_a_ticket_that_is_merged_away_is_told_by_whom_and_into_which(house: House) -> None:
    survivor, root = house.customer_writes("Prima domanda"), house.customer_writes("Un’altra ancora")
    home = house.customer_writes()
    row = house.draft(home)
    house.desk.perform("merge", house.luca, [home], {"into": survivor})
    house.desk.perform("merge", house.anna, [survivor], {"into": root})
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    first = stopped.value.newcomers[0]
    assert (stopped.value.who, first.kind, first.excerpt) == ("Anna Blu", "merge", f"merged #{survivor} into #{root}")
    assert {item.excerpt for item in stopped.value.newcomers} > {"Prima domanda", "Un’altra ancora"}
    assert house.desk.outbox_row(row.id).state == "draft"


def test_a_held_reply_is_stopped_by_news_in_any_ticket_of_the_family_but_not_by_ones_own_merge(house: House) -> None:
    other = house.customer_writes("Prima domanda")
    for _unused in range(3):
        house.pass_time(minutes=1)
        house.customer_writes("Ancora", ticket=other)
    ticket_id = house.customer_writes("Seconda domanda")
    house.pass_time(minutes=1)
    held = house.reply(ticket_id)
    house.pass_time(seconds=1)
    house.desk.perform("merge", house.giulia, [ticket_id], {"into": other})
    assert news_since_held(house, held.id) == []
    house.pass_time(seconds=1)
    house.customer_writes("Ho cambiato idea", ticket=other)
    assert news_since_held(house, held.id) == ["Ho cambiato idea"]


def test_ones_own_merge_after_sending_does_not_stop_the_reply_but_a_colleagues_does(house: House) -> None:
    mine, colleagues = house.customer_writes("Doppia"), house.customer_writes("Tripla")
    ticket_id = house.customer_writes()
    house.pass_time(minutes=1)
    held = house.reply(ticket_id)
    house.pass_time(seconds=1)
    house.desk.perform("merge", house.giulia, [mine], {"into": ticket_id})
    assert news_since_held(house, held.id) == []
    house.desk.perform("merge", house.luca, [colleagues], {"into": ticket_id})
    assert news_since_held(house, held.id) == ["Tripla"]


def news_since_held(house: House, outbox_id: OutboxId) -> list[str]:
    with house.store.transaction() as tx:
        row = tx.row("outbox", {"id": outbox_id})
        assert row is not None
        return [one.excerpt for one in newcomers_since_held(tx, row)]


def test_the_review_names_what_is_worded_wrongly_with_its_line(house: House) -> None:
    house.desk.update_settings(house.giulia, avoided_words=["purtroppo"])
    row = house.draft(house.customer_writes())
    text = "Ciao Rosa,\n\npurtroppo [nome corriere] non è ancora passato!!!\n\nA presto"
    row = house.desk.save_draft(house.giulia, row.id, row.version, body=text)
    found = house.desk.review(house.giulia, row.id).warnings
    assert [warning.code for warning in found] == ["avoided", "marks", "placeholder"]
    assert all("Line 3" in warning.text for warning in found)


@pytest.mark.parametrize(("decided", "codes"), [("formal", ["register"]), ("informal", []), ("", [])])
def test_the_review_knows_how_the_customer_is_addressed(house: House, decided: str, codes: list[str]) -> None:
    ticket_id = house.customer_writes()
    mailbox_id = house.ticket(ticket_id).mailbox_id
    assert mailbox_id is not None
    house.desk.save_mailbox(house.giulia, {"id": mailbox_id, "register": decided})
    row = house.draft(ticket_id, body="Ciao Rosa, il tuo pacco arriva domani.")
    assert [warning.code for warning in house.desk.review(house.giulia, row.id).warnings] == codes


def test_a_reply_on_an_angry_ticket_cools_off_for_longer(house: House) -> None:
    calm, angry = house.customer_writes(), house.customer_writes("Sono furiosa")
    house.desk.perform("tag", house.giulia, [angry], {"tags": ["Angry"]})
    assert house.reply(calm).not_before == house.clock.now() + timedelta(seconds=15)
    assert house.reply(angry).not_before == house.clock.now() + timedelta(seconds=60)


def test_a_reply_waits_until_the_time_that_was_said_and_can_be_taken_back_until_then(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    at = house.clock.now() + timedelta(days=2)
    done = house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, at=at)
    assert house.desk.outbox_row(row.id).not_before == at
    assert "U takes it back" in done.notice
    assert house.ticket(ticket_id).waiting_since is None
    house.pass_time(days=1)
    assert house.desk.cancel_send(house.giulia).state == "draft"
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_reply_waits_neither_in_the_past_nor_for_ever(house: House) -> None:
    row = house.draft(house.customer_writes())
    for at in (house.clock.now() - timedelta(minutes=1), house.clock.now() + timedelta(days=400)):
        with pytest.raises(UsageError, match="at most one year"):
            house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq, at=at)


def test_what_stops_a_reply_is_told_without_what_was_quoted(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id)
    text = "Arrivato, grazie!\n\n> Dove è il mio ordine?\n> Saluti\n"
    house.customer_writes(text, ticket=ticket_id)
    with house.store.transaction() as tx:
        message = {"id": house.newest_message(ticket_id)}
        tx.rewrite("message", message, {"folds": [[text.index(">"), len(text), "quote"]]})
    with pytest.raises(ReplyStopped) as stopped:
        house.desk.send(house.giulia, row.id, seen_seq=row.seen_seq)
    assert [item.excerpt for item in stopped.value.newcomers] == ["Arrivato, grazie!"]
