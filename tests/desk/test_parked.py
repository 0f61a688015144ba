"""Parked mail is looked at and released; a first connection asks before anything enters the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk import first_mail, parked
from supportdesk.desk.housekeeping import keep_house
from supportdesk.desk.intake import Intake
from supportdesk.desk.ports import LedgerItem
from supportdesk.errors import Conflict, NotFound
from supportdesk.mail.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.support.desk import House


class PlainParser:
    """Reads in this process what the tests wrote themselves."""

    def parse(self, raw: bytes, received_at: datetime | None = None) -> Any:
        return parse(raw, received_at)

    def parse_many(self, mails: Any) -> Iterator[Any]:
        for raw, received_at in mails:
            yield parse(raw, received_at)

    def cut_part(self, raw: bytes, part: str) -> bytes:
        raise AssertionError("no part is cut here")


@pytest.fixture
def intake(house: House) -> Intake:
    return Intake(house.desk, PlainParser(), lambda text: "it")


def fetch(house: House, *mails: str, role: str = "inbox", first: int = 1) -> None:
    """Enter mails into the ledger, as a fetch does, one minute after the other."""
    folder = house.store.ledger.folder(house.mailbox_id, role.upper(), role)
    if folder["uidvalidity"] is None:
        house.store.ledger.new_epoch(folder["id"], 9)
    items = []
    for uid, mail in enumerate(mails, start=first):
        raw = mail.strip().replace("\n", "\r\n").encode()
        items.append(LedgerItem(uid, raw, len(raw), house.clock.now()))
        house.pass_time(minutes=1)
    house.store.ledger.record_fetched(folder["id"], 9, items, advance_to=first + len(mails) - 1)


ABSENCE = """
From: Ugo <ugo@example.com>
To: aiuto@bottega.example
Subject: Out of office
Message-ID: <auto@example.com>
Auto-Submitted: auto-replied

Sono in ferie.
"""
QUESTION = """
From: Rosa <rosa@example.com>
To: aiuto@bottega.example
Subject: Il mio ordine
Message-ID: <q1@example.com>

Dove si trova il pacco?
"""
OTHER = QUESTION.replace("q1@", "q2@").replace("Rosa <rosa@", "Ugo <ugo@").replace("ordine", "reso")
LATER = QUESTION.replace("q1@", "q3@").replace("Il mio ordine", "Dopo")
OUR_ANSWER = """
From: aiuto@bottega.example
To: rosa@example.com
Subject: Re: Il mio ordine
Message-ID: <a1@bottega.example>
In-Reply-To: <q1@example.com>

Arriva domani.
"""


def test_parked_mail_that_is_released_becomes_a_waiting_ticket(house: House, intake: Intake) -> None:
    fetch(house, ABSENCE)
    intake.process_all()
    [row] = parked.list_parked(house.desk.read)
    parked.look_at(house.desk, house.luca, [row["delivery_id"]])
    assert parked.list_parked(house.desk.read)[0]["looked_at"] is not None
    parked.release(house.desk, house.luca, [row["delivery_id"]])
    assert parked.list_parked(house.desk.read) == []
    intake.process_all()
    [ticket] = house.desk.read.queue_ids("needs_reply", agent_id=None, now=house.clock.now())
    assert house.ticket(ticket).waiting_since is not None
    [audit] = house.desk.read.audit()
    assert (audit["rows"], audit["message"], audit["parked"], audit["unprocessed"]) == (1, 1, 0, 0)
    with pytest.raises(Conflict):
        parked.release(house.desk, house.luca, [row["delivery_id"]])
    with pytest.raises(NotFound):
        parked.look_at(house.desk, house.luca, [4711])


def unconfirmed(house: House) -> Any:
    box = house.desk.mailbox(house.mailbox_id)
    return house.desk.save_mailbox(house.giulia, {"id": box.id, "settings": {"unconfirmed": True}})


def test_conversations_that_wait_are_counted_with_what_we_answered_elsewhere(house: House, intake: Intake) -> None:
    box = unconfirmed(house)
    fetch(house, QUESTION, OTHER, ABSENCE)
    fetch(house, OUR_ANSWER, role="sent")
    assert intake.process_all() == 0
    counted = first_mail.count_waiting(house.desk, PlainParser(), box)
    assert (counted.mails, counted.conversations, counted.waiting) == (4, 2, 1)


@pytest.mark.parametrize(("enter", "waiting"), [(True, 2), (False, 0)])
def test_what_waits_enters_the_queue_only_if_the_admin_says_so(
    house: House, intake: Intake, enter: bool, waiting: int
) -> None:
    box = unconfirmed(house)
    fetch(house, QUESTION, OTHER)
    saved = first_mail.confirm(house.desk, house.giulia, box, enter=enter)
    assert "unconfirmed" not in saved.settings
    assert (saved.start_at is not None) == (not enter)
    assert intake.process_all() == 2
    now = house.clock.now()
    assert len(house.desk.read.queue_ids("needs_reply", agent_id=None, now=now)) == waiting
    assert len(house.desk.read.queue_ids("all", agent_id=None, now=now)) == 2


class Dies(BaseException):
    """The process is gone: nothing after it runs."""


def test_a_no_that_broke_off_is_finished_by_the_worker_and_nobody_is_asked_again(
    house: House, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = unconfirmed(house)
    fetch(house, QUESTION, OTHER, ABSENCE)
    write, written = first_mail._make_history, list[int]()

    def one_and_die(tx: Any, delivery_ids: Any) -> None:
        if written:
            raise Dies
        written.extend(delivery_ids)
        write(tx, delivery_ids)

    with monkeypatch.context() as patched:
        patched.setattr(first_mail, "AT_ONCE", 1)
        patched.setattr(first_mail, "_make_history", one_and_die)
        with pytest.raises(Dies):
            first_mail.confirm(house.desk, house.giulia, box, enter=False)
    assert len(written) == 1 and intake.process_all() == 0, "what is decided is not in the queue meanwhile"

    house.pass_time(minutes=1)
    fetch(house, LATER, first=4)  # it came after the word: new mail
    keep_house(house.desk)
    assert "unconfirmed" not in house.desk.mailbox(box.id).settings
    assert intake.process_all() == 4
    [ticket] = house.desk.read.queue_ids("needs_reply", agent_id=None, now=house.clock.now())
    assert house.ticket(ticket).subject == "Dopo"
    late = first_mail.confirm(house.desk, house.giulia, box, enter=True)
    assert late.start_at is not None, "the first word counts"
