"""The review looks at the spelling of what the agent typed: not at the response's words, nor at what has a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_folder import starter_set
from tests.support.dictionaries import install_dictionary

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.desk import House

pytest.importorskip("hunspell", reason="the extra `spelling` is not installed")

WORDS = "hallo guten tag das paket ist da mit freundlichen grüßen"


@pytest.fixture(autouse=True)
def dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_dictionary(tmp_path, monkeypatch, "de_DE", WORDS)


def misspelled(house: House, outbox_id: int) -> list[str]:
    found = house.desk.review(house.giulia, outbox_id).warnings  # type: ignore[arg-type]
    return [warning.text.split("“")[1].split("”")[0] for warning in found if warning.code == "spelling"]


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ("das Paket Lucciola ist da", []),  # the customer names it
        ("das Paket Luciola ist da", ["Luciola"]),
        ("das Paket gekomen ist da", ["gekomen"]),  # the customer wrote so, and it is no name
        ("das Paket ist da: Via del Noce, Siena", []),  # the shop's signature
        ("das Packet ist da", ["Packet"]),
    ],
)
def test_names_of_the_customer_and_of_the_shop_are_no_mistakes(house: House, typed: str, wrong: list[str]) -> None:
    ticket_id = house.customer_writes("Die Sandalen Lucciola sind nicht gekomen, wo ist mein Paket?", language="de")
    mailbox_id = house.ticket(ticket_id).mailbox_id
    signatures = {"it": "Bottega Vallombra · Via del Noce 3, 53000 Siena"}
    house.desk.save_mailbox(house.giulia, {"id": mailbox_id, "signatures": signatures})
    row = house.draft(ticket_id, body=f"Guten Tag,\n\n{typed}.\n\nMit freundlichen Grüßen")
    assert misspelled(house, row.id) == wrong


def test_the_words_of_a_response_and_of_its_fragments_are_no_mistakes_and_those_beside_them_are(house: House) -> None:
    house.desk.import_canned(house.giulia, starter_set())
    ticket_id = house.customer_writes("Wie kann ich die Sandalen zurückgeben?", language="de")
    asked = {"order_number": "5521", "return_address": "Das Paket"}
    text = house.desk.render_canned(house.giulia, ticket_id, "return-instructions", asked).text
    row = house.draft(ticket_id, body="-")
    row = house.desk.save_draft(house.giulia, row.id, row.version, body=text, canned_key="return-instructions")
    assert misspelled(house, row.id) == []
    row = house.desk.save_draft(house.giulia, row.id, row.version, body=f"{text}\nDas Packet ist da.")
    assert misspelled(house, row.id) == ["Packet"]
