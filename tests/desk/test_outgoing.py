"""What a held reply becomes on the wire: threading headers, signature, quote, the signed plus-address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.outgoing import outgoing_mail
from supportdesk.desk.ports import Change, Delete, Insert, Plan
from supportdesk.desk.settings import ensure_identity, new_action_id
from supportdesk.mail.compose import build
from supportdesk.mail.signed import SignedMessage, SignedTicket, read_message_id, read_plus_address

if TYPE_CHECKING:
    from tests.support.desk import House


def test_a_reply_is_threaded_signed_and_quotes_the_customer_in_his_language(house: House) -> None:
    values = {
        "id": house.mailbox_id,
        "signatures": {"it": "Bottega Verde\nVia Roma 1", "de": "Grüner Laden"},
        "settings": {"plus_address": True},
    }
    house.desk.save_mailbox(house.giulia, values)
    ticket_id = house.customer_writes()
    message = house.desk.read.rows("message_mail", {"message_id": house.newest_message(ticket_id)})[0]
    row = house.reply(ticket_id)
    mail = outgoing_mail(house.desk.read, house.desk.blobs, row, at=house.clock.now())
    assert (mail.in_reply_to, mail.references) == (message["message_id_norm"], (message["message_id_norm"],))
    assert mail.signature == "Bottega Verde\nVia Roma 1"
    assert mail.attribution == "Il 4 marzo 2026 alle 10:30, Rosa Bianchi ha scritto:"
    assert mail.quoted == "Dove è il mio ordine 5521?"
    assert (mail.from_.name, mail.from_.addr, mail.language) == ("Bottega Verde", "aiuto@bottega.example", "it")
    with house.store.transaction() as tx:
        instance, keys = ensure_identity(tx, house.giulia)
    assert read_message_id(keys, instance, mail.message_id) == SignedMessage(row.id, 1)
    assert mail.reply_to is not None
    signed = read_plus_address(keys, mail.reply_to.addr)
    assert isinstance(signed, SignedTicket)
    assert (signed.ticket, signed.address) == (ticket_id, "aiuto@bottega.example")
    assert build(mail).recipients == ("rosa@example.com",)


@pytest.mark.parametrize(
    ("to", "cc", "leaves_from"),
    [
        ("Ordini@Bottega.example", "", "ordini@bottega.example"),
        ("ordini+t.7.abc@bottega.example", "", "ordini@bottega.example"),
        ("altri@example.com", "ordini@bottega.example", "ordini@bottega.example"),
        ("aiuto@bottega.example", "ordini@bottega.example", "aiuto@bottega.example"),
        ("lista@example.com", "", "aiuto@bottega.example"),
    ],
)
def test_a_reply_leaves_from_the_address_that_was_written_to(house: House, to: str, cc: str, leaves_from: str) -> None:
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "aliases": ["ordini@bottega.example"]})
    ticket_id = house.customer_writes()
    message_id = house.newest_message(ticket_id)
    with house.store.transaction() as tx:
        before = tx.rows("message_recipient", {"message_id": message_id})
        changes: list[Change] = [Delete("message_recipient", {"id": row["id"]}, {}) for row in before]
        for role, address in (("cc", cc), ("to", to)):
            if address:
                values = {"message_id": message_id, "role": role, "address": address, "name": ""}
                changes.append(Insert("message_recipient", values))
        tx.apply(Plan(silent=tuple(changes), undoable=False), house.giulia, new_action_id())
    mail = outgoing_mail(house.desk.read, house.desk.blobs, house.reply(ticket_id), at=house.clock.now())
    assert mail.from_.addr == leaves_from
    assert build(mail).sender == leaves_from


def test_the_same_row_has_the_same_message_id_after_it_was_taken_back(house: House) -> None:
    ticket_id = house.customer_writes()
    first = house.reply(ticket_id)
    house.desk.cancel_send(house.giulia, first.id)
    assert house.reply(ticket_id).message_id_header == first.message_id_header


def test_attachments_go_out_as_they_were_uploaded(house: House) -> None:
    draft = house.draft(house.customer_writes())
    house.desk.attach(house.giulia, draft.id, "etichetta.pdf", "application/pdf", b"%PDF-1.7")
    mail = outgoing_mail(house.desk.read, house.desk.blobs, house.desk.outbox_row(draft.id), at=house.clock.now())
    assert [(file.name, file.content_type, file.data) for file in mail.attachments] == [
        ("etichetta.pdf", "application/pdf", b"%PDF-1.7")
    ]
