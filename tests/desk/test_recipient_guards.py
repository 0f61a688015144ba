"""A reply to the wrong person is noticed before it leaves, and one that names a file that is not there."""

from __future__ import annotations

from typing import Any

import pytest

from supportdesk.l10n.attachment_words import ANNOUNCING, announces_file
from supportdesk.mail.model import Address
from tests.support.desk import SHOP, House


def codes(house: House, body: str, **fields: tuple[Address, ...]) -> list[str]:
    ticket = house.customer_writes(sender="giulia@example.com", name="Giulia Rossi")
    row = house.draft(ticket, body=body)
    row = house.desk.save_draft(house.giulia, row.id, row.version, **fields)
    wanted = ("own_address", "new_recipient", "not_reached", "greeted")
    return [one.code for one in house.desk.review(house.giulia, row.id).warnings if one.code in wanted]


@pytest.mark.parametrize(
    ("body", "fields", "expected"),
    [
        ("Ciao Giulia,\n\nil pacco arriva domani.", {}, []),
        ("Buongiorno,\n\nil pacco arriva domani.", {}, []),
        ("Gentile Sig.ra Rossi,\n\nil pacco arriva domani.", {}, []),
        ("Ciao Marco,\n\nil pacco arriva domani.", {}, ["greeted"]),
        ("Il pacco arriva.", {"cc": (Address("", "giulla@example.com"),)}, ["new_recipient"]),
        ("Il pacco arriva.", {"to": (Address("", "altra@example.com"),)}, ["new_recipient", "not_reached"]),
        ("Il pacco arriva.", {"bcc": (Address("", SHOP),)}, ["own_address"]),
    ],
)
def test_what_is_odd_about_the_recipients_is_said(
    house: House, body: str, fields: dict[str, Any], expected: list[str]
) -> None:
    assert codes(house, body, **fields) == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "Le allego la fattura."),
        ("en", "Please find the invoice attached."),
        ("de", "Anbei die Rechnung."),
        ("fr", "Vous trouverez la facture ci-jointe."),
        ("es", "Le envío la factura adjunta."),
        ("nl", "De factuur is bijgevoegd."),
        ("pl", "Faktura w załączniku."),
        ("", "Anbei die Rechnung."),
    ],
)
def test_a_file_is_announced_in_the_words_of_each_language(language: str, text: str) -> None:
    assert announces_file(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("it", "Può rispondere senza allegato."),
        ("en", "We have seen your attachment, thanks."),
        ("it", "Va bene.\n\n> in allegato la foto"),
        ("de", "Attached ist kein deutsches Wort."),
        ("it", "Il pacco arriva domani."),
    ],
)
def test_no_file_is_announced_where_it_is_denied_quoted_or_another_language(language: str, text: str) -> None:
    assert not announces_file(text, language)


def test_every_language_that_greets_in_the_shops_announces_too() -> None:
    assert {"it", "en", "de", "fr", "es", "nl", "pt"} <= set(ANNOUNCING)
