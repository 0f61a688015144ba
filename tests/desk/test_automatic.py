"""Automatic mail: who is acknowledged and who is not, the promise in words, reminders, what cancels them, no loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.calendar import Calendar, CalendarException
from supportdesk.desk.delivery import Deliverer
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import MAIL, ActionId
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import Conflict, UsageError
from supportdesk.mail.model import Address, BuiltMail, ParsedMail, SendResult
from supportdesk.mail.parse import parse
from supportdesk.store import create_or_upgrade
from tests.support.desk import SHOP, furnish
from tests.support.post import ROSA, Post, mail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from supportdesk.desk.model import MailboxId, OutboxRow, Ticket, TicketId
    from supportdesk.desk.ports import MailSource, MailTransport, Row
    from tests.support.databases import Database
    from tests.support.desk import House

SHOP_DAYS = ((540, 1080),)
SATURDAY_22 = datetime(2026, 9, 5, 20, 0, tzinfo=UTC)
GERMAN = "Guten Abend, wo bleibt meine Bestellung? Ich warte seit zwei Wochen darauf."
JAPANESE = "注文した商品がまだ届いていません。いつ届きますか。"


@dataclass
class Server:
    """A mail server that takes everything and keeps it."""

    taken: list[tuple[BuiltMail, tuple[str, ...]]] = field(default_factory=list)
    verdict: SendResult = field(default_factory=lambda: SendResult("sent", "dot_sent", "250 2.0.0 Ok"))

    def send(self, mail_: BuiltMail, recipients: Sequence[str], on_stage: Callable[[str], None]) -> SendResult:
        for stage in ("data_started", "dot_sent"):
            on_stage(stage)
        self.taken.append((mail_, tuple(recipients)))
        return self.verdict

    def close(self) -> None:
        """Nothing is open."""

    def transport(self, mailbox_id: MailboxId) -> MailTransport:
        return self

    def source(self, mailbox_id: MailboxId) -> MailSource:
        raise AssertionError("nobody reads mail here")


@dataclass
class Desk:
    """A shop that acknowledges, its mail server, and what its customers get."""

    post: Post
    server: Server = field(default_factory=Server)
    languages: dict[str, str] = field(default_factory=lambda: {GERMAN: "de", JAPANESE: "ja"})

    @property
    def house(self) -> House:
        return self.post.house

    def configure(self, **settings: Any) -> None:
        box = self.house.desk.mailbox(self.house.mailbox_id)
        self.house.desk.save_mailbox(self.house.giulia, {"id": box.id, "settings": {**box.settings, **settings}})

    def keep_hours(self, calendar: Calendar) -> None:
        calendar_id = self.house.desk.save_calendar(self.house.giulia, "shop", calendar)
        self.house.desk.save_mailbox(self.house.giulia, {"id": self.house.mailbox_id, "calendar_id": calendar_id})

    def set_customer(self, ticket: Ticket, **values: str) -> None:
        with self.house.store.transaction() as tx:
            change = Update("customer", {"id": ticket.customer_id}, {}, values)
            tx.apply(Plan(silent=(change,), undoable=False), MAIL, new_action_id())

    def arrives(self, raw: bytes, **how: Any) -> Ticket:
        """A mail through the real intake; the ticket that it came to."""
        row = self.post.arrives(raw, read=False, **how)
        detect = lambda text: next((tag for words, tag in self.languages.items() if words in text), None)  # noqa: E731
        Intake(self.house.desk, self.post.parser, detect=detect).process_all()
        (delivery,) = self.post.rows("delivery", {"id": row["id"]})
        return self.post.ticket_of(delivery)

    def writes(self, text: str = "Dove è il mio ordine 5521?", **options: Any) -> Ticket:
        return self.arrives(mail(text, **options))

    def deliver(self) -> list[ParsedMail]:
        """Everything that is due goes out; what the server took."""
        before, deliverer = len(self.server.taken), Deliverer(self.house.desk, self.server, owner="w/1", epoch=1)
        while deliverer.deliver_next():
            pass
        return [parse(one.data) for one, _people in self.server.taken[before:]]

    def automatic(self, ticket: Ticket | TicketId) -> list[Row]:
        ticket_id = ticket if isinstance(ticket, int) else ticket.id
        rows = self.post.rows("outbox", {"ticket_id": ticket_id})
        return [row for row in rows if row["kind"] in ("acknowledgement", "bump")]

    def acknowledgement(self, ticket: Ticket) -> Row:
        (row,) = self.automatic(ticket)
        return row

    def reason(self, ticket: Ticket) -> str:
        return str(self.post.messages(ticket)[-1]["evidence"]["no_ack_reason"])

    def asks_again(self, ticket: Ticket) -> OutboxRow:
        """An agent answers, asks to be answered, and the reply arrives."""
        held = self.house.reply(ticket.id, undo_seconds=0, ask_again=True)
        self.deliver()
        assert self.house.desk.outbox_row(held.id).state == "sent"
        return held

    def day(self, number: float) -> list[ParsedMail]:
        """So many days pass, the house is kept, the mail goes out."""
        self.house.pass_time(days=number)
        keep_house(self.house.desk)
        return self.deliver()


@pytest.fixture
def desk(post: Post) -> Desk:
    found = Desk(post)
    found.configure(acknowledge=True)
    return found


# ---- acknowledgements ------------------------------------------------------------------------------------------------


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


# ---- closures --------------------------------------------------------------------------------------------------------


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


# ---- what cancels it -------------------------------------------------------------------------------------------------


def test_an_acknowledgement_that_nobody_wants_any_more_is_cancelled(desk: Desk) -> None:
    ways: dict[str, Callable[[Ticket], object]] = {
        "spam": lambda ticket: desk.house.desk.perform("spam", desk.house.giulia, [ticket.id]),
        "answered": lambda ticket: desk.house.reply(ticket.id, undo_seconds=15),
        "too_late": lambda _ticket: desk.house.pass_time(hours=25),
        "switched_off": lambda _ticket: desk.configure(acknowledge=False),
    }
    for number, (because, happens) in enumerate(ways.items()):
        ticket = desk.writes(sender=f"rosa@cliente{number}.example")
        happens(ticket)
        desk.deliver()
        assert (desk.acknowledgement(ticket)["state"], desk.acknowledgement(ticket)["sent_at"]) == ("draft", None)
        events = desk.house.desk.read.events(ticket_id=ticket.id)
        (event,) = [one for one in events if one.kind == "automatic_cancelled"]
        assert event.data["because"] == because
        desk.configure(acknowledge=True)


def test_the_undo_of_its_action_cancels_it_and_cannot_when_it_is_gone(desk: Desk) -> None:
    ticket = desk.writes()
    action = ActionId(desk.acknowledgement(ticket)["action_id"])
    desk.house.desk.undo(desk.house.luca, action)
    assert desk.deliver() == []
    with pytest.raises(Conflict):
        desk.house.desk.undo(desk.house.luca, action)
    other = desk.writes(sender="otto@example.com")
    assert len(desk.deliver()) == 1
    with pytest.raises(Conflict, match="gone out"):
        desk.house.desk.undo(desk.house.luca, ActionId(desk.acknowledgement(other)["action_id"]))


def test_an_agent_can_take_it_out_of_the_outbox(desk: Desk) -> None:
    ticket = desk.writes()
    desk.house.desk.perform("cancel_send", desk.house.luca, [], {"outbox": desk.acknowledgement(ticket)["id"]})
    assert desk.deliver() == []


def test_an_acknowledgement_in_doubt_counts_as_sent_and_a_refused_one_opens_nothing(desk: Desk) -> None:
    desk.server.verdict = SendResult("uncertain", "dot_sent", "Connection lost")
    doubtful = desk.writes()
    desk.deliver()
    assert desk.acknowledgement(doubtful)["state"] == "sent"
    desk.server.verdict = SendResult("failed", "rcpt", "550 5.1.1 no such user")
    refused = desk.writes(sender="otto@example.com")
    desk.deliver()
    assert desk.acknowledgement(refused)["state"] == "failed"
    assert (desk.house.ticket(refused.id).status, desk.house.ticket(refused.id).badges) == ("new", ("failed",))


# ---- ask again -------------------------------------------------------------------------------------------------------


def test_who_does_not_answer_is_reminded_twice_and_then_it_is_solved(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    reply = desk.asks_again(ticket)
    assert desk.day(3.9) == []
    (first,) = desk.day(0.1)
    assert first.header("Auto-Submitted") == "auto-generated"
    assert first.in_reply_to == (reply.message_id_header,)
    assert first.subject == "Re: Ordine 5521"
    assert "ti abbiamo scritto qualche giorno fa" in first.text
    assert desk.server.taken[-1][0].sender == "aiuto@bottega.example"
    assert desk.day(1.9) == []
    (second,) = desk.day(0.1)
    assert "non abbiamo ancora ricevuto la tua risposta" in second.text
    assert desk.house.ticket(ticket.id).status == "pending"
    assert desk.day(1) == []
    after = desk.house.ticket(ticket.id)
    assert (after.status, after.auto_solved, after.waiting_since) == ("solved", True, None)
    assert desk.day(10) == []


def test_nobody_is_reminded_unless_it_was_asked_for(desk: Desk) -> None:
    ticket = desk.writes()
    desk.house.reply(ticket.id, undo_seconds=0)
    desk.deliver()
    assert [desk.day(1) for _day in range(8)] == [[]] * 8
    assert desk.house.ticket(ticket.id).status == "solved"


def test_reminders_count_business_days(desk: Desk) -> None:
    desk.keep_hours(Calendar("Europe/Rome", (SHOP_DAYS,) * 5 + ((), ())))
    ticket = desk.writes()
    desk.asks_again(ticket)  # a Wednesday
    days = [len(desk.day(1)) for _day in range(12)]
    assert [number for number, sent in enumerate(days, start=1) if sent] == [6, 8], "Tuesday and Thursday"
    assert desk.house.ticket(ticket.id).status == "solved"


def test_whatever_happens_on_the_ticket_ends_the_reminders(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    answers: dict[str, Callable[[Ticket, OutboxRow], object]] = {
        "the customer writes": lambda _ticket, reply: desk.writes("Ecco.", answers=reply.message_id_header),
        "another reply": lambda ticket, _reply: desk.house.reply(ticket.id, undo_seconds=0),
        "solved": lambda ticket, _reply: desk.house.desk.perform("solve", desk.house.giulia, [ticket.id]),
        "on hold": lambda ticket, _reply: desk.house.desk.perform(
            "status", desk.house.giulia, [ticket.id], {"status": "on_hold"}
        ),
    }
    for happens in answers.values():
        ticket = desk.writes()
        happens(ticket, desk.asks_again(ticket))
        desk.deliver()
        desk.house.pass_time(days=4)
        keep_house(desk.house.desk)
        assert desk.automatic(ticket) == []


def test_a_reminder_that_waits_is_cancelled_by_the_customers_answer(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    reply = desk.asks_again(ticket)
    desk.house.pass_time(days=4)
    keep_house(desk.house.desk)
    (waiting,) = desk.automatic(ticket)
    assert waiting["state"] == "held"
    desk.writes("Ecco i dati.", answers=reply.message_id_header)
    assert desk.deliver() == []
    said = [event.data["because"] for event in desk.house.desk.read.events() if event.kind == "automatic_cancelled"]
    assert said == ["status"]


def test_an_undone_reminder_is_not_held_again(desk: Desk) -> None:
    desk.configure(acknowledge=False)
    ticket = desk.writes()
    desk.asks_again(ticket)
    desk.house.pass_time(days=4)
    keep_house(desk.house.desk)
    (waiting,) = desk.automatic(ticket)
    desk.house.desk.undo(desk.house.luca, ActionId(waiting["action_id"]))
    keep_house(desk.house.desk)
    assert desk.deliver() == []


def test_a_reply_that_was_taken_back_reminds_nobody(desk: Desk) -> None:
    ticket = desk.writes()
    held = desk.house.reply(ticket.id, undo_seconds=15, ask_again=True)
    desk.house.desk.undo(desk.house.giulia)
    assert desk.house.desk.outbox_row(held.id).state == "draft"
    desk.house.pass_time(days=5)
    keep_house(desk.house.desk)
    assert [row["kind"] for row in desk.automatic(ticket)] == ["acknowledgement"]


@pytest.mark.parametrize("after", ["solved", "open", ""])
def test_only_a_reply_that_leaves_it_pending_can_ask_again(desk: Desk, after: str) -> None:
    ticket = desk.writes()
    with pytest.raises(UsageError):
        desk.house.reply(ticket.id, after=after, ask_again=True)


def test_a_language_without_reminders_is_told_before_the_reply_leaves(desk: Desk) -> None:
    desk.languages["Missä"] = "fi"
    ticket = desk.writes("Missä tilaukseni on?")
    with pytest.raises(UsageError, match="no reminder"):
        desk.house.reply(ticket.id, ask_again=True)


# ---- ping-pong (mail.md, must-have test 8) ---------------------------------------------------------------------------


def test_a_vacation_responder_gets_one_mail_whatever_it_answers(desk: Desk) -> None:
    replies = {
        "by the book": "Auto-Submitted: auto-replied\nX-Auto-Response-Suppress: All",
        "in its own way": "X-Autoreply: yes",
        "without a word": "",
    }
    for number, (kind, headers) in enumerate(replies.items()):
        sender = f"Rosa <rosa@assenti{number}.example>"
        desk.writes(sender=sender)
        sent = 0
        for turn in range(12):
            got = desk.deliver()
            sent += len(got)
            for one in got:
                answers = one.message_id if turn % 2 == 0 else ""  # some forget what they answer
                raw = mail("Sono in ferie.", sender=sender, subject="Fuori sede", answers=answers, headers=headers)
                desk.post.arrives(raw, at=desk.house.clock.now())
            desk.house.pass_time(minutes=2)
        assert 1 <= sent <= 2, kind
        desk.house.pass_time(hours=2)


def test_a_responder_that_starts_anew_each_time_gets_two_a_week(desk: Desk) -> None:
    desk.writes(sender=ROSA)
    sent = 0
    for turn in range(7 * 24):
        got = desk.deliver()
        sent += len(got)
        raw = mail(f"Sono in ferie, {turn}.", sender=ROSA, subject=f"Fuori sede {turn}")
        if got or turn % 24 == 0:
            desk.post.arrives(raw, at=desk.house.clock.now())
        desk.house.pass_time(hours=1)
    assert sent == 2


def test_two_desks_that_acknowledge_each_other_exchange_two_automatic_mails_at_most(
    desk: Desk, database: Database
) -> None:
    other_house = furnish(database.copy_of("schema", create_or_upgrade), desk.house.clock)
    box = other_house.desk.mailbox(other_house.mailbox_id)
    address = "help@werkstatt.example"
    other_house.desk.save_mailbox(
        other_house.giulia, {"id": box.id, "address": address, "settings": {"acknowledge": True}}
    )
    other = Desk(Post(other_house))
    try:
        # Both sides begin by hand, at the same moment, and both acknowledge.
        for writer, to in ((desk, address), (other, SHOP)):
            row = writer.house.desk.start_conversation(
                writer.house.giulia, writer.house.mailbox_id, Address("", to), "Angebot"
            )
            row = writer.house.desk.save_draft(writer.house.giulia, row.id, row.version, body="Dov'è il vostro ordine?")
            writer.house.desk.send(writer.house.giulia, row.id, seen_seq=row.seen_seq, undo_seconds=0)
        for _turn in range(10):
            for sender, receiver in ((desk, other), (other, desk)):
                before = len(sender.server.taken)
                sender.deliver()
                for built, _people in sender.server.taken[before:]:
                    envelope = f"Return-Path: <{built.sender}>\r\n".encode()
                    receiver.post.arrives(envelope + built.data, read=False, at=desk.house.clock.now())
                receiver.post.read()
            desk.house.pass_time(minutes=5)
        automatic = [
            parsed
            for one in (desk, other)
            for parsed in (parse(built.data) for built, _people in one.server.taken)
            if parsed.header("Auto-Submitted")
        ]
        assert len(automatic) == 2, "one acknowledgement from each side, and no answer to either"
        for one in (desk, other):
            assert [row["kind"] for row in one.post.rows("message")].count("out_of_office") == 1
            assert "parked" not in one.post.outcomes()
    finally:
        other_house.store.close()
