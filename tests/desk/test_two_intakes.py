"""Two processes read mail at once (a worker and `mail fetch`): each finds what the other is about to write."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from supportdesk.desk import intake
from supportdesk.desk.intake import Intake
from tests.support.post import mail
from tests.support.processes import wait_until
from tests.support.waiting import somebody_waits

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from supportdesk.desk.model import MailboxId
    from tests.support.post import Post

SECONDS = 60


def second_mailbox(post: Post) -> MailboxId:
    values = {"address": "verkauf@bottega.example", "name": "Bottega DE", "shop_name": "Bottega", "language": "de"}
    return post.house.desk.save_mailbox(post.house.giulia, {**values, "zone": "Europe/Berlin"}).id


def read_at_once(post: Post, monkeypatch: pytest.MonkeyPatch, mailboxes: tuple[MailboxId, MailboxId]) -> None:
    """The first mailbox's mail is written and not committed yet when the second one's is read."""
    written, second_done = threading.Event(), threading.Event()
    original: Callable[..., None] = vars(intake)["acknowledge"]

    def hold_back(tx: Any, arrival: Any, *rest: Any) -> None:
        original(tx, arrival, *rest)
        if threading.current_thread().name == "first":
            written.set()
            store = post.house.store
            wait_until(
                lambda: second_done.is_set() or somebody_waits(store), seconds=SECONDS, what="the second one's move"
            )

    monkeypatch.setattr(intake, "acknowledge", hold_back)

    def read(mailbox_id: MailboxId) -> None:
        rows = post.house.store.ledger.unprocessed(10, mailbox_id=mailbox_id)
        reader = Intake(post.house.desk, post.parser, detect=lambda _text: "it")
        sum(reader._process_rows(rows, lambda: False))

    def second() -> None:
        assert written.wait(SECONDS)
        try:
            read(mailboxes[1])
        finally:
            second_done.set()

    threads = [
        threading.Thread(target=read, args=(mailboxes[0],), name="first"),
        threading.Thread(target=second, name="second"),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_ingest_4_a_mail_that_two_processes_read_from_two_mailboxes_is_one_message(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The customer is known: nothing else would make one wait for the other.
    post.writes("Nessun ordine, solo un saluto.", subject="Un saluto")
    other = second_mailbox(post)
    raw = mail("Dove è il mio ordine 5521?", message_id="<both@example.com>")
    post.arrives(raw, read=False)
    post.arrives(raw, read=False, mailbox_id=other)
    read_at_once(post, monkeypatch, (post.house.mailbox_id, other))
    assert len(post.rows("message", {"external_id": "<both@example.com>"})) == 1
    assert sorted(row["outcome"] for row in post.rows("delivery")) == ["duplicate", "message", "message"]


def test_an_answer_read_by_one_process_finds_the_question_that_another_one_reads(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.writes("Nessun ordine, solo un saluto.", subject="Un saluto")
    other = second_mailbox(post)
    post.arrives(mail("Dove è il mio ordine 5521?", message_id="<question@example.com>"), read=False)
    post.arrives(mail("Nessuna notizia?", answers="<question@example.com>"), read=False, mailbox_id=other)
    read_at_once(post, monkeypatch, (post.house.mailbox_id, other))
    tickets = {row["ticket_id"] for row in post.rows("message")}
    assert len(tickets) == 2
