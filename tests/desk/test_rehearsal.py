"""What is rehearsed is done as it would be, and nothing stays: the dry runs of undo and of opening hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.hours_editing import with_exception
from supportdesk.desk.retarget import Moved
from supportdesk.errors import Conflict, NotAllowed
from supportdesk.store.columns import TABLES

if TYPE_CHECKING:
    from tests.support.desk import House

OFFICE = Calendar("Europe/Rome", (((540, 1080),),) * 5 + ((), ()))


def everything(house: House) -> dict[str, list[str]]:
    """Every row of the desk."""
    return {name: sorted(repr(row) for row in house.desk.read.rows(name)) for name in TABLES}


def keep_office_hours(house: House) -> None:
    house.desk.change_hours(house.giulia, house.desk.hours(), lambda _before: OFFICE, "set")


def closed_tomorrow(house: House) -> Any:
    day: date = house.clock.now().date() + timedelta(days=1)
    return with_exception(CalendarException(day, day, (), {"it": "Chiusi"}))


def test_the_undo_of_a_bulk_action_is_foreseen_with_what_it_would_leave_alone(house: House) -> None:
    tickets = [house.customer_writes(sender=f"{one}@example.com") for one in "abc"]
    action = house.desk.perform("priority", house.giulia, tickets, {"priority": "high"}).action_id
    house.desk.perform("priority", house.luca, tickets[1:2], {"priority": "urgent"})
    before = everything(house)
    found = house.desk.foresee_undo(house.giulia)
    assert everything(house) == before
    assert (found.action_id, {event.kind for event in found.events}) == (action, {"priority"})
    done = house.desk.undo(house.giulia)
    assert (found.done.tickets, list(found.done.conflicts)) == (done.tickets, list(done.conflicts))
    assert (done.tickets, list(done.conflicts)) == ((tickets[0], tickets[2]), [tickets[1]])
    assert "Luca" in found.done.conflicts[tickets[1]].message and found.done.notice == done.notice


def test_the_undo_of_replies_is_foreseen_and_they_still_go_out(house: House) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    tickets = [house.customer_writes(sender=f"{one}@example.com") for one in "ab"]
    house.desk.reply_to_all(house.giulia, house.desk.reply_samples(house.giulia, tickets, "thanks", {}), "thanks", {})
    assert house.desk.foresee_undo(house.giulia).done.tickets == tuple(tickets)
    single = house.customer_writes(sender="c@example.com")
    house.reply(single)
    found = house.desk.foresee_undo(house.giulia)
    assert (found.done.tickets, f"#{single} is a draft again" in found.done.notice) == ((single,), True)
    assert len(house.desk.read.outbox(states=("held",))) == 3


def test_what_cannot_be_undone_is_refused_by_the_dry_run_too(house: House) -> None:
    ticket = house.customer_writes()
    with pytest.raises(Conflict, match="nothing of yours"):
        house.desk.foresee_undo(house.giulia)
    note = house.desk.add_note(house.giulia, ticket, "Nota")
    with pytest.raises(Conflict):
        house.desk.foresee_undo(house.giulia, note.action_id)


def test_an_edit_of_opening_hours_foresees_every_deadline_that_it_moves(house: House) -> None:
    keep_office_hours(house)
    tickets = [house.customer_writes(sender=f"{one}@example.com") for one in "ab"]
    house.reply(house.customer_writes(sender="c@example.com"))
    was, before = house.ticket(tickets[0]).due_at, everything(house)
    assert was is not None
    moved = house.desk.foresee_hours(house.giulia, house.desk.hours(), closed_tomorrow(house))
    assert everything(house) == before
    assert moved == tuple(Moved(ticket, was, was + timedelta(days=1)) for ticket in tickets)
    house.desk.change_hours(house.giulia, house.desk.hours(), closed_tomorrow(house), "Closed")
    assert [house.ticket(one.ticket_id).due_at for one in moved] == [one.becomes for one in moved]

    before = everything(house)
    back = house.desk.foresee_undo(house.giulia)
    assert everything(house) == before
    assert back.moved == tuple(Moved(one.ticket_id, one.becomes, one.was) for one in moved)


def test_the_first_hours_and_hours_that_are_so_already_are_foreseen(house: House) -> None:
    ticket = house.customer_writes()
    moved = house.desk.foresee_hours(house.giulia, house.desk.hours(), closed_tomorrow(house))
    house.desk.change_hours(house.giulia, house.desk.hours(), closed_tomorrow(house), "Closed")
    assert moved is not None and [one.becomes for one in moved] == [house.ticket(ticket).due_at]
    keep_office_hours(house)
    assert house.desk.foresee_hours(house.giulia, house.desk.hours(), lambda _before: OFFICE) is None
    longer = replace(OFFICE, week=(((540, 1140),),) * 5 + ((), ()))
    assert house.desk.foresee_hours(house.giulia, house.desk.hours(), lambda _before: longer) == ()
    with pytest.raises(NotAllowed):
        house.desk.foresee_hours(house.luca, house.desk.hours(), closed_tomorrow(house))
