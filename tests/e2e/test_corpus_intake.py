"""The first 1,000 messages of the corpus through a real mailbox: each ends in exactly one outcome, and only once."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from supportdesk.desk.model import OUTCOMES
from tests.e2e.shop import open_shop

if TYPE_CHECKING:
    from tests.support.corpus import Corpus
    from tests.support.mail_servers import MailServers

MESSAGES = 1000


@pytest.mark.slow
def test_a_thousand_real_mails_each_get_one_outcome_and_a_second_fetch_adds_nothing(
    mail_servers: MailServers, mail_user: str, corpus: Corpus, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mail_servers.append(mail_user, *corpus.messages(MESSAGES))
    with open_shop(mail_servers, mail_user, tmp_path) as shop, caplog.at_level(logging.WARNING):
        assert shop.fetch() == MESSAGES
        (inbox,) = [row for row in shop.desk.read.audit() if row["role"] == "inbox"]
        assert inbox["rows"] == sum(inbox[outcome] for outcome in OUTCOMES) == MESSAGES
        assert (inbox["unprocessed"], inbox["missing"], inbox["gone"]) == (0, 0, 0)
        with mail_servers.imap(mail_user) as connection:
            connection.select("INBOX", readonly=True)
            on_server = {int(uid) for uid in connection.uid("SEARCH", "ALL")[1][0].split()}
        assert {row["uid"] for row in shop.desk.read.rows("delivery")} == on_server
        stubs = shop.desk.read.rows("message", {"kind": "stub"})
        assert stubs == [], "our own reader reads every one of them"
        before = {name: len(shop.desk.read.rows(name)) for name in ("ticket", "message", "delivery", "parked", "event")}
        assert shop.fetch() == 0
        assert before == {name: len(shop.desk.read.rows(name)) for name in before}
    assert caplog.messages == []
