"""Triage on a real store: who moves next, who owns it, when it wakes, what is news (domain.md sections 1 and 2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.actions import ACTIONS, BY_ID
from supportdesk.desk.model import DISMISS_REASONS, Actor, TicketId
from supportdesk.desk.results import AnswerNeeded
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError

if TYPE_CHECKING:
    from tests.support.desk import House


def test_every_action_has_words_for_what_it_did() -> None:
    from supportdesk.desk.action_notice import notice

    params = {
        "tags": ("a",), "into": 7, "language": "it", "assignee": "Luca", "until": "2026-11-21 18:00 CET",
        "status": "open", "priority": "high", "mailbox": "aiuto@bottega.example",
    }  # fmt: skip
    for spec in ACTIONS:
        if spec.id not in ("reply", "cancel_send", "merge_customer"):  # which have words of their own
            assert notice(spec.id, [TicketId(1042)], params)
    assert len(BY_ID) == len(ACTIONS)


@pytest.mark.parametrize(
    ("action", "params", "column", "value"),
    [
        ("assign", {"assignee": "luca"}, "assignee_id", "luca"),
        ("take", {}, "assignee_id", "giulia"),
        ("priority", {"priority": "urgent"}, "priority", "urgent"),
        ("language", {"language": "DE_at"}, "language", "de-AT"),
        ("status", {"status": "pending"}, "status", "pending"),
        ("status", {"status": "on_hold"}, "status", "on_hold"),
        ("spam", {}, "status", "spam"),
    ],
)
def test_an_action_changes_its_field_and_leaves_one_event(
    house: House, action: str, params: dict[str, Any], column: str, value: str
) -> None:
    ticket_id = house.customer_writes()
    before = house.ticket(ticket_id)
    done = house.desk.perform(action, house.giulia, [ticket_id], params, expect={ticket_id: before.version})
    ids = {"luca": house.luca.id, "giulia": house.giulia.id}
    after = house.ticket(ticket_id)
    assert getattr(after, column) == ids.get(value, value)
    assert after.version > before.version
    assert done.tickets == (ticket_id,)
    assert [event.kind for event, _body in house.desk.read.event_details(done.action_id)] == [action]


def test_the_same_action_again_changes_nothing_and_says_so(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("tag", house.giulia, [ticket_id], {"tags": "Reso, urgente"})
    version = house.ticket(ticket_id).version
    done = house.desk.perform("tag", house.giulia, [ticket_id], {"tags": ["reso"]})
    assert (done.tickets, done.undoable, house.ticket(ticket_id).version) == ((), False, version)
    assert house.desk.read.tags(ticket_id) == ("reso", "urgente")


def test_tags_come_off_again(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("tag", house.giulia, [ticket_id], {"tags": "reso urgente"})
    house.desk.perform("untag", house.giulia, [ticket_id], {"tags": "urgente"})
    assert house.desk.read.tags(ticket_id) == ("reso",)


def test_a_bulk_action_is_one_action_in_turns_and_can_be_cancelled(house: House) -> None:
    tickets = [house.customer_writes(sender=f"c{n}@example.com") for n in range(103)]
    seen: list[tuple[int, int]] = []
    done = house.desk.perform(
        "tag", house.giulia, tickets, {"tags": "a"}, progress=lambda now, of: seen.append((now, of))
    )
    assert len(done.tickets) == 103
    assert seen == sorted(set(seen))
    assert seen[0][0] <= 100
    assert seen[-1] == (103, 103)
    some = house.desk.perform("tag", house.giulia, tickets, {"tags": "b"}, cancelled=lambda: True)
    assert 0 < len(some.tickets) <= 100
    assert len(house.desk.undo(house.giulia, done.action_id).tickets) == 103
    assert [house.desk.read.tags(ticket) for ticket in (tickets[0], tickets[-1])] == [("b",), ()]


def test_an_older_version_is_a_conflict_that_names_who_was_first(house: House) -> None:
    ticket_id = house.customer_writes()
    version = house.ticket(ticket_id).version
    house.desk.perform("priority", house.luca, [ticket_id], {"priority": "high"})
    with pytest.raises(Conflict, match="Luca Neri") as conflict:
        house.desk.perform("priority", house.giulia, [ticket_id], {"priority": "low"}, expect={ticket_id: version})
    assert (conflict.value.who, conflict.value.what) == ("Luca Neri", "priority")
    assert house.ticket(ticket_id).priority == "high"


def test_ones_own_last_action_is_no_conflict(house: House) -> None:
    ticket_id = house.customer_writes()
    version = house.ticket(ticket_id).version
    house.desk.perform("take", house.giulia, [ticket_id], expect={ticket_id: version})
    house.desk.perform("priority", house.giulia, [ticket_id], {"priority": "low"}, expect={ticket_id: version})
    assert house.ticket(ticket_id).priority == "low"


def test_conflicts_of_a_bulk_action_are_listed_and_the_rest_is_done(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes(sender="otto@example.com")
    versions = {first: house.ticket(first).version, second: house.ticket(second).version}
    house.desk.perform("take", house.luca, [first])
    done = house.desk.perform("assign", house.giulia, [first, second], {"assignee": "anna"}, expect=versions)
    assert done.tickets == (second,)
    assert list(done.conflicts) == [first]
    assert house.ticket(first).assignee_id == house.luca.id


@pytest.mark.parametrize("action", ["solve", "status"])
def test_closing_a_waiting_ticket_asks_for_a_reason(house: House, action: str) -> None:
    ticket_id = house.customer_writes()
    params = {"status": "closed"} if action == "status" else {}
    with pytest.raises(AnswerNeeded) as asked:
        house.desk.perform(action, house.giulia, [ticket_id], params)
    assert asked.value.param == "dismiss"
    assert house.ticket(ticket_id).status == "new"
    house.desk.perform(action, house.giulia, [ticket_id], {**params, "dismiss": "no_action"})
    ticket = house.ticket(ticket_id)
    assert (ticket.status, ticket.waiting_since) == ("closed" if params else "solved", None)
    assert ticket.solved_at == house.clock.now()


@pytest.mark.parametrize("reason", DISMISS_REASONS)
def test_no_reply_needed_ends_the_wait_and_keeps_the_status(house: House, reason: str) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("dismiss", house.giulia, [ticket_id], {"reason": reason})
    assert (house.ticket(ticket_id).status, house.ticket(ticket_id).waiting_since) == ("new", None)
    assert house.desk.unanswered() == []
    house.customer_writes("Ancora io", ticket=ticket_id)
    assert house.ticket(ticket_id).waiting_since == house.clock.now()


def test_a_second_mail_does_not_push_the_customer_back(house: House) -> None:
    ticket_id = house.customer_writes()
    first = house.ticket(ticket_id)
    house.pass_time(hours=2)
    house.customer_writes("C'è qualcuno?", ticket=ticket_id)
    assert (house.ticket(ticket_id).waiting_since, house.ticket(ticket_id).due_at) == (
        first.waiting_since,
        first.due_at,
    )


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("take", {}),
        ("assign", {"assignee": "luca"}),
        ("snooze", {"until": "tomorrow 9am"}),
        ("note", {"text": "chiamato il corriere"}),
        ("status", {"status": "pending"}),
        ("status", {"status": "on_hold"}),
    ],
)
def test_nothing_but_an_answer_stops_the_clock(house: House, action: str, params: dict[str, Any]) -> None:
    ticket_id = house.customer_writes()
    waiting_since = house.ticket(ticket_id).waiting_since
    house.desk.perform(action, house.giulia, [ticket_id], params)
    assert house.ticket(ticket_id).waiting_since == waiting_since
    assert [row["ticket_id"] for row in house.desk.unanswered()] == [ticket_id]


def test_a_logged_call_counts_as_a_reply(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("call", house.luca, [ticket_id], {"text": "spiegato tutto", "after": "solved"})
    ticket = house.ticket(ticket_id)
    assert (ticket.status, ticket.waiting_since, ticket.first_response_at) == ("solved", None, house.clock.now())


def test_a_logged_call_does_not_answer_what_the_caller_had_not_seen(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.mark_seen(house.giulia, ticket_id, house.ticket(ticket_id).seq)
    house.pass_time(minutes=1)
    second = house.clock.now()
    house.customer_writes("Ancora una cosa", ticket=ticket_id)
    house.pass_time(minutes=1)
    house.desk.log_call(house.giulia, ticket_id, "Pacco in ritardo")
    assert house.ticket(ticket_id).waiting_since == second
    house.desk.perform("call", house.giulia, [ticket_id], {"text": "Richiamato", "seen": house.ticket(ticket_id).seq})
    assert house.ticket(ticket_id).waiting_since is None


def test_spam_leaves_the_queue_and_comes_back_waiting(house: House) -> None:
    ticket_id = house.customer_writes()
    waiting_since = house.ticket(ticket_id).waiting_since
    house.desk.perform("spam", house.giulia, [ticket_id])
    assert house.ticket(ticket_id).waiting_since is None
    house.pass_time(minutes=1)
    house.desk.perform("not_spam", house.giulia, [ticket_id])
    assert (house.ticket(ticket_id).status, house.ticket(ticket_id).waiting_since) == ("open", waiting_since)


def test_on_hold_ends_after_three_business_days_by_default(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("status", house.giulia, [ticket_id], {"status": "on_hold"})
    assert house.ticket(ticket_id).on_hold_until == house.clock.now() + timedelta(days=3)


def test_a_hold_does_not_end_in_the_past(house: House) -> None:
    ticket_id, past = house.customer_writes(), house.clock.now() - timedelta(hours=1)
    with pytest.raises(UsageError, match="passed already"):
        house.desk.perform("status", house.giulia, [ticket_id], {"status": "on_hold", "until": past})


def test_a_snooze_takes_a_phrase_a_mode_and_a_reason(house: House) -> None:
    ticket_id = house.customer_writes()
    params = {"until": "tomorrow 9am", "mode": "regardless", "reason": "aspetto il corriere"}
    house.desk.perform("snooze", house.giulia, [ticket_id], params)
    ticket = house.ticket(ticket_id)
    assert ticket.snoozed_until == datetime(2026, 3, 5, 8, 0, tzinfo=UTC)
    assert (ticket.snooze_mode, ticket.snooze_reason, ticket.snoozed_by) == ("regardless", "aspetto il corriere", 1)
    house.desk.perform("wake", house.giulia, [ticket_id])
    assert house.ticket(ticket_id).snoozed_until is None


def test_who_woke_stays_marked_until_somebody_says_who_moves_next(house: House) -> None:
    ticket_id = house.customer_writes()
    params = {"until": "tomorrow 9am", "mode": "regardless", "reason": "aspetto il corriere"}
    house.desk.perform("snooze", house.giulia, [ticket_id], params)
    house.desk.perform("status", house.giulia, [ticket_id], {"status": "pending"})
    assert house.ticket(ticket_id).snoozed_until is not None, "it sleeps on"
    house.pass_time(days=2)
    woken = house.ticket(ticket_id)
    assert not woken.asleep(house.clock.now())
    assert (woken.snooze_reason, woken.snoozed_by) == ("aspetto il corriere", house.giulia.id)
    done = house.desk.perform("status", house.luca, [ticket_id], {"status": "open"})
    assert (house.ticket(ticket_id).snoozed_until, house.ticket(ticket_id).snooze_reason) == (None, "")
    house.desk.undo(house.luca, done.action_id)
    assert house.ticket(ticket_id).snooze_reason == "aspetto il corriere"


def test_waking_after_the_deadline_needs_a_confirmation(house: House) -> None:
    ticket_id = house.customer_writes()
    with pytest.raises(AnswerNeeded) as asked:
        house.desk.perform("snooze", house.giulia, [ticket_id], {"until": "5d"})
    assert asked.value.param == "after_deadline"
    house.desk.perform("snooze", house.giulia, [ticket_id], {"until": "5d", "after_deadline": True})
    assert house.ticket(ticket_id).snoozed_until is not None


@pytest.mark.parametrize("days", [-1, 400])
def test_a_ticket_sleeps_neither_in_the_past_nor_for_more_than_a_year(house: House, days: int) -> None:
    ticket_id = house.customer_writes()
    until = house.clock.now() + timedelta(days=days)
    with pytest.raises(UsageError):
        house.desk.perform("snooze", house.giulia, [ticket_id], {"until": until, "after_deadline": True})


def test_take_next_gives_two_agents_two_tickets_and_ones_own_language_first(house: House) -> None:
    italian = house.customer_writes()
    house.pass_time(minutes=1)
    german = house.customer_writes(sender="hans@example.de", language="de")
    assert house.desk.perform("take_next", house.luca, []).tickets == (german,)
    assert house.desk.perform("take_next", house.luca, []).tickets == (italian,)
    with pytest.raises(NotFound):
        house.desk.perform("take_next", house.giulia, [])


def test_taking_a_new_ticket_opens_it(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("take", house.giulia, [ticket_id])
    assert house.ticket(ticket_id).status == "open"
    with pytest.raises(Conflict, match="yours already"):
        house.desk.perform("take", house.giulia, [ticket_id])


@pytest.mark.parametrize(
    ("action", "params", "told"),
    [
        ("slove", {}, "no action"),
        ("snooze", {}, "needs until"),
        ("priority", {"priority": "very"}, "no choice"),
        ("tag", {"tags": "a", "colour": "red"}, "takes no colour"),
        ("assign", {"assignee": "nobody"}, "no agent"),
        ("language", {"language": "Italian language"}, "language tag"),
        ("snooze", {"until": "when hell freezes over"}, "hell|when"),
    ],
)
def test_wrong_arguments_are_named(house: House, action: str, params: dict[str, Any], told: str) -> None:
    ticket_id = house.customer_writes()
    with pytest.raises((UsageError, NotFound), match=told):
        house.desk.perform(action, house.giulia, [ticket_id], params)


def test_a_disabled_or_unknown_agent_is_refused_in_the_same_transaction(house: House) -> None:
    ticket_id = house.customer_writes()
    assert house.luca.id is not None
    house.desk.set_agent(house.giulia, house.luca.id, state="disabled")
    for actor in (house.luca, Actor("agent", None, "ghost")):
        with pytest.raises(NotAllowed):
            house.desk.perform("priority", actor, [ticket_id], {"priority": "low"})
    assert house.ticket(ticket_id).priority == "normal"


def test_split_moves_messages_into_a_ticket_with_a_pointer_back(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(minutes=1)
    house.customer_writes("Un'altra cosa: la fattura?", ticket=ticket_id)
    second, moment = house.newest_message(ticket_id), house.clock.now()
    house.desk.perform("split", house.giulia, [ticket_id], {"first": second, "subject": "Fattura"})
    new = house.desk.read.rows("ticket", {"split_from": ticket_id})[0]
    assert (new["subject"], new["waiting_since"], new["message_count"]) == ("Fattura", moment, 1)
    assert house.ticket(ticket_id).message_count == 1
    assert [entry.text for entry in house.desk.read.thread(new["id"])] == ["Un'altra cosa: la fattura?"]


def test_a_participant_from_outside_is_confirmed_as_the_same_customer(house: House) -> None:
    from supportdesk.desk.model import MAIL
    from supportdesk.desk.ports import Insert, Plan
    from supportdesk.desk.settings import new_action_id

    ticket_id = house.customer_writes()
    house.customer_writes("Sono sempre io", ticket=ticket_id, sender="rosa@work.example", author_kind="external")
    identity = house.desk.read.rows("customer_identity", {"value_norm": "rosa@work.example"})[0]
    part = Insert("participant", {"ticket_id": ticket_id, "identity_id": identity["id"], "role": "external"})
    with house.store.transaction() as tx:
        tx.apply(Plan(silent=(part,)), MAIL, new_action_id())
    house.desk.perform("confirm_participant", house.giulia, [ticket_id], {"same_customer": True})
    row = house.desk.read.rows("customer_identity", {"id": identity["id"]})[0]
    assert row["customer_id"] == house.ticket(ticket_id).customer_id


def test_a_decision_that_some_of_a_selection_want_is_asked_for_and_stays_one_step_to_undo(house: House) -> None:
    waits = [house.customer_writes("Dov'è?", sender=f"{name}@example.com") for name in ("a", "b")]
    answered = house.customer_writes("Grazie", sender="c@example.com")
    house.desk.perform("dismiss", house.giulia, [answered], {"reason": "thanks"})
    first = house.desk.perform("solve", house.giulia, [*waits, answered])
    assert (first.tickets, list(first.needed)) == ((answered,), waits)
    assert {needed.param for needed in first.needed.values()} == {"dismiss"}
    rest = house.desk.perform("solve", house.giulia, waits, {"dismiss": "no_action"}, action_id=first.action_id)
    assert (rest.tickets, rest.needed) == (tuple(waits), {})
    assert {house.ticket(ticket).status for ticket in (*waits, answered)} == {"solved"}
    house.desk.undo(house.giulia)
    assert not any(house.ticket(ticket).status == "solved" for ticket in (*waits, answered))
