"""The Sent folder: a copy where the provider keeps none, proof for replies in doubt, never a second sending."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk import sent_folder
from supportdesk.desk.delivery import due_rows
from supportdesk.desk.delivery_verdicts import retry_after, write_verdict
from supportdesk.desk.fetch import note_health
from supportdesk.desk.model import WORKER, MailboxId, Server
from supportdesk.desk.ports import Plan, Update
from supportdesk.desk.sent_folder import look_into_sent
from supportdesk.desk.settings import new_action_id
from supportdesk.errors import ConnectionFailed
from supportdesk.mail.model import Address, FolderInfo, RecipientResult, SendResult

if TYPE_CHECKING:
    from supportdesk.desk.model import OutboxRow
    from tests.support.desk import House


@dataclass
class SentFolder:
    """A server's Sent folder by Message-ID; `refuses` appends while it is set. Serves as the source and as servers."""

    kept: list[str] = field(default_factory=list)
    there: bool = True
    refuses: bool = False
    appended: list[bytes] = field(default_factory=list)
    searches: int = 0

    def source(self, mailbox_id: MailboxId) -> SentFolder:
        return self

    def folders(self) -> list[FolderInfo]:
        return [FolderInfo("INBOX", "inbox"), *([FolderInfo("Inviata", "sent")] if self.there else [])]

    def find_message_id(self, folder: str, message_id: str) -> list[int]:
        assert folder == "Inviata"
        self.searches += 1
        return [1] if message_id in self.kept else []

    def append(self, folder: str, data: bytes, at: datetime) -> None:
        if self.refuses:
            raise ConnectionFailed("over quota")
        self.appended.append(data)

    def close(self) -> None: ...


@pytest.fixture
def folder() -> SentFolder:
    return SentFolder()


def look(house: House, folder: SentFolder) -> dict[str, int]:
    return dict(look_into_sent(house.desk, folder))  # type: ignore[arg-type]


def replied(house: House, verdict: str = "sent", **mailbox: Any) -> OutboxRow:
    """A reply with that verdict, half a minute ago."""
    server = Server("localhost", 1143, "none", "aiuto")
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "imap": server, **mailbox})
    row = house.reply(house.customer_writes(), undo_seconds=0)
    sha = house.desk.blobs.put(b"Subject: the bytes\r\n\r\n")
    with house.store.transaction() as tx:
        built = Update("outbox", {"id": row.id}, {}, {"built_sha": sha})
        tx.apply(Plan(silent=(built,), undoable=False), WORKER, new_action_id())
        stored = tx.row("outbox", {"id": row.id})
        assert stored is not None
        write_verdict(tx, stored, SendResult(verdict, "dot_sent", "words"))
    house.pass_time(seconds=31)
    return house.desk.outbox_row(row.id)


def copy_of(house: House, row: OutboxRow) -> str:
    return str(house.desk.read.rows("outbox", {"id": row.id})[0]["sent_copy"])


def test_a_copy_is_stored_where_the_provider_keeps_none(house: House, folder: SentFolder) -> None:
    """SYNC-13."""
    row = replied(house)
    assert look(house, folder) == {"appended": 1}
    assert (copy_of(house, row), folder.appended) == ("appended", [b"Subject: the bytes\r\n\r\n"])
    assert look(house, folder) == {}


def test_a_copy_that_the_provider_keeps_is_enough(house: House, folder: SentFolder) -> None:
    """SYNC-13: never a second copy."""
    row = replied(house)
    folder.kept.append(row.message_id_header)
    assert look(house, folder) == {"found": 1}
    assert folder.appended == []


def test_a_copy_that_is_refused_never_touches_the_reply_and_is_given_up_after_a_day(
    house: House, folder: SentFolder
) -> None:
    """SYNC-13: a failing APPEND never sends again."""
    row, folder.refuses = replied(house), True
    assert look(house, folder) == {"interrupted": 1}
    assert (house.desk.outbox_row(row.id).state, copy_of(house, row)) == ("sent", "pending")
    house.pass_time(days=2)
    assert look(house, folder) == {"failed": 1}
    assert house.desk.outbox_row(row.id).state == "sent"


def test_without_a_sent_folder_there_is_no_copy(house: House, folder: SentFolder) -> None:
    replied(house)
    folder.there = False
    assert look(house, folder) == {"failed": 1}


def test_a_mailbox_can_do_without_copies(house: House, folder: SentFolder) -> None:
    replied(house, settings={"sent_copy": "none"})
    assert look(house, folder) == {}


