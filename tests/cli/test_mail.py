"""Mail by hand: what is parked, senders, and the texts that a program sends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House


def test_looking_at_parked_mail_marks_what_it_shows(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mail", "parked", "look").out == "0 looked at\n"
    assert supportdesk("mail", "parked", "look", "7").code == 4


def test_parked_mail_is_listed_with_and_without_the_verb(shop: House, supportdesk: Run) -> None:
    assert supportdesk("mail", "parked", "--json").json() == []
    assert supportdesk("mail", "parked", "list", "--json").json() == []
    assert supportdesk("mail", "parked", "release", "4711").code == 4


def test_a_sender_is_decided_on_by_hand(shop: House, supportdesk: Run) -> None:
    shop.customer_writes()
    assert supportdesk("mail", "sender", "rosa@example.com", "block").code == 0
    assert shop.desk.read.rows("customer_identity", {"value_norm": "rosa@example.com"})[0]["verdict"] == "block"
    assert supportdesk("mail", "sender", "rosa@example.com", "rules").code == 0
    assert supportdesk("mail", "sender", "rosa@example.com", "hate").code == 2


def test_every_automatic_text_can_be_read_before_it_is_sent(shop: House, supportdesk: Run) -> None:
    found = supportdesk("mail", "automatic", "--at", "2026-09-05T22:00", "--json").json()
    assert (found["acknowledge"], found["automatic_language"], len(found["texts"])) == (False, "", 13)
    german = next(one for one in found["texts"] if one["variant"] == "de@formal")
    assert german["subject"] == "Wir haben Ihre Nachricht erhalten [#4711]"
    assert "bis Sonntag, 6. September, 22:00 Uhr (Mitteleuropäische Sommerzeit)" in german["body"]
    shown = supportdesk("mail", "automatic", "--variant", "it", "--text", "last-reminder", "--language", "it")
    assert "le conferme di ricezione sono disattivate" in shown.out
    assert "considereremo conclusa la richiesta 4711" in shown.out
    assert supportdesk("mail", "automatic", "--variant", "tlh").code != 0
    assert supportdesk("mail", "automatic", "--text", "poem").code == 2
    assert supportdesk("mail", "automatic", "--at", "soon").code == 2


def test_a_reply_asks_again_only_when_it_says_so(shop: House, supportdesk: Run) -> None:
    plain, asking = shop.customer_writes(), shop.customer_writes(sender="otto@example.com")
    assert supportdesk("ticket", "reply", str(plain), "Quale taglia desidera?").code == 0
    assert supportdesk("ticket", "reply", str(asking), "Quale taglia desidera?", "--ask-again").code == 0
    rows = {row.ticket_id: row.ask_again for row in shop.desk.read.outbox(states=("held",))}
    assert rows == {plain: False, asking: True}
    solved = shop.customer_writes(sender="emma@example.com")
    refused = supportdesk("ticket", "reply", str(solved), "Fatto.", "--ask-again", "--after", "solved")
    assert (refused.code, "can ask again" in refused.err) == (2, True)
