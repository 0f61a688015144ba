"""What each kind of mail does to tickets: machine mail (domain.md section 5), bounces, threading guards (section 6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import MAIL, TicketId
from supportdesk.desk.ports import Insert, Plan, Update
from supportdesk.desk.settings import new_action_id
from tests.support.desk import SHOP
from tests.support.post import ROSA, delivery_report, mail

if TYPE_CHECKING:
    from supportdesk.desk.model import Ticket
    from tests.support.post import Post

OTTO = "Otto Meier <otto@example.net>"
STANDING = ("status", "waiting_since", "due_at", "badges", "assignee_id", "solved_at")


def standing(ticket: Ticket) -> list[Any]:
    """Whose turn it is, and since when: what machine mail must leave alone."""
    return [getattr(ticket, name) for name in STANDING]


# ---- section 5, row by row -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (mail(sender=f"Bottega <{SHOP}>", message_id="<x@bottega.example>"), "loop"),
        (delivery_report("<nobody-knows@example.org>", "rosa@example.com"), "bounce"),
        (mail("Sono in ferie", headers="Auto-Submitted: auto-replied\n"), "auto"),
    ],
)
def test_what_is_neither_ticket_nor_note_is_parked_with_its_reason(post: Post, raw: bytes, reason: str) -> None:
    delivery = post.arrives(raw)
    assert (delivery["outcome"], delivery["reason"]) == ("parked", reason)
    (parked,) = post.rows("parked")
    assert parked["reason"] == reason
    assert post.rows("ticket") == []
    post.house.pass_time(hours=25)
    listed = post.house.desk.read.unanswered(now=post.house.clock.now())
    assert len(listed) == 1, "mail that nobody has looked at for a day stands in the list"


def test_a_contact_form_brings_the_human_inside(post: Post) -> None:
    ticket = post.writes(
        "Messaggio dal sito", sender=f"Sito <{SHOP}>", headers="Reply-To: Otto Meier <otto@example.net>\n"
    )
    assert ticket.customer_id is not None
    assert post.house.desk.read.customer(ticket.customer_id).addresses == ("otto@example.net",)
    assert ticket.id in post.unanswered()


def test_an_absence_notice_is_a_note_that_moves_no_clock(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    ours = post.answered(ticket, after="pending")
    before = standing(post.house.ticket(ticket.id))
    delivery = post.arrives(mail("Sono in ferie", answers=ours, headers="Auto-Submitted: auto-replied\n"))
    assert delivery["outcome"] == "note"
    assert standing(post.house.ticket(ticket.id)) == before
    assert [(row["direction"], row["kind"]) for row in post.messages(ticket)][-1] == ("system", "out_of_office")


@pytest.mark.parametrize("headers", ["Auto-Submitted: auto-generated\n", "X-Nothing: 1\n"])
def test_a_programs_mail_is_a_notification_without_a_clock(post: Post, headers: str) -> None:
    sender = "no-reply@courier.example" if "Nothing" in headers else "Courier <status@courier.example>"
    ticket = post.writes("Spedizione partita", subject="Tracking", sender=sender, headers=headers)
    assert (ticket.kind, ticket.waiting_since) == ("notification", None)
    assert post.unanswered() == set()
    now = post.house.clock.now()
    assert post.house.desk.read.queue_ids("notifications", agent_id=None, now=now) == [ticket.id]


def test_a_notification_that_threads_joins_without_moving_anything(post: Post) -> None:
    ticket = post.becomes(post.writes(message_id="<a@example.com>"), "pending")
    before = standing(ticket)
    post.arrives(mail("Aggiornamento", answers="<a@example.com>", headers="Auto-Submitted: auto-generated\n"))
    assert standing(post.house.ticket(ticket.id)) == before
    assert post.messages(ticket)[-1]["kind"] == "notification"


def test_bulk_mail_is_a_ticket_like_any_other(post: Post) -> None:
    ticket = post.writes("Una domanda dalla lista", headers="List-Id: <lista.example>\nPrecedence: bulk\n")
    assert (ticket.kind, ticket.status) == ("human", "new")
    assert ticket.id in post.unanswered()


def test_a_flood_from_one_sender_joins_his_newest_ticket_with_a_banner(post: Post) -> None:
    for number in range(20):
        post.writes(f"Numero {number}", subject=f"Tema {number}")
    newest = post.rows("ticket")[-1]["id"]
    flood = post.writes("E ancora", subject="Tema nuovo")
    assert flood.id == newest
    assert "rate" in flood.badges
    assert post.outcomes() == ["message"] * 21
    imported = post.writes("Vecchio", subject="Tema vecchio", historic=True)
    assert imported.id != newest, "an import is no flood"


def test_an_old_conversation_is_one_ticket_however_long_ago_it_ended(post: Post) -> None:
    old = post.house.clock.now() - timedelta(days=90)
    asked = post.writes(message_id="<a@example.com>", at=old, historic=True)
    ours = mail("Arriva domani.", sender=f"Bottega <{SHOP}>", to=ROSA, answers="<a@example.com>")
    replied = post.arrives(ours, folder="Sent", at=old + timedelta(days=1), historic=True)
    assert post.ticket_of(replied).id == asked.id
    assert (post.house.ticket(asked.id).status, post.unanswered()) == ("closed", set())
    later = post.writes("E adesso?", answers="<a@example.com>")
    assert (later.id != asked.id, later.follow_up_of) == (True, asked.id)


@pytest.mark.parametrize(
    ("verdict", "outcome", "kind"),
    [("ticket", "message", "human"), ("notification", "message", "notification"), ("park", "parked", None),
     ("block", "parked", None)],
)  # fmt: skip
def test_the_verdict_for_a_sender_decides_his_next_mail(
    post: Post, verdict: str, outcome: str, kind: str | None
) -> None:
    post.writes("Uno", subject="A")
    post.house.desk.set_sender_verdict(post.house.giulia, "rosa@example.com", verdict)
    delivery = post.arrives(mail("Due", subject="B"))
    assert delivery["outcome"] == outcome
    if kind:
        assert post.ticket_of(delivery).kind == kind


# ---- bounces ---------------------------------------------------------------------------------------------------------


def test_a_final_bounce_marks_the_recipient_opens_the_ticket_and_puts_the_customer_back(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    ours = post.answered(ticket, after="pending")
    assert post.unanswered() == set()
    delivery = post.arrives(delivery_report(ours, "rosa@example.com"))
    assert delivery["outcome"] == "note"
    after = post.house.ticket(ticket.id)
    assert (after.status, "bounced" in after.badges) == ("open", True)
    assert after.waiting_since == ticket.waiting_since
    assert ticket.id in post.unanswered()
    (recipient,) = post.rows("outbox_recipient")
    assert (recipient["state"], "no such user" in recipient["detail"]) == ("bounced", True)
    (reply,) = post.rows("outbox")
    assert reply["state"] == "bounced"
    (identity,) = post.rows("customer_identity")
    assert identity["bounced_at"] == post.house.clock.now()
    assert [row["state"] for row in post.rows("message_recipient") if row["address"] == "rosa@example.com"] == [
        "bounced"
    ]


@pytest.mark.parametrize(("status", "action"), [("4.2.2", "delayed"), ("2.0.0", "delivered")])
def test_a_report_that_is_not_final_is_only_a_note(post: Post, status: str, action: str) -> None:
    ticket = post.writes()
    ours = post.answered(ticket, after="pending")
    before = standing(post.house.ticket(ticket.id))
    assert post.arrives(delivery_report(ours, "rosa@example.com", status=status, action=action))["outcome"] == "note"
    assert standing(post.house.ticket(ticket.id)) == before
    assert post.unanswered() == set()


def test_a_full_mailbox_is_given_up_but_the_address_is_not_flagged(post: Post) -> None:
    ours = post.answered(post.writes())
    post.arrives(delivery_report(ours, "rosa@example.com", status="5.2.2", words="mailbox full"))
    assert [row["bounced_at"] for row in post.rows("customer_identity")] == [None]
    assert [row["state"] for row in post.rows("outbox")] == ["bounced"]


def test_a_forged_report_changes_nothing(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    ours = post.answered(ticket, after="pending")
    signed, at, domain = ours.partition("@")
    forged = f"{signed[:-1]}{'a' if signed[-1] != 'a' else 'b'}{at}{domain}"
    before = standing(post.house.ticket(ticket.id))
    delivery = post.arrives(delivery_report(forged, "rosa@example.com"))
    assert (delivery["outcome"], delivery["reason"]) == ("parked", "bounce")
    assert standing(post.house.ticket(ticket.id)) == before
    assert [row["state"] for row in post.rows("outbox")] == ["sent"]


def test_a_bounce_of_a_reply_written_elsewhere_puts_the_customer_back(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    post.house.pass_time(minutes=5)
    elsewhere = mail(
        "Arriva.", sender=f"B <{SHOP}>", to=ROSA, answers="<a@example.com>", message_id="<w@bottega.example>"
    )
    post.arrives(elsewhere, folder="Sent")
    assert post.unanswered() == set()
    post.arrives(delivery_report("<w@bottega.example>", "rosa@example.com"))
    assert post.unanswered() == {ticket.id}


def test_a_bounce_wakes_a_ticket_that_sleeps(post: Post) -> None:
    ticket = post.writes()
    ours = post.answered(ticket, after="pending")
    until = post.house.clock.now() + timedelta(days=3)
    post.house.desk.perform("snooze", post.house.giulia, [ticket.id], {"until": until})
    post.arrives(delivery_report(ours, "rosa@example.com"))
    assert post.house.ticket(ticket.id).snoozed_until is None


# ---- section 6 -------------------------------------------------------------------------------------------------------


def test_an_answer_to_our_reply_joins_by_its_signed_id(post: Post) -> None:
    ticket = post.writes()
    ours = post.answered(ticket)
    joined = post.writes("Va bene, aspetto lunedì", subject="Re: Ordine 5521", answers=ours)
    assert joined.id == ticket.id
    assert post.messages(ticket)[-1]["evidence"]["key"] == "signed_message_id"


def test_a_signed_answer_from_a_stranger_joins_as_a_flagged_external(post: Post) -> None:
    ticket = post.writes()
    ours = post.answered(ticket, after="pending")
    joined = post.writes("Scrivo da un altro indirizzo", sender=OTTO, answers=ours)
    assert (joined.id, joined.status, joined.customer_id) == (ticket.id, "open", ticket.customer_id)
    assert "external" in joined.badges
    assert post.messages(ticket)[-1]["author_kind"] == "external"
    roles = {row["role"] for row in post.rows("participant", {"ticket_id": ticket.id})}
    assert roles == {"requester", "external"}
    assert ticket.id in post.unanswered()


def test_an_unsigned_answer_from_a_stranger_is_a_new_ticket_with_a_suggestion(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    other = post.writes("Anch'io", sender=OTTO, answers="<a@example.com>")
    assert other.id != ticket.id
    assert (other.suggested_id, other.follow_up_of) == (ticket.id, None)
    assert f"suggested:{ticket.id}" in other.badges
    post.house.desk.perform("reject_suggestion", post.house.giulia, [other.id])
    rejected = post.house.ticket(other.id)
    assert (rejected.suggested_id, rejected.badges) == (None, ())


def test_a_subject_tag_joins_only_somebody_who_takes_part(post: Post) -> None:
    ticket = post.writes("Prima", subject="Reso", message_id="<a@example.com>")
    stranger = post.writes("Ciao", subject=f"Re: Reso [#{ticket.id}]", sender=OTTO)
    assert stranger.id != ticket.id
    assert post.writes("Ancora", subject=f"Re: Reso [#{ticket.id}]").id == ticket.id


def test_the_same_customers_order_number_joins(post: Post) -> None:
    ticket = post.writes("Ordine 5521: dove?", subject="Pacco")
    assert post.writes("Sempre per 5521", subject="Altro").id == ticket.id
    assert post.writes("Sempre per 5521", subject="Altro", sender=OTTO).id != ticket.id


def test_another_subject_after_a_month_of_silence_is_a_new_linked_ticket(post: Post) -> None:
    ticket = post.becomes(post.writes("Prima", subject="Reso", message_id="<a@example.com>"), "pending")
    post.house.pass_time(days=31)
    later = post.writes("Vorrei un'altra cosa", subject="Fattura", answers="<a@example.com>")
    assert (later.id != ticket.id, later.follow_up_of) == (True, ticket.id)


def test_a_second_open_ticket_of_a_customer_offers_to_be_merged(post: Post) -> None:
    first = post.writes("Prima", subject="Reso")
    second = post.writes("Seconda", subject="Fattura")
    assert second.id != first.id
    assert f"possible_duplicate:{first.id}" in second.badges
    done = post.house.desk.perform("accept_suggestion", post.house.giulia, [second.id])
    assert post.house.ticket(second.id).merged_into == first.id
    post.house.desk.undo(post.house.giulia, done.action_id)
    post.house.desk.perform("reject_suggestion", post.house.giulia, [second.id])
    assert post.house.ticket(second.id).badges == ()


def test_mail_to_a_merged_ticket_follows_the_survivor(post: Post) -> None:
    first = post.writes("Prima", subject="Reso", message_id="<a@example.com>")
    second = post.writes("Seconda", subject="Fattura")
    post.house.desk.perform("merge", post.house.giulia, [first.id], {"into": second.id})
    assert post.writes("E poi?", subject="Re: Reso", answers="<a@example.com>").id == second.id


def test_people_in_copy_are_proposed_and_no_more(post: Post) -> None:
    headers = f"Cc: Otto <otto@example.net>, rosa@example.com, {SHOP}, Otto <OTTO@example.net>\n"
    ticket = post.writes(headers=headers)
    roles = {row["role"]: row["identity_id"] for row in post.rows("participant", {"ticket_id": ticket.id})}
    assert set(roles) == {"requester", "proposed"}
    (otto,) = post.rows("customer_identity", {"id": roles["proposed"]})
    assert otto["value_norm"] == "otto@example.net"
    answer = post.writes("Io pure", sender=OTTO, answers=post.rows("message_mail")[0]["message_id_norm"])
    assert answer.id == ticket.id and "external" in answer.badges, "named in the conversation: he joins, flagged"
    joined = {row["role"] for row in post.rows("participant", {"ticket_id": ticket.id})}
    assert joined == {"requester", "proposed"}, "and is no more than proposed until an agent confirms him"


def test_a_third_partys_answer_is_internal_and_starts_no_clock(post: Post) -> None:
    ticket = post.becomes(post.writes(message_id="<a@example.com>"), "on_hold")
    courier = post.writes("Altro", sender="Courier <desk@courier.example>", subject="Altro")
    with post.house.store.transaction() as tx:
        identity = tx.rows("customer_identity", {"value_norm": "desk@courier.example"})[0]
        values = {"ticket_id": ticket.id, "identity_id": identity["id"], "role": "third_party"}
        tx.apply(Plan(silent=(Insert("participant", values),), undoable=False), MAIL, new_action_id())
    joined = post.writes("Lo troviamo domani", sender="Courier <desk@courier.example>", answers="<a@example.com>")
    assert (joined.id, joined.status, joined.waiting_since) == (ticket.id, "open", None)
    assert post.messages(ticket)[-1]["direction"] == "internal"
    assert post.unanswered() == {courier.id}


def test_a_mail_goes_by_the_address_that_was_written_to_not_by_the_box_that_was_read_first(post: Post) -> None:
    values = {
        "address": "verkauf@bottega.example",
        "name": "B",
        "shop_name": "B",
        "language": "de",
        "zone": "Europe/Berlin",
    }
    other = post.house.desk.save_mailbox(post.house.giulia, values)
    assert post.writes("xyz", to="Verkauf <verkauf@bottega.example>").mailbox_id == other.id
    assert post.writes("abc", sender=OTTO, to="undisclosed-recipients:;").mailbox_id == post.house.mailbox_id


def test_a_customers_merge_is_followed(post: Post) -> None:
    rosa = post.writes("Uno", subject="A").customer_id
    otto = post.writes("Due", subject="B", sender=OTTO).customer_id
    with post.house.store.transaction() as tx:
        merged = Update("customer", {"id": otto}, {"merged_into": None}, {"merged_into": rosa})
        tx.apply(Plan(silent=(merged,), undoable=False), MAIL, new_action_id())
    assert post.writes("Tre", subject="C", sender=OTTO).customer_id == rosa


def test_every_mail_leaves_one_action_that_says_why(post: Post) -> None:
    ticket = post.writes(message_id="<a@example.com>")
    post.writes("Ancora", answers="<a@example.com>")
    events = post.house.desk.read.events(ticket_id=TicketId(ticket.id))
    assert [(event.actor_kind, event.kind) for event in events] == [("mail", "created"), ("mail", "received")]
    assert len({event.action_id for event in events}) == 2
    assert [row["evidence"]["key"] for row in post.messages(ticket)] == ["none", "message_id"]
