"""A forward by an agent makes the original sender the requester, and nothing else does (mail.md 2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.evidence import explain
from supportdesk.errors import Conflict
from tests.support.post import mail

if TYPE_CHECKING:
    from tests.support.post import Post

ANNA = "Anna Verdi <anna@bottega-staff.example>"
FORWARD = (
    "Puoi guardare tu? Cliente difficile.\n\n---------- Messaggio inoltrato ---------\n"
    "Da: Rosa Bianchi <rosa@example.com>\nData: ven 20 nov 2026 alle ore 09:00\nOggetto: Il mio ordine\n"
    "A: <anna@bottega-staff.example>\n\nDov'è il mio ordine 5521?\n"
)


@pytest.fixture
def forwarding(post: Post) -> Post:
    """Giulia's own address is known."""
    house = post.house
    assert house.giulia.id is not None
    house.desk.set_agent(house.giulia, house.giulia.id, email="anna@bottega-staff.example")
    return post


def forward(text: str = FORWARD, **options: str) -> bytes:
    return mail(text, **{"sender": ANNA, "subject": "Fwd: Il mio ordine", **options})


def test_thread_a_forward_by_an_agent_is_the_original_senders_ticket(forwarding: Post) -> None:
    post = forwarding
    ticket = post.ticket_of(post.arrives(forward()))
    (rosa,) = post.rows("customer_identity", {"customer_id": ticket.customer_id})
    assert (ticket.subject, rosa["value"]) == ("Il mio ordine", "rosa@example.com")
    question, note = post.house.desk.read.thread(ticket.id)
    assert (question.text.strip(), question.author_address) == ("Dov'è il mio ordine 5521?", "rosa@example.com")
    assert (note.kind, note.direction, note.text) == ("note", "internal", "Puoi guardare tu? Cliente difficile.")
    assert note.agent_id == post.house.giulia.id
    assert ticket.id in post.unanswered()
    assert "forwarded it" in " ".join(explain(question.evidence))


@pytest.mark.parametrize(
    "options",
    [
        {"sender": "Anna Verdi <anna@elsewhere.example>"},
        {"subject": "Il mio ordine"},
        {"to": "assistenza+t.1.aaaaaaaaaaaaaaaaaaaa@bottega.example"},
        {"text": "Guarda la foto."},
        {"text": FORWARD.replace("rosa@example.com", "anna@bottega-staff.example")},
        {"text": FORWARD.replace("rosa@example.com", "no-reply@example.com")},
    ],
)
def test_thread_in_doubt_a_forward_stays_the_mail_of_who_sent_it(forwarding: Post, options: dict[str, str]) -> None:
    post = forwarding
    ticket = post.ticket_of(post.arrives(forward(**options)))
    (sender,) = post.rows("customer_identity", {"customer_id": ticket.customer_id})
    assert sender["value"].startswith("anna@")
    assert len(post.messages(ticket)) == 1


@pytest.mark.parametrize(("result", "requester"), [("pass", "rosa@"), ("none", "anna@"), ("fail", "anna@")])
def test_thread_a_forward_is_believed_only_where_our_server_has_nothing_against_it(
    forwarding: Post, result: str, requester: str
) -> None:
    post = forwarding
    box = post.house.desk.mailbox(post.house.mailbox_id)
    changes = {"id": box.id, "settings": {**box.settings, "authserv_id": "mx.bottega.example"}}
    post.house.desk.save_mailbox(post.house.giulia, changes)
    headers = f"Authentication-Results: mx.bottega.example; dmarc={result} header.from=bottega-staff.example\n"
    ticket = post.ticket_of(post.arrives(forward(headers=headers)))
    (sender,) = post.rows("customer_identity", {"customer_id": ticket.customer_id})
    assert sender["value"].startswith(requester)


def test_thread_a_forward_is_an_action_of_the_agent_who_can_undo_it(forwarding: Post) -> None:
    post, desk, giulia = forwarding, forwarding.house.desk, forwarding.house.giulia
    ticket = post.ticket_of(post.arrives(forward()))
    assert desk.undo(giulia).tickets == (ticket.id,)
    (sender,) = post.rows("customer_identity", {"customer_id": desk.read.ticket(ticket.id).customer_id})
    assert sender["value"] == "anna@bottega-staff.example"
    question, note = desk.read.thread(ticket.id)
    assert (question.author_address, question.text.strip()) == (
        "anna@bottega-staff.example",
        "Dov'è il mio ordine 5521?",
    )
    assert note.text == "Puoi guardare tu? Cliente difficile.", "what was said is said"
    roles = {row["role"] for row in post.rows("participant", {"ticket_id": ticket.id})}
    assert roles == {"requester", "proposed"}
    assert ticket.id in post.unanswered()
    with pytest.raises(Conflict):
        desk.undo(giulia)


def test_thread_a_forward_is_undone_after_what_was_done_since(forwarding: Post) -> None:
    post, desk, giulia = forwarding, forwarding.house.desk, forwarding.house.giulia
    ticket = post.ticket_of(post.arrives(forward()))
    assert next(entry.badges for entry in desk.read.thread(ticket.id)) == ("forwarded:Giulia Verdi",)
    desk.perform("tag", giulia, [ticket.id], {"tags": ["reso"]})
    desk.undo(giulia)
    assert desk.read.ticket(ticket.id).customer_id == ticket.customer_id
    desk.undo(giulia)
    assert desk.read.ticket(ticket.id).customer_id != ticket.customer_id
    assert next(entry.badges for entry in desk.read.thread(ticket.id)) == ()


def test_thread_a_forward_that_joins_a_ticket_is_no_action_of_its_own(forwarding: Post) -> None:
    post = forwarding
    first = post.ticket_of(
        post.arrives(mail("Dov'è?", sender="Rosa <rosa@example.com>", message_id="<r1@example.com>"))
    )
    inner = "From: Rosa <rosa@example.com>\nSubject: ancora\nMessage-ID: <r1@example.com>\n\nE adesso?\n"
    parts = f"--B\n\nguarda\n--B\nContent-Type: message/rfc822\n\n{inner}\n--B--\n"
    joined = forward(parts, headers="Content-Type: multipart/mixed; boundary=B\n")
    assert post.ticket_of(post.arrives(joined)).id == first.id
    assert "forwarded" not in {event.kind for event in post.house.desk.read.events(ticket_id=first.id)}
