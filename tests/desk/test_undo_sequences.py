"""Whatever was done is taken back to the last row; `./desk faults --part undo --runs 1000` does it at length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.undo import ALL_TRIAGE, contents, take_back_sequences

if TYPE_CHECKING:
    from tests.support.desk import House

SEQUENCES = 12


def test_what_random_sequences_did_is_undone_step_by_step(house: House) -> None:
    found = take_back_sequences(house, SEQUENCES, seed=20260304)
    assert found.wrong == []
    assert len(found.done) >= len(ALL_TRIAGE) // 2, f"too little was done: {found.done}"


def test_a_difference_that_an_undo_leaves_is_seen(house: House) -> None:
    ticket = house.customer_writes()
    before = contents(house)
    house.desk.perform("tag", house.giulia, [ticket], {"tags": "reso"})
    assert {key[0] for key in contents(house).keys() - before.keys()} == {"ticket_tag"}


def test_an_undone_split_of_a_ticket_with_machine_mail_counts_as_before(house: House) -> None:
    ticket = house.customer_writes()
    second = house.customer_writes("Allora?", ticket=ticket)
    house.customer_writes("Torno lunedì", ticket=second, kind="out_of_office", author_kind="machine")
    house.desk.add_note(house.giulia, ticket, "visto")
    before = house.ticket(ticket).message_count
    [_first, *rest] = house.desk.read.rows("message", {"ticket_id": ticket}, order="seq")
    house.desk.perform("split", house.giulia, [ticket], {"first": rest[0]["id"]})
    assert house.ticket(ticket).message_count == 1
    house.desk.undo(house.giulia)
    assert house.ticket(ticket).message_count == before == 3


def test_a_split_is_undone_after_a_merge_into_its_source_was_undone(house: House) -> None:
    ticket, other = house.customer_writes(), house.customer_writes("Altro")
    house.customer_writes("Allora?", ticket=ticket)
    house.desk.perform("dismiss", house.giulia, [ticket], {"reason": "no_action"})
    before = contents(house)
    split = house.desk.perform("split", house.giulia, [ticket], {"first": house.newest_message(ticket)})
    merge = house.desk.perform("merge", house.luca, [other], {"into": ticket, "different_customers": True})
    house.desk.undo(house.luca, merge.action_id)
    house.desk.undo(house.giulia, split.action_id)
    assert contents(house) == before
