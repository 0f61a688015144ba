"""Automatic mail: what cancels it before it is gone, and that two programs never go on answering each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import ActionId
from supportdesk.errors import Conflict
from supportdesk.mail.model import Address, SendResult
from supportdesk.mail.parse import parse
from supportdesk.store import create_or_upgrade
from tests.desk.automatic_desk import Desk
from tests.support.desk import SHOP, furnish
from tests.support.post import ROSA, Post, mail

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket
    from tests.support.databases import Database


def test_an_acknowledgement_that_nobody_wants_any_more_is_cancelled(desk: Desk) -> None:
    ways: dict[str, Callable[[Ticket], object]] = {
        "spam": lambda ticket: desk.house.desk.perform("spam", desk.house.giulia, [ticket.id]),
        "answered": lambda ticket: desk.house.reply(ticket.id, undo_seconds=15),
        "too_late": lambda _ticket: desk.house.pass_time(hours=25),
        "switched_off": lambda _ticket: desk.configure(acknowledge=False),
    }
    for number, (because, happens) in enumerate(ways.items()):
        ticket = desk.writes(sender=f"rosa@cliente{number}.example")
        happens(ticket)
        desk.deliver()
        assert (desk.acknowledgement(ticket)["state"], desk.acknowledgement(ticket)["sent_at"]) == ("draft", None)
        events = desk.house.desk.read.events(ticket_id=ticket.id)
        (event,) = [one for one in events if one.kind == "automatic_cancelled"]
        assert event.data["because"] == because
        desk.configure(acknowledge=True)


def test_the_undo_of_its_action_cancels_it_and_cannot_when_it_is_gone(desk: Desk) -> None:
    ticket = desk.writes()
    action = ActionId(desk.acknowledgement(ticket)["action_id"])
    desk.house.desk.undo(desk.house.luca, action)
    assert desk.deliver() == []
    with pytest.raises(Conflict):
        desk.house.desk.undo(desk.house.luca, action)
    other = desk.writes(sender="otto@example.com")
    assert len(desk.deliver()) == 1
    with pytest.raises(Conflict, match="gone out"):
        desk.house.desk.undo(desk.house.luca, ActionId(desk.acknowledgement(other)["action_id"]))


def test_an_agent_can_take_it_out_of_the_outbox(desk: Desk) -> None:
    ticket = desk.writes()
    desk.house.desk.perform("cancel_send", desk.house.luca, [], {"outbox": desk.acknowledgement(ticket)["id"]})
    assert desk.deliver() == []


def test_an_acknowledgement_in_doubt_counts_as_sent_and_a_refused_one_opens_nothing(desk: Desk) -> None:
    desk.server.verdict = SendResult("uncertain", "dot_sent", "Connection lost")
    doubtful = desk.writes()
    desk.deliver()
    assert desk.acknowledgement(doubtful)["state"] == "sent"
    desk.server.verdict = SendResult("failed", "rcpt", "550 5.1.1 no such user")
    refused = desk.writes(sender="otto@example.com")
    desk.deliver()
    assert desk.acknowledgement(refused)["state"] == "failed"
    assert (desk.house.ticket(refused.id).status, desk.house.ticket(refused.id).badges) == ("new", ("failed",))


def test_a_vacation_responder_gets_one_mail_whatever_it_answers(desk: Desk) -> None:
    replies = {
        "by the book": "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All",
        "in its own way": "X-Autoreply: yes",
        "without a word": "",
    }
    for number, (kind, headers) in enumerate(replies.items()):
        sender = f"Rosa <rosa@assenti{number}.example>"
        desk.writes(sender=sender)
        sent = 0
        for turn in range(12):
            got = desk.deliver()
            sent += len(got)
            for one in got:
                answers = one.message_id if turn % 2 == 0 else ""  # some forget what they answer
                raw = mail("Sono in ferie.", sender=sender, subject="Fuori sede", answers=answers, headers=headers)
                desk.post.arrives(raw, at=desk.house.clock.now())
            desk.house.pass_time(minutes=2)
        assert 1 <= sent <= 2, kind
        desk.house.pass_time(hours=2)


def test_a_responder_that_starts_anew_each_time_gets_two_a_week(desk: Desk) -> None:
    desk.writes(sender=ROSA)
    sent = 0
    for turn in range(7 * 24):
        got = desk.deliver()
        sent += len(got)
        raw = mail(f"Sono in ferie, {turn}.", sender=ROSA, subject=f"Fuori sede {turn}")
        if got or turn % 24 == 0:
            desk.post.arrives(raw, at=desk.house.clock.now())
        desk.house.pass_time(hours=1)
    assert sent == 2


def test_two_desks_that_acknowledge_each_other_exchange_two_automatic_mails_at_most(
    desk: Desk, database: Database
) -> None:
    other_house = furnish(database.copy_of("schema", create_or_upgrade), desk.house.clock)
    box = other_house.desk.mailbox(other_house.mailbox_id)
    address = "help@werkstatt.example"
    other_house.desk.save_mailbox(
        other_house.giulia, {"id": box.id, "address": address, "settings": {"acknowledge": True}}
    )
    other = Desk(Post(other_house))
    try:
        # Both sides begin by hand, at the same moment, and both acknowledge.
        for writer, to in ((desk, address), (other, SHOP)):
            row = writer.house.desk.start_conversation(
                writer.house.giulia, writer.house.mailbox_id, Address("", to), "Angebot"
            )
            row = writer.house.desk.save_draft(writer.house.giulia, row.id, row.version, body="Dov'è il vostro ordine?")
            writer.house.desk.send(writer.house.giulia, row.id, seen_seq=row.seen_seq, undo_seconds=0)
        for _turn in range(10):
            for sender, receiver in ((desk, other), (other, desk)):
                before = len(sender.server.taken)
                sender.deliver()
                for built, _people in sender.server.taken[before:]:
                    envelope = f"Return-Path: <{built.sender}>\r\n".encode()
                    receiver.post.arrives(envelope + built.data, read=False, at=desk.house.clock.now())
                receiver.post.read()
            desk.house.pass_time(minutes=5)
        automatic = [
            parsed
            for one in (desk, other)
            for parsed in (parse(built.data) for built, _people in one.server.taken)
            if parsed.header("Auto-Submitted")
        ]
        assert len(automatic) == 2, "one acknowledgement from each side, and no answer to either"
        for one in (desk, other):
            assert [row["kind"] for row in one.post.rows("message")].count("out_of_office") == 1
            assert "parked" not in one.post.outcomes()
    finally:
        other_house.store.close()
