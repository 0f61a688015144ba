"""Asking again: who is reminded and when, and what ends the reminders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.calendar import Calendar
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.model import ActionId
from supportdesk.errors import UsageError
from tests.desk.automatic_desk import SHOP_DAYS, Desk

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow, Ticket


def test_who_does_not_answer_is_reminded_twice_and_then_it_is_solved(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    reply = desk.asks_again(ticket)
    assert desk.day(3.9) == []
    (first,) = desk.day(0.1)
    assert first.header("Auto-Submitted") == "auto-generated"
    assert first.in_reply_to == (reply.message_id_header,)
    assert first.subject == "Re: Ordine 5521"
    assert "ti abbiamo scritto qualche giorno fa" in first.text
    assert desk.server.taken[-1][0].sender == "aiuto@bottega.example"
    assert desk.day(1.9) == []
    (second,) = desk.day(0.1)
    assert "non abbiamo ancora ricevuto la tua risposta" in second.text
    assert desk.house.ticket(ticket.id).status == "pending"
    assert desk.day(1) == []
    after = desk.house.ticket(ticket.id)
    assert (after.status, after.auto_solved, after.waiting_since) == ("solved", True, None)
    assert desk.day(10) == []


def test_nobody_is_reminded_unless_it_was_asked_for(desk: Desk) -> None:
    ticket = desk.writes()
    desk.house.reply(ticket.id, undo_seconds=0)
    desk.deliver()
    assert [desk.day(1) for _day in range(8)] == [[]] * 8
    assert desk.house.ticket(ticket.id).status == "solved"


def test_reminders_count_business_days(desk: Desk) -> None:
    desk.keep_hours(Calendar("Europe/Rome", (SHOP_DAYS,) * 5 + ((), ())))
    ticket = desk.writes()
    desk.asks_again(ticket)  # a Wednesday
    days = [len(desk.day(1)) for _day in range(12)]
    assert [number for number, sent in enumerate(days, start=1) if sent] == [6, 8], "Tuesday and Thursday"
    assert desk.house.ticket(ticket.id).status == "solved"


def test_whatever_happens_on_the_ticket_ends_the_reminders(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    answers: dict[str, Callable[[Ticket, OutboxRow], object]] = {
        "the customer writes": lambda _ticket, reply: desk.writes("Ecco.", answers=reply.message_id_header),
        "another reply": lambda ticket, _reply: desk.house.reply(ticket.id, undo_seconds=0),
        "solved": lambda ticket, _reply: desk.house.desk.perform("solve", desk.house.giulia, [ticket.id]),
        "on hold": lambda ticket, _reply: desk.house.desk.perform(
            "status", desk.house.giulia, [ticket.id], {"status": "on_hold"}
        ),
    }
    for happens in answers.values():
        ticket = desk.writes()
        happens(ticket, desk.asks_again(ticket))
        desk.deliver()
        desk.house.pass_time(days=4)
        keep_house(desk.house.desk)
        assert desk.automatic(ticket) == []


def test_a_reminder_that_waits_is_cancelled_by_the_customers_answer(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    reply = desk.asks_again(ticket)
    desk.house.pass_time(days=4)
    keep_house(desk.house.desk)
    (waiting,) = desk.automatic(ticket)
    assert waiting["state"] == "held"
    desk.writes("Ecco i dati.", answers=reply.message_id_header)
    assert desk.deliver() == []
    said = [event.data["because"] for event in desk.house.desk.read.events() if event.kind == "automatic_cancelled"]
    assert said == ["status"]


def test_an_undone_reminder_is_not_held_again(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    desk.asks_again(ticket)
    desk.house.pass_time(days=4)
    keep_house(desk.house.desk)
    (waiting,) = desk.automatic(ticket)
    desk.house.desk.undo(desk.house.luca, ActionId(waiting["action_id"]))
    keep_house(desk.house.desk)
    assert desk.deliver() == []


def test_a_reply_that_was_taken_back_reminds_nobody(desk: Desk) -> None:
    ticket = desk.writes()
    held = desk.house.reply(ticket.id, undo_seconds=15, ask_again=True)
    desk.house.desk.undo(desk.house.giulia)
    assert desk.house.desk.outbox_row(held.id).state == "draft"
    desk.house.pass_time(days=5)
    keep_house(desk.house.desk)
    assert [row["kind"] for row in desk.automatic(ticket)] == ["acknowledgement"]


@pytest.mark.parametrize("after", ["solved", "open", ""])
def test_only_a_reply_that_leaves_it_pending_can_ask_again(desk: Desk, after: str) -> None:
    ticket = desk.writes()
    with pytest.raises(UsageError):
        desk.house.reply(ticket.id, after=after, ask_again=True)


def test_a_language_without_reminders_is_told_before_the_reply_leaves(desk: Desk) -> None:
    desk.languages["Missä"] = "fi"
    ticket = desk.writes("Missä tilaukseni on?")
    with pytest.raises(UsageError, match="no reminder"):
        desk.house.reply(ticket.id, ask_again=True)
