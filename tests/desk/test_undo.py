"""Undo and merge: an action comes back on what nobody changed since, in any order (domain.md section 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supportdesk.desk.model import ActionId, Ticket, TicketId
from supportdesk.desk.results import AnswerNeeded
from supportdesk.errors import Conflict, NotFound, SupportdeskError, UsageError

if TYPE_CHECKING:
    from tests.support.desk import House


def state_of(house: House, ticket_id: TicketId) -> tuple[Ticket, tuple[str, ...]]:
    """All that an undo gives back: everything but the counters that never go back."""
    ticket = house.ticket(ticket_id)
    return replace(ticket, updated_at=ticket.created_at, version=0, seq=0, sla_id=None), house.desk.read.tags(ticket_id)


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("assign", {"assignee": "luca"}),
        ("take", {}),
        ("tag", {"tags": "reso"}),
        ("snooze", {"until": "tomorrow 9am"}),
        ("solve", {"dismiss": "thanks"}),
        ("status", {"status": "on_hold"}),
        ("priority", {"priority": "urgent"}),
        ("dismiss", {"reason": "no_action"}),
        ("spam", {}),
        ("language", {"language": "de"}),
    ],
)
def test_u_takes_the_last_action_back(house: House, action: str, params: dict[str, Any]) -> None:
    ticket_id = house.customer_writes()
    before = state_of(house, ticket_id)
    house.pass_time(minutes=1)
    done = house.desk.perform(action, house.giulia, [ticket_id], params)
    assert state_of(house, ticket_id) != before
    undone = house.desk.undo(house.giulia)
    assert undone.tickets == (ticket_id,)
    assert state_of(house, ticket_id) == before
    with pytest.raises(Conflict):
        house.desk.undo(house.giulia, done.action_id)


def test_u_goes_back_one_action_at_a_time_and_leaves_colleagues_alone(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("take", house.giulia, [ticket_id])
    house.desk.perform("tag", house.luca, [ticket_id], {"tags": "reso"})
    house.desk.perform("priority", house.giulia, [ticket_id], {"priority": "high"})
    house.desk.undo(house.giulia)
    house.desk.undo(house.giulia)
    ticket = house.ticket(ticket_id)
    assert (ticket.priority, ticket.assignee_id) == ("normal", None)
    assert house.desk.read.tags(ticket_id) == ("reso",)
    with pytest.raises(Conflict, match="nothing"):
        house.desk.undo(house.giulia)


def test_what_somebody_changed_since_is_not_undone_and_he_is_named(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes(sender="otto@example.com")
    done = house.desk.perform("assign", house.giulia, [first, second], {"assignee": "anna"})
    house.desk.perform("take", house.luca, [first])
    undone = house.desk.undo(house.giulia, done.action_id)
    assert undone.tickets == (second,)
    assert undone.conflicts[first].who == "Luca Neri"
    assert house.ticket(first).assignee_id == house.luca.id


def test_a_customers_mail_after_solving_is_a_conflict(house: House) -> None:
    ticket_id = house.customer_writes()
    done = house.desk.perform("solve", house.giulia, [ticket_id], {"dismiss": "no_action"})
    house.customer_writes("Non ho ricevuto niente", ticket=ticket_id)
    with pytest.raises(Conflict):
        house.desk.undo(house.giulia, done.action_id)
    assert house.ticket(ticket_id).status == "open"


def test_undo_after_sending_takes_the_reply_back_while_it_is_here(house: House) -> None:
    ticket_id = house.customer_writes()
    before = state_of(house, ticket_id)
    sent = house.reply(ticket_id, after="solved")
    house.desk.undo(house.giulia)
    assert house.desk.outbox_row(sent.id).state == "draft"
    assert state_of(house, ticket_id) == before


def test_undo_after_the_reply_has_gone_gives_only_the_status_back_and_says_so(house: House) -> None:
    ticket_id = house.customer_writes()
    sent = house.reply(ticket_id, after="solved")
    house.deliver(sent.id, "sent")
    undone = house.desk.undo(house.giulia)
    assert "gone out" in undone.notice
    assert house.ticket(ticket_id).status == "new"
    assert house.ticket(ticket_id).waiting_since is None


def test_what_a_late_undo_of_a_send_gives_back_includes_the_other_customers_wait(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(minutes=1)
    house.customer_writes(sender="otto@example.de", ticket=ticket_id)
    house.pass_time(minutes=1)
    row = house.reply(ticket_id, after="solved", dismiss="no_action")
    house.deliver(row.id, "sent")
    done = house.desk.undo(house.giulia)
    assert not done.conflicts
    assert house.ticket(ticket_id).status == "new"
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_note_cannot_be_undone_and_an_unknown_action_is_named(house: House) -> None:
    ticket_id = house.customer_writes()
    noted = house.desk.add_note(house.giulia, ticket_id, "visto")
    with pytest.raises(Conflict, match="note"):
        house.desk.undo(house.giulia, noted.action_id)
    with pytest.raises(NotFound):
        house.desk.undo(house.giulia, ActionId("no-such-action"))


def test_a_discarded_draft_comes_back(house: House) -> None:
    row = house.draft(house.customer_writes())
    house.desk.discard_draft(house.giulia, row.id)
    assert house.desk.drafts(house.giulia) == []
    house.desk.undo(house.giulia)
    assert [draft.body for draft in house.desk.drafts(house.giulia)] == [row.body]


def test_a_discarded_draft_does_not_push_out_the_one_begun_since(house: House) -> None:
    ticket_id = house.customer_writes()
    row = house.draft(ticket_id, body="prima")
    done = house.desk.discard_draft(house.giulia, row.id)
    house.draft(ticket_id, body="seconda")
    with pytest.raises(Conflict):
        house.desk.undo(house.giulia, done.action_id)
    assert [draft.body for draft in house.desk.drafts(house.giulia)] == ["seconda"]


# ---- merging ---------------------------------------------------------------------------------------------------------


def test_a_merged_customer_waits_in_the_survivor(house: House) -> None:
    older = house.customer_writes()
    waiting_since = house.ticket(older).waiting_since
    house.pass_time(hours=1)
    survivor = house.customer_writes("Ancora io", subject="Ancora")
    house.desk.perform("merge", house.giulia, [older], {"into": survivor})
    assert house.ticket(survivor).waiting_since == waiting_since
    assert (house.ticket(older).merged_into, house.ticket(older).waiting_since) == (survivor, None)
    assert [row["ticket_id"] for row in house.desk.unanswered()] == [survivor]
    assert len(house.desk.read.thread(survivor)) == 2


def test_merging_a_waiting_ticket_opens_a_solved_survivor(house: House) -> None:
    survivor = house.customer_writes()
    house.desk.perform("solve", house.giulia, [survivor], {"dismiss": "no_action"})
    other = house.customer_writes("E il rimborso?", subject="Rimborso")
    house.desk.perform("merge", house.giulia, [other], {"into": survivor})
    assert house.ticket(survivor).status == "open"


def test_an_undone_merge_leaves_no_conflict_with_the_survivor(house: House) -> None:
    survivor, merged = house.customer_writes(), house.customer_writes()
    house.desk.perform("merge", house.giulia, [merged], {"into": survivor})
    done = house.desk.undo(house.giulia)
    assert (done.tickets, done.conflicts) == ((merged,), {})


def test_pointers_are_resolved_cycles_refused_and_undone_in_any_order(house: House) -> None:
    first, second, third = (house.customer_writes(subject=f"Oggetto {n}") for n in range(3))
    one = house.desk.perform("merge", house.giulia, [first], {"into": second})
    two = house.desk.perform("merge", house.giulia, [second], {"into": third})
    with pytest.raises(UsageError, match="itself"):
        house.desk.perform("merge", house.giulia, [third], {"into": first})
    later = house.customer_writes("Quarta", subject="Oggetto 4")
    house.desk.perform("merge", house.giulia, [later], {"into": first})
    assert house.ticket(later).merged_into == third
    house.desk.undo(house.giulia, one.action_id)
    assert house.ticket(first).merged_into is None
    assert house.ticket(first).waiting_since is not None
    house.desk.undo(house.giulia, two.action_id)
    assert house.ticket(second).merged_into is None


def test_different_customers_ask_first(house: House) -> None:
    rosa, otto = house.customer_writes(), house.customer_writes(sender="otto@example.de", name="Otto")
    with pytest.raises(AnswerNeeded) as asked:
        house.desk.perform("merge", house.giulia, [rosa], {"into": otto})
    assert asked.value.param == "different_customers"
    house.desk.perform("merge", house.giulia, [rosa], {"into": otto, "different_customers": True})
    house.pass_time(seconds=1)
    house.reply(otto)
    assert house.ticket(otto).waiting_since is not None, "the reply reached only one of the two"


def test_mail_to_a_merged_ticket_follows_the_survivor_and_actions_on_it_are_refused(house: House) -> None:
    gone, survivor = house.customer_writes(), house.customer_writes(subject="Altro")
    house.desk.perform("merge", house.giulia, [gone], {"into": survivor})
    assert house.customer_writes("Di nuovo", ticket=gone) == survivor
    with pytest.raises(Conflict, match=f"merged into #{survivor}"):
        house.desk.perform("take", house.giulia, [gone])


def test_a_split_undone_merges_the_empty_ticket_into_its_source(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(minutes=1)
    house.customer_writes("La fattura?", ticket=ticket_id)
    before = state_of(house, ticket_id)
    done = house.desk.perform("split", house.giulia, [ticket_id], {"first": house.newest_message(ticket_id)})
    new = house.desk.read.rows("ticket", {"split_from": ticket_id})[0]["id"]
    house.desk.undo(house.giulia, done.action_id)
    assert state_of(house, ticket_id) == before
    assert house.ticket(new).merged_into == ticket_id
    assert len(house.desk.read.thread(ticket_id)) == 2


def test_a_split_can_be_undone_although_the_customer_wrote_since(house: House) -> None:
    ticket_id = house.customer_writes()
    house.customer_writes("Altra domanda", ticket=ticket_id)
    done = house.desk.perform("split", house.giulia, [ticket_id], {"first": house.newest_message(ticket_id)})
    house.customer_writes("Novità?", ticket=ticket_id)
    assert not house.desk.undo(house.giulia, done.action_id).conflicts
    assert house.ticket(ticket_id).message_count == 3
    assert len(house.desk.read.thread(ticket_id)) == 3


# ---- any sequence ----------------------------------------------------------------------------------------------------

ACTIONS = st.sampled_from(
    [
        ("assign", {"assignee": "luca"}), ("assign", {"assignee": "anna"}), ("unassign", {}), ("take", {}),
        ("tag", {"tags": "a b"}), ("tag", {"tags": "c"}), ("untag", {"tags": "a"}), ("priority", {"priority": "high"}),
        ("snooze", {"until": "tomorrow 9am"}), ("wake", {}), ("solve", {"dismiss": "thanks"}), ("reopen", {}),
        ("status", {"status": "on_hold"}), ("status", {"status": "closed", "dismiss": "no_action"}),
        ("dismiss", {"reason": "duplicate"}), ("spam", {}), ("not_spam", {}), ("language", {"language": "fr"}),
    ]
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.lists(st.tuples(ACTIONS, st.sampled_from([(0,), (1,), (0, 1)])), min_size=1, max_size=8))
def test_any_sequence_undone_step_by_step_restores_the_tickets(house: House, chosen: list[Any]) -> None:
    tickets = [house.customer_writes(), house.customer_writes(sender="otto@example.de", language="de")]
    states = [[state_of(house, ticket) for ticket in tickets]]
    done = []
    for (action, params), which in chosen:
        house.pass_time(minutes=1)
        try:
            result = house.desk.perform(action, house.giulia, [tickets[at] for at in which], params)
        except SupportdeskError:
            continue
        if result.tickets:
            done.append(result.action_id)
            states.append([state_of(house, ticket) for ticket in tickets])
    for action_id in reversed(done):
        assert states.pop() == [state_of(house, ticket) for ticket in tickets]
        house.clock.advance(timedelta(seconds=1))
        house.desk.undo(house.giulia, action_id)
    assert states == [[state_of(house, ticket) for ticket in tickets]]


@pytest.mark.parametrize("meanwhile", ["spam", "dismiss"])
def test_a_split_is_not_undone_into_what_was_dismissed_meanwhile(house: House, meanwhile: str) -> None:
    """The customer of the split waits: nobody has said that he need not be answered."""
    ticket = house.customer_writes()
    house.pass_time(minutes=1)
    house.customer_writes("E la fattura?", ticket=ticket)
    second = house.newest_message(ticket)
    house.desk.perform("split", house.giulia, [ticket], {"first": second})
    [apart] = [row["id"] for row in house.desk.read.rows("ticket", {"split_from": ticket})]
    action = house.desk.read.rows("event", {"kind": "split"})[0]["action_id"]
    house.desk.perform("note", house.giulia, [ticket], {"text": "visto"})
    house.desk.perform(meanwhile, house.giulia, [ticket], {"reason": "no_action"} if meanwhile == "dismiss" else {})
    with pytest.raises(Conflict, match="would not be answered"):
        house.desk.undo(house.giulia, action)
    assert [row["ticket_id"] for row in house.desk.unanswered()] == [apart]


def test_an_undone_dismissal_of_a_family_brings_every_customer_back_that_left_it_meanwhile(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes(sender="otto@example.de")
    house.pass_time(minutes=1)
    house.desk.perform("merge", house.giulia, [second], {"into": first, "different_customers": True})
    merge = house.desk.read.rows("event", {"kind": "merge"})[0]["action_id"]
    dismissal = house.desk.perform("dismiss", house.giulia, [first], {"reason": "no_action"}).action_id
    house.desk.undo(house.giulia, merge)
    assert house.desk.unanswered() == []
    house.desk.undo(house.giulia, dismissal)
    assert {row["ticket_id"] for row in house.desk.unanswered()} == {first, second}
