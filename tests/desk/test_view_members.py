"""Which of some tickets a view holds: the same answer as the whole view gives, without reading it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import TicketId
from supportdesk.errors import UsageError
from supportdesk.store.views import LISTINGS

if TYPE_CHECKING:
    from tests.support.desk import House


def mixed(house: House) -> list[TicketId]:
    """Tickets of every view, one of them merged away."""
    desk, me = house.desk, house.giulia
    tickets = [house.customer_writes(sender=f"c{number}@example.it") for number in range(9)]
    desk.perform("take", me, tickets[1:2])
    desk.perform("snooze", me, tickets[2:3], {"until": house.clock.now() + timedelta(hours=2)})
    desk.perform("spam", me, tickets[3:4])
    desk.perform("solve", me, tickets[4:5], {"dismiss": "no_action"})
    desk.perform("status", me, tickets[5:6], {"status": "on_hold"})
    house.reply(tickets[6])
    desk.perform("merge", me, tickets[7:8], {"into": tickets[8], "different_customers": True})
    return tickets


def test_membership_agrees_with_every_view(house: House) -> None:
    tickets = mixed(house)
    read, now = house.desk.read, house.clock.now()
    seen: set[TicketId] = set()
    for view in [*LISTINGS, "snoozed"]:
        whole = read.queue_ids(view, agent_id=house.giulia.id, now=now)
        some = [*tickets[::2], TicketId(999_999)]
        found = read.queue_ids(view, agent_id=house.giulia.id, now=now, among=some)
        assert sorted(found) == sorted(set(whole) & set(some)), view
        assert sorted(read.queue_ids(view, agent_id=house.giulia.id, now=now, among=tickets)) == sorted(whole), view
        seen.update(whole)
    assert len(seen) == 8


def test_many_tickets_are_asked_for_in_groups(house: House) -> None:
    ticket = house.customer_writes()
    many = [TicketId(number) for number in range(1, 2000)]
    read, now = house.desk.read, house.clock.now()
    assert read.queue_ids("all", agent_id=None, now=now, among=many) == [ticket]
    assert read.queue_ids("all", agent_id=None, now=now, among=[]) == []
    with pytest.raises(UsageError):
        read.queue_ids("nowhere", agent_id=None, now=now, among=many)