def test_copies_that_nobody_can_store_do_not_keep_the_others_waiting(
    house: House, folder: SentFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_folder, "ROWS", 2)
    for _ in range(3):
        replied(house, settings={"sent_copy": "none"})
    server = Server("localhost", 1143, "none", "ordini")
    values = {"address": "ordini@bottega.example", "name": "B", "shop_name": "B", "language": "it", "imap": server}
    other = house.desk.save_mailbox(house.giulia, {**values, "zone": "Europe/Rome"})
    row = replied(house)
    with house.store.transaction() as tx:
        moved = Update("outbox", {"id": row.id}, {}, {"mailbox_id": other.id})
        tx.apply(Plan(silent=(moved,), undoable=False), WORKER, new_action_id())
    assert look(house, folder) == {"appended": 1}
    assert copy_of(house, row) == "appended"


def test_a_refused_login_is_not_tried_again_here(house: House, folder: SentFolder) -> None:
    row = replied(house)
    note_health(house.store, house.mailbox_id, "login refused")
    assert look(house, folder) == {}
    note_health(house.store, house.mailbox_id, "")
    assert look(house, folder) == {"appended": 1}
    assert copy_of(house, row) == "appended"


def test_only_what_lies_in_sent_settles_a_doubt(house: House, folder: SentFolder) -> None:
    row = replied(house, "uncertain")
    assert look(house, folder) == {}
    assert house.desk.outbox_row(row.id).state == "uncertain"
    folder.kept.append(row.message_id_header)
    assert look(house, folder) == {"confirmed": 1}
    assert house.desk.outbox_row(row.id).state == "sent"
    assert house.ticket(row.ticket_id).waiting_since is None
    assert "uncertain" not in house.ticket(row.ticket_id).badges


@pytest.mark.parametrize("by_hand", [False, True], ids=["found in Sent", "by hand"])
def test_out_6_whom_the_server_put_off_is_tried_again_when_the_others_have_it(
    house: House, folder: SentFolder, by_hand: bool
) -> None:
    """One recipient was greylisted at RCPT, then the connection broke after the final dot."""
    replied(house)  # the mailbox has a server
    to = (Address("Rosa", "rosa@example.com"), Address("Ugo", "ugo@example.com"))
    draft = house.draft(house.customer_writes())
    draft = house.desk.save_draft(house.giulia, draft.id, draft.version, to=to)
    house.desk.send(house.giulia, draft.id, seen_seq=draft.seen_seq, undo_seconds=0)
    put_off = RecipientResult("ugo@example.com", "deferred", "451 4.7.1 greylisted")
    with house.store.transaction() as tx:
        stored = tx.row("outbox", {"id": draft.id})
        assert stored is not None
        write_verdict(tx, stored, SendResult("uncertain", "dot_sent", "no answer", (put_off,)))
    if by_hand:
        house.desk.resolve_uncertain(house.giulia, draft.id, "mark_sent")
    else:
        folder.kept.append(house.desk.outbox_row(draft.id).message_id_header)
        assert look(house, folder)["confirmed"] == 1
    row = house.desk.outbox_row(draft.id)
    assert row.state == "deferred"
    assert {one.address: one.state for one in row.recipients} == {
        "rosa@example.com": "accepted", "ugo@example.com": "deferred"
    }  # fmt: skip
    house.pass_time(minutes=61)
    assert [one["id"] for one in due_rows(house.desk.read, house.clock.now())] == [draft.id]


def test_out_6_a_doubt_is_looked_for_each_minute_for_ten_minutes_then_hourly(house: House, folder: SentFolder) -> None:
    row, looked, asked = replied(house, "uncertain"), dict[int, datetime](), list[int]()
    for minute in range(125):
        before = folder.searches
        look_into_sent(house.desk, folder, looked=looked)  # type: ignore[arg-type]
        asked += [minute] * (folder.searches - before)
        house.pass_time(minutes=1)
    assert asked == [*range(10), 69]
    folder.kept.append(row.message_id_header)
    look_into_sent(house.desk, folder, looked={})  # type: ignore[arg-type]
    assert house.desk.outbox_row(row.id).state == "sent", "a worker that starts looks at once"


def test_out_6_what_is_sent_again_keeps_its_message_id_and_its_bytes(house: House) -> None:
    row = replied(house, "uncertain")
    house.desk.resolve_uncertain(house.anna, row.id, "resend")
    again = house.desk.outbox_row(row.id)
    assert (again.message_id_header, again.built_sha) == (row.message_id_header, row.built_sha)
    assert again.state in ("held", "deferred")


@pytest.mark.parametrize(("attempts", "minutes"), [(0, 1), (1, 1), (2, 5), (3, 15), (4, 60), (5, 60), (40, 60)])
def test_retries_come_after_1_5_15_60_minutes_and_then_hourly(attempts: int, minutes: int) -> None:
    assert retry_after(attempts).total_seconds() == minutes * 60
