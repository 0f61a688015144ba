"""Delivering the outbox: undo window, retries, who is left, stop-on-send, automatic mail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk import automatic
from supportdesk.desk.delivery import anything_due, next_due
from supportdesk.desk.model import WORKER
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import UsageError
from supportdesk.mail.model import Address, RecipientResult
from supportdesk.mail.parse import parse
from tests.desk.delivery_round import OK, Round, verdict

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow


def test_a_reply_is_sent_once_the_undo_window_is_over(round_: Round) -> None:
    row, deliverer = round_.held(undo_seconds=15), round_.deliverer()
    assert not deliverer.deliver_next()
    assert anything_due(round_.house.desk.read, round_.house.clock.now()), "a worker does not leave within the window"
    due = next_due(round_.house.desk.read)
    assert due is not None and due > round_.house.clock.now()
    round_.house.pass_time(seconds=15)
    assert deliverer.deliver_next()
    assert not deliverer.deliver_next()
    after = round_.row(row)
    assert (after.state, after.sent_at, after.server_reply) == ("sent", round_.house.clock.now(), OK.detail)
    ((mail, recipients),) = round_.transport.sent
    assert recipients == ("rosa@example.com",)
    assert parse(mail.data).message_id == row.message_id_header
    (message,) = round_.house.desk.read.rows("message", {"outbox_id": row.id})
    assert (message["direction"], message["body"]) == ("out", "Il pacco arriva domani.")
    assert round_.house.ticket(row.ticket_id).waiting_since is None
    assert not anything_due(round_.house.desk.read, round_.house.clock.now())
    assert next_due(round_.house.desk.read) is None


def test_a_reply_that_cannot_be_built_fails_and_keeps_nobody_waiting(round_: Round) -> None:
    broken, deliverer = round_.held(), round_.deliverer()
    with round_.house.store.transaction() as tx:
        lost = Update("outbox", {"id": broken.id}, {"built_sha": ""}, {"built_sha": "0" * 64})
        tx.apply(Plan(silent=(lost,), undoable=False), WORKER, new_action_id())
    sound = round_.held()
    assert deliverer.deliver_next()
    assert deliverer.deliver_next()
    assert (round_.row(broken).state, round_.row(sound).state) == ("failed", "sent")
    assert round_.house.ticket(broken.ticket_id).waiting_since is not None


def test_a_customer_whose_domain_is_not_ascii_gets_his_reply(round_: Round) -> None:
    ticket = round_.house.customer_writes(sender="jörg@müller.example".replace("ö", "oe"))
    row, deliverer = round_.house.reply(ticket, undo_seconds=0), round_.deliverer()
    round_.transport.verdicts = [
        verdict("deferred", "rcpt", "451", RecipientResult("joerg@xn--mller-kva.example", "deferred", "451 later")), OK,
    ]  # fmt: skip
    assert deliverer.deliver_next()
    (waiting,) = round_.row(row).recipients
    assert (waiting.state, waiting.detail) == ("deferred", "451 later")
    round_.house.pass_time(minutes=2)
    assert deliverer.deliver_next()
    assert [recipients for _, recipients in round_.transport.sent] == [("joerg@xn--mller-kva.example",)] * 2
    assert round_.row(row).state == "sent"
    assert round_.house.ticket(ticket).waiting_since is None


def test_out_3_an_address_with_other_letters_goes_out_where_the_server_takes_it(round_: Round) -> None:
    house = round_.house
    ticket_id = house.customer_writes(sender="zoë@example.fr")
    with pytest.raises(UsageError, match="SMTPUTF8"):
        house.reply(ticket_id, undo_seconds=0)
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "settings": {"smtputf8": True}})
    taken = house.reply(ticket_id, undo_seconds=0)
    assert round_.deliverer().deliver_next()
    assert round_.row(taken).state == "sent"
    ((built, recipients),) = round_.transport.sent
    assert (built.smtputf8, recipients) == (True, ("zoë@example.fr",))


def test_every_retry_sends_the_same_bytes(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.transport.verdicts = [verdict("deferred", "rcpt")]
    deliverer.deliver_next()
    round_.house.desk.save_mailbox(round_.house.giulia, {"id": row.mailbox_id, "name": "Anders"})
    round_.house.pass_time(minutes=1)
    deliverer.deliver_next()
    first, second = (mail.data for mail, _recipients in round_.transport.sent)
    assert first == second
    assert round_.house.desk.blobs.get(round_.house.desk.read.rows("outbox", {"id": row.id})[0]["built_sha"]) == first


def test_temporary_failures_retry_after_1_5_15_60_minutes_then_hourly_and_end_after_48_hours(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.transport.verdicts = [verdict("deferred", "rcpt", "451 4.7.1 greylisted")] * 99
    waits, start = [], round_.house.clock.now()
    while deliverer.deliver_next():
        after = round_.row(row)
        if after.state != "deferred":
            break
        assert (after.error, after.next_try is not None) == ("451 4.7.1 greylisted", True)
        assert "deferred" in round_.house.ticket(row.ticket_id).badges, "visible from the first failure on"
        assert after.next_try is not None
        waits.append((after.next_try - round_.house.clock.now()) // timedelta(minutes=1))
        round_.house.clock.advance(after.next_try - round_.house.clock.now())
    assert waits[:6] == [1, 5, 15, 60, 60, 60]
    assert set(waits[4:]) == {60}
    assert timedelta(hours=48) < round_.house.clock.now() - start < timedelta(hours=50)
    assert round_.row(row).state == "failed"
    ticket = round_.house.ticket(row.ticket_id)
    assert (ticket.status, "failed" in ticket.badges) == ("open", True)
    assert ticket.waiting_since == start


@pytest.mark.parametrize("after", ["pending", "solved", "on_hold"])
def test_a_refusal_for_good_opens_the_ticket_and_puts_the_customer_back(round_: Round, after: str) -> None:
    row = round_.held(after=after)
    round_.transport.verdicts = [verdict("failed", "rcpt", "550 5.1.1 no such user")]
    round_.deliverer().deliver_next()
    ticket, failed = round_.house.ticket(row.ticket_id), round_.row(row)
    assert (failed.state, failed.error, failed.recipients[0].state) == ("failed", "550 5.1.1 no such user", "failed")
    assert (ticket.status, ticket.solved_at, ticket.on_hold_until) == ("open", None, None)
    assert ticket.waiting_since is not None
    listed = round_.house.desk.read.unanswered(now=round_.house.clock.now())
    assert row.ticket_id in {one["ticket_id"] for one in listed}


def test_a_reply_in_doubt_is_never_tried_again_by_itself(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.transport.verdicts = [verdict("uncertain", "dot_sent", "Connection lost")]
    deliverer.deliver_next()
    round_.house.pass_time(days=3)
    assert not deliverer.deliver_next()
    assert deliverer.recover() == 0
    assert (round_.row(row).state, len(round_.transport.sent)) == ("uncertain", 1)
    ticket = round_.house.ticket(row.ticket_id)
    assert ("uncertain" in ticket.badges, ticket.waiting_since is not None) == (True, True)
    listed = round_.house.desk.read.unanswered(now=round_.house.clock.now())
    assert row.ticket_id in {one["ticket_id"] for one in listed}


def test_only_the_recipients_who_are_left_are_tried_again(round_: Round) -> None:
    """OUT-5, OUT-10: each recipient has a state of his own."""
    ticket_id = round_.house.customer_writes()
    draft = round_.house.draft(ticket_id)
    desk, giulia = round_.house.desk, round_.house.giulia
    copies = (Address("", "otto@example.net"), Address("", "gone@example.org"))
    draft = desk.save_draft(giulia, draft.id, draft.version, cc=copies)
    desk.send(giulia, draft.id, seen_seq=round_.house.ticket(ticket_id).seq, undo_seconds=0)
    told = (
        RecipientResult("rosa@example.com", "accepted", "250 ok"),
        RecipientResult("otto@example.net", "deferred", "451 4.7.1 greylisted"),
        RecipientResult("gone@example.org", "failed", "550 5.1.1 no such user"),
    )
    round_.transport.verdicts = [verdict("sent", "dot_sent", "250 ok", *told)]
    deliverer = round_.deliverer()
    deliverer.deliver_next()
    states = {one.address: (one.state, one.detail) for one in round_.row(draft).recipients}
    assert {address: state for address, (state, _words) in states.items()} == {
        "rosa@example.com": "accepted", "otto@example.net": "deferred", "gone@example.org": "failed",
    }  # fmt: skip
    assert states["gone@example.org"][1] == "550 5.1.1 no such user"
    assert round_.row(draft).state == "deferred"
    ticket = round_.house.ticket(ticket_id)
    assert ticket.waiting_since is None, "rosa has her answer"
    assert (ticket.status, "failed" in ticket.badges) == ("open", True)
    desk.perform("status", giulia, [ticket_id], {"status": "on_hold"})
    round_.house.pass_time(minutes=1)
    deliverer.deliver_next()
    ticket = round_.house.ticket(ticket_id)
    assert (ticket.status, ticket.badges) == ("on_hold", ("failed",)), "told once, and still to be seen"
    assert [recipients for _mail, recipients in round_.transport.sent][1] == ("otto@example.net",)
    assert round_.row(draft).state == "sent"
    assert len(desk.read.rows("message", {"outbox_id": draft.id})) == 1


def test_a_reply_that_arrives_does_not_hide_the_trouble_of_another(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.house.reply(row.ticket_id, undo_seconds=0)
    round_.transport.verdicts = [verdict("uncertain", "dot_sent", "Connection lost")]
    assert deliverer.deliver_next()
    assert deliverer.deliver_next()
    assert "uncertain" in round_.house.ticket(row.ticket_id).badges
    round_.house.desk.resolve_uncertain(round_.house.giulia, row.id, "mark_sent")
    assert round_.house.ticket(row.ticket_id).badges == ()


def test_a_message_that_came_within_the_undo_window_stops_the_reply(round_: Round) -> None:
    row = round_.held(undo_seconds=15)
    round_.house.customer_writes("Ho annullato l'ordine.", ticket=row.ticket_id)
    round_.house.pass_time(seconds=15)
    assert not round_.deliverer().deliver_next()
    assert (round_.row(row).state, round_.row(row).body) == ("draft", "Il pacco arriva domani.")
    ticket = round_.house.ticket(row.ticket_id)
    assert (ticket.status, "reply_stopped" in ticket.badges, ticket.waiting_since is not None) == ("open", True, True)
    assert round_.transport.sent == []


def test_after_the_first_claim_a_reply_is_not_stopped_any_more(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    round_.transport.verdicts = [verdict("deferred", "rcpt")]
    deliverer.deliver_next()
    round_.house.customer_writes("Ho annullato l'ordine.", ticket=row.ticket_id)
    round_.house.pass_time(minutes=1)
    assert deliverer.deliver_next()
    assert round_.row(row).state == "sent"
    assert round_.house.ticket(row.ticket_id).waiting_since is not None, "the newer message still waits"


def test_out_7_a_refusal_by_policy_that_says_to_try_later_is_deferred_once(round_: Round) -> None:
    row, deliverer = round_.held(), round_.deliverer()
    words = "550 5.7.1 Daily rate limit exceeded, try again later"
    refusal = verdict("deferred", "rcpt", words, RecipientResult("anna@example.com", "deferred", words))
    round_.transport.verdicts = [verdict("deferred", "mail", "421 4.3.2 closing"), refusal, refusal]
    states = []
    while deliverer.deliver_next():
        states.append(round_.row(row).state)
        round_.house.pass_time(minutes=61)
    assert states == ["deferred", "deferred", "failed"], "what the network did before does not count"
    assert round_.row(row).error == words


def make_automatic(round_: Round, row: OutboxRow, kind: str = "acknowledgement") -> None:
    """Make a program of its writer."""
    before = {"kind": "reply", "agent_id": row.agent_id}
    change = Update("outbox", {"id": row.id}, before, {"kind": kind, "agent_id": None})
    with round_.house.store.transaction() as tx:
        tx.apply(Plan(silent=(change,), undoable=False), WORKER, new_action_id())


def test_out_6_automatic_mail_in_doubt_is_taken_for_sent_and_nobody_is_asked(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "is_wanted", lambda tx, row: True)
    row = round_.held()
    make_automatic(round_, row)
    round_.transport.verdicts = [verdict("uncertain", "dot_sent", "no answer")]
    deliverer = round_.deliverer()
    assert deliverer.deliver_next()
    assert (round_.row(row).state, round_.row(row).server_reply) == ("sent", "no answer")
    assert round_.house.ticket(row.ticket_id).badges == ()
    assert not deliverer.deliver_next()


def test_out_9_a_ticket_gets_one_automatic_mail_a_minute(round_: Round, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatic, "is_wanted", lambda tx, row: True)
    first = round_.held()
    second = round_.house.reply(first.ticket_id, undo_seconds=0)
    make_automatic(round_, first)
    make_automatic(round_, second, "bump")
    deliverer = round_.deliverer()
    assert deliverer.deliver_next()
    assert not deliverer.deliver_next()
    assert sorted(round_.row(row).state for row in (first, second)) == ["held", "sent"]
    round_.house.pass_time(seconds=61)
    assert deliverer.deliver_next()
    assert {round_.row(row).state for row in (first, second)} == {"sent"}
