"""A folder that is numbered anew: what is known is not fetched again, whatever else is there is (SYNC-5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.desk.fetch import Fetcher
from supportdesk.mail.model import FetchedMail, FolderInfo, FolderState
from tests.support.post import mail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.post import Post

AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Server:
    """One folder of a server that has been moved: other UIDs, the same mails."""

    def __init__(self, mails: dict[int, tuple[bytes, str, datetime]]) -> None:
        self.mails = mails
        self.fetched: list[int] = []

    def folders(self) -> list[FolderInfo]:
        return [FolderInfo("INBOX", "inbox")]

    def select(self, _folder: str) -> FolderState:
        return FolderState(77, max(self.mails) + 1, len(self.mails))

    def uids_from(self, uid: int) -> list[int]:
        return sorted(known for known in self.mails if known >= uid)

    def identities(self, uids: Sequence[int]) -> dict[int, tuple[str, int, datetime]]:
        return {uid: (self.mails[uid][1], len(self.mails[uid][0]), self.mails[uid][2]) for uid in uids}

    def dates(self, uids: Sequence[int]) -> dict[int, datetime]:
        return {uid: self.mails[uid][2] for uid in uids}

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        for uid in uids:
            self.fetched.append(uid)
            yield FetchedMail(uid, self.mails[uid][0], len(self.mails[uid][0]), self.mails[uid][2])


def letter(number: int, text: str = "Dov'è?") -> tuple[bytes, str, datetime]:
    name = f"<n{number}@example.com>"
    return mail(f"{text} {number}", message_id=name), name, AT


def fetch(post: Post, server: Any) -> int:
    box = post.house.desk.mailbox(post.house.mailbox_id)
    return Fetcher(post.house.store.ledger, box).run_pass(server).fetched


@pytest.fixture
def taken(post: Post) -> Post:
    post.arrives(*(letter(number)[0] for number in range(1, 6)), at=AT)
    return post


def test_sync_5_mail_that_has_its_outcome_is_linked_and_not_fetched(taken: Post) -> None:
    server = Server({100 + number: letter(number) for number in range(1, 7)})
    assert fetch(taken, server) == 1
    assert server.fetched == [106], "the one that came meanwhile"
    taken.read()
    rows = taken.rows("delivery", {"uidvalidity": 77})
    assert [(row["uid"], row["outcome"], row["reason"]) for row in rows[:-1]] == [
        (100 + number, "duplicate", "renumbered") for number in range(1, 6)
    ]
    earlier = {row["raw_sha"]: row["message_id"] for row in taken.rows("delivery", {"uidvalidity": 1})}
    assert {row["raw_sha"]: row["message_id"] for row in rows[:-1]} == earlier, "nothing is lost, nothing doubled"
    assert len(taken.rows("message")) == 6
    assert taken.rows("folder")[0]["last_uid"] == 106
    assert fetch(taken, server) == 0


def test_sync_5_another_date_size_or_id_is_fetched_and_known_by_its_content(taken: Post) -> None:
    raw, name, _at = letter(1)
    other_date = raw, name, datetime(2026, 11, 21, tzinfo=UTC)
    without_id = raw, "", AT
    other_content = letter(2, "Altro")[0], "<n2@example.com>", AT
    server = Server({11: other_date, 12: without_id, 13: other_content, 14: letter(3)})
    assert fetch(taken, server) == 3 and server.fetched == [11, 12, 13]
    assert taken.rows("folder")[0]["last_uid"] == 14
    taken.read()
    outcomes = {row["uid"]: (row["outcome"], row["reason"]) for row in taken.rows("delivery", {"uidvalidity": 77})}
    assert outcomes[11] == outcomes[12] == ("duplicate", "same_content")
    assert outcomes[13][0] == "message" and outcomes[14] == ("duplicate", "renumbered")


def test_sync_5_mail_without_an_outcome_yet_is_fetched(post: Post) -> None:
    post.arrives(letter(1)[0], at=AT, read=False)
    server = Server({11: letter(1)})
    assert fetch(post, server) == 1
    post.read()
    assert len(post.rows("message")) == 1


def test_sync_5_of_two_mails_that_look_alike_neither_is_taken_for_the_other(post: Post) -> None:
    for text in ("Dove?", "Quale"):
        post.arrives(letter(1, text)[0], at=AT)
    server = Server({11: letter(1, "Dove?"), 12: letter(1, "Quale")})
    assert len({len(raw) for raw, _name, _at in server.mails.values()}) == 1
    assert fetch(post, server) == 2
