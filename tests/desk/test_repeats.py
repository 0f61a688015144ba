"""The same text to the same ticket once more: what a killed command that is run again would send a second time."""

from __future__ import annotations

from typing import Any

import pytest

from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.model import TicketId
from supportdesk.desk.repeats import REPEATED
from supportdesk.errors import AlreadySent
from supportdesk.mail.recipients import parse_recipients
from tests.support.desk import House

TEXT = "Buongiorno, il pacco arriva domani.\n\nCordiali saluti"
KEY = "thanks"


def reply(house: House, ticket: TicketId, text: str = TEXT, **params: Any) -> None:
    house.desk.perform("reply", house.giulia, (ticket,), {"text": text, **params})


def become(house: House, ticket: TicketId, state: str) -> None:
    """The ticket's one held reply is in that state now."""
    [row] = house.desk.read.outbox(states=("held",), ticket_id=ticket)
    house.deliver(row.id, state)


def warned(house: House, ticket: TicketId, text: str) -> list[str]:
    row = house.draft(ticket, house.luca, text)
    return [one.text for one in house.desk.review(house.luca, row.id).warnings if one.code == REPEATED]


@pytest.mark.parametrize("state", ["held", "sending", "deferred", "sent", "uncertain"])
def test_a_command_that_is_repeated_sends_no_second_copy(house: House, state: str) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    if state != "held":
        become(house, ticket, state)
    with pytest.raises(AlreadySent, match="same text"):
        reply(house, ticket, TEXT + "\n")
    assert len(house.desk.read.rows("outbox", {"ticket_id": ticket})) == 1, "not even a draft"
    reply(house, ticket, anyway=True)
    assert len(house.desk.read.rows("outbox", {"ticket_id": ticket})) == 2


@pytest.mark.parametrize("state", ["failed", "bounced"])
def test_what_reached_nobody_is_sent_again_without_a_question(house: House, state: str) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    become(house, ticket, state)
    reply(house, ticket)
    assert len(house.desk.read.outbox(states=("held",))) == 1


def test_what_was_taken_back_is_sent_again_without_a_question(house: House) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    house.desk.cancel_send(house.giulia)
    reply(house, ticket)
    assert len(house.desk.read.outbox(states=("held",))) == 1


def test_the_review_tells_a_colleague_when_the_same_text_went(house: House) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    [told] = warned(house, ticket, TEXT)
    assert "on its way" in told and ":" in told
    become(house, ticket, "sent")
    [told] = warned(house, ticket, TEXT)
    assert told.startswith("The same text was sent already: today, ")


def test_another_text_another_day_or_a_customer_who_wrote_since_is_no_repetition(house: House) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    become(house, ticket, "sent")
    assert warned(house, ticket, TEXT)
    assert not warned(house, ticket, TEXT + " Giulia")
    house.customer_writes("E adesso?", ticket=ticket)
    assert not warned(house, ticket, TEXT)
    other = house.customer_writes(sender="marco@example.com", name="Marco Verdi")
    assert not warned(house, other, TEXT), "another ticket"
    reply(house, other)
    become(house, other, "sent")
    house.pass_time(hours=23)
    assert warned(house, other, TEXT)
    house.pass_time(hours=2)
    assert not warned(house, other, TEXT)


def test_a_merged_ticket_remembers_what_its_parts_were_sent(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes("Ancora io")
    reply(house, first)
    house.desk.perform("merge", house.giulia, (first,), {"into": second})
    assert warned(house, second, TEXT)


def test_the_same_text_to_somebody_else_is_no_repetition(house: House) -> None:
    ticket = house.customer_writes()
    reply(house, ticket)
    reply(house, ticket, to="corriere@example.net", anyway=True)  # that nobody writes from it is a warning too
    row = house.desk.open_draft(house.luca, ticket)
    assert len(house.desk.read.outbox(states=("held",))) == 2
    for address, repeated in (("avvocato@example.org", False), ("corriere@example.net", True)):
        row = house.desk.save_draft(house.luca, row.id, row.version, body=TEXT, to=parse_recipients(address), cc=())
        found = [one.code for one in house.desk.review(house.luca, row.id).warnings]
        assert (REPEATED in found) is repeated, address


def test_a_mass_reply_that_was_killed_goes_on_where_it_was(house: House) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    tickets = [house.customer_writes(sender=f"{one}@example.com", language="it") for one in "abcd"]
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    house.desk.reply_to_all(house.giulia, shown[:2], KEY, {})
    # It died between the text of the third reply and its sending.
    row = house.desk.open_draft(house.giulia, tickets[2])
    house.desk.save_draft(house.giulia, row.id, row.version, body=shown[2].text, canned_key=KEY)

    again = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    assert [sample.repeated for sample in again] == [True, True, False, False]
    assert "same text" in again[0].refused and not again[2].refused
    assert house.desk.reply_to_all(house.giulia, again, KEY, {}).tickets == tuple(tickets[2:])
    assert len(house.desk.read.outbox(states=("held",))) == 4

    # A second round that looked before the first one had sent is stopped as well.
    late = house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert (late.tickets, sorted(late.conflicts)) == ((), tickets)
    wanted = house.desk.reply_samples(house.giulia, tickets, KEY, {}, again=True)
    assert all(sample.warnings and not sample.refused for sample in wanted)
    assert house.desk.reply_to_all(house.giulia, wanted, KEY, {}, again=True).tickets == tuple(tickets)
