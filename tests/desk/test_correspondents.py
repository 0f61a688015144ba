"""Who wrote, and in which language he is answered: the best evidence decides (domain.md section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.correspondents import Language, decide_language, find_correspondent, language_of_header
from supportdesk.desk.model import MAIL
from supportdesk.desk.settings import new_action_id
from supportdesk.mail.model import Address

if TYPE_CHECKING:
    from tests.support.desk import House


def customer(tag: str, source: str) -> dict[str, Any]:
    return {"language": tag, "language_source": source}


@pytest.mark.parametrize(
    ("known", "header", "detected", "mailbox", "expected"),
    [
        (None, "", None, "", Language("", "")),
        (None, "", None, "it", Language("it", "mailbox")),
        (None, "", "de", "it", Language("de", "detected")),
        (None, "fr", "de", "it", Language("fr", "header")),
        (customer("es", "detected"), "", None, "it", Language("es", "detected")),
        (customer("es", "detected"), "", "de", "it", Language("de", "detected")),
        (customer("es", "hand"), "fr", "de", "it", Language("es", "hand")),
        (customer("es", "order"), "fr", "de", "it", Language("es", "order")),
        (customer("es", "confirmed"), "", "de", "it", Language("es", "confirmed")),
    ],
)
def test_the_best_evidence_decides(
    known: dict[str, Any] | None, header: str, detected: str | None, mailbox: str, expected: Language
) -> None:
    assert decide_language(known, header=header, detected=detected, mailbox=mailbox) == expected


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("de", "de"),
        ("de-AT, en", "de-AT"),
        (" it ", "it"),
        (None, ""),
        ("", ""),
        ("klingonisch", ""),
        ("x" * 50, ""),
        ("12", ""),
    ],
)
def test_a_content_language_field_is_believed_only_where_it_is_one(value: str | None, tag: str) -> None:
    assert language_of_header(value) == tag


def test_a_first_mail_makes_a_customer_and_the_next_one_finds_him(house: House) -> None:
    address = Address("Rosa Bianchi", "Rosa@Example.com")
    with house.store.transaction() as tx:
        first = find_correspondent(tx, address, tx.now)
        assert not first.known
        ids = tx.apply(first.plan, MAIL, new_action_id()).ids
        again = find_correspondent(tx, Address("", "rosa@example.com"), tx.now)
        assert (again.known, again.customer_id) == (True, ids["sender-customer"])
        assert not again.plan.silent


def test_a_name_is_learned_when_it_is_given_and_never_overwritten(house: House) -> None:
    with house.store.transaction() as tx:
        tx.apply(find_correspondent(tx, Address("", "rosa@example.com"), tx.now).plan, MAIL, new_action_id())
        tx.apply(find_correspondent(tx, Address("Rosa", "rosa@example.com"), tx.now).plan, MAIL, new_action_id())
        found = find_correspondent(tx, Address("Somebody else", "rosa@example.com"), tx.now)
        assert found.customer is not None
        assert (found.customer["name"], found.plan.silent) == ("Rosa", ())
