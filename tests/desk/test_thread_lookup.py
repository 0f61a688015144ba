"""What threading learns about tickets and messages inside a transaction; merged tickets answer as their survivor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supportdesk.desk.thread_lookup import TransactionLookup
from tests.support.post import mail

if TYPE_CHECKING:
    from tests.support.post import Post


def test_a_ticket_is_known_with_the_people_who_take_part(post: Post) -> None:
    ticket = post.writes(headers="Cc: otto@example.net\n")
    with post.house.store.transaction() as tx:
        facts = TransactionLookup(tx).ticket(ticket.id)
        assert facts is not None
        assert facts.participants == {"rosa@example.com"}, "who is proposed takes no part"
        assert (facts.status, facts.last_sent) == ("new", None)
        assert TransactionLookup(tx).ticket(999) is None


def test_a_merged_ticket_is_its_survivor_with_everybodys_people(post: Post) -> None:
    first = post.writes("Uno", subject="A", message_id="<a@example.com>")
    second = post.writes("Due", subject="B", sender="Otto <otto@example.net>")
    post.house.desk.perform("merge", post.house.giulia, [first.id], {"into": second.id, "different_customers": True})
    with post.house.store.transaction() as tx:
        facts = TransactionLookup(tx).ticket(first.id)
        assert facts is not None
        assert facts.id == second.id
        assert facts.participants == {"rosa@example.com", "otto@example.net"}


def test_message_ids_have_homes_and_empty_ones_have_none(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    post.arrives(mail("Due", subject="B", message_id=""))
    with post.house.store.transaction() as tx:
        lookup = TransactionLookup(tx)
        (home,) = lookup.homes_of_message_ids(["<a@example.com>", "<>", "< >", ""])
        assert (home.ticket, home.ours) == (ticket.id, False)
        assert lookup.homes_of_message_ids(["<>", " "]) == ()
        assert lookup.homes_of_message_ids([]) == ()


def test_a_reply_is_at_home_on_its_ticket_before_and_after_it_was_sent(post: Post) -> None:
    ticket = post.writes()
    draft = post.house.draft(ticket.id)
    with post.house.store.transaction() as tx:
        assert TransactionLookup(tx).home_of_outbox(draft.id) is None, "nobody can answer a draft"
    post.house.desk.send(post.house.giulia, draft.id, seen_seq=ticket.seq)
    with post.house.store.transaction() as tx:
        held = TransactionLookup(tx).home_of_outbox(draft.id)
        assert held is not None
        assert (held.ticket, held.ours) == (ticket.id, True)
        assert TransactionLookup(tx).home_of_outbox(999) is None


def test_a_customers_tickets_are_found_by_order_and_by_address_newest_first(post: Post) -> None:
    first = post.writes("Ordine 5521", subject="A")
    second = post.writes("Altro", subject="B")
    with post.house.store.transaction() as tx:
        lookup = TransactionLookup(tx)
        assert list(lookup.tickets_of("rosa@example.com")) == [second.id, first.id]
        assert list(lookup.tickets_by_order("5521", "rosa@example.com")) == [first.id]
        assert list(lookup.tickets_by_order("5521", "otto@example.net")) == []
