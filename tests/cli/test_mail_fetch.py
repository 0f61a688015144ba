"""`supportdesk mail fetch` over several mailboxes: one that fails neither hides nor stops the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.model import Server
from supportdesk.errors import CommandRefused, ConfigError, ConnectionFailed, LoginRefused
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState

if TYPE_CHECKING:
    from tests.cli.conftest import Run
    from tests.support.desk import House

AT = datetime(2026, 3, 1, tzinfo=UTC)
MAIL = b"From: Rosa <rosa@example.com>\r\nTo: help@bottega.example\r\nSubject: Ordine\r\n\r\nDov'e il pacco?\r\n"


class Box:
    """A server with one mail in its inbox, and a second folder that does not open."""

    def folders(self) -> list[FolderInfo]:
        return [FolderInfo("INBOX", "inbox"), FolderInfo("Ordini", "other")]

    def select(self, folder: str) -> FolderState:
        if folder == "Ordini":
            raise CommandRefused("Ordini: permission denied")
        return FolderState(7, 2, 1)

    def uids_from(self, uid: int) -> list[int]:
        return [1] if uid <= 1 else []

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        return dict.fromkeys(uids, AT)

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        yield from (FetchedMail(uid, MAIL, len(MAIL), AT) for uid in uids)

    def close(self) -> None: ...


@pytest.fixture
def boxes(shop: House, monkeypatch: pytest.MonkeyPatch) -> dict[int, Exception | Box]:
    """What the connection to each mailbox gives, by its id."""
    given: dict[int, Exception | Box] = {}

    def source(_servers: Any, mailbox_id: int) -> Box:
        found = given[mailbox_id]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("supportdesk.bootstrap.ServerConnections.source", source)
    return given


@pytest.mark.parametrize(
    ("failure", "code"),
    [(ConfigError("no password for it"), 2), (LoginRefused("refused"), 2), (ConnectionFailed("away"), 3)],
)
def test_sync_9_one_mailbox_that_fails_does_not_keep_the_others_mail_waiting(
    shop: House, supportdesk: Run, boxes: dict[int, Exception | Box], failure: Exception, code: int
) -> None:
    server = Server("localhost", 1, "none", "help")
    first = shop.desk.save_mailbox(shop.giulia, {"id": shop.mailbox_id, "imap": server})
    other = shop.desk.save_mailbox(shop.giulia, {"address": "help@bottega.example", "imap": server})
    boxes |= {first.id: failure, other.id: Box()}
    result = supportdesk("mail", "fetch", "--json")
    assert result.code == code
    assert {one["mailbox"]: one["fetched"] for one in result.json()["mailboxes"]} == {
        first.address: 0,
        other.address: 1,
    }
    assert result.json()["processed"] == 1


def test_sync_9_the_worst_code_is_what_it_ends_with(
    shop: House, supportdesk: Run, boxes: dict[int, Exception | Box]
) -> None:
    server = Server("localhost", 1, "none", "help")
    first = shop.desk.save_mailbox(shop.giulia, {"id": shop.mailbox_id, "imap": server})
    other = shop.desk.save_mailbox(shop.giulia, {"address": "help@bottega.example", "imap": server})
    boxes |= {first.id: ConfigError("no password for it"), other.id: ConnectionFailed("away")}
    assert supportdesk("mail", "fetch").code == ConnectionFailed.exit_code


def test_sync_12_a_folder_that_does_not_open_is_said_and_the_inbox_is_read(
    shop: House, supportdesk: Run, boxes: dict[int, Exception | Box]
) -> None:
    server, settings = Server("localhost", 1, "none", "help"), {"folders": ["Ordini"]}
    box = shop.desk.save_mailbox(shop.giulia, {"id": shop.mailbox_id, "imap": server, "settings": settings})
    boxes[box.id] = Box()
    result = supportdesk("mail", "fetch")
    assert result.code == ConnectionFailed.exit_code
    assert "permission denied" in result.out + result.err
    assert len(shop.desk.read.rows("delivery", {"outcome": "message"})) == 1
