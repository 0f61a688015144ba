"""What an agent is asked about a ticket: to join another one, who joined it, what its sender's mail becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Insert, Plan
from supportdesk.desk.settings import new_action_id
from supportdesk.desk.triage import update_ticket
from supportdesk.errors import NotFound

if TYPE_CHECKING:
    from tests.support.desk import House


def put_badges(house: House, ticket: TicketId, *badges: str) -> None:
    with house.store.transaction() as tx:
        changes = update_ticket(tx.ticket(ticket), {"badges": list(badges)})
        tx.apply(Plan(silent=changes, undoable=False), MAIL, new_action_id())


def joins(house: House, ticket: TicketId, address: str, role: str) -> int:
    """Somebody takes part in the ticket from another address; the id of his identity."""
    house.customer_writes(sender=address, name="Un altro")
    [identity] = house.desk.read.rows("customer_identity", {"value_norm": address})
    part = Insert("participant", {"ticket_id": ticket, "identity_id": identity["id"], "role": role})
    with house.store.transaction() as tx:
        tx.apply(Plan(silent=(part,), undoable=False), MAIL, new_action_id())
    return int(identity["id"])


def verdict_on(house: House, address: str) -> str:
    [identity] = house.desk.read.rows("customer_identity", {"value_norm": address})
    return str(identity["verdict"])


# ---- a duplicate -----------------------------------------------------------------------------------------------------


def test_a_survivor_is_no_duplicate_of_what_was_merged_into_it_until_that_is_undone(house: House) -> None:
    first, other, survivor = house.customer_writes(), house.customer_writes(), house.customer_writes()
    put_badges(house, survivor, f"possible_duplicate:{first}", f"possible_duplicate:{other}", "rate")
    one = house.desk.perform("merge", house.giulia, [first], {"into": survivor})
    assert house.ticket(survivor).badges == (f"possible_duplicate:{other}", "rate")
    two = house.desk.perform("merge", house.giulia, [other], {"into": survivor})
    assert house.ticket(survivor).badges == ("rate",)
    assert not house.desk.undo(house.giulia, one.action_id).conflicts
    assert set(house.ticket(survivor).badges) == {"rate", f"possible_duplicate:{first}"}
    assert not house.desk.undo(house.giulia, two.action_id).conflicts
    assert set(house.ticket(survivor).badges) == {"rate", f"possible_duplicate:{first}", f"possible_duplicate:{other}"}


def test_the_badge_comes_back_where_it_was_when_nothing_happened_since(house: House) -> None:
    first, survivor = house.customer_writes(), house.customer_writes()
    put_badges(house, survivor, f"possible_duplicate:{first}", "rate")
    house.desk.perform("merge", house.giulia, [first], {"into": survivor})
    house.desk.undo(house.giulia)
    assert house.ticket(survivor).badges == (f"possible_duplicate:{first}", "rate")
    assert house.ticket(first).merged_into is None


# ---- a participant ---------------------------------------------------------------------------------------------------


def test_who_wrote_from_another_address_is_confirmed_before_who_stands_in_cc(house: House) -> None:
    ticket = house.customer_writes()
    wrote = joins(house, ticket, "lavoro@example.com", "external")
    joins(house, ticket, "cugina@example.com", "proposed")
    put_badges(house, ticket, "external")
    house.desk.perform("confirm_participant", house.giulia, [ticket], {"same_customer": True})
    [role] = [row["role"] for row in house.desk.read.rows("participant", {"ticket_id": ticket, "identity_id": wrote})]
    assert role == "requester"
    assert house.ticket(ticket).badges == ()
    house.desk.undo(house.giulia)
    assert house.ticket(ticket).badges == ("external",)


# ---- a sender --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "stored"), [("block", "block"), ("notification", "notification"), ("rules", "")])
def test_the_verdict_on_a_tickets_sender_is_kept_and_undone(house: House, verdict: str, stored: str) -> None:
    ticket = house.customer_writes()
    house.desk.set_sender_verdict(house.luca, "rosa@example.com", "park")
    done = house.desk.perform("sender", house.giulia, [ticket], {"verdict": verdict})
    assert done.undoable
    assert verdict_on(house, "rosa@example.com") == stored
    house.desk.undo(house.giulia)
    assert verdict_on(house, "rosa@example.com") == "park"


def test_a_message_names_its_own_sender(house: House) -> None:
    ticket = house.customer_writes()
    house.customer_writes(ticket=ticket, sender="ugo@example.com", name="Ugo", author_kind="external")
    [first, _second] = house.desk.read.rows("message", {"ticket_id": ticket}, order="seq")
    house.desk.perform("sender", house.giulia, [ticket], {"verdict": "park", "message": first["id"]})
    assert (verdict_on(house, "rosa@example.com"), verdict_on(house, "ugo@example.com")) == ("park", "")
    house.desk.perform("sender", house.giulia, [ticket], {"verdict": "block"})
    assert (verdict_on(house, "rosa@example.com"), verdict_on(house, "ugo@example.com")) == ("park", "block")
    with pytest.raises(NotFound):
        house.desk.perform("sender", house.giulia, [ticket], {"verdict": "park", "message": 999})


@pytest.mark.parametrize("address", ["rosa@example.com", "sconosciuta@example.com"])
def test_a_verdict_on_an_address_is_undone_by_the_agent_who_gave_it(house: House, address: str) -> None:
    house.customer_writes()
    done = house.desk.set_sender_verdict(house.giulia, address, "park")
    assert done.undoable
    assert address in done.notice
    assert verdict_on(house, address) == "park"
    house.desk.undo(house.giulia)
    assert verdict_on(house, address) == ""
