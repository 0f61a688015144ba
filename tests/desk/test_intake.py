"""From the ledger to one outcome: duplicates, echoes, unreadable mail, history, and whose turn it is afterwards."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.model import MailboxId
from supportdesk.errors import Conflict
from tests.support.desk import SHOP
from tests.support.post import ROSA, mail

if TYPE_CHECKING:
    from tests.support.desk import House
    from tests.support.post import Post

OTTO = "Otto Meier <otto@example.net>"


def second_mailbox(house: House, **values: object) -> MailboxId:
    given = {"address": "verkauf@bottega.example", "name": "Bottega DE", "shop_name": "Bottega", "language": "de"}
    return house.desk.save_mailbox(house.giulia, {**given, "zone": "Europe/Berlin", **values}).id


def test_a_customers_mail_is_a_new_ticket_that_waits_for_us(post: Post) -> None:
    ticket = post.writes()
    assert (ticket.status, ticket.subject, ticket.order_number) == ("new", "Ordine 5521", "5521")
    assert ticket.waiting_since == post.house.clock.now()
    assert (ticket.language, ticket.language_source) == ("it", "detected")
    assert post.unanswered() == {ticket.id}
    (message,) = post.messages(ticket)
    assert (message["direction"], message["author_kind"], message["author_name"]) == ("in", "customer", "Rosa Bianchi")
    assert post.house.desk.search("bianchi 5521") == [ticket.id]


def test_a_mail_that_lay_on_the_server_has_been_waiting_since_it_came_there(post: Post) -> None:
    arrived = post.house.clock.now() - timedelta(hours=5)
    assert post.writes(at=arrived).waiting_since == arrived
    tomorrow = post.house.clock.now() + timedelta(days=1)
    assert post.writes("E il mio reso?", sender=OTTO, at=tomorrow).waiting_since == post.house.clock.now()


@pytest.mark.parametrize(
    ("before", "after", "reopened"),
    [("new", "new", 0), ("open", "open", 0), ("pending", "open", 0), ("on_hold", "open", 0), ("solved", "open", 0),
     ("closed", "open", 1)],
)  # fmt: skip
def test_a_customers_message_on_a_ticket_makes_it_our_turn(post: Post, before: str, after: str, reopened: int) -> None:
    first = mail(message_id="<first@example.com>")
    ticket = post.becomes(post.ticket_of(post.arrives(first)), before)
    again = post.writes("Non è ancora arrivato.", answers="<first@example.com>")
    assert (again.id, again.status, again.reopened_count) == (ticket.id, after, reopened)
    assert (again.solved_at, again.closed_at, again.on_hold_until) == (None, None, None)
    assert again.id in post.unanswered()


def test_a_second_mail_does_not_push_the_customer_back(post: Post) -> None:
    since = post.writes(message_id="<a@example.com>").waiting_since
    post.house.pass_time(hours=3)
    assert post.writes("Allora?", answers="<a@example.com>").waiting_since == since


def test_long_after_the_end_a_new_ticket_follows_up_with_fields_and_without_messages(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    post.house.desk.perform("tag", post.house.giulia, [ticket.id], {"tags": "reso"})
    ticket = post.becomes(ticket, "closed")
    post.house.pass_time(days=15)
    later = post.writes("Ancora rotto", subject="Re: Ordine 5521", answers="<a@example.com>")
    assert later.id != ticket.id
    assert (later.follow_up_of, later.order_number, later.status) == (ticket.id, "5521", "new")
    assert post.house.desk.read.tags(later.id) == ("reso",)
    assert [row["seq"] for row in post.messages(later)] == [1]
    assert post.house.ticket(ticket.id).status == "closed"


def test_an_answer_to_spam_is_a_flagged_new_ticket(post: Post) -> None:
    ticket = post.becomes(post.writes("Compra adesso", subject="x", message_id="<a@example.com>"), "spam")
    later = post.writes("Ma io sono un cliente", subject="x", answers="<a@example.com>")
    assert (later.follow_up_of, later.status) == (ticket.id, "new")
    assert "after_spam" in later.badges
    assert post.house.ticket(ticket.id).status == "spam"


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_only_thanks_is_flagged_keeps_the_status_and_waits_for_one_key(post: Post, status: str) -> None:
    ticket = post.becomes(post.writes(message_id="<a@example.com>"), status)
    thanked = post.writes("Grazie mille!\r\n\r\nCordiali saluti", answers="<a@example.com>")
    assert (thanked.id, thanked.status) == (ticket.id, status)
    assert "thanks" in thanked.badges
    assert ticket.id in post.unanswered()
    post.house.desk.perform("dismiss", post.house.giulia, [ticket.id], {"reason": "thanks"})
    assert ticket.id not in post.unanswered()


@pytest.mark.parametrize("status", ["open", "pending"])
@pytest.mark.parametrize(("state", "keeps"), [("available", True), ("away", False), ("disabled", False)])
def test_an_owner_who_is_not_there_gives_the_ticket_back(post: Post, status: str, state: str, keeps: bool) -> None:
    house = post.house
    ticket = post.writes(message_id="<a@example.com>")
    house.desk.perform("assign", house.giulia, [ticket.id], {"assignee": "luca"})
    if status == "pending":
        post.answered(ticket, after="pending")
    assert house.luca.id is not None
    house.desk.set_agent(house.giulia, house.luca.id, state=state)
    assert post.writes("Allora?", answers="<a@example.com>").assignee_id == (house.luca.id if keeps else None)


def test_a_customers_message_ends_a_snooze_until_reply(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    until = post.house.clock.now() + timedelta(days=3)
    post.house.desk.perform(
        "snooze", post.house.giulia, [ticket.id], {"until": until, "mode": "until_reply", "after_deadline": True}
    )
    assert post.writes("Allora?", answers="<a@example.com>").snoozed_until is None


def test_under_a_snooze_regardless_a_message_pulls_the_wake_up_to_the_warning(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    until = post.house.clock.now() + timedelta(days=10)
    post.house.desk.perform(
        "snooze", post.house.giulia, [ticket.id], {"until": until, "mode": "regardless", "after_deadline": True}
    )
    asleep = post.writes("Allora?", answers="<a@example.com>")
    assert asleep.snooze_mode == "regardless"
    assert asleep.snoozed_until is not None
    assert post.house.clock.now() < asleep.snoozed_until <= post.house.clock.now() + timedelta(days=1)


# ---- the same mail again ---------------------------------------------------------------------------------------------


def test_the_same_mail_in_two_mailboxes_is_one_message_with_two_deliveries(post: Post) -> None:
    """INGEST-4."""
    other = second_mailbox(post.house)
    body = mail(to=f"{SHOP}, verkauf@bottega.example")
    first = post.arrives(b"Received: from one\r\n" + body)
    second = post.arrives(b"Received: from two\r\nDelivered-To: verkauf@bottega.example\r\n" + body, mailbox_id=other)
    assert post.outcomes() == ["message", "duplicate"]
    assert first["message_id"] == second["message_id"]
    assert len(post.rows("ticket")) == len(post.rows("message")) == 1


def test_the_same_message_id_with_other_content_is_another_message(post: Post) -> None:
    """INGEST-4."""
    first = post.writes("Dove è il mio ordine 5521?", message_id="<same@example.com>")
    second = post.writes("Ho sbagliato numero: 7788", message_id="<same@example.com>", subject="Errata", sender=OTTO)
    assert post.outcomes() == ["message", "message"]
    assert first.id != second.id
    badges = [post.house.desk.read.thread(ticket.id)[0].badges for ticket in (first, second)]
    assert badges == [(), ("id_reused",)], "and whoever reads it is told"


@pytest.mark.parametrize("empty", ["", "<>", "< >"])
def test_mails_without_a_message_id_never_join_each_other(post: Post, empty: str) -> None:
    """INGEST-5."""
    first = post.writes("Uno", subject="A", message_id=empty)
    second = post.writes("Due", subject="B", message_id=empty, sender=OTTO, answers=empty or "<>")
    assert first.id != second.id
    assert post.outcomes() == ["message", "message"]


def test_reading_again_adds_nothing(post: Post) -> None:
    """INGEST-1: processing again is a no-op."""
    post.writes()
    assert post.read() == 0
    assert len(post.rows("message")) == 1


def test_our_own_mail_come_back_is_an_echo(post: Post) -> None:
    ticket = post.writes()
    ours = post.answered(ticket)
    before = post.house.ticket(ticket.id)
    echo = post.arrives(
        mail("Il pacco arriva domani.", sender=f"Bottega <{SHOP}>", to="rosa@example.com", message_id=ours)
    )
    assert echo["outcome"] == "echo"
    assert post.house.ticket(ticket.id) == before


def test_our_copy_found_in_sent_settles_a_reply_in_doubt(post: Post) -> None:
    ticket = post.writes()
    ours = post.answered(ticket, "uncertain")
    assert ticket.id in post.unanswered()
    post.arrives(mail("…", sender=f"Bottega <{SHOP}>", to="rosa@example.com", message_id=ours), folder="Sent")
    assert [row["state"] for row in post.rows("outbox")] == ["sent"]
    assert post.unanswered() == set()


# ---- mail of ours in Sent --------------------------------------------------------------------------------------------


def sent_elsewhere(answers: str, **options: str) -> bytes:
    return mail("Arriva domani.", sender=f"Bottega <{SHOP}>", to=options.pop("to", ROSA), answers=answers, **options)


def test_a_reply_written_in_another_program_answers(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    post.house.pass_time(hours=1)
    delivery = post.arrives(sent_elsewhere("<a@example.com>"), folder="Sent")
    assert post.ticket_of(delivery).id == ticket.id
    after = post.house.ticket(ticket.id)
    assert (after.status, after.waiting_since) == ("pending", None)
    assert after.first_response_at == post.house.clock.now()
    assert post.unanswered() == set()


def test_what_came_after_a_reply_from_another_program_still_waits_whatever_is_fetched_first(post: Post) -> None:
    start = post.house.clock.now()
    post.arrives(mail("Dove è?", message_id="<a@example.com>"), at=start - timedelta(hours=3))
    post.arrives(mail("Ancora niente.", answers="<a@example.com>"), at=start - timedelta(hours=1))
    post.arrives(sent_elsewhere("<a@example.com>"), folder="Sent", at=start - timedelta(hours=2))
    (ticket,) = post.rows("ticket")
    assert (ticket["status"], ticket["waiting_since"]) == ("new", start - timedelta(hours=1))


def test_several_folders_are_read_in_the_order_in_which_the_mail_came(post: Post) -> None:
    start = post.house.clock.now()
    post.arrives(
        mail("Ma quando?", answers="<ours@bottega.example>", subject="Re: Fattura"),
        at=start - timedelta(hours=1),
        read=False,
    )
    first = mail("Arriva.", sender=f"B <{SHOP}>", to=ROSA, message_id="<ours@bottega.example>", subject="Fattura")
    post.arrives(first, folder="Sent", at=start - timedelta(hours=2))
    assert len(post.rows("ticket")) == 1
    assert post.rows("ticket")[0]["waiting_since"] == start - timedelta(hours=1)


def test_a_conversation_that_we_began_elsewhere_waits_for_the_customer(post: Post) -> None:
    ticket = post.ticket_of(post.arrives(sent_elsewhere(""), folder="Sent"))
    assert (ticket.status, ticket.waiting_since) == ("pending", None)
    assert ticket.customer_id is not None
    assert post.house.desk.read.customer(ticket.customer_id).name == "Rosa Bianchi"


def test_a_conversation_that_had_ended_with_us_long_ago_is_over_until_the_customer_writes(post: Post) -> None:
    start = post.house.clock.now()
    post.arrives(mail("Dove è?", message_id="<a@example.com>"), at=start - timedelta(days=25))
    post.arrives(sent_elsewhere("<a@example.com>"), folder="Sent", at=start - timedelta(days=24))
    (ticket,) = post.rows("ticket")
    assert (ticket["status"], ticket["solved_at"]) == ("solved", start - timedelta(days=24))
    keep_house(post.house.desk)
    assert post.rows("ticket")[0]["status"] == "closed"
    again = post.writes("E adesso?", answers="<a@example.com>", at=start - timedelta(days=20))
    assert (again.id, again.status, again.waiting_since) == (ticket["id"], "open", start - timedelta(days=20))


# ---- history ---------------------------------------------------------------------------------------------------------


def test_history_arrives_closed_and_dismissed_and_never_queues(post: Post) -> None:
    """SYNC-6: imports of history answer nobody."""
    old = post.house.clock.now() - timedelta(days=90)
    ticket = post.writes(at=old, historic=True)
    assert (ticket.status, ticket.closed_at, ticket.created_at) == ("closed", old, old)
    assert [row["reason"] for row in post.rows("dismissal")] == ["imported"]
    assert post.unanswered() == set()
    now = post.house.clock.now()
    assert post.house.desk.read.queue_ids("needs_reply", agent_id=post.house.giulia.id, now=now) == []


def test_history_on_a_living_ticket_neither_opens_nor_dismisses_anything(post: Post) -> None:
    live = post.writes(message_id="<b@example.com>", headers="References: <a@example.com>\n")
    since, old = live.waiting_since, post.house.clock.now() - timedelta(days=20)
    again = post.writes("Prima domanda", answers="<b@example.com>", at=old, historic=True)
    assert (again.id, again.status, again.waiting_since) == (live.id, "new", since)
    assert post.unanswered() == {live.id}
    done = post.becomes(again, "pending")
    post.writes("Ancora prima", answers="<b@example.com>", at=old - timedelta(days=1), historic=True)
    assert post.house.ticket(done.id).status == "pending"
    assert post.unanswered() == set()


def test_a_mailbox_that_waits_for_the_admins_word_waits(post: Post) -> None:
    other = second_mailbox(post.house, settings={"unconfirmed": True})
    post.arrives(mail(to="verkauf@bottega.example"), mailbox_id=other)
    assert post.outcomes() == [""]
    ticket = post.writes("Altro", sender=OTTO)
    assert post.unanswered() == {ticket.id}


# ---- mail that cannot be read ----------------------------------------------------------------------------------------


def test_a_mail_that_cannot_be_read_becomes_a_waiting_stub_and_holds_up_nobody(post: Post) -> None:
    """INGEST-6."""
    post.parser.unreadable.add(b"POISON")
    mails = [
        mail("POISON" if number == 50 else f"n. {number}", sender=f"c{number}@example.com") for number in range(100)
    ]
    post.arrives(*mails)
    assert post.outcomes() == ["message"] * 100
    (stub,) = [row for row in post.rows("message") if row["kind"] == "stub"]
    assert stub["ticket_id"] in post.unanswered()
    (original,) = post.rows("attachment", {"message_id": stub["id"]})
    assert post.house.desk.blobs.get(original["blob_sha"]) == mails[50]
    (delivery,) = post.rows("delivery", {"message_id": stub["id"]})
    assert (delivery["attempts"], "timeout" in delivery["error"]) == (3, True)


def test_a_mail_that_cannot_be_written_is_tried_three_times_and_holds_up_nobody(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """INGEST-6."""
    from supportdesk.desk import incoming

    write = incoming.write_message

    def failing(tx, arrival):
        written = write(tx, arrival)
        if "cattivo" in arrival.mail.text:
            raise ZeroDivisionError("a bug of ours")
        return written

    monkeypatch.setattr(incoming, "write_message", failing)
    with caplog.at_level(logging.CRITICAL, "supportdesk.intake"):
        post.arrives(mail("cattivo"), mail("buono", sender=OTTO))
    assert post.outcomes() == ["message", "message"]
    assert sorted(row["kind"] for row in post.rows("message")) == ["mail", "stub"]
    assert len(post.rows("customer")) == 1, "what the failed attempts wrote was rolled back"


@pytest.mark.parametrize("times", [5, 1000])
def test_an_agent_who_is_quicker_is_no_failed_attempt_unless_he_is_it_for_ever(
    post: Post, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int
) -> None:
    """What he changed is read again, in another transaction; a conflict that never ends is a failure like any other."""
    from supportdesk.desk import incoming
    from supportdesk.errors import Conflict

    write, left, transactions = incoming.write_message, [times], []

    def overtaken(tx, arrival):
        written = write(tx, arrival)
        if "conteso" in arrival.mail.text and left[0]:
            left[0] -= 1
            transactions.append(tx)
            raise Conflict("giulia was first")
        return written

    monkeypatch.setattr(incoming, "write_message", overtaken)
    with caplog.at_level(logging.CRITICAL, "supportdesk.intake"):
        post.arrives(mail("conteso"), mail("buono", sender=OTTO))
    assert post.outcomes() == ["message", "message"]
    contested = post.rows("delivery")[0]
    kinds = [row["kind"] for row in post.rows("message", {"id": contested["message_id"]})]
    assert (contested["attempts"], kinds) == ((0, ["mail"]) if times == 5 else (3, ["stub"]))
    assert len(set(map(id, transactions))) == len(transactions) >= 5, "never twice in the same one"


def test_a_body_that_the_server_never_supplied_is_a_stub_at_once(post: Post) -> None:
    from supportdesk.desk.ports import LedgerItem

    post.writes()
    folder = post.rows("folder")[0]["id"]
    item = LedgerItem(99, None, 500, post.house.clock.now())
    post.house.store.ledger.record_fetched(folder, 1, [item], advance_to=99)
    post.read()
    assert post.outcomes() == ["message", "message"]
    assert [row["badges"] for row in post.rows("ticket")] == [[], ["stub"]]


def test_what_could_not_be_read_or_was_parked_is_not_doubled_by_another_folder(post: Post) -> None:
    """A new UIDVALIDITY, a renamed folder: the same bytes come a second time under other UIDs (A09)."""
    post.parser.unreadable.add(b"POISON")
    poison, absence = mail("POISON"), mail("Sono in ferie.", headers="Auto-Submitted: auto-replied\n")
    post.arrives(poison, absence)
    post.arrives(poison, absence, folder="Moved")
    assert sorted(post.outcomes()) == ["duplicate", "duplicate", "message", "parked"]
    assert [row["kind"] for row in post.rows("message")] == ["stub"]
    assert len(post.rows("parked")) == 1


def test_a_mailing_list_that_wants_the_answers_does_not_get_them(post: Post) -> None:
    headers = "Reply-To: all@list.example\nList-Post: <mailto:all@list.example>\nList-Id: <all.list.example>\n"
    ticket = post.writes(headers=headers)
    assert [one.address for one in post.house.draft(ticket.id).recipients] == ["rosa@example.com"]


def test_a_mail_that_was_cut_says_so(post: Post) -> None:
    """INGEST-7."""
    ticket = post.ticket_of(post.arrives(mail(), partial=True))
    assert [row["badges"] for row in post.messages(ticket)] == [["partial"]]


COLLEAGUE = f"Anna della Bottega <{SHOP}>"


def test_our_own_blind_copy_of_an_answer_is_a_human_reply(post: Post) -> None:
    ticket = post.ticket_of(post.arrives(mail(message_id="<first@example.com>")))
    draft = post.house.draft(ticket.id)
    copy = mail("Arriva domani.", sender=COLLEAGUE, to="rosa@example.com", answers="<first@example.com>")
    post.house.pass_time(minutes=5)
    assert post.ticket_of(post.arrives(copy)).id == ticket.id
    answered = post.house.ticket(ticket.id)
    assert (answered.status, answered.waiting_since) == ("pending", None)
    newest = post.messages(ticket)[-1]
    assert (newest["direction"], newest["author_kind"]) == ("out", "agent")
    with pytest.raises(Conflict):  # stop-on-send: somebody answered meanwhile
        post.house.desk.send(post.house.giulia, draft.id, seen_seq=ticket.seq)


@pytest.mark.parametrize(
    ("to", "answers"), [("rosa@example.com", ""), (SHOP, "<first@example.com>"), (f"{ROSA}, {SHOP}", "")]
)
def test_what_only_claims_to_be_from_us_is_a_loop(post: Post, to: str, answers: str) -> None:
    ticket = post.ticket_of(post.arrives(mail(message_id="<first@example.com>")))
    row = post.arrives(mail("Spedito.", sender=COLLEAGUE, to=to, answers=answers, subject="Altro"))
    assert (row["outcome"], row["reason"]) == ("parked", "loop")
    assert post.house.ticket(ticket.id).waiting_since is not None


def test_a_blind_copy_that_our_server_does_not_vouch_for_is_a_loop(post: Post) -> None:
    box = post.house.desk.mailbox(post.house.mailbox_id)
    changes = {"id": box.id, "settings": {**box.settings, "authserv_id": "mx.bottega.example"}}
    post.house.desk.save_mailbox(post.house.giulia, changes)
    post.arrives(mail(message_id="<first@example.com>"))
    forged = mail(
        "Spedito.", sender=COLLEAGUE, to="rosa@example.com", answers="<first@example.com>",
        headers="Authentication-Results: mx.bottega.example; dmarc=none\n",
    )  # fmt: skip
    assert post.arrives(forged)["outcome"] == "parked"
