"""What becomes of processed mail on the server: the mailbox's policy, after the outcome, for new mail only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.ports import LedgerItem
from supportdesk.desk.processed_mail import ProcessedMail
from supportdesk.errors import ConfigError
from supportdesk.mail.model import FolderInfo, FolderState

if TYPE_CHECKING:
    from tests.support.desk import House


class Inbox:
    """A server's inbox that notes how its mail is marked."""

    def __init__(self, uids: Sequence[int], *others: str) -> None:
        self.uids = list(uids)
        self.others = others
        self.marked: list[tuple[list[int], str, str]] = []

    def folders(self) -> list[FolderInfo]:
        return [FolderInfo("INBOX", "inbox"), *(FolderInfo(name, "other") for name in self.others)]

    def select(self, folder: str) -> FolderState:
        assert folder == "INBOX"
        return FolderState(7, max(self.uids, default=0) + 1, len(self.uids))

    def uids_from(self, uid: int) -> list[int]:
        return [one for one in self.uids if one >= uid]

    def mark(self, uids: Sequence[int], policy: str, target: str = "") -> None:
        self.marked.append((list(uids), policy, target))
        if policy == "move":
            self.uids = [uid for uid in self.uids if uid not in uids]


def fetched(house: House, *uids: int, historic: bool = False) -> int:
    ledger = house.store.ledger
    folder = ledger.folder(house.mailbox_id, "INBOX", "inbox")
    if folder["uidvalidity"] != 7:
        ledger.new_epoch(folder["id"], 7)
    mails = [LedgerItem(uid, b"mail %d" % uid, 6, house.desk.clock.now(), historic=historic) for uid in uids]
    ledger.record_fetched(folder["id"], 7, mails, advance_to=max(uids))
    return int(folder["id"])


def settled(house: House, folder: int, *uids: int, outcome: str = "parked") -> None:
    from supportdesk.desk.model import WORKER
    from supportdesk.desk.ports import Plan, Update
    from supportdesk.desk.settings import new_action_id

    with house.store.transaction() as tx:
        now = {"outcome": outcome, "processed_at": tx.now}
        changes = tuple(Update("delivery", {"folder_id": folder, "uid": uid}, {}, now) for uid in uids)
        tx.apply(Plan(silent=changes, undoable=False), WORKER, new_action_id())


def processed(house: House, policy: Any) -> ProcessedMail:
    box = house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "settings": {"processed": policy}})
    return ProcessedMail(house.desk.read, box)


def test_mail_is_marked_after_its_outcome_and_once(house: House) -> None:
    """INGEST-2, SYNC-11: the server is touched after the commit only."""
    server, folder = Inbox([1, 2, 3]), fetched(house, 1, 2, 3)
    mail = processed(house, "seen")
    assert mail.treat(server) == 0  # type: ignore[arg-type]
    settled(house, folder, 1, 3)
    assert mail.treat(server) == 2  # type: ignore[arg-type]
    settled(house, folder, 2, outcome="duplicate")
    assert mail.treat(server) == 1  # type: ignore[arg-type]
    assert mail.treat(server) == 0  # type: ignore[arg-type]
    assert server.marked == [([1, 3], "seen", ""), ([2], "seen", "")]


def test_history_and_mail_of_another_numbering_stay_as_they_are(house: House) -> None:
    server, folder = Inbox([1, 2]), fetched(house, 1, historic=True)
    fetched(house, 2)
    settled(house, folder, 1, 2)
    server.uids.append(9)  # not taken over yet
    assert processed(house, "keyword").treat(server) == 1  # type: ignore[arg-type]
    assert server.marked == [([2], "keyword", "")]


def test_mail_is_moved_into_the_folder_that_is_named(house: House) -> None:
    server, folder = Inbox([1], "Fatto"), fetched(house, 1)
    settled(house, folder, 1)
    assert processed(house, "move:Fatto").treat(server) == 1  # type: ignore[arg-type]
    assert server.marked == [([1], "move", "Fatto")]
    assert server.uids == []


def test_by_default_nothing_is_touched(house: House) -> None:
    """SYNC-11: leave."""
    server, folder = Inbox([1]), fetched(house, 1)
    settled(house, folder, 1)
    assert processed(house, None).treat(server) == 0  # type: ignore[arg-type]
    assert server.marked == []


@pytest.mark.parametrize(
    ("policy", "says"),
    [("move:Altrove", "no folder Altrove"), ("delete", "delete"), ("move", "move"), ("seen:x", "seen:x")],
)
def test_a_policy_that_cannot_be_followed_is_named(house: House, policy: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        processed(house, policy).treat(Inbox([1]))  # type: ignore[arg-type]
