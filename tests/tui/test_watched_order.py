"""What others change is counted against the list as it stands."""

from __future__ import annotations

from supportdesk.desk.model import TicketId
from supportdesk.tui.watched_order import Members, WatchedOrder

ONE, TWO, THREE, FOUR = (TicketId(number) for number in range(1, 5))


def order() -> WatchedOrder:
    shown = WatchedOrder()
    shown.shown(Members([ONE, TWO, THREE]))
    return shown


def test_what_came_and_what_left_are_told_apart() -> None:
    shown = order()
    shown.compare([TWO, FOUR], [FOUR])
    assert (shown.came, shown.left, shown.differs) == ({FOUR}, {TWO}, True)


def test_what_comes_back_differs_no_more() -> None:
    shown = order()
    shown.compare([TWO, FOUR], [FOUR])
    shown.compare([TWO, FOUR], [TWO])
    assert not shown.differs


def test_what_was_not_asked_for_stays_as_it_was() -> None:
    shown = order()
    shown.compare([FOUR], [FOUR])
    shown.compare([ONE], [ONE])
    assert shown.came == {FOUR}


def test_an_unanswered_question_is_asked_again_with_the_next() -> None:
    shown = order()
    first = shown.to_look_up([ONE])
    assert set(shown.to_look_up([FOUR])) == {ONE, FOUR}
    shown.looked_up(first)
    assert shown.to_look_up([]) == (FOUR,)


def test_showing_an_order_settles_everything() -> None:
    shown = order()
    shown.compare([FOUR], [FOUR])
    shown.changed.add(ONE)
    shown.shown(Members([ONE, FOUR]))
    assert not shown.differs
    assert [ticket in shown.known for ticket in (ONE, TWO, THREE, FOUR)] == [True, False, False, True]


def test_a_dear_reading_is_not_repeated_at_once() -> None:
    shown = order()
    assert shown.may_read_again()
    shown._read_at += 10**9
    shown._read_took = 1.0
    assert not shown.may_read_again()


def test_members_are_counted_and_taken_out() -> None:
    members = Members([ONE, FOUR])
    members.discard(FOUR)
    members.discard(THREE)
    assert [ticket in members for ticket in (ONE, FOUR, 10**9, -1)] == [True, False, False, False]
    assert len(members) == 1
    assert not Members()
