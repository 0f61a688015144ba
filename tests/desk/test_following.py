"""Who follows is told what others did, who is named in a note is told once, and looking ends it; on both databases."""

from __future__ import annotations

import pytest

from supportdesk.desk.model import TicketId
from tests.support.desk import House


def told(house: House, actor) -> list[tuple[int, str, str, int]]:
    return [(one.ticket_id, one.kind, one.who, one.events) for one in house.desk.notices(actor.id)]


@pytest.fixture
def ticket(house: House) -> TicketId:
    return house.customer_writes()


def test_a_follower_is_told_what_others_do_until_he_looks(house: House, ticket: TicketId) -> None:
    desk, luca, giulia = house.desk, house.luca, house.giulia
    desk.perform("follow", luca, [ticket])
    assert told(house, luca) == []
    desk.perform("take", giulia, [ticket])
    house.customer_writes("Allora?", ticket=ticket)
    assert told(house, luca) == [(ticket, "message", "", 2)]
    assert told(house, giulia) == []
    desk.mark_seen(luca, ticket, house.ticket(ticket).seq)
    assert told(house, luca) == []
    desk.perform("solve", giulia, [ticket], {"dismiss": "thanks"})
    assert told(house, luca)[0][1:3] == ("solve", giulia.name)
    assert desk.mark_told(luca) == 1
    assert told(house, luca) == []


def test_nobody_is_told_of_what_he_did_himself(house: House, ticket: TicketId) -> None:
    house.desk.perform("follow", house.luca, [ticket])
    house.desk.perform("take", house.luca, [ticket])
    house.desk.add_note(house.luca, ticket, "Chiamo @luca io stesso.")
    assert told(house, house.luca) == []


def test_who_follows_no_more_is_told_nothing_and_undo_follows_again(house: House, ticket: TicketId) -> None:
    desk, luca = house.desk, house.luca
    desk.perform("follow", luca, [ticket])
    done = desk.perform("unfollow", luca, [ticket])
    desk.perform("take", house.giulia, [ticket])
    assert told(house, luca) == []
    desk.undo(luca, done.action_id)
    assert [one[1] for one in told(house, luca)] == ["take"]
    assert desk.perform("follow", luca, [ticket]).tickets == ()


def test_undoing_a_first_follow_leaves_nothing(house: House, ticket: TicketId) -> None:
    done = house.desk.perform("follow", house.luca, [ticket])
    house.desk.undo(house.luca, done.action_id)
    assert house.desk.read.rows("ticket_follow") == []


def test_following_is_no_change_that_a_colleague_could_stumble_over(house: House, ticket: TicketId) -> None:
    seen = house.ticket(ticket).version
    house.desk.perform("follow", house.luca, [ticket])
    house.desk.perform("take", house.giulia, [ticket], expect={ticket: seen})
    assert house.ticket(ticket).assignee_id == house.giulia.id


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@luca guarda tu", ["luca"]),
        ("Chiedi a @Luca, o ad @anna.", ["luca", "anna"]),
        ("scrivi a rosa@luca.example", []),
        ("@nessuno @giulia", []),
    ],
)
def test_a_note_tells_whom_it_names(house: House, ticket: TicketId, text: str, names: list[str]) -> None:
    done = house.desk.add_note(house.giulia, ticket, text)
    for login in ("luca", "anna"):
        agent = house.desk.agent_by_login(login)
        expected = [(ticket, "mention", house.giulia.name, 0)] if login in names else []
        assert told(house, agent.actor()) == expected
        assert (agent.name in done.notice) == (login in names)


def test_a_mention_comes_first_and_does_not_make_a_follower(house: House, ticket: TicketId) -> None:
    other = house.customer_writes(sender="altra@example.com")
    house.desk.perform("follow", house.luca, [other])
    house.desk.perform("note", house.giulia, [ticket], {"text": "@luca?"})
    house.customer_writes("Ancora io", ticket=other, sender="altra@example.com")
    assert [one[:2] for one in told(house, house.luca)] == [(ticket, "mention"), (other, "message")]
    house.desk.mark_told(house.luca, [ticket])
    house.customer_writes("Pronto?", ticket=ticket)
    assert [one[0] for one in told(house, house.luca)] == [other]
