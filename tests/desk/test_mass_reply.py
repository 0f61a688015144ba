"""One canned response to many: each in his language, nothing sent unseen, one undo for all of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from supportdesk.desk.canned_folder import starter_set
from supportdesk.desk.model import TicketId
from tests.support.desk import House

KEY = "thanks"
PEOPLE = (("it", "Giulia Rossi"), ("de", "Hans Meier"), ("fr", "Zoé Lefèvre"))


@pytest.fixture
def tickets(house: House) -> list[TicketId]:
    house.desk.import_canned(house.giulia, starter_set())
    return [
        house.customer_writes("…", sender=f"{language}@example.com", name=name, language=language)
        for language, name in PEOPLE
    ]


def held(house: House) -> dict[TicketId, str]:
    return {row.ticket_id: row.body for row in house.desk.read.outbox(states=("held",))}


def test_each_gets_one_mail_in_his_language_as_it_was_shown(house: House, tickets: list[TicketId]) -> None:
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    assert held(house) == {}
    assert [sample.language for sample in shown] == ["it", "de", "fr"]
    done = house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert held(house) == {sample.ticket_id: sample.text for sample in shown}
    assert (done.tickets, done.conflicts) == (tuple(tickets), {})
    assert len({text.partition("\n")[0] for text in held(house).values()}) == 3


def test_who_has_no_variant_is_left_out_and_named(house: House, tickets: list[TicketId]) -> None:
    finnish = house.customer_writes("Hei", sender="fi@example.com", name="Aino", language="fi")
    shown = house.desk.reply_samples(house.giulia, [*tickets, finnish], KEY, {})
    assert [sample.ticket_id for sample in shown if sample.refused] == [finnish]
    assert "fi" in shown[-1].refused
    done = house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert finnish not in held(house) and len(done.tickets) == 3


def test_who_wrote_again_since_is_not_answered_and_no_draft_stays(house: House, tickets: list[TicketId]) -> None:
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    house.customer_writes("Ancora una cosa", sender="de@example.com", ticket=tickets[1])
    done = house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert list(done.conflicts) == [tickets[1]]
    assert sorted(held(house)) == [tickets[0], tickets[2]]
    assert house.desk.drafts(house.giulia) == []


def test_what_is_being_written_is_not_touched(house: House, tickets: list[TicketId]) -> None:
    house.draft(tickets[0], house.giulia, "Cara Giulia,")
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    assert "already" in shown[0].refused
    house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert [row.body for row in house.desk.drafts(house.giulia)] == ["Cara Giulia,"]


def test_one_undo_takes_all_of_them_back(house: House, tickets: list[TicketId]) -> None:
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    before = [house.ticket(ticket_id).status for ticket_id in tickets]
    house.desk.reply_to_all(house.giulia, shown, KEY, {})
    assert {house.ticket(ticket_id).status for ticket_id in tickets} == {"pending"}
    done = house.desk.undo(house.giulia)
    assert sorted(done.tickets) == sorted(tickets)
    assert held(house) == {}
    assert [house.ticket(ticket_id).status for ticket_id in tickets] == before
    assert all(house.ticket(ticket_id).waiting_since is not None for ticket_id in tickets)


def test_what_a_single_reply_would_be_warned_of_is_found_for_each(house: House, tickets: list[TicketId]) -> None:
    quiet = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    assert [sample.warnings for sample in quiet] == [(), (), ()]
    italian = next(entry for entry in house.desk.canned_entries() if entry.response.key == KEY)
    texts = tuple(
        replace(variant, body="Vielen Dank für Ihre Nachricht, wir melden uns morgen bei Ihnen mit einer Antwort.")
        if variant.tag.language == "it"
        else variant
        for variant in italian.response.variants
    )
    house.desk.save_canned(house.giulia, replace(italian.response, variants=texts), italian.version)
    told = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    assert [bool(sample.warnings) for sample in told] == [True, False, False]
    assert "German" in told[0].warnings[0] and not told[0].refused
    assert house.desk.drafts(house.giulia) == [], "looking leaves nothing behind"


def test_it_tells_how_far_it_has_come_and_can_be_stopped(house: House, tickets: list[TicketId]) -> None:
    told: list[tuple[int, int]] = []
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {}, progress=lambda *at: told.append(at))
    assert told == [(1, 3), (2, 3), (3, 3)]
    house.desk.reply_to_all(house.giulia, shown, KEY, {}, cancelled=lambda: len(held(house)) == 2)
    assert sorted(held(house)) == sorted(tickets[:2])


def test_what_was_undone_can_be_sent_again_with_another_response(house: House, tickets: list[TicketId]) -> None:
    shown = house.desk.reply_samples(house.giulia, tickets, KEY, {})
    house.desk.reply_to_all(house.giulia, shown, KEY, {})
    house.desk.undo(house.giulia)
    [*others, last] = house.desk.drafts(house.giulia)
    house.desk.save_draft(house.giulia, last.id, last.version, body=last.body + "\n\nPS: a word of my own")
    again = house.desk.reply_samples(house.giulia, tickets, "return-policy", {})
    assert {sample.ticket_id for sample in again if sample.refused} == {last.ticket_id}
    house.desk.reply_to_all(house.giulia, again, "return-policy", {})
    assert held(house) == {sample.ticket_id: sample.text for sample in again if not sample.refused}
    assert len(held(house)) == len(others)
