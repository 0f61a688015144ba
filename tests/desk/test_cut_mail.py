"""A mail that was too large is taken by its first parts, and as a whole when somebody asks (INGEST-7)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from supportdesk.config import Config
from supportdesk.desk import fetch_requests
from supportdesk.desk.cut_mail import ask_for_whole, cut_mails, fetch_whole
from supportdesk.desk.fetch import Fetcher
from supportdesk.desk.fetch_requests import wanted_whole
from supportdesk.desk.intake import Intake
from supportdesk.desk.model import Server, TicketId
from supportdesk.desk.reindex import Reindexer
from supportdesk.engine import Engine
from supportdesk.errors import ConnectionFailed, NotFound, UsageError
from supportdesk.mail.limits import MAX_RAW
from supportdesk.mail.model import FetchedMail
from tests.desk.test_fetch import NEW, ScriptedSource
from tests.desk.test_parked import PlainParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from supportdesk.desk.model import Mailbox
    from tests.support.desk import House

TEXT = (
    b"From: Rosa <rosa@example.com>\r\nTo: aiuto@bottega.example\r\nSubject: Le foto\r\n"
    b"Message-ID: <big@example.com>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\n\r\nEcco le foto.\r\n"
)
FILES = (
    b"--b\r\nContent-Type: text/plain; name=prima.txt\r\nContent-Disposition: attachment\r\n\r\nprima\r\n"
    b"--b\r\nContent-Type: text/plain; name=seconda.txt\r\nContent-Disposition: attachment\r\n\r\nseconda\r\n--b--\r\n"
)
CUT = 60  # bytes of the files that come with the first parts


class CuttingSource(ScriptedSource):
    """A server whose mails are large: what is over the asked size comes cut. `claimed` is the size that it tells."""

    claimed = 80 << 20
    breaks = False

    def __init__(self, folders: Any) -> None:
        super().__init__(folders)
        self.fetched: list[int] = []

    def fetch(self, uids: Sequence[int], *, max_size: int) -> Iterator[FetchedMail]:
        self.fetched += uids
        if self.breaks:
            raise ConnectionFailed("the connection broke")
        for uid in uids:
            if uid in self.content[self.selected]:
                raw, at = self.content[self.selected][uid]
                partial = self.claimed > max_size
                yield FetchedMail(uid, raw[: len(TEXT) + CUT] if partial else raw, self.claimed, at, partial=partial)


@pytest.fixture
def server(house: House) -> CuttingSource:
    house.desk.save_mailbox(house.giulia, {"id": house.mailbox_id, "imap": Server("localhost", 1, "none", "aiuto")})
    return CuttingSource({"INBOX": {1: (TEXT + FILES, NEW)}})


def the_mailbox(house: House) -> Mailbox:
    return next(box for box in house.desk.mailboxes() if box.id == house.mailbox_id)


def taken(house: House, server: CuttingSource) -> TicketId:
    """The ticket that the first parts made."""
    Fetcher(house.store.ledger, the_mailbox(house)).run_pass(server)
    Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
    [row] = house.desk.read.rows("ticket")
    return TicketId(row["id"])


def names(house: House) -> list[str]:
    return [row["name"] for row in house.desk.read.rows("attachment", order="id")]


def message(house: House) -> Any:
    [row] = house.desk.read.rows("message")
    return row


def test_the_rest_of_a_cut_mail_is_fetched_and_its_files_are_there(house: House, server: CuttingSource) -> None:
    ticket = taken(house, server)
    assert (message(house)["badges"], "seconda.txt" in names(house)) == (["partial"], False)
    before, seq = message(house), house.desk.read.rows("ticket")[0]["seq"]
    [cut] = cut_mails(house.desk.read, ticket)
    assert cut.size == server.claimed
    assert fetch_whole(house.desk, server, PlainParser(), cut.delivery_id) == len(TEXT + FILES)
    assert names(house) == ["prima.txt", "seconda.txt"]
    after = message(house)
    assert after["badges"] == []
    assert [after[name] for name in ("id", "ticket_id", "seq", "received_at")] == [
        before[name] for name in ("id", "ticket_id", "seq", "received_at")
    ]
    assert house.desk.read.rows("ticket")[0]["seq"] == seq
    [delivery] = house.desk.read.rows("delivery")
    assert house.desk.blobs.get(delivery["raw_sha"]) == TEXT + FILES
    assert cut_mails(house.desk.read, ticket) == []


@pytest.mark.parametrize(("text", "messages"), [(b"Ecco le foto.", 1), (b"Ecco le note.", 2)])
def test_sync_5_a_whole_mail_whose_server_numbers_it_anew_is_not_taken_for_another(
    house: House, server: CuttingSource, text: bytes, messages: int
) -> None:
    """With another date it is fetched again, cut again; the same Message-ID over another text is another mail."""
    ticket = taken(house, server)
    [cut] = cut_mails(house.desk.read, ticket)
    fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
    server.uidvalidity = 8
    server.content["INBOX"] = {5: ((TEXT + FILES).replace(b"Ecco le foto.", text), NEW + timedelta(hours=1))}
    Fetcher(house.store.ledger, the_mailbox(house)).run_pass(server)
    Intake(house.desk, PlainParser(), lambda _text: "it").process_all()
    assert len(house.desk.read.rows("message")) == messages
    again = house.desk.read.rows("delivery", {"uidvalidity": 8})[0]
    if messages == 1:
        assert (again["outcome"], again["reason"], again["message_id"]) == ("duplicate", "same_content", cut.message_id)
        assert cut_mails(house.desk.read, ticket) == [], "and it is whole still"


class Dies(BaseException):
    """The process is gone: nothing after it runs."""


def test_a_wish_that_was_granted_by_a_worker_that_died_before_it_said_so_is_not_granted_twice(
    house: House, server: CuttingSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = taken(house, server)
    ask_for_whole(house.desk, house.luca, ticket)

    def worker() -> None:
        engine = Engine(Config(None, house.url), house.desk)
        engine._parser = PlainParser()  # type: ignore[assignment]
        engine.grant_wishes(the_mailbox(house), Fetcher(house.store.ledger, the_mailbox(house)), server)

    def die(*_arguments: object) -> None:
        raise Dies

    with monkeypatch.context() as patched:
        patched.setattr(fetch_requests, "fulfilled", die)
        with pytest.raises(Dies):
            worker()
    assert message(house)["badges"] == []
    server.fetched.clear()
    worker()
    assert server.fetched == [], "what is whole is not fetched again"
    assert wanted_whole(the_mailbox(house)) == []
    assert len([event for event in house.desk.read.events(ticket_id=ticket) if event.kind == "fetched_whole"]) == 1


def test_two_who_fetch_the_whole_mail_at_once_write_it_once(house: House, server: CuttingSource) -> None:
    ticket = taken(house, server)
    [cut] = cut_mails(house.desk.read, ticket)

    class Quicker(PlainParser):
        """While this one reads, the other one has finished."""

        def parse_many(self, mails: Any) -> Any:
            fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
            return super().parse_many(mails)

    fetch_whole(house.desk, server, Quicker(), cut.delivery_id)
    assert len([event for event in house.desk.read.events(ticket_id=ticket) if event.kind == "fetched_whole"]) == 1
    assert names(house) == ["prima.txt", "seconda.txt"]


def test_a_wish_that_breaks_the_connection_each_time_is_given_up_after_three_tries(
    house: House, server: CuttingSource
) -> None:
    ticket = taken(house, server)
    ask_for_whole(house.desk, house.luca, ticket)
    engine = Engine(Config(None, house.url), house.desk)
    server.breaks = True
    tries = 0
    while wanted_whole(the_mailbox(house)):
        with suppress(ConnectionFailed):
            engine.grant_wishes(the_mailbox(house), Fetcher(house.store.ledger, the_mailbox(house)), server)
        tries += 1
        assert tries < 10
    assert tries == 3
    assert message(house)["badges"] == ["partial"]


def test_a_reindex_that_has_read_the_first_parts_leaves_the_whole_mail_alone(
    house: House, server: CuttingSource
) -> None:
    ticket = taken(house, server)
    [cut] = cut_mails(house.desk.read, ticket)

    class Slow(PlainParser):
        """The whole mail comes while the first parts are being read."""

        def parse_many(self, mails: Any) -> Any:
            read = list(super().parse_many(mails))
            fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
            return iter(read)

    Reindexer(house.desk, Slow(), detect=lambda _text: "it").run(house.giulia)
    assert names(house) == ["prima.txt", "seconda.txt"]


def test_a_wish_for_the_whole_mail_waits_for_the_worker(house: House, server: CuttingSource) -> None:
    ticket = taken(house, server)
    [cut] = ask_for_whole(house.desk, house.luca, ticket)
    assert wanted_whole(the_mailbox(house)) == [cut.delivery_id]


def test_a_mail_beyond_the_limit_is_refused_with_both_numbers(house: House, server: CuttingSource) -> None:
    server.claimed = MAX_RAW + 1
    ticket = taken(house, server)
    with pytest.raises(UsageError, match="101 MB, and at most 100 MB"):
        ask_for_whole(house.desk, house.luca, ticket)
    assert wanted_whole(the_mailbox(house)) == []


def test_a_server_that_told_a_smaller_size_than_it_has_is_refused_too(house: House, server: CuttingSource) -> None:
    ticket = taken(house, server)
    [cut] = cut_mails(house.desk.read, ticket)
    server.claimed = MAX_RAW + 1
    with pytest.raises(UsageError, match="at most 100 MB"):
        fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
    assert message(house)["badges"] == ["partial"]


def test_a_mail_that_is_gone_from_its_server_stays_as_it_was(house: House, server: CuttingSource) -> None:
    ticket = taken(house, server)
    [cut] = cut_mails(house.desk.read, ticket)
    server.content["INBOX"].clear()
    with pytest.raises(NotFound, match="not in INBOX"):
        fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
    server.uidvalidity = 8
    with pytest.raises(NotFound, match="numbers INBOX anew"):
        fetch_whole(house.desk, server, PlainParser(), cut.delivery_id)
    assert message(house)["badges"] == ["partial"]


def test_a_ticket_of_which_nothing_is_missing_says_so(house: House) -> None:
    with pytest.raises(NotFound, match="no mail of which a part is missing"):
        ask_for_whole(house.desk, house.luca, house.customer_writes())
