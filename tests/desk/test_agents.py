"""Agents, roles, settings, mailboxes, calendars, senders: who may change what the team shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.agents import is_available
from supportdesk.desk.hours import Calendar
from supportdesk.errors import Conflict, NotAllowed, NotFound, UsageError

if TYPE_CHECKING:
    from tests.support.desk import House

NINE_TO_SIX = ((9 * 60, 18 * 60),)


def test_the_first_agent_of_a_desk_is_its_admin(house: House) -> None:
    assert [agent.role for agent in house.desk.agents()] == ["admin", "agent", "lead"]
    assert house.desk.agent_by_login("giulia").languages == ("it", "en")
    with pytest.raises(NotFound):
        house.desk.agent_by_login("nobody")


@pytest.mark.parametrize(
    "call",
    [
        lambda house: house.desk.add_agent(house.luca, "eve"),
        lambda house: house.desk.set_agent(house.luca, house.luca.id, role="admin"),
        lambda house: house.desk.set_agent(house.luca, house.anna.id, state="away"),
        lambda house: house.desk.update_settings(house.anna, undo_seconds=30),
        lambda house: house.desk.save_mailbox(house.anna, {"address": "x@bottega.example"}),
        lambda house: house.desk.save_calendar(house.luca, "shop", Calendar("Europe/Rome", (NINE_TO_SIX,) * 7)),
        lambda house: house.desk.import_canned(house.luca, [sample()]),
    ],
)
def test_what_the_team_shares_needs_a_role(house: House, call: Any) -> None:
    with pytest.raises(NotAllowed):
        call(house)


def sample() -> Any:
    from supportdesk.desk.canned_meta import build_response

    return build_response("thanks", {"title": {"en": "Thanks"}}, [("it", {}, "Grazie!")])


def test_an_agent_sets_his_own_absence_and_the_last_admin_stays(house: House) -> None:
    assert house.luca.id is not None
    assert house.giulia.id is not None
    until = datetime(2026, 3, 9, tzinfo=UTC)
    away = house.desk.set_agent(house.luca, house.luca.id, state="away", away_until=until)
    row = house.desk.read.rows("agent", {"id": away.id})[0]
    assert not is_available(row, house.clock.now())
    assert is_available(row, until)
    with pytest.raises(Conflict, match="only admin"):
        house.desk.set_agent(house.giulia, house.giulia.id, role="agent")


def test_settings_have_defaults_and_refuse_nonsense(house: House) -> None:
    settings = house.desk.settings()
    assert (settings.undo_seconds, settings.closed_after_days, settings.reopen_days) == (15, 4, 14)
    assert house.desk.update_settings(house.giulia, undo_seconds=30, shop_name="Bottega").undo_seconds == 30
    assert house.desk.settings().shop_name == "Bottega"
    for wrong in ({"undo_seconds": 7}, {"colour": "red"}, {"closed_after_days": 90}, {"policy": {"first": None}}):
        with pytest.raises(UsageError):
            house.desk.update_settings(house.giulia, **wrong)


def test_a_mailbox_is_saved_by_compare_and_swap(house: House) -> None:
    mailbox = house.desk.mailbox(house.mailbox_id)
    assert (mailbox.shop_name, mailbox.smtp and mailbox.smtp.port) == ("Bottega Verde", 2525)
    values = {"id": mailbox.id, "version": mailbox.version, "signatures": {"it": "Bottega Verde"}}
    saved = house.desk.save_mailbox(house.giulia, values)
    assert saved.signatures == {"it": "Bottega Verde"}
    with pytest.raises(Conflict):
        house.desk.save_mailbox(house.giulia, values)


def test_a_calendar_moves_the_deadlines_that_are_open(house: House) -> None:
    ticket_id = house.customer_writes()
    before = house.ticket(ticket_id).due_at
    closed_tomorrow = (NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX, (), NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX)
    calendar_id = house.desk.save_calendar(house.giulia, "shop", Calendar("Europe/Rome", closed_tomorrow))
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "calendar_id": calendar_id})
    assert house.ticket(ticket_id).due_at == before, "the calendar is stored when a target starts"
    house.desk.save_calendar(house.giulia, "shop", Calendar("Europe/Rome", closed_tomorrow))
    assert house.desk.calendar(calendar_id) == Calendar("Europe/Rome", closed_tomorrow)
    due = house.ticket(ticket_id).due_at
    assert due is not None
    assert before is not None
    assert (due - before).days == 1
    assert "calendar" in [event.kind for event in house.desk.read.events(ticket_id=ticket_id)]


def test_a_verdict_on_a_sender_is_kept_with_his_address(house: House) -> None:
    house.customer_writes()
    house.desk.set_sender_verdict(house.luca, "Rosa@Example.com", "block")
    house.desk.set_sender_verdict(house.luca, "news@shop.example", "park")
    rows = {row["value_norm"]: row["verdict"] for row in house.desk.read.rows("customer_identity")}
    assert rows == {"rosa@example.com": "block", "news@shop.example": "park"}
    with pytest.raises(UsageError):
        house.desk.set_sender_verdict(house.luca, "rosa", "block")
