"""One person who writes from two addresses: two customers become one, and are two again when that is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.addressing import known_identity
from supportdesk.desk.customer_merge import customers_named, find_customer, foresee_merge, suggest_customers
from supportdesk.desk.customers import is_same_person, person_of
from supportdesk.desk.model import MAIL, CustomerId, as_one
from supportdesk.desk.ports import Insert, Plan, Update
from supportdesk.desk.results import AnswerNeeded
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, NotAllowed, NotFound
from supportdesk.mail.model import Address
from tests.desk.automatic_desk import Desk as Shop
from tests.faults.undo import contents

if TYPE_CHECKING:
    from supportdesk.desk.model import CustomerView, TicketId
    from tests.support.desk import House
    from tests.support.post import Post

HOME, WORK, OTHER = "rosa@example.com", "r.bianchi@work.example", "otto@example.de"


def customer_at(house: House, address: str) -> int:
    [identity] = house.desk.read.rows("customer_identity", {"value_norm": address})
    return int(identity["customer_id"])


def seen(house: House, address: str) -> CustomerView:
    return house.desk.read.customer(CustomerId(customer_at(house, address)))


def decide(house: House, address: str, **values: Any) -> None:
    """What is known of a customer, written as its own row has it."""
    key = {"id": customer_at(house, address)}
    with house.store.transaction() as tx:
        tx.apply(Plan(silent=(Update("customer", key, {}, values),)), MAIL, new_action_id())


@pytest.fixture
def two(house: House) -> tuple[TicketId, TicketId]:
    """A ticket of each of two customers, of whom the second is called nothing."""
    home = house.customer_writes(sender=HOME)
    house.pass_time(minutes=5)
    return home, house.customer_writes("Vom Büro aus", sender=WORK, name="", language="de")


def merge(house: House, kept: str = HOME, merged: str = WORK) -> Any:
    return house.desk.merge_customers(house.giulia, customer_at(house, kept), customer_at(house, merged))


# ---- as one ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "others", "found"),
    [
        ({"name": "Rosa"}, {"name": "R. Bianchi"}, {"name": "Rosa"}),
        ({"name": ""}, {"name": "R. Bianchi"}, {"name": "R. Bianchi"}),
        ({"register": "formal"}, {"register": "informal", "zone": "Europe/Berlin"},
         {"register": "formal", "zone": "Europe/Berlin"}),
        ({"language": "it", "language_source": "detected"}, {"language": "de", "language_source": "header"},
         {"language": "it", "language_source": "detected"}),
        ({"language": "it", "language_source": "confirmed"}, {"language": "de", "language_source": "hand"},
         {"language": "de", "language_source": "hand"}),
        ({"language": "it", "language_source": "order"}, {"language": "de", "language_source": "confirmed"},
         {"language": "it", "language_source": "order"}),
        ({"language": "", "language_source": ""}, {"language": "de", "language_source": "detected"},
         {"language": "de", "language_source": "detected"}),
        ({"note": "VIP"}, {"note": "calls on Mondays"}, {"note": "VIP\ncalls on Mondays"}),
    ],
)  # fmt: skip
def test_the_survivor_keeps_what_he_has_and_learns_what_he_lacks(
    own: dict[str, Any], others: dict[str, Any], found: dict[str, Any]
) -> None:
    empty = {
        "id": 1, "name": "", "language": "", "language_source": "", "region": "", "register": "", "zone": "",
        "market_id": None, "note": "", "created_at": 7,
    }  # fmt: skip
    known = as_one([{**empty, **own}, {**empty, **others, "id": 2, "created_at": 3}])
    assert {name: known[name] for name in found} == found
    assert (known["id"], known["created_at"]) == (1, 3)


def test_both_are_read_as_one_from_either_side(house: House, two: tuple[TicketId, TicketId]) -> None:
    home, work = two
    done = merge(house)
    assert done.undoable and "Rosa Bianchi <rosa@example.com>" in done.notice
    for address in (HOME, WORK):
        view = seen(house, address)
        assert (view.name, view.addresses, view.ticket_count) == ("Rosa Bianchi", (HOME, WORK), 2)
        assert {ticket[0] for ticket in view.tickets} == {home, work}
    now = house.clock.now()
    rows = house.desk.read.queue_rows([home, work], agent_id=None, now=now)
    assert [row.customer_name for row in rows.values()] == ["Rosa Bianchi"] * 2
    assert {row["customer"] for row in house.desk.read.unanswered(now=now)} == {"Rosa Bianchi"}
    assert ("Rosa Bianchi", WORK) in house.desk.read.addresses("r.bianchi")


@pytest.mark.parametrize("words", ["customer:rosa", "customer:r.bianchi@work.example"])
def test_search_finds_the_tickets_of_both_by_what_either_is_called(
    house: House, two: tuple[TicketId, TicketId], words: str
) -> None:
    stranger = house.customer_writes(sender=OTHER, name="Otto")
    merge(house)
    query = house.desk.query(words, typing=False)
    found = house.desk.read.search(query, agent_id=None, now=house.clock.now())
    assert set(found) == set(two) and stranger not in found


def test_their_tickets_are_merged_without_a_question(house: House, two: tuple[TicketId, TicketId]) -> None:
    home, work = two
    with pytest.raises(AnswerNeeded, match="different customers"):
        house.desk.perform("merge", house.giulia, [work], {"into": home})
    merge(house)
    house.desk.perform("merge", house.giulia, [work], {"into": home})
    assert house.ticket(work).merged_into == home


def test_the_language_that_an_agent_sets_is_the_survivors(house: House, two: tuple[TicketId, TicketId]) -> None:
    merge(house)
    house.desk.perform("language", house.giulia, [two[1]], {"language": "fr"})
    assert (seen(house, HOME).language, seen(house, WORK).language) == ("fr", "fr")
    rows = {row["id"]: row["language"] for row in house.desk.read.rows("customer")}
    assert rows[customer_at(house, WORK)] == "de", "the merged one's own row is never written"


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_nobody_is_merged_with_himself_nor_in_a_circle(house: House, two: tuple[TicketId, TicketId]) -> None:
    home, work = customer_at(house, HOME), customer_at(house, WORK)
    with pytest.raises(Conflict):
        house.desk.merge_customers(house.giulia, home, home)
    merge(house)
    for kept, merged in ((home, work), (work, home)):
        with pytest.raises(Conflict, match="already"):
            house.desk.merge_customers(house.giulia, kept, merged)
        with pytest.raises(Conflict, match="already"):
            foresee_merge(house.desk.read, kept, merged)
    with pytest.raises(NotFound):
        house.desk.merge_customers(house.giulia, home, 4711)


def test_a_merge_into_somebody_merged_goes_to_who_survived(house: House, two: tuple[TicketId, TicketId]) -> None:
    house.customer_writes(sender=OTHER, name="Otto")
    merge(house)
    merge(house, kept=WORK, merged=OTHER)
    assert person_of(house.desk.read, customer_at(house, OTHER)).id == customer_at(house, HOME)
    assert seen(house, OTHER).addresses == (HOME, WORK, OTHER)


def test_a_disabled_agent_merges_nobody(house: House, two: tuple[TicketId, TicketId]) -> None:
    house.desk.set_agent(house.giulia, house.desk.agent_by_login("luca").id, state="disabled")
    before = contents(house)
    with pytest.raises(NotAllowed):
        house.desk.merge_customers(house.luca, customer_at(house, HOME), customer_at(house, WORK))
    assert contents(house) == before


# ---- the clocks ------------------------------------------------------------------------------------------------------


def test_an_answer_to_the_other_address_answers_and_no_more_when_it_is_undone(
    house: House, two: tuple[TicketId, TicketId]
) -> None:
    home, _work = two
    draft = house.draft(home)
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, to=(Address("", WORK),))
    house.desk.send(house.giulia, draft.id, seen_seq=house.ticket(home).seq, anyway=True)
    assert house.ticket(home).waiting_since is not None, "he did not get it where he wrote from"
    before = contents(house)
    done = merge(house)
    assert house.ticket(home).waiting_since is None
    house.desk.undo(house.giulia, done.action_id)
    assert house.ticket(home).waiting_since is not None
    assert contents(house) == before


def test_a_reply_to_the_other_address_is_no_reply_to_a_stranger(house: House, two: tuple[TicketId, TicketId]) -> None:
    def warned() -> set[str]:
        return {one.code for one in house.desk.review(house.giulia, draft.id).warnings}

    draft = house.draft(two[0])
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, to=(Address("", WORK),))
    assert {"new_recipient", "not_reached"} <= warned()
    merge(house)
    assert not {"new_recipient", "not_reached"} & warned()


# ---- mail afterwards -------------------------------------------------------------------------------------------------


def test_later_mail_from_either_address_goes_to_the_survivor(post: Post) -> None:
    house = post.house
    first = post.writes("Dove è il pacco?", sender=f"Rosa <{HOME}>", subject="Ordine 5521", message_id="<a@x>")
    post.writes("Wo ist es?", sender=f"R. Bianchi <{WORK}>", subject="Bestellung", message_id="<b@x>")
    merge(house)
    third = post.writes("Noch etwas", sender=WORK, subject="Rechnung", message_id="<c@x>")
    assert third.customer_id == first.customer_id
    assert "possible_duplicate" in {badge.partition(":")[0] for badge in third.badges}, "his open tickets are looked at"
    # An answer to the other's conversation is the customer's own, by no signed token at all.
    joined = post.writes("Danke", sender=WORK, subject="Re: Ordine 5521", message_id="<d@x>", answers="<a@x>")
    assert joined.id == first.id
    assert not house.desk.read.rows("participant", {"ticket_id": first.id, "role": "external"})


def test_what_came_after_the_merge_stays_where_it_is_when_it_is_undone(post: Post) -> None:
    house = post.house
    first = post.writes(sender=f"Rosa <{HOME}>", message_id="<a@x>")
    second = post.writes(sender=WORK, subject="Altro", message_id="<b@x>")
    done = merge(house)
    house.pass_time(days=40)
    third = post.writes("E poi", sender=WORK, subject="Terzo", message_id="<c@x>")
    house.desk.undo(house.luca, done.action_id)
    read = house.desk.read
    assert not is_same_person(read, first.customer_id, second.customer_id)
    assert house.ticket(third.id).customer_id == first.customer_id
    assert {ticket[0] for ticket in seen(house, WORK).tickets} == {second.id}
    house.pass_time(days=40)
    fourth = post.writes("Ancora", sender=WORK, subject="Quarto", message_id="<d@x>")
    assert fourth.customer_id == second.customer_id


def test_an_address_that_was_acknowledged_is_not_again_after_a_merge(post: Post) -> None:
    house, shop = post.house, Shop(post)
    shop.configure(acknowledge=True)
    first, second = shop.writes(sender=HOME, message_id="<a@x>"), shop.writes(sender=WORK, message_id="<b@x>")
    assert len(shop.automatic(first)) == len(shop.automatic(second)) == 1
    merge(house)
    for number, sender in enumerate((HOME, WORK)):
        again = shop.writes("Un'altra cosa", sender=sender, subject=f"Un altro {number}", message_id=f"<c{number}@x>")
        assert (again.id not in (first.id, second.id), shop.automatic(again)) == (True, [])


def test_a_conversation_begun_with_the_merged_address_is_the_survivors(
    house: House, two: tuple[TicketId, TicketId]
) -> None:
    merge(house)
    with house.store.transaction() as tx:
        _identity, owner = known_identity(tx, house.giulia, Address("", WORK))
    assert owner["id"] == customer_at(house, HOME)
    row = house.desk.start_conversation(house.giulia, house.mailbox_id, Address("", WORK), "Il suo ordine")
    assert house.ticket(row.ticket_id).customer_id == customer_at(house, HOME)


# ---- undo ------------------------------------------------------------------------------------------------------------


def test_merges_are_undone_in_any_order(house: House, two: tuple[TicketId, TicketId]) -> None:
    house.customer_writes(sender=OTHER, name="Otto")
    before = contents(house)
    first, second = merge(house), merge(house, merged=OTHER)
    house.desk.undo(house.luca, first.action_id)
    assert seen(house, HOME).addresses == (HOME, OTHER)
    house.desk.undo(house.luca, second.action_id)
    assert contents(house) == before
    with pytest.raises(Conflict, match="undone it already"):
        house.desk.undo(house.giulia, first.action_id)


def test_it_is_the_newest_that_u_takes_back(house: House, two: tuple[TicketId, TicketId]) -> None:
    before = contents(house)
    merge(house)
    house.desk.undo(house.giulia)
    assert contents(house) == before


def test_what_an_agent_decided_since_stays(house: House, two: tuple[TicketId, TicketId]) -> None:
    decide(house, HOME, language="", language_source="")
    done = merge(house)
    assert seen(house, HOME).language == "de", "he lacked one"
    house.desk.perform("language", house.luca, [two[0]], {"language": "fr"})
    house.desk.undo(house.giulia, done.action_id)
    assert (seen(house, HOME).language, seen(house, WORK).language) == ("fr", "de")


# ---- from a ticket, and who is meant ---------------------------------------------------------------------------------


def test_from_a_ticket_it_asks_who_survives(house: House, two: tuple[TicketId, TicketId]) -> None:
    home, work = two
    with pytest.raises(AnswerNeeded) as asked:
        house.desk.perform("merge_customer", house.giulia, [work], {"customer": HOME})
    assert asked.value.param == "keep"
    assert asked.value.options == {
        "this": f"{WORK} · 1 ticket", "other": f"Rosa Bianchi <{HOME}> · 1 ticket",
    }  # fmt: skip
    done = house.desk.perform("merge_customer", house.giulia, [work], {"customer": HOME, "keep": "other"})
    assert done.tickets == (work,)
    assert person_of(house.desk.read, customer_at(house, WORK)).id == customer_at(house, HOME)
    assert [event.kind for event in house.desk.read.events(ticket_id=work)][-1] == "merge_customer"
    assert any("customer" in line for line in house.desk.why(work).sentences)
    house.desk.undo(house.giulia)
    assert seen(house, HOME).ticket_count == 1
    assert house.ticket(home).merged_into is None


def test_a_customer_is_found_by_number_address_and_whole_name(house: House, two: tuple[TicketId, TicketId]) -> None:
    read, rosa = house.desk.read, customer_at(house, HOME)
    for who in (rosa, str(rosa), HOME, "ROSA@example.com", f"Rosa Bianchi <{HOME}>", "rosa bianchi"):
        assert find_customer(read, who) == rosa
    for who in (4711, "nobody@example.com", "Rosa", "Maria"):
        with pytest.raises(NotFound):
            find_customer(read, who)
    house.customer_writes(sender="rb@example.org", name="Rosa Bianchi")
    with pytest.raises(NotFound) as several:
        find_customer(read, "Rosa Bianchi")
    assert HOME in several.value.hint and "rb@example.org" in several.value.hint
    assert [view.addresses[0] for view in customers_named(read, "ros")] == ["rb@example.org", HOME]


def test_those_who_may_be_the_same_are_suggested(house: House, two: tuple[TicketId, TicketId]) -> None:
    home, _work = two
    house.customer_writes(sender="rb@example.org", name="Rosa Bianchi")
    house.customer_writes(sender="rosa@example.net", name="Rosa B.")
    house.customer_writes(sender=OTHER, name="Otto")
    house.desk.start_conversation(house.giulia, house.mailbox_id, Address("", "info@example.org"), "x")
    found = [view.addresses[0] for view in suggest_customers(house.desk.read, customer_at(house, HOME))]
    assert found == ["rb@example.org", "rosa@example.net"]
    with house.store.transaction() as tx:
        identity, _owner = known_identity(tx, house.giulia, Address("", WORK))
        part = {"ticket_id": home, "identity_id": identity["id"], "role": "external"}
        tx.apply(Plan(silent=(Insert("participant", part),)), MAIL, new_action_id())
    found = [view.addresses[0] for view in suggest_customers(house.desk.read, customer_at(house, HOME))]
    assert found == [WORK, "rb@example.org", "rosa@example.net"]
    merge(house)
    found = [view.addresses[0] for view in suggest_customers(house.desk.read, customer_at(house, WORK))]
    assert found == ["rb@example.org", "rosa@example.net"]
