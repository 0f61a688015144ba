"""What time does: solved is closed, silence solves, holds end, deadlines are announced once (domain.md section 1)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.sla import OpeningTime, Policy

if TYPE_CHECKING:
    from supportdesk.desk.model import TicketId
    from tests.support.desk import House

NINE_TO_SIX = ((540, 1080),)


def kinds(house: House, ticket_id: TicketId) -> list[str]:
    return [event.kind for event in house.desk.read.events(ticket_id=ticket_id)]


def test_solved_is_closed_after_four_days(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("solve", house.giulia, [ticket_id], {"dismiss": "no_action"})
    house.pass_time(days=3, hours=23)
    assert keep_house(house.desk)["auto_close"] == 0
    house.pass_time(hours=1)
    assert keep_house(house.desk)["auto_close"] == 1
    ticket = house.ticket(ticket_id)
    assert (ticket.status, ticket.closed_at) == ("closed", house.clock.now())
    assert keep_house(house.desk)["auto_close"] == 0


def test_a_pending_ticket_is_solved_in_silence_after_seven_business_days(house: House) -> None:
    ticket_id = house.customer_writes()
    sent = house.reply(ticket_id)
    house.deliver(sent.id)
    house.pass_time(days=6, hours=23)
    assert keep_house(house.desk)["auto_solve"] == 0
    house.pass_time(hours=1)
    assert keep_house(house.desk)["auto_solve"] == 1
    ticket = house.ticket(ticket_id)
    assert (ticket.status, ticket.auto_solved, ticket.solved_at) == ("solved", True, house.clock.now())


@pytest.mark.parametrize("state", ["held", "deferred", "uncertain", "failed", "bounced"])
def test_silence_after_a_reply_that_did_not_arrive_solves_nothing(house: House, state: str) -> None:
    ticket_id = house.customer_writes()
    sent = house.reply(ticket_id)
    if state != "held":
        house.deliver(sent.id, state)
    house.pass_time(days=30)
    assert keep_house(house.desk)["auto_solve"] == 0
    assert house.ticket(ticket_id).status == "pending"


def test_a_customer_who_waits_is_never_solved_in_silence(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("status", house.giulia, [ticket_id], {"status": "pending"})
    house.pass_time(days=30)
    assert keep_house(house.desk)["auto_solve"] == 0
    assert house.ticket(ticket_id).waiting_since is not None


def test_a_hold_ends_at_its_date_and_an_agent_can_undo_that(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("status", house.giulia, [ticket_id], {"status": "on_hold"})
    house.pass_time(days=3)
    assert keep_house(house.desk)["hold_ended"] == 1
    assert (house.ticket(ticket_id).status, house.ticket(ticket_id).on_hold_until) == ("open", None)
    ended = next(event for event in house.desk.read.events(ticket_id=ticket_id) if event.kind == "hold_ended")
    house.desk.undo(house.luca, ended.action_id)
    assert house.ticket(ticket_id).status == "on_hold"


def test_a_deadline_is_announced_once_at_three_quarters_and_once_at_the_breach(house: House) -> None:
    ticket_id = house.customer_writes()
    house.pass_time(hours=17)
    keep_house(house.desk)
    assert "deadline_warning" not in kinds(house, ticket_id)
    for _pass in range(2):
        house.pass_time(hours=1)
        keep_house(house.desk)
    assert kinds(house, ticket_id).count("deadline_warning") == 1
    for _pass in range(2):
        house.pass_time(hours=6)
        keep_house(house.desk)
    assert kinds(house, ticket_id).count("deadline_breached") == 1


def test_a_deadline_is_announced_while_the_shop_is_open(house: House) -> None:
    keep_hours(house, NINE_TO_SIX)
    ticket_id = house.customer_writes()  # Wednesday 10:30; three quarters are over at 17:15
    house.pass_time(hours=11)
    keep_house(house.desk)
    assert "deadline_warning" not in kinds(house, ticket_id)
    house.pass_time(hours=12)
    keep_house(house.desk)
    assert kinds(house, ticket_id).count("deadline_warning") == 1


def test_the_resolution_is_announced_where_nobody_waits_for_an_answer(house: House) -> None:
    house.desk.update_settings(house.giulia, policy=Policy(resolution=OpeningTime(48 * 3600)).to_json())
    ticket_id = house.customer_writes()
    house.pass_time(hours=1)
    house.reply(ticket_id, after="open")
    assert house.ticket(ticket_id).waiting_since is None
    house.pass_time(hours=34)
    assert keep_house(house.desk)["deadlines"] == 0
    house.pass_time(hours=1)
    assert keep_house(house.desk)["deadlines"] == 1
    assert told(house, ticket_id) == [("deadline_warning", "resolution")]
    assert keep_house(house.desk)["deadlines"] == 0
    house.pass_time(hours=12)
    keep_house(house.desk)
    assert told(house, ticket_id) == [("deadline_warning", "resolution"), ("deadline_breached", "resolution")]


def test_a_resolution_that_is_long_over_keeps_no_response_from_being_announced(house: House) -> None:
    house.desk.update_settings(house.giulia, policy=Policy(resolution=OpeningTime(3600)).to_json())
    ticket_id = house.customer_writes()
    house.reply(ticket_id, after="open")
    house.pass_time(hours=2)
    keep_house(house.desk)
    house.customer_writes(ticket=ticket_id)
    house.pass_time(hours=18)
    keep_house(house.desk)
    assert told(house, ticket_id) == [("deadline_breached", "resolution"), ("deadline_warning", "next_response")]


def test_two_targets_that_are_over_at_once_are_both_told(house: House) -> None:
    house.desk.update_settings(house.giulia, policy=Policy(resolution=OpeningTime(3600)).to_json())
    ticket_id = house.customer_writes()
    house.pass_time(days=2)
    assert keep_house(house.desk)["deadlines"] == 2
    assert {target for _kind, target in told(house, ticket_id)} == {"first_response", "resolution"}
    assert house.ticket(ticket_id).announce_at is None


def test_every_deadline_that_is_over_is_told_however_many_there_are(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("supportdesk.desk.housekeeping.MOST_AT_ONCE", 2)
    tickets = [house.customer_writes(sender=f"c{number}@example.com") for number in range(5)]
    house.desk.perform("snooze", house.giulia, tickets[:1], {"until": "3d", "after_deadline": True})
    house.pass_time(days=2)
    assert keep_house(house.desk)["deadlines"] == 5, "who sleeps is told too: a snooze stops no clock"
    assert [told(house, ticket) for ticket in tickets] == [[("deadline_breached", "first_response")]] * 5


def test_a_deadline_that_an_edited_calendar_moves_is_announced_at_its_new_time_and_once(house: House) -> None:
    ticket_id = house.customer_writes()  # Wednesday 10:30, always open
    house.pass_time(hours=18)
    keep_house(house.desk)
    keep_hours(house, NINE_TO_SIX)
    house.pass_time(hours=9)
    keep_house(house.desk)
    assert [kind for kind, _target in told(house, ticket_id)] == ["deadline_warning", "deadline_breached"]


def told(house: House, ticket_id: TicketId) -> list[tuple[str, str]]:
    events = house.desk.read.events(ticket_id=ticket_id)
    return [(event.kind, event.data["target"]) for event in events if event.kind.startswith("deadline_")]


def test_a_shop_that_had_no_openings_gets_deadlines_with_its_hours(house: House) -> None:
    keep_hours(house, ())
    ticket_id = house.customer_writes()
    assert house.ticket(ticket_id).due_at is None
    keep_hours(house, NINE_TO_SIX)
    assert house.ticket(ticket_id).due_at == house.clock.now() + timedelta(days=1)


def keep_hours(house: House, hours: tuple[tuple[int, int], ...]) -> None:
    calendar_id = house.desk.save_calendar(house.giulia, "shop", Calendar("Europe/Rome", (hours,) * 7))
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "calendar_id": calendar_id})
