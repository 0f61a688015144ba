"""Looking at the desk: status, unanswered, why, the timeline, canned responses on a ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.canned_meta import build_response
from supportdesk.desk.delivery_verdicts import write_verdict
from supportdesk.desk.fetch import note_health
from supportdesk.errors import Conflict, MissingValue, NotFound
from supportdesk.mail.model import SendResult

if TYPE_CHECKING:
    from tests.support.desk import House

WHERE = build_response(
    "where-is-my-order",
    {
        "title": {"it": "Dov'è il mio ordine", "en": "Where is my order"},
        "ask": {"order_number": {"prefill": "order.number", "label": {"en": "Order"}}, "day": {"type": "date"}},
    },
    [
        ("it", {}, "{{ customer.greeting }}\n\nil suo ordine {{ ask.order_number }} arriva il {{ ask.day | date }}."),
        ("de", {}, "{{ customer.greeting }}\n\nIhre Bestellung {{ ask.order_number }} kommt."),
    ],
)


def test_nobody_delivering_is_said_first(house: House) -> None:
    house.reply(house.customer_writes())
    status = house.desk.status()
    assert (status.delivering, status.outbox, status.oldest_unsent) == (False, {"held": 1}, house.clock.now())
    assert "No process is delivering, and 1 reply waits" in status.attention[0]


def test_a_worker_that_holds_its_lease_delivers(house: House) -> None:
    assert house.store.acquire_lease("worker", "host:1", 30, {"pid": 1}) is not None
    status = house.desk.status()
    assert (status.delivering, status.attention) == (True, ())
    assert [(box.address, box.state, box.last_pass_at) for box in status.mailboxes] == [
        ("aiuto@bottega.example", "active", None)
    ]


def test_a_delivery_in_doubt_wants_attention(house: House) -> None:
    done = house.reply(house.customer_writes())
    house.deliver(done.id, "uncertain")
    status = house.desk.status()
    assert status.uncertain == 1
    assert any("in doubt" in line for line in status.attention)


def test_sync_9_a_mailbox_that_cannot_be_read_says_how_long_ago_it_last_was(house: House) -> None:
    ledger = house.store.ledger
    ledger.finish_pass(ledger.folder(house.mailbox_id, "INBOX", "inbox")["id"], missing=0)
    house.pass_time(minutes=47)
    note_health(house.store, house.mailbox_id, "login refused")
    assert "aiuto@bottega.example: last fetched 47 minutes ago: login refused" in house.desk.status().attention


def test_sync_12_of_a_folder_that_is_not_watched_any_more_nobody_hears(house: House) -> None:
    ledger = house.store.ledger
    ledger.finish_pass(ledger.folder(house.mailbox_id, "INBOX", "inbox")["id"], missing=0)
    gone = ledger.folder(house.mailbox_id, "Ordini", "inbox")["id"]
    ledger.finish_pass(gone, missing=0, error="there is no folder Ordini")
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "settings": {"folders": ["Ordini"]}})
    assert any("no folder Ordini" in line for line in house.desk.status().attention)
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "settings": {"folders": []}})
    assert not any("Ordini" in line for line in house.desk.status().attention)


def test_out_10_g03_a_server_that_keeps_replies_waiting_is_named_with_its_words(house: House) -> None:
    row = house.reply(house.customer_writes(), undo_seconds=0)
    with house.store.transaction() as tx:
        stored = tx.row("outbox", {"id": row.id})
        assert stored is not None
        write_verdict(tx, stored, SendResult("deferred", "", "535 5.7.8 bad credentials", account_problem=True))
    words = "aiuto@bottega.example: 1 reply will be tried again: 535 5.7.8 bad credentials"
    assert words in house.desk.status().attention


def test_unanswered_lists_the_longest_wait_first_and_what_is_older_than_the_promise(house: House) -> None:
    first = house.customer_writes()
    house.pass_time(hours=20)
    second = house.customer_writes(sender="otto@example.de")
    assert [row["ticket_id"] for row in house.desk.unanswered()] == [first, second]
    house.pass_time(hours=5)
    assert [row["ticket_id"] for row in house.desk.unanswered(timedelta(hours=24))] == [first]
    assert [row["ticket_id"] for row in house.desk.unanswered(timedelta(hours=4), calendar=True)] == [first, second]


def test_the_weekend_does_not_break_the_promise_but_counts_in_plain_hours(house: House) -> None:
    from supportdesk.desk.hours import Calendar

    nine_to_six = ((540, 1080),)
    weekdays = (nine_to_six, nine_to_six, nine_to_six, nine_to_six, nine_to_six, (), ())
    calendar_id = house.desk.save_calendar(house.giulia, "shop", Calendar("Europe/Rome", weekdays))
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "calendar_id": calendar_id})
    house.pass_time(days=2, hours=3)  # Friday afternoon
    ticket_id = house.customer_writes()
    house.pass_time(days=2)
    assert house.desk.unanswered(timedelta(hours=24)) == []
    assert len(house.desk.unanswered(timedelta(hours=24), calendar=True)) == 1
    house.pass_time(days=1)
    assert [row["ticket_id"] for row in house.desk.unanswered(timedelta(hours=24))] == [ticket_id]


def test_a_refused_reply_is_told_until_a_later_one_goes_out_or_somebody_solves_the_ticket(house: House) -> None:
    first, second = house.customer_writes(), house.customer_writes(sender="otto@example.de")
    for ticket_id in (first, second):
        house.desk.perform("dismiss", house.giulia, [ticket_id], {"reason": "no_action"})
        house.pass_time(minutes=1)
        house.deliver(house.reply(ticket_id).id, "failed")
        house.desk.perform("reopen", house.giulia, [ticket_id])
    assert [(row["kind"], row["ticket_id"]) for row in house.desk.unanswered()] == [
        ("failed", first), ("failed", second)
    ]  # fmt: skip
    house.reply(first)
    house.desk.perform("solve", house.giulia, [second])
    assert house.desk.unanswered() == []


def test_a_doubtful_reply_on_a_merged_ticket_is_told_once_on_the_survivor(house: House) -> None:
    first, second, third = (house.customer_writes() for _unused in range(3))
    for ticket_id in (second, third):
        house.desk.perform("dismiss", house.giulia, [ticket_id], {"reason": "duplicate"})
    house.pass_time(minutes=1)
    house.deliver(house.reply(first).id, "uncertain")
    house.desk.perform("merge", house.giulia, [first], {"into": second})
    house.desk.perform("merge", house.giulia, [second], {"into": third})
    assert [(row["kind"], row["ticket_id"]) for row in house.desk.unanswered()] == [("waiting", third)]
    house.desk.perform("dismiss", house.giulia, [third], {"reason": "no_action"})
    assert [(row["kind"], row["ticket_id"]) for row in house.desk.unanswered()] == [("uncertain", third)]


def test_why_tells_what_happened_and_the_arithmetic_of_the_deadline(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("take", house.giulia, [ticket_id])
    house.desk.perform("assign", house.giulia, [ticket_id], {"assignee": "luca"})
    told = "\n".join(house.desk.why(ticket_id).sentences).replace("\u202f", " ")
    assert "Giulia Verdi took it" in told
    assert "Giulia Verdi assigned it to Luca Neri" in told
    assert "waiting since Wednesday, March 4, 2026 at 10:30 AM" in told
    assert "Due Thursday, March 5, 2026 at 10:30 AM" in told
    assert house.desk.why(ticket_id).data["due_at"] == house.ticket(ticket_id).due_at


def test_the_timeline_says_what_an_undo_undid(house: House) -> None:
    ticket_id = house.customer_writes()
    house.desk.perform("spam", house.giulia, [ticket_id])
    house.desk.undo(house.giulia)
    assert house.desk.timeline(ticket_id)[-1][1] == "Giulia Verdi undid: Spam"


def test_a_canned_response_is_in_the_customers_language_with_the_order_number_found(house: House) -> None:
    planned = house.desk.import_canned(house.giulia, [WHERE], dry_run=True).changes
    assert [(one.kind, one.key) for one in planned] == [("new", "where-is-my-order")]
    assert house.desk.canned() == ()
    house.desk.import_canned(house.giulia, [WHERE])
    assert house.desk.canned() == (WHERE,)
    assert house.desk.import_canned(house.giulia, [WHERE]).changes == ()
    ticket_id = house.customer_writes("Non arriva", subject="Ordine 5521")
    fields = house.desk.canned_fields("where-is-my-order", ticket_id)
    assert [(field.name, known) for field, known in fields] == [("order_number", "5521"), ("day", "")]
    rendered = house.desk.render_canned(house.giulia, ticket_id, "where-is-my-order", {"day": "2026-03-06"})
    assert "ordine 5521 arriva il 6 marzo 2026" in rendered.text


def test_a_missing_value_and_a_missing_variant_are_named(house: House) -> None:
    house.desk.import_canned(house.giulia, [WHERE])
    ticket_id = house.customer_writes("Niente", subject="Domanda")
    with pytest.raises(MissingValue) as missing:
        house.desk.render_canned(house.giulia, ticket_id, "where-is-my-order", {})
    assert set(missing.value.names) == {"ask.order_number", "ask.day"}
    french = house.customer_writes(sender="zoe@example.fr", language="fr")
    with pytest.raises(MissingValue):
        house.desk.render_canned(house.giulia, french, "where-is-my-order", {})
    with pytest.raises(NotFound):
        house.desk.canned_fields("no-such", ticket_id)


def test_reply_as_an_action_writes_and_sends_a_canned_response(house: House) -> None:
    house.desk.import_canned(house.giulia, [WHERE])
    ticket_id = house.customer_writes(subject="Ordine 5521")
    params = {"canned": "where-is-my-order", "asked": {"day": "2026-03-06"}, "text": "Un saluto", "after": "solved"}
    done = house.desk.perform("reply", house.giulia, [ticket_id], params)
    assert done.outbox_id is not None
    row = house.desk.outbox_row(done.outbox_id)
    assert row.state == "held"
    assert row.body.endswith("6 marzo 2026.\n\nUn saluto")
    assert house.ticket(ticket_id).status == "solved"


def test_reply_as_an_action_does_not_overwrite_what_is_being_written(house: House) -> None:
    ticket_id = house.customer_writes()
    draft = house.draft(ticket_id, body="Una lunga risposta")
    with pytest.raises(Conflict, match="writing a reply"):
        house.desk.perform("reply", house.giulia, [ticket_id], {"text": "Breve"})
    assert house.desk.outbox_row(draft.id).body == "Una lunga risposta"
    assert house.desk.perform("reply", house.giulia, [ticket_id], {"text": "Una lunga risposta"}).tickets == (
        ticket_id,
    )


def test_presence_and_reading_leave_the_ticket_alone(house: House) -> None:
    ticket_id = house.customer_writes()
    version = house.ticket(ticket_id).version
    house.desk.presence(house.giulia, ticket_id, "tty1", "viewing")
    house.desk.mark_seen(house.giulia, ticket_id, 1)
    house.desk.mark_seen(house.giulia, ticket_id, 1)
    assert house.ticket(ticket_id).version == version
    assert house.desk.read.presence(ticket_id, now=house.clock.now()) == [(house.giulia.id, "Giulia Verdi", "viewing")]
