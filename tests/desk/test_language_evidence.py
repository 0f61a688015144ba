"""What tells a customer's language, and what of it a later mail can change (domain.md section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.automatic_texts import reader_of
from supportdesk.desk.correspondents import Language, decide_language
from supportdesk.desk.intake import Intake
from supportdesk.errors import Conflict
from supportdesk.mail.model import Address
from tests.support.post import mail

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket
    from supportdesk.desk.ports import Row
    from tests.support.desk import House
    from tests.support.post import Post


def customer(language: str, source: str) -> Row:
    return {"language": language, "language_source": source}


@pytest.mark.parametrize(
    ("known", "header", "detected", "answered", "decided"),
    [
        (None, "de", "it", (), ("de", "header")),
        (None, "", "it", (), ("it", "detected")),
        (None, "", None, (), ("en", "mailbox")),
        (customer("it", "detected"), "", "it", (), ("it", "detected")),
        (customer("it", "detected"), "", "it", ("it",), ("it", "confirmed")),
        (customer("it-CH", "header"), "", "it", ("it",), ("it-CH", "confirmed")),
        (customer("it", "detected"), "", "de", ("it",), ("de", "detected")),
        (customer("it", "detected"), "", None, ("it",), ("it", "detected")),
        (customer("nl", "detected"), "", "nl", ("en",), ("nl", "detected")),
        (customer("it", "confirmed"), "de", "de", ("it",), ("it", "confirmed")),
        (customer("it", "order"), "de", "de", ("it",), ("it", "order")),
        (customer("it", "hand"), "", "it", ("it",), ("it", "hand")),
    ],
)
def test_the_best_evidence_decides(
    known: Row | None, header: str, detected: str | None, answered: tuple[str, ...], decided: tuple[str, str]
) -> None:
    found = decide_language(known, header=header, detected=detected, mailbox="en", answered=answered)
    assert found == Language(*decided)


def source(post: Post, ticket: Ticket) -> tuple[str, str]:
    (row,) = post.rows("customer", {"id": ticket.customer_id})
    return row["language"], row["language_source"]


def arrives(post: Post, raw: bytes, language: str | None) -> None:
    post.arrives(raw, read=False)
    Intake(post.house.desk, post.parser, detect=lambda _text: language).process_all()


def test_who_was_answered_in_a_language_and_goes_on_in_it_has_confirmed_it(post: Post) -> None:
    ticket = post.writes("Dove è il mio ordine 5521?")
    assert source(post, ticket) == ("it", "detected")
    arrives(post, mail("Il mio ordine dove è rimasto?"), "it")
    assert source(post, ticket) == ("it", "detected"), "nobody has answered yet"
    answered = post.answered(ticket)
    arrives(post, mail("Grazie, e quando arriva?", answers=answered), "it")
    assert source(post, ticket) == ("it", "confirmed")
    arrives(post, mail("Where is my parcel?"), "en")
    assert source(post, ticket) == ("it", "confirmed"), "a later text changes nothing in silence"


def test_an_order_tells_the_language_unless_a_person_did(post: Post) -> None:
    ticket, desk, giulia = post.writes("Dove è il mio ordine 5521?"), post.house.desk, post.house.giulia
    desk.perform("language", giulia, [ticket.id], {"language": "de-AT", "from_order": True})
    assert source(post, ticket) == ("de-AT", "order")
    desk.undo(giulia)
    assert source(post, ticket) == ("it", "detected")
    desk.perform("language", giulia, [ticket.id], {"language": "fr"})
    with pytest.raises(Conflict):
        desk.perform("language", giulia, [ticket.id], {"language": "de-AT", "from_order": True})
    assert source(post, ticket) == ("fr", "hand")


def test_a_conversation_that_we_begin_and_automatic_mail_follow_the_reply_language(house: House) -> None:
    ticket = house.customer_writes(language="nl", sender="jan@example.nl")
    box = house.desk.save_mailbox(
        house.giulia, {"id": house.mailbox_id, "settings": {"reply_languages": {"nl": "en"}}, "languages": ("it", "en")}
    )
    row = house.desk.start_conversation(house.giulia, box.id, Address("Jan", "jan@example.nl"), "Uw pakket")
    assert (house.ticket(row.ticket_id).language, row.language) == ("nl", "en")
    chosen = house.desk.start_conversation(house.giulia, box.id, Address("Jan", "jan@example.nl"), "Uw pakket", "nl")
    assert chosen.language == "nl", "an agent who names a language means it"
    customer_id = house.ticket(ticket).customer_id
    reader = reader_of(house.desk.read, box, language="nl", customer_id=customer_id, market_id=None)
    assert reader.language == "en"
    assert reader.name_zone, "whose clock it is still depends on where the customer is at home"
