"""Acknowledgements: who gets one and who does not, the promise in words, closures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.calendar import Calendar, CalendarException
from tests.desk.automatic_desk import GERMAN, JAPANESE, SHOP_DAYS, Desk
from tests.support.post import Post, mail

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket

SATURDAY_22 = datetime(2026, 9, 5, 20, 0, tzinfo=UTC)


def test_nobody_is_acknowledged_unless_the_mailbox_says_so(post: Post) -> None:
    desk = Desk(post)
    ticket = desk.writes()
    assert (desk.automatic(ticket), desk.reason(ticket)) == ([], "switched_off")


def test_a_first_mail_is_acknowledged_once_with_the_promised_time(desk: Desk) -> None:
    ticket = desk.writes()
    (sent,) = desk.deliver()
    ((built, people),) = desk.server.taken
    assert (built.sender, people) == ("", ("rosa@example.com",)), "a null reverse-path cannot be answered"
    for name, value in (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")):
        assert sent.header(name) == value
    assert sent.header("X-Supportdesk-Instance")
    assert sent.in_reply_to == (desk.post.messages(ticket)[0]["external_id"],)
    assert sent.subject == f"Abbiamo ricevuto il tuo messaggio [#{ticket.id}]"
    assert "Ti risponderemo entro " in sent.text
    (_first, copy) = desk.post.messages(ticket)
    assert (copy["author_kind"], copy["direction"], copy["outbox_id"]) == ("machine", "out", built_id(desk, ticket))
    after = desk.house.ticket(ticket.id)
    assert (after.status, after.seq, after.first_response_at) == ("new", ticket.seq, None)
    assert after.waiting_since == ticket.waiting_since is not None, "an acknowledgement never answers"
    assert desk.deliver() == []


def built_id(desk: Desk, ticket: Ticket) -> int:
    return int(desk.acknowledgement(ticket)["id"])


def test_nothing_that_the_sender_wrote_is_repeated(desk: Desk) -> None:
    desk.writes("PAROLA-TESTO compra ora", sender="PAROLA-NOME <rosa@example.com>", subject="PAROLA-OGGETTO")
    (sent,) = desk.deliver()
    assert b"PAROLA" not in desk.server.taken[0][0].data
    assert "Ciao,\n" in sent.text


def test_a_german_who_writes_on_saturday_night_is_told_monday_in_his_words_and_zone(desk: Desk) -> None:
    desk.keep_hours(Calendar("Europe/Rome", (SHOP_DAYS,) * 5 + ((), ())))
    desk.house.clock.advance(SATURDAY_22 - desk.house.clock.now())
    ticket = desk.writes(GERMAN)
    (sent,) = desk.deliver()
    assert sent.header("Content-Language") == "de"
    assert "bis Montag, 7. September, 22:00 Uhr (Mitteleuropäische Sommerzeit)" in sent.text
    assert ticket.due_at == SATURDAY_22 + timedelta(days=2)


def test_a_japanese_customer_reads_the_promise_by_his_own_clock(desk: Desk) -> None:
    desk.keep_hours(Calendar("Europe/Rome", (SHOP_DAYS,) * 5 + ((), ())))
    desk.house.clock.advance(SATURDAY_22 - desk.house.clock.now())
    earlier = desk.arrives(mail(JAPANESE, headers="Precedence: bulk"))
    desk.set_customer(earlier, zone="Asia/Tokyo", region="JP")
    desk.writes(JAPANESE, subject="別の注文")
    (sent,) = desk.deliver()
    assert "9月8日火曜日の5:00までにご返信いたします。" in sent.text
    assert sent.text.startswith("お客様")


def test_the_form_of_address_is_the_customers(desk: Desk) -> None:
    desk.house.desk.save_mailbox(desk.house.giulia, {"id": desk.house.mailbox_id, "register": "formal"})
    desk.writes()
    (sent,) = desk.deliver()
    assert "Le risponderemo entro " in sent.text


AGAINST = [
    ("a mailing list", "List-Id: <offers.example.com>", "bulk"),
    ("bulk mail", "Precedence: bulk", "bulk"),
    ("a wish for no answers", "X-Auto-Response-Suppress: All", "bulk"),
    ("an auto-reply", "Auto-Submitted: auto-generated", "not_human"),
    ("a DMARC failure", "Authentication-Results: mx.example.com; spf=pass; dmarc=fail", "dmarc_failed"),
    ("a null envelope sender", "Return-Path: <>", "null_sender"),
    ("another desk", "X-Supportdesk-Instance: otherdesk1", "other_desk"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "reason"), [one[1:] for one in AGAINST], ids=[one[0] for one in AGAINST])
def test_what_must_not_be_acknowledged_is_not_and_why_says_so(desk: Desk, headers: str, reason: str) -> None:
    ticket = desk.arrives(mail(headers=headers))
    assert (desk.automatic(ticket), desk.reason(ticket), desk.deliver()) == ([], reason, [])
    said = " ".join(desk.house.desk.why(ticket.id).sentences)
    assert "It was not acknowledged automatically: " in said


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"sender": "No Reply <noreply@example.com>"}, "not_human"),
        ({"to": "qualcuno@example.org"}, "not_addressed_to_us"),
    ],
)
def test_senders_who_read_nothing_and_mail_to_others_are_not_acknowledged(
    desk: Desk, how: dict[str, str], reason: str
) -> None:
    ticket = desk.writes(**how)
    assert (desk.automatic(ticket), desk.reason(ticket)) == ([], reason)


def test_history_is_not_acknowledged(desk: Desk) -> None:
    ticket = desk.arrives(mail(), historic=True, at=desk.house.clock.now() - timedelta(days=300))
    assert (desk.automatic(ticket), desk.reason(ticket)) == ([], "imported")


def test_mail_whose_promise_would_be_over_is_not_acknowledged(desk: Desk) -> None:
    ticket = desk.arrives(mail(), at=desk.house.clock.now() - timedelta(hours=30))
    assert (desk.automatic(ticket), desk.reason(ticket)) == ([], "too_late")


def test_a_mail_that_joins_a_conversation_is_not_acknowledged(desk: Desk) -> None:
    ticket = desk.writes(message_id="<first@example.com>")
    again = desk.writes("E allora?", answers="<first@example.com>")
    assert again.id == ticket.id
    assert (len(desk.automatic(ticket)), desk.reason(again)) == (1, "joins_ticket")


def test_an_address_gets_one_a_day_and_two_a_week(desk: Desk) -> None:
    got = []
    for number in range(10):
        ticket = desk.writes(f"Un'altra domanda, la numero {number}", subject=f"Domanda {number}")
        got.append((len(desk.automatic(ticket)), desk.reason(ticket)))
        desk.house.pass_time(hours=20)
    assert got == [
        (1, ""), (0, "cap_address_24h"), (1, ""), (0, "cap_address_24h"), *[(0, "cap_address_7d")] * 5, (1, ""),
    ]  # fmt: skip


def test_a_domain_gets_five_a_minute(desk: Desk) -> None:
    tickets = [desk.writes(f"Domanda {one}", sender=f"cliente{one}@example.net") for one in range(6)]
    assert [len(desk.automatic(ticket)) for ticket in tickets] == [1, 1, 1, 1, 1, 0]
    assert desk.reason(tickets[-1]) == "cap_domain"
    elsewhere = desk.writes("Domanda", sender="cliente@example.org")
    desk.house.pass_time(minutes=2)
    later = desk.writes("Domanda 7", sender="cliente7@example.net")
    assert [len(desk.automatic(one)) for one in (elsewhere, later)] == [1, 1]


def test_two_hundred_an_hour_are_enough(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from supportdesk.desk import acknowledgements
    from supportdesk.mail import acknowledge

    assert acknowledge.FOR_ALL_AN_HOUR == 200
    for module in (acknowledge, acknowledgements):
        monkeypatch.setattr(module, "FOR_ALL_AN_HOUR", 3)
    tickets = [desk.writes(f"Domanda {one}", sender=f"c@cliente{one}.example") for one in range(4)]
    assert [len(desk.automatic(ticket)) for ticket in tickets] == [1, 1, 1, 0]
    assert desk.reason(tickets[-1]) == "cap_all"
    desk.house.pass_time(minutes=61)
    assert len(desk.automatic(desk.writes("Domanda", sender="c@ancora.example"))) == 1


def test_a_language_without_a_text_gets_the_one_that_the_shop_chose_or_none(desk: Desk) -> None:
    finnish = "Missä tilaukseni on? Odotan sitä yhä."
    desk.languages[finnish] = "fi"
    none = desk.writes(finnish, sender="eino@example.fi")
    assert (desk.automatic(none), desk.reason(none)) == ([], "no_variant")
    desk.configure(automatic_language="en")
    chosen = desk.writes(finnish, sender="aino@example.fi")
    assert desk.acknowledgement(chosen)["language"] == "en"


def test_a_text_of_the_shop_goes_before_the_one_that_comes_with_the_program(desk: Desk) -> None:
    from supportdesk.desk.automatic_texts import shipped
    from tests.desk.canned_samples import response, variant

    assert "automatic-acknowledgement" in shipped()
    body = "Grazie!\n\nRispondiamo {{ promise.by }}.\n"
    own = response(variant(body, "it", "Eccoci [#{{ ticket.number }}]"), key="automatic-acknowledgement")
    desk.house.desk.import_canned(desk.house.giulia, [own])
    ticket = desk.writes()
    row = desk.acknowledgement(ticket)
    assert (row["subject"], row["body"].startswith("Grazie!\n\nRispondiamo entro ")) == (f"Eccoci [#{ticket.id}]", True)


def test_a_broken_text_of_the_shop_costs_the_acknowledgement_and_not_the_mail(desk: Desk) -> None:
    from tests.desk.canned_samples import response, variant

    own = response(variant("{{ agent.name }} risponde", "it"), key="automatic-acknowledgement")
    desk.house.desk.import_canned(desk.house.giulia, [own])
    ticket = desk.writes()
    assert (desk.automatic(ticket), desk.reason(ticket)) == ([], "broken_text")


def test_a_language_tag_that_is_none_costs_nothing(desk: Desk) -> None:
    ticket = desk.arrives(mail(headers="Content-Language: it-x-strano"))
    assert desk.acknowledgement(ticket)["language"] == "it"


AUGUST = CalendarException(
    date(2026, 8, 8), date(2026, 8, 23), notices={"it": "Siamo in ferie.", "de": "Wir haben Betriebsferien."}
)


def closed_in_august() -> Calendar:
    return Calendar("Europe/Rome", (SHOP_DAYS,) * 5 + ((), ()), exceptions=(AUGUST,))


@pytest.mark.parametrize(
    ("at", "names_it"),
    [
        (datetime(2026, 8, 6, 8, 0, tzinfo=UTC), False),
        (datetime(2026, 8, 7, 14, 0, tzinfo=UTC), True),  # the answer comes after it
        (datetime(2026, 8, 12, 8, 0, tzinfo=UTC), True),
        (datetime(2026, 8, 24, 8, 0, tzinfo=UTC), False),
    ],
)
def test_a_planned_closure_is_named_with_the_day_of_return(desk: Desk, at: datetime, names_it: bool) -> None:
    desk.keep_hours(closed_in_august())
    desk.house.clock.advance(at - desk.house.clock.now())
    desk.writes()
    (sent,) = desk.deliver()
    assert ("Siamo in ferie. Riapriamo lunedì 24 agosto." in sent.text) == names_it
    assert ("entro lunedì 24 agosto alle " in sent.text) == names_it


def test_a_closure_without_words_in_his_language_names_the_day_alone(desk: Desk) -> None:
    desk.keep_hours(closed_in_august())
    desk.house.clock.advance(datetime(2026, 8, 12, 8, 0, tzinfo=UTC) - desk.house.clock.now())
    french = "Où est ma commande ? Je l’attends depuis deux semaines."
    desk.languages[french] = "fr"
    desk.writes(french)
    (sent,) = desk.deliver()
    assert "Nous rouvrons le lundi 24 août." in sent.text
    assert "ferie" not in sent.text
