"""Editing opening hours: one action that can be undone, deadlines that move, whose hours hold, what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from supportdesk.desk import hours_editing
from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.hours_editing import Finding, check_hours, with_exception, without_exception
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.model import MAIL
from supportdesk.desk.ports import Insert, NewRef, Plan, Update
from supportdesk.desk.settings import find_hours, new_action_id
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError
from tests.support.desk import SHOP, House

NINE_TO_SIX = ((540, 1080),)
WEEK = (NINE_TO_SIX,) * 5 + ((), ())
OFFICE = Calendar("Europe/Rome", WEEK)


def keep(house: House, calendar: Calendar, market: str = "") -> None:
    house.desk.change_hours(house.giulia, house.desk.hours(market=market), lambda _before: calendar, "set")


def close_tomorrow(house: House, days: int = 1, **notices: str) -> CalendarException:
    first = house.clock.now().date() + timedelta(days=1)
    return CalendarException(first, first + timedelta(days=days - 1), (), notices)


def calendar_events(house: House, ticket: int) -> int:
    return len(house.desk.read.rows("event", {"ticket_id": ticket, "kind": "calendar"}))


def in_a_market(house: House, ticket: int, code: str, calendar_id: int | None) -> int:
    with house.store.transaction() as tx:
        ref = NewRef("market")
        made = Insert(
            "market", {"code": code, "locale": "de-DE", "zone": "Europe/Berlin", "calendar_id": calendar_id}, ref
        )
        market = tx.apply(Plan(silent=(made,), undoable=False), MAIL, new_action_id()).ids["market"]
        moved = Update("ticket", {"id": ticket}, {"market_id": None}, {"market_id": market})
        tx.apply(Plan(silent=(moved,), undoable=False), MAIL, new_action_id())
    return market


def test_a_closure_moves_what_is_due_and_the_ticket_says_so(house: House) -> None:
    keep(house, OFFICE)
    ticket = house.customer_writes()
    before = house.ticket(ticket).due_at
    assert before is not None
    done = house.desk.change_hours(
        house.giulia, house.desk.hours(), with_exception(close_tomorrow(house, it="Chiusi")), "Closed"
    )
    due = house.ticket(ticket).due_at
    assert due is not None and due - before == timedelta(days=1)
    assert calendar_events(house, ticket) == 1
    assert "1" in done.notice and done.undoable


class Dies(BaseException):
    """The process is gone: nothing after it runs."""


@pytest.mark.parametrize("edit", ["change", "undo"])
def test_deadlines_that_an_edit_left_where_they_were_because_it_died_are_moved_by_the_worker(
    house: House, monkeypatch: pytest.MonkeyPatch, edit: str
) -> None:
    keep(house, OFFICE)
    tickets = [house.customer_writes(sender=f"c{number}@example.com") for number in range(3)]
    before = house.ticket(tickets[0]).due_at
    closure = with_exception(close_tomorrow(house))
    if edit == "undo":
        house.desk.change_hours(house.giulia, house.desk.hours(), closure, "Closed")
    keep_house(house.desk)
    due = house.ticket(tickets[0]).due_at

    def die(*_arguments: object, **_named: object) -> int:
        raise Dies

    def do() -> None:
        if edit == "undo":
            house.desk.undo(house.giulia)
        else:
            house.desk.change_hours(house.giulia, house.desk.hours(), closure, "Closed")

    with monkeypatch.context() as patched:
        patched.setattr(hours_editing, "retarget", die)
        with pytest.raises(Dies):
            do()
    assert [house.ticket(ticket).due_at for ticket in tickets] == [due] * 3, "nothing has moved yet"
    keep_house(house.desk)
    assert before is not None
    wanted = before if edit == "undo" else before + timedelta(days=1)
    assert [house.ticket(ticket).due_at for ticket in tickets] == [wanted] * 3
    told = calendar_events(house, tickets[0])
    keep_house(house.desk)
    assert calendar_events(house, tickets[0]) == told


def test_undo_brings_the_hours_and_the_deadline_back(house: House) -> None:
    keep(house, OFFICE)
    ticket = house.customer_writes()
    before = house.ticket(ticket).due_at
    house.desk.change_hours(house.giulia, house.desk.hours(), with_exception(close_tomorrow(house)), "Closed")
    house.desk.undo(house.giulia)
    assert house.desk.hours().calendar == OFFICE
    assert house.ticket(ticket).due_at == before


def test_the_first_hours_can_be_undone_too(house: House) -> None:
    ticket = house.customer_writes()
    always = house.ticket(ticket).due_at
    keep(house, replace(OFFICE, week=((),) * 6 + (NINE_TO_SIX,)))
    assert house.ticket(ticket).due_at != always
    house.desk.undo(house.giulia)
    assert house.desk.hours().calendar is None
    assert house.ticket(ticket).due_at == always


def test_what_a_change_does_not_move_has_no_event_but_knows_the_new_hours(house: House) -> None:
    keep(house, OFFICE)
    ticket = house.customer_writes()
    late = CalendarException(date(2027, 8, 2), date(2027, 8, 20))
    done = house.desk.change_hours(house.giulia, house.desk.hours(), with_exception(late), "Closed")
    assert calendar_events(house, ticket) == 0
    assert done.notice == "Closed"
    snapshot = house.desk.read.rows("sla_snapshot", {"id": house.desk.read.rows("ticket", {"id": ticket})[0]["sla_id"]})
    assert Calendar.from_json(snapshot[0]["body"]["calendar"]).exceptions == (late,)


def test_the_same_hours_again_are_no_action(house: House) -> None:
    keep(house, OFFICE)
    again = house.desk.change_hours(house.giulia, house.desk.hours(), lambda calendar: calendar, "set")
    assert not again.undoable
    assert len(house.desk.read.rows("event", {"kind": "calendar"})) == 1


def test_only_an_admin_edits_and_takes_back_opening_hours(house: House) -> None:
    with pytest.raises(NotAllowed):
        house.desk.change_hours(house.anna, house.desk.hours(), lambda _before: OFFICE, "set")
    keep(house, OFFICE)
    action = house.desk.read.rows("event", {"kind": "calendar"})[0]["action_id"]
    with pytest.raises(NotAllowed):
        house.desk.undo(house.luca, action)


def test_an_undo_after_another_edit_names_who_made_it(house: House) -> None:
    keep(house, OFFICE)
    first = house.desk.change_hours(house.giulia, house.desk.hours(), with_exception(close_tomorrow(house)), "Closed")
    keep(house, replace(OFFICE, holidays_country="IT"))
    with pytest.raises(Conflict):
        house.desk.undo(house.giulia, first.action_id)
    assert house.desk.hours().hours.holidays_country == "IT"


def test_hours_that_somebody_gave_in_the_meantime_are_not_written_over(house: House) -> None:
    seen = house.desk.hours()
    keep(house, OFFICE)
    with pytest.raises(Conflict):
        house.desk.change_hours(house.giulia, seen, lambda _before: Calendar.always_open(), "set")


def test_a_country_without_known_holidays_is_refused_before_anything_is_written(house: House) -> None:
    with pytest.raises(UsageError):
        keep(house, replace(OFFICE, holidays_country="ZZ"))
    assert house.desk.hours().calendar is None


def test_closing_the_same_days_again_replaces_the_notice(house: House) -> None:
    keep(house, OFFICE)
    for notice in ("Chiusi", "Chiusi per ferie"):
        exception = close_tomorrow(house, days=3, it=notice)
        house.desk.change_hours(house.giulia, house.desk.hours(), with_exception(exception), "Closed")
    [planned] = house.desk.hours().hours.exceptions
    assert planned.notices == {"it": "Chiusi per ferie"}
    removed = without_exception(planned.first + timedelta(days=1))
    house.desk.change_hours(house.giulia, house.desk.hours(), removed, "Removed")
    assert house.desk.hours().hours.exceptions == ()
    with pytest.raises(NotFound):
        house.desk.change_hours(house.giulia, house.desk.hours(), removed, "Removed")


def test_a_market_keeps_its_own_hours(house: House) -> None:
    keep(house, OFFICE)
    ticket = house.customer_writes()
    before = house.ticket(ticket).due_at
    market = in_a_market(house, ticket, "de", None)
    assert find_hours(house.desk.read, house.mailbox_id, market) == OFFICE
    closed_tomorrow = replace(OFFICE, exceptions=(close_tomorrow(house),))
    keep(house, closed_tomorrow, market="DE")
    assert find_hours(house.desk.read, house.mailbox_id, market) == replace(closed_tomorrow, zone="Europe/Rome")
    assert find_hours(house.desk.read, house.mailbox_id) == OFFICE
    due = house.ticket(ticket).due_at
    assert due is not None and before is not None and due - before == timedelta(days=1)
    other = house.customer_writes(sender="otto@example.de")
    assert house.ticket(other).due_at == before


@pytest.mark.parametrize("word", ["", SHOP.upper(), "1"])
def test_hours_are_found_by_the_mailbox(house: House, word: str) -> None:
    assert house.desk.hours(word).name == SHOP


def test_a_mailbox_or_market_that_is_not_there_is_named(house: House) -> None:
    with pytest.raises(NotFound, match="nobody@"):
        house.desk.hours("nobody@example.com")
    with pytest.raises(NotFound, match="xx"):
        house.desk.hours(market="xx")


def found(house: House) -> list[tuple[str, str]]:
    return [(finding.code, finding.text) for finding in check_hours(house.desk.hours(), house.clock.now())]


def test_a_closure_without_words_in_a_language_that_is_served_is_found(house: House) -> None:
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "languages": ("it", "de")})
    keep(house, replace(OFFICE, holidays_country="IT", exceptions=(close_tomorrow(house, it="Chiusi"),)))
    [(code, text)] = found(house)
    assert code == "no_notice" and text.endswith("de")


def test_hours_in_which_all_is_said_have_no_finding(house: House) -> None:
    past = CalendarException(date(2020, 8, 1), date(2020, 8, 2))
    longer = replace(close_tomorrow(house), intervals=((540, 1320),))
    keep(house, replace(OFFICE, holidays_country="IT", exceptions=(past, longer)))
    assert found(house) == []


def test_what_customers_and_deadlines_would_suffer_from_is_found(house: House) -> None:
    assert [code for code, _text in found(house)] == ["no_hours"]
    keep(house, Calendar("Europe/Rome", ((),) * 7))
    assert [code for code, _text in found(house)] == ["never_open", "holiday_country"]
    within, around = close_tomorrow(house, it="Chiusi"), close_tomorrow(house, days=5, it="Chiusi")
    keep(house, replace(OFFICE, holidays_country="IT", exceptions=(within, around)))
    assert [code for code, _text in found(house)] == ["covered"]
    assert isinstance(next(check_hours(house.desk.hours(), house.clock.now())), Finding)
