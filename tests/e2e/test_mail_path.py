"""The path of one mail on real servers: in, answered, threaded back; refused, bounced, deferred; found in Sent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.processed_mail import ProcessedMail
from supportdesk.mail.parse import parse
from tests.e2e.shop import Shop, header, open_shop

if TYPE_CHECKING:
    from tests.support.mail_servers import MailServers


@pytest.fixture
def shop(mail_servers: MailServers, mail_user: str, tmp_path: Path) -> Iterator[Shop]:
    with open_shop(mail_servers, mail_user, tmp_path) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _nothing_failed(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert errors == []


def test_a_reply_lands_in_the_customers_mailbox_and_his_answer_joins_the_ticket(shop: Shop) -> None:
    with shop.worker():
        asked = shop.customer_writes("Buongiorno, dov'è il mio ordine 5521?")
        ticket_id = shop.ticket_of(asked)
        row = shop.answer(ticket_id, "Gentile Rosa, il pacco arriva lunedì. È già in città.\n.\nGiulia")
        sent = shop.wait_for_state(row, "sent")
        assert sent.server_reply.startswith("250 ")
        (raw,) = shop.servers.wait_for_messages(shop.customer)
        stdlib, ours = message_from_bytes(raw, policy=policy.default), parse(raw)
        body = stdlib.get_body(("plain",))
        assert body is not None
        for text in (body.get_content(), ours.text):
            assert "il pacco arriva lunedì. È già in città.\n.\nGiulia" in text.replace("\r\n", "\n")
        assert stdlib["Message-ID"] == ours.message_id == sent.message_id_header
        assert (stdlib["In-Reply-To"], stdlib["References"]) == (asked, asked)
        assert stdlib["Subject"] == ours.subject == "Re: Ordine 5521"
        assert stdlib["From"].addresses[0].addr_spec == shop.address
        assert not stdlib.defects
        assert not ours.defects
        for name in ("From", "Date", "Subject", "To", "Message-ID", "MIME-Version"):
            assert len(stdlib.get_all(name) or ()) == 1, f"DKIM signs {name} once"
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
        assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
        answered = shop.customer_writes("Perfetto, aspetto. Ma a che ora?", subject="Re: Ordine 5521", answers=raw)
        assert shop.ticket_of(answered) == ticket_id
        shop.wait_for(lambda: shop.desk.read.ticket(ticket_id).status == "open", "the ticket to open")
        assert shop.desk.read.ticket(ticket_id).waiting_since is not None
        keys = [entry.evidence.get("key") for entry in shop.desk.read.thread(ticket_id)]
        assert keys[-1] == "signed_message_id"


@pytest.mark.parametrize(
    ("local", "code", "state"),
    [("gone", "550 5.1.1", "failed"), ("full", "452 4.2.2", "deferred"), ("grey", "451 4.7.1", "deferred")],
)
def test_a_refused_recipient_shows_the_servers_words(shop: Shop, local: str, code: str, state: str) -> None:
    with shop.worker():
        # The address is on our own domain, which is why the desk must take it for a customer's.
        ticket_id = shop.ticket_of(shop.customer_writes("Dov'è?", sender=f"{local}@example.test"))
        row = shop.wait_for_state(shop.answer(ticket_id, "Arriva."), "failed", "deferred")
    assert (row.state, row.recipients[0].state) == (state, state)
    assert row.recipients[0].detail.startswith(code)
    ticket = shop.desk.read.ticket(ticket_id)
    assert state in ticket.badges
    assert (ticket.waiting_since is not None) == (state == "failed")
    entry = shop.desk.read.thread(ticket_id)[-1]
    assert (entry.state, entry.recipients[0].detail.startswith(code)) == (state, True)


def test_a_bounce_that_comes_later_puts_the_customer_back_and_names_the_reason(shop: Shop) -> None:
    with shop.worker():
        ticket_id = shop.ticket_of(shop.customer_writes("Dov'è?", sender="late-bounce@customer.test"))
        row = shop.wait_for_state(shop.answer(ticket_id, "Arriva."), "bounced")
    assert row.recipients[0].state == "bounced"
    assert "5.1.1" in row.recipients[0].detail
    ticket = shop.desk.read.ticket(ticket_id)
    assert (ticket.status, "bounced" in ticket.badges, ticket.waiting_since is not None) == ("open", True, True)
    assert [entry.kind for entry in shop.desk.read.thread(ticket_id)] == ["mail", "mail", "bounce"]
    assert len(shop.servers.messages(shop.user)) == 2, "the bounce is in our mailbox, as a report"


@pytest.mark.slow
def test_mail_that_the_next_server_defers_until_it_expires_comes_back_as_a_bounce(shop: Shop) -> None:
    with shop.worker():
        ticket_id = shop.ticket_of(shop.customer_writes("Dov'è?", sender="late-defer@customer.test"))
        row = shop.answer(ticket_id, "Arriva.")
        shop.wait_for_state(row, "sent")
        shop.wait_for(lambda: shop.desk.outbox_row(row.id).state == "bounced", "the queue to give up", seconds=180)
    assert shop.desk.read.ticket(ticket_id).waiting_since is not None


def test_a_copy_is_stored_in_sent_once_and_is_an_echo_when_it_is_read(shop: Shop) -> None:
    from supportdesk.desk.sent_folder import look_into_sent

    with shop.worker():
        ticket_id = shop.ticket_of(shop.customer_writes("Dov'è?"))
        row = shop.wait_for_state(shop.answer(ticket_id, "Arriva."), "sent")
    later = _an_hour_later(shop)
    assert look_into_sent(later, shop.engine.servers) == {"appended": 1}
    assert look_into_sent(later, shop.engine.servers) == {}
    (copy,) = shop.servers.messages(shop.user, "Sent")
    assert header(copy, "Message-ID") == row.message_id_header
    shop.fetch()
    audit = {line["role"]: line for line in shop.desk.read.audit()}
    assert (audit["sent"]["rows"], audit["sent"]["echo"]) == (1, 1)
    assert len(shop.desk.read.thread(ticket_id)) == 2


def test_a_reply_in_doubt_that_is_in_sent_was_sent(shop: Shop) -> None:
    from supportdesk.desk.delivery_verdicts import write_verdict
    from supportdesk.desk.sent_folder import look_into_sent
    from supportdesk.mail.model import SendResult

    shop.customer_writes("Dov'è?")
    shop.servers.wait_for_messages(shop.user)
    shop.fetch()
    ticket_id = shop.desk.read.queue_ids("needs_reply", agent_id=None, now=shop.desk.clock.now())[0]
    row = shop.answer(ticket_id, "Arriva.")
    with shop.desk.store.transaction() as tx:
        stored = tx.row("outbox", {"id": row.id})
        assert stored is not None
        write_verdict(tx, stored, SendResult("uncertain", "dot_sent", "Connection lost"))
    assert look_into_sent(shop.desk, shop.engine.servers) == {}
    assert shop.desk.outbox_row(row.id).state == "uncertain"
    message_id = shop.desk.outbox_row(row.id).message_id_header
    shop.servers.append(shop.user, f"Message-ID: {message_id}\nSubject: x\n\nArriva.\n".encode(), mailbox="Sent")
    assert look_into_sent(shop.desk, shop.engine.servers) == {"confirmed": 1}
    assert shop.desk.outbox_row(row.id).state == "sent"
    assert shop.desk.read.ticket(ticket_id).waiting_since is None


def test_nothing_is_changed_in_the_mailbox_by_reading_it(shop: Shop) -> None:
    shop.customer_writes("Dov'è?")
    shop.servers.wait_for_messages(shop.user)
    assert shop.fetch() == 1
    assert shop.fetch() == 0
    assert shop.servers.flags(shop.user) == [frozenset()] or shop.servers.flags(shop.user) == [frozenset({r"\Recent"})]


def test_another_uidvalidity_brings_no_mail_in_twice(shop: Shop) -> None:
    for number in range(3):
        shop.customer_writes(f"Numero {number}", subject=f"Tema {number}")
    shop.servers.wait_for_messages(shop.user, 3)
    assert shop.fetch() == 3
    shop.servers.doveadm("mailbox", "update", "-u", shop.user, "--uid-validity", "4242", "INBOX")
    assert shop.fetch() == 0, "what is known is linked, not fetched again"
    assert len(shop.desk.read.rows("ticket")) == 3
    outcomes = [row["outcome"] for row in shop.desk.read.rows("delivery", order="id")]
    assert outcomes == ["message"] * 3 + ["duplicate"] * 3


def test_mail_comes_at_once_while_the_worker_listens_and_after_its_connection_was_cut(shop: Shop) -> None:
    with shop.worker():
        first = shop.ticket_of(shop.customer_writes("Uno", subject="A"))
        shop.servers.doveadm("kick", shop.user)
        second = shop.ticket_of(shop.customer_writes("Due", subject="B"))
    assert first != second
    assert shop.desk.mailbox(shop.mailbox_id).state == "active"


def _an_hour_later(shop: Shop):
    from datetime import timedelta

    from supportdesk.desk.desk import Desk

    class Later:
        def now(self):
            return shop.desk.clock.now() + timedelta(hours=1)

    return Desk(shop.desk.store, Later())  # type: ignore[arg-type]


@pytest.mark.parametrize("manner", ["leave", "seen", "keyword", "move:Fatto"])
def test_sync_11_processed_mail_of_each_watched_folder_is_treated_as_the_mailbox_wants_it(
    shop: Shop, manner: str
) -> None:
    """SYNC-11, SYNC-12: two folders on Dovecot; nobody else's mark is touched and nothing comes in twice."""
    for folder in ("Ordini", "Fatto"):
        shop.servers.doveadm("mailbox", "create", "-u", shop.user, folder)
    shop.desk.save_mailbox(
        shop.agent, {"id": shop.mailbox_id, "settings": {"folders": ["Ordini"], "processed": manner}}
    )
    watched = ("INBOX", "Ordini")
    for folder in watched:
        head = f"From: rosa@customer.test\nSubject: Dov'è?\nMessage-ID: <{folder}-{shop.user}@customer.test>\n"
        shop.servers.append(shop.user, f"{head}\n{folder}\n".encode(), mailbox=folder, flags=r"(\Flagged)")
    assert shop.fetch() == 2
    processed = ProcessedMail(shop.desk.read, shop.desk.mailbox(shop.mailbox_id))
    source = shop.engine.servers.source(shop.mailbox_id)
    try:
        assert [processed.treat(source) for _again in range(2)] == [0 if manner == "leave" else 2, 0]
    finally:
        source.close()
    marks = {"leave": set(), "seen": {r"\Seen"}, "keyword": {"$Supportdesk"}}.get(manner)
    left = [flags - {r"\Recent"} for folder in watched for flags in shop.servers.flags(shop.user, folder)]
    assert left == ([] if marks is None else [{r"\Flagged"} | marks] * 2)
    assert len(shop.servers.messages(shop.user, "Fatto")) == (2 if marks is None else 0)
    assert shop.fetch() == 0
    assert len(shop.desk.read.rows("ticket")) == 2
    assert not any(row["unprocessed"] for row in shop.desk.read.audit())
